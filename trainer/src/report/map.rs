//! Values over a plane: a colour map with its bar, or a picture.

use std::ops::Range;

use ndarray::Array2;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{BoldPoints, Ranged};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::FontTransform;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::colormap::Colormap;
use super::figure::{Drawn, Figure, axis_label, tick_label, widened};
use super::style;

/// Width of the colour bar and of what stands right of it.
const BAR: (u32, u32) = (26, 135);
const TITLE_HEIGHT: u32 = 52;
const AXIS_HEIGHT: u32 = 38;
const AXIS_WIDTH: u32 = 62;

/// A `[height, width]` array in colours, row 0 on top, with a bar that tells what they mean.
#[derive(Clone, Debug)]
pub struct Map<'a> {
    /// Above the map.
    pub title: &'a str,
    /// `[height, width]`; NaN, where there are no data, is drawn in [`style::HOLE`].
    pub values: &'a Array2<f32>,
    /// The colours.
    pub colormap: Colormap,
    /// The values of the first and the last colour.
    pub range: Range<f64>,
    /// What the values are, beside the bar; may be empty.
    pub label: &'a str,
}

/// An RGB picture, row by row.
#[derive(Clone, Debug)]
pub struct Picture<'a> {
    /// Above the picture.
    pub title: &'a str,
    /// `[height, width]` in pixels.
    pub shape: [usize; 2],
    /// Three bytes a pixel.
    pub rgb: &'a [u8],
}

impl Map<'_> {
    fn colour(&self, value: f64) -> [u8; 3] {
        if value.is_nan() {
            return [style::HOLE.0, style::HOLE.1, style::HOLE.2];
        }
        let span = self.range.end - self.range.start;
        self.colormap.rgb(if span > 0.0 { (value - self.range.start) / span } else { 0.5 })
    }
}

impl Figure for Map<'_> {
    fn size(&self) -> (u32, u32) {
        let (width, height) = figure_size([self.values.nrows(), self.values.ncols()]);
        (width + BAR.0 + BAR.1 + style::MARGIN, height)
    }

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let shape = [self.values.nrows(), self.values.ncols()];
        let (width, _) = figure_size(shape);
        let (left, right) = area.split_horizontally(width);
        draw_plane(&left, self.title, shape, |row, column| self.colour(f64::from(self.values[[row, column]])))?;

        draw_bar(&right, self)
    }
}

/// The colour bar with its ticks and, turned, what the values are.
fn draw_bar<DB: DrawingBackend>(area: &DrawingArea<DB, Shift>, map: &Map<'_>) -> Drawn<DB> {
    let range = widened(map.range.start, map.range.end, 0.0);
    let (left, top) = (style::MARGIN as i32, TITLE_HEIGHT as i32);
    let right = left + BAR.0 as i32;
    let bottom = area.dim_in_pixel().1 as i32 - (AXIS_HEIGHT + style::MARGIN) as i32;
    let height = bottom - top;
    for y in top..bottom {
        let share = (f64::from(bottom - y) - 0.5) / f64::from(height);
        let [r, g, b] = map.colour(range.start + share * (range.end - range.start));
        area.draw(&Rectangle::new([(left, y), (right, y + 1)], RGBColor(r, g, b).filled()))?;
    }
    area.draw(&Rectangle::new([(left, top), (right, bottom)], style::INK.stroke_width(1)))?;

    let anchored = |size, horizontal, vertical| style::text(size).pos(Pos::new(horizontal, vertical));
    let scale: RangedCoordf64 = range.clone().into();
    for value in scale.key_points(BoldPoints(7)) {
        let share = (value - range.start) / (range.end - range.start);
        let y = bottom - (share * f64::from(height)).round() as i32;
        area.draw(&PathElement::new([(right, y), (right + 6, y)], style::INK.stroke_width(1)))?;
        let text = anchored(style::TICK_SIZE, HPos::Left, VPos::Center);
        area.draw(&Text::new(axis_label(value, range.end - range.start), (right + 12, y), text))?;
    }
    // After a quarter turn clockwise the anchor's top is on the right.
    let turned = anchored(style::LABEL_SIZE, HPos::Center, VPos::Bottom).transform(FontTransform::Rotate90);
    let x = (style::MARGIN + BAR.0 + BAR.1) as i32 - style::LABEL_SIZE as i32 - 10;
    area.draw(&Text::new(map.label.to_owned(), (x, (top + bottom) / 2), turned))
}

impl Figure for Picture<'_> {
    fn size(&self) -> (u32, u32) {
        let (width, height) = figure_size(self.shape);
        (width + style::MARGIN, height)
    }

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let (left, _) = area.split_horizontally(figure_size(self.shape).0);
        draw_plane(&left, self.title, self.shape, |row, column| {
            let at = 3 * (row * self.shape[1] + column);
            [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
        })
    }
}

/// Width and height of the plane with its axes and title, without a bar. Very long shapes are stretched to be seen.
fn figure_size([rows, columns]: [usize; 2]) -> (u32, u32) {
    let longest = rows.max(columns) as f64;
    let side =
        |len: usize| ((f64::from(style::MAP_SIZE) * len as f64 / longest).round() as u32).max(style::MAP_SIZE / 5);
    (AXIS_WIDTH + side(columns), TITLE_HEIGHT + side(rows) + AXIS_HEIGHT + style::MARGIN)
}

/// Title, axes of pixel indices, and one colour for every element; elements are repeated or skipped to fill the area.
fn draw_plane<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    title: &str,
    [rows, columns]: [usize; 2],
    colour: impl Fn(usize, usize) -> [u8; 3],
) -> Drawn<DB> {
    let middle = ((AXIS_WIDTH + area.dim_in_pixel().0) / 2) as i32;
    let centred = style::text(style::TITLE_SIZE).pos(Pos::new(HPos::Center, VPos::Center));
    area.draw(&Text::new(title.to_owned(), (middle, TITLE_HEIGHT as i32 / 2), centred))?;
    let mut chart = ChartBuilder::on(area)
        .margin_top(TITLE_HEIGHT)
        .margin_bottom(style::MARGIN)
        .set_label_area_size(LabelAreaPosition::Left, AXIS_WIDTH)
        .set_label_area_size(LabelAreaPosition::Bottom, AXIS_HEIGHT)
        .build_cartesian_2d(0.0..columns as f64, rows as f64..0.0)?;
    let (width, height) = chart.plotting_area().dim_in_pixel();
    let mut pixels = Vec::with_capacity(3 * (width * height) as usize);
    for y in 0..height as usize {
        let row = y * rows / height as usize;
        for x in 0..width as usize {
            pixels.extend(colour(row, x * columns / width as usize));
        }
    }
    if let Some(element) = BitMapElement::with_owned_buffer((0.0, 0.0), (width, height), pixels) {
        chart.draw_series(std::iter::once(element))?;
    }
    let labels = |len: usize| if len < 4 { len + 1 } else { 6 };
    chart
        .configure_mesh()
        .disable_mesh()
        .x_labels(labels(columns))
        .y_labels(labels(rows))
        .x_label_formatter(&|value| tick_label(*value))
        .y_label_formatter(&|value| tick_label(*value))
        .label_style(style::text(style::TICK_SIZE))
        .axis_style(style::INK)
        .draw()
}
