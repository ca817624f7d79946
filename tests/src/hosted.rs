//! Cores that run a program of this computer's kind instead of a firmware: aarch64 with Linux, by `qemu-aarch64`, and
//! WebAssembly, by node.
//!
//! The programs are the examples `answers` and `wasm` of firmware-core. Both check the known answers of the model
//! first.

pub mod count;
pub mod self_counting;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use trainer::artifact::export::Artifact;

use crate::boards::{BOARDS, Board};
use crate::firmware::{WITHOUT_DEBUG, read_products, target_folder, workspace};
use crate::synthetic::Network;
use crate::{device, model, points, process, provision};

/// A core of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Core {
    /// Arm of 64 bits, with Linux.
    Aarch64,
    /// WebAssembly without an operating system, as in a page of a browser.
    Wasm32,
}

/// Every core of this kind.
pub const CORES: [Core; 2] = [Core::Aarch64, Core::Wasm32];

/// How the compiler optimizes firmware-core: cargo's `opt-level`. It matters, since these cores have no kernels in
/// assembly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptLevel {
    /// `"s"`, few bytes: that of the firmware.
    Size,
    /// `3`, few instructions.
    Speed,
}

/// What node runs: arguments are the module, the model, the points and where the outputs go.
const SCRIPT: &str = include_str!("hosted/evaluate.js");
/// The program's name in its folder.
const PROGRAM: &str = "program";

/// The boards and the cores of this kind that a name on the command line means: one of them, or `all`.
///
/// # Errors
///
/// Where the name is that of neither.
pub fn select(name: &str) -> Result<(Vec<&'static Board>, Vec<Core>)> {
    if name == "all" {
        return Ok((BOARDS.iter().collect(), CORES.to_vec()));
    }
    match CORES.into_iter().find(|core| core.name() == name) {
        Some(core) => Ok((vec![], vec![core])),
        None => Ok((vec![Board::find(name)?], vec![])),
    }
}

impl Core {
    /// The name on command lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aarch64 => "aarch64",
            Self::Wasm32 => "wasm32",
        }
    }

    const fn target(self) -> &'static str {
        match self {
            Self::Aarch64 => "aarch64-unknown-linux-musl",
            Self::Wasm32 => "wasm32-unknown-unknown",
        }
    }

    const fn example(self) -> &'static str {
        match self {
            Self::Aarch64 => "answers",
            Self::Wasm32 => "wasm",
        }
    }

    /// What cargo calls the program.
    const fn file(self) -> &'static str {
        match self {
            Self::Aarch64 => "answers",
            Self::Wasm32 => "wasm.wasm",
        }
    }
}

impl OptLevel {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Size, Self::Speed];

    /// As cargo names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Size => "s",
            Self::Speed => "3",
        }
    }

    /// The option of cargo that sets it.
    const fn setting(self) -> &'static str {
        match self {
            Self::Size => r#"profile.firmware.package.firmware-core.opt-level="s""#,
            Self::Speed => "profile.firmware.package.firmware-core.opt-level=3",
        }
    }
}

/// A program that evaluates models on another core, in a folder of its own.
#[derive(Debug)]
pub struct Program {
    core: Core,
    folder: TempDir,
}

/// The files of one run of a program, in a folder that goes with them, and the command that runs it there.
struct Job {
    folder: TempDir,
    command: Command,
}

impl Program {
    /// Builds the program as the firmware is built, after finding or installing what builds and runs it.
    ///
    /// # Errors
    ///
    /// Where something is missing and may not be installed, or cargo fails.
    pub fn build(core: Core) -> Result<Self> {
        Self::build_optimized(core, OptLevel::Size)
    }

    /// The same with firmware-core optimized in a certain way.
    ///
    /// # Errors
    ///
    /// As [`Program::build`].
    pub fn build_optimized(core: Core, level: OptLevel) -> Result<Self> {
        match core {
            Core::Aarch64 => provision::runner("qemu-aarch64", "qemu-user")?,
            Core::Wasm32 => provision::runner("node", "nodejs")?,
        }
        let target = core.target();
        provision::target(target)?;
        let mut command = process::cargo("build");
        command.args(["--package", "firmware-core", "--example", core.example(), "--target", target]);
        command.args(["--profile", "firmware", "--config", level.setting()]).args(WITHOUT_DEBUG);
        command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        if core == Core::Aarch64 {
            // Rust's own linker and C library, so that nothing else has to be installed.
            command
                .arg("--config")
                .arg(format!(r#"target.{target}.rustflags=["-Clinker=rust-lld", "-Clink-self-contained=yes"]"#));
        }
        command.current_dir(workspace()).stdin(Stdio::null());
        let built = target_folder().join(target).join("firmware/examples").join(core.file());
        let program = Self { core, folder: TempDir::new().context("cannot create a temporary folder")? };
        // Programs of two levels have the same path.
        read_products(command, |_| {
            fs::copy(&built, program.path()).with_context(|| format!("cannot copy {}", built.display()))
        })?;
        Ok(program)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(PROGRAM)
    }

    /// Prepares a run over points `[n, inputs]`. On aarch64 `emulator` is `qemu-aarch64` with its options.
    fn job(&self, emulator: Command, artifact: &Artifact, points: &[f32]) -> Result<Job> {
        let folder = TempDir::new().context("cannot create a temporary folder")?;
        let write = |name: &str, bytes: &[u8]| {
            fs::write(folder.path().join(name), bytes).with_context(|| format!("cannot write {name}"))
        };
        write("model.ffm", artifact.as_bytes())?;
        write("points.f32", &points.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())?;
        let mut command = match self.core {
            Core::Aarch64 => emulator,
            Core::Wasm32 => {
                write("evaluate.js", SCRIPT.as_bytes())?;
                let mut command = Command::new("node");
                command.arg("evaluate.js");
                command
            }
        };
        command.arg(self.path()).args(["model.ffm", "points.f32", "outputs.f32"]).current_dir(folder.path());
        if self.core == Core::Wasm32 {
            let model = artifact.model()?;
            command.args([model.inputs().to_string(), model.outputs().to_string()]);
        }
        Ok(Job { folder, command })
    }

    /// Evaluates the points `[n, inputs]` by the single and by the batch form in turn: the outputs `[n, outputs]`.
    ///
    /// # Errors
    ///
    /// Where the model is refused, its known answers are not given, or a point is rejected.
    pub fn evaluate(&self, artifact: &Artifact, points: &[f32]) -> Result<Vec<f32>> {
        let mut job = self.job(Command::new("qemu-aarch64"), artifact, points)?;
        process::run(&mut job.command)?;
        let outputs = fs::read(job.folder.path().join("outputs.f32")).context("the program wrote no outputs")?;
        let (words, rest) = outputs.as_chunks::<4>();
        if !rest.is_empty() {
            bail!("the program's outputs end within a number");
        }
        Ok(words.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
    }

    /// Compares a network of this shape with this computer on points of all kinds: how many points differ in any bit.
    ///
    /// # Errors
    ///
    /// Where the shape is not possible, or the program fails.
    pub fn check(&self, network: &Network, samples: usize, seed: u64) -> Result<usize> {
        let artifact: Artifact = network.artifact(seed)?;
        let model = artifact.model()?;
        let points = points::all_kinds(&model, samples, seed ^ 0x5eed);
        let (expected, actual) = (model::evaluate(&model, &points)?, self.evaluate(&artifact, &points)?);
        if actual.len() != expected.len() {
            bail!("{} wrote {} values instead of {}", self.core.name(), actual.len(), expected.len());
        }
        Ok(device::mismatched(&expected, &actual, model.outputs()))
    }
}
