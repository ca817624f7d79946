//! PSNR over what was swept.

use plotters::style::RGBColor;

use super::SweepRow;
use super::grid::Hyperparameter;
use crate::report::figure::tick_label;
use crate::report::sheet::{Line, Plot, Stroke};
use crate::report::style;

/// More lines than this are not told apart; then only the best of them is drawn, and all rows as points.
const MOST_LINES: usize = style::SERIES.len();

/// A point of a line: what was swept, and PSNR in dB.
type Point = (f64, f64);

/// PSNR over the first of the axes, a line for each combination of the others.
pub(super) fn of(rows: &[&SweepRow], axes: &[Hyperparameter]) -> Plot {
    let (x, others) = (axes[0], &axes[1..]);
    let place = Place::along(x, rows);
    let groups = groups(rows, others);
    let lines = match &groups[..] {
        [(_, rows)] => train_and_test(rows, &place),
        groups if groups.len() <= MOST_LINES => {
            let line = |((name, rows), color): (&Group<'_>, _)| marked(name, color, place.test(rows));
            groups.iter().zip(style::SERIES).map(line).collect()
        }
        groups => {
            let all: Vec<&SweepRow> = groups.iter().flat_map(|(_, rows)| rows).copied().collect();
            points_and_envelope(place.test(&all))
        }
    };
    Plot {
        x_label: place.label(),
        y_label: if groups.len() == 1 { "PSNR (dB)" } else { "held-out PSNR (dB)" }.to_owned(),
        log_x: matches!(x, Hyperparameter::Scale | Hyperparameter::Frequencies | Hyperparameter::Width),
        x_ticks: place.ticks(rows),
        lines,
        ..Plot::default()
    }
}

/// Rows that differ along the first axis alone, under the name of what they have in common.
type Group<'a> = (String, Vec<&'a SweepRow>);

fn groups<'a>(rows: &[&'a SweepRow], others: &[Hyperparameter]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for &row in rows {
        let group = row.name(others);
        match groups.iter_mut().find(|(name, _)| *name == group) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((group, vec![row])),
        }
    }
    groups
}

/// Where rows lie along the horizontal axis.
struct Place {
    axis: Hyperparameter,
    /// Where ∞ is drawn: one step beyond the largest number.
    infinity: f64,
    has_infinity: bool,
}

impl Place {
    fn along(axis: Hyperparameter, rows: &[&SweepRow]) -> Self {
        let values = || rows.iter().map(|row| row.value(axis));
        let largest = values().filter(|x| x.is_finite()).fold(0.0, f64::max);
        Self { axis, infinity: largest + 1.0, has_infinity: values().any(f64::is_infinite) }
    }

    fn of(&self, row: &SweepRow) -> f64 {
        Some(row.value(self.axis)).filter(|x| x.is_finite()).unwrap_or(self.infinity)
    }

    fn test(&self, rows: &[&SweepRow]) -> Vec<Point> {
        ascending(rows.iter().map(|row| (self.of(row), row.test_psnr_db())))
    }

    fn train(&self, rows: &[&SweepRow]) -> Vec<Point> {
        let psnr = |row: &SweepRow| row.measured.as_ref().map_or(f64::NAN, |measured| measured.train.psnr_db);
        ascending(rows.iter().map(|row| (self.of(row), psnr(row))))
    }

    fn label(&self) -> String {
        match self.axis {
            Hyperparameter::Scale => "σ (cycles over the domain)".to_owned(),
            Hyperparameter::AmplitudePower if self.has_infinity => {
                format!("p (∞ drawn at {})", tick_label(self.infinity))
            }
            Hyperparameter::AmplitudePower => "p".to_owned(),
            axis => axis.name().to_owned(),
        }
    }

    /// Each place once, ascending.
    fn ticks(&self, rows: &[&SweepRow]) -> Vec<f64> {
        let mut places: Vec<f64> = rows.iter().map(|row| self.of(row)).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        places
    }
}

fn ascending(points: impl Iterator<Item = Point>) -> Vec<Point> {
    let mut points: Vec<_> = points.collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

fn marked(name: &str, color: RGBColor, points: Vec<Point>) -> Line {
    Line::new(name, color, Stroke::Marked, points)
}

fn train_and_test(rows: &[&SweepRow], place: &Place) -> Vec<Line> {
    vec![
        marked("training samples", style::SERIES[5], place.train(rows)),
        marked("held-out samples", style::SERIES[1], place.test(rows)),
    ]
}

/// All rows as points, and a line of the best at each place.
fn points_and_envelope(all: Vec<Point>) -> Vec<Line> {
    let mut envelope: Vec<Point> = Vec::new();
    for &(x, psnr) in &all {
        match envelope.last_mut() {
            Some(last) if last.0 == x => last.1 = last.1.max(psnr),
            _ => envelope.push((x, psnr)),
        }
    }
    vec![
        Line::new("every setting", style::SERIES[5], Stroke::Points, all),
        Line::new("the best of them", style::SERIES[1], Stroke::Solid, envelope),
    ]
}
