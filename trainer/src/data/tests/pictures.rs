//! Pictures of every format, turned as EXIF says, and arrays of colours.

use super::*;

/// Red 40 r, green 30 c, blue 250 - 20 r, row by row.
fn expected(rows: std::ops::Range<u32>, columns: std::ops::Range<u32>) -> Vec<f32> {
    let pixel = |r: u32, c: u32| [40 * r, 30 * c, 250 - 20 * r].map(|value| value as f32 / 255.0);
    rows.flat_map(|r| columns.clone().flat_map(move |c| pixel(r, c))).collect()
}

fn targets(data: &Dataset) -> Vec<f32> {
    data.targets.iter().copied().collect()
}

#[test]
fn pictures_of_other_programs() {
    for name in ["rgb.tif", "rgb.webp", "rgb.bmp"] {
        let data = load_testdata(name, &LoadOptions::default()).unwrap();
        assert_eq!(data.kind, DataKind::Image { width: 7, height: 5, channels: 3 }, "{name}");
        assert_eq!(targets(&data), expected(0..5, 0..7), "{name}");
        assert!(data.notes.is_empty(), "{name}");
    }
    let grey = load_testdata("grey.tif", &LoadOptions::default()).unwrap();
    let values: Vec<f32> = (0..35).map(|cell| (20 * (cell / 7) + 7 * (cell % 7)) as f32 / 255.0).collect();
    assert_eq!((grey.kind.clone(), targets(&grey)), (DataKind::Image { width: 7, height: 5, channels: 1 }, values));
    // The same as numbers, if the user says that one of them stands for missing data: 134 is the last only.
    let numbers = load_testdata("grey.tif", &LoadOptions { no_data: vec![122.0], ..LoadOptions::default() }).unwrap();
    assert_eq!((numbers.len(), in_units(&numbers, 0)[1].round()), (34, 7.0));

    let palette = message(load_testdata("palette.tif", &LoadOptions::default()));
    assert!(palette.contains("RGBPalette") && palette.contains("convert('RGB').save('plain.png')"), "{palette}");
    // Lossy: in the middle of a pixel of 16 x 16 within two levels of what was drawn.
    let jpeg = load_testdata("jpeg_ycbcr.tif", &LoadOptions::default()).unwrap();
    for (found, drawn) in jpeg.targets.row(8 * 112 + 104).iter().zip([0.0, 180.0, 250.0]) {
        assert!((found * 255.0 - drawn).abs() < 2.0, "{found} {drawn}");
    }
}

#[test]
fn plain_bitmaps_and_radiances() {
    let grey = load_plain("a.pgm", b"P2\n# made by hand\n3 1\n10\n0 5 10\n").unwrap();
    assert_eq!((grey.outputs(), targets(&grey).len()), (1, 3));
    assert!((targets(&grey)[1] - 0.5).abs() < 0.01);
    let colour = load_plain("a.ppm", b"P6 1 1 255\n\xff\x00\x33").unwrap();
    assert_eq!(targets(&colour), [1.0, 0.0, 0.2]);

    // Two pixels of Radiance: mantissas 128, 64, 0 with exponent 129, so 1, 0.5, 0; and the same times eight.
    let mut hdr = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 2\n".to_vec();
    hdr.extend([128, 64, 0, 129, 128, 64, 0, 132]);
    let data = load_plain("a.hdr", &hdr).unwrap();
    assert_eq!(
        (data.kind.clone(), data.output_names.clone()),
        (DataKind::Grid { shape: vec![1, 2], channels_last: true }, vec!["red".into(), "green".into(), "blue".into()])
    );
    assert!(agree(&in_units(&data, 0), &[1.0, 8.0]) && agree(&in_units(&data, 1), &[0.5, 4.0]));
    assert!(data.notes[0].contains("without a tone curve"));
}

#[test]
fn a_table_that_begins_like_a_picture_stays_a_table() {
    let table = load_plain("t.csv", b"P1\tP2\n1\t2\n3\t4\n").unwrap();
    assert_eq!(table.input_names, ["P1"]);
    assert_eq!(load_plain("t.csv", b"BMI,age\n1,2\n3,4\n").unwrap().input_names, ["BMI"]);
    assert_eq!(load_plain("t.csv", b"CDF,x\n1,2\n3,4\n").unwrap().input_names, ["CDF"]);
}

