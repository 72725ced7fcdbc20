//! Profiles of QNN.

use super::*;

const HEAD: &str =
    "Msg Timestamp,Message,Time,Unit of Measurement,Timing Source,Event Level,Event Identifier";

fn run(cycles: u32) -> String {
    let names = ["stem", "b1_dw", "b1_pw", "b1_add", "pool", "fc"];
    let node = |(id, name): (usize, &str)| {
        format!("0,NODE,{cycles},CYCLES,BACKEND,SUB-EVENT,/{name}/Conv_token_1:OpId_{id} (cycles)\n")
    };
    let nodes: String = names.into_iter().enumerate().map(node).collect();
    format!(
        "0,EXECUTE,90,US,BACKEND,ROOT,NULL\n0,BACKEND,4,COUNT,BACKEND,SUB-EVENT,Number of HVX threads used\n\
         0,BACKEND,60,US,BACKEND,SUB-EVENT,Accelerator (execute) time\n\
         0,BACKEND,60000,CYCLES,BACKEND,SUB-EVENT,Accelerator (execute) time (cycles)\n\
         0,NODE,50,CYCLES,BACKEND,SUB-EVENT,Input OpId_2 (cycles)\n{nodes}"
    )
}

#[test]
fn cycles_become_time_by_the_accelerators_own_and_the_first_run_is_dropped() {
    let runs = run(90_000) + &run(9000) + &run(11_000) + &run(10_000);
    let read = profile(ProfileFormat::Qnn, &format!("{HEAD}\n{runs}"));
    assert!(times(&read.networks[0]).iter().all(|(_, us)| *us == 10.0), "{:?}", times(&read.networks[0]));
    assert_eq!(read.networks[0].latency_us, Some(60.0));
    assert!(read.notes.iter().any(|note| note.contains("clock: 1000.0 MHz")), "{:?}", read.notes);
}

#[test]
fn a_newer_column_and_a_header_in_the_middle_are_no_trouble() {
    let lines: Vec<String> = run(10_000).lines().map(|line| format!("{line},\n")).collect();
    let head = format!("{HEAD},ONNX Source Ops\n");
    let text = [head.clone(), lines.concat(), head, lines.concat()].concat();
    assert_eq!(profile(ProfileFormat::Qnn, &text).networks[0].layers.len(), 6);
}

#[test]
fn without_the_accelerators_time_a_clock_must_be_given() {
    let text = format!("{HEAD}\n{}", run(10_000).replace("Accelerator (execute)", "Something"));
    assert!(refused(ProfileFormat::Qnn, &text).contains("--clock-mhz"));
    let options = ReadOptions { clock_mhz: Some(500.0), ..ReadOptions::default() };
    let read =
        parse_profiles(ProfileFormat::Qnn, &[given("small.csv", &text)], &[small()], &options).unwrap();
    assert!(times(&read[0].networks[0]).iter().all(|(_, us)| *us == 20.0));
}

#[test]
fn another_unit_is_refused() {
    let text = format!("{HEAD}\n{}", run(10_000).replacen("10000,CYCLES", "10000,TICKS", 1));
    assert!(refused(ProfileFormat::Qnn, &text).contains("small.txt:7:4: found TICKS"));
}
