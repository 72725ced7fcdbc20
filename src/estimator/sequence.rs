//! Which parts of a network can be priced without looking at the rest of it.
//!
//! What a layer costs depends on where tensors lie and which layers run together, and that depends on what is
//! alive beside them. But where everything fits on the chip nothing is spilled and nothing runs in stripes: such a place
//! is quiet, and both sides of it can be priced by themselves. What lies between two of them is a storm. It can be cut
//! too where no stripes run across and it is clear whether the tensor there fits; then the price of
//! one side depends on how the other one ends. The price of a span, what lies between two cuts, follows from its parts,
//! its neighbours and that.

use std::{iter, ops::Range};

use smallvec::SmallVec;

use super::graph::BLOCK_STEPS;
use crate::stable_hash::{Fingerprint, fingerprint};

/// What must be known of a part to find the spans. Bytes are those of whole bricks of channels.
#[derive(Clone, Debug)]
pub struct Outline {
    pub(super) layers: usize,
    /// The bytes that its first layer reads and writes.
    pub(super) first: u64,
    /// The most bytes that one of its layers reads and writes.
    pub(super) largest: u64,
    /// The most bytes alive at one of its layers, with what it reads from the part before it.
    pub(super) live: u64,
    /// The bytes alive at its last layer.
    pub(super) live_last: u64,
    /// How often it reads the part before it.
    pub(super) reads_of_entry: usize,
    /// Bytes of what its last layer writes.
    pub(super) exit: u64,
    /// The numbers of the exits that it reads, each as often as it does.
    pub(super) exits: Vec<usize>,
}

/// The parts of a network, one after the other: what comes before the head reads only the part before it.
#[derive(Clone, Debug, Default)]
pub struct Sequence {
    parts: Vec<Part>,
    /// The part that ends with each exit.
    marks: Vec<usize>,
    /// The first part of the head.
    head: usize,
    /// The parts whose exits the head reads from afar, by their order, and how often.
    taps: Vec<Tap>,
    /// The parts whose exits each part of the head reads from afar, one part after the other.
    far: Vec<usize>,
    layers: usize,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    key: Fingerprint,
    /// The number of layers before it.
    start: usize,
    layers: usize,
    first: u64,
    largest: u64,
    live: u64,
    live_last: u64,
    reads_of_entry: usize,
    exit: u64,
    /// Where the parts are listed whose exits it reads from afar.
    far: (usize, usize),
}

impl Part {
    /// Whether its first layer never runs in stripes with the layer before: layers run together only where the next one
    /// is large and nothing else reads what is between them.
    fn runs_apart(&self, on_chip_bytes: u64) -> bool {
        self.first < on_chip_bytes || self.reads_of_entry > 1
    }
}

/// A tensor that lies about for a reader far away.
#[derive(Clone, Copy, Debug)]
struct Tap {
    part: usize,
    /// How often it is read from afar.
    reads: u64,
    /// The layer that writes it, and the first part that begins when it is alive no longer.
    layer: usize,
    end: usize,
}

/// What is put together to price a span.
pub(super) struct About {
    /// Runs of parts, each with its distance to the one before; of the first part of a run only the last layer, unless it is the
    /// first of all.
    pub(super) runs: SmallVec<[Range<usize>; 4]>,
    /// Parts of which must be known how their last layers are run.
    pub(super) given: SmallVec<[usize; 4]>,
}

/// Parts whose price follows from themselves and their neighbours.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) parts: Range<usize>,
    /// The span and those that must be put together with it, since it is not quiet where they meet.
    pub(super) storm: Range<usize>,
    pub(super) key: Fingerprint,
}

impl Span {
    /// Whether it is not quiet where it begins, so that its price depends on how the part before it is run.
    pub(super) fn begins_in_storm(&self) -> bool {
        self.parts.start > self.storm.start
    }

    /// Whether the price of the next one depends on how this one ends.
    pub(super) fn ends_in_storm(&self) -> bool {
        self.parts.end < self.storm.end
    }
}

/// How a part is run where nothing runs together with the parts about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habit {
    /// Its last layer runs alone.
    pub(super) ends_alone: bool,
    /// What it reads fits on the chip beside everything else while it runs, or never does.
    pub(super) entry_fits: bool,
    pub(super) entry_never_fits: bool,
}

impl Habit {
    /// That of a part for which there is room.
    pub(super) const QUIET: Self = Self { ends_alone: true, entry_fits: true, entry_never_fits: false };

    pub(super) fn bits(self) -> u64 {
        [self.ends_alone, self.entry_fits, self.entry_never_fits]
            .into_iter()
            .fold(1, |bits, bit| bits << 1 | u64::from(bit))
    }

    pub(super) fn of_bits(bits: u64) -> Self {
        Self { ends_alone: bits & 4 > 0, entry_fits: bits & 2 > 0, entry_never_fits: bits & 1 > 0 }
    }
}

impl Sequence {
    /// Removes all parts and keeps their memory.
    pub fn clear(&mut self) {
        let Self { parts, marks, head, taps, far, layers } = self;
        parts.clear();
        marks.clear();
        taps.clear();
        far.clear();
        (*head, *layers) = (usize::MAX, 0);
    }

