use super::*;
use crate::{
    estimator::Moved,
    network::{Activation, NetworkBuilder, Shape, Source, ops::*},
    units::{Bytes, Macs},
};

const SHIPPED: &str = include_str!("../../energy/horowitz-2014-45nm.json");
const ESTIMATOR: &str = include_str!("../../estimators/ethos-u65-512.json");

fn shipped() -> EnergyModel {
    EnergyModel::parse("horowitz-2014-45nm.json", SHIPPED).unwrap()
}

fn estimator() -> Estimator {
    Estimator::parse("ethos-u65-512.json", ESTIMATOR).unwrap()
}

/// The estimator as if it had been fitted on energies in `unit`.
fn of_energy(unit: &str) -> String {
    let mut file: serde_json::Value = serde_json::from_str(ESTIMATOR).unwrap();
    file["target"] = "energy".into();
    file["unit"] = unit.into();
    file.to_string()
}

/// A convolution with its nonlinearity, a pool and a sum.
fn network(side: u32, dtype: DType) -> Network {
    let mut b = NetworkBuilder::new("n", Shape::new(side, side, 3), dtype);
    let x = b.add("conv", Conv2d::square(16, 3, 1), &[Source::Input], Activation::Relu6).unwrap();
    let y = b.add("point", Conv2d::square(16, 1, 1), &[x], Activation::None).unwrap();
    let z = b.add("sum", Add, &[x, y], Activation::None).unwrap();
    b.add("pool", GlobalAvgPool, &[z], Activation::None).unwrap();
    b.finish()
}

#[test]
fn amounts_are_what_can_be_counted_by_hand() {
    let network = network(8, DType::Int8);
    let amounts = Amounts::of(&network, &estimator().graph(&network));
    let pixels = 64;
    let expected = Amounts {
        macs: Macs(pixels * (27 * 16 + 16 * 16)),
        // The nonlinearity, the sum, and the pool that adds up all.
        operations: pixels * 16 * 3,
        weights: Bytes(27 * 16 + 16 * 16 + 2 * 16 * 4),
        // Written once each and read by two, one and one; the pool's result leaves.
        moved: Moved { on_chip: pixels * 16 * 7, off_chip: 0, network_io: pixels * 3 + 16 },
    };
    assert_eq!(amounts, expected);
}

#[test]
fn a_table_prices_each_amount() {
    let network = network(8, DType::Int8);
    let found = shipped().estimate(&network, &estimator()).unwrap();
    let parts = found.parts.unwrap();
    let near = |found: f64, pj: f64| assert!((found - 1e-6 * pj).abs() < 1e-12 * pj, "{found} {pj}");
    near(parts.compute_uj, 0.3 * (64.0 * 688.0) + 0.03 * (64.0 * 48.0));
    near(parts.on_chip_uj, 12.5 * 64.0 * 16.0 * 7.0);
    near(parts.off_chip_uj, 243.75 * (688.0 + 128.0 + 192.0 + 16.0));
    assert_eq!((parts.static_uj, found.uj), (0.0, parts.total_uj()));
}

#[test]
fn static_power_counts_for_as_long_as_the_network_runs() {
    let text = SHIPPED.replace("\"static_mw\": 0", "\"static_mw\": 250");
    let table = EnergyModel::parse("t.json", &text).unwrap();
    let (network, estimator) = (network(32, DType::Int8), estimator());
    let parts = table.estimate(&network, &estimator).unwrap().parts.unwrap();
    assert_eq!(parts.static_uj, 1e-3 * 250.0 * estimator.latency_us(&network));
}

#[test]
fn weights_and_the_networks_ends_lie_where_the_table_says() {
    let text = SHIPPED.replace("\"off_chip\",", "\"on_chip\",").replace("\"off_chip\"\n", "\"on_chip\"\n");
    let inside = EnergyModel::parse("t.json", &text).unwrap();
    let (network, estimator) = (network(8, DType::Int8), estimator());
    let parts = |model: &EnergyModel| model.estimate(&network, &estimator).unwrap().parts.unwrap();
    assert_eq!(parts(&inside).off_chip_uj, 0.0);
    assert!(parts(&inside).on_chip_uj > parts(&shipped()).on_chip_uj);
}

