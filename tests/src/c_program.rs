//! Programs in C that use the [library](crate::c_library): compiled for this computer or for a board, and run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use trainer::artifact::c_source::{CSource, Name};
use trainer::artifact::export::Artifact;
use trainer::artifact::model_file::ModelFile;

use crate::boards::Board;
use crate::firmware::workspace;
use crate::process;
use crate::provision;

/// Files that the example of the library reads and writes.
const POINTS_FILE: &str = "points.bin";
const VALUES_FILE: &str = "values.bin";
/// The boards' share of a program.
const BOARD_SOURCES: &str = "tests/tests/device/c";

/// A compiler with the options of its target.
#[derive(Clone, Debug)]
pub struct Compiler {
    program: &'static str,
    options: Vec<String>,
}

impl Compiler {
    /// The compiler for this computer, with the options given, such as the language.
    pub fn host(program: &'static str, options: &[&str]) -> Self {
        Self { program, options: options.iter().map(ToString::to_string).collect() }
    }

    /// Debian's compiler for a board.
    ///
    /// # Errors
    ///
    /// Where it is missing and may not be installed.
    pub fn board(board: &Board) -> Result<Self> {
        provision::arm_gcc()?;
        let core = board.core.trim_end_matches('F').to_lowercase();
        let mut options = vec![format!("-mcpu={core}"), "-mthumb".to_owned(), "-Os".to_owned()];
        if board.has_fpu {
            options.extend(["-mfloat-abi=hard".to_owned(), "-mfpu=fpv4-sp-d16".to_owned()]);
        }
        options.extend([
            "-ffunction-sections".to_owned(),
            "-Wl,--gc-sections".to_owned(),
            "-Wl,-z,noexecstack".to_owned(),
        ]);
        Ok(Self { program: "arm-none-eabi-gcc", options })
    }

    /// Compiles a program in a folder, with every warning an error. Returns its path.
    ///
    /// # Errors
    ///
    /// Where it does not compile, after the compiler's own messages.
    pub fn compile(&self, folder: &Path, arguments: &[&str]) -> Result<PathBuf> {
        let program = folder.join("program");
        let mut command = Command::new(self.program);
        command.args(&self.options).args(["-Wall", "-Wextra", "-Werror"]).args(arguments).arg("-o").arg(&program);
        process::run(command.current_dir(folder))?;
        Ok(program)
    }

    /// Compiles the example of an export for a board: its startup code and memory layout are those of the tests, and
    /// the files that it opens are the host's.
    ///
    /// # Errors
    ///
    /// As [`Compiler::compile`].
    pub fn compile_for_board(&self, board: &Board, folder: &Path, arguments: &[&str]) -> Result<PathBuf> {
        let layout = workspace().join(format!("firmware-cortexm/memory/{}.x", board.name));
        fs::copy(&layout, folder.join("memory.x")).with_context(|| format!("cannot copy {}", layout.display()))?;
        let sources = workspace().join(BOARD_SOURCES);
        let (startup, script) = (sources.join("startup.c"), sources.join("sections.ld"));
        let (startup, script) = (startup.display().to_string(), script.display().to_string());
        let mut all = vec!["--specs=nano.specs", "--specs=rdimon.specs", "-nostartfiles", "-T", &script, &startup];
        all.extend(arguments);
        self.compile(folder, &all)
    }
}

/// Writes a model into a folder as the program `trainer export` does, `model.c` and `model.h`, and points `[n, d]` for
/// the example.
///
/// # Errors
///
/// Where they cannot be written.
pub fn put(folder: &Path, artifact: &Artifact, points: &[f32]) -> Result<()> {
    let model = folder.join("model.ffm");
    fs::write(&model, artifact.as_bytes())?;
    let CSource { header, source } = CSource::new(&Name::of_file(&model)?, &ModelFile::read(&model)?)?;
    fs::write(folder.join("model.h"), header)?;
    fs::write(folder.join("model.c"), source)?;
    let bytes: Vec<u8> = points.iter().flat_map(|x| x.to_le_bytes()).collect();
    Ok(fs::write(folder.join(POINTS_FILE), bytes)?)
}

/// Runs the example on this computer, in the folder of its points; returns the values.
///
/// # Errors
///
/// Where it fails, or does not end in a minute.
pub fn run(program: &Path, folder: &Path) -> Result<Vec<f32>> {
    finish(Command::new(program), folder)
}

/// Runs the example on a board, in the folder of its points; returns the values.
///
/// # Errors
///
/// As [`run`].
pub fn run_on_board(board: &Board, program: &Path, folder: &Path) -> Result<Vec<f32>> {
    let mut command = Command::new(provision::qemu_program(board.emulator()));
    command.args(["-machine", board.name, "-nographic", "-monitor", "none", "-serial", "none"]);
    command.args(["-semihosting-config", "enable=on,target=native", "-kernel"]).arg(program);
    finish(command, folder)
}

fn finish(mut command: Command, folder: &Path) -> Result<Vec<f32>> {
    const LIMIT: Duration = Duration::from_secs(60);
    let _ = fs::remove_file(folder.join(VALUES_FILE));
    command.current_dir(folder).stdin(Stdio::null());
    let mut child = command.spawn().map_err(|error| process::cannot_start(&command, &error))?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            bail!("`{}` was stopped after {} s", process::describe(&command), LIMIT.as_secs());
        }
        thread::sleep(Duration::from_millis(5));
    };
    if !status.success() {
        bail!("`{}` failed ({status}); its messages are above", process::describe(&command));
    }
    let bytes = fs::read(folder.join(VALUES_FILE)).context("the program wrote no values")?;
    Ok(bytes.chunks_exact(4).map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect())
}
