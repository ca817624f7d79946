//! Runs a firmware under QEMU.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use firmware_core::march::Camera;
use firmware_cortexm::protocol::{JOB_FILE, Job, Mode, OUTPUTS_FILE, POINTS_FILE};
use tempfile::TempDir;

use crate::firmware::{self, Firmware};
use crate::log::{self, Line};
use crate::process;
use crate::provision;

/// Files in QEMU's working directory that the device does not know by itself.
const FIRMWARE_FILE: &str = "firmware.elf";
const MODEL_FILE: &str = "model.ffm";
/// Time between two words on how far the device is.
const TELL: Duration = Duration::from_millis(100);

/// What a run left behind.
#[derive(Clone, Debug)]
pub struct Run {
    /// The program's exit code; `None` where a signal ended QEMU.
    pub exit_code: Option<i32>,
    /// The decoded log.
    pub log: Vec<Line>,
    /// The outputs `[samples, outputs]`, as far as the device got.
    pub outputs: Vec<f32>,
}

impl Run {
    /// The log as text, one line each.
    pub fn log_text(&self) -> String {
        self.log.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The first line whose message starts with `subject`.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub fn line(&self, subject: &str) -> Result<&Line> {
        self.lines(subject)
            .next()
            .with_context(|| format!("the firmware did not log {subject:?}; its log:\n{}", self.log_text()))
    }

    /// The lines whose messages start with `subject`: one for each model, where the device had several.
    pub fn lines<'a, 's>(&'a self, subject: &'s str) -> impl Iterator<Item = &'a Line> + use<'a, 's> {
        self.log.iter().filter(move |line| line.message.starts_with(subject))
    }

    /// Takes a run that did not end with exit code 0 for an error.
    ///
    /// # Errors
    ///
    /// With the end of the log.
    pub fn success(self) -> Result<Self> {
        if self.exit_code == Some(0) {
            return Ok(self);
        }
        let code = self.exit_code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
        bail!("the firmware ended with {code}; its log:\n{}", self.log_text());
    }
}

/// What the device is to do, with the models that are placed in its memory.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// Which work it is.
    pub mode: Mode,
    /// The artifact, or several, one behind another; what lies in their place in other modes, see [`Mode`].
    pub model: &'a [u8],
    /// The points `[samples, inputs]` of each model, one model behind another; none where the mode has its own.
    pub points: &'a [f32],
    /// The number of points of each model.
    pub samples: usize,
}

impl<'a> Task<'a> {
    /// To evaluate one model, or several, each at its own points `[samples, inputs]`.
    pub const fn evaluate(model: &'a [u8], points: &'a [f32], samples: usize) -> Self {
        Self { mode: Mode::Evaluate, model, points, samples }
    }

    /// Work of a mode that has points of its own.
    pub const fn of_mode(mode: Mode, model: &'a [u8], samples: usize) -> Self {
        Self { mode, model, points: &[], samples }
    }
}

/// What happens while the device works.
pub struct Watch<'a> {
    /// After this time it is stopped.
    pub limit: Duration,
    /// Told now and then how many bytes of outputs the device has written.
    pub written: &'a mut dyn FnMut(u64),
}

/// Gives the device its task.
///
/// # Errors
///
/// Where QEMU is missing or refuses, or `limit` passes; not for the firmware's exit code, see [`Run::success`].
pub fn work(firmware: &Firmware, task: Task<'_>, limit: Duration) -> Result<Run> {
    work_watched(firmware, task, Watch { limit, written: &mut |_| {} })
}

/// Draws the views of `cameras` on the device; `model` is the volume with the artifact behind it, see [`Mode::Draw`].
///
/// # Errors
///
/// As [`work`].
pub fn draw(firmware: &Firmware, model: &[u8], cameras: &[Camera], limit: Duration) -> Result<Run> {
    let values: Vec<f32> = cameras.iter().flat_map(Camera::to_values).collect();
    work(firmware, Task { mode: Mode::Draw, model, points: &values, samples: cameras.len() }, limit)
}

