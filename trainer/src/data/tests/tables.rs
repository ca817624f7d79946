//! Tables as data sets: names, domains, constants, size, and what is wrong with them.

use super::*;

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
fn reading_takes_time_in_proportion_to_the_rows() {
    let read = |rows: usize| {
        let mut text = String::from("a,b,c\n");
        (0..rows).for_each(|row| text.push_str(&format!("{},{},0.{row}\n", row % 1000, row / 1000)));
        let started = std::time::Instant::now();
        let table = load_plain("m.csv", text.as_bytes()).unwrap();
        assert_eq!((table.len(), table.axes[0].period().round()), (rows, 1000.0));
        started.elapsed()
    };
    let (few, many) = (read(20_000), read(200_000));
    // Ten times the rows take about ten times as long; with a step that is quadratic, it would be a hundred times.
    assert!(many < 40 * few, "{few:?} and {many:?}");
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
    let skip = LoadOptions { skip_missing: true, ..LoadOptions::default() };
    let none = message(load_bytes("t.csv", b"a,b\n1,x\ninf,2\n", &skip));
    assert!(none.ends_with("in a column that is used; the first is line 2, column 'b': 'x' is not a number"), "{none}");
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
