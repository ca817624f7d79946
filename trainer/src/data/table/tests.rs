//! Every dialect gives the same numbers, and what is skipped, assumed or wrong is said.

use super::*;

fn named(inputs: &[&str], outputs: &[&str]) -> LoadOptions {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    LoadOptions { inputs: owned(inputs), outputs: owned(outputs), ..LoadOptions::default() }
}

fn read(text: &str) -> Dataset {
    read_with(text, &LoadOptions::default())
}

fn read_with(text: &str, options: &LoadOptions) -> Dataset {
    dataset(text.as_bytes(), options).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn error(text: &str, options: &LoadOptions) -> String {
    dataset(text.as_bytes(), options).expect_err(text).to_string()
}

/// Points and targets in the file's numbers.
fn rows(data: &Dataset) -> Vec<Vec<f64>> {
    // Targets are in single precision: 7 digits of a range of thousands.
    let rounded = |value: f64| (value * 1e3).round() / 1e3;
    (0..data.len())
        .map(|row| {
            let inputs = (0..data.inputs()).map(|k| data.input_origins[k] + f64::from(data.points[[row, k]]));
            let outputs = (0..data.outputs()).map(|k| {
                let map = data.output_maps[k];
                data.output_origins[k]
                    + f64::from(map.offset)
                    + f64::from(map.scale) * f64::from(data.targets[[row, k]])
            });
            inputs.chain(outputs).map(rounded).collect()
        })
        .collect()
}

fn says(data: &Dataset, words: &str) -> bool {
    data.notes.iter().any(|note| note.contains(words))
}

/// The table that the dialects below write, with its numbers as they are: 0.5 and 15.5 give 1000.25, and so on.
const EXPECTED: [[f64; 3]; 3] = [[0.5, 15.5, 1000.25], [10.5, 20.5, 2000.5], [20.5, 25.5, 1500.75]];

#[test]
fn every_dialect_gives_the_same_numbers() {
    let cases: [(&str, &[&str], &str); 20] = [
        ("adc,temp,p\n0.5,15.5,1000.25\n10.5,20.5,2000.5\n20.5,25.5,1500.75\n", &[], "plain"),
        ("adc;temp;p\r\n0,5;15,5;1000,25\r\n10,5;20,5;2000,5\r\n20,5;25,5;1500,75\r\n", &[], "decimal commas"),
        (
            "adc;temp;p\n0,5;15,5;1.000,25\n10,5;20,5;2.000,5\n20,5;25,5;1.500,75\n",
            &["grouping thousands, as in '1.000,25'"],
            "grouped",
        ),
        (
            "adc\ttemp\tp\n0.5\t15.5\t1,000.25\n10.5\t20.5\t2,000.5\n20.5\t25.5\t1,500.75\n",
            &["grouping thousands"],
            "tabs",
        ),
        ("adc|temp|p\n0.5|15.5|1000.25\n10.5|20.5|2000.5\n20.5|25.5|1500.75\n", &[], "bars"),
        ("  adc  temp   p\n 0.5  15.5 1000.25\n10.5  20.5 2000.5 \n20.5  25.5 1500.75", &[], "columns of spaces"),
        (
            "\"adc\",\"temp\",\"p\"\n\"0,5\",\"15,5\",\"1000,25\"\n\"10,5\",\"20,5\",\"2000,5\"\n\"20,5\",\"25,5\",\"1500,75\"\n",
            &[],
            "quoted commas",
        ),
        (
            "sep=;\nadc;temp;p\n0.5;15.5;1000.25\n10.5;20.5;2000.5\n20.5;25.5;1500.75\n",
            &["line 1 names the separator"],
            "sep=",
        ),
        (
            "Export 17\n\nadc,temp,p\n0.5,15.5,1000.25\n10.5,20.5,2000.5\n20.5,25.5,1500.75\n",
            &["line 1 ('Export 17') is no part"],
            "title",
        ),
        (
            "Export 17,,\nDevice,3,\nadc,temp,p\n0.5,15.5,1000.25\n10.5,20.5,2000.5\n20.5,25.5,1500.75\n",
            &["2 lines above the table were skipped"],
            "titles, filled up",
        ),
        (
            "adc,temp,p\n[counts],[degC],[kPa]\n0.5,15.5,1000.25\n10.5,20.5,2000.5\n20.5,25.5,1500.75\n",
            &["line 2 is read as the units"],
            "units",
        ),
        (
            "adc,temp,p,\n0.5,15.5,1000.25,\n10.5,20.5,2000.5,\n20.5,25.5,1500.75,\n",
            &["column 4 has neither"],
            "trailing",
        ),
        (
            "adc,temp,p\n0.5,15.5,1000.25,\n10.5,20.5,2000.5,\n20.5,25.5,1500.75,\n",
            &["column 4 has neither"],
            "trailing in rows alone",
        ),
        ("adc,temp,p,\n0.5,15.5,1000.25\n10.5,20.5,2000.5\n20.5,25.5,1500.75\n", &[], "trailing in the names alone"),
        (
            ",adc,temp,p\n0,0.5,15.5,1000.25\n1,10.5,20.5,2000.5\n2,20.5,25.5,1500.75\n",
            &["column 1 has no name and numbers the rows"],
            "pandas",
        ),
        (
            "\"adc\" \"temp\" \"p\"\n\"1\" 0.5 15.5 1000.25\n\"2\" 10.5 20.5 2000.5\n\"3\" 20.5 25.5 1500.75\n",
            &["column 1 has no name and numbers the rows"],
            "R",
        ),
        (
            "# made by hand\n# adc temp p\n5.0e-01 1.55e+01 1.00025e+03\n1.05e+01 2.05e+01 2.0005e+03\n2.05e+01 2.55e+01 1.50075e+03\n",
            &["line 2, a remark, names"],
            "savetxt with names",
        ),
        (
            "# adc,temp,p\n0.5 15.5 1000.25\n# half way\n10.5 20.5 2000.5\n20.5 25.5 1500.75\n",
            &["line 1, a remark, names", "skipped among the rows: 1 remark"],
            "names by commas",
        ),
        (
            "adc,temp,p\n0.5,15.5,1000.25\n\n10.5,20.5,2000.5\n,,\n20.5,25.5,1500.75\n,,\n",
            &["2 rows without any value"],
            "empty rows",
        ),
        (
            "adc;temp;p\n0,5;15,5;1 000,25\n10,5;20,5;2\u{a0}000,5\n20,5;25,5;1\u{202f}500,75\n",
            &[],
            "grouped by spaces",
        ),
    ];
    for (text, notes, what) in cases {
        let data = read(text);
        assert_eq!(rows(&data), EXPECTED, "{what}");
        assert_eq!(
            (&data.input_names[..], &data.output_names[..]),
            (&["adc".into(), "temp".into()][..], &["p".into()][..]),
            "{what}"
        );
        for words in notes {
            assert!(says(&data, words), "{what}: {words} in {:?}", data.notes);
        }
        if notes.is_empty() {
            assert!(data.notes.is_empty(), "{what}: {:?}", data.notes);
        }
    }
    // A curve over whole numbers has no index, only no names.
    assert_eq!(rows(&read("0 1.5\n1 2.5\n2 4.5\n")), [[0.0, 1.5], [1.0, 2.5], [2.0, 4.5]]);
    // Numbers of rows that were filtered and mixed, and names of rows.
    for text in [
        ",a,p\n17,1,2\n4,3,4\n9,1,6\n",
        "Unnamed: 0,a,p\n2,1,2\n0,3,4\n1,1,6\n",
        "a,p\nMazda,1,2\nFiat,3,4\nSeat,1,6\n",
    ] {
        let data = read(text);
        assert_eq!(rows(&data), [[1.0, 2.0], [3.0, 4.0], [1.0, 6.0]], "{text}");
        assert!(says(&data, "column 1 has no name and"), "{text}: {:?}", data.notes);
    }
    let nameless = read("5.0e-01 1.55e+01 1.00025e+03\n1.05e+01 2.05e+01 2.0005e+03\n2.05e+01 2.55e+01 1.50075e+03\n");
    assert_eq!(rows(&nameless), EXPECTED);
    assert_eq!((nameless.input_names, nameless.output_names), (vec!["#1".into(), "#2".into()], vec!["#3".into()]));
}

#[test]
fn one_line_says_what_was_understood() {
    let units = read("adc,temp,p\n[counts],[degC],-\n0.5,15.5,1000.25\n10.5,20.5,2000.5\n20.5,25.5,1500.75\n");
    assert_eq!(units.summary(), "3 rows: adc (0.5 to 20.5 counts), temp (15.5 to 25.5 degC) → p (1000.25 to 2000.5)");
    assert_eq!((units.input_units, units.output_units), (vec!["counts".into(), "degC".into()], vec![String::new()]));
    let chosen = read_with("a,b,c\n1,95.2,3\n2,107.1,3\n", &named(&["c"], &["b", "a"]));
    assert_eq!(chosen.summary(), "2 rows: c (3 in every row) → b (95.2 to 107.1), a (1 to 2)");
    assert!(says(&chosen, "input 'c' is 3 in every row"), "{:?}", chosen.notes);
    let constant = read("a,b\n1,7.5\n2,7.5\n");
    assert!(says(&constant, "output 'b' is 7.5 in every row") && says(&constant, "--outputs"), "{:?}", constant.notes);
}

#[test]
fn a_mark_that_may_be_either_is_said_and_can_be_forced() {
    let text = "a;b\n1;1.000\n2;1.500\n3;2.250\n";
    let point = read(text);
    assert_eq!(rows(&point), [[1.0, 1.0], [2.0, 1.5], [3.0, 2.25]]);
    assert!(says(&point, "numbers such as '1.000'") && says(&point, "--decimal ,"), "{:?}", point.notes);
    let forced = |decimal| LoadOptions { decimal: Some(decimal), ..LoadOptions::default() };
    assert_eq!(rows(&read_with(text, &forced(Decimal::Comma))), [[1.0, 1000.0], [2.0, 1500.0], [3.0, 2250.0]]);
    assert!(read_with(text, &forced(Decimal::Point)).notes.is_empty());
    // Semicolons are there because commas are decimal; in quotes between commas they group.
    let comma = read("a;b\n1;1,000\n2;2,500\n");
    assert_eq!(rows(&comma), [[1.0, 1.0], [2.0, 2.5]]);
    assert!(says(&comma, "--decimal ."), "{:?}", comma.notes);
    let grouped = read("a,b\n1,\"1,000\"\n2,\"2,500\"\n");
    assert_eq!(rows(&grouped), [[1.0, 1000.0], [2.0, 2500.0]]);
    assert!(says(&grouped, "--decimal ,"), "{:?}", grouped.notes);
    // One cell far below decides for all.
    let mut long = "a;b\n".to_owned() + &"1;1.000\n".repeat(5000);
    long += "2;1,5\n";
    let decided = read(&long);
    assert_eq!(rows(&decided)[0], [1.0, 1000.0]);
    assert!(says(&decided, "grouping thousands, as in '1.000'"), "{:?}", decided.notes);
    // What is no number under the forced mark is an error, not another number.
    assert!(error("a;b\n1;1.5\n2;2.5\n", &forced(Decimal::Comma)).contains("column 'b' holds text such as '1.5'"));
}

#[test]
fn columns_are_found_by_name_number_or_without_unit() {
    let text = "Winkel [°];Temperatur (°C);Druck [kPa];druck\n0,5;15,5;100,5;1\n1,5;16,5;101,5;2\n";
    let data = read_with(text, &named(&["temperatur", "#1"], &["Druck [kPa]"]));
    assert_eq!(rows(&data), [[15.5, 0.5, 100.5], [16.5, 1.5, 101.5]]);
    assert_eq!(data.input_names, ["Temperatur (°C)", "Winkel [°]"]);
    assert_eq!(rows(&read_with(text, &named(&["2"], &["4"]))), [[15.5, 1.0], [16.5, 2.0]]);
    // A name in another case comes before one without its unit.
    assert_eq!(rows(&read_with(text, &named(&["1"], &["DRUCK"])))[1], [1.5, 2.0]);
    assert!(error(text, &named(&["5"], &["1"])).contains("no column '5'; the columns are Winkel [°], Temperatur (°C)"));
    assert!(error("a [V],a (A),b\n1,2,3\n4,5,6\n", &named(&["A"], &["b"])).contains("'a [V]' (#1), 'a (A)' (#2)"));
    // A name that is a number goes before a number.
    assert_eq!(rows(&read_with("x,3,2\n1,2,3\n4,5,6\n", &named(&["3"], &["x"])))[0], [2.0, 1.0]);

    assert!(
        error("a,b\n5,2,3\n7,4,5\n", &LoadOptions::default())
            .contains("line 1 names 2 columns, but the rows have 3 fields")
    );
    let twice = "a,b,a\n1,2,3\n4,5,7\n";
    assert!(
        error(twice, &LoadOptions::default()).contains("columns 1 and 3 are both named 'a'; rename one, or choose")
    );
    assert_eq!(rows(&read_with(twice, &named(&["3"], &["b"]))), [[3.0, 2.0], [7.0, 5.0]]);
}

#[test]
fn columns_that_are_no_numbers_are_named_with_the_options_that_leave_them_out() {
    let default = LoadOptions::default();
    let times = "time,adc,p\n2024-05-01T12:00:00Z,1,2\n2024-05-01T12:00:01Z,3,4\n";
    let text = error(times, &default);
    assert!(text.contains("column 'time' holds times such as '2024-05-01T12:00:00Z'"), "{text}");
    assert!(text.contains("--inputs adc --outputs p"), "{text}");
    assert_eq!(rows(&read_with(times, &named(&["adc"], &["p"]))), [[1.0, 2.0], [3.0, 4.0]]);
    for time in [
        "01.05.2024 12:00",
        "5/1/2024",
        "12:00:01",
        "2024-05-01 12:00:00.125",
        "1 May 2024",
        "2024-05-01T12:00:00+02:00",
    ] {
        let text = error(&format!("t;a;p\n{time};1;2\n{time};3;4\n"), &default);
        assert!(text.contains("holds times"), "{time}: {text}");
    }
    let logger = "\"TOA5\",\"CR1\",\"12\"\nWHEN,V_Avg,RH\nTS,Volts,%\n,Avg,Smp\n2024-01-01 00:10:00,1,\"NAN\"\n2024-01-01 00:20:00,2.5,51\n";
    let text = error(logger, &default);
    assert!(text.contains("column 'WHEN'") && text.contains("--inputs V_Avg --outputs RH"), "{text}");
    let words = error("Gerät Nr,a b,p\nfirst,1,2\nsecond,3,4\n", &default);
    assert!(words.contains("holds text such as 'first'") && words.contains("--inputs 2 --outputs 3"), "{words}");
    let last = error("a,b,comment\n1,2,good\n3,4,bad\n", &default);
    assert!(last.contains("column 'comment'") && last.contains("--inputs a --outputs b"), "{last}");
    assert!(
        error("a,b,p\n1,,2\n3,,4\n", &default)
            .contains("column 'b' is empty; leave it out with --inputs a --outputs p")
    );
}

#[test]
fn a_remedy_for_text_works_and_names_the_line() {
    let default = LoadOptions::default();
    let hexadecimal = error("adc,v\n0xf9c,1\n0xfff,2\n", &default);
    assert!(hexadecimal.contains("line 2: column 'adc' holds text such as '0xf9c'"), "{hexadecimal}");
    assert!(hexadecimal.contains("write 3996 in place of 0xf9c"), "{hexadecimal}");
    let words = error("adc,v\nlow,1\nhigh,2\n", &default);
    assert!(words.ends_with("which is no number; write numbers in place of the text"), "{words}");
    let units = error("in,out\n3995.6 mV,-40 °C\n4096.2 mV,100 °C\n", &default);
    assert!(units.contains("line 2: column 'in' holds text such as '3995.6 mV'"), "{units}");
    assert!(units.contains("the cells hold units: delete these"), "{units}");
}

#[test]
fn inputs_that_may_be_none_are_pointed_out() {
    for (text, words) in [
        (
            "id,a,p\n7,1,2\n9,3,4\n",
            "column 'id' is an input; if it only numbers the rows, leave it out with --inputs a --outputs p",
        ),
        ("k,a,p\n1,1,2\n2,3,4\n3,3,5\n", "column 'k' is an input; if it only numbers the rows"),
        ("time,a,p\n1714564800,1,2\n1714564860,3,4\n", "column 'time' is an input; if it only says when"),
        ("target,a,b\n1,1,2\n2,3,4\n", "the last column, 'b', is the output and 'target' an input"),
        ("y,x\n1,5\n2,7\n", "say --outputs 1"),
        ("a,b,time\n1,1,7\n2,3,9\n", "the last column, 'time', is the output"),
    ] {
        let data = read(text);
        assert!(says(&data, words), "{text}: {:?}", data.notes);
    }
    // A curve over the number of the sample, a map, and columns that were named are as they should be.
    assert!(read("x,y\n0,5\n1,7\n2,8\n").notes.is_empty());
    assert_eq!(read("x,y,z\n0,0,5\n0,1,7\n2,0,8\n").notes, [""; 0]);
    assert!(read_with("id,a,p\n7,1,2\n9,3,4\n", &named(&["id", "a"], &["p"])).notes.is_empty());
}

#[test]
fn bad_cells_are_counted_and_the_first_five_named() {
    let text = "a,b,note\n1,2,x\n,3,x\n4,oops,x\nNA,5,x\n6,1e40,x\n7,8,x\n9,#N/A,x\n10,11\n12,--,x\n13,14,x\n";
    let said = error(text, &named(&["a"], &["b"]));
    for words in [
        "7 cells are missing or bad",
        "line 3, column 'a': the field is empty",
        "line 4, column 'b': 'oops' is not a number",
        "line 5, column 'a': 'NA' stands for no value",
        "line 6, column 'b': '1e40' is not a finite",
        "line 8, column 'b': '#N/A' stands for no value",
        "and 2 more",
        "--skip-missing",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("line 9"), "{said}");
    let skipping = LoadOptions { skip_missing: true, ..named(&["a"], &["b"]) };
    let data = read_with(text, &skipping);
    assert_eq!(rows(&data), [[1.0, 2.0], [7.0, 8.0], [13.0, 14.0]]);
    assert!(
        says(&data, "left out: 7 of 10 rows, because of 7 missing or bad cells; the first is line 3"),
        "{:?}",
        data.notes
    );
    // A gap in a column that is not used is none.
    assert_eq!(read_with("a,b,c\n1,2,\n3,4,x\n", &named(&["a"], &["b"])).len(), 2);
    assert!(
        error("a,b\n1,\n,3\n", &LoadOptions { skip_missing: true, ..LoadOptions::default() })
            .contains("none of the 2 rows")
    );
}

#[test]
fn sentinels_are_noticed_and_left_out_on_request() {
    let text = "x,z\n0,512.5\n1,-9999\n2,530\n3,-9999.00\n4,501.25\n5,-3.4028234663852886e+38\n";
    let text_without_floats = text.replace("5,-3.4028234663852886e+38\n", "");
    let noticed = read(&text_without_floats);
    assert!(
        says(&noticed, "2 of the 5 values of column 'z' are -9999") && says(&noticed, "--no-data=-9999"),
        "{:?}",
        noticed.notes
    );
    let unusable = error(text, &LoadOptions::default());
    assert!(unusable.contains("--no-data=-3.4028234663852886e38,-9999"), "{unusable}");
    let options = |no_data: &[f64]| LoadOptions { no_data: no_data.to_vec(), ..LoadOptions::default() };
    let data = read_with(text, &options(&[-9999.0, -3.4e38]));
    assert_eq!(rows(&data), [[0.0, 512.5], [2.0, 530.0], [4.0, 501.25]]);
    assert!(says(&data, "left out: 3 of 6 rows, because of 3 values of --no-data"), "{:?}", data.notes);
    let typo = read_with(&text_without_floats, &options(&[-9998.0]));
    assert!(says(&typo, "no cell of the columns that are used is -9998"), "{:?}", typo.notes);
    // NaN is one as well.
    assert_eq!(read_with("x,z\n0,1\n1,NaN\n2,3\n", &options(&[f64::NAN])).len(), 2);
}

#[test]
fn wide_tables_are_read_when_they_are_said_to_be() {
    let text = "adc\\temp;15,5;20,5;25,5\n0;1;2;3\n10;4;5;6\n";
    let said = error(text, &LoadOptions::default());
    assert!(said.contains("line 1 names the columns 15,5, 20,5, …") && said.contains("--wide"), "{said}");
    let wide = LoadOptions { wide: true, ..LoadOptions::default() };
    let long =
        [[0.0, 15.5, 1.0], [0.0, 20.5, 2.0], [0.0, 25.5, 3.0], [10.0, 15.5, 4.0], [10.0, 20.5, 5.0], [10.0, 25.5, 6.0]];
    let data = read_with(text, &wide);
    assert_eq!(
        (rows(&data), &data.input_names[..]),
        (long.map(Vec::from).to_vec(), &["adc".into(), "temp".into()][..])
    );
    // With nothing in the corner, falling, and with a hole.
    let holes = "\t30\t20\t10\n1\t1\t2\t3\n2\t4\t\t6\n";
    assert!(error(holes, &LoadOptions::default()).contains("--wide"));
    let skipping = LoadOptions { skip_missing: true, ..wide.clone() };
    let without_hole = read_with(holes, &skipping);
    assert_eq!(
        rows(&without_hole),
        [[1.0, 30.0, 1.0], [1.0, 20.0, 2.0], [1.0, 10.0, 3.0], [2.0, 30.0, 4.0], [2.0, 10.0, 6.0]]
    );
    assert!(
        says(&without_hole, "left out: 1 single cell, because of 1 missing or bad cell"),
        "{:?}",
        without_hole.notes
    );
    assert!(error("a,b,c\n1,2,3\n4,5,6\n", &wide).contains("line 1: 'b' is no number"));
    // For a model that was trained on it, the columns of the long table are known.
    let model = LoadOptions { origins: Some(Default::default()), ..named(&["temp", "adc"], &["value"]) };
    assert_eq!(rows(&read_with(text, &model))[1], [20.5, 0.0, 2.0]);
    // Without a corner: one name fewer than columns.
    assert_eq!(
        rows(&read_with("30,20\n0.5,1,2\n0.75,4,5\n", &wide)),
        [[0.5, 30.0, 1.0], [0.5, 20.0, 2.0], [0.75, 30.0, 4.0], [0.75, 20.0, 5.0]]
    );
    // Numbers as names are no axis if they do not rise.
    assert_eq!(read("x,1,3,2\n1,2,3,4\n5,6,7,8\n").outputs(), 1);
}

#[test]
fn single_precision_is_no_limit_to_coordinates() {
    let mut text = "easting,northing,t\n".to_owned();
    for k in 0..64 {
        text += &format!(
            "{},{},{}\n",
            500_000.25 + f64::from(k % 8) * 0.5,
            4_649_776.25 + f64::from(k / 8) * 0.5,
            1.7e9 + f64::from(k * k % 7) / 32.0
        );
    }
    let data = read(&text);
    assert_eq!((&data.input_origins[..], &data.output_origins[..]), (&[5e5, 4_649_770.0][..], &[1.7e9][..]));
    // The largest northing is 4649776.25 + 3.5, and 64 rows have 8 distinct ones.
    assert_eq!(rows(&data)[63], [500_003.75, 4_649_779.75, 1.7e9]);
    assert_eq!(data.points.column(1).iter().fold(0.0f32, |most, &y| most.max(y)), 9.75);
    assert!(
        says(&data, "'northing' is counted from 4649770") && says(&data, "0.5 apart") && says(&data, "by up to 0.25"),
        "{:?}",
        data.notes
    );
    assert_eq!(
        data.summary(),
        "64 rows: easting (500000.25 to 500003.75), northing (4649776.25 to 4649779.75) → t (1700000000 to 1700000000.125)"
    );

    // For a model, its own origins count, and one row is enough.
    let origins = super::super::Origins { inputs: vec![4e5], outputs: vec![] };
    let model = LoadOptions { origins: Some(origins), ..named(&["easting"], &["northing"]) };
    let one = read_with("northing;easting;rest\n4,5;500000,25;x\n", &model);
    assert_eq!((one.points[[0, 0]], rows(&one)), (100_000.25, vec![vec![500_000.25, 4.5]]));
}

#[test]
fn points_are_read_without_outputs() {
    let names = ["adc".to_owned(), "temp".to_owned()];
    let values = |text: &str| columns(text.as_bytes(), &LoadOptions::default(), &names).map(|columns| columns.values);
    assert_eq!(values("temp,extra,p,adc\n30,x,100,45\n").unwrap(), [[45.0], [30.0]]);
    assert_eq!(values("adc (counts);temp\n45,5;30\n50;20\n").unwrap(), [[45.5, 50.0], [30.0, 20.0]]);
    let nameless = columns(b"45 30\n50 20\n", &LoadOptions::default(), &names).unwrap();
    assert_eq!(nameless.values, [[45.0, 50.0], [30.0, 20.0]]);
    assert!(nameless.notes.iter().any(|note| note.contains("taken as adc, temp")), "{:?}", nameless.notes);
    let one = columns(b"adc\n1\n2\n", &LoadOptions::default(), &names[..1]).unwrap();
    assert_eq!(one.values, [[1.0, 2.0]]);
    assert!(values("a,b\n1,2\n").unwrap_err().to_string().contains("no column 'adc'"));
    assert!(values("adc,temp\n1,\n").unwrap_err().to_string().contains("column 'temp' is empty"));
    assert!(values("adc,temp\n1,2\n3,\n").unwrap_err().to_string().contains("line 3, column 'temp'"));
    assert!(values("adc,temp\n").unwrap_err().to_string().contains("no rows"));
}

#[test]
fn no_bytes_make_it_panic() {
    use rand::{RngExt, SeedableRng};
    let seeds: [&[u8]; 6] = [
        b"adc;temp;p\n0,5;15,5;1.000,25\n10,5;20,5;2.000,5\n20,5;25,5;1.500,75\n",
        b"# a b c\n 1.0 2.0 3.0\n 4.0 5.0 6.0\n",
        b"Export,,\nadc,temp,p\n[V],(A),-\n0,1,2\n3,,5\n\"6\",7,8\n,,\n",
        b"\xff\xfea\x00,\x00b\x00\n\x001\x00,\x002\x00\n\x003\x00,\x004\x00\n\x00",
        b"a\\b,1,2,3\n1,4,5,6\n2,7,8,9\n",
        b"sep=;\n;x;y\n0;-9999;1e38\n1;1700000000,5;NaN\n2;1700000001,5;-3e38\n",
    ];
    let pieces: [&[u8]; 16] = [
        b",",
        b";",
        b"\t",
        b" ",
        b"\n",
        b"\r\n",
        b"\"",
        b"#",
        b"1.000",
        b"1,5",
        b"-",
        b"1e308",
        b"\xc2\xa0",
        b"\xe9",
        b"x",
        b"sep=",
    ];
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(19);
    for round in 0..4000 {
        let mut bytes = seeds[round % seeds.len()].to_vec();
        for _ in 0..rng.random_range(1..6) {
            let at = rng.random_range(0..=bytes.len());
            let end = (at + rng.random_range(0..4)).min(bytes.len());
            bytes.splice(at..end, pieces[rng.random_range(0..pieces.len())].iter().copied());
        }
        let options = LoadOptions {
            wide: round % 5 == 0,
            skip_missing: round % 3 == 0,
            no_data: if round % 4 == 0 { vec![-9999.0] } else { vec![] },
            ..LoadOptions::default()
        };
        if let Ok(data) = dataset(&bytes, &options) {
            assert!(data.len() > 1 && data.points.iter().chain(&data.targets).all(|value| value.is_finite()));
            assert!(data.axes.iter().all(Axis::is_valid) && !data.summary().is_empty());
        }
        let _ = columns(&bytes, &options, &["a".to_owned()]);
    }
}
