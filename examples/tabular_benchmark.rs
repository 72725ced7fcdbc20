//! Finds the exact front of a tabular benchmark, searches it, and prints how near the searches come.
//!
//! `cargo run --release --example tabular_benchmark -- PROBLEM.json [ALGORITHM] [SEEDS]`
//!
//! The problem is a chain of blocks whose latency and score stand in tables, indexed by the width before
//! and the block's own width, kernel, expansion and fusion. It shows all that a problem of one's own needs:
//! [`Problem`] to be searched, and [`Chain`] to be solved exactly.

use std::{
    env,
    error::Error,
    fs,
    time::{Duration, Instant},
};

use nas::search::{
    Algorithm, Budget, Chain, Evaluation, Executor, Gene, Objectives, Outcome, Problem, State, Way,
    exact_front,
    pareto::{Gap, gap, hypervolume},
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct File {
    genes: Vec<GeneEntry>,
    stages: Vec<Stage>,
    stem_us: f64,
    head_us: f64,
    err_inf: f64,
    err_amp: f64,
    tau: f64,
    hv_ref: [f64; 2],
    tables: Tables,
}

#[derive(Deserialize)]
struct GeneEntry {
    block: Option<u32>,
    stage: Option<usize>,
    kind: String,
    cardinality: u16,
}

#[derive(Deserialize)]
struct Stage {
    n: usize,
}

#[derive(Deserialize)]
struct Tables {
    lat_us: Value,
    score: Value,
}

/// The blocks of a stage, and the gene that says how many of them are there.
struct Run {
    blocks: std::ops::Range<usize>,
    depth: Option<usize>,
}

struct Tabular {
    file: File,
    genes: Vec<Gene>,
    runs: Vec<Run>,
    /// Latency and score by block, width before, width, kernel, expansion, fusion.
    table: Vec<(f64, f64)>,
}

impl Tabular {
    fn new(file: File) -> Self {
        let mut runs = Vec::new();
        for stage in &file.stages {
            let first = runs.last().map_or(0, |run: &Run| run.blocks.end);
            runs.push(Run { blocks: first..first + stage.n, depth: None });
        }
        let mut genes = Vec::new();
        for (index, entry) in file.genes.iter().enumerate() {
            let mut gene = Gene::new(entry.cardinality).of_kind(&entry.kind);
            gene.group = entry.block;
            if let Some(stage) = entry.stage {
                runs[stage].depth = Some(index);
                gene.group = Some(runs[stage].blocks.start as u32);
            }
            genes.push(gene);
        }
        let table = numbers(&file.tables.lat_us).into_iter().zip(numbers(&file.tables.score)).collect();
        Self { file, genes, runs, table }
    }

    /// Latency and score of a block whose choice is width, kernel, expansion and fusion.
    fn entry(&self, block: usize, before: usize, choice: [u8; 4]) -> (f64, f64) {
        let [width, kernel, expansion, fused] = choice.map(usize::from);
        self.table[((((block * 6 + before) * 6 + width) * 2 + kernel) * 4 + expansion) * 2 + fused]
    }

    fn error(&self, score: f64) -> f64 {
        self.file.err_inf + self.file.err_amp * (-score / self.file.tau).exp()
    }

    /// The stage of a block, and the block's place in it.
    fn place(&self, block: usize) -> (&Run, usize) {
        let run = self.runs.iter().find(|run| run.blocks.contains(&block)).expect("a block of a stage");
        (run, block - run.blocks.start)
    }
}

/// All numbers of nested lists, in order.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(list) => list.iter().flat_map(numbers).collect(),
        other => other.as_f64().into_iter().collect(),
    }
}

impl Problem for Tabular {
    fn genes(&self) -> &[Gene] {
        &self.genes
    }

    fn objectives(&self) -> Vec<String> {
        vec!["latency_us".into(), "error".into()]
    }

    fn canonicalise(&self, genes: &mut [u8]) {
        for run in &self.runs {
            let depth = run.depth.map_or(run.blocks.len(), |gene| usize::from(genes[gene]) + 1);
            genes[4 * (run.blocks.start + depth)..4 * run.blocks.end].fill(0);
        }
    }

    fn evaluate(&self, genes: &[u8]) -> Evaluation {
        let (mut latency, mut score, mut before) = (self.file.stem_us + self.file.head_us, 0.0, 0);
        for run in &self.runs {
            let depth = run.depth.map_or(run.blocks.len(), |gene| usize::from(genes[gene]) + 1);
            for block in run.blocks.clone().take(depth) {
                let choice = [0, 1, 2, 3].map(|offset| genes[4 * block + offset]);
                let (block_latency, block_score) = self.entry(block, before, choice);
                latency += block_latency;
                score += block_score;
                before = usize::from(choice[0]);
            }
        }
        Evaluation::feasible([latency, self.error(score)])
    }

    fn hypervolume_reference(&self) -> Option<Objectives> {
        Some(self.file.hv_ref.into())
    }
}

