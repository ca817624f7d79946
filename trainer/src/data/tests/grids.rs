//! TIFF, ESRI ASCII and `.hgt`: real values, holes, and where they lie on the map.

use super::*;

/// 100 + 10 r + 1.5 c, five rows and seven columns: what most files of the folder hold.
fn heights() -> Vec<f64> {
    (0..35).map(|cell| 100.0 + 10.0 * f64::from(cell / 7) + 1.5 * f64::from(cell % 7)).collect()
}

fn without(values: &[f64], holes: &[usize]) -> Vec<f64> {
    values.iter().enumerate().filter(|(cell, _)| !holes.contains(cell)).map(|(_, &value)| value).collect()
}

fn no_data(values: &[f64]) -> LoadOptions {
    LoadOptions { no_data: values.to_vec(), ..LoadOptions::default() }
}

#[test]
fn a_geotiff_has_real_values_holes_and_a_place() {
    for name in ["f32_deflate.tif", "by_gdal.asc"] {
        let data = load_testdata(name, &LoadOptions::default()).unwrap();
        assert_eq!(data.kind, DataKind::Grid { shape: vec![5, 7], channels_last: false });
        // Cells (0, 0) and (3, 4) are without data.
        assert!(agree(&in_units(&data, 0), &without(&heights(), &[0, 25])), "{name}");
        assert_eq!(data.cells.as_ref().unwrap()[..3], [1, 2, 3]);
        assert_eq!((data.len(), data.points.row(0).to_vec()), (33, vec![1.0, 0.0]));
        assert_eq!((data.axes[0].maximum, data.axes[1].maximum), (6.0, 4.0), "the domain is that of the whole grid");
        // The corner (500000, 4100000) and cells of 30: the first centre is half a cell inside.
        let notes = data.notes.join("\n");
        assert!(notes.contains("east = 500015 + 30 x, north = 4099985 - 30 y"), "{notes}");
        assert!(notes.contains("2 of the 35 cells are without data") && notes.contains("is -9999"), "{notes}");
    }
}

#[test]
fn tiles_strips_byte_orders_and_types() {
    let tiles = load_testdata("i16_tiles.tif", &LoadOptions::default()).unwrap();
    let all: Vec<f64> = (0..800).map(|cell| 100.0 * f64::from(cell / 20) - 7.0 * f64::from(cell % 20)).collect();
    assert!(agree(&in_units(&tiles, 0), &without(&all, &[799])));

    let big_endian = load_testdata("u16_big_endian.tif", &LoadOptions::default()).unwrap();
    let expected: Vec<f64> = (0..35).map(|cell| f64::from(1000 * (cell / 7) + cell % 7)).collect();
    assert!(agree(&in_units(&big_endian, 0), &expected));
    assert!(big_endian.cells.is_none() && big_endian.notes.is_empty(), "{:?}", big_endian.notes);

    let nan = load_testdata("f64_nan.tif", &LoadOptions::default()).unwrap();
    assert!(agree(&in_units(&nan, 0), &heights()[..34]));
}

#[test]
fn bands_are_outputs_however_they_are_stored() {
    let planar = load_testdata("three_bands_planar.tif", &LoadOptions::default()).unwrap();
    assert_eq!(
        (planar.output_names.clone(), planar.output_shape()),
        (["band 1", "band 2", "band 3"].map(String::from).to_vec(), vec![5, 7, 3])
    );
    for (band, factor) in [1.0, 1000.0, -1.0].into_iter().enumerate() {
        assert!(agree(&in_units(&planar, band), &heights().iter().map(|h| h * factor).collect::<Vec<_>>()), "{band}");
    }
    let pixel = load_testdata("two_bands_pixel.tif", &LoadOptions::default()).unwrap();
    assert!(agree(&in_units(&pixel, 0), &heights().iter().map(|h| (h / 10.0).floor()).collect::<Vec<_>>()));
    assert!(agree(&in_units(&pixel, 1), &heights().iter().map(|h| h * 100.0).collect::<Vec<_>>()));
}

