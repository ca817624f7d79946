//! Arrays of every type, shape and order, archives, records, and points with their targets.

use super::*;

fn of_array(name: &str) -> LoadOptions {
    LoadOptions { array: Some(name.to_owned()), ..LoadOptions::default() }
}

#[test]
fn an_archive_gives_its_only_array_or_the_chosen_one() {
    let heights: Vec<f64> =
        (0..35).map(|cell| 100.0 + 10.0 * f64::from(cell / 7) + 1.5 * f64::from(cell % 7)).collect();
    let one = load_testdata("one.npz", &LoadOptions::default()).unwrap();
    assert_eq!(one.kind, DataKind::Grid { shape: vec![5, 7], channels_last: false });
    assert!(agree(&in_units(&one, 0), &heights));
    // All of them are exact in half precision.
    for name in ["heights", "halves"] {
        assert!(agree(&in_units(&load_testdata("two.npz", &of_array(name)).unwrap(), 0), &heights), "{name}");
    }
    let several = message(load_testdata("two.npz", &LoadOptions::default()));
    assert!(several.contains("choose one with --array: heights, halves"), "{several}");
    let missing = message(load_testdata("two.npz", &of_array("depths")));
    assert!(missing.contains("no array 'depths'; its arrays are heights, halves"), "{missing}");
    assert!(
        message(load_testdata("records.npy", &of_array("a"))).contains("is not an .npz archive; leave out --array")
    );

    let whole = std::fs::read(testdata("two.npz")).unwrap();
    for len in 40..whole.len() - 1 {
        let cut = message(load_bytes("cut.npz", &whole[..len], &of_array("heights")));
        assert!(cut.contains("cut.npz"), "{cut}");
    }
    assert!(message(load_plain("cut.npz", &whole[..whole.len() - 30])).contains("numpy.savez"));
}

#[test]
fn half_precision() {
    // IEEE 754: 1, -2, 65504 (the largest), 2^-24 (the smallest), -0.
    let bits = [0x3c00u16, 0xc000, 0x7bff, 0x0001, 0x8000];
    let expected = [1.0, -2.0, 65504.0, 2f64.powi(-24), 0.0];
    let little: Vec<u8> = bits.iter().flat_map(|bits| bits.to_le_bytes()).collect();
    let big: Vec<u8> = bits.iter().flat_map(|bits| bits.to_be_bytes()).collect();
    assert_eq!(npy::read(&npy("<f2", false, "(5,)", &little)).unwrap().values, expected);
    assert_eq!(npy::read(&npy(">f2", false, "(5,)", &big)).unwrap().values, expected);
}

#[test]
fn records_are_a_table_of_their_fields() {
    let data = load_testdata("records.npy", &LoadOptions::default()).unwrap();
    assert_eq!(
        (data.kind.clone(), data.input_names.clone(), data.output_names.clone()),
        (DataKind::Table, vec!["shape".into(), "t".into()], vec!["load".into()])
    );
    assert_eq!(data.points.row(2).to_vec(), [4.0, 4.5]);
    assert!(agree(&in_units(&data, 0), &[10.0, 30.0, -5.0]));
    let notes = data.notes.join("\n");
    assert!(
        notes.contains("the output is the last field, load") && notes.contains("field 'name' of type '<U3'"),
        "{notes}"
    );
    let chosen = load_testdata("records.npy", &columns(&["load"], &["t"])).unwrap();
    assert_eq!((chosen.points.column(0).to_vec(), in_units(&chosen, 0)), (vec![10.0, 30.0, -5.0], vec![2.5, 3.5, 4.5]));
    assert!(
        message(load_testdata("records.npy", &columns(&["name"], &["t"]))).contains("the columns are shape, t, load")
    );
    // Fields have numbers too: name, shape, t, load; and their names count without regard to case.
    let numbered = load_testdata("records.npy", &columns(&["#4"], &["T"])).unwrap();
    assert_eq!((&numbered.input_names, &numbered.output_names), (&chosen.input_names, &chosen.output_names));
    let text = message(load_testdata("records.npy", &columns(&["1"], &["t"])));
    assert!(text.contains("no column '1'; the columns are shape, t, load"), "{text}");
    assert!(has_columns(&testdata("records.npy")) && !has_columns(&testdata("one.npz")));

    let of_zeros = |descr: &str| {
        let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (2,), }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend([0; 64]);
        bytes
    };
    let titled = of_zeros("[(('in metres', 'x'), '<f4'), ('v', '<f4', (2,)), ('y', '<f4')]");
    let titled = load_plain("t.npy", &titled).unwrap();
    assert_eq!((titled.input_names, titled.output_names), (vec!["x".to_owned()], vec!["y".to_owned()]));
    for bad in ["[('a', [('b', '<f4')])]", "[('a', '|O'), ('b', '<f4')]", "[('a', '<f4')]", "[('a', '<f4', (2"] {
        let refused = message(load_plain("r.npy", &of_zeros(bad)));
        assert!(refused.contains("r.npy: records of") || refused.contains("no valid 'descr'"), "{refused}");
    }
}

