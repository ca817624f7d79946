//! Predicted against true values.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::figure::{Drawn, Figure, axis_label, widened};
use super::style;

/// More points than this are thinned out evenly.
const MOST_POINTS: usize = 5000;

/// A point for each sample and the diagonal on which a perfect model would lie.
#[derive(Clone, Debug)]
pub struct Scatter<'a> {
    /// Above the plot.
    pub title: &'a str,
    /// (true, predicted).
    pub points: &'a [(f64, f64)],
}

impl Figure for Scatter<'_> {
    fn size(&self) -> (u32, u32) {
        (style::PLOT_SIZE.1 + style::LEFT_LABELS, style::PLOT_SIZE.1 + style::BOTTOM_LABELS)
    }

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let values = self.points.iter().flat_map(|&(x, y)| [x, y]);
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        if low > high {
            return Ok(()); // nothing to show
        }
        let range = widened(low, high, 0.04);
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, style::text(style::TITLE_SIZE))
            .margin(style::MARGIN)
            .margin_right(3 * style::MARGIN)
            .set_label_area_size(LabelAreaPosition::Left, style::LEFT_LABELS)
            .set_label_area_size(LabelAreaPosition::Bottom, style::BOTTOM_LABELS)
            .build_cartesian_2d(range.clone(), range.clone())?;
        chart
            .configure_mesh()
            .x_desc("true")
            .y_desc("predicted")
            .x_labels(6)
            .y_labels(6)
            .max_light_lines(0)
            .bold_line_style(style::GRID)
            .axis_style(style::INK)
            .x_label_formatter(&|value| axis_label(*value, range.end - range.start))
            .y_label_formatter(&|value| axis_label(*value, range.end - range.start))
            .label_style(style::text(style::TICK_SIZE))
            .axis_desc_style(style::text(style::LABEL_SIZE))
            .draw()?;
        let diagonal = [(range.start, range.start), (range.end, range.end)];
        chart.draw_series(LineSeries::new(diagonal, style::INK.stroke_width(1)))?;
        let step = self.points.len().div_ceil(MOST_POINTS).max(1);
        let dot = style::SERIES[0].mix(0.6).filled();
        chart
            .draw_series(self.points.iter().step_by(step).map(|&point| Circle::new(point, style::POINT_RADIUS, dot)))?;
        Ok(())
    }
}
