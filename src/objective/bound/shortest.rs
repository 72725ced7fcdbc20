//! The best path through a lattice where every limit has a price.
//!
//! With limits priced, what is left to minimise is a sum over parts but for one thing: what a part brings to the score is
//! in proportion to what the parts behind it leave of the gradient. So paths are followed from the head to the stem, and a
//! point keeps one label for each fading with which it can be reached (label setting as in Hansen, "Bicriterion path
//! problems", 1980). Of labels that fade almost alike one is kept, with the best of both, which makes the least cost
//! smaller than it is and never larger.

use super::{
    design::Design,
    labels::{By, Label, Labels},
    lattice::{Head, Lattice, Part, Point, Way},
    limits::Limits,
    region::Region,
};
use crate::{
    space::{Metric, set},
    trainability::{Rise, Tangent, Totals, lost_by},
};

/// A limit that is met but for this share is met: it was computed in another order.
const ROUNDING: f64 = 1e-9;

/// What missing each limit costs, in microseconds.
#[derive(Clone, Debug)]
pub(super) struct Prices {
    /// A unit of the score.
    pub(super) score: f64,
    /// The whole of each limit on what is added up.
    pub(super) amounts: Vec<f64>,
    /// What the score is taken for.
    pub(super) tangent: Tangent,
}

/// What the cheapest path costs, and the architecture that it is.
#[derive(Clone, Debug)]
pub(super) struct Shortest {
    /// No architecture of the region costs less, missed limits paid for, in microseconds.
    pub(super) bound_us: f64,
    pub(super) design: Design,
}

/// One pricing of a lattice.
struct Pricing<'l> {
    lattice: &'l Lattice,
    region: &'l Region,
    limits: &'l Limits,
    prices: &'l Prices,
    /// What each part costs wherever it stands.
    parts: Vec<f64>,
}

/// The cheapest path through a region of the lattice; none if there is no path.
pub(super) fn shortest(
    lattice: &Lattice,
    region: &Region,
    limits: &Limits,
    prices: &Prices,
) -> Option<Shortest> {
    let parts = lattice.parts.iter().map(|part| cost(part, limits, prices)).collect();
    Pricing { lattice, region, limits, prices, parts }.shortest()
}

fn cost(part: &Part, limits: &Limits, prices: &Prices) -> f64 {
    let amounts = limits.amounts.iter().zip(&prices.amounts);
    part.us + amounts.map(|((metric, most), price)| price * part.amounts.of(*metric) / most).sum::<f64>()
}

