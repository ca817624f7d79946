//! `trainer ntk` as a user meets it: arrays in, arrays out, and one sentence for each thing that can be wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use trainer::data::npy;
use trainer::network::encoding::EncodingParams;

use crate::desk::{Desk, program};

impl Desk {
    /// n points of [0, 1).
    fn points(&self, n: usize) -> PathBuf {
        let values: Vec<f64> = (0..n).map(|i| i as f64 / n as f64).collect();
        self.put_array("x.npy", &[n], &values)
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
        program().args(arguments).output().expect("the trainer starts")
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
    desk.put_array("t.npy", &[32], &targets);
    desk.put_array("y.npy", &[224], &against);
    let training = "--learning-rate 0.02 --steps 50001 --flow";
    let predict = format!("ntk predict --points @x.npy --targets @t.npy --against @y.npy {network} {training}");
    success(&desk.run(&format!("{predict} --out @pred.npy")));
    assert_close(&desk.array("pred.npy").values, &reference("he_bias_pred_test_p1.npy"), 1e-7);
}

/// Eigenvalues, vectors and the error in their basis belong together, and the kernel's period is recognized where there
/// is one.
#[test]
fn spectra_rebuild_the_kernel_and_tell_its_bandwidth() {
    let desk = Desk::new();
    desk.points(32);
    let target = reference("target_256.npy");
    let targets: Vec<f64> = (0..32).map(|i| target[8 * i]).collect();
    desk.put_array("t.npy", &[32], &targets);
    success(&desk.run(&format!("ntk gram --points @x.npy {FOURIER} --bias-std 0.5 --out @k.npy")));
    let outputs =
        "--out @values.npy --vectors-out @vectors.npy --components-out @error.npy --learning-rate 0.02 --steps 100";
    let spectrum = format!("ntk spectrum --points @x.npy --targets @t.npy {FOURIER} --bias-std 0.5 {outputs} --json");
    let report = json(&desk.run(&spectrum));
    let [gram, values, vectors, error] =
        ["k.npy", "values.npy", "vectors.npy", "error.npy"].map(|name| desk.array(name).values);
    let mut rebuilt = vec![0.0; 32 * 32];
    for (k, value) in values.iter().enumerate() {
        for i in 0..32 {
            for j in 0..32 {
                rebuilt[32 * i + j] += value * vectors[32 * i + k] * vectors[32 * j + k];
            }
        }
        let component: f64 = (0..32).map(|i| vectors[32 * i + k] * targets[i]).sum();
        assert!((component - error[k]).abs() < 1e-12);
        if k < 16 {
            let remaining = report["modes"][k]["remaining"].as_f64().unwrap();
            assert!((remaining - (-value * 0.02 * 100.0).exp()).abs() < 1e-12, "{k}");
        }
    }
    assert_close(&rebuilt, &gram, 1e-12);
    assert_eq!((&report["rank"], &report["stability"]["stable"]), (&32.into(), &true.into()));
    assert_eq!(report["largest_eigenvalue"], values[0]);
    assert!(values.windows(2).all(|pair| pair[0] >= pair[1]));
    assert!(report["bandwidth"]["rms_frequency"].as_f64().unwrap() > 1.0);
    // The same points twice cover no single period.
    let twice: Vec<f64> = (0..64).map(|i| f64::from(i % 32) / 32.0).collect();
    desk.put_array("x.npy", &[64], &twice);
    assert!(json(&desk.run(&format!("ntk spectrum --points @x.npy {FOURIER} --json")))["bandwidth"].is_null());
}

#[test]
fn descent_starts_where_it_is_told_and_warns_and_stops_where_it_diverges() {
    let desk = Desk::new();
    desk.put_array("x.npy", &[2], &[0.0, 1.0]);
    desk.put_array("t.npy", &[2], &[1.0, -1.0]);
    desk.put_array("f.npy", &[2], &[0.25, 0.5]);
    desk.put_array("y.npy", &[1], &[0.5]);
    desk.put_array("g.npy", &[1], &[2.0]);
    desk.put_array("truth.npy", &[1], &[0.0]);
    let k = (-0.5f64).exp();
    let predict = "ntk predict --points @x.npy --targets @t.npy --kernel rbf --initial @f.npy --descent --out @out.npy";
    // By hand: two steps at rate 0.5 on the matrix [[1, k], [k, 1]].
    let mut f = [0.25, 0.5];
    for _ in 0..2 {
        let error = [1.0 - f[0], -1.0 - f[1]];
        f = [f[0] + 0.5 * (error[0] + k * error[1]), f[1] + 0.5 * (k * error[0] + error[1])];
    }
    let report = json(&desk.run(&format!("{predict} --learning-rate 0.5 --steps 2 --json")));
    assert_close(&desk.array("out.npy").values, &f, 1e-14);
    assert_eq!(report["stability"]["stable"], true);
    // At a test point in the middle the two errors cancel but for what the start leaves of them.
    let beside = format!("{predict} --against @y.npy --initial-against @g.npy --truth @truth.npy");
    let report = json(&desk.run(&format!("{beside} --learning-rate 0.5 --steps 1 --json")));
    let middle = 2.0 + 0.5 * (-0.125f64).exp() * (0.75 - 1.5);
    assert_close(&desk.array("out.npy").values, &[middle], 1e-14);
    assert!((report["mean_squared_error"].as_f64().unwrap() - middle.powi(2)).abs() < 1e-12);
    // Beyond 2/λmax = 2/(1 + k): said so, and refused once the numbers overflow.
    let output = desk.run(&format!("{predict} --learning-rate 1.5 --steps 3"));
    success(&output);
    assert!(String::from_utf8_lossy(&output.stderr).contains("beyond 2/lambda_max = 1.24"));
    fs::remove_file(desk.path("out.npy")).unwrap();
    let output = desk.run(&format!("{predict} --learning-rate 1.5 --steps 5000"));
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("lower the rate"));
    assert!(!desk.path("out.npy").exists());
    // What the test points begin with has to be said too.
    let text = failure(&desk, &format!("{predict} --against @y.npy --learning-rate 0.5 --steps 1"));
    assert!(text.contains("--initial-against"), "{text}");
}

