//! Searches a tabular benchmark and prints what share of the exact front's hypervolume is reached.
//!
//! `cargo run --release --example tabular_benchmark -- PROBLEM.json EXACT_FRONT.json [ALGORITHM] [SEEDS]`
//!
//! The problem is a chain of blocks whose latency and score stand in tables, indexed by the width before
//! and the block's own width, kernel, expansion and fusion. It shows all that a problem of one's own needs.

use std::{env, error::Error, fs, time::Duration};

use nas::search::{Algorithm, Budget, Evaluation, Executor, Gene, Objectives, Outcome, Problem};
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
                let gene = |offset| usize::from(genes[4 * block + offset]);
                let width = gene(0);
                let entry = ((((block * 6 + before) * 6 + width) * 2 + gene(1)) * 4 + gene(2)) * 2 + gene(3);
                latency += self.table[entry].0;
                score += self.table[entry].1;
                before = width;
            }
        }
        let error = self.file.err_inf + self.file.err_amp * (-score / self.file.tau).exp();
        Evaluation::feasible([latency, error])
    }

    fn hypervolume_reference(&self) -> Option<Objectives> {
        Some(self.file.hv_ref.into())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [problem, exact, options @ ..] = &arguments[..] else {
        return Err("usage: tabular_benchmark PROBLEM.json EXACT_FRONT.json [ALGORITHM] [SEEDS]".into());
    };
    let problem = Tabular::new(serde_json::from_str(&fs::read_to_string(problem)?)?);
    let exact: Value = serde_json::from_str(&fs::read_to_string(exact)?)?;
    let exact = exact["hv"].as_f64().ok_or("no number `hv` in the exact front")?;
    let algorithm: Algorithm = options.first().map_or(Ok(Algorithm::default()), |name| name.parse())?;
    let seeds: u64 = options.get(1).map_or(Ok(10), |count| count.parse())?;
    println!("{algorithm}, {seeds} seeds: hypervolume relative to the exact front");
    println!("{:>14} {:>8} {:>8} {:>8} {:>12}", "budget", "least", "median", "most", "evaluations");
    let budgets = [200, 1_000, 10_000, 100_000].map(Budget::evaluations);
    for budget in budgets.into_iter().chain([Budget::time(Duration::from_secs(1))]) {
        let search = |seed| Executor::new(&problem).algorithm(algorithm).seed(seed).budget(budget).run();
        let outcomes = (0..seeds).map(search).collect::<Result<Vec<Outcome>, _>>()?;
        print_row(budget, &outcomes, exact);
    }
    Ok(())
}

fn print_row(budget: Budget, outcomes: &[Outcome], exact: f64) {
    let share = |outcome: &Outcome| outcome.convergence.last().map_or(0.0, |last| last.hypervolume / exact);
    let mut shares: Vec<f64> = outcomes.iter().map(share).collect();
    shares.sort_by(f64::total_cmp);
    let mut evaluations: Vec<u64> = outcomes.iter().map(|outcome| outcome.evaluations).collect();
    evaluations.sort_unstable();
    let (half, name) = (shares.len() / 2, budget.evaluations.map_or("one second".into(), |n| n.to_string()));
    let median = (shares[half] + shares[(shares.len() - 1) / 2]) / 2.0;
    let (least, most) = (shares[0], shares[shares.len() - 1]);
    println!("{name:>14} {least:>8.5} {median:>8.5} {most:>8.5} {:>12}", evaluations[half]);
}
