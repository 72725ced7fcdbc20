//! Architectures as text: one line for the input, the stem, each block and the head.
//!
//! ```text
//! input 224x224x3 int8
//! stem conv k3 s2 c32 relu6
//! s1.b1 ibn k3 s1 x32 c16 relu6
//! s2.b1 fused-ibn k3 s2 x96 c24 relu6 se24:hard_sigmoid
//! head classifier features=1280 classes=1000 activation=relu6
//! ```
//! `k` is the kernel, `g` the groups, `s` the stride, `x` the hidden and `c` the output channels; a stem may end in `pool2`, a
//! 3x3 max pool of stride 2.

use std::{collections::HashMap, str::FromStr};

use super::{Architecture, BlockName, Classifier, Detector, Head, Segmenter, Stem};
use crate::{
    error::{Error, Result, one_of},
    network::{Activation, Block, BlockKind, DType, Shape, SqueezeExcite},
};

const FAMILIES: [(&str, BlockKind, bool); 7] = [
    ("conv", BlockKind::Conv, false),
    ("ds", BlockKind::DepthwiseSeparable, false),
    ("fused-ds", BlockKind::DepthwiseSeparable, true),
    ("ibn", BlockKind::Ibn, false),
    ("fused-ibn", BlockKind::Ibn, true),
    ("basic", BlockKind::Basic, false),
    ("bottleneck", BlockKind::Bottleneck, false),
];

impl Architecture {
    /// The architecture, one line a block.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let stem = &self.stem;
        let pool = if stem.pool > 1 { format!(" pool{}", stem.pool) } else { String::new() };
        let mut lines = vec![
            format!("input {} {}", self.input, self.dtype),
            format!("stem conv k{} s{} c{} {}{pool}", stem.kernel, stem.stride, stem.cout, stem.activation),
        ];
        for (stage, blocks) in self.stages.iter().enumerate() {
            let named =
                |(position, block)| format!("{} {}", BlockName { stage, position }, block_text(block));
            lines.extend(blocks.iter().enumerate().map(named));
        }
        lines.push(format!("head {}", head_text(&self.head)));
        lines
    }

    /// Reads what [`Architecture::lines`] wrote.
    ///
    /// # Errors
    /// A line is not in that form; it is named and what was expected is said.
    pub fn parse<S: AsRef<str>>(lines: &[S]) -> Result<Self> {
        let lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
        let [input, stem, blocks @ .., head] = lines.as_slice() else {
            return Err(Error::unusable("an architecture needs at least the lines input, stem and head"));
        };
        let (input, dtype) = parsed(input, parse_input)?;
        let stem = parsed(stem, parse_stem)?;
        let mut stages: Vec<Vec<Block>> = Vec::new();
        for line in blocks {
            let (stage, block) = parsed(line, |words| parse_block(words, &stages))?;
            stages.resize_with(stages.len().max(stage + 1), Vec::new);
            stages[stage].push(block);
        }
        Ok(Self { input, dtype, stem, stages, head: parsed(head, parse_head)? })
    }
}

fn block_text(block: &Block) -> String {
    let family = FAMILIES.iter().find(|(_, kind, fused)| (*kind, *fused) == (block.kind, block.fused));
    let family = family.map_or("conv", |(name, ..)| name);
    let hidden = if block.kind.has_hidden() { format!(" x{}", block.hidden) } else { String::new() };
    let groups = if block.groups > 1 { format!(" g{}", block.groups) } else { String::new() };
    let se = block.se.map_or(String::new(), |se| format!(" {se}"));
    format!(
        "{family} k{} s{}{hidden} c{} {}{groups}{se}",
        block.kernel, block.stride, block.cout, block.activation
    )
}