#[test]
fn kernel_regression_says_how_it_was_solved() {
    let desk = Desk::new();
    desk.points(32);
    let predict = "ntk predict --points @x.npy --targets @x.npy --kernel rbf --converged --out @out.npy --json";
    let sharp = json(&desk.run(&format!("{predict} --length 0.01")));
    assert_eq!(sharp["solution"]["method"], "cholesky");
    let smooth = json(&desk.run(&format!("{predict} --length 0.5")));
    assert_eq!(smooth["solution"]["method"], "eigen");
    assert!(smooth["solution"]["rank"].as_u64().unwrap() < 32 && smooth["solution"]["cutoff"].as_f64().unwrap() > 0.0);
}

/// The features of theory are those of training: the Gaussian draw of a seed, the notebook's frequencies, a list.
#[test]
fn every_encoding_of_the_trainer_has_its_kernel() {
    let desk = Desk::new();
    desk.put_array("x.npy", &[2, 1], &[0.0, 0.1]);
    let features = |encoding: &str| {
        let command = format!("ntk gram --points @x.npy --kernel features {encoding} --out @out.npy");
        success(&desk.run(&command));
        desk.array("out.npy").values[1]
    };
    let waves = |frequencies: &[f64]| frequencies.iter().map(|b| (std::f64::consts::TAU * b * 0.1).cos()).sum::<f64>();
    let notebook = features("--encoding positional --positional-notebook --frequencies 5 --scale 4");
    assert!((notebook - waves(&[0.0, 1.0, 3.0, 7.0, 15.0])).abs() < 1e-12);
    let listed = features("--encoding fourier --frequency-list 0.5,2.25");
    assert!((listed - waves(&[0.5, 2.25])).abs() < 1e-12);
    let params = EncodingParams { frequencies: 24, scale: 3.0, seed: 5, ..EncodingParams::default() };
    let trained = params.check(1).unwrap().frequency_matrix();
    let gaussian = features("--encoding gaussian --frequencies 24 --scale 3 --seed 5");
    assert!((gaussian - waves(trained.as_slice().unwrap())).abs() < 1e-3, "but for the device's rounding");
}

