//! From the figures of a datasheet to prices of the physical model's terms.
//!
//! A price is what one unit of a term takes, in microseconds: cycles divided by
//! the clock, or bytes divided by the bandwidth. Terms that no figure speaks of
//! cost nothing.

use std::collections::BTreeMap;

use super::{Datasheet, Depthwise, MacArray};
use crate::{
    estimator::{
        FitOptions, Quality,
        document::{Document, KindModel, NetworkModel, SCHEMA, UNIT},
        evaluate::ANY,
        features::FEATURES,
        held_out::NOMINAL,
        machine::START,
        physical::{Lanes, Machine},
        range::Range,
        schedule::Stripes,
        tile::Limits,
    },
    measurement::Kind,
};

/// Bytes a microsecond of one gigabyte a second.
const BYTES_PER_US: f64 = 1e3;
/// Ends of the interval of an estimator that follows from a datasheet alone, as factors of the latency. Not
/// fitted: on three chips whose datasheets and measurements are known, 95 to 99 % of the networks lie within
/// (`cargo run --release --example calibrate_datasheet`).
pub(super) const UNMEASURED: (f64, f64) = (0.5, 2.0);

/// Tiles whose waiting for memory overlaps. No datasheet says how many; measurements do.
const TILES_IN_FLIGHT: f64 = 4.0;

/// Prices by the name of their term.
pub(super) type Named = BTreeMap<&'static str, f64>;

impl MacArray {
    /// Multiply-adds a cycle with every lane at work.
    pub(super) fn macs_per_cycle(self) -> f64 {
        f64::from(self.rows) * f64::from(self.columns) * f64::from(self.pixels)
    }
}

impl Datasheet {
    /// The estimator's file before anything was measured.
    pub(super) fn document(&self, options: &FitOptions) -> Document {
        let anonymous = format!("analytic, from the datasheet {}; nothing was measured", self.file_name());
        Document {
            schema: SCHEMA.into(),
            name: options.name.clone().unwrap_or_else(|| self.name.clone()),
            provenance: options.provenance.clone().unwrap_or(anonymous),
            unit: UNIT.into(),
            data: Vec::new(),
            machine: self.machine(),
            lanes: None,
            target: None,
            kinds: self.kinds(),
            features: FEATURES.map(str::to_owned).to_vec(),
            corrections: Vec::new(),
            by_dtype: BTreeMap::new(),
            network: NetworkModel {
                overhead: self.network_overhead_us,
                scale: 1.0,
                interval: UNMEASURED,
                nominal: NOMINAL,
            },
            quality: Quality::default(),
        }
    }

    /// The file without its folders, so that the estimator does not depend on where it lay.
    pub(super) fn file_name(&self) -> String {
        let name = std::path::Path::new(&self.file).file_name();
        name.map_or_else(|| self.file.clone(), |name| name.to_string_lossy().into_owned())
    }

    pub(super) fn machine(&self) -> Machine {
        Machine {
            lanes: Lanes { input: self.mac_array.rows, output: self.mac_array.columns },
            tile: Limits { steps: [self.step(); 3], buffers: [self.tile_bytes; 2], ..START.tile },
            burst_bytes: self.burst_bytes,
            on_chip_bytes: self.on_chip_bytes,
            stripes: if self.stripes { Stripes::Free } else { Stripes::None },
            ..START
        }
    }

    /// Rows, columns and channels of the output that the array computes at once: its pixels as a square, or
    /// twice as wide as high.
    fn step(&self) -> [u32; 3] {
        let pixels = self.mac_array.pixels;
        let rows = 1 << (pixels.ilog2() / 2);
        [rows, pixels.div_ceil(rows), self.mac_array.columns]
    }

    fn kinds(&self) -> BTreeMap<String, KindModel> {
        let model = |prices: Named| KindModel {
            rows: 0,
            prices: prices.into_iter().map(|(name, price)| (name.to_owned(), price)).collect(),
            range: Range::everything().to_map(),
        };
        let named = Kind::NAMES.map(|(name, kind)| (name.to_owned(), model(self.prices(kind))));
        let any = (ANY.to_owned(), model(self.prices(Kind::Add)));
        named.into_iter().chain([any]).collect()
    }

    /// The prices of one kind of operator; terms that cost nothing are left out.
    pub(super) fn prices(&self, kind: Kind) -> Named {
        let mut prices = self.memory();
        match kind {
            Kind::DepthwiseConv2d => prices.insert("macs_in_tiles", self.per_channel()),
            kind if kind.has_macs() => prices.insert("macs_in_tiles", self.per_mac()),
            Kind::AvgPool | Kind::MaxPool | Kind::GlobalAvgPool => prices.insert("taps", self.per_channel()),
            _ => None,
        };
        match kind {
            // Inputs are only copied.
            Kind::Concat => None,
            Kind::Add | Kind::Mul | Kind::Resize => {
                prices.insert("outputs", self.cycles(1.0 / self.element_wise_per_cycle))
            }
            _ => prices.insert("outputs", self.cycles(1.0 / self.results_per_cycle)),
        };
        prices.insert("looked_up", self.cycles(1.0 / self.lookups_per_cycle));
        prices.insert("layer", self.operator_overhead_us);
        prices.insert("layer_off_chip", self.off_chip_latency_us);
        let waiting = self.off_chip_latency_us / TILES_IN_FLIGHT;
        prices.extend([("tiles_read_off_chip", waiting), ("tiles_written_off_chip", waiting)]);
        prices.retain(|_, price| *price > 0.0);
        prices
    }

    /// What moving bytes costs, whatever the operator.
    fn memory(&self) -> Named {
        let on_chip = 1.0 / (self.on_chip_gb_per_s * BYTES_PER_US);
        let off_chip = 1.0 / (self.off_chip_gb_per_s * BYTES_PER_US);
        let mut prices = Named::from([
            ("fetched_bytes", on_chip),
            ("output_bytes", on_chip),
            ("weight_bytes_again", on_chip),
            ("weight_bytes", off_chip),
            ("weight_bytes_again_off_chip", off_chip),
            ("spilled_fetched_bytes", off_chip),
            ("spilled_output_bytes", off_chip),
        ]);
        if !self.io_on_chip {
            prices.extend([("network_fetched_bursts", off_chip), ("network_written_bursts", off_chip)]);
        }
        prices
    }

    /// One multiply-add on the array.
    fn per_mac(&self) -> f64 {
        self.cycles(1.0 / (self.mac_array.macs_per_cycle() * self.throughput()))
    }

    /// One multiply-add of an operator that keeps channels apart.
    fn per_channel(&self) -> f64 {
        let rate = match self.depthwise {
            Depthwise::AsConvolution => self.mac_array.macs_per_cycle() / f64::from(self.mac_array.rows),
            Depthwise::ChannelsPerCycle(rate) => rate,
        };
        self.cycles(1.0 / (rate * self.throughput()))
    }

    /// Throughput of the number format relative to the array's figure.
    fn throughput(&self) -> f64 {
        self.dtypes.first().map_or(1.0, |(_, factor)| *factor)
    }

    /// Microseconds that so many cycles take.
    fn cycles(&self, cycles: f64) -> f64 {
        cycles / self.clock_mhz
    }
}
