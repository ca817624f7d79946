//! An SVG whose pictures are pictures: plotters' own backend makes a rectangle of every pixel.

use std::cell::RefCell;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use plotters::prelude::{DrawingBackend, SVGBackend};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind};

use super::png::encode_png;

/// Draws with `draw` on a backend of `size` pixels and returns the text of the SVG. Pictures lie above all else.
///
/// # Errors
///
/// What `draw` returns.
pub(super) fn render<E>(size: (u32, u32), draw: impl FnOnce(Vector<'_>) -> Result<(), E>) -> Result<String, E> {
    let (mut text, pictures) = (String::new(), RefCell::default());
    draw(Vector { inner: SVGBackend::with_string(&mut text, size), pictures: &pictures })?;
    let end = text.rfind("</svg>").unwrap_or(text.len());
    text.insert_str(end, &pictures.into_inner());
    Ok(text)
}

/// The backend that keeps pictures.
pub(super) struct Vector<'a> {
    inner: SVGBackend<'a>,
    /// Their elements, one a line.
    pictures: &'a RefCell<String>,
}

type Error = <SVGBackend<'static> as DrawingBackend>::ErrorType;
type Drawn = Result<(), DrawingErrorKind<Error>>;

impl DrawingBackend for Vector<'_> {
    type ErrorType = Error;

    fn get_size(&self) -> (u32, u32) {
        self.inner.get_size()
    }

    fn ensure_prepared(&mut self) -> Drawn {
        self.inner.ensure_prepared()
    }

    fn present(&mut self) -> Drawn {
        self.inner.present()
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Drawn {
        self.inner.draw_pixel(point, color)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.inner.draw_line(from, to, style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        self.inner.draw_rect(upper_left, bottom_right, style, fill)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        self.inner.draw_path(path, style)
    }

    fn draw_circle<S: BackendStyle>(&mut self, center: BackendCoord, radius: u32, style: &S, fill: bool) -> Drawn {
        self.inner.draw_circle(center, radius, style, fill)
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, corners: I, style: &S) -> Drawn {
        self.inner.fill_polygon(corners, style)
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Drawn {
        self.inner.draw_text(text, style, at)
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Error>> {
        self.inner.estimate_text_size(text, style)
    }

    fn blit_bitmap(&mut self, (x, y): BackendCoord, (width, height): (u32, u32), pixels: &[u8]) -> Drawn {
        let png = encode_png(pixels, (width, height), image::ExtendedColorType::Rgb8)
            .map_err(|error| DrawingErrorKind::DrawingError(std::io::Error::other(error)))?;
        let data = BASE64_STANDARD.encode(png);
        writeln!(
            self.pictures.borrow_mut(),
            "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" href=\"data:image/png;base64,{data}\"/>"
        )
        .expect("writing to a string does not fail");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::figure::Figure as _;
    use super::super::sheet::{Panel, Raster, Row, Sheet};
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    #[test]
    fn a_picture_is_one_element_with_its_pixels() {
        let rgb = (0..64 * 64 * 3).map(|k| (k % 251) as u8).collect();
        let raster = Raster { title: "noise".to_owned(), caption: String::new(), shape: [64, 64], rgb };
        let rows = vec![Row { height: 400, panels: vec![Panel::Raster(raster)] }];
        let svg = Sheet { title: "a sheet".to_owned(), rows }.svg().unwrap();
        assert!(svg.trim_end().ends_with("</svg>") && svg.contains("a sheet"));
        assert!(svg.matches("<rect").count() < 10 && svg.matches("<image").count() == 1);
        let data = svg.split("base64,").nth(1).unwrap().split('"').next().unwrap();
        let picture = image::load_from_memory(&BASE64_STANDARD.decode(data).unwrap()).unwrap().to_rgb8();
        assert_eq!(picture.get_pixel(0, 0).0, [0, 1, 2]);
    }
}
