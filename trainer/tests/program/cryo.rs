//! `trainer cryo` as a user meets it: from atoms to volumes, a run that is stopped and continued, and one sentence for
//! each thing that can be wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::program;

fn trainer(arguments: &[&str]) -> Output {
    program().arg("cryo").args(arguments).output().expect("the program")
}

fn succeed(arguments: &[&str]) -> String {
    let output = trainer(arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {text}");
    String::from_utf8(output.stdout).expect("text")
}

fn refuse(arguments: &[&str]) -> String {
    let output = trainer(arguments);
    assert!(!output.status.success(), "{arguments:?} succeeded");
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(text.lines().any(|line| line.starts_with("error: ")) && !text.contains("panicked"), "{text}");
    text
}

/// 60 images in `particles`, made by the command.
fn particles(folder: &TempDir) -> PathBuf {
    particles_of(folder, &[])
}

/// The same of 16 pixels a side, for what looks at texts and files alone.
fn few_pixels(folder: &TempDir) -> PathBuf {
    particles_of(folder, &["--box", "16", "--pixel-size", "6"])
}

fn particles_of(folder: &TempDir, options: &[&str]) -> PathBuf {
    let out = folder.path().join("particles");
    let synthesize = ["synthesize", "--out", text(&out), "--particles", "60", "--snr", "1", "--json"];
    let text = succeed(&[&synthesize, options].concat());
    let object: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(object["atoms"], 214);
    out
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

const SMALL: [&str; 10] =
    ["--hidden", "8", "--encoder-hidden", "4", "--frequencies", "8", "--image-frequencies", "8", "--images", "16"];

#[test]
fn particles_become_volumes_and_an_artifact() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = particles(&folder);
    let (table, run) = (made.join("poses.csv"), folder.path().join("run"));
    let mut arguments = vec!["fit", text(&table), "--out", text(&run), "--json"];
    arguments.extend(SMALL);
    arguments.extend(["--steps", "6"]);
    let object: Value = serde_json::from_str(&succeed(&arguments)).expect("JSON");
    assert!(object["metrics"]["spearman"].is_number());
    assert_eq!(object["metrics"]["qualities"].as_array().map(Vec::len), Some(2));
    assert!(object["metrics"]["qualities"][1]["half_sets"]["at_seventh"]["angstrom"].is_number());
    for name in ["conformation_1.mrc", "conformation_5.mrc", "back_projection.mrc"] {
        // A header and 32³ floats.
        assert_eq!(fs::metadata(run.join(name)).expect(name).len(), 1024 + 4 * 32u64.pow(3), "{name}");
    }
    let latents = fs::read_to_string(run.join("latent.csv")).expect("latents");
    assert!(latents.starts_with("image,z1,motion\n1,") && latents.lines().count() == 61);
    for name in ["report.html", "report.png", "metrics.json", "model.ffm"] {
        assert!(run.join(name).exists(), "{name}");
    }
    // The artifact answers in its own units what the decoder does.
    let evaluated = program()
        .args(["evaluate", text(&run.join("model.ffm")), text(&run.join("queries.csv")), "--json"])
        .output()
        .expect("the program");
    let object: Value = serde_json::from_slice(&evaluated.stdout).expect("JSON");
    assert!(object["psnr_db"].as_f64().expect("a number") > 25.0, "{object}");

    // What is finished stays so, and continuing it changes no bit.
    let model = fs::read(run.join("model.ffm")).expect("a model");
    succeed(&["fit", "--resume", text(&run)]);
    assert_eq!(fs::read(run.join("model.ffm")).expect("a model"), model);
    assert!(refuse(&["fit", text(&table), "--out", text(&run)]).contains("--force"));
    assert!(refuse(&["fit", "--resume", text(&run), "--seed", "3"]).contains("--resume continues"));
}

#[test]
fn a_run_is_kept_until_everything_is_checked_and_continues_only_with_its_own_images() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = few_pixels(&folder).join("poses.csv");
    let run = folder.path().join("run");
    let inside = |arguments: &[&str]| {
        let mut command = program();
        command.current_dir(folder.path()).arg("cryo").args(arguments).output().expect("the program")
    };
    // From within the folder, so that the paths as given mean nothing elsewhere.
    let mut arguments = vec!["fit", "particles/poses.csv", "--out", "run", "--no-half-sets", "--steps", "3"];
    arguments.extend(SMALL);
    assert!(inside(&arguments).status.success());
    succeed(&["fit", "--resume", text(&run)]);

    let files = || {
        let names = ["checkpoint.safetensors", "network.safetensors", "model.ffm", "report.html"];
        names.map(|name| fs::read(run.join(name)).expect(name))
    };
    let (before, new) = (files(), folder.path().join("new"));
    for (option, value) in [
        ("--scale", "-1"),
        ("--frequencies", "0"),
        ("--image-frequencies", "10000000000000"),
        ("--images", "0"),
        ("--learning-rate", "-1"),
    ] {
        refuse(&["fit", text(&table), "--out", text(&run), "--force", option, value]);
        refuse(&["fit", text(&table), "--out", text(&new), option, value]);
    }
    assert!(files() == before, "the run is as it was");
    assert!(!new.exists(), "nothing is left behind");

    let rows = fs::read_to_string(&table).expect("a table");
    let mut lines: Vec<String> = rows.lines().map(str::to_owned).collect();
    let mut fields: Vec<&str> = rows.lines().nth(5).expect("a row").split(',').collect();
    fields[5] = "12345.5";
    lines[5] = fields.join(",");
    fs::write(&table, lines.join("\n")).expect("written");
    assert!(refuse(&["fit", "--resume", text(&run)]).contains("other images, poses or CTFs"));
    fs::write(&table, rows).expect("written");
    succeed(&["fit", "--resume", text(&run)]);

    // Files that a replacement does not write would pass for its own.
    assert!(run.join("latent.csv").exists() && run.join("conformation_2.mrc").exists());
    let mut replacement = vec!["fit", text(&table), "--out", text(&run), "--force", "--homogeneous", "--no-half-sets"];
    replacement.extend(["--steps", "3"].iter().chain(&SMALL));
    succeed(&replacement);
    assert!(!run.join("latent.csv").exists() && !run.join("conformation_2.mrc").exists());
}

