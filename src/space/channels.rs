//! Channel counts: snapping to the accelerator's parallelism factor, and curation.
//!
//! An accelerator with N lanes computes N channels as fast as one; widths
//! between multiples of N cost the time of the next multiple and give less
//! expressivity, so they are not worth searching.

/// Squeeze-and-excite widths are multiples of this (Howard et al. 2019, MobileNetV3).
const SE_DIVISOR: u32 = 8;

/// `channels * ratio` as the nearest multiple of `factor`, never more than 10 % below it.
///
/// The rule of MobileNet's width multipliers (Howard et al. 2017); a tie goes up.
pub(super) fn snap(channels: f64, factor: u32) -> u32 {
    let multiple = (channels / f64::from(factor) + 0.5).floor().max(1.0) * f64::from(factor);
    let snapped = if multiple < 0.9 * channels { multiple + f64::from(factor) } else { multiple };
    snapped as u32
}

/// `channels` scaled by a depth multiplier; a multiplier of one leaves them as they were written.
pub(super) fn scale(channels: u32, multiplier: f64, factor: u32) -> u32 {
    if multiplier == 1.0 { channels } else { snap(f64::from(channels) * multiplier, factor) }
}

/// Hidden channels of an IBN block; an expansion of 100 % keeps the input's.
pub(super) fn expand(cin: u32, expansion_percent: u32, factor: u32) -> u32 {
    if expansion_percent == 100 {
        return cin;
    }
    let exact = u64::from(cin) * u64::from(expansion_percent);
    match exact % (100 * u64::from(factor)) {
        0 => (exact / 100) as u32,
        _ => snap(exact as f64 / 100.0, factor),
    }
}

/// The squeeze-and-excite bottleneck of `hidden` channels at `percent` of them.
pub(super) fn squeeze(hidden: u32, percent: u32) -> u32 {
    snap(f64::from(hidden) * f64::from(percent) / 100.0, SE_DIVISOR)
}

/// The squeeze-and-excite bottleneck of a block that reads `input` channels, at `percent` of them.
pub(super) fn share(input: u32, percent: u32) -> u32 {
    snap(f64::from(input) * f64::from(percent) / 100.0, 1)
}

/// `around`, and the multiples of `factor` from `low * around` to `high * around`, at most `count` in
/// all: evenly spread over either side, with the ends of the range.
pub(super) fn curate(around: u32, low: f64, high: f64, count: usize, factor: u32) -> Vec<u32> {
    let first = (f64::from(around) * low / f64::from(factor)).ceil().max(1.0) as u32;
    let last = (f64::from(around) * high / f64::from(factor)).floor().max(0.0) as u32;
    let multiples = || (first..=last).map(|multiple| multiple * factor);
    let below: Vec<u32> = multiples().rev().filter(|channels| *channels < around).collect();
    let above: Vec<u32> = multiples().filter(|channels| *channels > around).collect();
    let others = count.saturating_sub(1);
    let (both, share) = (below.len() + above.len(), others * below.len());
    let down = (share + both / 2).checked_div(both).unwrap_or(0);
    let mut chosen = thin(&below, down);
    chosen.reverse();
    chosen.push(around);
    chosen.extend(thin(&above, others - down));
    chosen
}

/// At most `count` of `values`, evenly spread up to the last.
fn thin(values: &[u32], count: usize) -> Vec<u32> {
    if values.len() <= count {
        return values.to_vec();
    }
    (1..=count).map(|step| values[(step * values.len()).div_ceil(count) - 1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_channels_follow_mobilenets_rule() {
        assert_eq!(scale(24, 0.35, 8), 8, "8.4 goes to 8");
        assert_eq!(scale(32, 0.35, 8), 16, "8 would be more than 10 % below 11.2");
        assert_eq!(scale(24, 1.0, 16), 24, "a multiplier of one changes nothing");
        assert_eq!(scale(3, 0.1, 16), 16, "never less than one multiple");
    }

    #[test]
    fn expansion_is_exact_where_it_can_be_and_snapped_where_not() {
        assert_eq!(expand(24, 600, 16), 144);
        assert_eq!(expand(24, 367, 8), 88, "MobileNetV3-small's third block");
        assert_eq!(expand(17, 100, 16), 17);
    }

    #[test]
    fn squeeze_and_excite_widths_are_mobilenet_v3s() {
        let published = [(16, 8), (96, 24), (240, 64), (120, 32), (144, 40), (288, 72), (576, 144)];
        for (hidden, reduced) in published {
            assert_eq!(squeeze(hidden, 25), reduced, "{hidden}");
        }
    }

    #[test]
    fn curation_keeps_few_multiples_and_the_value_itself() {
        assert_eq!(curate(64, 0.5, 1.5, 5, 16), [32, 48, 64, 80, 96]);
        assert_eq!(curate(24, 0.5, 1.5, 5, 16), [16, 24, 32]);
        assert_eq!(curate(40, 0.6, 1.6, 5, 8), [24, 32, 40, 56, 64]);
        assert_eq!(curate(160, 0.5, 1.5, 5, 8), [80, 120, 160, 200, 240]);
        assert_eq!(curate(4, 1.0, 1.0, 5, 16), [4], "nothing in range but the value itself");
        assert_eq!(curate(64, 0.5, 1.5, 1, 16), [64]);
    }
}
