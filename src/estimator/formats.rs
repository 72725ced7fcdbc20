//! Number formats among the measurements.
//!
//! A multiplier that takes 8 bits does not cost what one costs that takes 32, and a
//! runtime may go another way for it. So prices and corrections are learnt for each
//! format by itself. The machine, its lanes and its memory, is one, and the format
//! with most rows tells what it is like.

use std::{borrow::Cow, cmp::Reverse};

use super::{
    fit::LEAST_LAYERS,
    training::{Sample, Training},
};
use crate::{
    error::{Error, Result},
    network::DType,
};

/// The formats that layers and operators were measured in; the one with most rows comes first, then as
/// [`DType::NAMES`] has them.
pub(super) fn all(training: &Training) -> Vec<DType> {
    let mut counted = counted(training);
    counted.sort_by_key(|(_, rows)| Reverse(*rows));
    counted.into_iter().map(|(dtype, _)| dtype).collect()
}

/// Each format that was measured, with its rows.
fn counted(training: &Training) -> Vec<(DType, usize)> {
    let rows = |dtype| training.samples.iter().filter(|sample| training.dtype(sample) == Some(dtype)).count();
    let counted = DType::NAMES.iter().map(|(_, dtype)| (*dtype, rows(*dtype)));
    counted.filter(|(_, rows)| *rows > 0).collect()
}

/// The samples of the format with most rows.
pub(super) fn main(training: &Training) -> Vec<&Sample> {
    let first = all(training).first().copied();
    training.samples.iter().filter(|sample| training.dtype(sample) == first).collect()
}

/// What teaches about the machine: all, or where there are several formats the samples of the one with most rows.
pub(super) fn only_main(training: &Training) -> Cow<'_, Training> {
    match all(training).len() {
        0 | 1 => Cow::Borrowed(training),
        _ => Cow::Owned(training.only(&main(training))),
    }
}

