//! `trainer sweep` and `trainer collect` as a user meets them: tables, shards, going on, and one sentence for each
//! thing that can be wrong.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

use crate::desk::{Desk, PROGRAM, failure, json, program};

impl Desk {
    /// A wave of 128 samples.
    fn wave() -> Self {
        let desk = Self::new();
        let values: Vec<f32> = (0..128).map(|k| (k as f32 * 0.3).sin() + 0.2 * (k as f32 * 0.9).cos()).collect();
        desk.put_array("wave.npy", &[128], &values);
        desk
    }

    /// A path as an argument.
    fn named(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    fn sweep(&self, out: &str, options: &str) -> Output {
        let mut command = program();
        command.arg("sweep").arg(self.path("wave.npy")).args([
            "--out",
            &self.named(out),
            "--hidden",
            "8",
            "--steps",
            "30",
        ]);
        command.args(options.split(' ').map(|option| option.trim_matches('\''))).output().expect("the trainer starts")
    }

    fn collect(&self, directories: &[&str], options: &[&str]) -> Output {
        let mut command = program();
        command.arg("collect").args(directories.iter().map(|name| self.named(name))).args(options);
        command.output().expect("the trainer starts")
    }
}

/// Scales and held-out PSNRs.
fn psnrs(document: &Value) -> Vec<(f64, f64)> {
    let rows = document["rows"].as_array().expect("rows").iter();
    rows.map(|row| (row["scale"].as_f64().unwrap(), row["measured"]["test"]["psnr_db"].as_f64().unwrap())).collect()
}

#[test]
fn a_sweep_is_a_table_and_a_plot_with_its_best() {
    let desk = Desk::wave();
    let whole = json(&desk.sweep("whole", "--scales 1,4,40 --json"));
    let rows = psnrs(&whole);
    assert_eq!(rows.iter().map(|row| row.0).collect::<Vec<_>>(), [1.0, 4.0, 40.0]);
    let best = rows.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    assert_eq!(whole["best"]["scale"].as_f64(), Some(best.0));
    assert_eq!((&whole["missing"], &whole["holdout"]), (&serde_json::json!([]), &"0.1".into()));
    let csv = fs::read_to_string(desk.named("whole/sweep.csv")).unwrap();
    assert_eq!(csv.lines().count(), 4);
    assert!(csv.lines().all(|line| line.split(',').count() == csv.lines().next().unwrap().split(',').count()));
    assert!(image::open(desk.named("whole/sweep.png")).is_ok());
    assert!(fs::read_to_string(desk.named("whole/sweep.svg")).unwrap().contains("</svg>"));
    // Shards with a directory each, and another number of threads, give the same numbers; collect says what is missing.
    assert!(desk.sweep("a", "--scales 1,4,40 --shard 1/2 --threads 2").status.success());
    let half = desk.collect(&["a"], &["--json"]);
    assert_eq!(half.status.code(), Some(2));
    let said = String::from_utf8_lossy(&half.stderr).into_owned();
    assert!(said.contains("not finished: 1 of 3 settings (scale 4)"), "{said}");
    assert!(desk.sweep("b", "--scales 1,4,40 --shard 2/2 --threads 1").status.success());
    assert!(failure(&desk.collect(&["b"], &["--out", &desk.named("a")])).contains("choose another --out"));
    let merged = json(&desk.collect(&["a", "b"], &["--json", "--out", &desk.named("all/of/it")]));
    assert_eq!(psnrs(&merged), rows);
    assert!(fs::metadata(desk.named("all/of/it/sweep.csv")).is_ok());
    // The same command again trains nothing.
    let again = desk.sweep("whole", "--scales 1,4,40 --json");
    assert!(!String::from_utf8_lossy(&again.stderr).contains("finished ("));
    assert_eq!(json(&again), whole);
}

#[test]
fn several_lists_are_multiplied_and_infinity_is_a_power() {
    let desk = Desk::wave();
    let options = "--encoding fourier --amplitude-powers 0,1,inf --frequency-counts 4,8 --depths 1,2 --json";
    let document = json(&desk.sweep("product", options));
    assert_eq!(document["rows"].as_array().unwrap().len(), 12);
    assert_eq!(document["rows"][2]["amplitude_power"], "inf");
    assert_eq!(document["rows"][11]["hidden"], serde_json::json!([8, 8]));
    let text = desk.sweep("product", options.trim_end_matches(" --json"));
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("amplitude_power") && text.contains("best    amplitude power"), "{text}");
}

