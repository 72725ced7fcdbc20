//! What changed from one architecture to another, block by block and in words.

use serde::Serialize;

use super::{Entry, LayerRow};

/// The blocks of two architectures side by side; a block that one lacks is absent there.
#[derive(Clone, Debug)]
pub struct BlockPair<'e> {
    /// The block's name: `stem`, `s2.b1`, `head`.
    pub name: String,
    /// In the first architecture.
    pub before: Option<BlockCost<'e>>,
    /// In the second.
    pub after: Option<BlockCost<'e>>,
}

/// One block with its share of the latency.
#[derive(Clone, Debug)]
pub struct BlockCost<'e> {
    /// The block in a report's words, without its name; empty where there are none.
    pub text: &'e str,
    /// Its layers.
    pub layers: Vec<&'e LayerRow>,
}

impl BlockCost<'_> {
    /// The latency of all its layers.
    #[must_use]
    pub fn latency_ms(&self) -> f64 {
        self.layers.iter().map(|layer| layer.latency_ms).sum()
    }
}

/// One block that is not what it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The block's name.
    pub block: String,
    /// What it was; absent if the block is new.
    pub before: Option<String>,
    /// What it is; absent if the block is gone.
    pub after: Option<String>,
    /// By how much its latency changed.
    pub latency_ms: f64,
}

impl Change {
    /// What happened to the block: `IBN k3 → fused IBN k5`.
    #[must_use]
    pub fn words(&self) -> String {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("{before} → {after}"),
            (Some(before), None) => format!("{before} removed"),
            (None, Some(after)) => format!("{after} added"),
            (None, None) => String::new(),
        }
    }
}

/// The blocks of both, in network order.
#[must_use]
pub fn aligned<'e>(before: &'e Entry, after: &'e Entry) -> Vec<BlockPair<'e>> {
    let mut pairs: Vec<BlockPair<'e>> = blocks(before)
        .into_iter()
        .map(|(name, cost)| BlockPair { name, before: Some(cost), after: None })
        .collect();
    let mut place = 0;
    for (name, cost) in blocks(after) {
        match pairs.iter().position(|pair| pair.name == name) {
            Some(index) => {
                pairs[index].after = Some(cost);
                place = index + 1;
            }
            None => {
                pairs.insert(place, BlockPair { name, before: None, after: Some(cost) });
                place += 1;
            }
        }
    }
    pairs
}

/// The blocks of `entry`: what its lines say, and what its layers cost.
fn blocks(entry: &Entry) -> Vec<(String, BlockCost<'_>)> {
    let mut blocks: Vec<(String, BlockCost<'_>)> = Vec::new();
    for line in &entry.blocks {
        let (name, text) = line.split_once(' ').unwrap_or((line, ""));
        blocks.push((name.to_owned(), BlockCost { text, layers: Vec::new() }));
    }
    for layer in &entry.layers {
        let name = block_of(&layer.name);
        match blocks.iter_mut().find(|(known, _)| known == name) {
            Some((_, cost)) => cost.layers.push(layer),
            None => blocks.push((name.to_owned(), BlockCost { text: "", layers: vec![layer] })),
        }
    }
    blocks
}

/// `s2.b1` of `s2.b1.expand`, `head` of `head.level1.box`, else the whole name.
fn block_of(layer: &str) -> &str {
    let mut dots = layer.match_indices('.').map(|(index, _)| index);
    let (first, second) = (dots.next(), dots.next());
    let numbered = |text: &str, letter: char| {
        text.strip_prefix(letter)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    match (first, second) {
        (Some(first), Some(second))
            if numbered(&layer[..first], 's') && numbered(&layer[first + 1..second], 'b') =>
        {
            &layer[..second]
        }
        (Some(first), _) if &layer[..first] == "head" => "head",
        _ => layer,
    }
}

/// Every block whose own description changed.
#[must_use]
pub fn changes(before: &Entry, after: &Entry) -> Vec<Change> {
    aligned(before, after).iter().filter_map(change).collect()
}

fn change(pair: &BlockPair<'_>) -> Option<Change> {
    let (text, cost) = (
        |block: &Option<BlockCost<'_>>| block.as_ref().map(|block| block.text.to_owned()),
        |block: &Option<BlockCost<'_>>| block.as_ref().map_or(0.0, BlockCost::latency_ms),
    );
    let (before, after) = (text(&pair.before), text(&pair.after));
    if before == after {
        return None;
    }
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => {
            let (before, after) = differing(&before, &after);
            (Some(before), Some(after))
        }
        (before, after) => (before.map(|text| whole(&text)), after.map(|text| whole(&text))),
    };
    let latency_ms = super::entry::rounded(cost(&pair.after) - cost(&pair.before));
    Some(Change { block: pair.name.clone(), before, after, latency_ms })
}

/// The family of both and those details that differ.
fn differing(before: &str, after: &str) -> (String, String) {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (before.split_whitespace().collect(), after.split_whitespace().collect());
    let kept = |words: &[&str], others: &[&str]| {
        let details: Vec<&str> =
            words.iter().skip(1).filter(|word| !others.contains(word)).copied().collect();
        let family = words.first().copied().unwrap_or_default();
        in_words(&[&[family], &details[..]].concat().join(" "))
    };
    (kept(&old, &new), kept(&new, &old))
}

/// A block by its family and numbers.
fn whole(text: &str) -> String {
    let is_number = |word: &str| word.chars().skip(1).all(|c| c.is_ascii_digit());
    let words: Vec<&str> = text.split_whitespace().collect();
    let (family, details) = words.split_at(words.len().min(1));
    let numbers: Vec<&str> = details.iter().filter(|word| is_number(word)).copied().collect();
    in_words(&[family, &numbers].concat().join(" "))
}

/// The family by its name, the rest as it stands.
fn in_words(text: &str) -> String {
    let (family, details) = text.split_once(' ').unwrap_or((text, ""));
    let family = match family {
        "ibn" => "IBN",
        "fused-ibn" => "fused IBN",
        "ds" => "depthwise-separable",
        "fused-ds" => "fused depthwise-separable",
        "conv" => "convolution",
        "basic" => "basic block",
        other => other,
    };
    format!("{family} {details}").trim_end().to_owned()
}

/// By how much the latency of blocks changed that are what they were, but have other neighbours.
#[must_use]
pub fn unexplained_ms(before: &Entry, after: &Entry) -> f64 {
    let explained: f64 = changes(before, after).iter().map(|change| change.latency_ms).sum();
    super::entry::rounded(after.latency_ms - before.latency_ms - explained)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_belongs_to_its_block() {
        let names = ["stem", "s2.b1.expand", "s12.b3.se.pool", "head.level1.box", "features.0", "s.b.x"];
        assert_eq!(names.map(block_of), ["stem", "s2.b1", "s12.b3", "head", "features.0", "s.b.x"],);
    }

    #[test]
    fn only_what_differs_is_said() {
        let (before, after) = differing("ibn k3 s2 x96 c24 relu6", "fused-ibn k3 s2 x64 c24 relu6");
        assert_eq!((before.as_str(), after.as_str()), ("IBN x96", "fused IBN x64"));
    }
}
