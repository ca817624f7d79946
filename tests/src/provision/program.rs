//! Programs that tests run beside emulators: compilers and build systems for C, Python with numpy, a browser.

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};

use super::apt::{Packages, apt_install};
use crate::process;
use crate::system::System;

/// Finds or installs what compiles C for the boards: Arm's GCC with newlib, as Debian has it.
///
/// # Errors
///
/// As [`all`](super::all).
pub fn arm_gcc() -> Result<()> {
    let otherwise = "any arm-none-eabi-gcc with newlib works, on the PATH";
    debian_program(&ARM_GCC, &["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"], otherwise)
}

/// Finds or installs CMake.
///
/// # Errors
///
/// As [`all`](super::all).
pub fn cmake() -> Result<()> {
    let cmake =
        Needed { program: "cmake", arguments: &["--version"], why: "cmake builds the example of the library for C" };
    debian_program(&cmake, &["cmake"], "any cmake from version 3.16 on works, on the PATH")
}

/// The Python that has numpy, found or installed.
///
/// # Errors
///
/// As [`all`](super::all).
pub fn numpy() -> Result<&'static str> {
    let why = "numpy reads what a run has learned, as the documentation shows";
    // Another Python may come before Debian's on the PATH.
    for program in ["python3", "/usr/bin/python3"] {
        if process::succeeds(Command::new(program).args(["-c", "import numpy"])) {
            return Ok(program);
        }
    }
    let needed = Needed { program: "/usr/bin/python3", arguments: &["-c", "import numpy"], why };
    debian_program(&needed, &["python3-numpy"], "any python3 that can import numpy works, on the PATH")?;
    Ok(needed.program)
}

/// Arm's GCC can link against its library: a Debian without newlib has the one without the other.
const ARM_GCC: Needed<'static> = Needed {
    program: "arm-none-eabi-gcc",
    arguments: &["--specs=nano.specs", "-E", "-include", "stdio.h", "-x", "c", "/dev/null"],
    why: "arm-none-eabi-gcc compiles C for the emulated boards",
};

/// A program that a test needs, with arguments by which it shows that it works.
struct Needed<'a> {
    program: &'a str,
    arguments: &'a [&'a str],
    why: &'a str,
}

/// Finds a program, or installs it from Debian's packages.
fn debian_program(needed: &Needed<'_>, names: &[&str], otherwise: &str) -> Result<()> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _guard = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let Needed { program, arguments, why } = needed;
    let works = || process::succeeds(Command::new(program).args(*arguments));
    if works() {
        return Ok(());
    }
    if System::here() != System::Debian {
        bail!("{why}; install it with this system's package manager: {otherwise}");
    }
    apt_install(&Packages { why, names, otherwise })?;
    if works() { Ok(()) } else { bail!("the packages {} are installed, but {program} does not work", names.join(" ")) }
}

/// Finds or installs node and Chromium, in which the page of a run is tested. Where that is not possible, it says so:
/// those tests then compare nothing.
pub fn browser() {
    for (program, package) in [("node", "nodejs"), ("chromium", "chromium")] {
        let installed = if answer(Path::new(program)).is_ok() {
            Ok(())
        } else if System::here() == System::Debian {
            let why = "the page of a run is tested in a browser";
            apt_install(&Packages { why, names: &[package], otherwise: "its tests are left out without it" })
        } else {
            Err(anyhow::anyhow!("{program} is not there; install it to test the page of a run"))
        };
        if let Err(error) = installed {
            eprintln!("note: {error}");
        }
    }
}

/// What a program answers to `--version`.
pub(super) fn answer(program: &Path) -> std::io::Result<String> {
    let output = Command::new(program).arg("--version").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
