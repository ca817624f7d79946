//! Builds the firmware.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::{env, fs};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::boards::Board;
use crate::elf::{self, ModelRegion, Size};
use crate::process;
use crate::provision::Toolchain;

/// The package, and its program.
pub(crate) const PACKAGE: &str = "firmware-cortexm";

/// The option of cargo that leaves out debugging information: it is a third of what a build of the firmware takes, and
/// nothing here reads it.
pub(crate) const WITHOUT_DEBUG: [&str; 2] = ["--config", "profile.firmware.debug=0"];

/// Boards of one target share the path of cargo's result: it is read before the next build may replace it.
static BUILDING: Mutex<()> = Mutex::new(());

/// A firmware that was built for a board.
#[derive(Clone, Debug)]
pub struct Firmware {
    /// The board.
    pub board: &'static Board,
    /// The ELF file's bytes.
    pub elf: Vec<u8>,
    /// Its flash and RAM, without a built-in model.
    pub size: Size,
    /// Where a model from outside belongs.
    pub model_region: ModelRegion,
}

impl Firmware {
    /// Builds for the board; with `baked_model`, that artifact becomes a part of the program.
    ///
    /// # Errors
    ///
    /// Where cargo fails, after its own messages.
    pub fn build(toolchain: &Toolchain, board: &'static Board, baked_model: Option<&Path>) -> Result<Self> {
        let mut command = command(toolchain, "build", board, "qemu");
        match baked_model {
            Some(path) => command.env("MODEL", std::path::absolute(path)?),
            None => command.env_remove("MODEL"),
        };
        let mut built = Self::linked(board, build(command, PACKAGE)?)?;
        if let Some(path) = baked_model {
            let model_bytes = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len();
            built.size.flash_bytes = built.size.flash_bytes.saturating_sub(model_bytes);
        }
        Ok(built)
    }

    /// Builds an example of the package for the board. Those that need a feature of their own name it `example-NAME`.
    ///
    /// # Errors
    ///
    /// Where cargo fails, after its own messages.
    pub fn example(toolchain: &Toolchain, board: &'static Board, (name, has_feature): (&str, bool)) -> Result<Self> {
        let features = if has_feature { format!("qemu,example-{name}") } else { "qemu".to_owned() };
        let mut command = command(toolchain, "build", board, &features);
        command.args(["--example", name]).env_remove("MODEL");
        Self::linked(board, build(command, name)?)
    }

    fn linked(board: &'static Board, elf: Vec<u8>) -> Result<Self> {
        let (size, model_region) = (elf::size(&elf)?, elf::model_region(&elf)?);
        Ok(Self { board, elf, size, model_region })
    }
}

/// A cargo command on the firmware for one board, with the feature `qemu` or `rtt`.
pub fn command(toolchain: &Toolchain, subcommand: &str, board: &Board, feature: &str) -> Command {
    let mut command = package_command(toolchain, subcommand, board, PACKAGE);
    command.args(["--features", feature]);
    command
}

/// A cargo command on a package for one board. Cargo keeps the results for two boards apart by target and `target-cpu`,
/// which no two boards have in common.
pub(crate) fn package_command(toolchain: &Toolchain, subcommand: &str, board: &Board, package: &str) -> Command {
    let flags: Vec<String> = board.target_cpu.map(|cpu| format!("-Ctarget-cpu={cpu}")).into_iter().collect();
    let mut command = toolchain.cargo(subcommand, board);
    command
        .args(["--package", package, "--profile", "firmware"])
        .args(WITHOUT_DEBUG)
        .arg("--config")
        .arg(format!("target.{}.rustflags={flags:?}", board.target))
        .current_dir(workspace())
        .env("BOARD", board.name)
        .env("DEFMT_LOG", "info")
        // Flags from outside would replace those above, and move the counts.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .stdin(Stdio::null());
    command
}

/// Runs a command that builds, and reads the ELF file of `program`.
pub(crate) fn build(command: Command, program: &str) -> Result<Vec<u8>> {
    let typed = process::describe(&command);
    read_products(command, |messages| {
        let path = executable(messages, program).with_context(|| format!("`{typed}` named no program"))?;
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    })
}

/// Runs a command that builds, and has `read` take what its messages name, before another build may replace it.
pub(crate) fn read_products<T>(mut command: Command, read: impl FnOnce(&str) -> Result<T>) -> Result<T> {
    let _guard = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    command.args(["--quiet", "--message-format", "json-render-diagnostics"]);
    read(&process::capture(&mut command)?)
}

/// The workspace's folder.
pub fn workspace() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Where cargo puts what it builds, as an absolute path: it is started in the workspace's folder, from where a relative
/// `CARGO_TARGET_DIR` leads.
pub fn target_folder() -> PathBuf {
    target_folder_named(env::var_os("CARGO_TARGET_DIR").as_deref())
}

fn target_folder_named(named: Option<&OsStr>) -> PathBuf {
    workspace().join(named.unwrap_or(OsStr::new("target")))
}

/// The path of a program in cargo's messages, one JSON object a line.
pub(crate) fn executable(messages: &str, program: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
    }
    let parsed = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let mut paths = parsed.filter_map(|message| message.executable);
    paths.find(|path| path.file_stem().is_some_and(|stem| stem == program))
}

/// Refuses a model that does not fit into the board's memory.
pub(crate) fn check_fits(firmware: &Firmware, model_bytes: usize) -> Result<()> {
    let available = firmware.model_region.len;
    if model_bytes as u64 > available {
        bail!(
            "the model has {model_bytes} bytes, but {} keeps {available} bytes for a model; choose a larger board or a smaller network",
            firmware.board.name
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_folder_is_absolute() {
        let elsewhere = workspace().join("elsewhere");
        assert!(elsewhere.is_absolute());
        assert_eq!(target_folder_named(None), workspace().join("target"));
        for name in [OsStr::new("elsewhere"), elsewhere.as_os_str()] {
            assert_eq!(target_folder_named(Some(name)), elsewhere);
        }
    }
}