#[test]
fn float_maps_are_stored_from_the_bottom_up() {
    let map = |header: &str, bytes: Vec<u8>| [header.as_bytes(), &bytes].concat();
    let little = map("Pf\n2 2\n-1.0\n", [3f32, 4.0, 1.0, 2.5].iter().flat_map(|v| v.to_le_bytes()).collect());
    let data = load_plain("d.pfm", &little).unwrap();
    assert_eq!(data.kind, DataKind::Grid { shape: vec![2, 2], channels_last: false });
    assert!(agree(&in_units(&data, 0), &[1.0, 2.5, 3.0, 4.0]));
    let big = map("PF 1 2 1\n", [4f32, 5.0, 6.0, 1.0, 2.0, 3.0].iter().flat_map(|v| v.to_be_bytes()).collect());
    let data = load_plain("d.pfm", &big).unwrap();
    assert!(agree(&in_units(&data, 0), &[1.0, 4.0]) && agree(&in_units(&data, 2), &[3.0, 6.0]));
    // Where nothing was measured, disparities are infinite.
    let holes = map("Pf\n2 1\n-1\n", [f32::INFINITY, 7.0].iter().flat_map(|v| v.to_le_bytes()).collect());
    assert!(message(load_plain("d.pfm", &holes)).contains("leave such cells out with --no-data=inf"));
    let left = load_bytes("d.pfm", &holes, &LoadOptions { no_data: vec![f64::INFINITY], ..LoadOptions::default() });
    assert_eq!(left.unwrap().cells, Some(vec![1]));
    assert!(
        message(load_plain("d.pfm", &little[..little.len() - 1])).contains("needs 16 bytes of data, the file has 15")
    );
    assert!(message(load_plain("d.pfm", b"Pf\n2 x\n-1\n")).contains("the header of a .pfm"));
}

/// Where the first row and the first column of what is stored are on what is shown: EXIF 2.3, tag 274.
#[test]
fn every_orientation_of_exif() {
    // Grey blocks of 8 x 8 pixels: 20, 80 and 140 above 60, 120 and 180.
    let block = |row: u32, column: u32| 20 + 60 * column + 40 * row;
    let stored = ::image::GrayImage::from_fn(24, 16, |x, y| ::image::Luma([block(y / 8, x / 8) as u8]));
    let mut jpeg = Cursor::new(Vec::new());
    ::image::DynamicImage::from(stored).write_to(&mut jpeg, ::image::ImageFormat::Jpeg).unwrap();
    let jpeg = jpeg.into_inner();
    // Shown block (row, column) comes from which stored block.
    type From = fn(u32, u32) -> (u32, u32);
    let cases: [From; 8] = [
        |r, c| (r, c),         // 1: top, left
        |r, c| (r, 2 - c),     // 2: top, right
        |r, c| (1 - r, 2 - c), // 3: bottom, right
        |r, c| (1 - r, c),     // 4: bottom, left
        |r, c| (c, r),         // 5: left, top
        |r, c| (1 - c, r),     // 6: right, top
        |r, c| (1 - c, 2 - r), // 7: right, bottom
        |r, c| (c, 2 - r),     // 8: left, bottom
    ];
    for (orientation, from) in (1u8..).zip(cases) {
        let mut bytes = jpeg[..2].to_vec();
        // An APP1 segment with one tag, 274, of type SHORT.
        bytes.extend(b"\xff\xe1\x00\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0");
        bytes.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(&jpeg[2..]);
        let data = load_plain("e.jpg", &bytes).unwrap();
        let (width, height) = if orientation < 5 { (24, 16) } else { (16, 24) };
        assert_eq!(data.kind, DataKind::Image { width, height, channels: 1 }, "{orientation}");
        for row in 0..height / 8 {
            for column in 0..width / 8 {
                let (r, c) = from(row as u32, column as u32);
                let found = data.targets[[(8 * row + 4) * width + 8 * column + 4, 0]] * 255.0;
                assert!((found - block(r, c) as f32).abs() < 2.0, "{orientation}: {row} {column}: {found}");
            }
        }
        assert_eq!(data.notes.len(), usize::from(orientation > 1));
    }
}

#[test]
fn turned_by_other_programs() {
    let tiff = load_testdata("turned.tif", &LoadOptions::default()).unwrap();
    assert_eq!(tiff.kind, DataKind::Image { width: 5, height: 7, channels: 3 });
    // A quarter clockwise: the first shown row is the first stored column, from the last row up.
    let column: Vec<f32> = (0..5).rev().flat_map(|r| expected(r..r + 1, 0..1)).collect();
    assert_eq!(targets(&tiff)[..15], column);
    let jpeg = load_testdata("turned.jpg", &LoadOptions::default()).unwrap();
    assert_eq!(jpeg.kind, DataKind::Image { width: 80, height: 112, channels: 3 });
    // As Pillow shows it.
    for (place, shown) in [(8 * 80 + 8, [160.0, 0.0, 170.0]), (104 * 80 + 72, [0.0, 180.0, 249.0])] {
        for (found, shown) in jpeg.targets.row(place).iter().zip(shown) {
            assert!((found * 255.0 - shown).abs() < 2.5, "{found} {shown}");
        }
    }
    assert!(jpeg.notes[0].contains("80 x 112"));
}

