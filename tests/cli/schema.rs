//! `nas schema`, and that what it prints is current: files validate, and readers and writers know the same fields.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use nas::{
    energy::EnergyModel,
    estimator::{Datasheet, Estimator},
    network::{read_network, read_networks},
    report::{CoDesign, Report},
    schemas::SCHEMAS,
    space::read_space,
};
use serde_json::Value;

use crate::{
    common::{TINY, nas, refusal, search, stderr, stdout},
    schema_check::Schema,
    schema_samples::{samples, value},
};

/// Kinds that have a reader.
const READ: [&str; 7] = ["space", "network", "datasheet", "energy", "estimator", "report", "codesign"];
/// A field that no file has, and that is near no other.
const UNKNOWN: &str = "zzzzzzzzzzzzzzzzzzzz";

fn assert_valid(kind: &str, document: &Value, what: &str) {
    let errors = Schema::of(kind).check(document).errors;
    assert!(errors.is_empty(), "{what} is no {kind} by its schema:\n{}", errors.join("\n"));
}

/// What the reader of `kind` says of `text`; none for what is only written.
fn read(kind: &str, text: &str) -> Option<Result<(), String>> {
    let said = |result: Result<(), nas::error::Error>| Some(result.map_err(|error| error.to_string()));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f.json");
    fs::write(&file, text).unwrap();
    match kind {
        "space" => said(read_space("f.json", text).map(drop)),
        "network" => said(read_network("f.json", text).map(drop)),
        "datasheet" => said(Datasheet::parse("f.json", text).map(drop)),
        "energy" => said(EnergyModel::parse("f.json", text).map(drop)),
        "estimator" => said(Estimator::parse("f.json", text).map(drop)),
        "report" => said(Report::load(&file).map(drop)),
        "codesign" => said(CoDesign::load(&file).map(drop)),
        _ => None,
    }
}

fn json_files(folder: &str) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    assert!(!files.is_empty(), "{folder}");
    files
}

#[test]
fn schemas_are_listed_printed_and_written() {
    let list = stdout(&nas(&["schema"]));
    assert_eq!(list.lines().count(), SCHEMAS.len() + 1);
    let folder = tempfile::tempdir().unwrap();
    assert!(nas(&["schema", "--out", folder.path().to_str().unwrap()]).status.success());
    for schema in SCHEMAS {
        let committed = fs::read_to_string(format!("schemas/{}.schema.json", schema.kind)).unwrap();
        assert!(list.contains(&format!("nas.{}/1", schema.kind)));
        assert_eq!(stdout(&nas(&["schema", schema.kind])), committed);
        let written = folder.path().join(format!("{}.schema.json", schema.kind));
        assert_eq!(fs::read_to_string(written).unwrap(), committed);
    }
    assert_eq!(json_files("schemas").len(), SCHEMAS.len(), "a schema that is not embedded");
    assert!(refusal(&["schema", "spcae"]).contains("space"));
    insta::assert_snapshot!("list", list);
}