/// The shipped figures: a 16-bit multiply-add costs less than a third of a 32-bit one, and an 8-bit one less still.
#[test]
fn fewer_bits_cost_less() {
    let (model, estimator) = (shipped(), estimator());
    let compute = |dtype| {
        model.estimate(&network(16, dtype), &estimator).unwrap().parts.map(|parts| parts.compute_uj).unwrap()
    };
    let [int8, fp16, fp32] = [DType::Int8, DType::Fp16, DType::Fp32].map(compute);
    assert!(3.0 * fp16 < fp32 && 3.0 * int8 < fp16, "{int8} {fp16} {fp32}");
    assert!(model.is_relative(), "figures of 45 nm are no joules of today");
}

/// Tensors of 1 MiB do not fit on a chip of 384 KiB.
#[test]
fn what_does_not_stay_on_the_chip_costs_more() {
    let (model, estimator) = (shipped(), estimator());
    let share = |side| {
        let parts = model.estimate(&network(side, DType::Int8), &estimator).unwrap().parts.unwrap();
        parts.off_chip_uj / parts.compute_uj
    };
    assert!(share(256) > 2.0 * share(64), "{} {}", share(256), share(64));
}

#[test]
fn an_estimator_of_energies_is_read_in_its_unit() {
    let network = network(32, DType::Int8);
    let plain = estimator().latency_us(&network);
    for (unit, scale) in [("uJ", 1.0), ("mJ", 1e3), ("nJ", 1e-3), ("pJ", 1e-6), ("J", 1e6)] {
        let model = EnergyModel::parse("e.json", &of_energy(unit)).unwrap();
        let found = model.estimate(&network, &estimator()).unwrap();
        assert_eq!(found.uj, scale * plain, "{unit}");
        assert_eq!(model.energy_uj(&network, &estimator()).unwrap(), found.uj);
        let (low, high) = found.interval_uj.unwrap();
        assert!(low <= found.uj && found.uj <= high && found.parts.is_none());
    }
}

#[test]
fn what_is_no_energy_is_refused_with_what_to_do() {
    let said = |text: &str| EnergyModel::parse("e.json", text).unwrap_err().to_string();
    assert!(said(ESTIMATOR).contains("found an estimator of latency, expected an estimator of an energy"));
    assert!(said(&of_energy("ms")).contains("unit: found `energy` in \"ms\""));
    assert!(said("{\"schema\": \"nas.space/1\"}").contains("expected \"nas.energy/1\""));
    let fp16 =
        EnergyModel::parse("t.json", &SHIPPED.replace("\"fp16\": 1.5, ", "").replace("\"fp16\": 0.4, ", ""));
    let refused = fp16.unwrap().estimate(&network(8, DType::Fp16), &estimator()).unwrap_err().to_string();
    assert!(refused.contains("t.json has no energy of operations in fp16, only in int8, fp32"), "{refused}");
}

#[test]
fn a_table_tells_all_its_problems_with_their_places() {
    let text = SHIPPED
        .replace("\"static_mw\": 0", "\"static_mw\": -1")
        .replace("\"on_chip\": 12.5", "\"on_chip\": 0")
        .replace("\"fp16\": 0.4, ", "")
        .replace("\"weights\": \"off_chip\"", "\"weights\": \"offchip\"")
        .replace("\"relative\"", "\"relativ\"");
    let said = EnergyModel::parse("t.json", &text).unwrap_err().to_string();
    for expected in [
        "t.json:6:3: found unknown field `relativ`, expected `relative`",
        "t.json:8:23: pj_per_operation: found int8, fp32, expected int8, fp16, fp32 as in pj_per_mac",
        "t.json:9:31: pj_per_byte.on_chip: found 0, expected a number from 0.000001 to 1000000000",
        "t.json:10:16: static_mw: found -1, expected a number from 0 to 1000000",
        "t.json:11:14: weights: found \"offchip\", expected one of off_chip, on_chip; did you mean `off_chip`?",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    assert!(EnergyModel::parse("t.json", &SHIPPED.replace("M. Horowitz", " ")).is_ok());
    let nowhere = SHIPPED.lines().map(|line| match line.contains("\"source\"") {
        true => "\"source\": \" \",",
        false => line,
    });
    let said = EnergyModel::parse("t.json", &nowhere.collect::<Vec<_>>().join("\n")).unwrap_err().to_string();
    assert!(said.contains("source: found \" \", expected where the figures come from"), "{said}");
}

#[test]
fn a_saved_model_is_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("e.json");
    let shipped = shipped();
    shipped.save(&file).unwrap();
    let again = EnergyModel::load(&file).unwrap();
    assert_eq!((again.hash(), again.name()), (shipped.hash(), "horowitz-2014-45nm"));
}
