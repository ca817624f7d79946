//! Reading a file of any format.

use std::path::Path;

use super::array::{npy, npz, paired, plain, records};
use super::format::{self, Format};
use super::grid::{self, Raster};
use super::{Dataset, DatasetError, ElevationError, LoadOptions, image, table};
use crate::base::files;

/// Reads a picture, an array, an elevation grid or a table, told apart by content rather than by name; of an array of
/// points, also that of its targets.
///
/// # Errors
///
/// One sentence for each way in which the file may be unfit: missing, a directory, empty, of an unknown format, or
/// whatever its own format calls an error.
///
/// ```
/// use trainer::data::{LoadOptions, load};
/// let data = load("data/camera_256.png".as_ref(), &LoadOptions::default())?;
/// assert_eq!((data.len(), data.inputs(), data.outputs()), (65536, 2, 1));
///
/// let options = LoadOptions { inputs: vec!["voltage".into()], ..LoadOptions::default() };
/// let data = load("data/thermocouple_k.csv".as_ref(), &options)?;
/// assert_eq!((data.len(), data.output_names[0].as_str()), (138, "temperature"));
/// # Ok::<(), trainer::data::DatasetError>(())
/// ```
pub fn load(path: &Path, options: &LoadOptions) -> Result<Dataset, DatasetError> {
    let bytes = bytes_of(path)?;
    if let Some(targets) = &options.targets {
        return pair(path, &bytes, targets, options);
    }
    let format = Format::guess(path, &bytes)?;
    format.check(path, options)?;
    let of_npy = |source| DatasetError::Npy(path.to_owned(), source);
    let of_grid = |source| DatasetError::Grid(path.to_owned(), source);
    let of_raster = |raster: Result<Raster, ElevationError>| {
        raster.and_then(|raster| Ok(raster.dataset(options)?)).map_err(of_grid)
    };
    match format {
        Format::Image(format) => {
            let of_image = |reason| DatasetError::Image(path.to_owned(), reason);
            let (picture, orientation) = image::decode(&bytes, format).map_err(of_image)?;
            if format == ::image::ImageFormat::Hdr {
                return of_raster(Ok(image::radiance(&picture)));
            }
            format::no_numbers(path, options)?;
            Ok(image::dataset(picture, orientation))
        }
        Format::Tiff => {
            let as_numbers = !options.no_data.is_empty();
            match grid::tiff::read(path, &bytes, as_numbers).map_err(|fault| of_grid(fault.into()))? {
                grid::tiff::Content::Picture(picture, orientation) => {
                    format::no_numbers(path, options)?;
                    Ok(image::dataset(picture, orientation))
                }
                grid::tiff::Content::Raster(raster) => of_raster(Ok(raster)),
            }
        }
        Format::AsciiGrid => of_raster(grid::ascii::raster(&bytes)),
        Format::Pfm => of_raster(grid::pfm::raster(&bytes)),
        Format::Hgt => of_raster(grid::hgt::raster(path, &bytes)),
        Format::Npy => array(path, &bytes, options),
        Format::Npz => array(path, &npz::member(&bytes, options.array.as_deref()).map_err(of_npy)?, options),
        Format::Csv => table::dataset(&bytes, options).map_err(|source| DatasetError::Table(path.to_owned(), source)),
    }
}

/// All bytes of a file that has some.
fn bytes_of(path: &Path) -> Result<Vec<u8>, DatasetError> {
    if path.is_dir() {
        return Err(DatasetError::Directory(path.to_owned()));
    }
    let bytes = files::read(path)?;
    if bytes.is_empty() { Err(DatasetError::Empty(path.to_owned())) } else { Ok(bytes) }
}

/// The samples of an array in NumPy's format.
fn array(path: &Path, bytes: &[u8], options: &LoadOptions) -> Result<Dataset, DatasetError> {
    let of_npy = |source| DatasetError::Npy(path.to_owned(), source);
    let header = npy::Header::parse(bytes).map_err(of_npy)?;
    if records::are_records(&header) {
        return records::dataset(&header, options).map_err(of_npy);
    }
    format::no_columns(path, options)?;
    let bytes_each = header.descr.ends_with("u1");
    plain::dataset(npy::read(bytes).map_err(of_npy)?, bytes_each, options).map_err(of_npy)
}

/// The samples of points and their targets, an array each.
fn pair(path: &Path, bytes: &[u8], targets: &Path, options: &LoadOptions) -> Result<Dataset, DatasetError> {
    format::no_columns(path, options)?;
    let read = |path: &Path, bytes: &[u8]| {
        let of_npy = |source| DatasetError::Npy(path.to_owned(), source);
        match Format::guess(path, bytes)? {
            Format::Npy => npy::read(bytes).map_err(of_npy),
            Format::Npz => {
                npz::member(bytes, options.array.as_deref()).and_then(|member| npy::read(&member)).map_err(of_npy)
            }
            _ => Err(DatasetError::PointsAreArrays(path.to_owned())),
        }
    };
    let arrays = (read(path, bytes)?, read(targets, &bytes_of(targets)?)?);
    paired::dataset(arrays.0, arrays.1, options).map_err(|source| DatasetError::Npy(path.to_owned(), source))
}
