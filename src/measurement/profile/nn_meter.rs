//! Kernels as nn-Meter's builder profiles them.
//!
//! JSON has kernels by kind and number, each with a `config` and with a `latency` in milliseconds such as
//! `"12.5 +- 0.3"`; both may stand in files of their own, which join by kind and number. CSV has the columns
//! `model,input_h,input_w,cin,cout,ks,stride,groups` and one with a latency.

use std::collections::BTreeMap;

use super::{
    Text,
    lines::Lines,
    nn_meter_kernel::{Config, KNOWN, is_unknown, kind, operation},
    plausible,
    table::Table,
};
use crate::{
    error::Result,
    io::json::{Node, read_document},
    measurement::{
        checks::LONGEST_US,
        collect::{Content, collect},
        content::{Measurements, Unit},
        csv_row::{Row, Subject},
        noted::{Noted, problem_at},
        operation::Kind,
        options::ReadOptions,
    },
    network::Shape,
    stable_hash::short_id,
};

const FLOATS: &str = "fp32 assumed, as nn-Meter builds its kernels";

/// A kernel, as far as it is known.
#[derive(Default)]
struct Kernel {
    config: Option<(Config, (usize, usize))>,
    latency_us: Option<(f64, (usize, usize))>,
}

/// Kernels by kind and number.
type Kernels = BTreeMap<(String, String), Kernel>;

/// Reads all JSON files together, and each CSV on its own.
pub(super) fn read(files: &[Text<'_>], options: &ReadOptions) -> Result<Vec<Measurements>> {
    let (json, csv): (Vec<Text<'_>>, Vec<Text<'_>>) =
        files.iter().partition(|text| text.text.trim_start().starts_with(['{', '[']));
    let tables = csv.into_iter().map(|text| table(text, options));
    let mut measurements = tables.collect::<Result<Vec<Measurements>>>()?;
    if !json.is_empty() {
        measurements.push(documents(&json, options)?);
    }
    Ok(measurements)
}

fn row(name: &str, kind: Kind, config: &Config, latency_us: f64, line: usize) -> Result<Row, &'static str> {
    Ok(Row {
        subject: Subject::Operations(vec![operation(kind, name, config)?]),
        network: None,
        layer: String::new(),
        device: None,
        dtype: None,
        latency_column: 1,
        latency_us,
        line,
    })
}

