//! Fonts, colours and sizes of every figure, in one place.

use std::sync::Once;

use plotters::style::{Color, FontStyle, RGBColor, TextStyle, register_font};

/// The family under which [`register_fonts`] makes DejaVu Sans known; in SVG, what the viewer has.
pub const FAMILY: &str = "sans-serif";

/// Pixels: figures are drawn for screens that show two pixels per point.
pub const TITLE_SIZE: u32 = 30;
/// Labels of axes and legends.
pub const LABEL_SIZE: u32 = 24;
/// Numbers at ticks.
pub const TICK_SIZE: u32 = 22;
/// Width of lines that carry data.
pub const LINE_WIDTH: u32 = 2;
/// Radius of points that carry data.
pub const POINT_RADIUS: u32 = 3;
/// Width and height of plots; maps take their height from the data.
pub const PLOT_SIZE: (u32, u32) = (1100, 640);
/// The longer side of a map.
pub const MAP_SIZE: u32 = 640;
/// Space around a figure.
pub const MARGIN: u32 = 14;
/// Space for the numbers and the label left of a plot.
pub const LEFT_LABELS: u32 = 100;
/// Space for the numbers and the label below a plot.
pub const BOTTOM_LABELS: u32 = 72;

/// Text and axes.
pub const INK: RGBColor = RGBColor(40, 40, 40);
/// Grid lines.
pub const GRID: RGBColor = RGBColor(225, 225, 225);
/// Cells of a map without data: in none of the colour maps.
pub const HOLE: RGBColor = RGBColor(170, 170, 170);
/// Okabe and Ito's colours, which people with any colour vision tell apart; black is left for the data.
pub const SERIES: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];
/// What is to be reproduced.
pub const TARGET: RGBColor = RGBColor(0, 0, 0);

/// A text of the given size in ink.
#[must_use]
pub fn text(size: u32) -> TextStyle<'static> {
    // Not `.color(…)`: that ties the style's lifetime to the colour's.
    TextStyle { color: INK.to_backend_color(), ..TextStyle::from((FAMILY, size)) }
}

/// Makes the embedded font known to plotters, which has no fonts of its own; call before drawing.
pub fn register_fonts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // It fails only on bytes that are no font, which a test of every figure would show.
        let _ = register_font(FAMILY, FontStyle::Normal, dejavu::sans::regular());
    });
}
