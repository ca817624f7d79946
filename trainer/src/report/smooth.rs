//! A smooth bitmap: plotters' own has jagged lines, so everything is drawn three times as large and averaged.

use plotters::prelude::{BitMapBackend, DrawingBackend};
use plotters::style::TextStyle;
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind};

/// Pixels of the large picture along each side of a pixel of the small one.
const SCALE: i32 = 3;

/// Draws with `draw` on a backend of `size` pixels and returns its RGB bytes, row by row.
///
/// # Errors
///
/// What `draw` returns.
pub(super) fn render<E>(
    (width, height): (u32, u32),
    draw: impl FnOnce(Smooth<'_>) -> Result<(), E>,
) -> Result<Vec<u8>, E> {
    let (large_width, large_height) = (width * SCALE as u32, height * SCALE as u32);
    let mut large = image::RgbImage::new(large_width, large_height);
    let inner = BitMapBackend::with_buffer(&mut large, (large_width, large_height));
    draw(Smooth { inner, size: (width, height) })?;
    Ok(shrunk(&large.into_raw(), width as usize))
}

/// The mean of each block of pixels, rounded; `width` is that of the small picture.
fn shrunk(large: &[u8], width: usize) -> Vec<u8> {
    let (scale, channels) = (SCALE as usize, 3);
    let (row_bytes, block) = ((channels * scale * width).max(1), (scale * scale) as u16);
    let mut small = Vec::with_capacity(large.len() / (scale * scale));
    let mut sums = vec![0u16; channels * width];
    for rows in large.chunks_exact(row_bytes * scale) {
        sums.fill(0);
        for row in rows.chunks_exact(row_bytes) {
            for (sums, pixels) in sums.chunks_exact_mut(channels).zip(row.chunks_exact(channels * scale)) {
                for pixel in pixels.chunks_exact(channels) {
                    sums.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += u16::from(value));
                }
            }
        }
        small.extend(sums.iter().map(|sum| ((sum + block / 2) / block) as u8));
    }
    small
}

/// The backend that enlarges.
pub(super) struct Smooth<'a> {
    inner: BitMapBackend<'a>,
    size: (u32, u32),
}

type Drawn<'a> = Result<(), DrawingErrorKind<<BitMapBackend<'a> as DrawingBackend>::ErrorType>>;

/// A colour and a width on the large picture.
struct Large {
    color: BackendColor,
    width: u32,
}

impl Large {
    fn of(style: &impl BackendStyle) -> Self {
        Self { color: style.color(), width: style.stroke_width() * SCALE as u32 }
    }
}

impl BackendStyle for Large {
    fn color(&self) -> BackendColor {
        self.color
    }

    fn stroke_width(&self) -> u32 {
        self.width
    }
}

/// The middle of a pixel on the large picture.
fn middle((x, y): BackendCoord) -> BackendCoord {
    (SCALE * x + SCALE / 2, SCALE * y + SCALE / 2)
}

impl Smooth<'_> {
    /// A line as a polygon: plotters gives a wide path of sharp bends missing and doubled corners.
    fn stroke(&mut self, from: BackendCoord, to: BackendCoord, style: &Large) -> Drawn<'static> {
        let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
        let length = dx.hypot(dy);
        if length == 0.0 {
            return Ok(());
        }
        let half = f64::from(style.width) / 2.0;
        let (nx, ny) = (-dy / length * half, dx / length * half);
        let corner = |(x, y): BackendCoord, side: f64| {
            ((f64::from(x) + side * nx).round() as i32, (f64::from(y) + side * ny).round() as i32)
        };
        self.inner
            .fill_polygon([corner(from, 1.0), corner(to, 1.0), corner(to, -1.0), corner(from, -1.0)], &style.color)
    }
}

impl<'a> DrawingBackend for Smooth<'a> {
    type ErrorType = <BitMapBackend<'a> as DrawingBackend>::ErrorType;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn<'a> {
        self.inner.ensure_prepared()
    }

