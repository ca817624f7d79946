//! Which columns are taken, and what is said of those that cannot be.

use super::*;

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
    let logger = "\"TOA5\",\"CR1\",\"12\"\nWHEN,V_Avg,RH\nTS,Volts,%\n,Avg,Smp\n2024-01-01 \
                  00:10:00,1,\"NAN\"\n2024-01-01 00:20:00,2.5,51\n";
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
