//! The command line as a user sees it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod across;
mod bad_input;
mod codesign;
mod common;
mod compare;
mod compare_measured;
mod compare_trend;
mod dtype;
mod energy;
mod estimate;
mod exact;
mod export;
mod figures;
mod fit;
mod fixture;
mod help;
mod import;
mod main_job;
mod measure;
mod names;
mod page;
mod reading;
mod schema;
mod schema_check;
mod schema_samples;
mod train;
mod verdict;
