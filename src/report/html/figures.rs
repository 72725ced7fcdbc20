//! The figures of the page as files of their own.

use super::{ablation, convergence, landscape, layers, predicted, scatter};
use crate::{
    error::{Error, Result, one_of},
    report::{Run, text::estimators},
};

/// A figure that can be written on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// The Pareto front.
    Front,
    /// Latency block by block.
    Layers,
    /// What single kinds of gene achieve.
    Ablation,
    /// Hypervolume against evaluations.
    Convergence,
    /// Latency against channels.
    Landscape,
    /// Predicted against measured latencies of what the estimator had not seen.
    Quality,
}

impl Figure {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 6] =
        [Self::Front, Self::Layers, Self::Ablation, Self::Convergence, Self::Landscape, Self::Quality];

    /// What its file is called, without ending.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::Layers => "layers",
            Self::Ablation => "ablation",
            Self::Convergence => "convergence",
            Self::Landscape => "landscape",
            Self::Quality => "quality",
        }
    }

    /// The figure called `name`.
    ///
    /// # Errors
    /// There is no such figure; all are named.
    pub fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|figure| figure.name() == name);
        found.ok_or_else(|| {
            let known = one_of(name, &Self::ALL.map(Self::name));
            Error::unusable(format!("there is no figure `{name}`, expected {known}"))
        })
    }

    fn title(self) -> &'static str {
        match self {
            Self::Front => "Pareto front",
            Self::Layers => "Latency by layer",
            Self::Ablation => "Ablation",
            Self::Convergence => "Convergence",
            Self::Landscape => "Cost landscape",
            Self::Quality => "Predicted against measured",
        }
    }

    /// What the run lacks if this figure cannot be drawn, and what to do about it.
    fn needs(self) -> &'static str {
        match self {
            Self::Front => "the run found nothing feasible",
            Self::Layers => "the report has no layers",
            Self::Ablation => "the run has no ablation; search with --ablate",
            Self::Convergence => "the report has no convergence: nothing feasible was found",
            Self::Landscape => {
                "it needs a chosen architecture, and the estimator.json that the search left in the run folder"
            }
            Self::Quality => {
                "it needs the estimator.json that the search left in the run folder, with held-out points in it; older \
                 estimators have none, so fit it anew with `nas fit`"
            }
        }
    }
}

/// One figure of the run as an SVG file.
///
/// # Errors
/// The run has no data for it; what it lacks is named.
pub fn figure_svg(run: &Run, figure: Figure) -> Result<String> {
    let drawing = match figure {
        Figure::Front => scatter::drawing(run, false),
        Figure::Layers => layers::drawing(run),
        Figure::Ablation => ablation::drawing(&run.report),
        Figure::Convergence => convergence::drawing(run),
        Figure::Landscape => landscape::drawing(run),
        Figure::Quality => predicted::drawing(run),
    };
    // Of several accelerators, layers and blocks are those of the first.
    let first = run.report.across.as_ref().map(|across| across.first().to_owned());
    let whose = match figure {
        Figure::Layers | Figure::Landscape | Figure::Quality => first,
        Figure::Front | Figure::Ablation | Figure::Convergence => None,
    };
    let whose = whose.unwrap_or_else(|| estimators(&run.report));
    let title = format!("{}: {} on {whose}", figure.title(), run.report.space.name);
    let drawing = drawing
        .ok_or_else(|| Error::unusable(format!("no figure `{}`: {}", figure.name(), figure.needs())))?;
    Ok(drawing.standalone(&title))
}
