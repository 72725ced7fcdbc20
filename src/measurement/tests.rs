//! Reading measurement CSVs with everything that people write into them.

use super::*;

const HEADER: &str = "op,in_h,in_w,cin,cout,kernel,stride,latency_us\n";

fn with(text: &str, options: &ReadOptions) -> crate::error::Result<Measurements> {
    parse_measurements_with("m.csv", text, options)
}

fn said(text: &str) -> String {
    parse_measurements("m.csv", text).unwrap_err().to_string()
}

/// Convolutions of different sizes on a device that does 1000 multiply-adds a microsecond.
fn rows(count: u32) -> String {
    let row = |i: u32| {
        let (h, cin, cout) = (8 + 4 * (i % 5), 8 + 8 * (i % 3), 8 + 8 * (i % 7));
        let us = f64::from(h * h * 9 * cin * cout) / 1000.0;
        format!("conv2d,{h},{h},{cin},{cout},3,{},{us}\n", 1 + i % 2)
    };
    (0..count).map(row).collect()
}

#[test]
fn columns_are_known_by_other_names_and_each_is_told() {
    let text = "Operator,hw,in_channels,filters,k,strides,averageMs\nconv2d,9,4,8,3,1,0.5\n";
    let read = parse_measurements("m.csv", text).unwrap();
    let operation = read.isolated[0].operations[0];
    assert_eq!((operation.input, operation.kernel), (crate::network::Shape::new(9, 9, 4), [3, 3]));
    assert_eq!((read.isolated[0].latency_us, read.unit), (500.0, Unit::Milliseconds));
    for (name, known) in [("Operator", "op"), ("hw", "in_h"), ("k", "kernel"), ("averageMs", "latency_ms")] {
        let note = format!("column `{name}` read as `{known}`");
        assert!(read.notes.contains(&note), "{note}: {:?}", read.notes);
    }
    let both = "op,input_h,input_w,cin,cout,ks,s,medianMs\nconv2d,9,7,4,8,3,1,0.5\n";
    let read = parse_measurements("m.csv", both).unwrap();
    assert_eq!(read.isolated[0].operations[0].input, crate::network::Shape::new(9, 7, 4));
}

#[test]
fn unknown_columns_are_named_with_the_nearest_unless_ignored() {
    let text = HEADER.replace("kernel", "kernal") + "conv2d,8,8,4,4,3,1,5\n";
    assert!(
        said(&text).contains("m.csv:1:6: found unknown column `kernal`, expected `kernel`"),
        "{}",
        said(&text)
    );
    let text = HEADER.replace('\n', ",temperature\n") + "conv2d,8,8,4,4,3,1,5,hot\n";
    assert!(said(&text).contains("--ignore-column temperature"));
    let options = ReadOptions { ignored_columns: vec!["temperature".into()], ..ReadOptions::default() };
    assert_eq!(with(&text, &options).unwrap().rows, 1);
    let twice = HEADER.replace('\n', ",avg_us\n") + "conv2d,8,8,4,4,3,1,5,5\n";
    assert!(said(&twice).contains("`latency_us` a second time, as `avg_us`"), "{}", said(&twice));
}

#[test]
fn a_file_without_line_breaks_is_refused_in_few_words() {
    let huge = "x".repeat(5_000_000);
    assert!(said(&huge).len() < 10_000);
    let cell = format!("{HEADER}conv2d,{huge},8,4,4,3,1,5\n");
    assert!(said(&cell).len() < 10_000 && said(&cell).contains("5000000 bytes"));
    let wide = "a,".repeat(200_000);
    assert!(said(&wide).len() < 50_000, "{}", said(&wide).len());
    let ragged = format!("{HEADER}{}\n", "1,".repeat(200_000));
    assert!(said(&ragged).contains("m.csv:2:8: found 200001 cells"), "{}", said(&ragged));
}

#[test]
fn bad_rows_are_left_out_on_request_and_counted() {
    let bad = "conv2d,0,8,4,4,3,1,5\nconv2d,8,8,4,4,3,1,-5\nconv2d,8,8\nconvolution,8,8,4,4,3,1,5\n";
    let text = format!("{HEADER}{}{bad}", rows(8));
    assert_eq!(said(&text).lines().count(), 4);
    let options = ReadOptions { skip_bad_rows: true, ..ReadOptions::default() };
    let read = with(&text, &options).unwrap();
    assert_eq!((read.rows, read.skipped.count), (8, 4));
    assert_eq!(read.skipped.problems[2].position, Some((12, 3)));
    let many = format!("{HEADER}{}{}", rows(8), bad.repeat(100));
    let read = with(&many, &options).unwrap();
    assert_eq!((read.skipped.count, read.skipped.problems.len()), (400, 50));
    assert!(
        with(&format!("{HEADER}{bad}"), &options)
            .unwrap_err()
            .to_string()
            .contains("no row that can be used")
    );
    assert!(said(&many).contains("350 more problems"));
}

