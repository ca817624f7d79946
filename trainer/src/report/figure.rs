//! One drawing, two formats: a [`Figure`] draws itself on any plotters backend; PNG and SVG come from the same code.

use plotters::coord::Shift;
use plotters::prelude::*;

pub use super::error::FigureError;
pub use super::png::encode_png;
use super::{smooth, style, vector};

/// What a drawing function returns on any backend.
pub type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// Something that can be drawn.
pub trait Figure {
    /// Width and height in pixels.
    fn size(&self) -> (u32, u32);

    /// Draws on an empty white area of that size.
    ///
    /// # Errors
    ///
    /// What the backend reports.
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB>;

    /// The figure as the bytes of a PNG.
    ///
    /// # Errors
    ///
    /// If drawing or encoding fails.
    fn png(&self) -> Result<Vec<u8>, FigureError> {
        style::register_fonts();
        let pixels = smooth::render(self.size(), |backend| self.draw_on(&backend.into_drawing_area()))?;
        encode_png(&pixels, self.size(), image::ExtendedColorType::Rgb8)
    }

    /// The figure as the text of an SVG.
    ///
    /// # Errors
    ///
    /// If drawing fails.
    fn svg(&self) -> Result<String, FigureError> {
        style::register_fonts();
        vector::render(self.size(), |backend| self.draw_on(&backend.into_drawing_area()))
    }

    /// Clears, draws and finishes, with the backend's error in words: its type differs with the backend.
    ///
    /// # Errors
    ///
    /// If drawing fails.
    fn draw_on<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Result<(), FigureError> {
        let drawn = area.fill(&WHITE).and_then(|()| self.draw(area)).and_then(|()| area.present());
        drawn.map_err(|error| FigureError::Draw(error.to_string()))
    }
}

/// Whole numbers without a point, small and large ones with an exponent, others with up to four significant digits.
#[must_use]
pub fn tick_label(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor();
    if !(-3.0..6.0).contains(&magnitude) {
        return format!("{value:.1e}").replace(".0e", "e");
    }
    let decimals = (3.0 - magnitude).clamp(0.0, 6.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// The label of a tick on an axis of this length: what plotters makes of zero by adding up steps is zero again.
#[must_use]
pub fn axis_label(value: f64, length: f64) -> String {
    tick_label(if value.abs() < 1e-9 * length.abs() { 0.0 } else { value })
}

/// A range that has a width, for data that may have none.
#[must_use]
pub fn widened(minimum: f64, maximum: f64, share: f64) -> std::ops::Range<f64> {
    let span = maximum - minimum;
    let pad = if span > 0.0 { share * span } else { 0.5 * minimum.abs().max(1.0) };
    minimum - pad..maximum + pad
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short() {
        for (value, label) in [
            (0.0, "0"),
            (0.30000000000000004, "0.3"),
            (250.0, "250"),
            (-1076.4, "-1076"),
            (0.001, "0.001"),
            (1e-5, "1e-5"),
            (2.5e7, "2.5e7"),
        ] {
            assert_eq!(tick_label(value), label);
        }
        assert_eq!(axis_label(-1.1e-16, 1.4), "0");
        assert_eq!(axis_label(1e-5, 1e-4), "1e-5");
    }
}
