//! Pareto dominance over many points: sorting, crowding, hypervolume and the archive of the best.

mod archive;
mod crowding;
mod gap;
mod hypervolume;
mod order;
mod sort;

pub use archive::Archive;
pub use crowding::crowding_distances;
pub use gap::{Gap, gap};
pub use hypervolume::hypervolume;
pub(super) use order::{lexicographic_order, total_order_key};
pub use sort::non_dominated_ranks;
pub(super) use sort::ranks_in_order;
