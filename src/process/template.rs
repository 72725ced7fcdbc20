//! Command lines without a shell.

use crate::error::{Error, Result};

/// A program and its arguments, with places such as `{model}` for what changes from start to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    words: Vec<String>,
}

impl Template {
    /// Splits `text`, the value of `option`, at blanks; quotes keep blanks together and nothing else is special.
    ///
    /// # Errors
    /// A quote is open, or there is no program.
    pub fn parse(option: &str, text: &str) -> Result<Self> {
        let mut words = Vec::new();
        let (mut word, mut quote, mut begun) = (String::new(), None, false);
        for c in text.chars() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (Some(_), c) => word.push(c),
                (None, '\'' | '"') => (quote, begun) = (Some(c), true),
                (None, c) if c.is_whitespace() => {
                    if begun {
                        words.push(std::mem::take(&mut word));
                    }
                    begun = false;
                }
                (None, c) => {
                    word.push(c);
                    begun = true;
                }
            }
        }
        if let Some(quote) = quote {
            return Err(Error::unusable(format!("{option}: found an open {quote}, expected it closed")));
        }
        if begun {
            words.push(word);
        }
        if words.first().is_none_or(String::is_empty) {
            return Err(Error::unusable(format!("{option}: found no program, expected a command line")));
        }
        Ok(Self { words })
    }

    /// Whether there is a place of this name.
    #[must_use]
    pub fn has(&self, place: &str) -> bool {
        let place = braced(place);
        self.words.iter().any(|word| word.contains(&place))
    }

    /// The program and its arguments, with these values in their places.
    #[must_use]
    pub fn filled(&self, values: &[(&str, &str)]) -> (String, Vec<String>) {
        let fill = |word: &String| {
            values.iter().fold(word.clone(), |word, (place, value)| word.replace(&braced(place), value))
        };
        let mut words = self.words.iter().map(fill);
        (words.next().unwrap_or_default(), words.collect())
    }
}

fn braced(place: &str) -> String {
    format!("{{{place}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_split_and_quotes_do_not() {
        let template = Template::parse("--c", " run  --graph={model} 'a b' \"it's\" '' ").unwrap();
        assert!(template.has("model") && !template.has("seed"));
        let (program, words) = template.filled(&[("model", "/tmp/m $HOME;x.onnx")]);
        assert_eq!(program, "run");
        assert_eq!(words, ["--graph=/tmp/m $HOME;x.onnx", "a b", "it's", ""]);
    }

    #[test]
    fn an_open_quote_and_no_program_are_refused() {
        for text in ["run 'a", "", "  ", "''"] {
            assert!(Template::parse("--c", text).is_err(), "{text:?}");
        }
    }
}
