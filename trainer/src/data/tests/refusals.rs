//! Formats that are not read name one that is.

use super::*;

#[test]
fn known_formats_are_refused_with_a_conversion() {
    let mut geopackage = b"SQLite format 3\0".to_vec();
    geopackage.resize(68, 0);
    geopackage.extend(b"GPKG");
    let cases: [(&str, &[u8], &str, &str); 14] = [
        ("a.nc", b"CDF\x01\0\0\0\0", "NetCDF", "xarray.open_dataset('a.nc')"),
        ("a.h5", b"\x89HDF\r\n\x1a\n\0", "HDF5", "h5py.File('a.h5')"),
        ("a.mat", b"MATLAB 5.0 MAT-file, Platform", "MATLAB", "scipy.io.loadmat"),
        ("a.parquet", b"PAR1\x15", "Parquet", "to_csv('a.csv'"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel", "as CSV"),
        ("a.fits", b"SIMPLE  =                    T", "FITS", "astropy.io.fits.getdata"),
        ("a.jp2", b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000", "gdal_translate a.jp2 a.tif"),
        ("a.exr", b"\x76\x2f\x31\x01\x02", "OpenEXR", "OpenEXR.File"),
        ("a.gpkg", &geopackage, "GeoPackage", "gdal_translate a.gpkg a.tif"),
        ("a.db", b"SQLite format 3\0\x10", "SQLite", "pandas.read_sql"),
        ("a.pkl", b"\x80\x04\x95\x0b.", "pickle", "pickle.load(open('a.pkl', 'rb'))"),
        ("a.hgt.gz", b"\x1f\x8b\x08\0", "gzip", "python -m gzip -d a.hgt.gz"),
        ("a.gif", b"GIF89a", "GIF", "save('a.png')"),
        ("a.heic", b"\0\0\0\x18ftypheic", "HEIC", "pillow_heif"),
    ];
    for (name, bytes, format, remedy) in cases {
        let refused = message(load_plain(name, bytes));
        assert!(refused.contains(format) && refused.contains("which is not read"), "{refused}");
        // The command names the file as it was given: here with a folder that changes.
        let folder = refused.split(&format!("{name} is ")).next().unwrap().to_owned();
        assert!(refused.replace(&folder, "").contains(remedy), "{refused}");
    }
}

#[test]
fn a_zip_tells_what_is_in_it() {
    use std::io::Write;
    let zip = |member: &str, text: &str| {
        let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file(member, ::zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
        writer.finish().unwrap().into_inner()
    };
    let cases = [
        ("b.xlsx", zip("xl/workbook.xml", ""), "Excel", "pandas.read_excel"),
        (
            "b.ods",
            zip("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
            "OpenDocument",
            "pandas.read_excel",
        ),
        ("b.pt", zip("b/data.pkl", ""), "PyTorch", "numpy.save('b.npy', tensor.numpy())"),
        ("N36W113.hgt.zip", zip("N36W113.hgt", ""), "zip archive", "python -m zipfile -e"),
    ];
    for (name, bytes, format, remedy) in cases {
        let refused = message(load_plain(name, &bytes));
        assert!(refused.contains(format) && refused.contains(remedy), "{refused}");
    }
}

#[test]
fn bad_files() {
    let missing = message(load("no/such/file.png".as_ref(), &LoadOptions::default()));
    assert!(missing.contains("cannot read no/such/file.png"), "{missing}");
    let directory = message(load(std::env::temp_dir().as_ref(), &LoadOptions::default()));
    assert!(directory.contains("is a directory"), "{directory}");
    assert!(message(load_plain("e.png", b"")).contains("e.png is empty"));
    assert!(message(load_plain("n.png", b"hello, world")).contains("neither a PNG"));

    let whole = png(&grey_picture());
    for len in 8..whole.len() - 16 {
        let result = load_plain("cut.png", &whole[..len]);
        assert!(result.is_err(), "a picture cut at {len} of {}", whole.len());
        let cut = message(result);
        assert!(cut.contains("is damaged or cut short") && cut.contains("cut.png"), "{cut}");
    }
    let jpeg = message(load_plain("j.jpg", b"\xff\xd8\xff\xe0 nothing"));
    assert!(jpeg.contains("j.jpg"), "{jpeg}");
    assert!(message(load_bytes("p.png", &whole, &columns(&["a"], &[]))).contains("no columns"));
    let last = LoadOptions { channels_last: true, ..LoadOptions::default() };
    assert!(message(load_bytes("p.png", &whole, &last)).contains("leave out --channels-last"));
}

/// A table is one whatever its name is; a text is none.
#[test]
fn tables_are_known_by_their_content() {
    let table: &[u8] = b"# of a logger\nmV,degC\n0,0\n3995.6,97.5\n4096.2,100\n";
    let spaces: &[u8] = b"0.0  1.5\n1.0  2.5\n2.0  3.5\n";
    for (name, bytes) in [("therm.dat", table), ("therm.log", table), ("therm", table), ("out.xvg", spaces)] {
        let data = load_plain(name, bytes).unwrap();
        assert!(data.kind == DataKind::Table && data.outputs() == 1, "{name}");
    }
    let path = std::env::temp_dir().join("table-by-content.dat");
    std::fs::write(&path, table).unwrap();
    assert!(has_columns(&path));
    std::fs::remove_file(&path).unwrap();
    for text in ["fn main() {}\nlet a = [1, 2];\n", "one line, and no number\n", "1,2\u{1}\n3,4\n"] {
        assert!(message(load_plain("a.dat", text.as_bytes())).contains("neither a PNG"), "{text}");
    }
}
