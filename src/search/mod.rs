//! Search of any finite space: it knows genes, objectives and violations, but no networks.
//!
//! A [`Problem`] says what the genes are and scores a genotype. An [`Optimizer`]
//! is a search algorithm as ask and tell, without clock or files. The
//! [`Executor`] owns the loop: budget, parallel scoring, the archive of the best,
//! checkpoints, observers and cancelling. Same problem, settings and seed give the
//! same result on any number of threads, before and after an interruption.
//!
//! ```
//! use nas::search::{Budget, Evaluation, Executor, Gene, Problem, Termination};
//!
//! struct Tradeoff(Vec<Gene>);
//!
//! impl Problem for Tradeoff {
//!     fn genes(&self) -> &[Gene] {
//!         &self.0
//!     }
//!     fn objectives(&self) -> Vec<String> {
//!         vec!["cost".into(), "error".into()]
//!     }
//!     fn evaluate(&self, genes: &[u8]) -> Evaluation {
//!         let sum: f64 = genes.iter().copied().map(f64::from).sum();
//!         Evaluation::feasible([sum, 1.0 / (1.0 + sum)])
//!     }
//! }
//!
//! let problem = Tradeoff(vec![Gene::new(4); 6]);
//! let outcome = Executor::new(&problem).seed(1).budget(Budget::evaluations(5_000)).run()?;
//! assert_eq!((outcome.front.len(), outcome.termination), (19, Termination::Exhausted));
//! # Ok::<(), nas::error::Error>(())
//! ```

mod budget;
mod checkpoint;
mod checks;
mod clock;
mod evaluation;
mod exact;
mod executor;
mod history;
mod layout;
mod observer;
mod optimizer;
mod outcome;
mod pace;
pub mod pareto;
mod population;
mod problem;
mod proposals;
mod random;
mod run;
mod scores;
mod seen;

pub use budget::Budget;
pub use checks::is_countable;
pub use evaluation::{Evaluation, MAX_LIMITS, MAX_OBJECTIVES, Objectives};
pub use exact::{Chain, State, Way, exact_front};
pub use executor::Executor;
pub use observer::{Observer, Progress};
pub use optimizer::{Algorithm, Optimizer};
pub use outcome::{Candidate, Convergence, Outcome, Termination};
pub use population::Population;
pub use problem::{Gene, Problem};
pub use random::Rng;
pub(crate) use random::{Streams, below};
