//! Profiles of nn-Meter.

use super::*;

const CONFIG: &str = r#"{"conv-bn-relu":{"a1":{"config":{"HW":56,"CIN":24,"COUT":64,"KERNEL_SIZE":3,"STRIDES":2}}},
    "dwconv-bn-relu6":{"b2":{"config":{"HW":14,"CIN":32,"COUT":32,"KERNEL_SIZE":5,"STRIDES":1}}},
    "fc":{"c3":{"config":{"CIN":128,"COUT":10}}}}"#;
const RESULTS: &str = r#"{"conv-bn-relu":{"a1":{"latency":"12.5 +- 0.3"}},
    "dwconv-bn-relu6":{"b2":{"latency":"1.5 +- 0.1"}},"fc":{"c3":{"latency":0.25}}}"#;

#[test]
fn configurations_and_results_join_across_files() {
    let files = [given("c.json", CONFIG), given("r.json", RESULTS)];
    let measured = read(ProfileFormat::NnMeter, &files, &[]).unwrap();
    let rows: Vec<(Kind, u64, f64)> = measured[0]
        .isolated
        .iter()
        .map(|row| (row.operations[0].kind, row.operations[0].macs(), row.latency_us))
        .collect();
    assert_eq!(
        rows,
        [
            (Kind::Conv2d, 28 * 28 * 9 * 24 * 64, 12_500.0),
            (Kind::DepthwiseConv2d, 14 * 14 * 25 * 32, 1500.0),
            (Kind::Dense, 1280, 250.0),
        ]
    );
    let said = read(ProfileFormat::NnMeter, &files[..1], &[]).unwrap_err().to_string();
    assert!(said.contains("c.json:1:") && said.contains("conv-bn-relu.a1: found no `latency`"), "{said}");
}

#[test]
fn kernels_that_are_no_operators_and_wrong_numbers_are_listed() {
    for (from, to, said) in [
        ("\"fc\"", "\"channelshuffle\"", "kernel `channelshuffle`"),
        ("\"HW\":56", "\"HW\":-56", "found -56, expected HW"),
        ("\"HW\":56", "\"HW\":1e99", "found 1e99"),
        ("\"STRIDES\":2", "\"X\":2", "`STRIDES`"),
    ] {
        let files = [given("c.json", &CONFIG.replace(from, to)), given("r.json", &RESULTS.replace(from, to))];
        let found = read(ProfileFormat::NnMeter, &files, &[]).unwrap_err().to_string();
        assert!(found.contains(said), "{to}: {found}");
    }
    for wrong in ["\"-1 +- 0\"", "\"NaN +- 1\"", "\"inf\"", "null", "1e999"] {
        let files = [given("c.json", CONFIG), given("r.json", &RESULTS.replace("\"12.5 +- 0.3\"", wrong))];
        let found = read(ProfileFormat::NnMeter, &files, &[]).unwrap_err().to_string();
        assert!(found.contains("r.json:1:34"), "{wrong}: {found}");
    }
}

#[test]
fn the_csv_tells_depthwise_by_its_groups() {
    let text = "model,input_h,input_w,cin,cout,ks,stride,groups,latency_ms\n\
                m1,56,28,24,24,3,1,24,1\nm2,56,28,24,24,3,1,1,2\nmaxpool_7,56,56,8,8,2,2,1,0.5\n";
    let measured = read(ProfileFormat::NnMeter, &[given("k.csv", text)], &[]).unwrap();
    let kinds: Vec<Kind> = measured[0].isolated.iter().map(|row| row.operations[0].kind).collect();
    assert_eq!(kinds, [Kind::DepthwiseConv2d, Kind::Conv2d, Kind::MaxPool]);
    assert_eq!(measured[0].isolated[0].latency_us, 1000.0);
    let said =
        read(ProfileFormat::NnMeter, &[given("k.csv", &text.replace("m2,56", "m2,0"))], &[]).unwrap_err();
    assert!(said.to_string().contains("k.csv:3:2: found 0"), "{said}");
}
