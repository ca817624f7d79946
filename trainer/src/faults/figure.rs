//! The changes by part of the file, and by bit of the number, on a logarithmic axis.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Study;
use super::flip::Flip;
use super::places::{Numbers, Part};
use super::report::{Report, quantile};
use crate::report::axis::AxisScale;
use crate::report::figure::{Drawn, Figure};
use crate::report::style;

const WIDTH: i32 = 1800;
/// Height of the title of the sheet, and of that of a panel with its legend.
const TITLE: i32 = 58;
const HEAD: i32 = 78;
/// Height of a row of the left panel, and of the panels at least.
const ROW: i32 = 40;
const LEAST_HEIGHT: i32 = 600;
/// Changes beyond so many times the range of the data are drawn at the edge.
const MOST_RANGES: f64 = 100.0;
/// The decades that are drawn at most; smaller changes are drawn at the edge.
const MOST_DECADES: f64 = 12.0;
/// Room for the names of the parts, and for the share without a change.
const NAMES: i32 = 250;
const SHARES: i32 = 130;
/// From where on the right panel stands.
const MIDDLE: i32 = 1080;

/// The changes that the flips of a study cause. Those of several outputs are compared with the ranges of the data.
#[derive(Clone, Debug)]
pub struct FaultFigure {
    title: String,
    label: String,
    /// The largest error of the unflipped model.
    own: f64,
    /// The range of the data, as changes are drawn.
    data: f64,
    parts: Vec<Strip>,
    lines: Vec<BitLine>,
}

/// The changes of a part.
#[derive(Clone, Debug)]
struct Strip {
    name: String,
    color: RGBColor,
    /// Ascending.
    changes: Vec<f64>,
}

/// The changes of numbers of a kind, by the bit of the number.
#[derive(Clone, Debug)]
struct BitLine {
    name: &'static str,
    color: RGBColor,
    /// Bit, median and largest.
    points: Vec<[f64; 3]>,
}

/// The kind of a part's numbers, and its colour; `None` for what is not evaluated.
fn kind(part: Part) -> Option<(&'static str, RGBColor)> {
    Some(match part {
        Part::Header | Part::Padding => return None,
        Part::Domain | Part::OutputMaps => ("domain and maps", style::SERIES[4]),
        Part::Frequencies => ("B", style::SERIES[2]),
        Part::GridShape(_) => ("shapes of grids", style::HOLE),
        Part::Coefficients(_) => ("coefficients", style::SERIES[3]),
        Part::Layer(_, Numbers::Weights) => ("weights", style::SERIES[0]),
        Part::Layer(_, Numbers::Biases) => ("biases", style::SERIES[1]),
        Part::Layer(_, Numbers::Multipliers) => ("multipliers", style::SERIES[5]),
    })
}

impl Study<'_> {
    /// The figure of these flips and their report.
    #[must_use]
    pub fn figure(&self, report: &Report, flips: &[Flip]) -> FaultFigure {
        let is_one = report.outputs.len() == 1;
        let shown = |changes: &[f64]| if is_one { changes[0] } else { 100.0 * self.relative(changes) };
        let mut parts: Vec<(Part, Strip)> = Vec::new();
        let mut lines: Vec<(&'static str, RGBColor, Vec<Vec<f64>>)> = Vec::new();
        for flip in flips {
            let (Some(changes), Some((name, color))) = (flip.changes(), kind(flip.place.part)) else { continue };
            let (part, change) = (flip.place.part, shown(changes));
            match parts.iter_mut().find(|(other, _)| *other == part) {
                Some((_, strip)) => strip.changes.push(change),
                None => parts.push((part, Strip { name: part.to_string(), color, changes: vec![change] })),
            }
            let at = lines.iter().position(|(other, ..)| *other == name).unwrap_or(lines.len());
            if at == lines.len() {
                lines.push((name, color, vec![Vec::new(); 32]));
            }
            lines[at].2[flip.place.number_bit].push(change);
        }
        parts.sort_by_key(|(part, _)| *part);
        parts.iter_mut().for_each(|(_, strip)| strip.changes.sort_unstable_by(f64::total_cmp));
        let own: Vec<f64> = report.outputs.iter().map(|of| of.own_largest_error).collect();
        let of = &report.outputs[0];
        FaultFigure {
            title: format!("What one flipped bit changes: {} flips at {} samples", report.flipped, report.samples),
            label: match (is_one, of.unit.is_empty()) {
                (true, true) => format!("largest change of {}", of.name),
                (true, false) => format!("largest change of {} ({})", of.name, of.unit),
                (false, _) => "largest change, % of the output's range".to_owned(),
            },
            own: shown(&own),
            data: if is_one { self.scales[0] } else { 100.0 },
            parts: parts.into_iter().map(|(_, strip)| strip).collect(),
            lines: lines.into_iter().map(|(name, color, bits)| BitLine { name, color, points: points(bits) }).collect(),
        }
    }
}