fn head_text(head: &Head) -> String {
    let optional = |key: &str, value: Option<u32>| value.map_or(String::new(), |v| format!(" {key}={v}"));
    let list = |values: &[u32]| values.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    match head {
        Head::Classifier(h) => format!(
            "classifier{}{} classes={} activation={}",
            optional("features", h.features),
            optional("hidden", h.hidden),
            h.classes,
            h.activation
        ),
        Head::Detector(h) => format!(
            "detector taps={}{} extras={} anchors={} classes={} activation={}",
            list(&h.taps),
            optional("features", h.features),
            list(&h.extras),
            list(&h.anchors),
            h.classes,
            h.activation
        ),
        Head::Segmenter(h) => format!(
            "segmenter tap={}{} inner={} classes={} output={}x{} activation={}",
            h.tap,
            optional("features", h.features),
            h.inner,
            h.classes,
            h.output[0],
            h.output[1],
            h.activation
        ),
    }
}

/// Applies `read` to the words of `line`; its complaint is prefixed with the line.
fn parsed<T>(line: &str, read: impl FnOnce(&[&str]) -> Result<T, String>) -> Result<T> {
    let words: Vec<&str> = line.split_whitespace().collect();
    read(&words).map_err(|expected| Error::unusable(format!("block line `{line}`: expected {expected}")))
}

fn parse_input(words: &[&str]) -> Result<(Shape, DType), String> {
    let ["input", shape, dtype] = words else {
        return Err("`input HxWxC DTYPE`".into());
    };
    let sides = sides(shape, "HxWxC")?;
    let [h, w, c] = sides[..] else { return Err("three sides, as in 224x224x3".into()) };
    let dtype = DType::NAMES.iter().find(|(name, _)| name == dtype);
    let (_, dtype) = dtype.ok_or("a data type: int8, fp16 or fp32")?;
    Ok((Shape::new(h, w, c), *dtype))
}

fn sides(text: &str, form: &str) -> Result<Vec<u32>, String> {
    let sides: Result<Vec<u32>, String> = text.split('x').map(number).collect();
    sides.map_err(|_| format!("{form} with numbers from 1 to {}", Shape::MAX_DIM))
}

fn number(text: &str) -> Result<u32, String> {
    let value = u32::from_str(text).ok().filter(|value| (1..=Shape::MAX_DIM).contains(value));
    value.ok_or_else(|| format!("a number from 1 to {} where `{text}` stands", Shape::MAX_DIM))
}

fn activation(text: &str) -> Result<Activation, String> {
    let names = Activation::NAMES.map(|(name, _)| name);
    Activation::from_name(text).ok_or_else(|| format!("an activation, {}", one_of(text, &names)))
}

fn letter(word: &str, letter: &str) -> Result<u32, String> {
    let digits = word.strip_prefix(letter).ok_or_else(|| format!("`{letter}N` where `{word}` stands"))?;
    number(digits)
}

fn parse_stem(words: &[&str]) -> Result<Stem, String> {
    let ["stem", "conv", kernel, stride, cout, nonlinearity, pool @ ..] = words else {
        return Err("`stem conv kN sN cN ACTIVATION [poolN]`".into());
    };
    let pool = match pool {
        [] => 1,
        [pool] => letter(pool, "pool")?,
        [_, more, ..] => return Err(format!("nothing where `{more}` stands")),
    };
    Ok(Stem {
        pool,
        kernel: letter(kernel, "k")?,
        stride: letter(stride, "s")?,
        cout: letter(cout, "c")?,
        activation: activation(nonlinearity)?,
    })
}

