//! `trainer ntk` as a user meets it: arrays in, arrays out, and one sentence for each thing that can be wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use trainer::dataset::npy;

struct Desk {
    directory: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn put(&self, name: &str, shape: &[usize], values: &[f64]) -> PathBuf {
        let mut bytes = Vec::new();
        npy::write(&mut bytes, shape, values).expect("writes to memory");
        fs::write(self.path(name), bytes).expect("a file");
        self.path(name)
    }

    /// n points of [0, 1).
    fn points(&self, n: usize) -> PathBuf {
        let values: Vec<f64> = (0..n).map(|i| i as f64 / n as f64).collect();
        self.put("x.npy", &[n], &values)
    }

    fn array(&self, name: &str) -> npy::NpyArray {
        npy::read(&fs::read(self.path(name)).expect("it was written")).expect("an array")
    }

    /// `arguments` with `@name` replaced by a path on the desk.
    fn run(&self, arguments: &str) -> Output {
        let arguments = arguments.split(' ').map(|argument| match argument.strip_prefix('@') {
            Some(name) => self.path(name).into_os_string(),
            None => argument.into(),
        });
        Command::new(env!("CARGO_BIN_EXE_trainer")).args(arguments).output().expect("the trainer starts")
    }
}

fn success(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&success(output)).expect("one JSON object")
}

/// The one sentence of a failure, after which there is no result.
fn failure(desk: &Desk, arguments: &str) -> String {
    let output = desk.run(arguments);
    let text = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    assert!(!output.status.success() && output.stdout.is_empty(), "{arguments}: {text}");
    assert!(text.starts_with("error: ") && text.lines().count() == 1 && !text.contains("panicked"), "{text}");
    assert!(!desk.path("out.npy").exists(), "{arguments}: nothing half-written");
    text
}

const FOURIER: &str = "--encoding fourier --frequencies 16 --amplitude-power 1 --normalize";

fn reference(name: &str) -> Vec<f64> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/ntk").join(name);
    npy::read(&fs::read(path).expect("bundled")).expect("an array").values
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let gap = found.iter().zip(expected).fold(0.0, |gap: f64, (a, b)| gap.max((a - b).abs()));
    assert!(gap <= tolerance * largest, "gap {gap:e} beside {largest}");
}

#[test]
fn gram_spectrum_and_predict_agree_with_the_references() {
    let desk = Desk::new();
    desk.points(32);
    let network =
        format!("{FOURIER} --hidden-layers 3 --parametrization ntk --weight-std 1.4142135623730951 --bias-std 0.5");
    let report = json(&desk.run(&format!("ntk gram --points @x.npy {network} --out @out.npy --json")));
    assert_eq!((&report["rows"], &report["columns"]), (&32.into(), &32.into()));
    let gram = desk.array("out.npy");
    assert_eq!(gram.shape, [32, 32]);
    assert_close(&gram.values, &reference("he_bias_gram_p1.npy"), 1e-7);

    let target = reference("target_256.npy");
    let part = |train: bool| (0..256).filter(move |i| (i % 8 == 0) == train);
    let targets: Vec<f64> = part(true).map(|i| target[i]).collect();
    let against: Vec<f64> = part(false).map(|i| i as f64 / 256.0).collect();
    desk.put("t.npy", &[32], &targets);
    desk.put("y.npy", &[224], &against);
    let training = "--learning-rate 0.02 --steps 50001 --flow";
    let predict = format!("ntk predict --points @x.npy --targets @t.npy --against @y.npy {network} {training}");
    success(&desk.run(&format!("{predict} --out @pred.npy")));
    assert_close(&desk.array("pred.npy").values, &reference("he_bias_pred_test_p1.npy"), 1e-7);

    let spectrum = json(&desk.run(&format!("ntk spectrum --points @x.npy {network} --json")));
    assert!(spectrum.to_string().len() > 100, "{spectrum}");
}

#[test]
fn points_of_another_axis_count_and_one_point_and_duplicates_are_computed_or_told() {
    let desk = Desk::new();
    desk.put("x.npy", &[1], &[0.25]);
    success(&desk.run(&format!("ntk gram --points @x.npy {FOURIER} --out @one.npy")));
    assert_eq!(desk.array("one.npy").shape, [1, 1]);
    // Two targets at one point: their mean is learned, nothing blows up.
    desk.put("x.npy", &[3], &[0.25, 0.25, 0.7]);
    desk.put("t.npy", &[3], &[1.0, 3.0, 0.0]);
    success(&desk.run(&format!("ntk predict --points @x.npy --targets @t.npy {FOURIER} --converged --out @p.npy")));
    assert_close(&desk.array("p.npy").values, &[2.0, 2.0, 0.0], 1e-9);
    desk.put("y.npy", &[2, 2], &[0.0; 4]);
    let text = failure(&desk, "ntk gram --points @x.npy --against @y.npy --out @out.npy");
    assert!(text.contains("y.npy: test points: 2 columns, but 1 needed"), "{text}");
}

