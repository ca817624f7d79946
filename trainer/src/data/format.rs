//! Which format a file has, and which options of reading belong to it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use image::ImageFormat;

use super::array::{npy, npz, records};
use super::grid::{ascii, hgt, pfm, tiff};
use super::{DatasetError, LoadOptions, foreign, table};

/// A format that is read.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Format {
    Image(ImageFormat),
    Tiff,
    AsciiGrid,
    Hgt,
    Pfm,
    Npy,
    Npz,
    Csv,
}

/// Headers of arrays are shorter.
const LONGEST_HEADER: u64 = 1 << 20;
/// Pictures that are told by their first bytes.
const PICTURES: [(&[u8], ImageFormat); 4] = [
    (b"\x89PNG\r\n\x1a\n", ImageFormat::Png),
    (b"\xff\xd8\xff", ImageFormat::Jpeg),
    (b"#?RADIANCE", ImageFormat::Hdr),
    (b"#?RGBE", ImageFormat::Hdr),
];

impl Format {
    /// By the first bytes; an `.hgt`, which has no mark of its own, by its name, and a table by its name or by the
    /// numbers in its lines.
    pub(super) fn guess(path: &Path, bytes: &[u8]) -> Result<Self, DatasetError> {
        if let Some((_, format)) = PICTURES.iter().find(|(magic, _)| bytes.starts_with(magic)) {
            return Ok(Self::Image(*format));
        }
        if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            return Ok(Self::Image(ImageFormat::WebP));
        }
        if tiff::MAGIC.iter().any(|magic| bytes.starts_with(magic)) {
            return Ok(Self::Tiff);
        }
        if bytes.starts_with(npy::MAGIC) {
            return Ok(Self::Npy);
        }
        if bytes.starts_with(npz::MAGIC) {
            return if npz::has_arrays(bytes) { Ok(Self::Npz) } else { Err(foreign::archive_refusal(path, bytes)) };
        }
        if ascii::is_ascii_grid(bytes) {
            return Ok(Self::AsciiGrid);
        }
        if hgt::is_hgt(path) {
            return Ok(Self::Hgt);
        }
        // What follows may be the beginning of a text as well.
        let is_table = is_named_table(path);
        if !is_table && pfm::is_pfm(bytes) {
            return Ok(Self::Pfm);
        }
        if !is_table && matches!(bytes, [b'P', b'1'..=b'7', b' ' | b'\t' | b'\r' | b'\n', ..]) {
            return Ok(Self::Image(ImageFormat::Pnm));
        }
        if bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0; 4]) {
            return Ok(Self::Image(ImageFormat::Bmp));
        }
        if let Some(refusal) = foreign::refusal(path, bytes).filter(|_| !is_table || bytes.contains(&0)) {
            return Err(refusal);
        }
        if is_table || table::looks_like(bytes) {
            Ok(Self::Csv)
        } else {
            Err(DatasetError::UnknownFormat(path.to_owned()))
        }
    }

    /// Refuses options that mean nothing in this format.
    pub(super) fn check(self, path: &Path, options: &LoadOptions) -> Result<(), DatasetError> {
        let is_array = matches!(self, Self::Npy | Self::Npz);
        if !is_array && self != Self::Csv {
            no_columns(path, options)?;
        }
        let given = [
            (options.channels_last && !is_array, "--channels-last", "an .npy array"),
            (options.volume && !is_array, "--volume", "an .npy array"),
            (options.wide && self != Self::Csv, "--wide", "a table"),
            (options.decimal.is_some() && self != Self::Csv, "--decimal", "a table"),
            (options.array.is_some() && self != Self::Npz, "--array", "an .npz archive"),
        ];
        match given.into_iter().find(|option| option.0) {
            Some((_, option, kind)) => Err(DatasetError::OptionIsFor(path.to_owned(), option, kind)),
            None => Ok(()),
        }
    }
}

/// Columns can only be named in a table.
pub(super) fn no_columns(path: &Path, options: &LoadOptions) -> Result<(), DatasetError> {
    if options.inputs.is_empty() && options.outputs.is_empty() {
        Ok(())
    } else {
        Err(DatasetError::ColumnsAreForCsv(path.to_owned()))
    }
}

/// Intensities have no value that stands for missing data.
pub(super) fn no_numbers(path: &Path, options: &LoadOptions) -> Result<(), DatasetError> {
    if options.no_data.is_empty() {
        return Ok(());
    }
    Err(DatasetError::OptionIsFor(path.to_owned(), "--no-data", "a table, an array or an elevation grid"))
}

/// Whether a path has the extension of a table, `.csv`, `.tsv` or `.txt`, in any case.
#[must_use]
pub fn is_named_table(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
    matches!(extension.as_deref(), Some("csv" | "tsv" | "txt"))
}

/// Whether the columns of a file have names: those of a table, or the fields of a structured array. A file that cannot
/// be read has none.
#[must_use]
pub fn has_columns(path: &Path) -> bool {
    let start = || {
        let mut start = Vec::new();
        File::open(path)?.take(LONGEST_HEADER).read_to_end(&mut start).map(|_| start)
    };
    let of_records = |bytes: Vec<u8>| npy::Header::parse(&bytes).is_ok_and(|header| records::are_records(&header));
    let is_of_columns = |bytes: Vec<u8>| match Format::guess(path, &bytes) {
        Ok(Format::Csv) => true,
        Ok(Format::Npy) => of_records(bytes),
        _ => false,
    };
    is_named_table(path) || start().is_ok_and(is_of_columns)
}
