//! Lines and columns of places in a text, found without reading the text again.

/// Where the lines of a text start.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect())
    }

    /// Line and column, both from 1, of the byte at `offset`.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.0.partition_point(|start| *start <= offset);
        let start = self.0.get(line.saturating_sub(1)).copied().unwrap_or(0);
        (line, offset - start + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_in_the_first_a_middle_and_the_last_line() {
        let lines = Lines::of("ab\n\ncd");
        assert_eq!(
            [0, 1, 2, 3, 4, 5].map(|at| lines.position(at)),
            [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (3, 2)]
        );
    }
}
