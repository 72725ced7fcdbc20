//! The most that a region can bring to the score.

use super::{lattice::Lattice, region::Region};
use crate::trainability::Totals;

/// Sums that are no less than those of any architecture of a region: part by part the most that it can bring, with the
/// most that can be left of the gradient behind it.
pub(super) fn most(lattice: &Lattice, region: &Region) -> Totals {
    let mut from = vec![(0.0, 0.0, Totals::default()); lattice.points.len()];
    for index in &lattice.backwards {
        let point = &lattice.points[*index];
        let (mut share, mut fade, mut totals) = (0.0_f64, 0.0_f64, Totals::default());
        let mut join = |other: (f64, f64, Totals)| {
            (share, fade) = (share.max(other.0), fade.max(other.1));
            totals = totals.larger(&other.2);
        };
        for head in point.heads.iter().filter(|head| region.contains(&head.setting)) {
            let flow = lattice.flows[head.flows].last().copied().unwrap_or_default();
            join((flow.share(), flow.fade(), head.totals));
        }
        for step in point.steps.iter().filter(|step| region.contains(&step.setting)) {
            let Some(way) = &step.way else { continue };
            let (share, fade, mut totals) = from[way.to];
            totals.add_passage(&way.passage, share, fade);
            let (share, fade) = way.passage.entry(share, fade);
            join((share, fade, totals));
        }
        if let Some((setting, next)) = &point.end
            && region.contains(setting)
        {
            join(from[*next]);
        }
        if let Some(stage) = lattice.stage_ended(point) {
            let flows = || lattice.flows.iter().map(|flows| flows[stage]);
            share += flows().map(|flow| flow.share()).fold(0.0, f64::max);
            fade = flows().map(|flow| flow.fade()).fold(fade, f64::max);
            if let Some(tap) = &point.tap {
                totals.add(&tap.totals);
            }
        }
        from[*index] = (share, fade, totals);
    }
    from[0].2
}
