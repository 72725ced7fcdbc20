//! What the command line says about itself.

use crate::common::{nas, stdout};

#[test]
fn help_lists_every_command() {
    insta::assert_snapshot!(stdout(&nas(&["--help"])));
}

#[test]
fn search_help_explains_every_option() {
    insta::assert_snapshot!(stdout(&nas(&["search", "--help"])));
}

#[test]
fn completions_and_manual_pages_are_written() {
    assert!(stdout(&nas(&["completions", "bash"])).contains("nas"));
    let folder = tempfile::tempdir().unwrap();
    assert!(nas(&["man", "--out", folder.path().to_str().unwrap()]).status.success());
    for page in ["nas.1", "nas-search.1", "nas-fit.1"] {
        assert!(folder.path().join(page).exists(), "{page}");
    }
}

#[test]
fn compare_help_explains_every_option() {
    insta::assert_snapshot!(stdout(&nas(&["compare", "--help"])));
}
