//! A checker for as much of JSON Schema 2020-12 as the schemas use; any other keyword is a failure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// A schema with where it came from.
pub(crate) struct Schema {
    root: Value,
}

/// What a document showed.
#[derive(Default)]
pub(crate) struct Found {
    /// What is wrong with it.
    pub(crate) errors: Vec<String>,
    /// Each object that a schema node with properties describes: the node's and the object's JSON pointers.
    pub(crate) objects: Vec<(String, String)>,
}

impl Schema {
    pub(crate) fn of(kind: &str) -> Self {
        let text = nas::schemas::schema(kind).unwrap().text;
        Self { root: serde_json::from_str(text).unwrap() }
    }

    pub(crate) fn check(&self, document: &Value) -> Found {
        let mut found = Found::default();
        self.node("", document, "", &mut found);
        found
    }

    /// Every node that names properties, with these.
    pub(crate) fn objects(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut nodes = BTreeMap::new();
        collect(&self.root, "", &mut nodes);
        nodes
    }

    pub(crate) fn required(&self, node: &str) -> Vec<String> {
        let required = &self.root.pointer(node).unwrap()["required"];
        let names = required.as_array().into_iter().flatten();
        names.map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    fn node(&self, node: &str, value: &Value, at: &str, found: &mut Found) {
        let Value::Object(schema) = self.root.pointer(node).unwrap() else { panic!("{node} is no schema") };
        for (keyword, operand) in schema {
            if let Some(expected) = self.keyword(keyword, operand, schema, node, value, at, found) {
                found.errors.push(format!("{at}: {value:.80} where {keyword} is {expected}"));
            }
        }
    }

    /// What was expected, if the keyword on its own is not met.
    #[allow(clippy::too_many_arguments, reason = "a table of keywords")]
    fn keyword(
        &self,
        keyword: &str,
        operand: &Value,
        schema: &Map<String, Value>,
        node: &str,
        value: &Value,
        at: &str,
        found: &mut Found,
    ) -> Option<String> {
        let here = format!("{node}/{keyword}");
        let number = || operand.as_f64().unwrap();
        let met = match keyword {
            "$schema" | "title" | "description" | "$defs" | "required" | "additionalProperties" => true,
            "$ref" => {
                self.node(operand.as_str().unwrap().strip_prefix('#').unwrap(), value, at, found);
                true
            }
            "type" => is_type(value, operand.as_str().unwrap()),
            "const" => value == operand,
            "enum" => operand.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|value| value >= number()),
            "maximum" => value.as_f64().is_none_or(|value| value <= number()),
            "exclusiveMinimum" => value.as_f64().is_none_or(|value| value > number()),
            "minLength" => value.as_str().is_none_or(|text| text.chars().count() as f64 >= number()),
            "minItems" => value.as_array().is_none_or(|list| list.len() as f64 >= number()),
            "maxItems" => value.as_array().is_none_or(|list| list.len() as f64 <= number()),
            "minProperties" => value.as_object().is_none_or(|object| object.len() as f64 >= number()),
            "maxProperties" => value.as_object().is_none_or(|object| object.len() as f64 <= number()),
            "uniqueItems" => value
                .as_array()
                .is_none_or(|list| (0..list.len()).all(|index| !list[..index].contains(&list[index]))),
            "properties" => {
                self.properties(&here, operand, schema, node, value, at, found);
                true
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.node(&here, item, &format!("{at}/{index}"), found);
                }
                true
            }
            "prefixItems" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    if index < operand.as_array().unwrap().len() {
                        self.node(&format!("{here}/{index}"), item, &format!("{at}/{index}"), found);
                    }
                }
                true
            }
            "anyOf" | "oneOf" => {
                let branches = 0..operand.as_array().unwrap().len();
                let tried = branches.map(|branch| {
                    let mut tried = Found::default();
                    self.node(&format!("{here}/{branch}"), value, at, &mut tried);
                    tried
                });
                let (met, missed): (Vec<Found>, Vec<Found>) =
                    tried.partition(|tried| tried.errors.is_empty());
                let enough = if keyword == "oneOf" { met.len() == 1 } else { !met.is_empty() };
                if !enough {
                    found.errors.extend(missed.into_iter().flat_map(|missed| missed.errors));
                }
                found.objects.extend(met.into_iter().flat_map(|met| met.objects));
                enough
            }
            other => panic!("keyword `{other}` at {node} is not known to the checker"),
        };
        // A map: every value is alike.
        if keyword == "additionalProperties" && operand.is_object() {
            for (name, value) in value.as_object().into_iter().flatten() {
                self.node(&here, value, &format!("{at}/{name}"), found);
            }
        }
        (!met).then(|| operand.to_string())
    }

    #[allow(clippy::too_many_arguments, reason = "as above")]
    fn properties(
        &self,
        here: &str,
        operand: &Value,
        schema: &Map<String, Value>,
        node: &str,
        value: &Value,
        at: &str,
        found: &mut Found,
    ) {
        assert_eq!(schema["additionalProperties"], false, "{node} lets unknown fields pass");
        assert_eq!(schema["type"], "object", "{node}");
        let Value::Object(object) = value else { return };
        for (name, value) in object {
            match operand.get(name) {
                Some(_) => self.node(&format!("{here}/{name}"), value, &format!("{at}/{name}"), found),
                None => found.errors.push(format!("{at}: unknown field `{name}`")),
            }
        }
        for name in self.required(node) {
            assert!(operand.get(&name).is_some(), "{node} requires `{name}`, which it does not know");
            if !object.contains_key(&name) {
                found.errors.push(format!("{at}: no field `{name}`"));
            }
        }
        found.objects.push((node.to_owned(), at.to_owned()));
    }
}

