//! `nas schema`.

use std::path::PathBuf;

use anyhow::Context;
use clap::builder::PossibleValuesParser;
use nas::{
    io::write_atomically,
    report::Table,
    schemas::{SCHEMAS, schema},
};

use super::{Status, output};

/// Print the JSON Schema of a kind of file, list the kinds, or write all schemas into a folder.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The kind of file; without it, the kinds are listed.
    #[arg(value_parser = PossibleValuesParser::new(SCHEMAS.iter().map(|schema| schema.kind)))]
    kind: Option<String>,
    /// The folder to write KIND.schema.json of every kind into.
    #[arg(long, short, value_name = "DIR", conflicts_with = "kind")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Status> {
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        for schema in SCHEMAS {
            let file = folder.join(format!("{}.schema.json", schema.kind));
            write_atomically(&file, schema.text.as_bytes())?;
        }
        return Ok(Status::Done);
    }
    // The parser lets known kinds through only.
    match args.kind.as_deref().and_then(schema) {
        Some(schema) => output::print(schema.text)?,
        None => output::print(&list())?,
    }
    Ok(Status::Done)
}

fn list() -> String {
    let mut table = Table::new(&["kind", "schema", "of"]).left(1).left(2);
    for schema in SCHEMAS {
        table.push([schema.kind.to_owned(), format!("nas.{}/1", schema.kind), schema.about.to_owned()]);
    }
    table.text()
}