    /// Adds a part with a key that no other part has.
    pub fn push(&mut self, key: Fingerprint, outline: &Outline) {
        let Outline { layers, first, largest, live, live_last, reads_of_entry, exit, ref exits } = *outline;
        let far = self.far.len();
        for number in exits {
            let Some(part) = self.marks.get(*number).copied() else { continue };
            self.far.push(part);
            match self.taps.iter_mut().find(|tap| tap.part == part) {
                Some(tap) => tap.reads += 1,
                None => self.taps.push(Tap { part, reads: 1, layer: 0, end: 0 }),
            }
        }
        self.parts.push(Part {
            key,
            start: self.layers,
            layers,
            first,
            largest,
            live,
            live_last,
            reads_of_entry,
            exit,
            far: (far, self.far.len()),
        });
        self.layers += layers;
    }

    /// The part that was added last ends with the next exit.
    pub fn mark(&mut self) {
        self.marks.push(self.parts.len().saturating_sub(1));
    }

    /// What is added from now on is the head.
    pub fn begin_head(&mut self) {
        self.head = self.parts.len();
    }

    /// All parts are there.
    pub fn finish(&mut self) {
        let Self { parts, taps, .. } = self;
        for tap in &mut *taps {
            let Part { start, layers, .. } = parts[tap.part];
            tap.layer = start + layers - 1;
            tap.end = parts.partition_point(|part| part.start <= tap.layer + BLOCK_STEPS);
        }
        taps.sort_unstable_by_key(|tap| tap.part);
    }

    /// How many parts come before the head.
    pub(super) fn head(&self) -> usize {
        self.head.min(self.parts.len())
    }

    pub(super) fn all(&self) -> Range<usize> {
        0..self.parts.len()
    }

    /// The parts that must be put together to price a span. What the last part before it depends on is among them where
    /// that is quiet; in a storm it follows from too much, and is given.
    pub(super) fn about(&self, span: &Span) -> About {
        let (parts, in_storm) = (&span.parts, span.begins_in_storm());
        let before = parts.start.saturating_sub(1);
        let (first, begin) =
            if in_storm { (before, parts.start) } else { (before.saturating_sub(1), before) };
        let read = parts.clone().flat_map(|part| self.far(part)).copied();
        let read = read.filter(|part| *part <= first && *part < parts.start);
        let mut given: SmallVec<[usize; 4]> = read.chain(in_storm.then_some(before)).collect();
        let alive = self.taps.iter().filter(|tap| tap.end > begin).map(|tap| tap.part);
        let lone = given.iter().copied().chain(alive).filter(|part| *part < first);
        let mut lone: SmallVec<[usize; 4]> = lone.collect();
        for list in [&mut given, &mut lone] {
            list.sort_unstable();
            list.dedup();
        }
        let runs = lone.into_iter().map(|part| part..part + 1);
        About { runs: runs.chain(iter::once(first..self.reach(parts))).collect(), given }
    }

    /// The parts whose exits a part reads from afar, each as often as it does.
    fn far(&self, part: usize) -> &[usize] {
        let (start, end) = self.parts[part].far;
        &self.far[start..end]
    }

    /// The layers that end with the exits, by their numbers.
    pub(super) fn exits(&self) -> impl Iterator<Item = usize> {
        self.marks.iter().map(|part| self.exit(*part))
    }

    /// The last layers of the parts in these runs that the head reads from afar, and how often it does so where it is not
    /// in them.
    pub(super) fn missing_reads(&self, runs: &[Range<usize>]) -> impl Iterator<Item = (usize, u64)> {
        let there = self.taps.iter().filter(move |tap| runs.iter().any(|run| run.contains(&tap.part)));
        there.map(move |tap| {
            let whole = |run: &Range<usize>| if run.start > 0 { run.start + 1..run.end } else { run.clone() };
            let read = runs.iter().flat_map(whole).flat_map(|part| self.far(part));
            let reads = read.filter(|part| **part == tap.part).count();
            (self.exit(tap.part), tap.reads - reads as u64)
        })
    }

    /// The parts among these whose exits the head reads from afar.
    pub(super) fn tapped(&self, parts: &Range<usize>) -> impl Iterator<Item = usize> {
        self.taps.iter().map(|tap| tap.part).filter(move |part| parts.contains(part))
    }

    /// The key of a part.
    pub(super) fn piece(&self, part: usize) -> Fingerprint {
        self.parts[part].key
    }

    /// The layers of a part.
    pub(super) fn layers(&self, part: usize) -> Range<usize> {
        let Part { start, layers, .. } = self.parts[part];
        start..start + layers
    }

    /// The last layer of a part.
    pub(super) fn exit(&self, part: usize) -> usize {
        self.layers(part).end - 1
    }