fn is_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|value| value.fract() == 0.0),
        other => panic!("type `{other}`"),
    }
}

fn collect(schema: &Value, at: &str, nodes: &mut BTreeMap<String, BTreeSet<String>>) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) =
                object.get("properties").filter(|_| object.contains_key("type"))
            {
                nodes.insert(at.to_owned(), properties.keys().cloned().collect());
            }
            for (name, value) in object {
                collect(value, &format!("{at}/{name}"), nodes);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                collect(value, &format!("{at}/{index}"), nodes);
            }
        }
        _ => {}
    }
}

#[test]
fn the_checker_refuses_what_it_should() {
    let schema = |text: &str| Schema { root: serde_json::from_str(text).unwrap() };
    for (text, good, bad) in [
        (r#"{"type":"integer","minimum":1}"#, "2.0", "0"),
        (r#"{"type":"integer"}"#, "2", "2.5"),
        (r#"{"enum":["a","b"]}"#, "\"a\"", "\"c\""),
        (
            r#"{"type":"array","items":{"type":"string"},"minItems":1,"uniqueItems":true}"#,
            "[\"a\"]",
            "[\"a\",\"a\"]",
        ),
        (r#"{"type":"array","prefixItems":[{"type":"null"}],"maxItems":1}"#, "[null]", "[null,null]"),
        (r#"{"oneOf":[{"type":"number"},{"type":"integer"}]}"#, "1.5", "1"),
        (r#"{"anyOf":[{"const":1},{"const":2}]}"#, "2", "3"),
        (
            r#"{"type":"object","additionalProperties":{"exclusiveMinimum":0,"maximum":2}}"#,
            "{\"a\":1}",
            "{\"a\":0}",
        ),
        (
            r##"{"type":"object","additionalProperties":false,"required":["a"],"properties":{"a":{"$ref":"#/$defs/x"}},"$defs":{"x":{"type":"boolean"}}}"##,
            "{\"a\":true}",
            "{\"a\":1}",
        ),
        (
            r#"{"type":"object","additionalProperties":false,"required":["a"],"properties":{"a":{}}}"#,
            "{\"a\":1}",
            "{}",
        ),
        (r#"{"type":"object","additionalProperties":false,"properties":{"a":{}}}"#, "{}", "{\"b\":1}"),
    ] {
        let check = |document: &str| schema(text).check(&serde_json::from_str(document).unwrap()).errors;
        assert_eq!(check(good), Vec::<String>::new(), "{text} {good}");
        assert!(!check(bad).is_empty(), "{text} {bad}");
    }
}