#[test]
fn impossible_latencies_are_refused_with_their_place() {
    for (latency, reason) in [
        ("1e-9", "10^6 GMAC/s"),
        ("1e15", "eleven days"),
        ("1e400", "above zero"),
        ("nan", "above zero"),
        ("-inf", "above zero"),
        ("0", "above zero"),
    ] {
        let said = said(&format!("{HEADER}conv2d,8,8,4,4,3,1,{latency}\n"));
        assert!(
            said.starts_with("m.csv:2:8: latency_us: found") && said.contains(reason),
            "{latency}: {said}"
        );
    }
}

#[test]
fn two_units_in_one_column_are_found_and_the_rows_named() {
    let text = HEADER.to_owned() + &rows(40);
    assert!(parse_measurements("m.csv", &text).is_ok());
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for line in [5, 17] {
        let (head, us) = lines[line - 1].rsplit_once(',').unwrap();
        lines[line - 1] = format!("{head},{}", us.parse::<f64>().unwrap() / 1000.0);
    }
    let said = said(&lines.join("\n"));
    assert!(said.contains("two units in one column: the rows in lines 5, 17 are about"), "{said}");
}

#[test]
fn a_network_in_another_unit_than_its_layers_is_found() {
    let head = HEADER.replace("latency_us", "network,layer,latency_us");
    let text = |whole: f64| {
        format!("{head}add,8,8,4,4,1,1,n,a,5\nadd,8,8,4,4,1,1,n,b,6\nnetwork,,,,,,,n,,{whole}\n")
    };
    assert!(parse_measurements("m.csv", &text(14.0)).is_ok());
    for wrong in [0.012, 12_000.0] {
        assert!(said(&text(wrong)).contains("network `n` about a thousand times off"), "{wrong}");
    }
}

#[test]
fn what_never_varies_is_said() {
    let text = HEADER.to_owned() + &rows(20).replace(",3,2,", ",3,1,");
    let notes = parse_measurements("m.csv", &text).unwrap().notes;
    assert_eq!(
        notes,
        [
            "warning: stride is the same in every convolution: what a stride costs cannot be learnt",
            "warning: kernel is the same in every convolution: what a larger kernel costs cannot be learnt"
        ]
    );
}

#[test]
fn repeats_give_noise_and_conflicts_are_told() {
    let repeats: String =
        ["5", "5.1", "4.9", "5.05", "11"].map(|us| format!("conv2d,8,8,4,4,3,1,{us}\n")).concat();
    let read = parse_measurements("m.csv", &(HEADER.to_owned() + &repeats)).unwrap();
    assert_eq!(read.notes, ["warning: lines 4 and 6 say the same, yet 4.9 and 11 were measured"]);
    let layers = read.noise.unwrap().layers.unwrap();
    assert_eq!((layers.repeated, layers.rows), (1, 5));
    assert!((0.01..0.06).contains(&layers.single), "{layers:?}");
    assert_eq!(parse_measurements("m.csv", &(HEADER.to_owned() + &rows(20))).unwrap().noise, None);
}

#[test]
fn another_column_can_be_the_target() {
    let text = "op,in_h,in_w,cin,cout,kernel,stride,latency_us,energy_uj\nconv2d,8,8,4,4,3,1,,2.5\n";
    let options = ReadOptions { target: Some(Target::new("energy_uj")), ..ReadOptions::default() };
    let read = with(text, &options).unwrap();
    assert_eq!((read.isolated[0].latency_us, read.unit), (2.5, Unit::Target));
    assert_eq!(read.target.unwrap().unit, "uJ");
    let said = |name: &str| {
        let options = ReadOptions { target: Some(Target::new(name)), ..ReadOptions::default() };
        with(text, &options).unwrap_err().to_string()
    };
    assert!(said("energy_mj").contains("no column `energy_mj` for --target, expected `energy_uj`"));
    assert!(said("latency_us").contains("latency is what is fitted without --target"));
}

#[test]
fn a_clock_may_be_given_for_all_rows() {
    let text = HEADER.replace("latency_us", "cycles") + "conv2d,8,8,4,4,3,1,500\n";
    assert!(said(&text).contains("clock_mhz"));
    let options = ReadOptions { clock_mhz: Some(250.0), ..ReadOptions::default() };
    assert_eq!(with(&text, &options).unwrap().isolated[0].latency_us, 2.0);
}
