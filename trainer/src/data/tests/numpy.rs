//! Archives, half precision, records, and points with their targets.

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