/// Bit, median and largest, of the bits that have changes.
fn points(bits: Vec<Vec<f64>>) -> Vec<[f64; 3]> {
    let of = |(bit, mut changes): (usize, Vec<f64>)| {
        changes.sort_unstable_by(f64::total_cmp);
        Some([bit as f64, quantile(&changes, 0.5)?, quantile(&changes, 1.0)?])
    };
    bits.into_iter().enumerate().filter_map(of).collect()
}

impl FaultFigure {
    /// The decades of the changes and the model's own error, as far as they are drawn, and whether some are beyond;
    /// `None` without any.
    fn range(&self) -> Option<(Range<f64>, bool)> {
        let all = self.parts.iter().flat_map(|strip| &strip.changes).chain([&self.own]);
        let (low, high) = all
            .filter(|&&change| change > 0.0)
            .fold((f64::INFINITY, 0.0f64), |(low, high), &change| (low.min(change), high.max(change)));
        if low > high {
            return None;
        }
        let most = MOST_RANGES * self.data.max(self.own).max(f64::MIN_POSITIVE);
        let end = (high.min(most) * 1.01).log10().ceil();
        let start = low.log10().floor().clamp(end - MOST_DECADES, end - 1.0);
        Some((10f64.powf(start)..10f64.powf(end), high > most))
    }

