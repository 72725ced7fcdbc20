//! The volume that a set of points dominates, up to a reference point.
//!
//! Exact: a sweep in two dimensions (`n log n`), a sweep over a staircase in three (Fonseca, Paquete and
//! Lopez-Ibanez, "An improved dimension-sweep algorithm for the hypervolume indicator", CEC 2006), and in
//! four dimensions slices of three (While et al., "A faster algorithm for calculating hypervolume", IEEE
//! TEC 10(1), 2006), which is meant for fronts of up to some thousand points.

use std::cmp::Ordering;

use crate::search::evaluation::Objectives;

/// The hypervolume of `points` up to `reference`; points not better than it in every objective count nothing.
#[must_use]
pub fn hypervolume(points: &[Objectives], reference: &Objectives) -> f64 {
    let inside = |point: &&Objectives| point.iter().zip(reference.iter()).all(|(value, limit)| value < limit);
    let mut inside: Vec<Objectives> = points.iter().filter(inside).copied().collect();
    match reference.len() {
        0 => 0.0,
        1 => inside.iter().map(|point| reference[0] - point[0]).fold(0.0, f64::max),
        2 => area(&mut inside, reference),
        _ => slices(&mut inside, reference),
    }
}

fn area(points: &mut [Objectives], reference: &[f64]) -> f64 {
    points.sort_unstable_by(Objectives::lexicographic);
    let mut floor = reference[1];
    let mut area = 0.0;
    for point in points.iter().filter(|point| point[1] < reference[1]) {
        if point[1] < floor {
            area += (reference[0] - point[0]) * (floor - point[1]);
            floor = point[1];
        }
    }
    area
}

/// Slices along the last objective: between two values of it the cross-section stays the same.
fn slices(points: &mut [Objectives], reference: &Objectives) -> f64 {
    let last = reference.len() - 1;
    points.sort_by(|a, b| by_last(a, b, last));
    let mut staircase = Staircase { reference: [reference[0], reference[1]], steps: Vec::new(), area: 0.0 };
    let mut below: Vec<Objectives> = Vec::new();
    let base = Objectives::from(&reference[..last]);
    let mut volume = 0.0;
    for (index, point) in points.iter().enumerate() {
        let top = points.get(index + 1).map_or(reference[last], |next| next[last]);
        let section = if last == 2 {
            staircase.add(point[0], point[1]);
            staircase.area
        } else {
            below.push(Objectives::from(&point[..last]));
            if top > point[last] { hypervolume(&below, &base) } else { 0.0 }
        };
        volume += section * (top - point[last]);
    }
    volume
}

fn by_last(a: &Objectives, b: &Objectives, last: usize) -> Ordering {
    a[last].total_cmp(&b[last]).then_with(|| a.lexicographic(b))
}

/// The area dominated by points that come one by one: ascending in x, descending in y.
struct Staircase {
    reference: [f64; 2],
    steps: Vec<(f64, f64)>,
    area: f64,
}

impl Staircase {
    fn add(&mut self, x: f64, y: f64) {
        let start = self.steps.partition_point(|step| step.0 < x);
        let ceiling = if start == 0 { self.reference[1] } else { self.steps[start - 1].1 };
        let covered = self.steps.get(start).is_some_and(|step| step.0 == x && step.1 <= y);
        if ceiling <= y || covered {
            return;
        }
        let end = start + self.steps[start..].partition_point(|step| step.1 >= y);
        self.area += self.gain(x, y, ceiling, start..end);
        self.steps.splice(start..end, [(x, y)]);
    }

    /// What the new step adds: its rectangle up to the next step that stays, less what lay under the old ones.
    fn gain(&self, x: f64, y: f64, ceiling: f64, replaced: std::ops::Range<usize>) -> f64 {
        let mut gain = 0.0;
        let (mut left, mut top) = (x, ceiling);
        for &(step_x, step_y) in &self.steps[replaced.clone()] {
            gain += (step_x - left) * (top - y);
            (left, top) = (step_x, step_y);
        }
        let right = self.steps.get(replaced.end).map_or(self.reference[0], |step| step.0);
        gain + (right - left) * (top - y)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Counts the unit cells that some point dominates; exact on whole coordinates.
    fn count_cells(points: &[Vec<u8>], reference: u8, dimensions: u32) -> f64 {
        let cells = u32::from(reference).pow(dimensions);
        let dominated = |&cell: &u32| {
            let corner: Vec<u8> = (0..dimensions)
                .map(|d| (cell / u32::from(reference).pow(d) % u32::from(reference)) as u8)
                .collect();
            points.iter().any(|point| point.iter().zip(&corner).all(|(value, low)| value <= low))
        };
        f64::from((0..cells).filter(dominated).count() as u32)
    }

    fn points(dimensions: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(0..7_u8, dimensions), 0..20)
    }

    proptest! {
        #[test]
        fn the_volume_equals_the_count_of_dominated_cells(points in (1..=4_usize).prop_flat_map(points)) {
            let dimensions = points.first().map_or(2, Vec::len);
            let exact: Vec<Objectives> = points
                .iter()
                .map(|point| Objectives::from(&point.iter().copied().map(f64::from).collect::<Vec<f64>>()[..]))
                .collect();
            let reference = Objectives::splat(5.0, dimensions);
            prop_assert_eq!(hypervolume(&exact, &reference), count_cells(&points, 5, dimensions as u32));
        }
    }

    #[test]
    fn a_point_at_the_reference_adds_nothing() {
        let reference = Objectives::from([1.0, 1.0]);
        assert_eq!(hypervolume(&[Objectives::from([1.0, 0.0])], &reference), 0.0);
        assert_eq!(hypervolume(&[], &reference), 0.0);
    }
}
