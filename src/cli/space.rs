//! `nas space`: what a space file means.

use std::{fmt::Write, path::PathBuf};

use nas::{
    network::Network,
    report::Table,
    space::{Genotype, Space},
    trainability::trainability,
    units::{binary_bytes, si},
};
use rand::{Rng, RngExt, SeedableRng, rngs::ChaCha8Rng};

use super::{Status, output};

/// Show a search space: its size, its genes, its baseline and some samples.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The space file (nas.space/1).
    space: PathBuf,
    /// How many random architectures to show.
    #[arg(long, default_value_t = 3)]
    samples: usize,
    /// The seed of the samples.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Status> {
    let space = Space::load(&args.space)?;
    let mut text = overview(&space);
    write!(text, "\n{}", genes(&space).text())?;
    write!(text, "\nbaseline {}\n{}", id(&space, space.baseline()), costs(&space, space.baseline())?)?;
    let mut rng = ChaCha8Rng::seed_from_u64(args.seed);
    for number in 1..=args.samples {
        let genotype = sample(&space, &mut rng);
        write!(text, "\nsample {number}: {}\n{}", id(&space, &genotype), costs(&space, &genotype)?)?;
    }
    output::print(&text)?;
    Ok(Status::Done)
}

fn overview(space: &Space) -> String {
    let (curated, uncurated) = space.log10_size();
    let requirements: Vec<String> = space.constraints().iter().map(ToString::to_string).collect();
    format!(
        "{}\n10^{curated:.1} architectures of {} genes (10^{uncurated:.1} before curation)\n\
         channels snap to multiples of {}\nrequired: {}\n",
        space.name(),
        space.genes().len(),
        space.parallelism(),
        requirements.join("; "),
    )
}

fn genes(space: &Space) -> Table {
    let mut table = Table::new(&["gene", "decides", "alternatives", "baseline"]).left(1).left(2);
    for (gene, choice) in space.genes().iter().zip(&space.baseline().0) {
        table.push([
            gene.name.clone(),
            gene.kind.to_string(),
            gene.labels.join(" "),
            gene.labels[usize::from(*choice)].clone(),
        ]);
    }
    table
}

fn id(space: &Space, genotype: &Genotype) -> String {
    space.architecture_id(&genotype.0)
}

fn sample(space: &Space, rng: &mut impl Rng) -> Genotype {
    let draw = |gene: &nas::space::Gene| rng.random_range(0..gene.labels.len()) as u8;
    let mut genotype = Genotype::from(space.genes().iter().map(draw).collect::<Vec<u8>>());
    space.canonicalise(&mut genotype.0);
    genotype
}

fn costs(space: &Space, genotype: &Genotype) -> anyhow::Result<String> {
    let network: Network = space.network(&genotype.0)?;
    let mut text = format!(
        "  {} MACs, {} params, model {}, peak activation {}, trainability {:.3}\n",
        si(network.macs().0),
        si(network.params().0),
        binary_bytes(network.model_bytes()),
        binary_bytes(network.peak_activation().in_place),
        trainability(&network).score,
    );
    for line in space.architecture(&genotype.0).lines() {
        writeln!(text, "    {line}")?;
    }
    Ok(text)
}
