//! Several panels on one sheet: plots with legends above them, and pictures, in rows of equal height.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::AxisScale;
use super::figure::{Drawn, Figure, widened};
use super::style;

const WIDTH: u32 = 1800;
const SHEET_TITLE: u32 = 58;
/// Between rows, so that the labels of one row do not touch the titles of the next.
const ROW_GAP: u32 = 22;
const PANEL_TITLE: u32 = 40;
const LEGEND_LINE: u32 = 30;
/// Room left of a plot, for its numbers and label, and right of it, for the half of a number that stands at its end.
const PLOT_LEFT: i32 = 111;
const PLOT_RIGHT: i32 = 36;
/// Room between the data and the frame, as a share of what the data span: above and below, and beside dots.
const Y_PAD: f64 = 0.06;
const DOTS_PAD: f64 = 0.03;
const SWATCH: i32 = 34;
const DASH: (f64, f64) = (9.0, 6.0);

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// An unbroken line, for what was measured.
    Solid,
    /// A dashed line, for what was predicted.
    Dashed,
    /// Samples, joined by a thin line.
    Marked,
    /// Samples that no line joins.
    Points,
}

/// One line of a plot.
#[derive(Clone, Debug)]
pub struct Line {
    /// For the legend; empty: not in it.
    pub name: String,
    /// The colour of the line.
    pub color: RGBColor,
    /// How the line is drawn.
    pub stroke: Stroke,
    /// (x, y); what is not finite, or not positive on a logarithmic axis, is left out.
    pub points: Vec<(f64, f64)>,
}

impl Line {
    /// A line.
    pub fn new(
        name: impl Into<String>,
        color: RGBColor,
        stroke: Stroke,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        Self { name: name.into(), color, stroke, points: points.into_iter().collect() }
    }

    fn draw<DB: DrawingBackend>(&self, chart: &mut Chart<'_, DB>, points: Vec<(f64, f64)>) -> Drawn<DB> {
        let solid = self.color.stroke_width(style::LINE_WIDTH);
        let dots = || {
            let dot = |&point: &(f64, f64)| Circle::new(point, style::POINT_RADIUS + 2, self.color.filled());
            points.iter().map(dot).collect::<Vec<_>>()
        };
        match self.stroke {
            Stroke::Solid => drop(chart.draw_series(LineSeries::new(points, solid))?),
            Stroke::Dashed => {
                let (on, off) = (DASH.0 as u32, DASH.1 as u32);
                chart.draw_series(DashedLineSeries::new(points, on, off, solid))?;
            }
            Stroke::Points => drop(chart.draw_series(dots())?),
            Stroke::Marked => {
                chart.draw_series(dots())?;
                chart.draw_series(LineSeries::new(points, self.color.stroke_width(style::LINE_WIDTH - 1)))?;
            }
        }
        Ok(())
    }
}

/// A plot that lines are drawn into.
type Chart<'a, DB> = ChartContext<'a, DB, Cartesian2d<AxisScale, AxisScale>>;

/// Lines over two axes.
#[derive(Clone, Debug, Default)]
pub struct Plot {
    /// The text above the plot.
    pub title: String,
    /// The text below the horizontal axis.
    pub x_label: String,
    /// The text to the left of the vertical axis.
    pub y_label: String,
    /// A logarithmic x axis.
    pub log_x: bool,
    /// A logarithmic y axis.
    pub log_y: bool,
    /// Ticks of the x axis, ascending; round numbers if there are none.
    pub x_ticks: Vec<f64>,
    /// Values shown on the y axis, others are left out; by default all that the lines have.
    pub y_range: Option<Range<f64>>,
    /// Drawn in this order.
    pub lines: Vec<Line>,
}

/// A picture of square pixels.
#[derive(Clone, Debug)]
pub struct Raster {
    /// The text above the plot.
    pub title: String,
    /// Below it; may be empty.
    pub caption: String,
    /// `[height, width]`.
    pub shape: [usize; 2],
    /// Three bytes a pixel, row by row.
    pub rgb: Vec<u8>,
}