/// Where there are several formats, each needs rows enough to be fitted by itself.
///
/// # Errors
/// One has too few; or only whole networks were measured in it, whose sums tell the prices of no format.
pub(super) fn check(training: &Training) -> Result<()> {
    let layers = counted(training);
    let mut formats: Vec<DType> =
        training.wholes.iter().filter_map(|whole| training.dtype_of(whole)).collect();
    formats.extend(layers.iter().map(|(dtype, _)| *dtype));
    let formats: Vec<DType> =
        DType::NAMES.iter().map(|(_, dtype)| *dtype).filter(|dtype| formats.contains(dtype)).collect();
    if formats.len() < 2 {
        return Ok(());
    }
    let rows = |dtype: DType| layers.iter().find(|(known, _)| *known == dtype).map_or(0, |(_, rows)| *rows);
    let Some(short) = formats.iter().find(|dtype| rows(**dtype) < LEAST_LAYERS) else { return Ok(()) };
    let others: Vec<&str> =
        formats.iter().filter(|dtype| *dtype != short).map(|dtype| dtype.name()).collect();
    Err(Error::unusable(format!(
        "{} measured layers or isolated operators in {short} are too few beside what was measured in {}: each number \
         format is fitted by itself; measure at least {LEAST_LAYERS} in {short}, better some hundred, or fit it \
         into an estimator of its own",
        rows(*short),
        others.join(" and ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        estimator::{Estimator, FitOptions, fit},
        measurement::{Kind, Measurements, parse_measurements},
        network::{Activation, Network, NetworkBuilder, Shape, Source, ops::*},
    };

    fn network(number: u32, dtype: DType) -> Network {
        let (h, c) = (6 + number % 13, 8 + number * 7 % 90);
        let mut b = NetworkBuilder::new(format!("n{number}"), Shape::new(h, h, c), dtype);
        let x = b.add("a", Conv2d::square(c, 1, 1), &[Source::Input], Activation::None).unwrap();
        let x = b.add("b", Conv2d::square(c, 3, 1), &[x], Activation::None).unwrap();
        b.add("c", Conv2d::square(c, 1, 1), &[x], Activation::None).unwrap();
        b.finish()
    }

    /// Microseconds of a layer on a device that multiplies four times as slowly in fp32, and moves four times the bytes.
    fn us(h: u32, c: u32, taps: u32, dtype: DType) -> f64 {
        let (pixels, slower) = (f64::from(h * h), dtype.bytes() as f64);
        0.5 + slower
            * (pixels * f64::from(taps * c * c.next_multiple_of(8)) / 3000.0 + pixels * f64::from(c) / 50.0)
    }

    /// Networks as they are measured in one format; the rows say which, whatever the graphs say.
    fn table(networks: std::ops::Range<u32>, dtype: DType) -> Measurements {
        let mut text = "op,in_h,in_w,cin,cout,kernel,stride,network,layer,latency_us,dtype\n".to_owned();
        for number in networks {
            let Shape { h, c, .. } = network(number, dtype).input();
            let layers = [("a", 1), ("b", 3), ("c", 1)];
            for (layer, kernel) in layers {
                let us = us(h, c, kernel * kernel, dtype);
                text += &format!("conv2d,{h},{h},{c},{c},{kernel},1,n{number},{layer},{us},{dtype}\n");
            }
            let sum: f64 = layers.iter().map(|(_, kernel)| us(h, c, kernel * kernel, dtype)).sum();
            text += &format!("network,,,,,,,n{number},,{},{dtype}\n", sum + 4.0);
        }
        parse_measurements("c.csv", &text).unwrap()
    }

    fn fitted(tables: &[Measurements]) -> Result<Estimator> {
        let graphs: Vec<Network> = (0..90).map(|number| network(number, DType::Int8)).collect();
        Ok(fit(tables, &graphs, &FitOptions::default())?.estimator)
    }

    #[test]
    fn formats_of_one_device_are_priced_each_by_its_own_rows() {
        let tables = [table(0..70, DType::Int8), table(0..60, DType::Fp32)];
        let estimator = fitted(&tables).unwrap();
        assert_eq!(estimator.dtypes(), [DType::Int8, DType::Fp32]);
        for number in 75..90 {
            for dtype in [DType::Int8, DType::Fp32] {
                let network = network(number, dtype);
                let Shape { h, c, .. } = network.input();
                let measured = 4.0 + 2.0 * us(h, c, 1, dtype) + us(h, c, 9, dtype);
                let error = estimator.latency_us(&network) / measured - 1.0;
                assert!(error.abs() < 0.15, "n{number} in {dtype}: {error}");
                assert!(estimator.unmeasured_kinds(&network).is_empty());
            }
            let between = network(number, DType::Fp16);
            assert!(!estimator.estimate(&between).in_range(), "fp16 was not measured");
            assert!(estimator.unmeasured_kinds(&between).contains(&Kind::Conv2d));
        }
        let text = estimator.to_json().unwrap();
        let again = Estimator::parse("e.json", &text).unwrap();
        let one = network(80, DType::Fp32);
        assert_eq!((again.latency_us(&one), again.hash()), (estimator.latency_us(&one), estimator.hash()));
        let said = Estimator::parse("e.json", &text.replacen("\"fp32\": {", "\"fp8\": {", 1))
            .unwrap_err()
            .to_string();
        assert!(said.contains("by_dtype.fp8"), "{said}");
    }

    #[test]
    fn one_format_is_fitted_as_ever_and_a_second_one_changes_nothing_of_the_first() {
        let alone = fitted(&[table(0..70, DType::Int8)]).unwrap();
        assert!(!alone.to_json().unwrap().contains("by_dtype"));
        let both = fitted(&[table(0..70, DType::Int8), table(0..60, DType::Fp32)]).unwrap();
        let [alone, both] = [&alone, &both].map(Estimator::document);
        assert_eq!(
            (&alone.kinds, &alone.corrections, alone.machine),
            (&both.kinds, &both.corrections, both.machine)
        );
        assert_eq!(both.by_dtype.keys().collect::<Vec<_>>(), ["fp32"]);
    }

    #[test]
    fn a_format_with_hardly_any_rows_is_refused() {
        let said = fitted(&[table(0..70, DType::Int8), table(0..3, DType::Fp16)]).unwrap_err().to_string();
        assert!(
            said.contains("9 measured layers or isolated operators in fp16 are too few beside"),
            "{said}"
        );
    }
}
