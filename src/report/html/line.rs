//! Lines of many points in few bytes.

/// A line through `places` of at most `most` corners, with those that are off it the most; in steps of a tenth.
pub(super) fn path(places: &[(f64, f64)], most: usize) -> String {
    let mut off = 0.1;
    let mut kept = corners(places, off);
    while kept.len() > most.max(2) {
        off *= 1.5;
        kept = corners(places, off);
    }
    let mut from = (0, 0);
    let mut text = String::new();
    for (index, (x, y)) in kept.into_iter().enumerate() {
        let to = ((x * 10.0).round() as i64, (y * 10.0).round() as i64);
        text += ["M", "l"].get(index).copied().unwrap_or(" ");
        text += &format!("{} {}", tenths(to.0 - from.0), tenths(to.1 - from.1));
        from = to;
    }
    text
}

/// `places` without those that lie within `off` pixels of the line through the others.
fn corners(places: &[(f64, f64)], off: f64) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    let mut skipped: Vec<(f64, f64)> = Vec::new();
    for &(x, y) in places {
        let straight = kept.last().is_some_and(|&(x0, y0)| {
            skipped.iter().all(|(sx, sy)| (y0 + (y - y0) * (sx - x0) / (x - x0) - sy).abs() <= off)
        });
        if !straight {
            kept.extend(skipped.last());
            skipped.clear();
        }
        match kept.is_empty() {
            true => kept.push((x, y)),
            false => skipped.push((x, y)),
        }
    }
    kept.extend(skipped.last());
    kept
}

/// So many tenths as a number, as short as it can be.
fn tenths(count: i64) -> String {
    let sign = if count < 0 { "-" } else { "" };
    match (count.unsigned_abs() / 10, count.unsigned_abs() % 10) {
        (whole, 0) => format!("{sign}{whole}"),
        (0, tenths) => format!("{sign}.{tenths}"),
        (whole, tenths) => format!("{sign}{whole}.{tenths}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_corners_only() {
        let stairs = [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (3.0, 5.5), (4.0, 5.5), (5.0, 5.5)];
        assert_eq!(path(&stairs, 9), "M0 1l2 0 1 4.5 2 0");
        assert_eq!(path(&[(0.0, 0.0), (1.0, 2.0), (2.0, 4.0)], 9), "M0 0l2 4");
        assert_eq!(path(&[], 9), "");
    }

    #[test]
    fn a_line_with_too_many_corners_loses_the_slightest() {
        let dent = [(0.0, 0.5), (1.0, 0.75), (2.0, 0.25)];
        assert_eq!((path(&dent, 9).as_str(), path(&dent, 2).as_str()), ("M0 .5l1 .3 1 -.5", "M0 .5l2 -.2"));
    }
}
