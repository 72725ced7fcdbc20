//! The layers that a row of a profile speaks of, by its name.
//!
//! Tools rename what they run: they put scopes before a layer's name (`model/conv`), operators and
//! tensors after it (`/conv/Conv_output_0`, `conv_nchwc_kernel_time`), write `/` for `.`, and join the names
//! of what they fuse with ` + `, `;` or `||`. A layer is found where all parts of its name stand one after
//! another, with nothing but scopes before and nothing but decoration after them; the longest such name
//! counts, and two of the same length are refused.

use std::collections::HashMap;

use crate::network::Network;

/// What tools hang onto names with `_`, `.` or `-`.
const DECORATION: [&str; 36] = [
    "kernel",
    "time",
    "nchwc",
    "nhwc",
    "output",
    "input",
    "intermediate",
    "raw",
    "token",
    "quant",
    "quantized",
    "quantize",
    "dequantize",
    "dequantized",
    "bias",
    "biasadd",
    "weight",
    "weights",
    "fused",
    "relu",
    "relu6",
    "clip",
    "act",
    "activation",
    "hard",
    "swish",
    "hardswish",
    "hswish",
    "sigmoid",
    "bn",
    "batchnorm",
    "opid",
    "cycles",
    "reformatter",
    "copy",
    "cast",
];

/// The layers of a network, to be found by what tools make of their names.
pub(super) struct Names<'n> {
    network: &'n Network,
    /// Layers by the parts of their names.
    places: HashMap<String, Vec<usize>>,
}

/// A layer that was found in a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) layer: usize,
    /// The scopes before the layer's name.
    pub(super) scope: String,
}

/// What was found in one name of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// No layer.
    None,
    /// One layer.
    One(Found),
    /// Several that fit equally well.
    Ambiguous(usize, usize),
}

impl<'n> Names<'n> {
    pub(super) fn of(network: &'n Network) -> Self {
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, layer) in network.layers().iter().enumerate() {
            places.entry(key(&parts(&layer.name))).or_default().push(index);
        }
        Self { network, places }
    }

    /// The layer that one name means.
    pub(super) fn find(&self, name: &str) -> Match {
        let parts = parts(name);
        (1..=parts.len().min(LONGEST))
            .rev()
            .map(|length| self.find_of(name, &parts, length))
            .find(|found| *found != Match::None)
            .unwrap_or(Match::None)
    }

    /// The layer whose name has `length` parts.
    fn find_of(&self, name: &str, parts: &[Part<'_>], length: usize) -> Match {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for start in 0..=parts.len() - length {
            let layers = self.places.get(&key(&parts[start..start + length]));
            for layer in layers.into_iter().flatten().filter(|_| framed(parts, start, start + length)) {
                if found.iter().all(|(known, _)| known != layer) {
                    found.push((*layer, start));
                }
            }
        }
        let one = |(layer, start): (usize, usize)| Match::One(Found { layer, scope: scope(parts, start) });
        match found[..] {
            [] => Match::None,
            [only] => one(only),
            [first, second, ..] => {
                let exact = |(layer, _): &&(usize, usize)| self.network.layers()[*layer].name == name;
                found.iter().find(exact).map_or(Match::Ambiguous(first.0, second.0), |found| one(*found))
            }
        }
    }
}

/// No layer's name has more parts than this.
const LONGEST: usize = 64;

/// A word of a name and the character before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part<'n> {
    text: &'n str,
    before: char,
}

/// The words of a name. Of several separators in a row the one that separates most is kept.
fn parts(name: &str) -> Vec<Part<'_>> {
    let strength = |c: char| "-_.:/ ".find(c);
    let mut parts = Vec::new();
    let (mut before, mut start) = (None, None);
    for (at, c) in name.char_indices().chain([(name.len(), '/')]) {
        match (strength(c), start) {
            (Some(_), Some(from)) => {
                parts.push(Part { text: &name[from..at], before: before.unwrap_or('/') });
                (before, start) = (Some(c), None);
            }
            (Some(_), None) => before = before.max_by_strength(c, strength),
            (None, None) => start = Some(at),
            (None, Some(_)) => {}
        }
    }
    parts
}

/// The stronger of two separators.
trait MaxByStrength {
    fn max_by_strength(self, other: char, strength: impl Fn(char) -> Option<usize>) -> Self;
}

impl MaxByStrength for Option<char> {
    fn max_by_strength(self, other: char, strength: impl Fn(char) -> Option<usize>) -> Self {
        let stronger = self.filter(|known| strength(*known) >= strength(other));
        stronger.or(Some(other))
    }
}

