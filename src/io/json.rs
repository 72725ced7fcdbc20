//! Reading JSON that people write, with the position of everything.
//!
//! Derived deserialisers stop at the first problem and forget where it was.
//! Here a file is parsed into a tree that knows its positions; the readers walk
//! it, note every problem in [`Problems`] and go on.

mod problems;

use std::{fmt::Display, ops::RangeInclusive};

use jsonc_parser::{
    CollectOptions, ParseOptions,
    ast::Value,
    common::{Range, Ranged},
    parse_to_ast,
};

pub use problems::Problems;

use super::is_hidden;
use crate::error::{Result, nearest, one_of};

/// Parses `text` (strict JSON) and hands the root to `read`.
///
/// # Errors
/// The text is not JSON, or `read` noted problems; the first fifty are returned, and how many more there are.
pub fn read_document<T>(file: &str, text: &str, read: impl FnOnce(&Node<'_>) -> Option<T>) -> Result<T> {
    let problems = Problems::new(file, text);
    let parsed = parse_to_ast(text, &CollectOptions::default(), &strict());
    let root = match parsed {
        Ok(parsed) => parsed.value,
        Err(error) => {
            problems.note(error.range().start, "", error.kind().to_string(), "valid JSON");
            return Err(problems.into_error());
        }
    };
    let Some(root) = root else {
        problems.note(0, "", "an empty file", "a JSON object");
        return Err(problems.into_error());
    };
    let value = read(&Node { value: &root, path: String::new(), problems: &problems });
    match value {
        Some(value) if problems.is_empty() => Ok(value),
        _ => Err(problems.into_error()),
    }
}

fn strict() -> ParseOptions {
    ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

/// One JSON value, its path from the root, and where to note problems.
#[derive(Clone)]
pub struct Node<'d> {
    value: &'d Value<'d>,
    path: String,
    problems: &'d Problems<'d>,
}

impl<'d> Node<'d> {
    /// Where this value stands, as `stages[2].channels`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Notes that this value is not what was `expected`.
    pub fn expected(&self, expected: impl Display) {
        self.problem(self.describe(), expected);
    }

    /// Notes a problem at this value.
    pub fn problem(&self, found: impl Display, expected: impl Display) {
        self.problems.note(self.value.range().start, &self.path, found, expected);
    }

    /// Where this value starts in the text, in bytes.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.value.range().start
    }

    /// The string, if it is one; nothing is noted.
    #[must_use]
    pub fn as_str(&self) -> Option<&'d str> {
        match self.value {
            Value::StringLit(string) => Some(&string.value),
            _ => None,
        }
    }

    /// The finite number, if it is one; nothing is noted.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        self.number()
    }

    /// The names and values of an object's fields, in order; none of anything else.
    #[must_use]
    pub fn properties(&self) -> Vec<(&'d str, Node<'d>)> {
        let Value::Object(object) = self.value else { return Vec::new() };
        let child = |name: &str, value| Node { value, path: join(&self.path, name), problems: self.problems };
        let properties = object.properties.iter();
        properties.map(|p| (p.name.as_str(), child(p.name.as_str(), &p.value))).collect()
    }

    /// What stands here, for messages.
    #[must_use]
    pub fn describe(&self) -> String {
        match self.value {
            Value::StringLit(string) => format!("\"{}\"", string.value),
            Value::NumberLit(number) => number.value.to_owned(),
            Value::BooleanLit(boolean) => boolean.value.to_string(),
            Value::Object(_) => "an object".into(),
            Value::Array(_) => "a list".into(),
            Value::NullKeyword(_) => "null".into(),
        }
    }

    fn number(&self) -> Option<f64> {
        match self.value {
            Value::NumberLit(number) => number.value.parse().ok().filter(|value: &f64| value.is_finite()),
            _ => None,
        }
    }

    /// Whether this is a list.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self.value, Value::Array(_))
    }

    /// Whether this is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        matches!(self.value, Value::Object(_))
    }

    /// Whether this is a string.
    #[must_use]
    pub fn is_string(&self) -> bool {
        matches!(self.value, Value::StringLit(_))
    }

    /// Whether this is `false`.
    #[must_use]
    pub fn is_false(&self) -> bool {
        matches!(self.value, Value::BooleanLit(boolean) if !boolean.value)
    }

    /// The number, if it is one and in `range`; otherwise a noted problem.
    #[must_use]
    pub fn f64_in(&self, range: RangeInclusive<f64>) -> Option<f64> {
        let value = self.number().filter(|value| range.contains(value));
        if value.is_none() {
            self.expected(format_args!("a number from {} to {}", range.start(), range.end()));
        }
        value
    }

    /// The whole number, if it is one and in `range`; otherwise a noted problem.
    #[must_use]
    pub fn u32_in(&self, range: RangeInclusive<u32>) -> Option<u32> {
        let value = self
            .number()
            .filter(|value| value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(value))
            .map(|value| value as u32)
            .filter(|value| range.contains(value));
        if value.is_none() {
            self.expected(format_args!("a whole number from {} to {}", range.start(), range.end()));
        }
        value
    }

    /// The string; otherwise a noted problem.
    #[must_use]
    pub fn string(&self) -> Option<&'d str> {
        match self.value {
            Value::StringLit(string) => Some(&string.value),
            _ => {
                self.expected("a string");
                None
            }
        }
    }

    /// The string, if it is a name that shows what it is: not empty, and without control characters; otherwise a noted
    /// problem.
    #[must_use]
    pub fn name(&self) -> Option<&'d str> {
        let name = self.string()?;
        if name.is_empty() || name.contains(is_hidden) {
            self.problem(format_args!("{name:?}"), "a name without control characters");
            return None;
        }
        Some(name)
    }

    /// The boolean; otherwise a noted problem.
    #[must_use]
    pub fn bool(&self) -> Option<bool> {
        match self.value {
            Value::BooleanLit(boolean) => Some(boolean.value),
            _ => {
                self.expected("true or false");
                None
            }
        }
    }

    /// The value whose name stands here; otherwise a noted problem with the nearest name.
    #[must_use]
    pub fn named<T: Copy>(&self, names: &[(&str, T)]) -> Option<T> {
        let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        let Value::StringLit(string) = self.value else {
            self.expected(one_of("", &known));
            return None;
        };
        let value = names.iter().find(|(name, _)| *name == string.value).map(|(_, value)| *value);
        if value.is_none() {
            self.expected(one_of(&string.value, &known));
        }
        value
    }

    /// The elements of a list; otherwise a noted problem.
    #[must_use]
    pub fn list(&self) -> Option<Vec<Node<'d>>> {
        let Value::Array(array) = self.value else {
            self.expected("a list");
            return None;
        };
        let child =
            |(index, value)| Node { value, path: format!("{}[{index}]", self.path), problems: self.problems };
        Some(array.elements.iter().enumerate().map(child).collect())
    }

    /// The field called `name` of an object, unchecked; for a field that says which others there are.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Node<'d>> {
        let Value::Object(object) = self.value else { return None };
        let property = object.properties.iter().find(|property| property.name.as_str() == name)?;
        Some(Node { value: &property.value, path: join(&self.path, name), problems: self.problems })
    }

    /// The fields of an object. Fields not in `known` and fields given twice are noted.
    #[must_use]
    pub fn fields(&self, known: &[&str]) -> Option<Fields<'d>> {
        let Value::Object(object) = self.value else {
            self.expected(format_args!("an object with {}", known.join(", ")));
            return None;
        };
        let mut fields: Vec<(&'d str, Node<'d>)> = Vec::new();
        for property in &object.properties {
            let name = property.name.as_str();
            let node = Node { value: &property.value, path: join(&self.path, name), problems: self.problems };
            if !known.contains(&name) {
                self.unknown_field(name, property.name.range(), known);
            } else if fields.iter().any(|(other, _)| *other == name) {
                node.problem(format_args!("`{name}` a second time"), "each field once");
            } else {
                fields.push((name, node));
            }
        }
        Some(Fields { owner: self.clone(), fields })
    }

    fn unknown_field(&self, name: &str, range: Range, known: &[&str]) {
        let hint = match nearest(name, known.iter().copied()) {
            Some(near) => format!("`{near}`"),
            None => format!("one of {}", known.join(", ")),
        };
        self.problems.note(range.start, &self.path, format_args!("unknown field `{name}`"), hint);
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The fields of one object.
pub struct Fields<'d> {
    owner: Node<'d>,
    fields: Vec<(&'d str, Node<'d>)>,
}