fn parse_block(words: &[&str], stages: &[Vec<Block>]) -> Result<(usize, Block), String> {
    const FORM: &str = "`sN.bN FAMILY kN sN [xN] cN ACTIVATION [gN] [seN:GATE[:ACTIVATION]]`";
    let [name, family, rest @ ..] = words else { return Err(FORM.into()) };
    let names = FAMILIES.map(|(name, ..)| name);
    let found = FAMILIES.iter().find(|(known, ..)| known == family);
    let (_, kind, fused) = *found.ok_or_else(|| format!("a family, {}", one_of(family, &names)))?;
    let (hidden, rest) = match (kind.has_hidden(), rest) {
        (true, [k, s, x, rest @ ..]) => (letter(x, "x")?, [&[*k, *s], rest].concat()),
        _ => (0, rest.to_vec()),
    };
    let [kernel, stride, cout, nonlinearity, more @ ..] = &rest[..] else { return Err(FORM.into()) };
    let (groups, more) = match more {
        [groups, more @ ..] if kind == BlockKind::Bottleneck && groups.starts_with('g') => {
            (letter(groups, "g")?, more)
        }
        more => (1, more),
    };
    let se = match more {
        [] => None,
        [se] => Some(parse_se(se)?),
        _ => return Err(FORM.into()),
    };
    let block = Block {
        kind,
        fused,
        kernel: letter(kernel, "k")?,
        stride: letter(stride, "s")?,
        hidden,
        cout: letter(cout, "c")?,
        activation: activation(nonlinearity)?,
        groups,
        se,
    };
    Ok((expect_next(name, stages)?, block))
}

/// The stage of the block called `name`, which must follow the blocks that are there.
fn expect_next(name: &str, stages: &[Vec<Block>]) -> Result<usize, String> {
    let next = BlockName { stage: stages.len(), position: 0 }.to_string();
    let Some(last) = stages.len().checked_sub(1) else {
        return if name == next { Ok(0) } else { Err(format!("the name `{next}`")) };
    };
    let same = BlockName { stage: last, position: stages[last].len() }.to_string();
    match name {
        _ if name == same => Ok(last),
        _ if name == next => Ok(last + 1),
        _ => Err(format!("the name `{same}` or `{next}`")),
    }
}

fn parse_se(word: &str) -> Result<SqueezeExcite, String> {
    let form = || format!("`seN:GATE` where `{word}` stands");
    let (reduced, gate) = word.strip_prefix("se").and_then(|rest| rest.split_once(':')).ok_or_else(form)?;
    let (gate, squeezed) = match gate.split_once(':') {
        Some((gate, squeezed)) => (gate, activation(squeezed)?),
        None => (gate, Activation::Relu),
    };
    Ok(SqueezeExcite { reduced: number(reduced)?, squeezed, gate: activation(gate)? })
}

fn parse_head(words: &[&str]) -> Result<Head, String> {
    let ["head", kind, pairs @ ..] = words else {
        return Err("`head KIND key=value …`".into());
    };
    let mut pairs = Pairs::read(pairs)?;
    let head = match *kind {
        "classifier" => Head::Classifier(Classifier {
            features: pairs.optional("features")?,
            hidden: pairs.optional("hidden")?,
            classes: pairs.number("classes")?,
            activation: activation(pairs.take("activation")?)?,
        }),
        "detector" => Head::Detector(Detector {
            taps: pairs.list("taps")?,
            features: pairs.optional("features")?,
            extras: pairs.list("extras")?,
            anchors: pairs.list("anchors")?,
            classes: pairs.number("classes")?,
            activation: activation(pairs.take("activation")?)?,
        }),
        "segmenter" => Head::Segmenter(Segmenter {
            tap: pairs.number("tap")?,
            features: pairs.optional("features")?,
            inner: pairs.number("inner")?,
            classes: pairs.number("classes")?,
            output: <[u32; 2]>::try_from(sides(pairs.take("output")?, "HxW")?).map_err(|_| "output=HxW")?,
            activation: activation(pairs.take("activation")?)?,
        }),
        other => {
            return Err(format!("a head, {}", one_of(other, &["classifier", "detector", "segmenter"])));
        }
    };
    pairs.finish()?;
    Ok(head)
}

/// The `key=value` words of a head line.
struct Pairs<'w>(HashMap<&'w str, &'w str>);

impl<'w> Pairs<'w> {
    fn read(words: &[&'w str]) -> Result<Self, String> {
        let mut pairs = HashMap::new();
        for word in words {
            let (key, value) =
                word.split_once('=').ok_or_else(|| format!("`key=value` where `{word}` stands"))?;
            if pairs.insert(key, value).is_some() {
                return Err(format!("`{key}` only once"));
            }
        }
        Ok(Self(pairs))
    }

    fn take(&mut self, key: &str) -> Result<&'w str, String> {
        self.0.remove(key).ok_or_else(|| format!("`{key}=…`"))
    }