fn key(parts: &[Part<'_>]) -> String {
    let words: Vec<&str> = parts.iter().map(|part| part.text).collect();
    words.join("\u{1}")
}

/// Whether what stands around the words from `start` to `end` leaves them a name of their own.
fn framed(parts: &[Part<'_>], start: usize, end: usize) -> bool {
    let scoped = start == 0 || "/:. ".contains(parts[start].before);
    scoped && decorated(&parts[end..])
}

/// Whether these words after a layer's name belong to the layer: what is below it, or decoration.
fn decorated(rest: &[Part<'_>]) -> bool {
    let Some((first, more)) = rest.split_first() else { return true };
    let number = first.text.bytes().all(|byte| byte.is_ascii_digit());
    match first.before {
        ':' | ' ' => true,
        // `block/1` is not below a layer called `block`: layers have no numbered layers in them.
        '/' => !number,
        _ => DECORATION.contains(&first.text.to_ascii_lowercase().as_str()) && below_decoration(more),
    }
}

/// After decoration there may be numbers, more decoration, and anything below.
fn below_decoration(rest: &[Part<'_>]) -> bool {
    let Some((first, more)) = rest.split_first() else { return true };
    let number = first.text.bytes().all(|byte| byte.is_ascii_digit());
    match first.before {
        '/' | ':' | ' ' => true,
        _ if number => below_decoration(more),
        _ => decorated(rest),
    }
}

/// The scopes before the word at `start`, back to the last blank.
fn scope(parts: &[Part<'_>], start: usize) -> String {
    let blank = (0..=start).rev().find(|at| parts[*at].before == ' ').unwrap_or(0);
    parts[blank..start].iter().map(|part| part.text).collect::<Vec<_>>().join("/")
}

/// The names that a row's name joins, in order; brackets and words of the tool are taken away.
pub(super) fn split(name: &str) -> Vec<&str> {
    let joined = |c: char| ";[](){}".contains(c);
    let pieces = name.split(joined).flat_map(|piece| piece.split(" + ")).flat_map(|piece| piece.split("||"));
    let pieces =
        pieces.flat_map(|piece| piece.split("...")).flat_map(|piece| piece.split(", ")).map(str::trim);
    pieces.filter(|piece| piece.chars().any(char::is_alphabetic)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, DType, NetworkBuilder, Shape, Source, ops::Conv2d};

    fn network(names: &[&str]) -> Network {
        let mut b = NetworkBuilder::new("n", Shape::new(8, 8, 4), DType::Int8);
        for name in names {
            b.add(*name, Conv2d::square(4, 3, 1), &[Source::Input], Activation::None).unwrap();
        }
        b.finish()
    }

    fn found(names: &[&str], name: &str) -> Option<String> {
        let network = network(names);
        match Names::of(&network).find(name) {
            Match::One(found) => Some(network.layers()[found.layer].name.clone()),
            Match::None => None,
            Match::Ambiguous(a, b) => {
                Some(format!("{} or {}", network.layers()[a].name, network.layers()[b].name))
            }
        }
    }

    #[test]
    fn what_tools_add_is_seen_through() {
        let layers = ["stem", "s1.b1.expand", "s1.b1.se.expand", "conv"];
        for (name, layer) in [
            ("stem", "stem"),
            ("/stem/Conv_kernel_time", "stem"),
            ("/stem/act/Clip_output_0_nchwc_kernel_time", "stem"),
            ("/s1/b1/expand/Conv", "s1.b1.expand"),
            ("s1.b1.se.expand/act.add", "s1.b1.se.expand"),
            ("s1.b1.expand/raw", "s1.b1.expand"),
            ("stem_intermediate", "stem"),
            ("StatefulPartitionedCall/model/conv/BiasAdd", "conv"),
            ("model/conv_bn/FusedBatchNormV3", "conv"),
            ("conv:0", "conv"),
            ("Reformatting CopyNode for Input Tensor 0 to /conv/Conv", "conv"),
            ("conv input reformatter 0", "conv"),
            ("/conv/Conv_token_1_2:OpId_7 (cycles)", "conv"),
            ("backbone.conv", "conv"),
            ("model/s1_b1_expand/Conv2D", "s1.b1.expand"),
        ] {
            assert_eq!(found(&layers, name).as_deref(), Some(layer), "{name}");
        }
    }

    #[test]
    fn another_layer_is_not_taken_for_a_decorated_one() {
        for name in ["conv_2", "conv.2/Relu", "conv/2/Conv", "my_conv", "convolution", "conv_add", ""] {
            assert_eq!(found(&["conv"], name), None, "{name}");
        }
    }

    #[test]
    fn the_longest_name_counts_and_equal_ones_are_refused() {
        assert_eq!(found(&["conv", "conv_1"], "conv_1/Relu6").as_deref(), Some("conv_1"));
        assert_eq!(found(&["b1.conv", "conv"], "model/b1/conv/Conv").as_deref(), Some("b1.conv"));
        assert_eq!(found(&["a.b", "a_b"], "x/a/b").as_deref(), Some("a.b or a_b"));
        assert_eq!(found(&["a.b", "a_b"], "a_b").as_deref(), Some("a_b"), "the very name");
        assert_eq!(found(&["add", "conv"], "conv/add").as_deref(), Some("conv or add"));
    }

    #[test]
    fn joined_names_are_taken_apart() {
        assert_eq!(split("conv1 + PWN(relu1)"), ["conv1", "PWN", "relu1"]);
        assert_eq!(split("[a/Relu6;a/BiasAdd;b/Conv2D1]:0"), ["a/Relu6", "a/BiasAdd", "b/Conv2D1"]);
        assert_eq!(split("x/1x1 + x/relu || y/3x3"), ["x/1x1", "x/relu", "y/3x3"]);
    }
}
