//! Searches for a small network by objectives and a constraint of one's own.
//!
//! `cargo run --release --example custom_objective`
//!
//! Four stages each choose a width and a depth. Wanted is the least energy for the most capacity, and the
//! weights must fit a memory. The numbers are made up; in their place may stand anything that can be
//! computed from the genes.

use nas::{
    error::Error,
    search::{Budget, Evaluation, Executor, Gene, Problem, Progress},
    space::Genotype,
};

const WIDTHS: [f64; 5] = [8.0, 16.0, 24.0, 32.0, 48.0];
const MEMORY_BYTES: f64 = 48_000.0;

struct SmallNetwork {
    genes: Vec<Gene>,
}

impl SmallNetwork {
    fn new() -> Self {
        let stage = |group| {
            [Gene::new(5).in_group(group).of_kind("width"), Gene::new(4).in_group(group).of_kind("depth")]
        };
        Self { genes: (0..4).flat_map(stage).collect() }
    }
}

impl Problem for SmallNetwork {
    fn genes(&self) -> &[Gene] {
        &self.genes
    }

    fn objectives(&self) -> Vec<String> {
        vec!["energy_uj".into(), "lack_of_capacity".into()]
    }

    fn evaluate(&self, genes: &[u8]) -> Evaluation {
        let (mut energy, mut capacity, mut bytes) = (0.0, 0.0, 0.0);
        let (mut before, mut pixels) = (3.0, 64.0 * 64.0);
        for stage in genes.chunks_exact(2) {
            let (width, depth) = (WIDTHS[usize::from(stage[0])], 1.0 + f64::from(stage[1]));
            let weights = 9.0 * width * (before + (depth - 1.0) * width);
            energy += 1e-5 * weights * pixels + 2e-4 * weights;
            capacity += depth * width.ln();
            bytes += weights;
            (before, pixels) = (width, pixels / 4.0);
        }
        // A maximised objective is negated. By how much a limit is exceeded may be negative: that is room to use.
        Evaluation::feasible([energy, -capacity]).with_limits([bytes / MEMORY_BYTES - 1.0])
    }

    fn seeds(&self) -> Vec<Genotype> {
        vec![Genotype::first(self.genes.len())]
    }
}

fn main() -> Result<(), Error> {
    let problem = SmallNetwork::new();
    let mut watch = |progress: &Progress<'_>| {
        if progress.generations.is_multiple_of(50) {
            eprintln!("{:>6} evaluations, {} on the front", progress.evaluations, progress.front.len());
        }
    };
    let outcome =
        Executor::new(&problem).seed(1).budget(Budget::evaluations(5_000)).observe(&mut watch).run()?;
    println!("{}: {} of {} scored", outcome.termination, outcome.front.len(), outcome.evaluations);
    println!("{:>10} {:>9}  width, depth of each stage", "energy uJ", "capacity");
    for candidate in outcome.front.iter().step_by(1 + outcome.front.len() / 12) {
        let stages: Vec<String> = candidate
            .genotype
            .0
            .chunks(2)
            .map(|g| format!("{}x{}", WIDTHS[usize::from(g[0])], g[1] + 1))
            .collect();
        println!("{:>10.2} {:>9.2}  {}", candidate.objectives[0], -candidate.objectives[1], stages.join(" "));
    }
    Ok(())
}
