//! What the public schema of TFLite files (version 3) says: places of fields in tables, and numbers of operators.

/// The letters that a file begins with, behind four bytes.
pub(super) const IDENTIFIER: &str = "TFL3";
/// The version of the schema.
pub(super) const VERSION: u32 = 3;

/// Fields of a `Model`.
pub(super) mod model {
    pub(in crate::tflite) const VERSION: u16 = 0;
    pub(in crate::tflite) const OPERATOR_CODES: u16 = 1;
    pub(in crate::tflite) const SUBGRAPHS: u16 = 2;
    pub(in crate::tflite) const DESCRIPTION: u16 = 3;
    pub(in crate::tflite) const BUFFERS: u16 = 4;
    pub(in crate::tflite) const METADATA: u16 = 6;
}

/// Fields of a `SubGraph`.
pub(super) mod subgraph {
    pub(in crate::tflite) const TENSORS: u16 = 0;
    pub(in crate::tflite) const INPUTS: u16 = 1;
    pub(in crate::tflite) const OUTPUTS: u16 = 2;
    pub(in crate::tflite) const OPERATORS: u16 = 3;
    pub(in crate::tflite) const NAME: u16 = 4;
}

/// Fields of a `Tensor`.
pub(super) mod tensor {
    pub(in crate::tflite) const SHAPE: u16 = 0;
    pub(in crate::tflite) const TYPE: u16 = 1;
    pub(in crate::tflite) const BUFFER: u16 = 2;
    pub(in crate::tflite) const NAME: u16 = 3;
    pub(in crate::tflite) const QUANTIZATION: u16 = 4;
}

/// Fields of `QuantizationParameters`.
pub(super) mod quantization {
    pub(in crate::tflite) const SCALE: u16 = 2;
    pub(in crate::tflite) const ZERO_POINT: u16 = 3;
    pub(in crate::tflite) const DIMENSION: u16 = 6;
}

/// Fields of an `Operator`.
pub(super) mod operator {
    pub(in crate::tflite) const OPCODE: u16 = 0;
    pub(in crate::tflite) const INPUTS: u16 = 1;
    pub(in crate::tflite) const OUTPUTS: u16 = 2;
    pub(in crate::tflite) const OPTIONS_TYPE: u16 = 3;
    pub(in crate::tflite) const OPTIONS: u16 = 4;
}

/// Fields of an `OperatorCode`.
pub(super) mod operator_code {
    pub(in crate::tflite) const DEPRECATED: u16 = 0;
    pub(in crate::tflite) const VERSION: u16 = 2;
    pub(in crate::tflite) const BUILTIN: u16 = 3;
}

/// Fields of a `Buffer`.
pub(super) mod buffer {
    pub(in crate::tflite) const DATA: u16 = 0;
}

/// Fields of a `Metadata`.
pub(super) mod metadata {
    pub(in crate::tflite) const NAME: u16 = 0;
    pub(in crate::tflite) const BUFFER: u16 = 1;
}

/// Types of tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub(super) enum TensorType {
    Float32 = 0,
    Int32 = 2,
    Int8 = 9,
}

/// Nonlinearities that are part of an operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i8)]
pub(super) enum Fused {
    #[default]
    None = 0,
    Relu = 1,
    Relu6 = 3,
}

/// How a window meets the border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub(super) enum Padding {
    Same = 0,
    Valid = 1,
}

/// Operators, by their numbers in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(super) enum Code {
    Add = 0,
    AveragePool2d = 1,
    Concatenation = 2,
    Conv2d = 3,
    DepthwiseConv2d = 4,
    FullyConnected = 9,
    Logistic = 14,
    MaxPool2d = 17,
    Mul = 18,
    Relu = 19,
    Relu6 = 21,
    Reshape = 22,
    ResizeBilinear = 23,
    Pad = 34,
    Mean = 40,
    PadV2 = 60,
    Slice = 65,
    ResizeNearestNeighbor = 97,
    Quantize = 114,
    HardSwish = 117,
}