#[test]
fn every_schema_names_its_draft_and_its_kind() {
    for schema in SCHEMAS {
        let root = value(schema.text);
        assert_eq!(root["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(root["title"], format!("nas.{}/1", schema.kind));
    }
}

#[test]
fn definitions_of_one_name_are_the_same_in_all_schemas() {
    let mut known: BTreeMap<String, (String, Value)> = BTreeMap::new();
    let mut definitions: Vec<(&str, String, Value)> = Vec::new();
    for schema in SCHEMAS {
        let mut root = value(schema.text);
        for (name, definition) in root["$defs"].as_object().into_iter().flatten() {
            // Activations have different defaults in spaces and networks.
            let name = if name == "activation" {
                format!("{name} of {}", schema.kind == "space")
            } else {
                name.clone()
            };
            definitions.push((schema.kind, name, definition.clone()));
        }
        let root = root.as_object_mut().unwrap();
        ["$schema", "title", "$defs"].iter().for_each(|keyword| drop(root.remove(*keyword)));
        definitions.push((schema.kind, schema.kind.to_owned(), Value::Object(root.clone())));
    }
    for (kind, name, definition) in definitions {
        let (first, other) =
            known.entry(name.clone()).or_insert_with(|| (kind.to_owned(), definition.clone()));
        assert_eq!(*other, definition, "`{name}` in {first} and {kind}");
    }
}

#[test]
fn every_shipped_file_validates() {
    let folders = [
        ("space", "search-spaces"),
        ("estimator", "estimators"),
        ("datasheet", "estimators/datasheets"),
        ("energy", "energy"),
    ];
    for (kind, folder) in folders {
        for file in json_files(folder) {
            let document = value(&fs::read_to_string(&file).unwrap());
            assert_valid(kind, &document, &file.display().to_string());
        }
    }
    assert_valid("space", &value(&fs::read_to_string(TINY).unwrap()), TINY);
    for network in read_networks(Path::new("estimators/ethos-u/networks.jsonl.gz")).unwrap() {
        assert_valid("network", &serde_json::to_value(&network).unwrap(), network.name());
    }
}

#[test]
fn what_is_freshly_produced_validates() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    assert!(search(&run, &["--ablate"]).status.success());
    let run_name = run.to_str().unwrap();
    let printed = |args: &[&str]| {
        let output = nas(args);
        assert!(output.status.success(), "{}", stderr(&output));
        value(&stdout(&output))
    };
    assert_valid("report", &value(&fs::read_to_string(run.join("report.json")).unwrap()), "report.json");
    assert_valid(
        "estimator",
        &value(&fs::read_to_string(run.join("estimator.json")).unwrap()),
        "estimator.json",
    );
    let entry = format!("{run_name}#0");
    assert_valid("estimate", &printed(&["estimate", &entry, "--format", "json"]), "nas estimate");
    assert_valid("comparison", &printed(&["compare", run_name, run_name, "--format", "json"]), "nas compare");
    let trend = printed(&["compare", run_name, run_name, run_name, "--format", "json"]);
    assert_valid("trend", &trend, "nas compare");
    let chip = folder.path().join("chip.json");
    let (sheet, chip_name) = ("estimators/datasheets/lanes-16.json", chip.to_str().unwrap());
    let fit = printed(&["fit", "--datasheet", sheet, "-o", chip_name, "--format", "json"]);
    assert_valid("fit-report", &fit, "nas fit");
    assert_valid("estimator", &value(&fs::read_to_string(&chip).unwrap()), "nas fit -o");
    let both = folder.path().join("both");
    let chips = ["search", TINY, "-q", "-n", "200", "-e", crate::common::ESTIMATOR, "-e", chip_name];
    assert!(nas(&[&chips[..], &["-o", both.to_str().unwrap()]].concat()).status.success());
    assert_valid(
        "codesign",
        &value(&fs::read_to_string(both.join("codesign.json")).unwrap()),
        "codesign.json",
    );
}

/// A name for a node that is the same in all schemas that share it, which another test holds alike.
fn shared(kind: &str, node: &str) -> String {
    node.strip_prefix("/$defs/").map_or_else(|| format!("{kind}{node}"), str::to_owned)
}

/// Every object of the schemas of `kinds` with its properties.
fn described(kinds: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let nodes = |kind: &&str| {
        let kind = (*kind).to_owned();
        Schema::of(&kind).objects().into_iter().map(move |(node, fields)| (shared(&kind, &node), fields))
    };
    kinds.iter().flat_map(nodes).collect()
}

/// Every field of a schema is in some sample, and no sample has another one.
#[test]
fn writers_and_schemas_know_the_same_fields() {
    let kinds: Vec<&str> = SCHEMAS.iter().map(|schema| schema.kind).collect();
    let mut missing = described(&kinds);
    for kind in kinds {
        let checker = Schema::of(kind);
        for document in samples(kind) {
            assert_valid(kind, &document, "a sample");
            if let Some(read) = read(kind, &document.to_string()) {
                read.unwrap_or_else(|said| panic!("sample of {kind}: {said}"));
            }
            for (node, at) in checker.check(&document).objects {
                let fields = document.pointer(&at).unwrap().as_object().unwrap();
                missing.get_mut(&shared(kind, &node)).unwrap().retain(|name| !fields.contains_key(name));
            }
        }
    }
    missing.retain(|_, fields| !fields.is_empty());
    assert!(missing.is_empty(), "no sample has {missing:#?}");
}

/// A field that nobody knows makes a reader list those that it does.
#[test]
fn readers_and_schemas_know_the_same_fields() {
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for kind in READ {
        let checker = Schema::of(kind);
        for document in samples(kind) {
            let mut tried = BTreeSet::new();
            for (node, at) in checker.check(&document).objects {
                if tried.insert(node.clone()) {
                    let mut document = document.clone();
                    let object = document.pointer_mut(&at).unwrap().as_object_mut().unwrap();
                    object.insert(UNKNOWN.into(), Value::from(0));
                    let said = read(kind, &document.to_string()).unwrap().unwrap_err();
                    known.entry(shared(kind, &node)).or_default().extend(fields_in(&said));
                }
            }
        }
    }
    let described = described(&READ);
    for (node, fields) in &described {
        assert_eq!(known.get(node), Some(fields), "{node}: what the reader knows, and the schema");
    }
    assert_eq!(known.len(), described.len());
}

/// The fields that a refusal of [`UNKNOWN`] lists.
fn fields_in(said: &str) -> BTreeSet<String> {
    let begin =
        said.find(&format!("unknown field `{UNKNOWN}`, expected ")).unwrap_or_else(|| panic!("{said}"));
    let list = said[begin..].lines().next().unwrap().split_once(", expected ").unwrap().1;
    let list = list.split(" at line ").next().unwrap().split(", expected ").next().unwrap();
    let list = list.strip_prefix("one of ").unwrap_or(list).replace(" or ", ", ");
    list.split(", ").map(|name| name.trim_matches('`').to_owned()).collect()
}

/// A file without a field that its schema requires is refused; one without any other field is read.
#[test]
fn readers_and_schemas_require_the_same_fields() {
    for kind in ["network", "datasheet", "energy", "estimator", "report", "codesign"] {
        let checker = Schema::of(kind);
        let document = &samples(kind)[0];
        let mut tried = BTreeSet::new();
        for (node, at) in checker.check(document).objects {
            if !tried.insert(node.clone()) {
                continue;
            }
            let required = checker.required(&node);
            for name in &checker.objects()[&node] {
                let mut document = document.clone();
                document.pointer_mut(&at).unwrap().as_object_mut().unwrap().remove(name);
                let read = read(kind, &document.to_string()).unwrap();
                let place = format!("{kind}{at} without {name}: {read:?}");
                // A reason of another kind, such as a unit without its target, may refuse what the form allows.
                let is_missed = read.is_err_and(|said| {
                    let no_op = name == "op" && said.contains("found op ``");
                    let how = ["no field", "missing field"];
                    no_op || how.iter().any(|how| said.contains(&format!("{how} `{name}`")))
                });
                assert_eq!(required.contains(name), is_missed, "{place}");
            }
        }
    }
}
