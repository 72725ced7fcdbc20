//! What the correction looks at: a layer's shapes, how well they fill tiles, and its neighbours.
//!
//! Trees only compare a feature with a threshold, so sizes stay as they are and
//! only ratios are computed.

use super::{
    context::{Consumer, Context, Producer},
    physical::{Resource, Times, Work, is_looked_up},
    schedule::Role,
};
use crate::measurement::Operation;

/// Features by name, in the order of [`features`].
pub(super) const FEATURES: [&str; 110] = [
    "kind",
    "in_h",
    "in_w",
    "cin",
    "out_h",
    "out_w",
    "cout",
    "taps",
    "stride",
    "groups",
    "looked_up",
    "depth",
    "macs",
    "input_bytes",
    "output_bytes",
    "weight_bytes",
    "macs_per_byte",
    "waste_cout_8",
    "waste_cout_16",
    "waste_cout_32",
    "waste_cout_64",
    "waste_depth_8",
    "waste_depth_16",
    "waste_depth_32",
    "waste_depth_64",
    "waste_h_2",
    "waste_h_4",
    "waste_h_8",
    "waste_h_16",
    "waste_w_2",
    "waste_w_4",
    "waste_w_8",
    "waste_w_16",
    "waste_w_32",
    "base_us",
    "compute_share",
    "output_share",
    "on_chip_share",
    "off_chip_share",
    "tiles_share",
    "working_bytes",
    "needed_bytes",
    "scale",
    "tall_blocks",
    "wide_blocks",
    "square_blocks",
    "accumulators",
    "bursts_in",
    "bursts_out",
    "isolated",
    "input_place",
    "output_place",
    "readers",
    "output_held",
    "input_held",
    "live_bytes",
    "peak_bytes",
    "producer_live_bytes",
    "producer_peak_bytes",
    "consumer_live_bytes",
    "consumer_peak_bytes",
    "tile_h",
    "tile_w",
    "tile_c",
    "patch_h",
    "patch_w",
    "tiles_side_by_side",
    "tiles_on_top",
    "tiles",
    "steps_per_channel",
    "fetches",
    "read_off_chip",
    "role",
    "rows",
    "fused",
    "kept_bytes",
    "free_bytes",
    "weights_of_free",
    "producer_free_bytes",
    "weights_fetched",
    "input_fetched",
    "producer_role",
    "consumer_role",
    "producer_kind",
    "producer_distance",
    "producer_readers",
    "producer_taps",
    "producer_stride",
    "producer_cin",
    "producer_input_bytes",
    "producer_output_bytes",
    "producer_weight_bytes",
    "producer_looked_up",
    "producer_macs",
    "producer_held",
    "consumer_kind",
    "consumer_distance",
    "consumer_inputs_bytes",
    "consumer_taps",
    "consumer_stride",
    "consumer_cout",
    "consumer_output_bytes",
    "consumer_weight_bytes",
    "consumer_looked_up",
    "consumer_macs",
    "consumer_readers",
    "pair_bytes",
    "chain_bytes",
    "held_bytes",
    "weights_and_next",
];

/// How many features there are.
pub(super) const FEATURE_COUNT: usize = FEATURES.len();

/// The features of a layer whose physical times are `times`.
pub(super) fn features(context: &Context<'_>, times: &Times, work: &Work) -> [f32; FEATURE_COUNT] {
    let mut writer = Writer { values: [0.0; FEATURE_COUNT], next: 0 };
    let operation = context.operation;
    own(&mut writer, operation);
    waste(&mut writer, operation);
    physics(&mut writer, operation, times);
    place(&mut writer, context, work);
    tiled(&mut writer, context, work);
    producer(&mut writer, context.producer.as_ref());
    consumer(&mut writer, context.consumer.as_ref());
    chain(&mut writer, context);
    debug_assert_eq!(writer.next, FEATURE_COUNT);
    writer.values
}

struct Writer {
    values: [f32; FEATURE_COUNT],
    next: usize,
}

impl Writer {
    fn put(&mut self, value: f64) {
        self.values[self.next] = value as f32;
        self.next += 1;
    }

    fn put_all(&mut self, values: &[f64]) {
        values.iter().for_each(|value| self.put(*value));
    }
}

fn own(writer: &mut Writer, operation: &Operation) {
    let Operation { input, output, .. } = operation;
    let bytes = operation.input_bytes() + operation.output_bytes() + operation.weight_bytes();
    writer.put(operation.kind as usize as f64);
    writer.put_all(&[input.h, input.w, input.c, output.h, output.w, output.c].map(f64::from));
    writer.put_all(&[
        operation.taps() as f64,
        f64::from(operation.stride[0]),
        f64::from(operation.groups),
        f64::from(u8::from(is_looked_up(operation.activation))),
        operation.depth() as f64,
        operation.macs() as f64,
        operation.input_bytes() as f64,
        operation.output_bytes() as f64,
        operation.weight_bytes() as f64,
        operation.macs() as f64 / bytes.max(1) as f64,
    ]);
}

/// How much larger a size becomes when it is rounded up to whole tiles.
fn rounded(size: u64, tile: u64) -> f64 {
    size.next_multiple_of(tile) as f64 / size.max(1) as f64
}