impl<'d> Fields<'d> {
    /// The field, if it is there.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&Node<'d>> {
        self.fields.iter().find(|(known, _)| *known == name).map(|(_, node)| node)
    }

    /// The field; its absence is noted.
    #[must_use]
    pub fn required(&self, name: &str) -> Option<&Node<'d>> {
        let found = self.optional(name);
        if found.is_none() {
            self.owner.problem(format_args!("no field `{name}`"), format_args!("`{name}`"));
        }
        found
    }

    /// Notes unless the field `schema` is exactly `schema`.
    pub fn check_schema(&self, schema: &str) {
        let Some(node) = self.required("schema") else { return };
        if node.string().is_some_and(|found| found != schema) {
            node.expected(format_args!("\"{schema}\""));
        }
    }

    /// What the field reads as with `read`, or `default` where it is absent.
    pub fn or<T>(&self, name: &str, default: T, read: impl FnOnce(&Node<'d>) -> Option<T>) -> Option<T> {
        match self.optional(name) {
            Some(node) => read(node),
            None => Some(default),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{problems::TOLD, *};

    fn problems(text: &str, read: impl FnOnce(&Node<'_>) -> Option<()>) -> String {
        read_document("f.json", text, read).unwrap_err().to_string()
    }

    #[test]
    fn of_many_problems_the_first_are_told_and_the_rest_counted() {
        let text = format!("[{}]", vec!["\"x\""; 20_000].join(",\n"));
        let said = problems(&text, |root| {
            root.list()?.iter().for_each(|node| node.expected("a number"));
            Some(())
        });
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), TOLD + 1);
        assert_eq!(lines[49], "f.json:50:1: [49]: found \"x\", expected a number");
        assert_eq!(lines[50], "f.json: found 19950 more problems, expected none");
    }

    #[test]
    fn a_name_shows_what_it_is() {
        let said = problems("[\"\\u001b[2J\", \"a\\nb\", \"\", \"gut\"]", |root| {
            let names: Vec<Option<&str>> = root.list()?.iter().map(Node::name).collect();
            assert_eq!(names, [None, None, None, Some("gut")]);
            Some(())
        });
        assert!(
            said.contains(
                r#"f.json:1:2: [0]: found "\u{1b}[2J", expected a name without control characters"#
            )
        );
    }

    #[test]
    fn all_problems_of_a_file_are_reported_with_their_places() {
        let said = problems("{\n  \"kernal\": 3,\n  \"stride\": \"x\"\n}", |root| {
            let fields = root.fields(&["kernel", "stride"])?;
            let kernel = fields.required("kernel").and_then(|node| node.u32_in(1..=7));
            let stride = fields.required("stride").and_then(|node| node.u32_in(1..=4));
            kernel.and(stride).map(drop)
        });
        assert_eq!(
            said,
            "f.json:1:1: found no field `kernel`, expected `kernel`\n\
             f.json:2:3: found unknown field `kernal`, expected `kernel`\n\
             f.json:3:13: stride: found \"x\", expected a whole number from 1 to 4"
        );
    }

    #[test]
    fn json_with_comments_or_trailing_text_is_refused() {
        for text in ["{} // no", "{} {}", "{\"a\":1,}", "", "{\"a\":NaN}", "[1 2]"] {
            assert!(read_document("f.json", text, |_| Some(())).is_err(), "{text}");
        }
    }

    #[test]
    fn a_field_given_twice_is_refused() {
        let said = problems("{\"a\":1,\"a\":2}", |root| root.fields(&["a"]).map(drop));
        assert!(said.contains("a second time"), "{said}");
    }
}
