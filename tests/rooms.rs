//! The rooms of the house and who may import whom: lower never imports higher.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each room with its floor. Rooms of one floor may import each other.
const FLOORS: [(&str, u32); 22] = [
    ("units", 0),
    ("stable_hash", 0),
    ("schemas", 0),
    ("error", 1),
    ("io", 1),
    ("process", 2),
    ("network", 2),
    ("space", 3),
    ("measurement", 3),
    ("onnx", 3),
    ("tflite", 3),
    ("torch", 3),
    ("measure", 3),
    ("estimator", 4),
    ("trainability", 4),
    ("energy", 4),
    ("trainer", 4),
    ("search", 5),
    ("objective", 5),
    ("report", 6),
    ("cli", 7),
    ("main", 8),
];

/// Packages that only these places may use.
const KEPT_APART: [(&str, &[&str]); 9] = [
    ("linfa", &["src/estimator/regression.rs"]),
    ("ndarray", &["src/estimator/regression.rs"]),
    ("prost", &["src/onnx/proto.rs"]),
    ("flatbuffers", &["src/tflite/file.rs"]),
    ("tract_onnx", &["src/measure/runner/tract.rs"]),
    ("clap", &["src/cli"]),
    ("indicatif", &["src/cli"]),
    ("anyhow", &["src/cli"]),
    ("std::process", &["src/cli", "src/main.rs", "src/process", "src/measure/runner", "src/trainer"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn room(path: &Path) -> String {
    let below = path.strip_prefix("src").unwrap();
    below.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn floor(room: &str) -> u32 {
    let found = FLOORS.iter().find(|(name, _)| *name == room);
    found.unwrap_or_else(|| panic!("room `{room}` has no floor; give it one in tests/rooms.rs")).1
}

/// The names after `crate::` and `nas::`, also those in braces.
fn imports(text: &str) -> Vec<String> {
    let code: String =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut names = Vec::new();
    for prefix in ["crate::", "nas::"] {
        for (start, _) in code.match_indices(prefix) {
            let rest = &code[start + prefix.len()..];
            match rest.strip_prefix('{') {
                Some(list) => names.extend(heads(list)),
                None => names.push(word(rest)),
            }
        }
    }
    names
}

/// The first path segment of each item of a brace list.
fn heads(list: &str) -> Vec<String> {
    let mut depth = 0;
    let mut item = String::new();
    let mut heads = Vec::new();
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(std::mem::take(&mut item)),
            _ if depth == 0 => item.push(c),
            _ => {}
        }
    }
    heads.push(item);
    heads.iter().map(|item| word(item.trim())).filter(|item| !item.is_empty()).collect()
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn no_room_imports_a_higher_one() {
    for path in sources(Path::new("src")) {
        let here = room(&path);
        if here == "lib" {
            continue;
        }
        for import in imports(&fs::read_to_string(&path).unwrap()) {
            let known = FLOORS.iter().any(|(name, _)| *name == import);
            if known {
                assert!(
                    floor(&import) <= floor(&here),
                    "{} (floor {}) imports {import} (floor {})",
                    path.display(),
                    floor(&here),
                    floor(&import)
                );
            }
        }
    }
}

#[test]
fn every_room_has_a_floor() {
    for path in sources(Path::new("src")) {
        let here = room(&path);
        assert!(here == "lib" || floor(&here) <= 8, "{}", path.display());
    }
}

#[test]
fn packages_with_a_place_of_their_own_stay_there() {
    for path in sources(Path::new("src")) {
        let text = fs::read_to_string(&path).unwrap();
        for (package, places) in KEPT_APART {
            let used = text.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| {
                line.contains(&format!("{package}::")) || line.contains(&format!("use {package}"))
            });
            let allowed = places.iter().any(|place| path.starts_with(place));
            assert!(!used || allowed, "{} uses {package}", path.display());
        }
    }
}
