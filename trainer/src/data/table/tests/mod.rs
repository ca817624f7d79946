//! Every dialect gives the same numbers, and what is skipped, assumed or wrong is said.

mod cells;
mod columns;
mod dialects;

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