#[test]
fn points_and_their_targets() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, shape: &[usize], values: &[f32]| {
        let path = directory.path().join(name);
        std::fs::write(&path, npy_f32(shape, values)).unwrap();
        path
    };
    let with = |targets: &std::path::Path| LoadOptions { targets: Some(targets.to_owned()), ..LoadOptions::default() };
    let points = file("x.npy", &[4, 2], &[0.0, 10.0, 1.0, 20.0, 2.0, 40.0, 3.0, 30.0]);
    let targets = file("y.npy", &[4], &[5.0, 6.0, 8.0, 7.0]);
    let data = load(&points, &with(&targets)).unwrap();
    // The same as a table with these columns.
    let table = load_plain("t.csv", b"x,y,value\n0,10,5\n1,20,6\n2,40,8\n3,30,7\n").unwrap();
    assert_eq!(
        (&data.points, &data.targets, &data.axes, &data.coordinates),
        (&table.points, &table.targets, &table.axes, &table.coordinates)
    );
    assert_eq!(
        (&data.input_names, &data.output_names, &data.kind),
        (&table.input_names, &table.output_names, &DataKind::Table)
    );

    let line = file("t.npy", &[4], &[0.0, 1.0, 2.0, 3.0]);
    let two = file("z.npy", &[4, 2], &[0.0, 1.0, -9999.0, 2.0, 0.0, 1.0, 3.0, 2.0]);
    let data = load(&line, &with(&two)).unwrap();
    assert_eq!((data.inputs(), data.output_names.clone()), (1, vec!["output 0".to_owned(), "output 1".to_owned()]));
    assert!(data.notes[0].contains("--no-data=-9999"), "{:?}", data.notes);
    let left = load(&line, &LoadOptions { no_data: vec![-9999.0], ..with(&two) }).unwrap();
    assert_eq!((left.len(), left.notes.len()), (3, 1));

    let short = file("s.npy", &[3], &[0.0; 3]);
    assert!(message(load(&points, &with(&short))).contains("the points have shape [4, 2] and the targets [3]"));
    let picture = directory.path().join("p.png");
    std::fs::write(&picture, png(&grey_picture())).unwrap();
    assert!(message(load(&points, &with(&picture))).contains("p.png is not an .npy or .npz array"));
    let nan = file("n.npy", &[4], &[0.0, f32::NAN, 1.0, 2.0]);
    assert!(message(load(&points, &with(&nan))).contains("row 1 of column 'value' is NaN"));
    let cube = file("c.npy", &[4, 1, 1], &[0.0; 4]);
    assert!(message(load(&points, &with(&cube))).contains("is no list of points"));
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
        assert!(matches!(super::super::npy::read(bytes), Err(NpyError::Magic)));
    }
    for len in 0..6 {
        assert!(matches!(super::super::npy::read(&whole[..len]), Err(NpyError::HeaderTruncated)), "cut at {len}");
    }
    let last = LoadOptions { channels_last: true, ..LoadOptions::default() };
    let many = message(load_bytes("a.npy", &npy("|u1", false, "(1, 17)", &[0; 17]), &last));
    assert!(many.contains("17 outputs, at most 16"), "{many}");

    let hole = error(&npy_f32(&[2, 3], &[0.0, 1.0, 2.0, 3.0, f32::NAN, 5.0]));
    assert!(hole.contains("index [1, 1] is NaN"), "{hole}");
    let wide: Vec<u8> = [-3e38f64, 3e38].iter().flat_map(|v| v.to_le_bytes()).collect();
    assert!(error(&npy("<f8", false, "(2,)", &wide)).contains("more than f32 holds"));
}
