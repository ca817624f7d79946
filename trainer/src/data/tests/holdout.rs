//! Which samples train and which test.

use super::*;

#[test]
fn even_holdout_takes_a_quarter_of_a_picture() {
    let grid = |shape: &[usize]| {
        let len = shape.iter().product();
        let is_volume = LoadOptions { volume: true, ..LoadOptions::default() };
        load_bytes("g.npy", &npy_f32(shape, &vec![0.0; len]), &is_volume).unwrap()
    };
    let halves = split(&grid(&[4, 6]), Holdout::Even, 0).unwrap();
    assert_eq!(halves.train, [0, 2, 4, 12, 14, 16]);
    assert_eq!(halves.test, [7, 9, 11, 19, 21, 23]);
    let volume = split(&grid(&[4, 4, 4]), Holdout::Even, 0).unwrap();
    assert_eq!((volume.train.len(), volume.test.len()), (8, 8));
    assert_eq!(split(&grid(&[1, 4]), Holdout::Even, 0).unwrap().test, [1, 3]);
    let one = split(&grid(&[1, 1]), Holdout::Even, 0).unwrap_err().to_string();
    assert!(one.contains("even of 1 samples leaves none to test with; give more samples or a part"), "{one}");
}

#[test]
fn fractions_are_drawn_from_the_seed() {
    let data = load_plain("g.npy", &npy_f32(&[100], &[0.0; 100])).unwrap();
    let tenth = split(&data, Holdout::Fraction(0.1), 3).unwrap();
    assert_eq!((tenth.train.len(), tenth.test.len()), (90, 10));
    assert_eq!(tenth, split(&data, Holdout::Fraction(0.1), 3).unwrap());
    assert_ne!(tenth, split(&data, Holdout::Fraction(0.1), 4).unwrap());
    let mut all = [tenth.train, tenth.test].concat();
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<_>>());
    for (part, words) in [
        (0.001, "none to test with; give more samples or a larger part"),
        (0.999, "none to train on; give more samples or a smaller"),
    ] {
        assert!(split(&data, Holdout::Fraction(part), 3).unwrap_err().to_string().contains(words));
    }
    assert!(split(&data, Holdout::None, 3).unwrap().test.is_empty());

    assert_eq!("0.25".parse(), Ok(Holdout::Fraction(0.25)));
    for holdout in [Holdout::None, Holdout::Even, Holdout::Fraction(0.25)] {
        assert_eq!(holdout.to_string().parse(), Ok(holdout));
    }
    for bad in ["0", "1", "nan", "odd"] {
        assert!(bad.parse::<Holdout>().is_err(), "{bad}");
    }
}

/// Rows of a table at one point are on one side, and a table without such rows is divided as a line of cells is.
#[test]
fn rows_at_one_point_go_together() {
    let table = |points: &dyn Fn(usize) -> usize, rows: usize| {
        let rows = (0..rows).map(|row| format!("{},{row}\n", points(row)));
        load_plain("t.csv", format!("x,y\n{}", rows.collect::<String>()).as_bytes()).unwrap()
    };
    let line = load_plain("g.npy", &npy_f32(&[60], &[0.0; 60])).unwrap();
    let plain = table(&|row| row * 7 % 60, 60);
    assert_eq!(note_of_repeated(&plain, Holdout::Fraction(0.3)), None);
    let thrice = table(&|row| row % 20, 60);
    for seed in 0..5 {
        let holdout = Holdout::Fraction(0.3);
        assert_eq!(split(&plain, holdout, seed).unwrap(), split(&line, holdout, seed).unwrap());
        let divided = split(&thrice, holdout, seed).unwrap();
        assert_eq!((divided.train.len(), divided.test.len()), (42, 18));
        for row in &divided.test {
            assert!(divided.test.contains(&((row + 20) % 60)), "{divided:?}");
        }
    }
    let note = note_of_repeated(&thrice, Holdout::Fraction(0.3)).unwrap();
    assert!(note.starts_with("note: 40 of 60 rows repeat the point of another"), "{note}");
    // As few points as can be: one tests and one trains.
    let two = split(&table(&|row| row % 2, 10), Holdout::Fraction(0.9), 0).unwrap();
    assert_eq!((two.train.len(), two.test.len()), (5, 5));
    let one = split(&table(&|_| 4, 10), Holdout::Fraction(0.5), 0).unwrap_err().to_string();
    assert!(one.contains("all are at one point, so give samples at other points"), "{one}");
}