#[test]
fn what_is_not_read_of_tiff_names_a_command() {
    let zstd = message(load_testdata("zstd.tif", &LoadOptions::default()));
    assert!(zstd.contains("ompression") && zstd.contains("gdal_translate -co COMPRESS=NONE"), "{zstd}");
    let whole = std::fs::read(testdata("f32_deflate.tif")).unwrap();
    for len in 8..whole.len() {
        // What the tags say at the end may be lost, never the heights in silence.
        match load_plain("cut.tif", &whole[..len]) {
            Ok(data) => assert!(data.len() >= 33, "cut at {len}"),
            Err(error) => assert!(message(Err(error)).contains("cut.tif"), "cut at {len}"),
        }
    }
}

#[test]
fn ascii_grids_of_every_dialect() {
    let grid = |text: &str| load_plain("d.asc", text.as_bytes());
    // Centres given, decimal commas, no NODATA_value: then it is -9999. Rows may be broken anywhere.
    let data =
        grid("NCOLS 3\r\nNROWS 2\r\nXLLCENTER 10,5\r\nYLLCENTER 20\r\nCELLSIZE 0,5\r\n1,5 2 -9999\r\n4\r\n5 6e1\r\n")
            .unwrap();
    assert!(agree(&in_units(&data, 0), &[1.5, 2.0, 4.0, 5.0, 60.0]));
    assert_eq!(data.cells, Some(vec![0, 1, 3, 4, 5]));
    // The lower row has its centre at 20, so the upper one at 20.5.
    assert!(data.notes[0].contains("east = 10.5 + 0.5 x, north = 20.5 - 0.5 y"), "{:?}", data.notes);
    let nan = grid("ncols 2\nnrows 1\nxllcorner 0\nyllcorner 0\ndx 1\ndy 2\nNODATA_value nan\nnan 7\n").unwrap();
    assert_eq!(in_units(&nan, 0), [7.0]);

    let error = |text: &str| message(grid(text));
    assert!(error("ncols 3\nnrows 2\ncellsize 1\n1 2 3 4 5\n").contains("need 6, the file has 5"));
    assert!(error("ncols 3\nnrows 2\ncellsize 1\n1 2 3\n4 x 6\n").contains("line 5: 'x' is not a number"));
    assert!(error("ncols 3\ncellsize 1\n1 2 3\n").contains("no 'nrows'"));
    assert!(error("ncols 0\nnrows 2\n1\n").contains("line 1: '0' is no ncols"));
    assert!(error("ncols 1\nnrows 2\n-9999 -9999\n").contains("all 2 cells are without data"));
}

#[test]
fn tiles_of_the_shuttle_mission() {
    // Big-endian heights: 256 r + c, void at (1, 2).
    let mut bytes: Vec<u8> = (0..9u8).flat_map(|cell| [cell / 3, cell % 3]).collect();
    bytes[10..12].copy_from_slice(&[0x80, 0]);
    let data = load_plain("N36W113.hgt", &bytes).unwrap();
    assert!(agree(&in_units(&data, 0), &[0.0, 1.0, 2.0, 256.0, 257.0, 512.0, 513.0, 514.0]));
    assert_eq!(data.cells.as_ref().unwrap().len(), 8);
    let notes = data.notes.join("\n");
    // Samples lie on the edges of the degree: two steps of half a degree from its north-western corner.
    assert!(notes.contains("east = -113 + 0.5 x, north = 37 - 0.5 y"), "{notes}");
    assert!(notes.contains("1 of the 9 cells are without data (the void of an .hgt is -32768)"), "{notes}");

    let whole: Vec<u8> = (0..1201 * 1201u32).flat_map(|cell| ((cell % 3000) as i16 - 500).to_be_bytes()).collect();
    let tile = load_plain("tile.HGT", &whole).unwrap();
    assert_eq!((tile.len(), tile.cells.is_none()), (1_442_401, true));
    assert_eq!(in_units(&tile, 0)[1201].round(), 701.0, "row 1 begins with sample 1201");
    assert!(message(load_plain("t.hgt", &whole[..2_884_800])).contains("this file has 2884800 bytes"));
}

