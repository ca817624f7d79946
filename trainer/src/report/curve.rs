//! Lines over one axis: signals, and the loss over the steps.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::axis::AxisScale;
use super::figure::{Drawn, Figure, widened};
use super::style;

/// More points than this are thinned out by drawing the extremes of each group of neighbours.
const MOST_POINTS: usize = 1600;

/// One line.
#[derive(Clone, Debug)]
pub struct Series {
    /// For the legend.
    pub name: String,
    /// The colour of the line.
    pub color: RGBColor,
    /// Ascending in x; values that are not finite are left out.
    pub points: Vec<(f64, f64)>,
}

/// Lines with axes, grid and legend.
#[derive(Clone, Debug)]
pub struct Curves<'a> {
    /// Above the plot; may be empty.
    pub title: &'a str,
    /// The text below the horizontal axis.
    pub x_label: &'a str,
    /// The text to the left of the vertical axis.
    pub y_label: &'a str,
    /// A logarithmic y axis; values that are not positive are left out.
    pub log_y: bool,
    /// The lines, drawn in this order.
    pub series: &'a [Series],
}

/// The values that the axes span.
struct Window {
    x: Range<f64>,
    y: Range<f64>,
}

impl Curves<'_> {
    fn shown(&self, series: &Series) -> Vec<(f64, f64)> {
        let fit = |&(x, y): &(f64, f64)| x.is_finite() && y.is_finite() && (!self.log_y || y > 0.0);
        thinned(&series.points.iter().copied().filter(fit).collect::<Vec<_>>())
    }

    fn draw_window<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        window: Window,
        lines: Vec<Vec<(f64, f64)>>,
    ) -> Drawn<DB> {
        let Window { x, y } = window;
        let mut builder = ChartBuilder::on(area);
        builder
            .margin(style::MARGIN)
            .margin_right(3 * style::MARGIN)
            .set_label_area_size(LabelAreaPosition::Left, style::LEFT_LABELS)
            .set_label_area_size(LabelAreaPosition::Bottom, style::BOTTOM_LABELS);
        if !self.title.is_empty() {
            builder.caption(self.title, style::text(style::TITLE_SIZE));
        }
        let mut chart = builder.build_cartesian_2d(AxisScale::new(x, false), AxisScale::new(y, self.log_y))?;
        chart
            .configure_mesh()
            .x_desc(self.x_label)
            .y_desc(self.y_label)
            .x_labels(8)
            .y_labels(7)
            .max_light_lines(0)
            .bold_line_style(style::GRID)
            .axis_style(style::INK)
            .label_style(style::text(style::TICK_SIZE))
            .axis_desc_style(style::text(style::LABEL_SIZE))
            .draw()?;
        for (series, points) in self.series.iter().zip(lines) {
            let line = series.color.stroke_width(style::LINE_WIDTH);
            chart
                .draw_series(LineSeries::new(points, line))?
                .label(series.name.clone())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 30, y)], line));
        }
        if self.series.len() > 1 {
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperRight)
                .legend_area_size(40)
                .margin(12)
                .label_font(style::text(style::LABEL_SIZE))
                .background_style(WHITE.mix(0.85))
                .border_style(style::GRID)
                .draw()?;
        }
        Ok(())
    }
}

impl Figure for Curves<'_> {
    fn size(&self) -> (u32, u32) {
        style::PLOT_SIZE
    }

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let lines: Vec<_> = self.series.iter().map(|series| self.shown(series)).collect();
        let bounds = |of: fn(&(f64, f64)) -> f64| {
            let values = lines.iter().flatten().map(of);
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
        };
        let ((left, right), (low, high)) = (bounds(|point| point.0), bounds(|point| point.1));
        if left > right {
            return Ok(()); // nothing to show
        }
        let x = widened(left, right, 0.0);
        if self.log_y {
            let (low, high) = if low < high { (low / 1.3, high * 1.3) } else { (low / 10.0, high * 10.0) };
            self.draw_window(area, Window { x, y: low..high }, lines)
        } else {
            // The legend takes the upper right: room above.
            let room = if self.series.len() > 1 { 0.25 } else { 0.06 };
            let padded = widened(low, high, 0.06);
            let top = padded.end + room * (padded.end - padded.start);
            self.draw_window(area, Window { x, y: padded.start..top }, lines)
        }
    }
}

/// Keeps the lowest and the highest of each group of neighbours, so that no peak is lost.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let group = points.len().div_ceil(MOST_POINTS / 2);
    let by_y = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
    let extremes = |group: &[(f64, f64)]| {
        let low = group.iter().min_by(by_y).copied();
        let high = group.iter().max_by(by_y).copied();
        let mut pair: Vec<_> = low.into_iter().chain(high).collect();
        pair.sort_by(|a, b| a.0.total_cmp(&b.0));
        pair
    };
    points.chunks(group).flat_map(extremes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_peaks() {
        let mut points: Vec<_> = (0..100_000).map(|k| (f64::from(k), 0.0)).collect();
        points[50_123].1 = 9.0;
        let thin = thinned(&points);
        assert!(thin.len() <= MOST_POINTS);
        assert!(thin.contains(&(50_123.0, 9.0)));
        assert!(thin.is_sorted_by(|a, b| a.0 <= b.0));
    }

    #[test]
    fn nothing_constants_and_infinities_can_be_drawn() {
        for points in [vec![], vec![(0.0, 5.0)], vec![(0.0, f64::NAN), (1.0, -1.0), (2.0, 0.0)]] {
            for log_y in [false, true] {
                let series = [Series { name: "s".into(), color: style::TARGET, points: points.clone() }];
                let curves = Curves { title: "", x_label: "x", y_label: "y", log_y, series: &series };
                assert!(curves.png().is_ok());
                assert!(curves.svg().is_ok());
            }
        }
    }
}
