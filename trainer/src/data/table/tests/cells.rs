//! Cells that are no numbers, or no values, or need more than single precision.

use super::*;

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
        "64 rows: easting (500000.25 to 500003.75), northing (4649776.25 to 4649779.75) → t (1700000000 to \
         1700000000.125)"
    );

    // For a model, its own origins count, and one row is enough.
    let origins = crate::data::Origins { inputs: vec![4e5], outputs: vec![] };
    let model = LoadOptions { origins: Some(origins), ..named(&["easting"], &["northing"]) };
    let one = read_with("northing;easting;rest\n4,5;500000,25;x\n", &model);
    assert_eq!((one.points[[0, 0]], rows(&one)), (100_000.25, vec![vec![500_000.25, 4.5]]));
}