    fn present(&mut self) -> Drawn<'a> {
        self.inner.present()
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn<'a> {
        self.draw_rect((x, y), (x + 1, y + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn<'a> {
        self.stroke(middle(from), middle(to), &Large::of(style))
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn<'a> {
        if fill {
            // Right and bottom are the first that the bitmap leaves free.
            let (start, end) = ((SCALE * left, SCALE * top), (SCALE * right, SCALE * bottom));
            return self.inner.draw_rect(start, end, &Large::of(style), true);
        }
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
        self.draw_path(corners, style)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn<'a> {
        let large = Large::of(style);
        let mut last = None;
        for point in path.into_iter().map(middle) {
            if let Some(last) = last {
                self.stroke(last, point, &large)?;
                // Round joints; the circle of radius r is 2r+1 wide.
                self.inner.draw_circle(last, (large.width - 1) / 2, &large.color, true)?;
            }
            last = Some(point);
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, center: BackendCoord, radius: u32, style: &S, fill: bool) -> Drawn<'a> {
        self.inner.draw_circle(middle(center), radius * SCALE as u32, &Large::of(style), fill)
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Drawn<'a> {
        self.inner.fill_polygon(corners.into_iter().map(middle), &Large::of(style))
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, (x, y): BackendCoord) -> Drawn<'a> {
        let size = style.size() * f64::from(SCALE);
        let font = plotters::style::FontDesc::new(style.family(), size, style.style()).transform(style.transform());
        let large = TextStyle { font, color: style.color(), pos: style.anchor() };
        self.inner.draw_text(text, &large, (SCALE * x, SCALE * y))
    }

    fn blit_bitmap(&mut self, (left, top): BackendCoord, (width, height): (u32, u32), pixels: &[u8]) -> Drawn<'a> {
        for (at, rgb) in pixels.chunks_exact(3).take((width * height) as usize).enumerate() {
            let (x, y) = ((at as u32 % width) as i32, (at as u32 / width) as i32);
            self.draw_pixel((left + x, top + y), BackendColor { alpha: 1.0, rgb: (rgb[0], rgb[1], rgb[2]) })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_and_bitmaps_keep_their_colours() {
        let colours: Vec<u8> = (0..12).map(|k| 20 * k).collect();
        let pixels = render::<()>((4, 3), |mut backend| {
            backend.draw_rect((0, 0), (4, 3), &BackendColor { alpha: 1.0, rgb: (9, 9, 9) }, true).map_err(|_| ())?;
            backend.blit_bitmap((1, 1), (2, 2), &colours).map_err(|_| ())
        })
        .unwrap();
        let row = |y: usize| &pixels[12 * y..12 * (y + 1)];
        assert_eq!(row(0), [9; 12]);
        assert_eq!(row(1)[3..9], colours[..6]);
        assert_eq!(row(2)[3..9], colours[6..]);
        assert_eq!((&row(1)[..3], &row(2)[9..]), (&[9; 3][..], &[9; 3][..]));
    }

    #[test]
    fn a_pixel_is_the_mean_of_its_block() {
        // Two blocks side by side: 6 × 3 pixels whose three channels count up from 0, 100 and 200.
        let value = |x: usize, y: usize, channel: usize| 100 * channel + (x * x + 7 * y) % 50;
        let pixels =
            (0..3).flat_map(|y| (0..6).flat_map(move |x| (0..3).map(move |channel| value(x, y, channel) as u8)));
        let mean = |left: usize, channel: usize| {
            let sum: usize = (0..3).flat_map(|y| (left..left + 3).map(move |x| value(x, y, channel))).sum();
            (sum as f64 / 9.0).round() as u8
        };
        let expected: Vec<u8> =
            [0, 3].iter().flat_map(|&left| (0..3).map(move |channel| mean(left, channel))).collect();
        assert_eq!(shrunk(&pixels.collect::<Vec<u8>>(), 2), expected);
    }
}
