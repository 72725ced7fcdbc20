//! The command line as a user sees it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod codesign;
mod common;
mod compare;
mod estimate;
mod figures;
mod fit;
mod fixture;
mod help;
mod main_job;
mod page;
mod reading;