fn documents(files: &[Text<'_>], options: &ReadOptions) -> Result<Measurements> {
    let noted = Noted::default();
    let mut kernels = Kernels::new();
    for text in files {
        let lines = Lines::of(text.text);
        read_document(text.file, text.text, |root| {
            for (kind, instances) in root.properties() {
                for (number, kernel) in instances.properties() {
                    let known = kernels.entry((kind.to_owned(), number.to_owned())).or_default();
                    read_kernel(*text, &kernel, &lines, known, &noted);
                }
            }
            Some(())
        })?;
    }
    let file = files.iter().map(|text| text.file).collect::<Vec<_>>().join(" + ");
    let all: String = files.iter().map(|text| text.text).collect();
    let mut rows = Vec::new();
    for ((name, number), kernel) in &kernels {
        let path = format!("{name}.{number}");
        match joined(&file, &path, name, kernel) {
            Ok(row) => rows.extend(plausible(&file, &noted, row)),
            Err(problem) => noted.push(*problem),
        }
    }
    let notes = vec![FLOATS.to_owned()];
    let content =
        Content { file: &file, hash: short_id(all.as_bytes()), unit: Unit::Milliseconds, rows, noted, notes };
    collect(content, options)
}

fn joined(file: &str, path: &str, name: &str, kernel: &Kernel) -> Result<Row, Box<crate::error::Problem>> {
    let at = |position, found: String, expected: String| {
        let problem = problem_at(file, position, found, expected);
        Box::new(crate::error::Problem { path: path.to_owned(), ..problem })
    };
    let Some((config, place)) = &kernel.config else {
        let place = kernel.latency_us.map_or((1, 1), |(_, place)| place);
        return Err(at(place, "no `config`".into(), "one here, or the file of configurations beside".into()));
    };
    let Some((latency_us, _)) = kernel.latency_us else {
        return Err(at(
            *place,
            "no `latency`".into(),
            "one here, or the file of profiled results beside".into(),
        ));
    };
    let Some(kind) = kind(name) else {
        return Err(at(*place, format!("kernel `{name}`"), KNOWN.into()));
    };
    row(name, kind, config, latency_us, place.0)
        .map_err(|field| at(*place, format!("no or a wrong `{field}`"), "nn-Meter's configuration".into()))
}

fn read_kernel(text: Text<'_>, node: &Node<'_>, lines: &Lines, kernel: &mut Kernel, noted: &Noted) {
    if let Some(config) = node.field("config") {
        let position = lines.position(config.offset());
        kernel.config = read_config(text, &config, lines, noted).map(|config| (config, position));
    }
    if let Some(latency) = node.field("latency") {
        let position = lines.position(latency.offset());
        let mean = |text: &str| text.split("+-").next().and_then(|mean| mean.trim().parse().ok());
        let number = latency.as_f64().or_else(|| mean(latency.as_str()?));
        let found = latency.describe();
        kernel.latency_us = positive_ms(text, position, &found, number, noted).map(|us| (us, position));
    }
}

fn positive_ms(
    text: Text<'_>,
    position: (usize, usize),
    found: &str,
    number: Option<f64>,
    noted: &Noted,
) -> Option<f64> {
    let latency = number.map(|ms| 1e3 * ms).filter(|us| *us > 0.0 && *us <= LONGEST_US);
    if latency.is_none() {
        noted.push(problem_at(text.file, position, found, "milliseconds above zero, as in \"12.5 +- 0.3\""));
    }
    latency
}

fn read_config(text: Text<'_>, node: &Node<'_>, lines: &Lines, noted: &Noted) -> Option<Config> {
    let mut config = Config::default();
    for (name, value) in node.properties() {
        let count = value.as_f64().filter(|count| count.fract() == 0.0).and_then(in_range);
        let Some(count) = count else {
            let position = lines.position(value.offset());
            let expected = format!("{name}: a whole number from 1 to {}", Shape::MAX_DIM);
            noted.push(problem_at(text.file, position, value.describe(), expected));
            return None;
        };
        match name.to_ascii_uppercase().as_str() {
            "HW" => (config.h, config.w) = (Some(count), Some(count)),
            // The channels of a concatenation are those of all its inputs.
            "CIN" | "CIN1" | "CIN2" | "CIN3" | "CIN4" => config.cin = Some(config.cin.unwrap_or(0) + count),
            "COUT" => config.cout = Some(count),
            "KERNEL_SIZE" => config.kernel = Some(count),
            "STRIDES" | "POOL_STRIDES" => config.stride = Some(count),
            _ => {}
        }
    }
    Some(config)
}

fn in_range(count: f64) -> Option<u32> {
    (1.0..=f64::from(Shape::MAX_DIM)).contains(&count).then_some(count as u32)
}

const WHAT: &str = "nn-Meter's columns model,input_h,input_w,cin,cout,ks,stride,groups and a latency";
/// Columns with a latency and what one of them is in microseconds; nn-Meter's own unit is the millisecond.
const LATENCIES: [(&[&str], f64, &str); 2] = [
    (&["latency_ms", "avg_ms", "median_ms", "averageMs", "medianMs", "latency"], 1e3, "ms"),
    (&["latency_us", "avg_us", "median_us"], 1.0, "us"),
];

fn table(text: Text<'_>, options: &ReadOptions) -> Result<Measurements> {
    let noted = Noted::default();
    let table = Table::read(text, &noted)?;
    let place = |names: &[&str]| table.place(text.file, names, WHAT);
    let places = [
        place(&["input_h", "in_h", "h", "hw"])?,
        place(&["input_w", "in_w", "w", "hw"])?,
        place(&["cin"])?,
        place(&["cout"])?,
        place(&["ks", "kernel_size", "kernel", "k"])?,
        place(&["stride", "strides"])?,
    ];
    let (model, groups) = (table.find(&["model", "kernel_type"]), table.find(&["groups"]));
    let found =
        LATENCIES.iter().find_map(|(names, unit_us, name)| Some((table.find(names)?, *unit_us, *name)));
    let Some((latency, unit_us, unit_name)) = found else {
        return Err(problem_at(text.file, (1, 1), "no column with a latency", WHAT).into());
    };
    let mut rows = Vec::new();
    for (line, record) in &table.rows {
        let cell = |place: usize| record.get(place).unwrap_or_default();
        let count = |place: usize| {
            let count =
                cell(place).parse().ok().filter(|count: &f64| count.fract() == 0.0).and_then(in_range);
            if count.is_none() {
                let expected = format!("a whole number from 1 to {}", Shape::MAX_DIM);
                noted.push(problem_at(text.file, (*line, place + 1), cell(place), expected));
            }
            count
        };
        let [Some(h), Some(w), Some(cin), Some(cout), Some(kernel), Some(stride)] = places.map(count) else {
            continue;
        };
        let groups = match groups.map(count) {
            Some(None) => continue,
            Some(groups) => groups,
            None => None,
        };
        let ms = cell(latency).parse().ok().map(|number: f64| number * unit_us / 1e3);
        let position = (*line, latency + 1);
        let Some(latency_us) = positive_ms(text, position, cell(latency), ms, &noted) else { continue };
        let depthwise = groups.is_some_and(|groups| groups == cin && cout == cin && groups > 1);
        let by_groups = if depthwise { Kind::DepthwiseConv2d } else { Kind::Conv2d };
        let name = model.map(cell).unwrap_or_default();
        if is_unknown(name) {
            noted.push(problem_at(text.file, (*line, 1), format!("kernel `{name}`"), KNOWN));
            continue;
        }
        let kind = kind(name).filter(|kind| *kind != Kind::Conv2d).unwrap_or(by_groups);
        let config = Config {
            h: Some(h),
            w: Some(w),
            cin: Some(cin),
            cout: Some(cout),
            kernel: Some(kernel),
            stride: Some(stride),
            groups,
        };
        match row(name, kind, &config, latency_us, *line) {
            Ok(row) => rows.extend(plausible(text.file, &noted, row)),
            Err(field) => {
                noted.push(problem_at(text.file, (*line, 1), format!("no or a wrong `{field}`"), WHAT));
            }
        }
    }
    let unit = if unit_us == 1.0 { Unit::Microseconds } else { Unit::Milliseconds };
    let notes = vec![FLOATS.to_owned(), format!("the latency is read as {unit_name}")];
    collect(Content { file: text.file, hash: text.hash(), unit, rows, noted, notes }, options)
}
