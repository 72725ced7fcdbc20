//! Text that shows what it is.
//!
//! A name may hold characters that nobody sees and a terminal obeys: escapes that clear the screen, line breaks that
//! forge a row of a table, marks that turn the reading order round. Files with such names are refused, and whatever
//! else is shown goes through [`plain`].

use std::borrow::Cow;

/// Whether a character is obeyed or hidden rather than shown: control characters and marks of the reading order.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// `text` with a `?` for each hidden character, but for line breaks and tabs.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    replaced(text, |c| is_hidden(c) && !matches!(c, '\n' | '\t'))
}

/// The same on one line: line breaks and tabs are replaced as well.
#[must_use]
pub fn plain_line(text: &str) -> Cow<'_, str> {
    replaced(text, is_hidden)
}

fn replaced(text: &str, bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&bad) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| if bad(c) { '?' } else { c }).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown_as_a_question_mark() {
        assert_eq!(plain("a\u{1b}[2Jb\u{7}\u{9b}\r\nc\td\u{202e}"), "a?[2Jb???\nc\td?");
        assert_eq!(plain_line("a\nb\tc"), "a?b?c");
        assert!(matches!(plain("Grüße, 東京 – ±10 %"), Cow::Borrowed(_)), "letters of any script stay");
    }
}