    fn draw_parts<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>, range: &Range<f64>) -> Drawn<DB> {
        let height = area.dim_in_pixel().1 as i32;
        heading(area, "by part of the file", (MIDDLE / 2, TITLE + 16))?;
        let small = style::text(style::TICK_SIZE - 2).pos(Pos::new(HPos::Center, VPos::Center));
        let key = "bar: 50 % of the flips, line: 1 to 99 %, tick: median, circle: largest, dashes: the model's own largest error";
        area.draw_text(key, &small, (MIDDLE / 2, TITLE + 46))?;
        let cell = area.clone().shrink((0, TITLE), (MIDDLE as u32, (height - TITLE) as u32));
        let rows = self.parts.len() as f64;
        let mut chart = ChartBuilder::on(&cell)
            .margin_top(HEAD)
            .margin_right(SHARES)
            .margin_bottom(style::MARGIN / 2)
            .set_label_area_size(LabelAreaPosition::Left, NAMES)
            .set_label_area_size(LabelAreaPosition::Bottom, 66)
            .build_cartesian_2d(AxisScale::new(range.clone(), true), 0.0..rows)?;
        chart
            .configure_mesh()
            .x_desc(self.label.as_str())
            .x_labels(8)
            .disable_y_mesh()
            .y_labels(0)
            .max_light_lines(0)
            .bold_line_style(style::GRID)
            .axis_style(style::INK)
            .label_style(style::text(style::TICK_SIZE - 1))
            .axis_desc_style(style::text(style::LABEL_SIZE - 1))
            .draw()?;
        let own = [(self.own, 0.0), (self.own, rows)];
        chart.draw_series(DashedLineSeries::new(own, 9, 6, style::INK.stroke_width(2)))?;
        for (row, strip) in self.parts.iter().enumerate() {
            let y = rows - row as f64 - 0.5;
            let at = |share: f64| quantile(&strip.changes, share).unwrap_or(0.0).clamp(range.start, range.end);
            let thin = [(at(0.01), y), (at(0.99), y)];
            chart.draw_series(LineSeries::new(thin, strip.color.stroke_width(2)))?;
            let bar = Rectangle::new([(at(0.25), y - 0.24), (at(0.75), y + 0.24)], strip.color.mix(0.55).filled());
            chart.draw_series([bar])?;
            let tick = [(at(0.5), y - 0.34), (at(0.5), y + 0.34)];
            chart.draw_series(LineSeries::new(tick, style::INK.stroke_width(3)))?;
            chart.draw_series([Circle::new((at(1.0), y), 5, strip.color.stroke_width(2))])?;
            let (_, pixel) = chart.backend_coord(&(range.start, y));
            let name = style::text(style::TICK_SIZE).pos(Pos::new(HPos::Right, VPos::Center));
            area.draw_text(&strip.name, &name, (NAMES - 12, pixel))?;
            let none = strip.changes.iter().filter(|&&change| change == 0.0).count();
            let text = style::text(style::TICK_SIZE - 2).pos(Pos::new(HPos::Left, VPos::Center));
            let share = 100.0 * none as f64 / strip.changes.len() as f64;
            area.draw_text(&format!("{share:.0} % none"), &text, (MIDDLE - SHARES + 14, pixel))?;
        }
        Ok(())
    }

    fn draw_bits<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>, range: &Range<f64>) -> Drawn<DB> {
        let height = area.dim_in_pixel().1 as i32;
        heading(
            area,
            "by bit of the number (dots: median, thin: largest)",
            (i32::midpoint(MIDDLE + 110, WIDTH), TITLE + 16),
        )?;
        let mut x = MIDDLE + 116;
        for line in &self.lines {
            let label = style::text(style::TICK_SIZE - 2).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw(&Circle::new((x, TITLE + 46), 6, line.color.filled()))?;
            area.draw_text(line.name, &label, (x + 12, TITLE + 46))?;
            x += 34 + area.estimate_text_size(line.name, &label)?.0 as i32;
        }
        let cell = area.clone().shrink((MIDDLE, TITLE), ((WIDTH - MIDDLE) as u32, (height - TITLE) as u32));
        let last = self.lines.iter().flat_map(|line| &line.points).map(|point| point[0]).fold(1.0, f64::max);
        let mut chart = ChartBuilder::on(&cell)
            .margin_top(HEAD)
            .margin_right(30)
            .margin_bottom(style::MARGIN / 2)
            .set_label_area_size(LabelAreaPosition::Left, 110)
            .set_label_area_size(LabelAreaPosition::Bottom, 66)
            .build_cartesian_2d(AxisScale::new(-0.5..last + 0.5, false), AxisScale::new(range.clone(), true))?;
        chart
            .configure_mesh()
            .x_desc("bit, from 0 for the least significant one")
            .y_desc(self.label.as_str())
            .x_labels(8)
            .y_labels(8)
            .max_light_lines(0)
            .bold_line_style(style::GRID)
            .axis_style(style::INK)
            .label_style(style::text(style::TICK_SIZE - 1))
            .axis_desc_style(style::text(style::LABEL_SIZE - 1))
            .draw()?;
        let own = [(-0.5, self.own), (last + 0.5, self.own)];
        chart.draw_series(DashedLineSeries::new(own, 9, 6, style::INK.stroke_width(2)))?;
        for line in &self.lines {
            let of = |which: usize| {
                let points = line.points.iter().map(move |point| (point[0], point[which]));
                let drawn = points.filter(|point| point.1 > 0.0);
                drawn.map(|(bit, change)| (bit, change.clamp(range.start, range.end))).collect::<Vec<_>>()
            };
            chart.draw_series(LineSeries::new(of(2), line.color.mix(0.55).stroke_width(1)))?;
            chart.draw_series(LineSeries::new(of(1), line.color.stroke_width(2)))?;
            chart.draw_series(of(1).into_iter().map(|point| Circle::new(point, 5, line.color.filled())))?;
        }
        Ok(())
    }
}

/// The title of a panel.
fn heading<DB: DrawingBackend>(area: &DrawingArea<DB, Shift>, text: &str, at: (i32, i32)) -> Drawn<DB> {
    area.draw_text(text, &style::text(style::LABEL_SIZE).pos(Pos::new(HPos::Center, VPos::Center)), at)
}

impl Figure for FaultFigure {
    fn size(&self) -> (u32, u32) {
        let rows = HEAD + ROW * self.parts.len() as i32 + 66;
        (WIDTH as u32, (TITLE + rows.max(LEAST_HEIGHT)) as u32)
    }

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let found = self.range();
        let beyond =
            if found.as_ref().is_some_and(|(_, beyond)| *beyond) { "; larger changes at the edge" } else { "" };
        let title = style::text(style::TITLE_SIZE).pos(Pos::new(HPos::Center, VPos::Center));
        area.draw_text(&format!("{}{beyond}", self.title), &title, (WIDTH / 2, TITLE / 2))?;
        let Some((range, _)) = found else { return Ok(()) };
        self.draw_parts(area, &range)?;
        self.draw_bits(area, &range)
    }
}
