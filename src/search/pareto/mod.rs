//! Pareto dominance over many points: sorting, crowding, hypervolume and the archive of the best.

mod archive;
mod crowding;
mod gap;
mod hypervolume;
mod sort;

pub use archive::Archive;
pub use crowding::crowding_distances;
pub use gap::{Gap, gap};
pub use hypervolume::hypervolume;
pub use sort::non_dominated_ranks;