/// A field of an operator's options: its place and its value; values that are the schema's default are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// A number of 32 bits, with its default.
    Int(u16, i32, i32),
    /// A number of 8 bits, whose default is zero.
    Byte(u16, i8),
    /// A yes or no, whose default is no.
    Flag(u16, bool),
}

/// Windows of convolutions and pools, as options say them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Steps {
    pub(super) padding: Padding,
    /// Height, width.
    pub(super) kernel: [i32; 2],
    pub(super) stride: [i32; 2],
    pub(super) dilation: [i32; 2],
}

/// What an operator is told beside its tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Options {
    /// An operator without options, or whose options are all the default's; the number of their table, or 0.
    Plain(u8),
    /// With more than one group, or not.
    Conv2d(Steps, Fused, bool),
    /// With output channels for each input channel.
    DepthwiseConv2d(Steps, Fused, i32),
    Pool2d(Steps, Fused),
    FullyConnected(Fused),
    Add(Fused),
    Mul(Fused),
    Concatenation,
    Mean,
}

impl Options {
    pub(super) const NONE: Self = Self::Plain(0);
    /// Corners are not aligned, nor are centres of pixels: all that NPUs take at every factor.
    pub(super) const RESIZE_BILINEAR: Self = Self::Plain(15);
    pub(super) const RESHAPE: Self = Self::Plain(17);
    pub(super) const PAD: Self = Self::Plain(22);
    pub(super) const PAD_V2: Self = Self::Plain(43);
    pub(super) const SLICE: Self = Self::Plain(48);
    pub(super) const RESIZE_NEAREST_NEIGHBOR: Self = Self::Plain(74);
    pub(super) const QUANTIZE: Self = Self::Plain(89);
    pub(super) const HARD_SWISH: Self = Self::Plain(91);

    /// The number of the table in the union of options.
    pub(super) fn table(&self) -> u8 {
        match self {
            Self::Plain(table) => *table,
            Self::Conv2d(..) => 1,
            Self::DepthwiseConv2d(..) => 2,
            Self::Pool2d(..) => 5,
            Self::FullyConnected(_) => 8,
            Self::Concatenation => 10,
            Self::Add(_) => 11,
            Self::Mul(_) => 21,
            Self::Mean => 27,
        }
    }

    /// The fields of the table.
    pub(super) fn fields(&self) -> Vec<Field> {
        /// The last axis of a picture: channels.
        const CHANNELS: i32 = 3;
        match *self {
            Self::Plain(_) => vec![],
            Self::Conv2d(steps, fused, _) => {
                let mut fields = strides(&steps);
                fields.extend([Field::Byte(3, fused as i8)]);
                fields.extend(dilations(&steps, 4));
                fields
            }
            Self::DepthwiseConv2d(steps, fused, multiplier) => {
                let mut fields = strides(&steps);
                fields.extend([Field::Int(3, multiplier, 0), Field::Byte(4, fused as i8)]);
                fields.extend(dilations(&steps, 5));
                fields
            }
            Self::Pool2d(steps, fused) => {
                let [height, width] = steps.kernel;
                let mut fields = strides(&steps);
                fields.extend([Field::Int(3, width, 0), Field::Int(4, height, 0)]);
                fields.push(Field::Byte(5, fused as i8));
                fields
            }
            Self::FullyConnected(fused) => vec![Field::Byte(0, fused as i8), Field::Flag(2, true)],
            Self::Add(fused) | Self::Mul(fused) => vec![Field::Byte(0, fused as i8)],
            Self::Concatenation => vec![Field::Int(0, CHANNELS, 0)],
            Self::Mean => vec![Field::Flag(0, true)],
        }
    }
}

/// Padding and strides, which stand first in all options with a window.
fn strides(steps: &Steps) -> Vec<Field> {
    let [height, width] = steps.stride;
    vec![Field::Byte(0, steps.padding as i8), Field::Int(1, width, 0), Field::Int(2, height, 0)]
}

fn dilations(steps: &Steps, first: u16) -> [Field; 2] {
    let [height, width] = steps.dilation;
    [Field::Int(first, width, 1), Field::Int(first + 1, height, 1)]
}