#[test]
fn what_is_wrong_is_one_sentence_and_nothing_is_trained() {
    let desk = Desk::wave();
    for (options, words) in [
        ("--scales 1,two", "'two' is not possible"),
        ("--scales ''", "the list is empty"),
        ("--scales 1,2,2.0", "given twice"),
        ("--scales 1,0", "0 is not possible; give positive numbers"),
        ("--scales -1", "-1 is not possible"),
        ("--scales 1,inf", "inf is not possible"),
        ("--scales 1,1e9", "lower --scale"),
        ("--widths 8,0", "0 is not possible"),
        ("--widths 8,4096", "--hidden takes widths from 1 to 2048"),
        ("--scales 1,2 --shard 3/2", "--shard 3/2 is not possible"),
        ("--scales 1,2 --holdout none", "judged by held-out samples"),
        ("--scales 1 --encoding fourier", "--scales has no effect with --encoding fourier"),
        ("--scales 1,2 --encoding none", "--scales has no effect with --encoding none"),
        ("--scales 1,2 --holdout 0.001", "give more samples or a larger part"),
        ("--threads 2", "nothing to sweep over"),
    ] {
        let error = failure(&desk.sweep("bad", options));
        assert!(error.contains(words), "{options}: {error}");
        assert!(!fs::exists(desk.named("bad")).unwrap(), "{options}");
    }
    assert!(desk.sweep("good", "--scales 1,2").status.success());
    assert!(failure(&desk.sweep("good", "--scales 1,3")).contains("a sweep with scales ["));
    assert!(failure(&desk.sweep("good", "--scales 1,2 --seed 1")).contains("a sweep with seed 0, not 1"));
    assert!(failure(&desk.collect(&["nothing"], &[])).contains("is not the directory of a sweep"));
    assert!(desk.sweep("other", "--scales 1,3").status.success());
    assert!(failure(&desk.collect(&["good", "other"], &[])).contains("other holds a sweep with scales"));
    let mut data = fs::read(desk.path("wave.npy")).unwrap();
    *data.last_mut().unwrap() ^= 1;
    fs::write(desk.path("wave.npy"), data).unwrap();
    assert!(failure(&desk.sweep("good", "--scales 1,2")).contains("the data are not those of the sweep"));
}

