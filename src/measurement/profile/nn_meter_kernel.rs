//! What a kernel of nn-Meter computes.

use crate::{
    measurement::operation::{Kind, Operation},
    network::{Activation, DType, Shape},
};

/// A configuration as nn-Meter writes it; what a kind does not have is none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Config {
    pub(super) h: Option<u32>,
    pub(super) w: Option<u32>,
    pub(super) cin: Option<u32>,
    pub(super) cout: Option<u32>,
    pub(super) kernel: Option<u32>,
    pub(super) stride: Option<u32>,
    pub(super) groups: Option<u32>,
}

/// The kinds of kernel that are operators here, by the beginning of their names.
const KINDS: [(&str, Kind); 10] = [
    ("dwconv", Kind::DepthwiseConv2d),
    ("conv", Kind::Conv2d),
    ("maxpool", Kind::MaxPool),
    ("avgpool", Kind::AvgPool),
    ("globalavgpool", Kind::GlobalAvgPool),
    ("gap", Kind::GlobalAvgPool),
    ("fc", Kind::Dense),
    ("concat", Kind::Concat),
    ("addrelu", Kind::Add),
    ("add", Kind::Add),
];

/// The kinds of kernel that are read, for messages.
pub(super) const KNOWN: &str = "conv…, dwconv…, maxpool, avgpool, global-avgpool, fc, concat or add";

/// The kind of the kernel called `name`, such as `conv-bn-relu`.
pub(super) fn kind(name: &str) -> Option<Kind> {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    KINDS.iter().find(|(start, _)| plain.starts_with(start)).map(|(_, kind)| *kind)
}

/// Whether nn-Meter has a kernel of this name which is no operator here. Names of its own that a user gives to
/// models are none.
pub(super) fn is_unknown(name: &str) -> bool {
    const NONE: [&str; 7] = ["split", "channelshuffle", "se", "bnrelu", "bn", "relu", "hswish"];
    let plain = name.split(['_', '-', '.']).next().unwrap_or_default();
    kind(name).is_none() && NONE.iter().any(|known| plain.eq_ignore_ascii_case(known))
}

fn activation(name: &str) -> Activation {
    let lower = name.to_ascii_lowercase();
    match () {
        () if lower.contains("relu6") => Activation::Relu6,
        () if lower.contains("relu") => Activation::Relu,
        () if lower.contains("hswish") => Activation::HardSwish,
        () => Activation::None,
    }
}

/// The operation of a kernel of `kind` called `name`; the error is the field that is missing or does not fit.
///
/// nn-Meter builds its kernels in single precision, with "same" padding.
pub(super) fn operation(kind: Kind, name: &str, config: &Config) -> Result<Operation, &'static str> {
    let dense = kind == Kind::Dense;
    let h = if dense { 1 } else { config.h.ok_or("HW")? };
    let w = if dense { 1 } else { config.w.ok_or("HW")? };
    let cin = config.cin.ok_or("CIN")?;
    let same = matches!(kind, Kind::Add | Kind::Concat | Kind::GlobalAvgPool | Kind::MaxPool | Kind::AvgPool);
    let cout = match config.cout {
        Some(cout) if !same => cout,
        None if kind != Kind::DepthwiseConv2d && !same => return Err("COUT"),
        _ => cin,
    };
    let windowed = matches!(kind, Kind::Conv2d | Kind::DepthwiseConv2d | Kind::MaxPool | Kind::AvgPool);
    let size = if windowed { config.kernel.ok_or("KERNEL_SIZE")? } else { 1 };
    let stride = if windowed { config.stride.ok_or("STRIDES")? } else { 1 };
    let groups = if kind == Kind::DepthwiseConv2d { cin } else { config.groups.unwrap_or(1) };
    if kind == Kind::Conv2d && !(cin.is_multiple_of(groups) && cout.is_multiple_of(groups)) {
        return Err("groups");
    }
    let input = Shape::new(h, w, cin);
    let global = kind == Kind::GlobalAvgPool;
    let output = if global {
        Shape::new(1, 1, cout)
    } else {
        Shape::new(h.div_ceil(stride), w.div_ceil(stride), cout)
    };
    Ok(Operation {
        kind: if kind == Kind::Conv2d && size == 1 { Kind::PointwiseConv2d } else { kind },
        input,
        input_elements: if kind == Kind::Add { 2 * input.elements() } else { input.elements() },
        output,
        kernel: if global { [h, w] } else { [size; 2] },
        stride: [stride; 2],
        groups,
        activation: activation(name),
        bytes: DType::Fp32.bytes(),
    })
}
