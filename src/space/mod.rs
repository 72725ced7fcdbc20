//! Search spaces: which architectures may be considered at all.

mod genotype;

pub use genotype::Genotype;
