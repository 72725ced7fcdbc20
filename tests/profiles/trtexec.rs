//! Profiles of TensorRT.

use super::*;

fn text(rows: &[(&str, &str)]) -> String {
    let row = |(name, times): &(&str, &str)| format!(r#"{{ "name" : "{name}", {times}, "percentage" : 1 }}"#);
    format!("[\n{{ \"count\" : 100 }},\n{}\n]", rows.iter().map(row).collect::<Vec<_>>().join(",\n"))
}

const MEDIAN: &str = r#""timeMs" : 500, "averageMs" : 5, "medianMs" : 0.002"#;

#[test]
fn the_median_of_a_run_is_taken_and_fused_rows_belong_to_the_largest_layer() {
    let read = profile(
        ProfileFormat::Trtexec,
        &text(&[
            ("Reformatting CopyNode for Input Tensor 0 to stem", MEDIAN),
            ("stem + PWN(PWN(stem/act), b1.dw)", MEDIAN),
            ("b1.pw + b1.add", MEDIAN),
            ("pool || fc input reformatter 0", MEDIAN),
        ]),
    );
    let expected =
        [("stem", 4.0), ("b1.dw", 0.0), ("b1.pw", 2.0), ("b1.add", 0.0), ("pool", 0.0), ("fc", 2.0)];
    assert_eq!(times(&read.networks[0]), expected);
    assert_eq!(read.networks[0].latency_us, Some(8.0));
}

#[test]
fn older_releases_without_a_median_give_the_mean() {
    let names = ["stem", "b1.dw", "b1.pw", "b1.add", "pool", "fc"];
    let read = profile(
        ProfileFormat::Trtexec,
        &text(&names.map(|name| (name, r#""timeMs" : 500, "averageMs" : 0.005"#))),
    );
    assert!(times(&read.networks[0]).iter().all(|(_, us)| *us == 5.0));
    assert!(read.notes.iter().any(|note| note.contains("6 rows without a median")), "{:?}", read.notes);
    let total = profile(ProfileFormat::Trtexec, &text(&names.map(|name| (name, r#""timeMs" : 500"#))));
    assert!(times(&total.networks[0]).iter().all(|(_, us)| *us == 5000.0), "the total of 100 runs");
}

#[test]
fn what_fits_two_layers_is_refused_with_both() {
    let mut b = NetworkBuilder::new("n", Shape::new(8, 8, 3), DType::Int8);
    for name in ["a.conv", "a_conv"] {
        b.add(name, Conv2d::square(8, 3, 1), &[Source::Input], Activation::None).unwrap();
    }
    let files = [given("n.json", &text(&[("/a/conv/Conv", MEDIAN)]))];
    let said = read(ProfileFormat::Trtexec, &files, &[b.finish()]).unwrap_err().to_string();
    assert!(said.starts_with("n.json:3:1: ") && said.contains("`a.conv` and `a_conv`"), "{said}");
    assert_eq!(said.lines().count(), 1, "said once: {said}");
    let scopes = text(&[("x/stem", MEDIAN), ("y/stem", MEDIAN)]);
    let said = refused(ProfileFormat::Trtexec, &scopes);
    assert!(said.contains("`x/stem` and `y/stem`, which both fit layer `stem`"), "{said}");
    let said = refused(ProfileFormat::Trtexec, &text(&[("stem + fc", MEDIAN), ("pool + fc", MEDIAN)]));
    assert!(said.contains("layer `fc` in both rows `stem + fc` and `pool + fc`"), "{said}");
}

#[test]
fn names_that_differ_from_a_layers_are_not_guessed() {
    let said = refused(ProfileFormat::Trtexec, &text(&[("stem_2", MEDIAN)]));
    assert!(said.contains("found row `stem_2`") && said.contains("did you mean `stem`?"), "{said}");
}

#[test]
fn a_row_without_name_or_time_is_named_with_its_place() {
    let said = refused(ProfileFormat::Trtexec, "[{\"count\":3},\n{\"name\":\"stem\"},{\"averageMs\":1}]");
    assert!(said.contains("small.txt:2:1") && said.contains("small.txt:2:17"), "{said}");
    let said = refused(ProfileFormat::Trtexec, &text(&[("stem", "\"medianMs\" : -2")]));
    assert!(said.contains("small.txt:3:33: found -2"), "{said}");
}