/// A part of a sheet.
#[derive(Clone, Debug)]
pub enum Panel {
    /// Lines between two axes.
    Plot(Plot),
    /// A picture.
    Raster(Raster),
}

/// Panels side by side.
#[derive(Clone, Debug)]
pub struct Row {
    /// The height of the row, in pixels.
    pub height: u32,
    /// They share the width equally.
    pub panels: Vec<Panel>,
}

/// Rows of panels under a title.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The text above all panels.
    pub title: String,
    /// From the top.
    pub rows: Vec<Row>,
}

impl Figure for Sheet {
    fn size(&self) -> (u32, u32) {
        (WIDTH, SHEET_TITLE + self.rows.iter().map(|row| row.height + ROW_GAP).sum::<u32>())
    }

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        Label {
            text: &self.title,
            at: (WIDTH as i32 / 2, SHEET_TITLE as i32 / 2),
            size: style::TITLE_SIZE + 4,
            horizontal: HPos::Center,
        }
        .draw(area)?;
        let mut top = SHEET_TITLE;
        for row in &self.rows {
            let strip = area.clone().shrink((0, top), (WIDTH, row.height));
            for (panel, cell) in row.panels.iter().zip(strip.split_evenly((1, row.panels.len().max(1)))) {
                match panel {
                    Panel::Plot(plot) => plot.draw(&cell)?,
                    Panel::Raster(raster) => raster.draw(&cell)?,
                }
            }
            top += row.height + ROW_GAP;
        }
        Ok(())
    }
}

/// A text, centred vertically on its place.
struct Label<'a> {
    text: &'a str,
    /// In pixels from the upper left corner.
    at: (i32, i32),
    size: u32,
    /// Which part of the text is at its place.
    horizontal: HPos,
}

impl Label<'_> {
    fn draw<DB: DrawingBackend>(self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let style = style::text(self.size).pos(Pos::new(self.horizontal, VPos::Center));
        area.draw(&Text::new(self.text.to_owned(), self.at, style))
    }
}

impl Plot {
    fn shown(&self, line: &Line) -> Vec<(f64, f64)> {
        let fits = |value: f64, log: bool| value.is_finite() && (!log || value > 0.0);
        let within = |y: f64| self.y_range.as_ref().is_none_or(|range| range.contains(&y));
        let shown = |&(x, y): &(f64, f64)| fits(x, self.log_x) && fits(y, self.log_y) && within(y);
        line.points.iter().copied().filter(shown).collect()
    }

    fn draw<DB: DrawingBackend>(&self, cell: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let lines: Vec<_> = self.lines.iter().map(|line| self.shown(line)).collect();
        let Some((x, y)) = self.ranges(&lines) else { return Ok(()) };
        let (left, right) = (PLOT_LEFT, cell.dim_in_pixel().0 as i32 - PLOT_RIGHT);
        Label {
            text: &self.title,
            at: (i32::midpoint(left, right), PANEL_TITLE as i32 / 2),
            size: style::LABEL_SIZE + 2,
            horizontal: HPos::Center,
        }
        .draw(cell)?;
        let below = self.draw_legend(cell)?;
        let mut chart = ChartBuilder::on(cell)
            .margin_top(below + 6)
            .margin_right(PLOT_RIGHT)
            .margin_left(style::MARGIN / 2)
            .margin_bottom(style::MARGIN / 2)
            .set_label_area_size(LabelAreaPosition::Left, PLOT_LEFT - style::MARGIN as i32 / 2)
            .set_label_area_size(LabelAreaPosition::Bottom, 66)
            .build_cartesian_2d(
                AxisScale::new(x, self.log_x).with_ticks(&self.x_ticks),
                AxisScale::new(y, self.log_y),
            )?;
        chart
            .configure_mesh()
            .x_desc(self.x_label.as_str())
            .y_desc(self.y_label.as_str())
            .x_labels(6)
            .y_labels(6)
            .max_light_lines(0)
            .bold_line_style(style::GRID)
            .axis_style(style::INK)
            .label_style(style::text(style::TICK_SIZE - 1))
            .axis_desc_style(style::text(style::LABEL_SIZE - 1))
            .draw()?;
        self.lines.iter().zip(lines).try_for_each(|(line, points)| line.draw(&mut chart, points))
    }