fn waste(writer: &mut Writer, operation: &Operation) {
    for tile in [8, 16, 32, 64] {
        writer.put(rounded(u64::from(operation.output.c), tile));
    }
    for tile in [8, 16, 32, 64] {
        writer.put(rounded(operation.depth(), tile));
    }
    for tile in [2, 4, 8, 16] {
        writer.put(rounded(u64::from(operation.output.h), tile));
    }
    for tile in [2, 4, 8, 16, 32] {
        writer.put(rounded(u64::from(operation.output.w), tile));
    }
}

fn physics(writer: &mut Writer, operation: &Operation, times: &Times) {
    writer.put(times.total());
    for resource in
        [Resource::Compute, Resource::Output, Resource::OnChip, Resource::OffChip, Resource::Tiles]
    {
        writer.put(times.fraction(resource));
    }
    let working = operation.input_bytes() + operation.output_bytes();
    writer.put(working as f64);
    writer.put((working + operation.weight_bytes()) as f64);
    writer.put(operation.output.pixels() as f64 / operation.input.pixels().max(1) as f64);
    let blocks = |size: u32, side: u32| f64::from(size.div_ceil(side));
    let (h, w) = (operation.output.h, operation.output.w);
    writer.put(blocks(h, 16) * blocks(w, 4));
    writer.put(blocks(h, 4) * blocks(w, 16));
    writer.put(blocks(h, 8) * blocks(w, 8));
    writer.put(operation.output.elements() as f64);
    writer.put(rounded(u64::from(operation.input.c), 16));
    writer.put(f64::from(operation.output.c % 16));
}

fn place(writer: &mut Writer, context: &Context<'_>, work: &Work) {
    let Context { producer, consumer, .. } = context;
    let bytes = |bytes: Option<u64>| bytes.map_or(-1.0, |bytes| bytes as f64);
    writer.put_all(&[
        f64::from(u8::from(context.isolated)),
        work.traffic.from as usize as f64,
        work.traffic.to as usize as f64,
        f64::from(context.readers),
        context.held as f64,
        producer.map_or(0.0, |producer| producer.manner.held as f64),
        context.live as f64,
        context.peak as f64,
        bytes(producer.map(|producer| producer.manner.live)),
        bytes(producer.map(|producer| producer.manner.peak)),
        bytes(consumer.map(|consumer| consumer.live)),
        bytes(consumer.map(|consumer| consumer.peak)),
    ]);
}

fn tiled(writer: &mut Writer, context: &Context<'_>, work: &Work) {
    let Work { tiling, traffic, .. } = work;
    let Context { operation, step, producer, consumer, .. } = context;
    writer.put_all(&tiling.tile.map(f64::from));
    writer.put_all(&tiling.patch.map(f64::from));
    let role = |role: Option<Role>| role.unwrap_or(Role::Alone) as usize as f64;
    writer.put_all(&[
        tiling.areas,
        tiling.layers,
        tiling.count(operation.output.c),
        tiling.steps / operation.depth().max(1) as f64,
        traffic.fetched / operation.input_bytes().max(1) as f64,
        traffic.read_off_chip,
        step.role as usize as f64,
        f64::from(step.rows),
        f64::from(step.fused),
        step.kept_bytes as f64,
        step.free_bytes as f64,
        operation.weight_bytes() as f64 / step.free_bytes.max(1) as f64,
        producer.map_or(-1.0, |producer| producer.manner.free as f64),
        tiling.areas * operation.weight_bytes() as f64,
        traffic.fetched,
        role(producer.map(|producer| producer.manner.role)),
        role(consumer.map(|consumer| consumer.role)),
    ]);
}

fn producer(writer: &mut Writer, producer: Option<&Producer<'_>>) {
    let Some(Producer { operation, distance, manner, .. }) = producer else {
        // What no neighbour can have.
        return writer.put_all(&[-1.0; 12]);
    };
    writer.put_all(&[
        operation.kind as usize as f64,
        *distance as f64,
        f64::from(manner.readers),
        operation.taps() as f64,
        f64::from(operation.stride[0]),
        f64::from(operation.input.c),
        operation.input_bytes() as f64,
        operation.output_bytes() as f64,
        operation.weight_bytes() as f64,
        f64::from(u8::from(is_looked_up(operation.activation))),
        operation.macs() as f64,
        manner.held_before as f64,
    ]);
}

fn consumer(writer: &mut Writer, consumer: Option<&Consumer<'_>>) {
    let Some(Consumer { operation, distance, readers, .. }) = consumer else {
        return writer.put_all(&[-1.0; 11]);
    };
    writer.put_all(&[
        operation.kind as usize as f64,
        *distance as f64,
        operation.input_bytes() as f64,
        operation.taps() as f64,
        f64::from(operation.stride[0]),
        f64::from(operation.output.c),
        operation.output_bytes() as f64,
        operation.weight_bytes() as f64,
        f64::from(u8::from(is_looked_up(operation.activation))),
        operation.macs() as f64,
        f64::from(*readers),
    ]);
}

fn chain(writer: &mut Writer, context: &Context<'_>) {
    let Context { operation, producer, consumer, held_beside, .. } = context;
    let (own, output) = (operation.input_bytes(), operation.output_bytes());
    let before = producer.map_or(0, |producer| producer.operation.input_bytes());
    let after = consumer.map_or(0, |consumer| consumer.operation.output_bytes());
    let next = consumer.map_or(0, |consumer| consumer.operation.weight_bytes());
    writer.put_all(&[
        (before + own) as f64,
        (own + output + after) as f64,
        (held_beside + own + output) as f64,
        (operation.weight_bytes() + next) as f64,
    ]);
}