#[test]
fn one_image_and_a_truth_without_motions_are_refused_with_their_remedies() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = few_pixels(&folder);
    let (run, star) = (folder.path().join("run"), made.join("particles.star"));
    let compared = refuse(&["fit", text(&star), "--truth", text(&made), "--out", text(&run)]);
    assert!(compared.contains("does not say which conformation") && compared.contains("poses.csv"), "{compared}");
    let lines: Vec<String> = fs::read_to_string(&star).expect("a table").lines().map(str::to_owned).collect();
    let first = lines.iter().position(|line| line.contains('@')).expect("an image");
    let one = made.join("one.star");
    fs::write(&one, lines[..=first].join("\n") + "\n").expect("written");
    for command in ["fit", "compare"] {
        assert!(refuse(&[command, text(&one), "--out", text(&run)]).contains("half sets need 2 images and there is 1"));
    }
    assert!(!run.exists());
    succeed(&["compare", text(&one), "--out", text(&run), "--no-half-sets", "--steps", "2"]);

    let still = folder.path().join("still");
    succeed(&["synthesize", "--out", text(&still), "--particles", "20", "--motion", "0.5"]);
    let run = folder.path().join("known");
    let star = still.join("particles.star");
    let mut arguments = vec!["fit", text(&star), "--truth", text(&still), "--out", text(&run), "--json"];
    arguments.extend(SMALL);
    arguments.extend(["--steps", "2", "--no-half-sets"]);
    let object: Value = serde_json::from_str(&succeed(&arguments)).expect("JSON");
    assert!(object["metrics"]["qualities"][0]["truth"]["at_half"]["angstrom"].is_number(), "{object}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_130_and_resume_ends_like_a_run_that_was_not_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = particles(&folder).join("poses.csv");
    let run = |name: &str| folder.path().join(name);
    let fit = |out: &Path| {
        let mut command = program();
        command.args(["cryo", "fit", text(&table), "--out", text(out), "--json"]).args(SMALL).args(["--steps", "1500"]);
        command
    };
    let silent = std::process::Stdio::null;
    let mut child = fit(&run("stopped")).stdout(silent()).stderr(silent()).spawn().expect("the program");
    while !run("stopped").join("network.safetensors").exists() {
        assert_eq!(child.try_wait().expect("a process"), None, "it ended early");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    std::thread::sleep(std::time::Duration::from_millis(100));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    assert_eq!(child.wait().expect("a process").code(), Some(130));
    assert!(!run("stopped").join("model.ffm").exists(), "it was stopped before the end");

    succeed(&["fit", "--resume", text(&run("stopped")), "--json"]);
    assert!(fit(&run("whole")).output().expect("the program").status.success());
    for name in ["model.ffm", "latent.csv", "conformation_3.mrc", "back_projection.mrc"] {
        let [stopped, whole] = ["stopped", "whole"].map(|out| fs::read(run(out).join(name)).expect(name));
        assert!(stopped == whole, "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_comparison_that_was_stopped_ends_like_one_that_was_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = few_pixels(&folder).join("poses.csv");
    let out = |name: &str| folder.path().join(name);
    let compare = |name: &str| {
        let mut command = program();
        command.args(["cryo", "compare", text(&table), "--no-half-sets", "--steps", "4", "--out", text(&out(name))]);
        command
    };
    let silent = std::process::Stdio::null;
    let mut child = compare("stopped").stdout(silent()).stderr(silent()).spawn().expect("the program");
    // The second encoding is in training, or about to be.
    while !out("stopped").join("none/report.html").exists() {
        assert_eq!(child.try_wait().expect("a process"), None, "it ended early");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill").success());
    assert_eq!(child.wait().expect("a process").code(), Some(130));
    assert!(!out("stopped").join("gaussian/model.ffm").exists(), "it was stopped before the end");

    let object = succeed(&["compare", "--resume", text(&out("stopped")), "--json"]);
    let object: Value = serde_json::from_str(&object).expect("JSON");
    assert_eq!(object["encodings"].as_array().map(Vec::len), Some(3));
    assert!(compare("whole").output().expect("the program").status.success());
    for name in ["none/model.ffm", "gaussian/model.ffm", "positional/latent.csv", "comparison.png"] {
        let [stopped, whole] = ["stopped", "whole"].map(|run| fs::read(out(run).join(name)).expect(name));
        assert!(stopped == whole, "{name}");
    }
    assert!(refuse(&["compare", text(&table), "--out", text(&out("whole"))]).contains("--force"));
    assert!(refuse(&["compare", "--resume", text(&out("nothing"))]).contains("is not the folder of a run"));
}

#[test]
fn a_relion_table_is_fitted_without_a_latent() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = few_pixels(&folder);
    fs::remove_file(made.join("truth.json")).expect("there");
    let run = folder.path().join("run");
    let star = made.join("particles.star");
    let mut arguments = vec!["fit", text(&star), "--out", text(&run), "--homogeneous", "--no-half-sets"];
    arguments.extend(SMALL);
    arguments.extend(["--steps", "6"]);
    assert!(succeed(&arguments).contains("decoder without z"));
    assert!(run.join("conformation_1.mrc").exists() && !run.join("latent.csv").exists());
}

#[test]
fn broken_files_are_refused_in_one_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = few_pixels(&folder);
    let (table, images, run) = (made.join("poses.csv"), made.join("particles.mrcs"), folder.path().join("run"));
    let fit = |table: &Path| refuse(&["fit", text(table), "--out", text(&run)]);

    let whole = fs::read(&images).expect("images");
    fs::write(&images, &whole[..whole.len() - 4]).expect("written");
    assert!(fit(&table).contains("it is cut"));
    let mut broken = whole.clone();
    broken[12] = 9;
    fs::write(&images, &broken).expect("written");
    assert!(fit(&table).contains("mode 9"));
    broken = whole.clone();
    broken[1024..1028].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&images, &broken).expect("written");
    assert!(fit(&table).contains("image 1, row 1, column 1 holds NaN"));
    fs::write(&images, &whole).expect("written");

    let star = fs::read_to_string(made.join("particles.star")).expect("a table");
    let other = made.join("other.star");
    fs::write(&other, star.replace("rlnAnglePsi", "rlnElse")).expect("written");
    assert!(fit(&other).contains("no column rlnAnglePsi"));
    let lines: Vec<&str> = star.lines().collect();
    fs::write(&other, lines[..lines.len() - 1].join("\n") + "\n000099@particles.mrcs 1 0 0 0 0 0 1e4 1e4 0 0\n")
        .expect("written");
    assert!(fit(&other).contains("image 99"));
    assert!(!run.exists(), "nothing is left behind");

    let atoms = folder.path().join("empty.pdb");
    fs::write(&atoms, "HEADER\nEND\n").expect("written");
    let out = folder.path().join("none");
    assert!(refuse(&["synthesize", "--atoms", text(&atoms), "--out", text(&out)]).contains("no atoms"));
    assert!(refuse(&["synthesize", "--snr", "-5", "--out", text(&out)]).contains("--snr takes 1e-6 to 1e6"));
    assert!(refuse(&["synthesize", "--defocus", "1e4,1e7", "--out", text(&out)]).contains("from 1 to 1e6"));
    assert!(refuse(&["synthesize", "--particles", "10000000", "--box", "256", "--out", text(&out)]).contains("--box"));
    assert!(refuse(&["synthesize", "--out", text(&made)]).contains("--force"));
    assert!(!out.exists());
}

/// Half precision of a number that it holds as a normal one, cut: a sign, five bits of exponent, ten of mantissa.
fn to_half(value: f32) -> u16 {
    let bits = value.to_bits();
    let exponent = (bits >> 23 & 255) as i32 - 112;
    if exponent <= 0 { 0 } else { (bits >> 16 & 0x8000) as u16 | (exponent as u16) << 10 | (bits >> 13 & 1023) as u16 }
}

#[test]
fn stacks_of_half_precision_are_read_and_what_is_not_modelled_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = particles(&folder);
    let (star, images) = (made.join("particles.star"), made.join("particles.mrcs"));
    let fit = |out: &str| {
        let out = folder.path().join(out);
        let mut arguments = vec!["fit", text(&star), "--out", text(&out), "--no-half-sets", "--homogeneous", "--json"];
        arguments.extend(SMALL);
        arguments.extend(["--steps", "2"]);
        let object: Value = serde_json::from_str(&succeed(&arguments)).expect("JSON");
        object["metrics"]["qualities"][0]["half_sets"].clone()
    };
    let whole = fit("f32");
    let bytes = fs::read(&images).expect("images");
    let mut half = bytes[..1024].to_vec();
    half[12] = 12;
    for word in bytes[1024..].chunks_exact(4) {
        half.extend(to_half(f32::from_le_bytes(word.try_into().expect("four"))).to_le_bytes());
    }
    fs::write(&images, &half).expect("written");
    let found = fit("f16");
    // Eleven bits are far more than the noise leaves.
    let curve = |value: &Value| -> Vec<f64> {
        value["correlations"].as_array().expect("a curve").iter().map(|c| c.as_f64().expect("a number")).collect()
    };
    let difference = curve(&whole).iter().zip(curve(&found)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(difference > 0.0 && difference < 0.01, "{difference}");
    assert_eq!(found["nyquist_angstrom"], 6.0);
    for threshold in ["at_half", "at_seventh"] {
        assert!(found[threshold]["angstrom"].as_f64().expect("a number") >= 6.0, "{found}");
    }

    let table = fs::read_to_string(&star).expect("a table");
    let with = |column: &str, value: &str| {
        let text =
            table.replace("_rlnImageDimensionality #8\n", &format!("_rlnImageDimensionality #8\n_{column} #9\n"));
        let text = text.replace("\t3\t32\t2\n", &format!("\t3\t32\t2\t{value}\n"));
        assert_ne!(text, table);
        text
    };
    let run = folder.path().join("none");
    for (column, value) in
        [("rlnCtfDataAreCtfPremultiplied", "1"), ("rlnMagMat01", "0.02"), ("rlnEvenZernike", "[0,0,5]")]
    {
        fs::write(&star, with(column, value)).expect("written");
        let error = refuse(&["fit", text(&star), "--out", text(&run)]);
        assert!(error.contains(&format!("{column} is {value}, which is not modelled")), "{error}");
    }
    fs::write(&star, table.replace("\t3\t32\t2\n", "\t1.5\t64\t2\n")).expect("written");
    let error = refuse(&["fit", text(&star), "--out", text(&run)]);
    assert!(error.contains("32 pixels a side") && error.contains("rlnImageSize 64"), "{error}");
    assert!(!run.exists());
    fs::write(&star, with("rlnNewInSix", "1")).expect("written");
    let mut arguments = vec!["cryo", "fit", text(&star), "--out", text(&run), "--no-half-sets", "--steps", "2"];
    arguments.extend(SMALL);
    let output = program().args(arguments).output().expect("the program");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.matches("1 column that is not known").count() == 1, "{said}");
}
