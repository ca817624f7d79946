//! The conventions, and every kind of bad file one by one.

mod foreign;
mod grids;
mod numpy;
mod pictures;

use std::io::Cursor;

use super::*;

/// Writes `bytes` to a file of this name and loads it.
fn load_bytes(name: &str, bytes: &[u8], options: &LoadOptions) -> Result<Dataset, DatasetError> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join(name);
    std::fs::write(&path, bytes).expect("a file in it");
    load(&path, options)
}

fn load_plain(name: &str, bytes: &[u8]) -> Result<Dataset, DatasetError> {
    load_bytes(name, bytes, &LoadOptions::default())
}

fn columns(inputs: &[&str], outputs: &[&str]) -> LoadOptions {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    LoadOptions { inputs: owned(inputs), outputs: owned(outputs), ..LoadOptions::default() }
}

/// A file of the folder of test data, whose README says what it holds.
fn testdata(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/grids").join(name)
}

fn load_testdata(name: &str, options: &LoadOptions) -> Result<Dataset, DatasetError> {
    load(&testdata(name), options)
}

/// The targets of one output in the data's own numbers.
fn in_units(data: &Dataset, output: usize) -> Vec<f64> {
    let map = data.output_maps[output];
    data.targets
        .column(output)
        .iter()
        .map(|&unit| f64::from(unit) * f64::from(map.scale) + f64::from(map.offset))
        .collect()
}

/// Whether numbers agree to single precision.
fn agree(found: &[f64], expected: &[f64]) -> bool {
    found.len() == expected.len()
        && found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-6 * (1.0 + b.abs()) * 10.0)
}

/// The error as the command line prints it: the causes after colons, all in one line.
fn message(result: Result<Dataset, DatasetError>) -> String {
    let mut error: &dyn std::error::Error = &result.expect_err("this input is bad");
    let mut text = error.to_string();
    while let Some(source) = error.source() {
        text = format!("{text}: {source}");
        error = source;
    }
    assert!(!text.contains('\n'), "one line: {text}");
    text
}

fn png(picture: &::image::DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ::image::ImageFormat::Png).expect("encodes");
    bytes.into_inner()
}

fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn npy_f32(shape: &[usize], values: &[f32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    npy::write(&mut bytes, shape, values).expect("shape and values agree");
    bytes
}

fn grey_picture() -> ::image::DynamicImage {
    ::image::GrayImage::from_fn(4, 2, |x, y| ::image::Luma([(x * 10 + y * 100) as u8])).into()
}

#[test]
fn x_comes_first_and_a_picture_equals_the_npy_of_its_pixels() {
    let picture = load_plain("p.png", &png(&grey_picture())).unwrap();
    assert_eq!(picture.kind, DataKind::Image { width: 4, height: 2, channels: 1 });
    assert_eq!(picture.input_names, ["x", "y"]);
    // Sample 6 is row 1, column 2.
    assert_eq!(picture.points.row(6).to_vec(), [2.0, 1.0]);
    assert_eq!(picture.coordinates.row(6).to_vec(), [1 << 31, 1 << 31]);
    assert_eq!(picture.targets[[6, 0]], 120.0 / 255.0);
    assert_eq!((picture.axes[0].maximum, picture.axes[0].period()), (3.0, 4.0));
    assert_eq!(picture.output_maps, [OutputMap { scale: 1.0, offset: 0.0 }]);

    let pixels: Vec<u8> = grey_picture().to_luma8().into_raw();
    let grid = load_plain("p.npy", &npy("|u1", false, "(2, 4)", &pixels)).unwrap();
    assert_eq!(grid.points, picture.points);
    assert_eq!(grid.coordinates, picture.coordinates);
    assert_eq!(grid.axes, picture.axes);
    assert_eq!(grid.output_shape(), picture.output_shape());
}

#[test]
fn every_depth_and_colour_of_picture() {
    let rgb = ::image::RgbImage::from_pixel(2, 2, ::image::Rgb([255, 0, 51]));
    let colour = load_plain("c.png", &png(&rgb.into())).unwrap();
    assert_eq!(colour.targets.row(3).to_vec(), [1.0, 0.0, 0.2]);
    assert_eq!(colour.output_names, ["red", "green", "blue"]);
    assert_eq!(colour.output_shape(), [2, 2, 3]);

    let deep = ::image::ImageBuffer::from_pixel(1, 1, ::image::Luma([32769u16]));
    let deep = load_plain("d.png", &png(&deep.into())).unwrap();
    assert_eq!(deep.targets[[0, 0]], 32769.0 / 65535.0);

    // Opaque alpha is dropped, half alpha goes over white.
    let alpha = ::image::ImageBuffer::from_fn(2, 1, |x, _| ::image::LumaA([0u16, if x == 0 { 65535 } else { 0 }]));
    let alpha = load_plain("a.png", &png(&alpha.into())).unwrap();
    assert_eq!(alpha.targets.column(0).to_vec(), [0.0, 1.0]);
}

#[test]
fn every_npy_type_order_and_byte_order() {
    let expected: Vec<f64> = vec![0.0, 1.0, 2.0, 3.0, 4.0, 100.0];
    let column_major = [0.0, 3.0, 1.0, 4.0, 2.0, 100.0];
    macro_rules! check {
        ($($name:literal, $type:ty);* $(;)?) => {$(
            for (fortran, values) in [(false, &expected[..]), (true, &column_major[..])] {
                let little: Vec<u8> = values.iter().flat_map(|&v| (v as $type).to_le_bytes()).collect();
                let big: Vec<u8> = values.iter().flat_map(|&v| (v as $type).to_be_bytes()).collect();
                for (order, data) in [('<', little), ('>', big)] {
                    let array = npy::read(&npy(&format!("{order}{}", $name), fortran, "(2, 3)", &data)).unwrap();
                    assert_eq!(array.shape, [2, 3], "{} {order} {fortran}", $name);
                    assert_eq!(array.values, expected, "{} {order} {fortran}", $name);
                }
            }
        )*};
    }
    check!("f4", f32; "f8", f64; "i1", i8; "i2", i16; "i4", i32; "i8", i64; "u1", u8; "u2", u16; "u4", u32; "u8", u64);

    let negative = npy::read(&npy(">i2", false, "(2,)", &[0xff, 0xfe, 0x80, 0x00])).unwrap();
    assert_eq!(negative.values, [-2.0, -32768.0]);
    let truth = npy::read(&npy("|b1", false, "(3,)", &[0, 1, 1])).unwrap();
    assert_eq!(truth.values, [0.0, 1.0, 1.0]);
}

#[test]
fn npy_writes_what_it_reads_at_an_aligned_offset() {
    for shape in [vec![6], vec![2, 3], vec![1, 2, 3]] {
        let values = [0.5, -1.0, 2.0, 3.0, 1e-20, 7.0];
        let bytes = npy_f32(&shape, &values);
        assert_eq!((bytes.len() - 24) % 64, 0);
        let array = npy::read(&bytes).unwrap();
        assert_eq!(array.shape, shape);
        assert_eq!(array.values, values.map(f64::from));
    }
    assert!(npy::write(&mut Vec::new(), &[5], &[0.0]).is_err());
}

#[test]
fn three_dimensions_and_channels() {
    let values: Vec<f32> = (0..24).map(|v| v as f32).collect();
    let is_volume = LoadOptions { volume: true, ..LoadOptions::default() };
    let volume = load_bytes("v.npy", &npy_f32(&[2, 3, 4], &values), &is_volume).unwrap();
    // Element [1, 2, 3] is z = 1, y = 2, x = 3.
    assert_eq!(volume.points.row(23).to_vec(), [3.0, 2.0, 1.0]);
    assert_eq!((volume.targets[[0, 0]], volume.targets[[23, 0]]), (0.0, 1.0));
    assert_eq!(volume.output_maps, [OutputMap { scale: 23.0, offset: 0.0 }]);

    let last = LoadOptions { channels_last: true, ..LoadOptions::default() };
    let field = load_bytes("f.npy", &npy_f32(&[2, 3, 4], &values), &last).unwrap();
    assert_eq!((field.inputs(), field.outputs(), field.len()), (2, 4, 6));
    assert_eq!(field.targets.row(5).to_vec(), [20.0 / 23.0, 21.0 / 23.0, 22.0 / 23.0, 1.0]);
    assert_eq!(field.output_shape(), [2, 3, 4]);
}

#[test]
fn constants_do_not_divide_by_zero() {
    let constant = load_plain("c.npy", &npy_f32(&[5], &[7.5; 5])).unwrap();
    assert_eq!(constant.output_maps, [OutputMap { scale: 1.0, offset: 7.5 }]);
    assert!(constant.targets.iter().all(|&unit| unit == 0.0));

    let table = load_plain("c.csv", b"a,b\n3,1\n3,2\n").unwrap();
    assert_eq!((table.axes[0].minimum, table.axes[0].maximum, table.axes[0].period()), (3.0, 3.0, 1.0));
    assert_eq!(table.coordinates.column(0).to_vec(), [0, 0]);
}

#[test]
fn tables_name_their_columns() {
    let text = b"\xef\xbb\xbfangle; load ;label;offset\r\n0;10;first;1\r\n\r\n 90 ;20;second;3\r\n180;10;third;-1\r\n";
    let table = load_bytes("t.csv", text, &columns(&["load", "angle"], &["offset"])).unwrap();
    assert_eq!(table.input_names, ["load", "angle"]);
    assert_eq!(table.points.row(1).to_vec(), [20.0, 90.0]);
    assert_eq!(table.targets.column(0).to_vec(), [0.5, 1.0, 0.0]);
    // Three angles, 90 apart: period 270. Two loads, 10 apart: period 20.
    assert_eq!(table.axes.iter().map(Axis::period).collect::<Vec<_>>(), [20.0, 270.0]);
    assert_eq!(table.coordinates[[1, 0]], 1 << 31);

    // As a spreadsheet saves it, with all names quoted.
    let quoted = load_plain("t.csv", b"\xef\xbb\xbf\"x, m\",\"load\"\r\n\"1\",\"2\"\r\n\"4\",\"5\"\r\n").unwrap();
    assert_eq!((quoted.input_names, quoted.output_names), (vec!["x, m".into()], vec!["load".into()]));

    let rest = load_plain("t.csv", b"a,b,c\n1,2,3\n4,5,6\n").unwrap();
    assert_eq!((rest.input_names, rest.output_names), (vec!["a".into(), "b".into()], vec!["c".into()]));
    let rest = load_bytes("t.csv", b"a,b,c\n1,2,3\n4,5,6\n", &columns(&["b"], &[])).unwrap();
    assert_eq!(rest.output_names, ["a", "c"]);
}

#[test]
fn a_million_rows() {
    let mut text = String::from("a,b,c\n");
    for row in 0..1_000_000 {
        text.push_str(&format!("{},{},0.{row}\n", row % 1000, row / 1000));
    }
    let started = std::time::Instant::now();
    let table = load_plain("m.csv", text.as_bytes()).unwrap();
    assert_eq!((table.len(), table.axes[0].period().round()), (1_000_000, 1000.0));
    assert!(started.elapsed().as_secs() < 20, "took {:?}", started.elapsed());
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

#[test]
fn bad_arrays() {
    let error = |bytes: &[u8]| message(load_plain("a.npy", bytes));
    let whole = npy_f32(&[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    for len in 6..whole.len() {
        assert!(error(&whole[..len]).contains("a.npy: "), "cut at {len}");
    }
    assert!(
        error(&whole[..whole.len() - 1]).contains("truncated: shape [2, 2] needs 16 bytes of data, the file has 15")
    );
    assert!(error(&npy("<f4", false, "(0, 4)", &[])).contains("0 elements"));
    assert!(error(&npy("<f4", false, "()", &[0; 4])).contains("expected 1 to 3"));
    assert!(error(&npy("<u1", false, "(1, 1, 1, 1)", &[0])).contains("expected 1 to 3"));
    assert!(error(&npy("<c8", false, "(1,)", &[0; 8])).contains("'<c8' are complex; give real"));
    assert!(error(&npy("|O", false, "(1,)", &[0; 8])).contains("not supported"));
    assert!(error(&npy("<f4", false, "(1e3,)", &[0; 8])).contains("'shape'"));
    assert!(error(&npy("<f8", false, "(18446744073709551615, 18446744073709551615)", &[0; 8])).contains("a.npy: "));
    assert!(error(b"\x93NUMPY\x09\x00").contains("version 9"));
    let mut strange = whole.clone();
    strange[..6].copy_from_slice(b"GARBAG");
    for bytes in [&strange[..], b"1.0 2.0 3.0 4.0"] {
        assert!(matches!(super::npy::read(bytes), Err(NpyError::Magic)));
    }
    for len in 0..6 {
        assert!(matches!(super::npy::read(&whole[..len]), Err(NpyError::HeaderTruncated)), "cut at {len}");
    }
    let last = LoadOptions { channels_last: true, ..LoadOptions::default() };
    let many = message(load_bytes("a.npy", &npy("|u1", false, "(1, 17)", &[0; 17]), &last));
    assert!(many.contains("17 outputs, at most 16"), "{many}");

    let hole = error(&npy_f32(&[2, 3], &[0.0, 1.0, 2.0, 3.0, f32::NAN, 5.0]));
    assert!(hole.contains("index [1, 1] is NaN"), "{hole}");
    let wide: Vec<u8> = [-3e38f64, 3e38].iter().flat_map(|v| v.to_le_bytes()).collect();
    assert!(error(&npy("<f8", false, "(2,)", &wide)).contains("more than f32 holds"));
}

#[test]
fn bad_tables() {
    let error = |text: &str| message(load_plain("t.csv", text.as_bytes()));
    let named = |text: &str, inputs: &[&str], outputs: &[&str]| {
        message(load_bytes("t.csv", text.as_bytes(), &columns(inputs, outputs)))
    };
    let good = "a,b\n1,2\n3,4\n";
    assert!(named(good, &["a"], &["z"]).contains("t.csv: no column 'z'; the columns are a, b"));
    assert!(named(good, &["a"], &["a"]).contains("more than once"));
    assert!(named(good, &["a", "b"], &[]).contains("no column is left to be an output"));
    assert!(error("a,b\n1,2\n3,x\n").contains("t.csv: line 3, column 'b': 'x' is not a number"));
    assert!(error("a,b\n1,\n3,4\n").contains("line 2, column 'b': the field is empty"));
    for bad in ["inf", "-inf", "1e39"] {
        let text = error(&format!("a,b\n1,2\n\n{bad},4\n"));
        assert!(text.contains(&format!("line 4, column 'a': '{bad}' is not a finite")), "{text}");
    }
    assert!(error("a,b\n1,2\n\nNaN,4\n").contains("line 4, column 'a': 'NaN' stands for no value"));
    assert!(error("a,b\n1,2\n1,2,3\n").contains("line 3: 3 fields where the table has 2 columns"));
    assert!(error("a,b\n1,2\n").contains("only one row (line 2)"));
    assert!(error("a,b\n").contains("no rows"));
    assert!(error("\n \n").contains("t.csv: "));
    assert!(error("a,b,a\n1,2,3\n4,5,6\n").contains("columns 1 and 3 are both named 'a'"));
    assert!(error("a\n1\n2\n").contains("only one column"));
    assert!(error("t,v\n-3e38,1\n3e38,2\n").contains("column 't' spans"));
    let header: Vec<String> = (0..18).map(|column| format!("c{column}")).collect();
    let row = vec!["1"; 18].join(",");
    assert!(error(&format!("{}\n{row}\n{row}\n", header.join(","))).contains("17 input columns, at most 16"));
}

#[test]
fn even_holdout_takes_a_quarter_of_a_picture() {
    let grid = |shape: &[usize]| {
        let len = shape.iter().product();
        let is_volume = LoadOptions { volume: true, ..LoadOptions::default() };
        load_bytes("g.npy", &npy_f32(shape, &vec![0.0; len]), &is_volume).unwrap()
    };
    let halves = split(&grid(&[4, 6]), Holdout::Even, 0).unwrap();
    assert_eq!(halves.train, [0, 2, 4, 12, 14, 16]);
    assert_eq!(halves.test, [7, 9, 11, 19, 21, 23]);
    let volume = split(&grid(&[4, 4, 4]), Holdout::Even, 0).unwrap();
    assert_eq!((volume.train.len(), volume.test.len()), (8, 8));
    assert_eq!(split(&grid(&[1, 4]), Holdout::Even, 0).unwrap().test, [1, 3]);
    let one = split(&grid(&[1, 1]), Holdout::Even, 0).unwrap_err().to_string();
    assert!(one.contains("even of 1 samples leaves none to test with; give more samples or a part"), "{one}");
}

#[test]
fn fractions_are_drawn_from_the_seed() {
    let data = load_plain("g.npy", &npy_f32(&[100], &[0.0; 100])).unwrap();
    let tenth = split(&data, Holdout::Fraction(0.1), 3).unwrap();
    assert_eq!((tenth.train.len(), tenth.test.len()), (90, 10));
    assert_eq!(tenth, split(&data, Holdout::Fraction(0.1), 3).unwrap());
    assert_ne!(tenth, split(&data, Holdout::Fraction(0.1), 4).unwrap());
    let mut all = [tenth.train, tenth.test].concat();
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<_>>());
    for (part, words) in [
        (0.001, "none to test with; give more samples or a larger part"),
        (0.999, "none to train on; give more samples or a smaller"),
    ] {
        assert!(split(&data, Holdout::Fraction(part), 3).unwrap_err().to_string().contains(words));
    }
    assert!(split(&data, Holdout::None, 3).unwrap().test.is_empty());

    assert_eq!("0.25".parse(), Ok(Holdout::Fraction(0.25)));
    for holdout in [Holdout::None, Holdout::Even, Holdout::Fraction(0.25)] {
        assert_eq!(holdout.to_string().parse(), Ok(holdout));
    }
    for bad in ["0", "1", "nan", "odd"] {
        assert!(bad.parse::<Holdout>().is_err(), "{bad}");
    }
}