impl Pricing<'_> {
    fn shortest(&self) -> Option<Shortest> {
        let mut labels: Vec<Vec<Label>> = vec![Vec::new(); self.lattice.points.len()];
        let mut found = Labels::new(self.lattice.flows.len());
        for point in &self.lattice.backwards {
            labels[*point] = self.labels(&self.lattice.points[*point], &labels, &mut found);
        }
        let best = (0..labels[0].len()).min_by(|a, b| labels[0][*a].cost.total_cmp(&labels[0][*b].cost))?;
        let Prices { score, amounts, tangent } = self.prices;
        let least = self.limits.score.unwrap_or(0.0) + lost_by(self.region.bottleneck.0) - tangent.constant();
        let bound_us = labels[0][best].cost + score * least - amounts.iter().sum::<f64>();
        Some(Shortest { bound_us, design: self.design(&labels, best) })
    }

    /// The labels of a point, by those of the points that it leads to.
    fn labels(&self, point: &Point, labels: &[Vec<Label>], found: &mut Labels) -> Vec<Label> {
        for (index, head) in point.heads.iter().enumerate() {
            self.head(index, head).into_iter().for_each(|label| found.add(label));
        }
        for (index, step) in point.steps.iter().enumerate() {
            let Some(way) = step.way.as_ref().filter(|_| self.region.contains(&step.setting)) else {
                continue;
            };
            if self.fits(way.part) {
                self.go(way, index, &labels[way.to], found);
            }
        }
        if let Some((setting, next)) = &point.end
            && self.region.contains(setting)
        {
            let ended = (0..).zip(&labels[*next]);
            ended.for_each(|(index, label)| found.add(Label { by: By::End(index), ..*label }));
        }
        let mut found = found.take();
        self.tap(point, &mut found);
        found
    }

    fn fits(&self, part: usize) -> bool {
        let bytes = self.lattice.parts[part].peak.saturating_mul(self.lattice.bytes);
        bytes as f64 <= self.limits.peak_bytes * (1.0 + ROUNDING)
    }

    fn head(&self, index: usize, head: &Head) -> Option<Label> {
        let fits = head.totals.bottleneck() <= self.region.bottleneck.1
            && self.region.contains(&head.setting)
            && head.parts.iter().all(|part| self.fits(*part));
        let own: f64 = head.parts.iter().map(|part| self.parts[*part]).sum();
        let flow = self.lattice.flows[head.flows].last()?;
        fits.then(|| Label {
            cost: own - self.prices.score * self.prices.tangent.of_part(&head.totals),
            share: flow.share(),
            fade: flow.fade(),
            flows: head.flows as u32,
            by: By::Head(index as u32),
        })
    }

    fn go(&self, way: &Way, step: usize, labels: &[Label], found: &mut Labels) {
        let Rise { by_share, by_weight } = self.prices.tangent.of_passage(&way.passage);
        let most = self.region.bottleneck.1;
        for (index, label) in (0..).zip(labels) {
            if way.passage.bottleneck() * label.share > most {
                continue;
            }
            let risen = by_share * label.share + by_weight * label.share.sqrt() * label.fade;
            let (share, fade) = way.passage.entry(label.share, label.fade);
            let cost = label.cost + self.parts[way.part] - self.prices.score * risen;
            found.add(Label { cost, share, fade, flows: label.flows, by: By::Step(step as u32, index) });
        }
    }

    /// Adds what the head taps an ended stage with.
    fn tap(&self, point: &Point, labels: &mut Vec<Label>) {
        let Some(stage) = self.lattice.stage_ended(point) else { return };
        for label in labels.iter_mut() {
            let mut flow = self.lattice.flows[label.flows as usize][stage];
            if flow.share() > 0.0 {
                flow.join(label.share, label.fade);
                (label.share, label.fade) = (flow.share(), flow.fade());
            }
        }
        let Some(tap) = &point.tap else { return };
        if !tap.parts.iter().all(|part| self.fits(*part))
            || tap.totals.bottleneck() > self.region.bottleneck.1
        {
            return labels.clear();
        }
        let own: f64 = tap.parts.iter().map(|part| self.parts[*part]).sum();
        let own = own - self.prices.score * self.prices.tangent.of_part(&tap.totals);
        labels.iter_mut().for_each(|label| label.cost += own);
    }

    /// The architecture of a label of the first point.
    fn design(&self, labels: &[Vec<Label>], first: usize) -> Design {
        let lattice = self.lattice;
        let mut genotype = lattice.points[0].genotype().to_vec();
        let mut genes = Vec::new();
        let (mut parts, mut ways, mut totals) = (Vec::new(), Vec::new(), Totals::default());
        let (mut point, mut label) = (0, first);
        let mut in_stage = (0, 0.0);
        loop {
            let (here, by) = (&lattice.points[point], labels[point][label].by);
            if let Some(tap) = &here.tap {
                parts.extend(&tap.parts);
                totals.add(&tap.totals);
            }
            match by {
                By::Step(step, next) => {
                    let (step, next) = (&here.steps[step as usize], next as usize);
                    let Some(way) = &step.way else { break };
                    set(&mut genotype, &step.setting);
                    let us = lattice.parts[way.part].us;
                    if here.position == 0 {
                        in_stage = (genes.len(), 0.0);
                    }
                    in_stage.1 += us;
                    genes.extend(step.setting.iter().map(|(gene, _)| (*gene, us)));
                    parts.push(way.part);
                    ways.push((way, labels[way.to][next]));
                    (point, label) = (way.to, next);
                }
                By::End(next) => {
                    let Some((setting, to)) = &here.end else { break };
                    set(&mut genotype, setting);
                    genes.extend(setting.iter().map(|(gene, _)| (*gene, in_stage.1)));
                    (point, label) = (*to, next as usize);
                }
                By::Head(head) => {
                    let head = &here.heads[head as usize];
                    set(&mut genotype, &head.setting);
                    let us: f64 = head.parts.iter().map(|part| lattice.parts[*part].us).sum();
                    genes.extend(head.setting.iter().map(|(gene, _)| (*gene, us)));
                    parts.extend(&head.parts);
                    totals.add(&head.totals);
                    break;
                }
            }
        }
        for (way, behind) in ways {
            totals.add_passage(&way.passage, behind.share, behind.fade);
        }
        let parts = || parts.iter().map(|part| &lattice.parts[*part]);
        let excess = |(metric, most): &(Metric, f64)| {
            parts().map(|part| part.amounts.of(*metric)).sum::<f64>() / most - 1.0
        };
        Design {
            us: parts().map(|part| part.us).sum(),
            excesses: self.limits.amounts.iter().map(excess).collect(),
            totals,
            genotype,
            genes,
        }
    }
}
