//! The workspace's programs of tests: built by cargo, run one after the other, their tests timed on request.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::firmware::workspace;
use crate::{golden, process};

/// The package whose integration tests build firmware and run it under QEMU.
const DEVICE_PACKAGE: &str = "tests";

/// When a program's turn is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Unit tests.
    Unit,
    /// Integration tests that need nothing but the host.
    Host,
    /// Integration tests that also need QEMU and a compiler for the boards.
    Device,
}

/// A program of tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestProgram {
    executable: PathBuf,
    /// The folder of its package, in which cargo would run it.
    folder: PathBuf,
    /// Package and target, such as `trainer program`.
    name: String,
    turn: Turn,
}

/// How tests run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Time each test.
    pub timed: bool,
    /// Renew the golden logs instead of comparing with them.
    pub overwrite: bool,
}

/// A test that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Timed {
    /// Its program, and its path there.
    pub name: String,
    /// How long it ran.
    pub seconds: f64,
}

/// Builds the unit tests of every package.
///
/// Those of the trainer are not optimized, which builds them in a quarter of the time. What would take long so, such as
/// whole trainings, is an integration test.
///
/// # Errors
///
/// Where something does not compile, after cargo's own messages.
pub fn build_units() -> Result<Vec<TestProgram>> {
    let profile = |setting: &str| format!("profile.dev.package.trainer.{setting}");
    let [opt_level, incremental] = [profile("opt-level=0"), profile("incremental=true")];
    let trainer = ["--package", "trainer", "--lib", "--config", &opt_level, "--config", &incremental];
    build(Turn::Unit, &[&trainer, &["--workspace", "--exclude", "trainer", "--lib"]])
}

/// Builds the integration tests that need nothing but the host.
///
/// # Errors
///
/// As [`build_units`].
pub fn build_for_host() -> Result<Vec<TestProgram>> {
    // With `--test` the unit tests are left out, and with `--tests` what wants features that nothing of the workspace
    // has.
    build(Turn::Host, &[&["--package", "trainer", "--test", "*"], &["--workspace", "--exclude", "trainer", "--tests"]])
}

/// Builds the integration tests that also need QEMU and a compiler for the boards.
///
/// # Errors
///
/// As [`build_units`].
pub fn build_for_devices() -> Result<Vec<TestProgram>> {
    build(Turn::Device, &[&["--package", DEVICE_PACKAGE, "--test", "*"]])
}

/// Builds the programs of one turn that the selections, options of `cargo test`, name.
fn build(turn: Turn, selections: &[&[&str]]) -> Result<Vec<TestProgram>> {
    let mut programs = Vec::new();
    for selection in selections {
        let mut command = process::cargo("test");
        command.args(["--no-run", "--message-format", "json-render-diagnostics"]).args(*selection);
        let messages = process::capture(command.current_dir(workspace()).stdin(Stdio::null()))?;
        programs.extend(messages.lines().filter_map(program).filter(|program| program.turn == turn));
    }
    programs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(programs)
}

/// The program of tests that a line of cargo's messages tells of, if it tells of one.
fn program(message: &str) -> Option<TestProgram> {
    #[derive(Deserialize)]
    struct Message {
        manifest_path: PathBuf,
        target: Target,
        profile: Profile,
        executable: Option<PathBuf>,
    }
    #[derive(Deserialize)]
    struct Target {
        kind: Vec<String>,
        name: String,
    }
    #[derive(Deserialize)]
    struct Profile {
        test: bool,
    }
    let message: Message = serde_json::from_str(message).ok()?;
    let executable = message.executable.filter(|_| message.profile.test)?;
    let folder = message.manifest_path.parent()?.to_owned();
    let package = folder.file_name()?.to_str()?;
    let is_integration = message.target.kind.iter().any(|kind| kind == "test");
    let turn = match (is_integration, package) {
        (false, _) => Turn::Unit,
        (true, DEVICE_PACKAGE) => Turn::Device,
        (true, _) => Turn::Host,
    };
    let name = format!("{package} {}", message.target.name);
    Some(TestProgram { executable, folder, name, turn })
}

impl TestProgram {
    /// Runs every test; returns how long each took, where they are timed.
    ///
    /// # Errors
    ///
    /// Where a test fails.
    pub fn run(&self, options: &Options) -> Result<Vec<Timed>> {
        println!("\n{} ({})", self.name, relative(&self.executable).display());
        let mut command = Command::new(&self.executable);
        command.current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder);
        if options.overwrite {
            command.env(golden::OVERWRITE, "1");
        }
        if options.timed {
            // libtest tells times only where unstable options are allowed, which it asks of the environment when it
            // runs.
            command.args(["-Zunstable-options", "--report-time"]).env("RUSTC_BOOTSTRAP", "1");
        }
        let mut child = command.stdout(Stdio::piped()).spawn().map_err(|e| process::cannot_start(&command, &e))?;
        let mut times = Vec::new();
        for line in BufReader::new(child.stdout.take().context("the standard output is a pipe")?).split(b'\n') {
            let line = line.with_context(|| format!("cannot read the output of {}", self.name))?;
            let line = String::from_utf8_lossy(&line);
            writeln!(std::io::stdout(), "{line}")?;
            times.extend(time(&line).map(|(test, seconds)| Timed { name: format!("{} {test}", self.name), seconds }));
        }
        let status = child.wait().with_context(|| format!("cannot wait for {}", self.name))?;
        if !status.success() {
            bail!("tests of {} failed ({status}); their messages are above", self.name);
        }
        Ok(times)
    }
}

/// The name and the time in seconds in a line of libtest such as `test files::reads ... ok <0.012s>`.
fn time(line: &str) -> Option<(&str, f64)> {
    let (name, outcome) = line.strip_prefix("test ")?.split_once(" ... ")?;
    let (_, seconds) = outcome.strip_suffix("s>")?.rsplit_once('<')?;
    Some((name, seconds.parse().ok()?))
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix(workspace()).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines that libtest of Rust 1.95 wrote.
    #[test]
    fn times_are_read_off_the_lines_of_tests() {
        assert_eq!(time("test nerf::a_run ... ok <12.345s>"), Some(("nerf::a_run", 12.345)));
        assert_eq!(time("test a ... FAILED <0.001s>"), Some(("a", 0.001)));
        assert_eq!(time("test a ... ok"), None);
        assert_eq!(time("test result: ok. 3 passed; 0 failed; finished in 0.01s"), None);
    }

    /// Lines that cargo 1.95 wrote, shortened.
    #[test]
    fn programs_of_tests_are_told_from_other_products() {
        let message = |package: &str, kind: &str, test: bool, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/w/{package}/Cargo.toml","target":{{"kind":["{kind}"],"name":"x"}},"profile":{{"opt_level":"3","test":{test}}},"executable":{executable}}}"#
            )
        };
        let turn = |message: String| program(&message).map(|program| program.turn);
        assert_eq!(turn(message("trainer", "lib", true, r#""/w/target/x""#)), Some(Turn::Unit));
        assert_eq!(turn(message("trainer", "test", true, r#""/w/target/x""#)), Some(Turn::Host));
        assert_eq!(turn(message("tests", "test", true, r#""/w/target/x""#)), Some(Turn::Device));
        assert_eq!(turn(message("tests", "bin", false, r#""/w/target/x""#)), None);
        assert_eq!(turn(message("trainer", "lib", false, "null")), None);
        assert_eq!(program(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
