//! Measuring a device: what is worth measuring of a space, on which runner, and the table that it becomes.
//!
//! A sweep measures operators, blocks and whole networks ([`plan()`]) on a [`Runner`] and appends them to a
//! measurement CSV ([`Table`]) as `nas fit` reads it. It may be interrupted at any point and gone on with.

mod about;
mod blocks;
mod cells;
mod plan;
mod runner;
mod spread;
mod subject;
mod sweep;
mod table;

pub use about::{About, note_device};
pub use plan::{Doubt, Doubted, Place, PlanOptions, Wanted, draw, plan, plan_where_uncertain};
#[cfg(feature = "tract")]
pub use runner::Tract;
pub use runner::{Command, Fake, ModelFormat, Parser, Runner, Server, Times};
pub use spread::Spread;
pub use subject::{Subject, SubjectKind};
pub use sweep::{Progress, Summary, SweepOptions, Termination, sweep};
pub use table::Table;

#[cfg(test)]
mod tests;
