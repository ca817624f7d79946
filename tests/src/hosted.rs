//! Cores that run a program of this computer's kind instead of a firmware: aarch64 with Linux, by `qemu-aarch64`, and
//! WebAssembly, by node.
//!
//! The programs are the examples `answers` and `wasm` of firmware-core. Both check the known answers of the model first.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use trainer::artifact::export::Artifact;

use crate::firmware::workspace;
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

/// What node runs: arguments are the module, the model, the points and where the outputs go.
const SCRIPT: &str = include_str!("hosted/evaluate.js");

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
}

/// A program that evaluates models on another core.
#[derive(Clone, Debug)]
pub struct Program {
    core: Core,
    path: PathBuf,
}

impl Program {
    /// Builds the program, after finding or installing what builds and runs it.
    ///
    /// # Errors
    ///
    /// Where something is missing and may not be installed, or cargo fails.
    pub fn build(core: Core) -> Result<Self> {
        match core {
            Core::Aarch64 => provision::runner("qemu-aarch64", "qemu-user")?,
            Core::Wasm32 => provision::runner("node", "nodejs")?,
        }
        let (target, example) = (core.target(), core.example());
        provision::target(target)?;
        let mut command = process::cargo("build");
        command.args(["--quiet", "--package", "firmware-core", "--example", example, "--target", target]);
        command.args(["--profile", "firmware"]).env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        if core == Core::Aarch64 {
            // Rust's own linker and C library, so that nothing else has to be installed.
            command
                .arg("--config")
                .arg(format!(r#"target.{target}.rustflags=["-Clinker=rust-lld", "-Clink-self-contained=yes"]"#));
        }
        process::run(command.current_dir(workspace()).stdin(Stdio::null()))?;
        let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
        let file = match core {
            Core::Aarch64 => example.to_owned(),
            Core::Wasm32 => format!("{example}.wasm"),
        };
        Ok(Self { core, path: folder.join(target).join("firmware/examples").join(file) })
    }

    /// Evaluates the points `[n, inputs]` by the single and by the batch form in turn: the outputs `[n, outputs]`.
    ///
    /// # Errors
    ///
    /// Where the model is refused, its known answers are not given, or a point is rejected.
    pub fn evaluate(&self, artifact: &Artifact, points: &[f32]) -> Result<Vec<f32>> {
        let folder = TempDir::new().context("cannot create a temporary folder")?;
        let place = |name: &str| folder.path().join(name);
        let write =
            |name: &str, bytes: &[u8]| fs::write(place(name), bytes).with_context(|| format!("cannot write {name}"));
        write("model.ffm", artifact.as_bytes())?;
        write("points.f32", &points.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())?;
        let mut command = match self.core {
            Core::Aarch64 => {
                let mut command = Command::new("qemu-aarch64");
                command.arg(&self.path);
                command
            }
            Core::Wasm32 => {
                write("evaluate.js", SCRIPT.as_bytes())?;
                let mut command = Command::new("node");
                command.arg("evaluate.js").arg(&self.path);
                command
            }
        };
        command.args(["model.ffm", "points.f32", "outputs.f32"]);
        if self.core == Core::Wasm32 {
            let model = artifact.model()?;
            command.args([model.inputs().to_string(), model.outputs().to_string()]);
        }
        process::run(command.current_dir(folder.path()))?;
        let outputs = fs::read(place("outputs.f32")).context("the program wrote no outputs")?;
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
