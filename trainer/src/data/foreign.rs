//! Formats that are known but not read, each with a conversion to one that is.

use std::path::Path;

use super::DatasetError;

/// A format that is not read.
struct Foreign {
    name: &'static str,
    /// Bytes at a place of the file that only this format has.
    magic: &'static [(usize, &'static [u8])],
    conversion: Conversion,
}

/// How a file becomes one that is read. In the commands, `{in}` is the file and `{out}` its name without extension.
enum Conversion {
    /// By a command that can be typed as it stands.
    Run(&'static str),
    /// By a command with a NAME in it, and what this is the name of.
    Named(&'static str, &'static str),
    /// By hand, as this sentence says.
    Do(&'static str),
}

use Conversion::{Do, Named, Run};

const FORMATS: [Foreign; 26] = [
    Foreign {
        name: "a NetCDF file",
        magic: &[(0, b"CDF")],
        conversion: Named(
            "python -c \"import numpy, xarray; numpy.save('{out}.npy', xarray.open_dataset('{in}')['NAME'])\"",
            "one of its variables",
        ),
    },
    Foreign {
        name: "an HDF5 file (.h5, .mat of MATLAB 7.3, or NetCDF-4)",
        magic: &[(0, b"\x89HDF\r\n\x1a\n")],
        conversion: Named(
            "python -c \"import h5py, numpy; numpy.save('{out}.npy', h5py.File('{in}')['NAME'])\"",
            "one of its datasets",
        ),
    },
    Foreign {
        name: "a MATLAB file",
        magic: &[(0, b"MATLAB 5.0 MAT-file")],
        conversion: Named(
            "python -c \"import numpy, scipy.io; numpy.save('{out}.npy', scipy.io.loadmat('{in}')['NAME'])\"",
            "one of its variables",
        ),
    },
    Foreign {
        name: "a Parquet table",
        magic: &[(0, b"PAR1")],
        conversion: Run("python -c \"import pandas; pandas.read_parquet('{in}').to_csv('{out}.csv', index=False)\""),
    },
    Foreign {
        name: "a Feather table",
        magic: &[(0, b"ARROW1")],
        conversion: Run("python -c \"import pandas; pandas.read_feather('{in}').to_csv('{out}.csv', index=False)\""),
    },
    Foreign {
        name: "an old Excel workbook",
        magic: &[(0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")],
        conversion: Do("open it in a spreadsheet and save the sheet as CSV"),
    },
    Foreign {
        name: "a FITS file",
        magic: &[(0, b"SIMPLE  =")],
        conversion: Run(
            "python -c \"import astropy.io.fits, numpy; numpy.save('{out}.npy', astropy.io.fits.getdata('{in}'))\"",
        ),
    },
    Foreign { name: "a JPEG 2000 picture", magic: &[(0, b"\0\0\0\x0cjP  \r\n\x87\n")], conversion: TO_TIFF },
    Foreign { name: "a JPEG 2000 picture", magic: &[(0, b"\xff\x4f\xff\x51")], conversion: TO_TIFF },
    Foreign { name: "a GIF", magic: &[(0, b"GIF8")], conversion: TO_PNG },
    Foreign { name: "an AVIF picture", magic: &[(4, b"ftypavi")], conversion: TO_PNG },
    Foreign {
        name: "an HEIC picture",
        magic: &[(4, b"ftyp")],
        conversion: Run(
            "python -c \"import pillow_heif; pillow_heif.read_heif('{in}').to_pillow().save('{out}.png')\"",
        ),
    },
    Foreign {
        name: "an OpenEXR picture",
        magic: &[(0, b"\x76\x2f\x31\x01")],
        conversion: Named(
            "python -c \"import numpy, OpenEXR; numpy.save('{out}.npy', \
             OpenEXR.File('{in}').channels()['NAME'].pixels)\"",
            "one of its channels, often RGB or Y (fit RGB with --channels-last)",
        ),
    },
    Foreign {
        name: "a GeoPackage",
        magic: &[(0, b"SQLite format 3\0"), (68, b"GPKG")],
        conversion: Do(
            "for a grid run: gdal_translate {in} {out}.tif, for points run: ogr2ogr -lco GEOMETRY=AS_XY {out}.csv {in}",
        ),
    },
    Foreign {
        name: "an SQLite database",
        magic: &[(0, b"SQLite format 3\0")],
        conversion: Named(
            "python -c \"import pandas, sqlite3; pandas.read_sql('select * from NAME', \
             sqlite3.connect('{in}')).to_csv('{out}.csv', index=False)\"",
            "one of its tables",
        ),
    },
    Foreign { name: "a GRIB file", magic: &[(0, b"GRIB")], conversion: TO_TIFF },
    Foreign { name: "an Erdas Imagine grid", magic: &[(0, b"EHFA_HEADER_TAG")], conversion: TO_TIFF },
    Foreign { name: "a Surfer grid", magic: &[(0, b"DSAA")], conversion: TO_TIFF },
    Foreign { name: "a Surfer grid", magic: &[(0, b"DSBB")], conversion: TO_TIFF },
    Foreign { name: "a Surfer grid", magic: &[(0, b"DSRB")], conversion: TO_TIFF },
    Foreign {
        name: "a point cloud in LAS or LAZ",
        magic: &[(0, b"LASF")],
        conversion: Run(
            "python -c \"import laspy, numpy; numpy.savetxt('{out}.csv', laspy.read('{in}').xyz, delimiter=',', \
             header='x,y,z', comments='')\"",
        ),
    },
    Foreign {
        name: "a sound in WAV",
        magic: &[(0, b"RIFF"), (8, b"WAVE")],
        conversion: Run(
            "python -c \"import numpy, scipy.io.wavfile; numpy.save('{out}.npy', scipy.io.wavfile.read('{in}')[1])\"",
        ),
    },
    Foreign { name: "packed with gzip", magic: &[(0, b"\x1f\x8b")], conversion: Run("python -m gzip -d {in}") },
    Foreign { name: "packed with xz", magic: &[(0, b"\xfd7zXZ\0")], conversion: Run("xz -dk {in}") },
    Foreign { name: "packed with bzip2", magic: &[(0, b"BZh")], conversion: Run("bzip2 -dk {in}") },
    Foreign { name: "packed with Zstandard", magic: &[(0, b"\x28\xb5\x2f\xfd")], conversion: Run("zstd -d {in}") },
];

const TO_PNG: Conversion =
    Run("python -c \"from PIL import Image; Image.open('{in}').convert('RGB').save('{out}.png')\"");
const TO_TIFF: Conversion = Run("gdal_translate {in} {out}.tif");

/// Members of a zip by which programs are known, and what the file is then.
const ARCHIVES: [(&[u8], &str, Conversion); 3] = [
    (
        b"xl/workbook",
        "an Excel workbook",
        Run("python -c \"import pandas; pandas.read_excel('{in}').to_csv('{out}.csv', index=False)\""),
    ),
    (
        b"application/vnd.oasis.opendocument",
        "an OpenDocument file",
        Run("python -c \"import pandas; pandas.read_excel('{in}').to_csv('{out}.csv', index=False)\""),
    ),
    (b"data.pkl", "a file of PyTorch", Do("save its tensor with numpy.save('{out}.npy', tensor.numpy())")),
];

/// The refusal of a file in a known format; none for any other.
pub(super) fn refusal(path: &Path, bytes: &[u8]) -> Option<DatasetError> {
    let has = |&(at, magic): &(usize, &[u8])| bytes.get(at..at + magic.len()) == Some(magic);
    let (name, conversion) = match FORMATS.iter().find(|format| format.magic.iter().all(has)) {
        Some(format) => (format.name, &format.conversion),
        None if is_pickle(bytes) => ("a pickle of Python", &PICKLE),
        None => return None,
    };
    Some(refused(path, name, conversion))
}

/// The refusal of a zip without arrays.
pub(super) fn archive_refusal(path: &Path, bytes: &[u8]) -> DatasetError {
    // Names of members are never packed, nor is the line by which OpenDocument begins.
    let holds = |member: &[u8]| bytes.windows(member.len()).any(|window| window == member);
    match ARCHIVES.iter().find(|archive| holds(archive.0)) {
        Some((_, name, conversion)) => refused(path, name, conversion),
        None => refused(path, "a zip archive without arrays of NumPy", &Run("python -m zipfile -e {in} .")),
    }
}

const PICKLE: Conversion = Run(
    "python -c \"import numpy, pickle; numpy.save('{out}.npy', pickle.load(open('{in}', 'rb')))\" (only if you trust \
     where it comes from)",
);

/// Protocols 2 to 5 begin with their number, and every pickle ends with a full stop.
fn is_pickle(bytes: &[u8]) -> bool {
    matches!(bytes, [0x80, 2..=5, .., b'.'])
}

fn refused(path: &Path, name: &'static str, conversion: &Conversion) -> DatasetError {
    let out = path.file_stem().unwrap_or_default().to_string_lossy();
    let filled = |text: &str| text.replace("{in}", &path.display().to_string()).replace("{out}", &out);
    let remedy = match conversion {
        Run(command) => format!("convert it with: {}", filled(command)),
        Named(command, what) => format!("convert it with: {}, where NAME is {what}", filled(command)),
        Do(what) => filled(what),
    };
    DatasetError::Foreign(path.to_owned(), name, remedy)
}