#[test]
fn holes_are_named_or_noticed() {
    let values = [1.0f32, 2.0, -9999.0, 4.0, 5.0, f32::NAN];
    let bytes = npy_f32(&[2, 3], &values);
    assert!(message(load_plain("a.npy", &bytes)).contains("index [1, 2] is NaN"));
    let left = message(load_bytes("a.npy", &bytes, &no_data(&[-9999.0])));
    assert!(left.contains("index [1, 2] is NaN") && left.contains("--no-data=NaN"), "{left}");
    let noticed = load_bytes("a.npy", &bytes, &no_data(&[f64::NAN])).unwrap();
    assert_eq!(noticed.cells, Some(vec![0, 1, 2, 3, 4]));
    assert!(noticed.notes.iter().any(|note| note.contains("--no-data=-9999")), "{:?}", noticed.notes);
    let both = load_bytes("a.npy", &bytes, &no_data(&[f64::NAN, -9999.0])).unwrap();
    assert_eq!((both.cells.clone(), both.notes.len()), (Some(vec![0, 1, 3, 4]), 1));
    assert!(agree(&in_units(&both, 0), &[1.0, 2.0, 4.0, 5.0]));

    // On the grid again, the holes are NaN.
    let again = both.on_grid(&both.targets);
    assert_eq!(
        (both.output_shape(), again.nrows(), again[[1, 0]], again[[2, 0]].is_nan()),
        (vec![2, 3], 6, 0.25, true)
    );

    // A cell is left out if any of its outputs is missing.
    let last = LoadOptions { channels_last: true, ..no_data(&[-9999.0, f64::NAN]) };
    let cells = load_bytes("a.npy", &bytes, &last).unwrap_err();
    assert!(cells.to_string().contains("a.npy"));
    let last = load_bytes("a.npy", &npy_f32(&[3, 2], &[1.0, 2.0, -9999.0, 4.0, 5.0, 6.0]), &last).unwrap();
    assert_eq!((last.cells, last.targets.dim()), (Some(vec![0, 2]), (2, 2)));
    let none = load_bytes("a.npy", &npy_f32(&[4], &[1.0, 2.0, 3.0, 4.0]), &no_data(&[7.0])).unwrap();
    assert!(none.cells.is_none() && none.notes[0].contains("no cell is 7"));
}

#[test]
fn even_rows_and_columns_stay_what_they_are_around_holes() {
    // 4 x 6; without cells 2 and 7, the samples from the holes on move up.
    let mut values = [0.5f32; 24];
    (values[2], values[7]) = (-9999.0, -9999.0);
    let data = load_bytes("g.npy", &npy_f32(&[4, 6], &values), &no_data(&[-9999.0])).unwrap();
    let halves = split(&data, Holdout::Even, 0).unwrap();
    let cells =
        |samples: &[usize]| samples.iter().map(|&sample| data.cells.as_ref().unwrap()[sample]).collect::<Vec<_>>();
    assert_eq!(cells(&halves.train), [0, 4, 12, 14, 16]);
    assert_eq!(cells(&halves.test), [9, 11, 19, 21, 23]);
}

/// Seconds since 1970 in steps of a tenth: single precision has steps of 128 there. Expected: the values less 1.7e9, by
/// subtraction.
#[test]
fn a_grid_that_single_precision_cannot_hold_is_counted_from_an_origin() {
    let values: Vec<f64> = (0..64).map(|k| 1.7e9 + 0.1 * f64::from(k)).collect();
    let mut bytes = Vec::new();
    npy::write(&mut bytes, &[8, 8], &values).unwrap();
    let data = load_plain("time.npy", &bytes).unwrap();
    assert_eq!(data.output_origins, [1.7e9]);
    let expected: Vec<f64> = (0..64).map(|k| 0.1 * f64::from(k)).collect();
    assert!(agree(&in_units(&data, 0), &expected), "{:?}", in_units(&data, 0));
    assert!(data.notes.iter().any(|note| note.contains("the grid is counted from 1700000000")), "{:?}", data.notes);
    // A model's own origin comes first, and small numbers need none.
    let origins = Some(Origins { inputs: Vec::new(), outputs: vec![1.6e9] });
    let data = load_bytes("time.npy", &bytes, &LoadOptions { origins, ..LoadOptions::default() }).unwrap();
    assert_eq!((data.output_origins[0], data.output_maps[0].offset), (1.6e9, 1e8));
    bytes.clear();
    npy::write(&mut bytes, &[8, 8], &expected).unwrap();
    assert_eq!(load_plain("small.npy", &bytes).unwrap().output_origins, [0.0]);
}