    fn number(&mut self, key: &str) -> Result<u32, String> {
        number(self.take(key)?)
    }

    fn optional(&mut self, key: &str) -> Result<Option<u32>, String> {
        self.0.remove(key).map(number).transpose()
    }

    fn list(&mut self, key: &str) -> Result<Vec<u32>, String> {
        let text = self.take(key)?;
        text.split(',').filter(|item| !item.is_empty()).map(number).collect()
    }

    fn finish(self) -> Result<(), String> {
        match self.0.keys().min() {
            Some(key) => Err(format!("no `{key}` in this head")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&str; 6] = [
        "input 180x320x3 int8",
        "stem conv k3 s2 c16 hard_swish",
        "s1.b1 ibn k3 s2 x16 c16 relu se8:hard_sigmoid",
        "s1.b2 fused-ibn k5 s1 x72 c16 relu",
        "s2.b1 fused-ds k3 s2 c24 relu6",
        "head segmenter tap=1 features=576 inner=128 classes=21 output=180x320 activation=hard_swish",
    ];

    #[test]
    fn lines_read_back_as_they_were_written() {
        let architecture = Architecture::parse(&LINES).unwrap();
        assert_eq!(architecture.lines(), LINES);
        assert!(architecture.network("n").is_ok());
    }

    #[test]
    fn a_pooled_stem_and_residual_blocks_read_back() {
        let mut lines = LINES;
        lines[1] = "stem conv k7 s2 c64 relu pool2";
        lines[2] = "s1.b1 basic k3 s1 x64 c64 relu";
        lines[3] = "s1.b2 bottleneck k3 s1 x64 c256 relu g4 se16:sigmoid";
        lines[4] = "s2.b1 ds k3 s2 c24 swish se8:sigmoid:swish";
        let architecture = Architecture::parse(&lines).unwrap();
        assert_eq!(architecture.lines(), lines);
        assert_eq!(architecture.network("n").unwrap().block_counts(), "1 ds, 1 bottleneck, 1 basic");
        lines[1] = "stem conv k7 s2 c64 relu pool2 pool2";
        assert!(Architecture::parse(&lines).unwrap_err().to_string().contains("nothing where `pool2`"));
    }

    #[test]
    fn every_head_reads_back() {
        for head in [
            "head classifier features=1280 classes=1000 activation=relu6",
            "head classifier hidden=1024 classes=2 activation=relu",
            "head detector taps=1 features=64 extras=32,16 anchors=3,6 classes=2 activation=relu6",
            "head detector taps=1,2 extras= anchors=3 classes=2 activation=relu6",
        ] {
            let mut lines = LINES;
            lines[5] = head;
            let architecture = Architecture::parse(&lines).unwrap();
            assert_eq!(architecture.lines(), lines);
            assert!(architecture.network("n").is_ok(), "{head}");
        }
    }

    #[test]
    fn a_wrong_line_is_named_with_what_was_expected() {
        let said = |index: usize, line: &str| {
            let mut lines = LINES.map(str::to_owned);
            lines[index] = line.into();
            let error = Architecture::parse(&lines).and_then(|a| a.network("n").map(|_| ()));
            error.unwrap_err().to_string()
        };
        assert!(said(2, "s1.b1 ibm k3 s2 x16 c16 relu").contains("did you mean `ibn`?"));
        assert!(said(3, "s1.b3 ibn k3 s1 x16 c16 relu").contains("`s1.b2` or `s2.b1`"));
        assert!(said(3, "s1.b2 ibn k0 s1 x16 c16 relu").contains("from 1 to"));
        assert!(said(5, "head classifier classes=2").contains("activation"));
        assert!(said(5, "head classifier classes=2 activation=relu colour=red").contains("colour"));
        let tap = "head segmenter tap=7 inner=8 classes=2 output=8x8 activation=relu";
        assert!(said(5, tap).contains("stage 7"));
    }
}
