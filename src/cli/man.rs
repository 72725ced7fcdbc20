//! `nas man`.

use std::path::PathBuf;

use anyhow::Context;
use nas::io::write_atomically;

use super::{Status, output};

/// Print the manual page, or write the pages of all commands into a folder.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The folder to write one page a command into.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args, command: clap::Command) -> anyhow::Result<Status> {
    let Some(folder) = &args.out else {
        output::print(&page(command)?)?;
        return Ok(Status::Done);
    };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for subcommand in command.get_subcommands() {
        let name: &'static str = Box::leak(format!("nas-{}", subcommand.get_name()).into_boxed_str());
        let text = page(subcommand.clone().name(name))?;
        write_atomically(&folder.join(format!("{name}.1")), text.as_bytes())?;
    }
    write_atomically(&folder.join("nas.1"), page(command)?.as_bytes())?;
    Ok(Status::Done)
}

fn page(command: clap::Command) -> anyhow::Result<String> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
