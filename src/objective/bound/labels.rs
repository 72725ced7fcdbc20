//! The best ways from a point to the end.

/// Fadings that share so many leading bits of their binary form are taken for one: they differ by 0.05 % at the most.
const SAME_BITS: u32 = f64::MANTISSA_DIGITS - 1 - 11;
/// Fadings below 2^-8 are all taken for one.
const FADINGS: usize = 8 << 11;

/// A way from a point to the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Label {
    pub(super) cost: f64,
    /// What passes through the point, and what is left there of the gradient.
    pub(super) share: f64,
    pub(super) fade: f64,
    /// The flows of the head that it ends with.
    pub(super) flows: u32,
    pub(super) by: By,
}

/// How a label goes on.
#[derive(Clone, Copy, Debug)]
pub(super) enum By {
    /// With this step, and from there as this label.
    Step(u32, u32),
    /// As this label of the point where the next stage begins.
    End(u32),
    /// With this head.
    Head(u32),
}

/// Finds the best labels of one point after another: of those that fade almost alike one is kept, with the best of both,
/// which makes the least cost smaller than it is and never larger.
pub(super) struct Labels {
    /// For each kind of flow and fading, the place of its label plus one; zero if there is none.
    places: Vec<u32>,
    found: Vec<(u32, Label)>,
}

impl Labels {
    /// For so many kinds of flows.
    pub(super) fn new(flows: usize) -> Self {
        Self { places: vec![0; flows * FADINGS], found: Vec::new() }
    }

    pub(super) fn add(&mut self, label: Label) {
        let bits = |fade: f64| fade.to_bits() >> SAME_BITS;
        let fading = bits(1.0).saturating_sub(bits(label.fade)).min(FADINGS as u64 - 1) as u32;
        let slot = label.flows * FADINGS as u32 + fading;
        let place = &mut self.places[slot as usize];
        if *place == 0 {
            self.found.push((slot, label));
            *place = self.found.len() as u32;
            return;
        }
        let known = &mut self.found[*place as usize - 1].1;
        let fade = known.fade.max(label.fade);
        if label.cost < known.cost {
            *known = label;
        }
        known.fade = fade;
    }

    /// The labels that no other one is both better and less faded than, the least faded of each kind of flow first.
    pub(super) fn take(&mut self) -> Vec<Label> {
        self.found.sort_unstable_by_key(|(slot, _)| *slot);
        let mut kept: Vec<Label> = Vec::new();
        for (slot, label) in self.found.drain(..) {
            self.places[slot as usize] = 0;
            let known = kept.last().filter(|last| last.flows == label.flows);
            if known.is_none_or(|last| label.cost < last.cost) {
                kept.push(label);
            }
        }
        kept
    }
}
