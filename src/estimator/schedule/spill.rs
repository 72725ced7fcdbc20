//! Which tensors stay on the chip.

use super::{Place, Role, Step};
use crate::estimator::graph::Graph;

/// Decides which tensors stay on the chip: the ones that save most traffic, as far as they fit.
#[derive(Clone, Debug, Default)]
pub(super) struct Spill {
    /// Bytes in use at each step.
    used: Vec<u64>,
    /// Bytes that all tensors would use at each step.
    peak: Vec<u64>,
    /// Tensors of which not everything alive with them fits, with what they move.
    contended: Vec<(u64, usize)>,
    /// All others.
    free: Vec<usize>,
}

impl Spill {
    /// Writes the places of outputs and the free memory into `steps`; a `merged` layer writes in place of the next.
    pub(super) fn run(
        &mut self,
        graph: &Graph,
        on_chip_bytes: u64,
        merged: impl Fn(usize) -> bool,
        steps: &mut [Step],
    ) {
        for (index, manner) in graph.given() {
            steps[index].output = manner.output;
        }
        self.divide(graph, on_chip_bytes, &merged, steps);
        self.contended.sort_unstable_by_key(|(traffic, index)| (std::cmp::Reverse(*traffic), *index));
        let contended = self.contended.iter().map(|(_, index)| *index);
        for index in self.free.iter().copied().chain(contended) {
            let bytes = graph.bricks(index);
            let slots = &mut self.used[graph.lifetime(index)];
            if slots.iter().all(|used| used.saturating_add(bytes) <= on_chip_bytes) {
                slots.iter_mut().for_each(|used| *used += bytes);
            } else {
                steps[index].output = Place::OffChip;
            }
        }
        // A layer that adds up what it makes writes the sum in place of its own output.
        for index in (0..graph.len().saturating_sub(1)).filter(|index| merged(*index)) {
            steps[index].output = steps[index + 1].output;
        }
        for (step, used) in steps.iter_mut().zip(&self.used) {
            step.free_bytes = on_chip_bytes.saturating_sub(*used);
        }
    }

    /// What has room beside everything else needs no choice.
    fn divide(&mut self, graph: &Graph, on_chip_bytes: u64, merged: impl Fn(usize) -> bool, steps: &[Step]) {
        let Self { used, peak, contended, free } = self;
        used.clear();
        used.extend(steps.iter().map(|step| step.kept_bytes));
        peak.clone_from(used);
        free.clear();
        contended.clear();
        let whole = |step: &Step| step.role == Role::Alone && step.output == Place::OnChip;
        for index in (0..graph.len()).filter(|index| whole(&steps[*index]) && !merged(*index)) {
            let bytes = graph.bricks(index);
            peak[graph.lifetime(index)].iter_mut().for_each(|peak| *peak += bytes);
            if graph.given().any(|(given, _)| given == index) {
                used[graph.lifetime(index)].iter_mut().for_each(|used| *used += bytes);
            } else {
                free.push(index);
            }
        }
        free.retain(|index| {
            let fits = peak[graph.lifetime(*index)].iter().all(|peak| *peak <= on_chip_bytes);
            if !fits {
                let traffic = graph.bricks(*index).saturating_mul(u64::from(1 + graph.readers(*index)));
                contended.push((traffic, *index));
            }
            fits
        });
    }
}
