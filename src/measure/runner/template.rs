//! Command lines without a shell.

use crate::error::{Error, Result};

/// Where the path of the model goes.
const MODEL: &str = "{model}";

/// A program and its arguments, with places for the model's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    words: Vec<String>,
}

impl Template {
    /// Splits `text` at blanks; quotes keep blanks together and nothing else is special.
    ///
    /// # Errors
    /// A quote is open, or there is no program.
    pub fn parse(text: &str) -> Result<Self> {
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
            return Err(Error::unusable(format!(
                "--runner-command: found an open {quote}, expected it closed"
            )));
        }
        if begun {
            words.push(word);
        }
        if words.first().is_none_or(String::is_empty) {
            return Err(Error::unusable("--runner-command: found no program, expected a command line"));
        }
        Ok(Self { words })
    }

    /// Whether there is a place for the model's path.
    #[must_use]
    pub fn has_model(&self) -> bool {
        self.words.iter().any(|word| word.contains(MODEL))
    }

    /// The program and its arguments for the model at `path`.
    #[must_use]
    pub fn words(&self, path: &str) -> (String, Vec<String>) {
        let mut words = self.words.iter().map(|word| word.replace(MODEL, path));
        (words.next().unwrap_or_default(), words.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_split_and_quotes_do_not() {
        let template = Template::parse(" run  --graph={model} 'a b' \"it's\" '' ").unwrap();
        assert!(template.has_model());
        let (program, words) = template.words("/tmp/m $HOME;x.onnx");
        assert_eq!(program, "run");
        assert_eq!(words, ["--graph=/tmp/m $HOME;x.onnx", "a b", "it's", ""]);
    }

    #[test]
    fn an_open_quote_and_no_program_are_refused() {
        for text in ["run 'a", "", "  ", "''"] {
            assert!(Template::parse(text).is_err(), "{text:?}");
        }
    }
}