    /// What the axes show; nothing if there is nothing to show.
    fn ranges(&self, lines: &[Vec<(f64, f64)>]) -> Option<(Range<f64>, Range<f64>)> {
        let bounds = |of: fn(&(f64, f64)) -> f64, log: bool| {
            let values = lines.iter().flatten().map(of);
            let (low, high) =
                values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
            (low <= high).then(|| match (log, low < high) {
                (true, true) => low..high,
                (true, false) => low / 3.0..high * 3.0,
                (false, _) => widened(low, high, 0.0),
            })
        };
        let padded = |range: Range<f64>, log: bool, share: f64| {
            if log {
                let factor = (range.end / range.start).powf(share).max(1.05);
                range.start / factor..range.end * factor
            } else {
                widened(range.start, range.end, share)
            }
        };
        let x = bounds(|point| point.0, self.log_x)?;
        // Lines may end at the frame; dots would lie on it.
        let dots = self.lines.iter().any(|line| matches!(line.stroke, Stroke::Points | Stroke::Marked));
        let x = if dots { padded(x, self.log_x, DOTS_PAD) } else { x };
        let y = bounds(|point| point.1, self.log_y)?;
        let y = self.y_range.clone().unwrap_or_else(|| padded(y, self.log_y, Y_PAD));
        Some((x, y))
    }

    /// Draws the names line by line under the title and returns where they end.
    fn draw_legend<DB: DrawingBackend>(&self, cell: &DrawingArea<DB, Shift>) -> Result<u32, DrawingError<DB>> {
        let font = style::text(style::TICK_SIZE - 1);
        let (left, right) = (PLOT_LEFT + 7, cell.dim_in_pixel().0 as i32 - 10);
        let (mut x, mut y) = (left, (PANEL_TITLE + LEGEND_LINE / 2) as i32);
        let mut any = false;
        for line in self.lines.iter().filter(|line| !line.name.is_empty()) {
            let (width, _) = cell.estimate_text_size(&line.name, &font)?;
            let needed = SWATCH + 8 + width as i32;
            if any && x + needed > right {
                (x, y) = (left, y + LEGEND_LINE as i32);
            }
            any = true;
            let style = line.color.stroke_width(style::LINE_WIDTH);
            let pieces: &[(i32, i32)] = match line.stroke {
                Stroke::Solid | Stroke::Marked => &[(0, SWATCH)],
                Stroke::Dashed => &[(0, 9), (13, 22), (26, SWATCH)],
                Stroke::Points => &[],
            };
            for &(from, to) in pieces {
                cell.draw(&PathElement::new([(x + from, y), (x + to, y)], style))?;
            }
            if matches!(line.stroke, Stroke::Points | Stroke::Marked) {
                cell.draw(&Circle::new((x + SWATCH / 2, y), style::POINT_RADIUS + 2, line.color.filled()))?;
            }
            Label { text: &line.name, at: (x + SWATCH + 8, y), size: style::TICK_SIZE - 1, horizontal: HPos::Left }
                .draw(cell)?;
            x += needed + 22;
        }
        Ok(if any { y as u32 + LEGEND_LINE / 2 } else { PANEL_TITLE })
    }
}

/// What drawing fails with.
type DrawingError<DB> = DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>;