/// As [`work`]; `watch` is told how far the device is.
///
/// # Errors
///
/// As [`work`].
pub fn work_watched(firmware: &Firmware, task: Task<'_>, watch: Watch<'_>) -> Result<Run> {
    let Task { mode, model, points, samples } = task;
    firmware::check_fits(firmware, model.len())?;
    let job = Job { mode, model_bytes: u32::try_from(model.len())?, samples: u32::try_from(samples)? };
    let folder = TempDir::with_prefix("firmware-").context("cannot create a temporary folder for QEMU")?;
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    };
    write(MODEL_FILE, model)?;
    write(JOB_FILE.to_str()?, &job.to_bytes())?;
    write(POINTS_FILE.to_str()?, &little_endian(points))?;
    let loader = format!("loader,file={MODEL_FILE},addr={:#x},force-raw=on", firmware.model_region.start);
    run(firmware, folder.path(), &["-device", &loader], watch)
}

/// Runs a firmware that has its model built in.
///
/// # Errors
///
/// As [`work`].
pub fn run_baked(firmware: &Firmware, limit: Duration) -> Result<Run> {
    let folder = TempDir::with_prefix("firmware-").context("cannot create a temporary folder for QEMU")?;
    run(firmware, folder.path(), &[], Watch { limit, written: &mut |_| {} })
}

fn run(firmware: &Firmware, folder: &Path, options: &[&str], watch: Watch<'_>) -> Result<Run> {
    fs::write(folder.join(FIRMWARE_FILE), &firmware.elf).context("cannot write the firmware for QEMU")?;
    let mut command = Command::new(provision::qemu_program(firmware.board.emulator()));
    command
        .args(firmware.board.machine)
        .args(["-nographic", "-monitor", "none", "-serial", "none", "-icount", "shift=0"])
        .args(["-semihosting-config", "enable=on,target=native", "-kernel", FIRMWARE_FILE])
        .args(options)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| process::cannot_start(&command, &error))?;
    // Both pipes are drained while QEMU runs: a full one would stop it.
    let frames = drain(child.stdout.take());
    let complaints = drain(child.stderr.take());
    let outputs = folder.join(OUTPUTS_FILE.to_str()?);
    let limit = watch.limit;
    let exit_code = wait(&mut child, &outputs, watch)?;
    let frames = frames.join().unwrap_or_default();
    let complaints = complaints.join().unwrap_or_default();
    let log = log::decode(&firmware.elf, &frames)?;

    match exit_code {
        Exit::TimedOut => {
            let log: String = log.iter().map(|line| format!("{line}\n")).collect();
            bail!(
                "`{}` was stopped after {} s; the firmware's log so far:\n{log}",
                process::describe(&command),
                limit.as_secs()
            );
        }
        Exit::Code(Some(code)) if code != 0 && log.is_empty() => {
            let complaints = String::from_utf8_lossy(&complaints);
            bail!(
                "`{}` failed (exit code {code}) before the firmware said anything: {}",
                process::describe(&command),
                complaints.trim()
            );
        }
        Exit::Code(exit_code) => {
            let outputs = fs::read(&outputs).unwrap_or_default();
            Ok(Run { exit_code, log, outputs: from_little_endian(&outputs) })
        }
    }
}

enum Exit {
    Code(Option<i32>),
    TimedOut,
}

/// Waits for the end, and ends the child where it takes longer than it may. The file of outputs grows while the device
/// works.
fn wait(child: &mut Child, outputs: &Path, watch: Watch<'_>) -> Result<Exit> {
    let start = Instant::now();
    let mut told = start;
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for QEMU")? {
            return Ok(Exit::Code(status.code()));
        }
        if start.elapsed() > watch.limit {
            child.kill().context("cannot stop QEMU")?;
            child.wait().context("cannot wait for QEMU")?;
            return Ok(Exit::TimedOut);
        }
        if told.elapsed() > TELL {
            (watch.written)(fs::metadata(outputs).map_or(0, |file| file.len()));
            told = Instant::now();
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

fn little_endian(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn from_little_endian(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).collect()
}
