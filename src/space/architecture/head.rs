//! Heads: classifier, SSDLite-like detector, LR-ASPP segmenter.

use std::fmt;

use crate::{
    error::{Error, Result},
    network::{
        Activation, LayerError, NetworkBuilder, Source,
        ops::{Add, Conv2d, Dense, DepthwiseConv2d, GlobalAvgPool, Mul, Resize, ResizeMode},
    },
};

/// What turns features into answers; `features` is a 1x1 convolution after the last stage.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Head {
    /// One label for the picture.
    Classifier(Classifier),
    /// Boxes at several scales.
    Detector(Detector),
    /// One label for each pixel.
    Segmenter(Segmenter),
}

/// Features, global average, optional hidden dense layer, classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Classifier {
    /// Channels of the 1x1 convolution after the last stage; none if absent.
    pub features: Option<u32>,
    /// Width of the dense layer before the classes; none if absent.
    pub hidden: Option<u32>,
    /// Answers.
    pub classes: u32,
    /// The nonlinearity after features and hidden layer.
    pub activation: Activation,
}

/// SSDLite (Sandler et al. 2018): depthwise-separable predictors of boxes and classes on feature
/// maps of falling resolution. The taps are stage outputs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Detector {
    /// Stages, from one, whose outputs get predictors.
    pub taps: Vec<u32>,
    /// Channels of the 1x1 convolution after the last stage, which gets a predictor too.
    pub features: Option<u32>,
    /// Channels of the extra levels, each at half the resolution of the one before.
    pub extras: Vec<u32>,
    /// Anchors a pixel, for each level.
    pub anchors: Vec<u32>,
    /// Class scores for each anchor, background included.
    pub classes: u32,
    /// The nonlinearity of all convolutions but the predictors.
    pub activation: Activation,
}

/// LR-ASPP (Howard et al. 2019, MobileNetV3): a gated branch at low resolution, upsampled onto a
/// skip connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segmenter {
    /// The stage, from one, whose output is the skip connection.
    pub tap: u32,
    /// Channels of the 1x1 convolution after the last stage; none if absent.
    pub features: Option<u32>,
    /// Channels of the gated branch.
    pub inner: u32,
    /// Labels.
    pub classes: u32,
    /// Height and width of the answer.
    pub output: [u32; 2],
    /// The nonlinearity after the features.
    pub activation: Activation,
}

impl Head {
    /// Adds the head's layers after `x`; `stages` are the stages' outputs.
    pub(super) fn build(&self, b: &mut NetworkBuilder, x: Source, stages: &[Source]) -> Result<()> {
        match self {
            Self::Classifier(head) => head.build(b, x)?,
            Self::Detector(head) => head.build(b, x, stages)?,
            Self::Segmenter(head) => head.build(b, x, stages)?,
        }
        Ok(())
    }
}

fn tap(stages: &[Source], stage: u32) -> Result<Source> {
    let found = (stage as usize).checked_sub(1).and_then(|index| stages.get(index));
    found.copied().ok_or_else(|| {
        Error::unusable(format!("the head taps stage {stage}, but the stages are 1 to {}", stages.len()))
    })
}

/// The 1x1 convolution after the last stage, if there is one.
fn features(
    b: &mut NetworkBuilder,
    x: Source,
    channels: Option<u32>,
    activation: Activation,
) -> Result<Source, LayerError> {
    let Some(channels) = channels else { return Ok(x) };
    let features = b.add("head.features", Conv2d::square(channels, 1, 1), &[x], activation)?;
    b.end_part();
    Ok(features)
}

impl Classifier {
    fn build(&self, b: &mut NetworkBuilder, x: Source) -> Result<(), LayerError> {
        let x = features(b, x, self.features, self.activation)?;
        let mut x = b.add("head.pool", GlobalAvgPool, &[x], Activation::None)?;
        if let Some(hidden) = self.hidden {
            x = b.add("head.hidden", Dense { cout: hidden, bias: true }, &[x], self.activation)?;
        }
        b.add("head.classes", Dense { cout: self.classes, bias: true }, &[x], Activation::None)?;
        b.end_part();
        Ok(())
    }
}

