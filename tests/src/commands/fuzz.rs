//! `cargo xtask fuzz`: hostile bytes, by libFuzzer.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use firmware_core::Precision;

use crate::firmware::workspace;
use crate::grid_networks;
use crate::process;
use crate::provision;
use crate::synthetic::PRECISIONS;
use crate::synthetic::{Network, Values};
use trainer::base::files;

/// Flags of the compiler that count which branches run, as cargo-fuzz sets them; the stable compiler has them all.
const INSTRUMENTATION: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];
/// The longest input, bytes.
const MAX_LEN: usize = 8192;
/// Longer files are no seeds: shorter ones reach as much, faster.
const LONGEST_SEED: u64 = 16 << 10;

/// Give hostile bytes to everything that reads files, for so many seconds
///
/// The programs are those in tests/fuzz, built with the stable compiler. What they learn stays in target/fuzz/corpus,
/// so that the next run goes on from there. An input that makes a program panic or hang is written to target/fuzz/found
/// and named.
///
/// Example: cargo xtask fuzz model --seconds 600
#[derive(Clone, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// What is given the bytes
    #[arg(value_enum, default_value_t = Target::Model)]
    target: Target,
    /// How long to go on
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

/// A program in tests/fuzz.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// `Model::parse`, `Volume::parse` and every form of evaluation, in Rust and in C, with the portable kernels as the
    /// oracle
    Model,
    /// The trainer's readers: tables, arrays, elevation grids, safetensors, models, scenes, particles, volumes, atoms,
    /// meshes
    Readers,
}

impl Target {
    const fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Readers => "readers",
        }
    }
}

/// Runs the command.
///
/// # Errors
///
/// Where the program does not build, or finds an input that makes it fail.
pub fn run(args: &Args) -> Result<()> {
    let Executions { all, models } = fuzz(args.target, args.seconds)?;
    println!("{all} executions of {} in {} s, nothing found", args.target.name(), args.seconds);
    if let Some(models) = models {
        println!("{models} of them were a model");
    }
    Ok(())
}

/// How often a program read bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Executions {
    /// In all.
    pub all: u64,
    /// With bytes that are a model, where the program counts them.
    pub models: Option<u64>,
}

/// Builds a program and runs it.
///
/// # Errors
///
/// As [`run`].
pub fn fuzz(target: Target, seconds: u64) -> Result<Executions> {
    let program = build(target)?;
    let folder = workspace().join("target/fuzz");
    let (corpus, found) = (folder.join("corpus").join(target.name()), folder.join("found"));
    for path in [&corpus, &found] {
        std::fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    }
    match target {
        Target::Model => seed_models(&corpus)?,
        Target::Readers => seed_files(&corpus)?,
    }
    let mut command = Command::new(program);
    command.arg(&corpus).args([
        format!("-max_total_time={seconds}"),
        format!("-max_len={MAX_LEN}"),
        "-timeout=10".to_owned(),
        "-print_final_stats=1".to_owned(),
        format!("-artifact_prefix={}/{}-", found.display(), target.name()),
    ]);
    let output = command.stdin(Stdio::null()).output().map_err(|error| process::cannot_start(&command, &error))?;
    let log = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let end: Vec<&str> = log.lines().rev().take(60).collect();
        let end: Vec<&str> = end.into_iter().rev().collect();
        bail!("{}\nthe program {} failed on an input, which is in {}", end.join("\n"), target.name(), found.display());
    }
    executions(&log).context("the program did not say how many inputs it tried")
}

/// What the log of a program tells last: its own count, where one input leads to several executions, or else
/// libFuzzer's.
fn executions(log: &str) -> Option<Executions> {
    let last = |start| log.lines().filter_map(move |line| line.strip_prefix(start)).next_back();
    if let Some((all, models)) = last("executions: ").and_then(|counts| counts.split_once(" models: ")) {
        return Some(Executions { all: all.parse().ok()?, models: Some(models.parse().ok()?) });
    }
    let all = last("stat::number_of_executed_units:")?.trim().parse().ok()?;
    Some(Executions { all, models: None })
}

/// Builds a program with the fuzzer's instrumentation.
fn build(target: Target) -> Result<PathBuf> {
    provision::runner("c++", "g++")?;
    let (host, folder) = (provision::host_target()?, workspace().join("target/fuzz"));
    let mut command = process::cargo("build");
    command.args(["--quiet", "--manifest-path", "tests/fuzz/Cargo.toml", "--bin", target.name(), "--target", &host]);
    if target == Target::Readers {
        command.args(["--features", "readers"]);
    }
    // libFuzzer itself is C++. With a target of its own, build scripts and macros are not instrumented.
    command.arg("--target-dir").arg(&folder).env("RUSTFLAGS", INSTRUMENTATION.join(" ")).current_dir(workspace());
    process::run(&mut command)?;
    Ok(folder.join(host).join("debug").join(format!("{}{EXE_SUFFIX}", target.name())))
}

/// Models of every kind, without training.
fn seed_models(corpus: &Path) -> Result<()> {
    let kinds = |precision: Precision| {
        let plain = [Network::tiny(precision), Network::tiny_sine(precision)];
        plain.into_iter().chain(grid_networks::all_kinds(precision).into_iter().map(|(_, network)| network))
    };
    for (place, network) in PRECISIONS.into_iter().flat_map(kinds).enumerate() {
        for values in [Values::Random, Values::Extreme] {
            let artifact = Network { values, ..network.clone() }.artifact(place as u64)?;
            files::write(&corpus.join(format!("seed-{place:02}-{values:?}.ffm")), artifact.as_bytes())?;
        }
    }
    Ok(())
}

/// The short files that the trainer's tests read, each behind the letter of its format.
fn seed_files(corpus: &Path) -> Result<()> {
    const LETTERS: [(&str, u8); 12] = [
        ("csv", b'c'),
        ("npy", b'n'),
        ("npz", b'z'),
        ("asc", b'a'),
        ("tif", b't'),
        ("safetensors", b's'),
        ("star", b'p'),
        ("mrc", b'M'),
        ("pdb", b'P'),
        ("stl", b'S'),
        ("obj", b'O'),
        ("ply", b'Y'),
    ];
    let mut folders =
        ["trainer/testdata", "trainer/data", "trainer/tests/data"].map(|path| workspace().join(path)).to_vec();
    let mut place = 0;
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        paths.sort();
        for path in paths {
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            let letter = LETTERS.iter().find(|(of, _)| *of == extension).map(|(_, letter)| *letter);
            if path.is_dir() {
                folders.push(path);
            } else if let Some(letter) = letter
                && path.metadata()?.len() <= LONGEST_SEED
            {
                let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                files::write(&corpus.join(format!("seed-{place:03}")), &[&[letter], &bytes[..]].concat())?;
                place += 1;
            }
        }
    }
    // What has no file there.
    let scene = br#"v{"camera_angle_x": 0.7, "frames": [{"file_path": "./a", "transform_matrix": [[1,0,0,0],[0,1,0,0],[0,0,1,4],[0,0,0,1]]}]}"#;
    Ok(files::write(&corpus.join("seed-scene"), scene)?)
}
