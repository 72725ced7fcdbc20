//! Files with errors in any place are read or refused, and never crash.

use proptest::prelude::*;

use super::*;

const FORMATS: [ProfileFormat; 6] = [
    ProfileFormat::Vela,
    ProfileFormat::Ort,
    ProfileFormat::Trtexec,
    ProfileFormat::Tflite,
    ProfileFormat::Qnn,
    ProfileFormat::NnMeter,
];

const TRT: &str =
    r#"[{"count":3},{"name":"stem + b1.dw","timeMs":1,"medianMs":0.1},{"name":"fc","averageMs":2}]"#;
const NN_METER: &str =
    r#"{"conv":{"a":{"config":{"HW":8,"CIN":8,"COUT":8,"KERNEL_SIZE":3,"STRIDES":1},"latency":"1 +- 0"}}}"#;
const QNN: &str = "Msg Timestamp,Message,Time,Unit of Measurement,Timing Source,Event Level,Event Identifier\n\
                   0,NODE,5,US,B,S,stem:OpId_1\n0,NODE,5,CYCLES,B,S,b1.dw\n";
const TFLITE: &str = "=== Run Order ===\nnode type, start, first, avg_ms, %, cdf%, mem KB, times called, name\n\
                      CONV_2D, 0, 1, 2, 3%, 4%, 0, 1, [stem/Relu6;stem/Conv2D]:0\n";

fn texts() -> Vec<String> {
    let files = ["mobilenet-v2_per-layer.csv", "ort-basic.json"].map(|name| file(name).1);
    files.into_iter().chain([TRT, NN_METER, QNN, TFLITE].map(str::to_owned)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_change_anywhere_is_no_crash(
        which in 0_usize..6,
        format in 0_usize..6,
        at in 0.0_f64..1.0,
        length in 0_usize..40,
        put in "[-0-9a-z\\[\\]{}\",:;/ +.\n]{0,12}",
        skip_bad_rows: bool,
    ) {
        let text = texts().remove(which);
        let cut = |place: usize| (0..=place.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let start = cut((at * text.len() as f64) as usize);
        let changed = format!("{}{put}{}", &text[..start], &text[cut(start + length)..]);
        let options = ReadOptions { skip_bad_rows, clock_mhz: Some(100.0), ..ReadOptions::default() };
        for models in [vec![], vec![small()], vec![small(), model("mobilenet-v2.json")]] {
            let files = [given("mobilenet-v2_per-layer.csv", &changed)];
            if let Ok(files) = parse_profiles(FORMATS[format], &files, &models, &options) {
                for file in files {
                    let layers = file.networks.iter().flat_map(|network| &network.layers);
                    prop_assert!(layers.into_iter().all(|layer| layer.latency_us >= 0.0 && layer.latency_us.is_finite()));
                }
            }
        }
    }

    #[test]
    fn any_csv_is_read_or_refused(text in "(op|in_h|hw|cin|cout|k|stride|latency_ms|conv2d|[0-9.e,-]|\n|\"|x){0,60}") {
        let _ = nas::measurement::parse_measurements("m.csv", &text);
        let text = format!("op,hw,cin,cout,k,stride,latency_ms\n{text}");
        let options = ReadOptions { skip_bad_rows: true, ..ReadOptions::default() };
        let _ = nas::measurement::parse_measurements_with("m.csv", &text, &options);
    }
}