#[test]
fn arrays_of_colours_are_pictures_or_asked_about() {
    let bytes: Vec<u8> = (0..6 * 7 * 3).map(|k| (k * 2) as u8).collect();
    let array = load_plain("c.npy", &npy("|u1", false, "(6, 7, 3)", &bytes)).unwrap();
    let picture = ::image::RgbImage::from_raw(7, 6, bytes.clone()).unwrap();
    let picture = load_plain("c.png", &png(&picture.into())).unwrap();
    assert_eq!(
        (&array.kind, &array.targets, &array.coordinates),
        (&picture.kind, &picture.targets, &picture.coordinates)
    );
    assert!(array.notes[0].contains("read as a picture") && array.notes[0].contains("--volume"));
    assert!(agree(&in_units(&array, 1)[..2], &[2.0, 8.0]), "outputs are written in the units of the array");

    let floats: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte)).collect();
    let of_255 = load_plain("c.npy", &npy_f32(&[6, 7, 3], &floats)).unwrap();
    assert_eq!(of_255.targets, picture.targets);
    let units: Vec<f32> = floats.iter().map(|value| value / 255.0).collect();
    let of_one = load_plain("c.npy", &npy_f32(&[6, 7, 3], &units)).unwrap();
    assert_eq!((&of_one.targets, of_one.output_maps[0].scale), (&picture.targets, 1.0));
    // Red with no, half and full opacity over white.
    let alpha: Vec<f32> = (0..36).flat_map(|k| [1.0, 0.0, 0.0, [0.0, 0.5, 1.0][k % 3]]).collect();
    let alpha = load_plain("a.npy", &npy_f32(&[6, 6, 4], &alpha)).unwrap();
    assert_eq!(targets(&alpha)[..9], [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 1.0, 0.0, 0.0]);

    // Beyond 255, below 0, or hardly higher than the axis is long: the user says which.
    let large: Vec<f32> = floats.iter().map(|value| value * 2.0).collect();
    let signed: Vec<f32> = floats.iter().map(|value| value - 1.0).collect();
    for (shape, values) in [([6, 7, 3], &large[..]), ([6, 7, 3], &signed), ([3, 14, 3], &floats)] {
        let bytes = npy_f32(&shape, values);
        let asked = message(load_plain("v.npy", &bytes));
        assert!(asked.contains("--channels-last") && asked.contains("--volume"), "{asked}");
        let volume = load_bytes("v.npy", &bytes, &LoadOptions { volume: true, ..LoadOptions::default() }).unwrap();
        assert_eq!((volume.inputs(), volume.outputs(), volume.len()), (3, 1, 126));
        let last = load_bytes("v.npy", &bytes, &LoadOptions { channels_last: true, ..LoadOptions::default() }).unwrap();
        assert_eq!((last.inputs(), last.outputs()), (2, 3));
    }
    // A hole is no intensity: nothing that was asked to be left out becomes a pixel.
    let holes = LoadOptions { no_data: vec![4.0], ..LoadOptions::default() };
    let asked = message(load_bytes("c.npy", &npy("|u1", false, "(6, 7, 3)", &bytes), &holes));
    assert!(asked.contains("--channels-last"), "{asked}");
    for (shape, words) in [(&[200usize, 3][..], "--points"), (&[3, 6, 7], "moveaxis"), (&[9, 7, 2], "--channels-last")]
    {
        let len: usize = shape.iter().product();
        let values: Vec<f32> = (0..len).map(|k| k as f32).collect();
        let data = load_plain("d.npy", &npy_f32(shape, &values)).unwrap();
        assert!(data.notes.len() == 1 && data.notes[0].contains(words), "{shape:?}: {:?}", data.notes);
    }
    let volume: Vec<f32> = (0..210).map(|k| k as f32).collect();
    assert!(load_plain("d.npy", &npy_f32(&[5, 6, 7], &volume)).unwrap().notes.is_empty());
    // An output that never changes is said.
    let flat = load_plain("d.npy", &npy_f32(&[5, 6, 7], &[0.5; 210])).unwrap();
    assert_eq!(flat.notes, ["warning: 'value' is 0.5 in every cell, so there is nothing to learn"]);
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
    let constant = "warning: 'blue' is 0.2 in every pixel, so there is nothing to learn";
    assert_eq!((colour.notes.len(), &*colour.notes[2]), (3, constant));
    assert_eq!(colour.output_shape(), [2, 2, 3]);

    let deep = ::image::ImageBuffer::from_pixel(1, 1, ::image::Luma([32769u16]));
    let deep = load_plain("d.png", &png(&deep.into())).unwrap();
    assert_eq!(deep.targets[[0, 0]], 32769.0 / 65535.0);

    // Opaque alpha is dropped, half alpha goes over white.
    let alpha = ::image::ImageBuffer::from_fn(2, 1, |x, _| ::image::LumaA([0u16, if x == 0 { 65535 } else { 0 }]));
    let alpha = load_plain("a.png", &png(&alpha.into())).unwrap();
    assert_eq!(alpha.targets.column(0).to_vec(), [0.0, 1.0]);
    assert!(alpha.notes.len() == 1 && alpha.notes[0].contains("is shown over white"), "{:?}", alpha.notes);
    let opaque = ::image::ImageBuffer::from_fn(2, 1, |x, _| ::image::LumaA([9000 * x as u16, 65535u16]));
    assert!(load_plain("a.png", &png(&opaque.into())).unwrap().notes.is_empty());
}
