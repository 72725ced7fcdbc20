//! JSON Schema (draft 2020-12) of every file that is read or written, for editors and other programs.
//!
//! The readers do not use these: they say what is wrong with line, column and
//! the nearest known name. The tests hold both together.

/// The schema of one kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSchema {
    /// The kind as it stands in a file's `schema`: `space` of `nas.space/1`.
    pub kind: &'static str,
    /// What such a file is.
    pub about: &'static str,
    /// The schema as JSON.
    pub text: &'static str,
}

macro_rules! schemas {
    ($($kind:literal: $about:literal,)*) => {
        /// The schema of each kind of file.
        pub const SCHEMAS: &[FileSchema] = &[$(FileSchema {
            kind: $kind,
            about: $about,
            text: include_str!(concat!("../schemas/", $kind, ".schema.json")),
        },)*];
    };
}

schemas! {
    "space": "a search space",
    "network": "a network; a .jsonl file has one a line",
    "datasheet": "a chip as its datasheet describes it",
    "energy": "what operations and bytes cost in energy",
    "estimator": "an estimator as `nas fit` writes it",
    "report": "the result of a search",
    "codesign": "the result of a search for several chips",
    "estimate": "a line of `nas estimate --format json`",
    "fit-report": "`nas fit --format json`",
    "comparison": "`nas compare --format json` of two runs",
    "trend": "`nas compare --format json` of more than two",
}

/// The schema of files of `kind`.
#[must_use]
pub fn schema(kind: &str) -> Option<&'static FileSchema> {
    SCHEMAS.iter().find(|schema| schema.kind == kind)
}
