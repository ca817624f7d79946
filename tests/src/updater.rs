//! The device program that takes updates over a serial line, under QEMU.

use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::boards::Board;
use crate::firmware::{PACKAGE, build, package_command};
use crate::log::{self, Line};
use crate::process;
use crate::provision::{self, Toolchain};

/// How long QEMU may take to listen.
const START: Duration = Duration::from_secs(30);

/// Builds the program `updater` with a maker's public key.
///
/// # Errors
///
/// Where cargo fails, after its own messages.
pub fn elf(toolchain: &Toolchain, board: &Board, public_key: &Path) -> Result<Vec<u8>> {
    let mut command = package_command(toolchain, "build", board, PACKAGE);
    command.args(["--bin", "updater", "--features", "updater"]).env("PUBLIC_KEY", std::path::absolute(public_key)?);
    command.env_remove("MODEL");
    build(command, "updater")
}

/// A device that runs.
#[derive(Debug)]
pub struct Device {
    /// What `trainer send --port` takes.
    pub port: String,
    elf: Vec<u8>,
    child: Child,
    log: Option<JoinHandle<Vec<u8>>>,
    _folder: TempDir,
}

impl Device {
    /// Starts QEMU and waits until it listens.
    ///
    /// # Errors
    ///
    /// Where QEMU is missing or does not listen.
    pub fn start(board: &Board, elf: Vec<u8>) -> Result<Self> {
        let folder = TempDir::with_prefix("updater-").context("cannot create a temporary folder for QEMU")?;
        fs::write(folder.path().join("updater.elf"), &elf).context("cannot write the program for QEMU")?;
        // A port that is free now; QEMU is started on it at once.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr())?.to_string();
        let mut command = Command::new(provision::qemu_program(board.emulator()));
        command
            .args(["-machine", board.name, "-nographic", "-monitor", "none", "-serial"])
            .arg(format!("tcp:{port},server=on,wait=off"))
            .args(["-semihosting-config", "enable=on,target=native", "-kernel", "updater.elf"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = command.spawn().map_err(|error| process::cannot_start(&command, &error))?;
        let mut output = child.stdout.take().context("the standard output is a pipe")?;
        let log = thread::spawn(move || {
            let mut bytes = Vec::new();
            // What was read before an error is still worth showing.
            let _ = output.read_to_end(&mut bytes);
            bytes
        });
        let mut device = Self { port, elf, child, log: Some(log), _folder: folder };
        let start = Instant::now();
        while TcpStream::connect(&device.port).is_err() {
            if start.elapsed() > START || device.child.try_wait()?.is_some() {
                bail!("`{}` does not listen", process::describe(&command));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(device)
    }

    /// Ends QEMU; the device's log so far.
    ///
    /// # Errors
    ///
    /// Where the log cannot be decoded.
    pub fn stop(mut self) -> Result<Vec<Line>> {
        self.child.kill().context("cannot stop QEMU")?;
        self.child.wait().context("cannot wait for QEMU")?;
        let frames = self.log.take().and_then(|log| log.join().ok()).unwrap_or_default();
        log::decode(&self.elf, &frames)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // It has ended already where it was stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
