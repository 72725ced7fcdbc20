//! The report for people.

use std::fmt;

use super::{
    super::{HeldOutPoint, Unseen},
    FitReport, LearningCurve, MeasureNext, OldComparison, OldNew, WorstRow,
};

impl fmt::Display for FitReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.quality.fmt(f)?;
        if let Some(lanes) = &self.lanes {
            writeln!(f, "{lanes}")?;
        }
        if let Some(old) = &self.old {
            write!(f, "\n{old}")?;
        }
        if let Some(curve) = &self.learning_curve {
            write!(f, "\n{curve}")?;
        }
        if !self.worst.is_empty() {
            writeln!(
                f,
                "\nworst rows, held out{:>34}{:>14}{:>12}",
                "predicted us", "measured us", "error %"
            )?;
        }
        self.worst.iter().try_for_each(|row| row.fmt(f))?;
        self.worst_networks().into_iter().try_for_each(|point| network_line(f, point))?;
        if let Some(next) = &self.measure_next {
            write!(f, "\n{next}")?;
        }
        self.warnings.iter().try_for_each(|warning| writeln!(f, "warning: {warning}"))
    }
}

impl FitReport {
    /// The networks that were predicted worst, where the worst rows are layers.
    fn worst_networks(&self) -> Vec<&HeldOutPoint> {
        const NETWORKS: usize = 3;
        let of_layers = self.worst.iter().any(|row| row.operation.is_some());
        let points =
            self.quality.held_out.as_ref().filter(|points| of_layers && points.of == Unseen::Networks);
        points.map_or_else(Vec::new, |points| points.worst(NETWORKS))
    }
}

fn network_line(f: &mut fmt::Formatter<'_>, point: &HeldOutPoint) -> fmt::Result {
    let HeldOutPoint { measured, predicted, name } = point;
    let name = format!("network {name}");
    writeln!(f, "  {name:<52}{predicted:>14.2}{measured:>14.2}{:>+12.1}", point.error_pct())
}

impl fmt::Display for LearningCurve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<32}{:>7}{:>9}{:>9}", "learning curve", "n", "rows", "MAPE %")?;
        for point in &self.points {
            writeln!(f, "  {:<30}{:>7}{:>9}{:>9.2}", self.unit, point.n, point.rows, point.mape_pct)?;
        }
        writeln!(f, "{}", self.verdict)
    }
}

impl fmt::Display for WorstRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { predicted_us, measured_us, error_pct, .. } = self;
        let operation = self.operation.as_deref().unwrap_or("whole network");
        writeln!(f, "  {operation:<52}{predicted_us:>14.2}{measured_us:>14.2}{error_pct:>+12.1}")?;
        let parts = [Some(&self.file), self.network.as_ref(), self.layer.as_ref()];
        let place: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        writeln!(f, "    {}", place.join("/"))
    }
}

impl fmt::Display for MeasureNext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, rows, rows_pct, error_pct, .. } = self;
        writeln!(
            f,
            "measure next: {region} ({error_pct:.0} % of the squared error in {rows_pct:.1} % of the rows, {rows})"
        )
    }
}

impl fmt::Display for OldComparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("old ({}) to new", self.name);
        writeln!(f, "{name:<32}{:>7}{:>18}{:>20}{:>20}", "n", "MAPE %", "within ±10 %", "Spearman")?;
        line(f, "networks", self.networks.as_ref())?;
        line(f, "layers in context", self.layers.as_ref())?;
        line(f, "isolated operators", self.isolated.as_ref())
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, both: Option<&OldNew>) -> fmt::Result {
    let Some(OldNew { old, new }) = both else { return Ok(()) };
    let mape = format!("{:.2} -> {:.2}", old.mape_pct, new.mape_pct);
    let within = format!("{:.1} -> {:.1}", old.within_10_pct, new.within_10_pct);
    let spearman = format!("{:.4} -> {:.4}", old.spearman, new.spearman);
    writeln!(f, "  {name:<30}{:>7}{mape:>18}{within:>20}{spearman:>20}", new.n)
}