#[test]
fn no_output_replaces_an_input_or_another_output() {
    let desk = Desk::new();
    desk.put_array("x.npy", &[2, 1], &[0.0, 0.1]);
    // Arrays are known by what they hold, not by their names.
    desk.put_array("x.png", &[2, 1], &[0.0, 0.1]);
    for (command, words) in [
        ("gram --points @x.npy --out @x.npy", "x.npy would be written over"),
        ("predict --points @x.npy --targets @x.npy --converged --out @x.npy", "x.npy would be written over"),
        ("gap --points @x.npy --plot @x.npy", "what is written is a .png"),
        ("gap --points @x.png --plot @x.png", "x.png would be written over"),
        ("spectrum --points @x.npy --out @a.npy --vectors-out @a.npy", "a.npy would be written over"),
        ("gram --points @x.npy --out @x.png", "what is written is a .npy"),
        ("spectrum --points @x.npy --out @a.npy --vectors-out @x.png", "--vectors-out is"),
        ("gram --points @x.npy --out @none/k.npy", "create the directory first"),
        ("spectrum --points @x.npy --learning-rate -1 --out @a.npy", "learning-rate is -1"),
    ] {
        let output = desk.run(&format!("ntk {command}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(words), "{command}: {said}");
        assert_eq!(desk.array("x.npy").values, [0.0, 0.1], "{command}");
        assert!(!desk.path("a.npy").exists(), "{command}");
    }
}

#[test]
fn options_that_change_nothing_are_named() {
    let desk = Desk::new();
    desk.put_array("x.npy", &[2, 1], &[0.0, 0.1]);
    for (options, named) in [
        ("--encoding none --normalize --frequencies 9", ["--frequencies", "--normalize"].as_slice()),
        ("--kernel rbf --hidden-layers 2 --bias-std 0.5", &["--hidden-layers", "--bias-std"]),
        ("--kernel nngp --width 64", &["--width"]),
        ("--kernel nngp --width 64 --parametrization standard --hidden-layers 2 --weight-std 1", &[]),
    ] {
        let output = desk.run(&format!("ntk gram --points @x.npy {options} --out @out.npy"));
        success(&output);
        let warnings = String::from_utf8_lossy(&output.stderr);
        let warned: Vec<&str> = warnings.lines().filter_map(|line| line.split(' ').nth(1)).collect();
        assert_eq!(warned, named, "{options}: {warnings}");
    }
    desk.put_array("plane.npy", &[2, 2], &[0.0, 0.1, 0.2, 0.3]);
    for (frequencies, warned) in [(9, true), (8, false)] {
        let encoding = format!("--encoding fourier --frequencies {frequencies}");
        let output = desk.run(&format!("ntk gram --points @plane.npy {encoding} --out @out.npy"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said.contains("2 axes cannot share 9 frequencies evenly; 8 are used"), warned, "{said}");
    }
}

#[test]
fn points_of_another_axis_count_and_one_point_and_duplicates_are_computed_or_told() {
    let desk = Desk::new();
    desk.put_array("x.npy", &[1], &[0.25]);
    success(&desk.run(&format!("ntk gram --points @x.npy {FOURIER} --out @one.npy")));
    assert_eq!(desk.array("one.npy").shape, [1, 1]);
    // Two targets at one point: their mean is learned, nothing blows up.
    desk.put_array("x.npy", &[3], &[0.25, 0.25, 0.7]);
    desk.put_array("t.npy", &[3], &[1.0, 3.0, 0.0]);
    success(&desk.run(&format!("ntk predict --points @x.npy --targets @t.npy {FOURIER} --converged --out @p.npy")));
    assert_close(&desk.array("p.npy").values, &[2.0, 2.0, 0.0], 1e-9);
    desk.put_array("y.npy", &[2, 2], &[0.0; 4]);
    let text = failure(&desk, "ntk gram --points @x.npy --against @y.npy --out @out.npy");
    assert!(text.contains("y.npy: test points: 2 columns, but 1 needed"), "{text}");
}

#[test]
fn bad_input_is_one_sentence() {
    let desk = Desk::new();
    desk.points(4);
    desk.put_array("nan.npy", &[3], &[0.0, f64::NAN, 1.0]);
    desk.put_array("cube.npy", &[1, 2, 2], &[0.0; 4]);
    desk.put_array("zero.npy", &[2], &[0.0; 2]);
    desk.put_array("far.npy", &[2], &[1e200, 1.0]);
    desk.put_array("short.npy", &[3], &[0.0; 3]);
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
        ("ntk gap --points @x.npy --kernel nngp", "leave out --kernel"),
        ("ntk gap --points @zero.npy --draws 1 --widths 8", "nothing to compare with"),
        ("ntk gap --points @x.npy --draws 1 --widths 10000000", "bytes are free"),
        ("ntk gram --points @x.npy --encoding gaussian --frequencies 2000000 --out @out.npy", "--frequencies takes"),
        ("ntk gram --points @far.npy --out @out.npy", "scale the points down"),
        ("ntk gram --points @x.npy --origin nan --out @out.npy", "--origin"),
        ("ntk spectrum --points @x.npy --learning-rate -1", "learning-rate"),
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
    // The matrix and its decomposition together, before the first of them is begun.
    let text = failure(&desk, "ntk spectrum --points @x.npy --out @out.npy");
    assert!(text.contains("needs 40000000000000 bytes"), "{text}");
    // A single column, but all the encoded points beside it.
    desk.put_array("one.npy", &[1], &[0.0]);
    let features = "--encoding gaussian --frequencies 100000";
    let text = failure(&desk, &format!("ntk gram --points @x.npy --against @one.npy {features} --out @out.npy"));
    assert!(text.contains("an encoding of") && text.contains("points are possible"), "{text}");
}

#[test]
fn the_kernel_of_a_saved_run_is_symmetric_and_positive() {
    let desk = Desk::new();
    let lines: Vec<String> = (0..64).map(|i| format!("{i},{}\n", (f64::from(i) / 9.0).sin())).collect();
    fs::write(desk.path("wave.csv"), format!("x,y\n{}", lines.concat())).unwrap();
    success(&desk.run("fit @wave.csv --out @run --steps 20 --frequencies 8 --hidden 16,16"));
    desk.put_array("x.npy", &[5], &[0.0, 3.0, 10.5, 40.0, 62.0]);
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
    desk.put_array("far.npy", &[1], &[1e6]);
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
