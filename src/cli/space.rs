//! `nas space`: what a space file means.

use std::{fmt::Write, path::PathBuf};

use clap::ValueEnum;
use nas::{
    network::Network,
    report::Table,
    space::{Genotype, Space, Target},
    trainability::trainability,
    units::{binary_bytes, si},
};
use rand::{Rng, RngExt, SeedableRng, rngs::ChaCha8Rng};

use super::{Status, output, targets};

/// Show a search space: its size, its genes, its baseline and some samples.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The space file (nas.space/1).
    space: PathBuf,
    /// The estimator whose lanes channels snap to, where the space leaves that to it (`"parallelism":
    /// "estimator"`); by default the one that the space names, or all that it names. Give it several times for the least
    /// common multiple of their lanes.
    #[arg(long, short, value_name = "EST")]
    estimator: Vec<PathBuf>,
    /// How many random architectures to show.
    #[arg(long, default_value_t = 3)]
    samples: usize,
    /// The seed of the samples.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The form of the result; jsonl is the samples alone, one nas.network/1 a line, to be measured.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
}

/// The form of what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people.
    Text,
    /// Networks, one a line.
    Jsonl,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Status> {
    let target = Target::load(&args.space)?;
    let files = if args.estimator.is_empty() { &target.estimators } else { &args.estimator };
    let space = match target.from_estimator && !files.is_empty() {
        true => targets::space_for(&args.space, &targets::load(files)?)?,
        false => Space::load(&args.space)?,
    };
    let mut rng = ChaCha8Rng::seed_from_u64(args.seed);
    let samples: Vec<Genotype> = (0..args.samples).map(|_| sample(&space, &mut rng)).collect();
    output::print(&match args.format {
        Form::Text => text(&space, &samples)?,
        Form::Jsonl => jsonl(&space, &samples)?,
    })?;
    Ok(Status::Done)
}

fn text(space: &Space, samples: &[Genotype]) -> anyhow::Result<String> {
    let mut text = overview(space);
    write!(text, "\n{}", genes(space).text())?;
    write!(text, "\nbaseline {}\n{}", id(space, space.baseline()), costs(space, space.baseline())?)?;
    for (index, genotype) in samples.iter().enumerate() {
        write!(text, "\nsample {}: {}\n{}", index + 1, id(space, genotype), costs(space, genotype)?)?;
    }
    Ok(text)
}

fn jsonl(space: &Space, samples: &[Genotype]) -> anyhow::Result<String> {
    let line = |genotype: &Genotype| Ok(serde_json::to_string(&space.network(&genotype.0)?)? + "\n");
    samples.iter().map(line).collect()
}

fn overview(space: &Space) -> String {
    let (curated, uncurated) = space.log10_size();
    let mut requirements: Vec<String> = space.constraints().iter().map(ToString::to_string).collect();
    let targets = space.targets().map_or(&[][..], |targets| &targets.list);
    for target in targets {
        let file = target.estimator.display().to_string();
        let name = target.name.as_deref().unwrap_or(&file);
        requirements.extend(target.limits.iter().map(|limit| limit.on(0).words(&[name])));
    }
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
