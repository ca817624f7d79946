//! `trainer fit` and `trainer reproduce` as a user meets them: options that mean something, runs that go on anywhere,
//! and signals.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::desk::{json, program, trainer};

/// A directory with a wave of 128 samples.
fn desk() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let values: Vec<f32> = (0..128).map(|k| (k as f32 * 0.3).sin() + 0.2 * (k as f32 * 0.9).cos()).collect();
    let mut bytes = Vec::new();
    trainer::data::npy::write(&mut bytes, &[128], &values).expect("writes to memory");
    fs::write(directory.path().join("wave.npy"), bytes).expect("a file");
    directory
}

#[test]
fn options_without_effect_are_named() {
    let desk = desk();
    let options = "--encoding none --scale 3 --normalize --frequencies 8 --hidden 4 --steps 2";
    let output = trainer(desk.path(), &format!("fit wave.npy --out run {options}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    for option in ["--normalize", "--frequencies"] {
        assert!(said.contains(&format!("warning: {option} has no effect with --encoding none")), "{said}");
    }
    assert!(said.contains("--scale has no effect with --encoding none; it is for positional and gaussian"), "{said}");
}

#[test]
fn impossible_numbers_are_refused_before_anything_is_written() {
    let desk = desk();
    for (options, words) in [
        ("--amplitude-power 1", "--amplitude-power belongs to --encoding fourier"),
        ("--encoding positional --scale auto", "--scale auto is for --encoding gaussian"),
        ("--steps -5", "give a whole number from 1"),
        ("--steps 0", "give a whole number from 1"),
        ("--seed -1", "give a whole number, not a negative one"),
        ("--hidden 8,-8", "give a whole number, not a negative one"),
        ("--scale -3", "a scale of -3 is not possible"),
        ("--holdout 0.001", "give more samples or a larger part"),
    ] {
        let output = trainer(desk.path(), &format!("fit wave.npy --out run {options}"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(words), "{options}: {said}");
        assert!(!said.contains("use '-- "), "{options}: {said}");
        assert!(!desk.path().join("run").exists(), "{options}");
    }
}

#[test]
fn a_run_goes_on_in_another_directory_and_says_what_auto_chose() {
    let desk = desk();
    let begun =
        json(&trainer(desk.path(), "fit wave.npy --out run --scale auto --hidden 8 --steps 40 --holdout 0.2 --json"));
    assert_eq!(begun["choice"]["judge"], "guide", "{begun}");
    let settings: Value = serde_json::from_slice(&fs::read(desk.path().join("run/choice.json")).unwrap()).unwrap();
    assert_eq!(begun["choice"], settings);
    let elsewhere = tempfile::tempdir().expect("a directory");
    let run = desk.path().join("run");
    let resumed =
        json(&trainer(elsewhere.path(), &format!("fit --resume {} --steps 60 --json", run.to_str().expect("UTF-8"))));
    assert_eq!(resumed["choice"], settings);
    assert!(run.join("choice.png").exists());
    let plain = json(&trainer(desk.path(), "fit wave.npy --out plain --scale 3 --hidden 8 --steps 5 --json"));
    assert_eq!(plain["choice"], Value::Null);
    // Fewer steps than are done change nothing.
    let fewer = trainer(desk.path(), "fit --resume run --steps 50");
    let said = String::from_utf8_lossy(&fewer.stderr).into_owned();
    assert!(!fewer.status.success() && said.contains("60 steps of run are done; --steps 50 would be fewer"), "{said}");
    // What another run in the folder drew goes, and nothing else.
    fs::write(run.join("choice_of_mine.png"), b"").unwrap();
    json(&trainer(desk.path(), "fit wave.npy --out run --force --scale 3 --holdout none --hidden 8 --steps 5 --json"));
    for left in ["choice.png", "choice.json", "held_out.json", "guide.safetensors"] {
        assert!(!run.join(left).exists(), "{left} is of the run that was replaced");
    }
    assert!(run.join("reconstruction.png").exists() && run.join("choice_of_mine.png").exists());
}

#[test]
fn a_table_of_few_rows_gets_no_advice_that_cannot_be_followed() {
    let desk = tempfile::tempdir().expect("a directory");
    // A table is divided from eight rows on; the network has more parameters than both have values.
    for (rows, is_advised) in [(7, false), (8, true)] {
        let lines: String = (0..rows).map(|x| format!("{x},{}\n", x * x)).collect();
        fs::write(desk.path().join("few.csv"), format!("x,y\n{lines}")).unwrap();
        let fit = "fit few.csv --inputs x --out run --force --scale 1 --holdout none --hidden 8 --steps 5 --json";
        let advice = json(&trainer(desk.path(), fit))["advice"].to_string();
        assert!(advice.contains("it could store them all"), "{advice}");
        assert_eq!(advice.contains("Leave --holdout out"), is_advised, "{rows} rows: {advice}");
    }
}

#[cfg(unix)]
#[test]
fn a_reproduction_that_is_stopped_leaves_no_empty_directory() {
    let folder = tempfile::tempdir().expect("a directory");
    let out = folder.path().join("figures/of/today");
    let mut command = program();
    command.args(["reproduce", "encodings", "--out"]).arg(&out).stderr(std::process::Stdio::null());
    let mut child = command.spawn().expect("the program");
    while !out.exists() {
        assert_eq!(child.try_wait().expect("a process"), None, "it ended early");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    assert_eq!(child.wait().expect("a process").code(), Some(130));
    assert_eq!(fs::read_dir(folder.path()).expect("a directory").count(), 0);
}

/// Every command that fills a folder leaves one alone that another process has taken, whatever it is to do there.
#[cfg(unix)]
#[test]
fn a_folder_that_is_taken_is_left_alone() {
    let desk = desk();
    let search = desk.path().join("taken/design/outcomes");
    fs::create_dir_all(&search).unwrap();
    let taken = fs::File::open(desk.path().join("taken")).unwrap();
    taken.lock().unwrap();
    for command in [
        "design wave.npy --flash 2K --time 1s --out taken --force",
        "design wave.npy --flash 2K --time 1s --out taken --force --shard 1/2",
        "nerf compare --resume taken",
        "cryo compare --resume taken",
        "reproduce kernels --quick --out taken",
    ] {
        let refused = trainer(desk.path(), command);
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            !refused.status.success() && message.contains("another process is at work on "),
            "{command}: {message}"
        );
        assert!(search.is_dir(), "{command}");
    }
}

/// What else works on a folder is found by the lock that the operating system has on it.
#[cfg(unix)]
#[test]
fn a_second_process_on_the_folder_of_a_run_is_refused() {
    let desk = desk();
    let mut command = program();
    command.current_dir(desk.path()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    // It trains until it is killed below, for which one core is enough.
    command.env("RAYON_NUM_THREADS", "1");
    let fit = |steps: u64| {
        format!("fit wave.npy --scale 2 --frequencies 8 --hidden 8 --holdout none --steps {steps} --out run")
    };
    let mut first = command.args(fit(100_000_000).split(' ')).spawn().unwrap();
    while !desk.path().join("run").exists() {
        assert_eq!(first.try_wait().expect("a process"), None, "it ended early");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // The folder is taken right after it was made.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let second = trainer(desk.path(), &format!("{} --force", fit(5)));
    let message = String::from_utf8_lossy(&second.stderr).into_owned();
    first.kill().expect("a process");
    first.wait().expect("a process");
    assert!(!second.status.success());
    assert!(message.contains("another process is at work on "), "{message}");
    // Nothing is left of a lock.
    let third = trainer(desk.path(), &format!("{} --force", fit(5)));
    assert!(third.status.success(), "{}", String::from_utf8_lossy(&third.stderr));
}