#[test]
fn a_scale_is_chosen_before_training_and_the_report_shows_how() {
    let desk = Desk::wave();
    let fit = |out: &str, options: &[&str]| {
        let mut command = program();
        command
            .arg("fit")
            .arg(desk.path("wave.npy"))
            .args(["--hidden", "16", "--steps", "400", "--scale", "auto", "--json"]);
        command.args(["--out", &desk.named(out)]).args(options).output().expect("the trainer starts")
    };
    json(&fit("auto", &["--holdout", "0.1"]));
    let choice: Value = serde_json::from_slice(&fs::read(desk.named("auto/choice.json")).unwrap()).unwrap();
    let tried =
        choice["candidates"].as_array().unwrap().iter().filter(|candidate| !candidate["trial_psnr_db"].is_null());
    assert!(tried.count() >= 3 && choice["judge"] == "guide", "{choice}");
    assert!(image::open(desk.named("auto/choice.png")).is_ok());
    assert!(fs::read_to_string(desk.named("auto/report.html")).unwrap().contains("How the scale was chosen"));
    assert!(failure(&desk.sweep("bad", "--scale auto --widths 4,8")).contains("auto chooses for one training"));
    let refused = fit("none", &["--encoding", "basic"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("--scale auto is for --encoding gaussian"), "{said}");
    assert!(!fs::exists(desk.named("none")).unwrap());
    let power = |out: &str, encoding: &str| {
        let mut command = program();
        command.arg("fit").arg(desk.path("wave.npy")).args([
            "--hidden",
            "16",
            "--steps",
            "400",
            "--amplitude-power",
            "auto",
        ]);
        command
            .args(["--encoding", encoding, "--out", &desk.named(out), "--json"])
            .output()
            .expect("the trainer starts")
    };
    json(&power("power", "fourier"));
    let choice: Value = serde_json::from_slice(&fs::read(desk.named("power/choice.json")).unwrap()).unwrap();
    assert_eq!((&choice["setting"], choice["candidates"].as_array().unwrap().len()), (&"amplitude_power".into(), 12));
    let said = failure(&power("refused", "gaussian"));
    assert!(said.contains("--amplitude-power auto is for --encoding fourier"), "{said}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_130_and_the_same_command_goes_on() {
    let desk = Desk::wave();
    let options = ["--scales", "1,4", "--hidden", "32,32", "--steps", "3000", "--threads", "2", "--json"];
    let start = |out: &str| {
        let mut command = program();
        command.arg("sweep").arg(desk.path("wave.npy")).args(["--out", &desk.named(out)]).args(options);
        command
    };
    let mut child =
        start("stopped").stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    while !fs::exists(desk.named("stopped/settings.json")).unwrap() {
        assert_eq!(child.try_wait().unwrap(), None, "it ended early");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    std::thread::sleep(std::time::Duration::from_millis(150));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let resumed = json(&start("stopped").output().unwrap());
    assert_eq!(psnrs(&resumed), psnrs(&json(&start("whole").output().unwrap())));
}

#[test]
fn numbers_out_of_range_are_refused_with_the_range() {
    let desk = Desk::wave();
    for (options, words) in [
        ("--scales 1,2 --threads 0", "give a whole number from 1"),
        ("--scales 1,2 --threads -1", "give a whole number from 1"),
        ("--scales 1,2 --seed -1", "give a whole number, not a negative one"),
    ] {
        let output = desk.sweep("bad", options);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(words) && !said.contains("use '-- "), "{options}: {said}");
        assert!(!fs::exists(desk.named("bad")).unwrap(), "{options}");
    }
}

/// Slurm sends SIGTERM at the time limit, and `timeout` sends it twice; under `nohup` a closed terminal's SIGHUP ends
/// nothing.
#[cfg(unix)]
#[test]
fn a_time_limit_keeps_what_was_learned() {
    let desk = Desk::wave();
    let out = desk.named("limited");
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' HUP; exec \"$@\"", "sh", PROGRAM, "sweep"])
        .arg(desk.path("wave.npy"))
        .args(["--out", &out, "--hidden", "8", "--steps", "1000000", "--scales", "1,2"]);
    let silent = std::process::Stdio::null;
    let mut child = command.stdout(silent()).stderr(silent()).spawn().expect("the program");
    while !fs::exists(format!("{out}/settings.json")).unwrap() {
        assert_eq!(child.try_wait().expect("a process"), None, "it ended early");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let process = child.id().to_string();
    let send = |signal: &str| {
        let sent = Command::new("kill").args([signal, &process]).status().expect("kill");
        assert!(sent.success());
    };
    send("-HUP");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(child.try_wait().expect("a process"), None, "a signal that was ignored ended it");
    send("-TERM");
    send("-TERM");
    assert_eq!(child.wait().expect("a process").code(), Some(130));
    // The table of what is finished, which is nothing, was written after the signals.
    assert!(fs::exists(format!("{out}/sweep.csv")).unwrap());
}

#[test]
fn a_sweep_says_how_many_samples_judge() {
    let desk = Desk::wave();
    let few = desk.sweep("few", "--scales 1,4");
    assert!(few.status.success());
    let (said, table) = (String::from_utf8_lossy(&few.stderr), String::from_utf8_lossy(&few.stdout));
    assert!(table.contains("judged  on 13 held-out samples; 115 others trained"), "{table}");
    assert!(said.contains("are judged on 13 held-out samples only"), "{said}");
    let many = desk.sweep("many", "--scales 1,4 --holdout 0.5");
    assert!(many.status.success() && !String::from_utf8_lossy(&many.stderr).contains("only"));
}