/// Added to a state where a stage has ended before its last block.
const ENDED: State = 6;

/// Block by block. A state is the width of the last block, and whether its stage has ended; the sums are latency and
/// the score with the sign changed, since a larger score is better.
impl Chain for Tabular {
    fn genes(&self) -> usize {
        self.genes.len()
    }

    fn steps(&self) -> usize {
        self.file.stages.iter().map(|stage| stage.n).sum()
    }

    fn start(&self) -> (State, Objectives) {
        (0, [self.file.stem_us + self.file.head_us, 0.0].into())
    }

    fn ways(&self, block: usize, state: State) -> Vec<Way> {
        let (run, position) = self.place(block);
        let before = state % ENDED;
        // A stage that ends here keeps the blocks before this one.
        let depth = |blocks: usize| run.depth.map(|gene| (gene as u32, blocks as u8 - 1));
        let end = Way {
            cost: [0.0, 0.0].into(),
            next: before + ENDED,
            genes: depth(position).into_iter().collect(),
        };
        let skip = Way { genes: Vec::new(), ..end.clone() };
        if position > 0 && state >= ENDED {
            return vec![skip];
        }
        let choices =
            (0..6 * 2 * 4 * 2_u8).map(|index| [index / 16, index / 8 % 2, index / 2 % 4, index % 2]);
        let mut ways: Vec<Way> = choices
            .map(|choice| {
                let (latency, score) = self.entry(block, before as usize, choice);
                let own =
                    choice.into_iter().enumerate().map(|(gene, value)| ((4 * block + gene) as u32, value));
                let full = depth(position + 1).filter(|_| position + 1 == run.blocks.len());
                let genes = own.chain(full).collect();
                Way { cost: [latency, -score].into(), next: u32::from(choice[0]), genes }
            })
            .collect();
        ways.extend((position > 0).then_some(end));
        ways
    }

    fn objectives(&self, sums: &Objectives) -> Objectives {
        [sums[0], self.error(-sums[1])].into()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [problem, options @ ..] = &arguments[..] else {
        return Err("usage: tabular_benchmark PROBLEM.json [ALGORITHM] [SEEDS]".into());
    };
    let problem = Tabular::new(serde_json::from_str(&fs::read_to_string(problem)?)?);
    let begin = Instant::now();
    let exact: Vec<Objectives> = exact_front(&problem, 0.0)?.iter().map(|member| member.objectives).collect();
    println!(
        "the exact front has {} members and a hypervolume of {:.3}, found in {:.1} s",
        exact.len(),
        hypervolume(&exact, &problem.file.hv_ref.into()),
        begin.elapsed().as_secs_f64()
    );
    let algorithm: Algorithm = options.first().map_or(Ok(Algorithm::default()), |name| name.parse())?;
    let seeds: u64 = options.get(1).map_or(Ok(10), |count| count.parse())?;
    println!(
        "{algorithm}, {seeds} seeds: hypervolume relative to the exact front, and the largest distance from it"
    );
    println!(
        "{:>14} {:>8} {:>8} {:>8} {:>11} {:>12}",
        "budget", "least", "median", "most", "distance", "evaluations"
    );
    let budgets = [200, 1_000, 10_000, 100_000].map(Budget::evaluations);
    for budget in budgets.into_iter().chain([Budget::time(Duration::from_secs(1))]) {
        let search = |seed| Executor::new(&problem).algorithm(algorithm).seed(seed).budget(budget).run();
        let outcomes = (0..seeds).map(search).collect::<Result<Vec<Outcome>, _>>()?;
        print_row(budget, &outcomes, &exact, &problem.file.hv_ref.into());
    }
    Ok(())
}

fn print_row(budget: Budget, outcomes: &[Outcome], exact: &[Objectives], reference: &Objectives) {
    let gap_of = |outcome: &Outcome| {
        let found: Vec<Objectives> = outcome.front.iter().map(|member| member.objectives).collect();
        gap(&found, exact, reference)
    };
    let gaps: Vec<Gap> = outcomes.iter().map(gap_of).collect();
    let sorted = |value: fn(&Gap) -> f64| {
        let mut values: Vec<f64> = gaps.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let (shares, distances) = (sorted(|gap| gap.hypervolume_share), sorted(|gap| gap.largest_distance));
    let median = |values: &[f64]| (values[values.len() / 2] + values[(values.len() - 1) / 2]) / 2.0;
    let mut evaluations: Vec<u64> = outcomes.iter().map(|outcome| outcome.evaluations).collect();
    evaluations.sort_unstable();
    let name = budget.evaluations.map_or("one second".into(), |n| n.to_string());
    let (least, most) = (shares[0], shares[shares.len() - 1]);
    println!(
        "{name:>14} {least:>8.5} {:>8.5} {most:>8.5} {:>10.2} % {:>12}",
        median(&shares),
        100.0 * median(&distances),
        evaluations[evaluations.len() / 2]
    );
}
