//! Lanes of devices that are known.

use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

use super::*;
use crate::measurement::{Measurements, parse_measurements, read_measurements};

/// A device with a roofline.
#[derive(Clone, Copy)]
struct Device {
    input: u32,
    output: u32,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq)]
enum Rows {
    Isolated(usize),
    /// Layers of networks of ten.
    InContext(usize),
}

impl Device {
    /// Overhead, and the slower of tiled arithmetic and memory.
    fn latency_us(self, op: &str, side: u32, cin: u32, cout: u32, kernel: u32) -> f64 {
        let pixels = f64::from(side * side);
        let taps = f64::from(kernel * kernel);
        let depth = if op == "depthwise_conv2d" { 1 } else { cin };
        let tiled = if depth == 1 { 1 } else { depth.next_multiple_of(self.input) };
        let compute = pixels * taps * f64::from(tiled) * f64::from(cout.next_multiple_of(self.output)) / 1e5;
        let weights = taps * f64::from(depth) * f64::from(cout);
        let memory = pixels * f64::from(cin + cout) / 4e3 + weights / 1e3;
        3.0 + compute.max(memory)
    }

    fn measured(self, rows: Rows, seed: u64) -> Measurements {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut between = |low: f64, high: f64| (low.ln() + random.random::<f64>() * (high / low).ln()).exp();
        let count = match rows {
            Rows::Isolated(count) | Rows::InContext(count) => count,
        };
        let mut text = "op,in_h,in_w,cin,cout,kernel,stride,network,layer,latency_us\n".to_owned();
        for row in 0..count {
            let (side, cin, cout) =
                (between(4.0, 112.0) as u32, between(3.0, 512.0) as u32, between(3.0, 512.0) as u32);
            let (op, kernel, side, cout) = match row % 20 {
                0..=7 => ("conv2d", 3, side, cout),
                8..=14 => ("conv2d", 1, side, cout),
                15..=18 => ("depthwise_conv2d", 3, side, cin),
                _ => ("dense", 1, 1, cout),
            };
            // Twelve uniform numbers less six are as good as normal.
            let normal = (0..12).map(|_| between(1.0, std::f64::consts::E).ln()).sum::<f64>() - 6.0;
            let us = self.latency_us(op, side, cin, cout, kernel) * (0.05 * normal).exp();
            let name = match rows {
                Rows::Isolated(_) => ",".to_owned(),
                Rows::InContext(_) => format!("n{},l{row}", row / 10),
            };
            text += &format!("{op},{side},{side},{cin},{cout},{kernel},1,{name},{us}\n");
        }
        parse_measurements("synthetic.csv", &text).unwrap()
    }
}

fn found(measurements: &[Measurements]) -> FoundLanes {
    let training = Training::join(measurements, &[]).unwrap();
    find(&training, &training.samples.iter().collect::<Vec<_>>()).unwrap()
}

fn check(rows: Rows, seed: u64) {
    const DEVICES: [(u32, u32); 11] =
        [(1, 1), (1, 4), (1, 8), (1, 12), (1, 16), (1, 32), (32, 8), (16, 16), (4, 1), (8, 8), (12, 32)];
    for (input, output) in DEVICES {
        let found = found(&[Device { input, output }.measured(rows, seed)]);
        assert_eq!((found.input.lanes, found.output.lanes), (input, output), "{found}");
        let sure = |lane: FoundLane| lane.lanes == 1 || lane.certainty >= 0.5;
        assert!(sure(found.output) && sure(found.input), "{input} {output}: {found}");
    }
}

#[test]
fn lanes_of_a_noisy_device_come_out_of_a_thousand_isolated_rows() {
    check(Rows::Isolated(1000), 1);
}

#[test]
fn lanes_of_a_noisy_device_come_out_of_three_hundred_isolated_rows() {
    check(Rows::Isolated(300), 2);
}

#[test]
fn lanes_of_a_noisy_device_come_out_of_rows_in_context() {
    check(Rows::InContext(1000), 3);
}

#[test]
fn rows_on_the_grid_cannot_tell() {
    let mut text = "op,in_h,in_w,cin,cout,kernel,stride,latency_us\n".to_owned();
    for row in 0..200_u32 {
        let (side, cin, cout) = (4 + row % 31, 16 * (1 + row % 7), 16 * (1 + row % 11));
        let us = Device { input: 8, output: 16 }.latency_us("conv2d", side, cin, cout, 3);
        text += &format!("conv2d,{side},{side},{cin},{cout},3,1,{us}\n");
    }
    let found = found(&[parse_measurements("grid.csv", &text).unwrap()]);
    assert!(!found.output.can_tell() && !found.input.can_tell(), "{found:?}");
    assert!(found.output.certainty < 0.5, "{found:?}");
    assert!(found.to_string().contains("cannot tell"), "{found}");
}

#[test]
fn a_device_that_waits_for_memory_alone_shows_no_lanes_even_if_memory_holds_bricks() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut text = "op,in_h,in_w,cin,cout,kernel,stride,latency_us\n".to_owned();
    for row in 0..400 {
        let mut draw = |low: u32, high: u32| random.random_range(low..high);
        let (side, cin, cout) = (draw(4, 60), draw(3, 200), draw(3, 200));
        let bricks = cin.next_multiple_of(16) + cout.next_multiple_of(16);
        let us = (2.0 + f64::from(side * side * bricks) / 1e3) * (1.0 + 0.05 * f64::from(row % 5 - 2) / 2.0);
        text += &format!("conv2d,{side},{side},{cin},{cout},1,1,{us}\n");
    }
    let found = found(&[parse_measurements("bricks.csv", &text).unwrap()]);
    assert!(found.output.lanes == 1 && found.input.lanes == 1, "{found}");
}

/// From the isolated rows of a shipped file.
fn some_rows(target: &str) -> FoundLanes {
    let path = format!("{}/estimators/ethos-u/{target}.csv.gz", env!("CARGO_MANIFEST_DIR"));
    let mut measurements = read_measurements(std::path::Path::new(&path)).unwrap();
    measurements.networks.clear();
    found(&[measurements])
}

#[test]
fn ethos_u55_has_8_output_and_8_input_lanes() {
    let found = some_rows("ethos-u55-128");
    assert_eq!((found.output.lanes, found.input.lanes), (8, 8), "{found}");
    assert!(found.output.certainty > 0.9, "{found}");
}