    /// Finds out which parts have room for everything on a chip with so much memory.
    pub(super) fn find_quiet(&self, on_chip_bytes: u64, quiet: &mut Vec<bool>) {
        quiet.clear();
        quiet
            .extend(self.parts.iter().map(|part| part.largest < on_chip_bytes && part.live <= on_chip_bytes));
        // Where the next part is large, stripes may begin with the last layer, and their rows lie beside what it reads.
        for part in 1..self.parts.len() {
            quiet[part - 1] &= self.parts[part].runs_apart(on_chip_bytes);
        }
        // What the head reads from afar lies beside the parts that follow it.
        let follows = |part: &usize| self.taps.iter().any(|tap| (tap.part + 1..tap.end).contains(part));
        for part in (0..self.parts.len()).filter(follows) {
            let beside = self.taps.iter().filter(|tap| (tap.part + 1..tap.end).contains(&part));
            let beside: u64 = beside.map(|tap| self.parts[tap.part].exit).sum();
            quiet[part] &= self.parts[part].live.saturating_add(beside) <= on_chip_bytes;
        }
        // A tensor that does not fit somewhere may be spilled everywhere.
        for Tap { part, end, .. } in &self.taps {
            if quiet[*part..*end].contains(&false) {
                quiet[*part..*end].fill(false);
            }
        }
    }

    /// The spans without their keys. `habits` tell how each part before the head is run by itself.
    pub(super) fn divide(&self, on_chip_bytes: u64, quiet: &[bool], habits: &[Habit], spans: &mut Vec<Span>) {
        spans.clear();
        let (mut start, mut storm, mut first) = (0, 0, 0);
        for end in 1..=self.parts.len() {
            let is_quiet = self.is_cut(end, quiet);
            if is_quiet || self.is_cut_in_storm(end, on_chip_bytes, habits) {
                spans.push(Span { parts: start..end, storm: storm..end, key: 0 });
                start = end;
            }
            if is_quiet {
                spans[first..].iter_mut().for_each(|span| span.storm = storm..end);
                (storm, first) = (end, spans.len());
            }
        }
    }

    /// Whether the parts before `end` and those from there on do not run together, and it is clear where the tensor
    /// between them lies, whatever else there is.
    fn is_cut_in_storm(&self, end: usize, on_chip_bytes: u64, habits: &[Habit]) -> bool {
        if end >= self.head || self.taps.iter().any(|tap| tap.part < end && end < tap.end) {
            return false;
        }
        let before = &self.parts[end - 1];
        let about = self.parts[(end - 1).max(1)..].iter().take(if end > 1 { 3 } else { 2 });
        if !about.into_iter().all(|part| part.runs_apart(on_chip_bytes)) {
            return false;
        }
        let (last, next) = (habits[end - 1], habits[end]);
        let fits = next.entry_fits && before.live_last <= on_chip_bytes;
        last.ends_alone && next.ends_alone && (fits || next.entry_never_fits)
    }

    /// Whether the parts before `end` and those from there on can be priced by themselves: where they meet all is
    /// quiet, as far as what the last two parts write is alive.
    fn is_cut(&self, end: usize, quiet: &[bool]) -> bool {
        if end >= self.parts.len() {
            return true;
        }
        let about = end.saturating_sub(2)..self.reach(&(end - 1..end));
        end <= self.head && quiet[about].iter().all(|quiet| *quiet)
    }

    /// The end of the parts that the price of a span depends on: the next one, the one after it if the next is a single
    /// layer, and what is run while anything is alive that these and the part before write.
    fn reach(&self, span: &Range<usize>) -> usize {
        let single = |part: usize| self.parts.get(part).is_some_and(|part| part.layers == 1);
        let known = if single(span.end) { span.end + 1 } else { span.end };
        let tapped = self.taps.iter().filter(|tap| (span.start.saturating_sub(1)..known).contains(&tap.part));
        tapped.map(|tap| tap.end).fold(known + 1, usize::max).min(self.parts.len())
    }

    /// All that the price of a span depends on. `manner` tells how the exit of a part before it is run, if that is
    /// known: it is where the span begins in a storm or reads that exit from afar.
    pub(super) fn key(
        &self,
        span: &Span,
        manner: impl Fn(usize) -> Option<Fingerprint>,
    ) -> Option<Fingerprint> {
        let begins_in_storm = span.begins_in_storm();
        let span = &span.parts;
        let Self { parts, head, taps, .. } = self;
        let (reach, before) = (self.reach(span), span.start.saturating_sub(1));
        let mut words: SmallVec<[u64; 64]> = SmallVec::new();
        words.push(span.len() as u64);
        words.push(if span.start > 0 { parts[before].key } else { 0 });
        words.extend(parts[span.start..reach].iter().map(|part| part.key));
        if begins_in_storm {
            words.push(manner(before)?);
        }
        for tap in taps.iter().filter(|tap| tap.part < reach) {
            let distance = (parts[span.start].start as u64).wrapping_sub(tap.layer as u64);
            if tap.end > before {
                words.extend([tap.reads, distance, parts[tap.part].key]);
            }
            if span.end > *head && tap.part < span.start {
                words.extend([manner(tap.part)?, distance]);
            }
        }
        Some(fingerprint(&words))
    }
}
