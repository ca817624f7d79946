//! ESRI ASCII grids (`.asc`): lines of names and numbers, then the rows of values from north to south.
//!
//! Format: <https://desktop.arcgis.com/en/arcmap/latest/manage-data/raster-and-images/esri-ascii-raster-format.htm>,
//! with the keys `dx` and `dy` that GDAL writes for cells that are not square. Decimal commas, which some programs
//! write, are read too.

use super::georeference::Georeference;
use super::{AsciiError, ElevationError, Missing, Raster};
use crate::data::sentinel::plain;

/// What stands for missing data where the header does not say.
const NODATA: f64 = -9999.0;

/// Whether these are the first bytes of such a grid.
pub(in crate::data) fn is_ascii_grid(bytes: &[u8]) -> bool {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    start.get(..5).is_some_and(|word| word.eq_ignore_ascii_case(b"ncols") || word.eq_ignore_ascii_case(b"nrows"))
        && start.get(5).is_some_and(u8::is_ascii_whitespace)
}

/// Reads the whole grid.
pub(in crate::data) fn raster(bytes: &[u8]) -> Result<Raster, ElevationError> {
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let mut header = Header::default();
    let mut values = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if values.is_empty() && header.take(line, index + 1)? {
            continue;
        }
        for token in line.split_ascii_whitespace() {
            values.push(number(token).ok_or_else(|| AsciiError::NotANumber(index + 1, shortened(token)))?);
        }
    }
    let (columns, rows) = (header.count("ncols")?, header.count("nrows")?);
    if values.len() != columns.saturating_mul(rows) {
        return Err(AsciiError::Count([rows, columns], values.len()).into());
    }
    let mut raster = Raster::new(vec![rows, columns], values);
    let (no_data, said) = match header.get("nodata_value") {
        Some(value) => (value, "is"),
        None => (NODATA, "is not given and thus"),
    };
    raster.missing =
        Some(Missing { values: vec![no_data], reason: format!("its NODATA_value {said} {}", plain(no_data)) });
    raster.notes.extend(header.georeference(rows).map(|place| place.note()));
    Ok(raster)
}

/// The lines before the values.
#[derive(Default)]
struct Header {
    entries: Vec<(String, f64, usize)>,
}

impl Header {
    /// Takes a line that begins with a name; `false` for a line of values.
    fn take(&mut self, line: &str, number_of_line: usize) -> Result<bool, AsciiError> {
        let mut tokens = line.split_ascii_whitespace();
        let Some(key) = tokens.next() else {
            return Ok(true);
        };
        if !key.starts_with(|first: char| first.is_ascii_alphabetic()) || number(key).is_some() {
            return Ok(false);
        }
        let text = tokens.next().unwrap_or_default();
        let fault = || AsciiError::Header(number_of_line, key.to_owned(), shortened(text));
        let value = number(text).ok_or_else(fault)?;
        let key = key.to_ascii_lowercase();
        let count = matches!(&key[..], "ncols" | "nrows");
        let size = matches!(&key[..], "cellsize" | "dx" | "dy");
        if (count && (value < 1.0 || value.fract() != 0.0 || value > 1e9))
            || (size && (value <= 0.0 || !value.is_finite()))
        {
            return Err(fault());
        }
        self.entries.push((key, value, number_of_line));
        Ok(true)
    }

    fn get(&self, key: &str) -> Option<f64> {
        self.entries.iter().find(|entry| entry.0 == key).map(|entry| entry.1)
    }

    fn count(&self, key: &'static str) -> Result<usize, AsciiError> {
        self.get(key).map(|value| value as usize).ok_or(AsciiError::Missing(key))
    }

    /// None if the header does not say where the grid lies.
    fn georeference(&self, rows: usize) -> Option<Georeference> {
        let square = self.get("cellsize");
        let size = [self.get("dx").or(square)?, self.get("dy").or(square)?];
        let centre =
            |corner, middle, size: f64| self.get(middle).or_else(|| self.get(corner).map(|corner| corner + size / 2.0));
        let west = centre("xllcorner", "xllcenter", size[0])?;
        let south = centre("yllcorner", "yllcenter", size[1])?;
        Some(Georeference::north_up([west, south + (rows - 1) as f64 * size[1]], size))
    }
}

/// A number, with a decimal point or, if there is none, a decimal comma.
fn number(token: &str) -> Option<f64> {
    token.parse().ok().or_else(|| token.replacen(',', ".", 1).parse().ok())
}

fn shortened(token: &str) -> String {
    if token.chars().count() > 40 { token.chars().take(37).chain("...".chars()).collect() } else { token.to_owned() }
}
