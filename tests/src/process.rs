//! Child processes, whose every failure becomes one sentence that names the command and what to do.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, anyhow, bail};

/// What to install where a program is missing.
fn remedy(program: &OsStr) -> &'static str {
    match program.to_str().unwrap_or_default().rsplit('/').next().unwrap_or_default() {
        "cargo" | "rustc" | "rustup" => "install Rust from https://rustup.rs",
        _ => "install it, or put it on the PATH",
    }
}

/// The command as one would type it.
pub fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// The cargo that runs this program, with a subcommand.
pub fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Packages are built again where this variable comes or goes, as it does for tests that are timed.
    command.arg(subcommand).env_remove("RUSTC_BOOTSTRAP");
    command
}

/// Runs to the end with the terminal's own streams.
///
/// # Errors
///
/// Where the program is missing, or ends with another code than 0.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    if !status.success() {
        bail!("`{}` failed ({status}); its messages are above", describe(command));
    }
    Ok(())
}

/// Runs to the end and returns standard output as text; standard error goes to the terminal.
///
/// # Errors
///
/// As [`run`], and where the output is not UTF-8.
pub fn capture(command: &mut Command) -> Result<String> {
    let output = output(command.stderr(Stdio::inherit()))?;
    if !output.status.success() {
        bail!("`{}` failed ({}); its messages are above", describe(command), output.status);
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` printed something else than text", describe(command)))
}

/// Whether the program exists and ends with code 0; says nothing.
pub fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn output(command: &mut Command) -> Result<Output> {
    command.output().map_err(|error| cannot_start(command, &error))
}

/// The sentence for a command that did not even start.
pub fn cannot_start(command: &Command, error: &std::io::Error) -> anyhow::Error {
    let program = command.get_program();
    match error.kind() {
        ErrorKind::NotFound => {
            anyhow!(
                "`{}` needs the program {}, which is not there; {}",
                describe(command),
                program.display(),
                remedy(program)
            )
        }
        _ => anyhow!("`{}` did not start: {error}", describe(command)),
    }
}