impl Detector {
    fn build(&self, b: &mut NetworkBuilder, x: Source, stages: &[Source]) -> Result<()> {
        let taps: Result<Vec<Source>> = self.taps.iter().map(|stage| tap(stages, *stage)).collect();
        let mut levels = taps?;
        let mut x = features(b, x, self.features, self.activation)?;
        if !levels.contains(&x) {
            levels.push(x);
        }
        for (index, channels) in self.extras.iter().enumerate() {
            x = self.extra(b, x, index + 1, *channels)?;
            b.end_part();
            levels.push(x);
        }
        for (index, level) in levels.iter().enumerate() {
            let anchors = self.anchors.get(index).or(self.anchors.last()).copied().unwrap_or(1);
            self.predictor(b, *level, format_args!("head.level{}.box", index + 1), 4 * anchors)?;
            self.predictor(b, *level, format_args!("head.level{}.class", index + 1), self.classes * anchors)?;
            b.end_part();
        }
        Ok(())
    }

    fn extra(
        &self,
        b: &mut NetworkBuilder,
        x: Source,
        number: usize,
        channels: u32,
    ) -> Result<Source, LayerError> {
        let half = Conv2d::square(channels.div_ceil(2), 1, 1);
        let reduced = b.add(format_args!("head.extra{number}.reduce"), half, &[x], self.activation)?;
        let halved = DepthwiseConv2d::square(3, 2);
        let smaller =
            b.add(format_args!("head.extra{number}.depthwise"), halved, &[reduced], self.activation)?;
        b.add(
            format_args!("head.extra{number}.project"),
            Conv2d::square(channels, 1, 1),
            &[smaller],
            self.activation,
        )
    }

    fn predictor(
        &self,
        b: &mut NetworkBuilder,
        level: Source,
        name: fmt::Arguments<'_>,
        channels: u32,
    ) -> Result<Source, LayerError> {
        let depthwise = DepthwiseConv2d::square(3, 1);
        let x = b.add(format_args!("{name}.depthwise"), depthwise, &[level], self.activation)?;
        b.add(name, Conv2d::square(channels, 1, 1), &[x], Activation::None)
    }
}

impl Segmenter {
    fn build(&self, b: &mut NetworkBuilder, x: Source, stages: &[Source]) -> Result<()> {
        let skip = tap(stages, self.tap)?;
        let x = features(b, x, self.features, self.activation)?;
        let gated = self.gated(b, x)?;
        let (low, high) = (b.shape(skip), b.shape(gated));
        let up = if (low.h, low.w) == (high.h, high.w) {
            gated
        } else {
            let to_skip = Resize { size: [low.h, low.w], mode: ResizeMode::Bilinear };
            b.add("head.up", to_skip, &[gated], Activation::None)?
        };
        let classes = Conv2d::square(self.classes, 1, 1);
        let low = b.add("head.low", classes, &[skip], Activation::None)?;
        let high = b.add("head.high", classes, &[up], Activation::None)?;
        let sum = b.add("head.sum", Add, &[low, high], Activation::None)?;
        let shape = b.shape(sum);
        if [shape.h, shape.w] != self.output {
            let to_output = Resize { size: self.output, mode: ResizeMode::Bilinear };
            b.add("head.output", to_output, &[sum], Activation::None)?;
        }
        b.end_part();
        Ok(())
    }

    fn gated(&self, b: &mut NetworkBuilder, x: Source) -> Result<Source, LayerError> {
        let inner = Conv2d::square(self.inner, 1, 1);
        let branch = b.add("head.inner", inner, &[x], Activation::Relu)?;
        let pooled = b.add("head.gate.pool", GlobalAvgPool, &[x], Activation::None)?;
        let gate =
            b.add("head.gate.conv", Conv2d { bias: false, ..inner }, &[pooled], Activation::Sigmoid)?;
        b.add("head.gate.mul", Mul, &[branch, gate], Activation::None)
    }
}
