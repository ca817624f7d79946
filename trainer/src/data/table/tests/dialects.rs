//! Every dialect gives the same numbers, and what is assumed is said.

use super::*;

/// The table that the dialects below write, with its numbers as they are: 0.5 and 15.5 give 1000.25, and so on.
const EXPECTED: [[f64; 3]; 3] = [[0.5, 15.5, 1000.25], [10.5, 20.5, 2000.5], [20.5, 25.5, 1500.75]];

/// A way to write the table.
struct Dialect {
    name: &'static str,
    text: &'static str,
    /// Words of what is said of it; nothing is said where there are none.
    notes: &'static [&'static str],
}

const DIALECTS: [Dialect; 20] = [
    Dialect { name: "plain", text: "adc,temp,p\n0.5,15.5,1000.25\n10.5,20.5,2000.5\n20.5,25.5,1500.75\n", notes: &[] },
    Dialect {
        name: "decimal commas",
        text: "adc;temp;p\r\n0,5;15,5;1000,25\r\n10,5;20,5;2000,5\r\n20,5;25,5;1500,75\r\n",
        notes: &[],
    },
    Dialect {
        name: "grouped",
        text: "adc;temp;p\n0,5;15,5;1.000,25\n10,5;20,5;2.000,5\n20,5;25,5;1.500,75\n",
        notes: &["grouping thousands, as in '1.000,25'"],
    },
    Dialect {
        name: "tabs",
        text: "adc\ttemp\tp\n0.5\t15.5\t1,000.25\n10.5\t20.5\t2,000.5\n20.5\t25.5\t1,500.75\n",
        notes: &["grouping thousands"],
    },
    Dialect { name: "bars", text: "adc|temp|p\n0.5|15.5|1000.25\n10.5|20.5|2000.5\n20.5|25.5|1500.75\n", notes: &[] },
    Dialect {
        name: "columns of spaces",
        text: "  adc  temp   p\n 0.5  15.5 1000.25\n10.5  20.5 2000.5 \n20.5  25.5 1500.75",
        notes: &[],
    },
    Dialect {
        name: "quoted commas",
        text: "\"adc\",\"temp\",\"p\"\n\"0,5\",\"15,5\",\"1000,25\"\n\"10,5\",\"20,5\",\"2000,5\"\n\
               \"20,5\",\"25,5\",\"1500,75\"\n",
        notes: &[],
    },
    Dialect {
        name: "sep=",
        text: "sep=;\nadc;temp;p\n0.5;15.5;1000.25\n10.5;20.5;2000.5\n20.5;25.5;1500.75\n",
        notes: &["line 1 names the separator"],
    },
    Dialect {
        name: "title",
        text: "Export 17\n\nadc,temp,p\n0.5,15.5,1000.25\n10.5,20.5,2000.5\n20.5,25.5,1500.75\n",
        notes: &["line 1 ('Export 17') is no part"],
    },
    Dialect {
        name: "titles, filled up",
        text: "Export 17,,\nDevice,3,\nadc,temp,p\n0.5,15.5,1000.25\n10.5,20.5,2000.5\n20.5,25.5,1500.75\n",
        notes: &["2 lines above the table were skipped"],
    },
    Dialect {
        name: "units",
        text: "adc,temp,p\n[counts],[degC],[kPa]\n0.5,15.5,1000.25\n10.5,20.5,2000.5\n20.5,25.5,1500.75\n",
        notes: &["line 2 is read as the units"],
    },
    Dialect {
        name: "trailing",
        text: "adc,temp,p,\n0.5,15.5,1000.25,\n10.5,20.5,2000.5,\n20.5,25.5,1500.75,\n",
        notes: &["column 4 has neither"],
    },
    Dialect {
        name: "trailing in rows alone",
        text: "adc,temp,p\n0.5,15.5,1000.25,\n10.5,20.5,2000.5,\n20.5,25.5,1500.75,\n",
        notes: &["column 4 has neither"],
    },
    Dialect {
        name: "trailing in the names alone",
        text: "adc,temp,p,\n0.5,15.5,1000.25\n10.5,20.5,2000.5\n20.5,25.5,1500.75\n",
        notes: &[],
    },
    Dialect {
        name: "pandas",
        text: ",adc,temp,p\n0,0.5,15.5,1000.25\n1,10.5,20.5,2000.5\n2,20.5,25.5,1500.75\n",
        notes: &["column 1 has no name and numbers the rows"],
    },
    Dialect {
        name: "R",
        text: "\"adc\" \"temp\" \"p\"\n\"1\" 0.5 15.5 1000.25\n\"2\" 10.5 20.5 2000.5\n\
               \"3\" 20.5 25.5 1500.75\n",
        notes: &["column 1 has no name and numbers the rows"],
    },
    Dialect {
        name: "savetxt with names",
        text: "# made by hand\n# adc temp p\n5.0e-01 1.55e+01 1.00025e+03\n1.05e+01 2.05e+01 2.0005e+03\n\
               2.05e+01 2.55e+01 1.50075e+03\n",
        notes: &["line 2, a remark, names"],
    },
    Dialect {
        name: "names by commas",
        text: "# adc,temp,p\n0.5 15.5 1000.25\n# half way\n10.5 20.5 2000.5\n20.5 25.5 1500.75\n",
        notes: &["line 1, a remark, names", "skipped among the rows: 1 remark"],
    },
    Dialect {
        name: "empty rows",
        text: "adc,temp,p\n0.5,15.5,1000.25\n\n10.5,20.5,2000.5\n,,\n20.5,25.5,1500.75\n,,\n",
        notes: &["2 rows without any value"],
    },
    Dialect {
        name: "grouped by spaces",
        text: "adc;temp;p\n0,5;15,5;1 000,25\n10,5;20,5;2\u{a0}000,5\n20,5;25,5;1\u{202f}500,75\n",
        notes: &[],
    },
];

#[test]
fn every_dialect_gives_the_same_numbers() {
    for Dialect { name, text, notes } in DIALECTS {
        let data = read(text);
        assert_eq!(rows(&data), EXPECTED, "{name}");
        assert_eq!(data.input_names, ["adc", "temp"], "{name}");
        assert_eq!(data.output_names, ["p"], "{name}");
        for words in notes {
            assert!(says(&data, words), "{name}: {words} in {:?}", data.notes);
        }
        if notes.is_empty() {
            assert!(data.notes.is_empty(), "{name}: {:?}", data.notes);
        }
    }
}

#[test]
fn columns_without_names_are_numbered() {
    let nameless = read("5.0e-01 1.55e+01 1.00025e+03\n1.05e+01 2.05e+01 2.0005e+03\n2.05e+01 2.55e+01 1.50075e+03\n");
    assert_eq!(rows(&nameless), EXPECTED);
    assert_eq!((nameless.input_names, nameless.output_names), (vec!["#1".into(), "#2".into()], vec!["#3".into()]));
    // A curve over whole numbers has no index, only no names.
    assert_eq!(rows(&read("0 1.5\n1 2.5\n2 4.5\n")), [[0.0, 1.5], [1.0, 2.5], [2.0, 4.5]]);
}

#[test]
fn numbers_and_names_of_rows_are_no_column() {
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