#[test]
fn bad_input_is_one_sentence() {
    let desk = Desk::new();
    desk.points(4);
    desk.put("nan.npy", &[3], &[0.0, f64::NAN, 1.0]);
    desk.put("cube.npy", &[1, 2, 2], &[0.0; 4]);
    desk.put("short.npy", &[3], &[0.0; 3]);
    fs::write(desk.path("text.npy"), "not an array").unwrap();
    for (arguments, words) in [
        ("ntk gram --points @nan.npy --out @out.npy", "nan.npy: points: NaN in row 1"),
        ("ntk gram --points @cube.npy --out @out.npy", "reshape"),
        ("ntk gram --points @none.npy --out @out.npy", "cannot read"),
        ("ntk gram --points @text.npy --out @out.npy", "text.npy"),
        ("ntk gram --points @x.npy --weight-std 0 --out @out.npy", "weight-std is 0"),
        ("ntk gram --points @x.npy --bias-std -1 --out @out.npy", "bias-std"),
        ("ntk gram --points @x.npy --hidden-layers 1000 --out @out.npy", "hidden-layers"),
        ("ntk gram --points @x.npy --encoding gaussian --scale -1 --out @out.npy", "scale"),
        ("ntk gram --points @x.npy --kernel rbf --length 0 --out @out.npy", "length"),
        ("ntk gram --points @x.npy --kernel features --out @out.npy", "encoding"),
        (
            "ntk predict --points @x.npy --targets @short.npy --learning-rate 0.1 --steps 3 --out @out.npy",
            "short.npy: targets: 3 rows, but 4 needed",
        ),
        (
            "ntk predict --points @x.npy --targets @x.npy --learning-rate -1 --steps 3 --descent --out @out.npy",
            "learning-rate",
        ),
        ("ntk gap --points @x.npy --widths 0 --draws 1", "width"),
        ("ntk gap --points @x.npy --draws 0", "--draws"),
        ("ntk empirical @nowhere --points @x.npy --out @out.npy", "not the folder of a run"),
    ] {
        let text = failure(&desk, arguments);
        assert!(text.contains(words), "{arguments}: {text}");
    }
}

/// A million points would need terabytes: the refusal comes before the work, with the bytes and what is possible.
#[test]
fn more_points_than_the_memory_holds_are_refused_with_the_bytes() {
    let desk = Desk::new();
    desk.points(1_000_000);
    let text = failure(&desk, "ntk gram --points @x.npy --out @out.npy");
    assert!(text.contains("needs 8000000000000 bytes") && text.contains("are possible here"), "{text}");
}

#[test]
fn the_kernel_of_a_saved_run_is_symmetric_and_positive() {
    let desk = Desk::new();
    let lines: Vec<String> = (0..64).map(|i| format!("{i},{}\n", (f64::from(i) / 9.0).sin())).collect();
    fs::write(desk.path("wave.csv"), format!("x,y\n{}", lines.concat())).unwrap();
    success(&desk.run("fit @wave.csv --out @run --steps 20 --frequencies 8 --hidden 16,16"));
    desk.put("x.npy", &[5], &[0.0, 3.0, 10.5, 40.0, 62.0]);
    let report = json(&desk.run("ntk empirical @run --points @x.npy --out @k.npy --json"));
    assert_eq!(report["rows"], 5);
    assert_eq!(report["parameters"], 16 * 16 + 16 + 16 * 16 + 16 + 16 + 1);
    let gram = desk.array("k.npy").values;
    for i in 0..5 {
        assert!(gram[6 * i] > 0.0);
        for j in 0..5 {
            assert!(gram[5 * i + j] == gram[5 * j + i]);
            assert!(gram[5 * i + j].powi(2) <= gram[6 * i] * gram[6 * j] * (1.0 + 1e-12));
        }
    }
    success(&desk.run("ntk empirical @run --points @x.npy --against @x.npy --out @cross.npy"));
    assert_close(&desk.array("cross.npy").values, &gram, 1e-12);
    desk.put("far.npy", &[1], &[1e6]);
    let text = failure(&desk, "ntk empirical @run --points @far.npy --out @out.npy");
    assert!(text.contains("row 0") && text.contains("outside"), "{text}");
    assert!(failure(&desk, "ntk empirical @run --points @x.npy --output 1 --out @out.npy").contains("output is 1"));
}

#[test]
fn gaps_shrink_with_the_width_and_are_drawn() {
    let desk = Desk::new();
    desk.points(16);
    let arguments = format!("ntk gap --points @x.npy {FOURIER} --widths 32,512 --draws 4 --plot @gap.png --json");
    let report = json(&desk.run(&arguments));
    let gap = |index: usize| report["widths"][index]["mean_gap"].as_f64().unwrap();
    // A sixteenth part of the variance: a fourth of the gap, but for the draws.
    assert!(gap(1) < 0.5 * gap(0) && gap(1) > 0.0, "{report}");
    assert!(fs::read(desk.path("gap.png")).unwrap().starts_with(b"\x89PNG"));
}
