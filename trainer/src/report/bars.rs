//! Bars lying side by side, each of pieces: what several things cost, and what of.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::figure::{Drawn, Figure};
use super::style;

/// Height of a bar, with the gap to the next.
const PITCH: i32 = 44;
/// Share of it that the bar fills.
const FILLED: i32 = 30;
/// Height of a panel beside its bars: its heading and its legend.
const HEAD: i32 = 84;
/// Width of the names.
const NAMES: i32 = 430;
/// Room right of the longest bar, for its number.
const NUMBERS: i32 = 150;

/// One bar.
#[derive(Clone, Debug)]
pub struct Bar {
    /// The text to the left of the bar.
    pub name: String,
    /// Its pieces from the left, one for each of [`Panel::pieces`]; not negative.
    pub values: Vec<f64>,
    /// Drawn in strong colours.
    pub is_ours: bool,
}

/// Bars over one scale.
#[derive(Clone, Debug)]
pub struct Panel<'a> {
    /// Above the bars.
    pub title: &'a str,
    /// What the pieces are, for the legend.
    pub pieces: &'a [&'a str],
    /// From top to bottom.
    pub bars: &'a [Bar],
    /// The longest bar that is drawn whole; longer ones are cut, with their number beside the cut.
    pub longest: f64,
}

/// Panels one above another.
#[derive(Clone, Debug)]
pub struct Bars<'a> {
    /// From top to bottom.
    pub panels: &'a [Panel<'a>],
}

impl Bars<'_> {
    fn height(panel: &Panel<'_>) -> i32 {
        HEAD + PITCH * panel.bars.len() as i32 + style::MARGIN as i32
    }
}

impl Figure for Bars<'_> {
    fn size(&self) -> (u32, u32) {
        let height: i32 = self.panels.iter().map(Self::height).sum();
        (style::PLOT_SIZE.0 + 100, height.max(1) as u32)
    }

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let (width, _) = self.size();
        let mut top = 0;
        for panel in self.panels {
            draw_panel(area, panel, top, width as i32)?;
            top += Self::height(panel);
        }
        Ok(())
    }
}

fn draw_panel<DB: DrawingBackend>(area: &DrawingArea<DB, Shift>, panel: &Panel<'_>, top: i32, width: i32) -> Drawn<DB> {
    let margin = style::MARGIN as i32;
    let right = width - NUMBERS;
    area.draw_text(panel.title, &style::text(style::TITLE_SIZE), (margin, top + margin))?;
    let mut at = NAMES;
    for (piece, name) in panel.pieces.iter().enumerate() {
        let label = style::text(style::LABEL_SIZE).pos(Pos::new(HPos::Left, VPos::Center));
        let y = top + HEAD - 24;
        area.draw(&Rectangle::new([(at, y - 9), (at + 18, y + 9)], color(piece, true).filled()))?;
        area.draw_text(name, &label, (at + 26, y))?;
        at += 60 + area.estimate_text_size(name, &label)?.0 as i32;
    }
    let length = |value: f64| (value / panel.longest * f64::from(right - NAMES)).round() as i32;
    for (k, bar) in panel.bars.iter().enumerate() {
        let y = top + HEAD + PITCH * k as i32;
        let (low, middle, high) = (y, y + FILLED / 2, y + FILLED);
        let name = style::text(style::LABEL_SIZE).pos(Pos::new(HPos::Right, VPos::Center));
        area.draw_text(&bar.name, &name, (NAMES - 12, middle))?;
        let (mut from, mut sum) = (NAMES, 0.0);
        for (piece, value) in bar.values.iter().enumerate() {
            sum += value;
            let to = NAMES + length(sum.min(panel.longest));
            area.draw(&Rectangle::new([(from, low), (to, high)], color(piece, bar.is_ours).filled()))?;
            from = to;
        }
        if sum > panel.longest {
            // A white stroke across the end: the bar goes on.
            let cut = [(right - 22, high + 2), (right - 12, low - 2)];
            area.draw(&PathElement::new(cut, WHITE.stroke_width(5)))?;
        }
        let number = style::text(style::TICK_SIZE).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw_text(&grouped(sum), &number, (from + 8, middle))?;
    }
    Ok(())
}

/// Blue for ours, grey for others; later pieces lighter.
fn color(piece: usize, is_ours: bool) -> RGBColor {
    let base = if is_ours { style::SERIES[0] } else { RGBColor(120, 120, 120) };
    let lighten = |channel: u8| channel + ((255 - channel) as f64 * 0.55 * piece.min(1) as f64) as u8;
    RGBColor(lighten(base.0), lighten(base.1), lighten(base.2))
}

/// A whole number with its thousands apart.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!([0.0, 999.0, 1000.0, 2_108_846.0].map(grouped), ["0", "999", "1,000", "2,108,846"]);
    }

    #[test]
    fn longer_bars_are_cut_and_empty_panels_drawn() {
        let bars = [Bar { name: "far".into(), values: vec![5.0, 50.0], is_ours: false }];
        let panel = Panel { title: "t", pieces: &["a", "b"], bars: &bars, longest: 10.0 };
        let empty = Panel { bars: &[], ..panel.clone() };
        let figure = Bars { panels: &[panel, empty] };
        assert!(figure.png().is_ok() && figure.svg().is_ok());
    }
}