impl Raster {
    fn draw<DB: DrawingBackend>(&self, cell: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let (width, height) = cell.dim_in_pixel();
        let caption = if self.caption.is_empty() { 0 } else { LEGEND_LINE + 4 };
        let [rows, columns] = self.shape;
        let (room_x, room_y) = (width.saturating_sub(20), height.saturating_sub(PANEL_TITLE + caption + 10));
        let factor = (f64::from(room_x) / columns as f64).min(f64::from(room_y) / rows as f64);
        let (w, h) = ((columns as f64 * factor) as u32, (rows as f64 * factor) as u32);
        let middle = width as i32 / 2;
        Label {
            text: &self.title,
            at: (middle, PANEL_TITLE as i32 / 2),
            size: style::LABEL_SIZE,
            horizontal: HPos::Center,
        }
        .draw(cell)?;
        let mut pixels = Vec::with_capacity(3 * (w * h) as usize);
        for y in 0..h as usize {
            let row = (y * rows / h as usize) * columns;
            for x in 0..w as usize {
                let at = 3 * (row + x * columns / w as usize);
                pixels.extend_from_slice(&self.rgb[at..at + 3]);
            }
        }
        let left = (width - w) as i32 / 2;
        if let Some(element) = BitMapElement::with_owned_buffer((left, PANEL_TITLE as i32), (w, h), pixels) {
            cell.draw(&element)?;
        }
        let below = (PANEL_TITLE + h + caption / 2 + 2) as i32;
        Label { text: &self.caption, at: (middle, below), size: style::TICK_SIZE - 1, horizontal: HPos::Center }
            .draw(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(color: RGBColor) -> Panel {
        let line = Line::new("a line", color, Stroke::Solid, [(0.0, 0.0), (1.0, 0.9999)]);
        let (title, x_label, y_label) = ("T".to_owned(), "x".to_owned(), "y".to_owned());
        Panel::Plot(Plot { title, x_label, y_label, y_range: Some(0.0..1.0), lines: vec![line], ..Plot::default() })
    }

    /// Columns and rows of the pixels of this colour, first and last, below the legend.
    fn extent(drawn: &image::RgbImage, color: RGBColor) -> [u32; 4] {
        let found = drawn.enumerate_pixels().filter(|(_, y, pixel)| *y > 130 && pixel.0 == [color.0, color.1, color.2]);
        found.fold([u32::MAX, 0, u32::MAX, 0], |[left, right, top, bottom], (x, y, _)| {
            [left.min(x), right.max(x), top.min(y), bottom.max(y)]
        })
    }

    #[test]
    fn panels_of_a_row_are_equal_and_lines_go_where_their_points_are() {
        let colors = [style::SERIES[0], style::SERIES[1]];
        let rows = vec![Row { height: 500, panels: colors.map(plot).into() }];
        let png = Sheet { title: "S".to_owned(), rows }.png().unwrap();
        let drawn = image::load_from_memory(&png).unwrap().to_rgb8();
        // The title, the row and the space below it.
        assert_eq!(drawn.dimensions(), (1800, 58 + 500 + 22));
        let [first, second] = colors.map(|color| extent(&drawn, color));
        assert_eq!(
            [first[0] + 900, first[1] + 900, first[2], first[3]],
            second,
            "one is the other, half a sheet further"
        );
        // From the axis 111 pixels from the left to 36 from the right of the panel; the line is two pixels wide.
        let [left, right, top, bottom] = first;
        assert!(left.abs_diff(111) <= 3 && right.abs_diff(900 - 36) <= 3, "{first:?}");
        // From below the legend, which ends 70 pixels below the panel's top, to above the labels of 66 pixels and a
        // margin of 7.
        assert!(bottom.abs_diff(58 + 500 - 66 - 7) <= 3 && top.abs_diff(58 + 70 + 6) <= 3, "{first:?}");
    }

    #[test]
    fn dots_do_not_lie_on_the_frame() {
        for (log_x, log_y) in [(false, false), (true, true)] {
            let line = Line::new("dots", style::SERIES[0], Stroke::Points, [(1.0, 1.0), (2.0, 2.0)]);
            let plot = Panel::Plot(Plot { log_x, log_y, lines: vec![line], ..Plot::default() });
            let png = Sheet { title: "S".to_owned(), rows: vec![Row { height: 500, panels: vec![plot] }] }.png();
            let drawn = image::load_from_memory(&png.unwrap()).unwrap().to_rgb8();
            let [left, right, top, bottom] = extent(&drawn, style::SERIES[0]);
            // The frame as in the test above, for a panel as wide as the sheet.
            assert!(left > 111 + 3 && right < 1800 - 36 - 3, "{left} {right}");
            assert!(top > 58 + 70 + 6 + 3 && bottom < 58 + 500 - 66 - 7 - 3, "{top} {bottom}");
        }
    }
}
