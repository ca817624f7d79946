//! firmware-core as a library for C: built for any target of Rust, and laid out for the build systems that firmware
//! has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use trainer::base::files;

use crate::firmware::{self, workspace};
use crate::provision;

/// The features of a library that evaluates every model.
pub const ALL_FEATURES: &str = "f32,w8a16,w16a16,grid,sine";

/// Where the files of an export that are the same for every target go, and what they contain.
const FILES: [(&str, &str); 9] = [
    ("include/ffm.h", include_str!("../../firmware-core/c/ffm.h")),
    ("README.md", include_str!("../../firmware-core/c/README.md")),
    ("example/example.c", include_str!("../../firmware-core/c/example.c")),
    ("cmake/ffm-config.cmake", include_str!("../../firmware-core/c/cmake/ffm-config.cmake")),
    ("zephyr/module.yml", include_str!("../../firmware-core/c/zephyr/module.yml")),
    ("zephyr/Kconfig", include_str!("../../firmware-core/c/zephyr/Kconfig")),
    ("zephyr/CMakeLists.txt", include_str!("../../firmware-core/c/zephyr/CMakeLists.txt")),
    ("arduino/ffm/library.properties", include_str!("../../firmware-core/c/arduino/library.properties")),
    ("arduino/ffm/src/ffm.h", include_str!("../../firmware-core/c/ffm.h")),
];

/// The example of the Arduino library; Arduino wants its folder to have its name.
const SKETCH: (&str, &str) =
    ("arduino/ffm/examples/thermometer/thermometer.ino", include_str!("../../firmware-core/c/arduino/thermometer.ino"));

/// The module that loads the shared library of a computer.
const PYTHON: (&str, &str) = ("python/ffm.py", include_str!("../../firmware-core/c/ffm.py"));

/// What a library is built for.
#[derive(Clone, Copy, Debug)]
pub struct Library<'a> {
    /// Rust's target triple.
    pub target: &'a str,
    /// The core, as `-C target-cpu` takes it, where the triple alone leaves out instructions of it.
    pub cpu: Option<&'a str>,
    /// The precisions and further features, separated by commas.
    pub features: &'a str,
}

/// A library that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The static library.
    pub archive: Vec<u8>,
    /// The shared library with its file name's extension, where the target has an operating system.
    pub shared: Option<(String, Vec<u8>)>,
}

impl Library<'_> {
    /// Builds the library, optimized across all of it, for size but for its kernels.
    ///
    /// # Errors
    ///
    /// Where the target is not installed, which the message tells how to do, or cargo fails, after its own messages.
    pub fn build(&self) -> Result<Built> {
        let Self { target, cpu, features } = self;
        let mut command = provision::toolchain_for(target)?.cargo_for("rustc", target);
        let is_hosted = !target.contains("-none");
        command
            .args(["--package", "firmware-core", "--lib", "--profile", "firmware"])
            .args(firmware::WITHOUT_DEBUG)
            .args(["--no-default-features", "--features", &format!("c-library,{features}")])
            .args(["--crate-type", if is_hosted { "staticlib,cdylib" } else { "staticlib" }])
            .current_dir(workspace())
            // Flags from outside might take away instructions that the kernels were chosen for.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .stdin(Stdio::null());
        if let Some(cpu) = cpu {
            command.arg("--config").arg(format!("target.{target}.rustflags={:?}", [format!("-Ctarget-cpu={cpu}")]));
        }
        firmware::read_products(command, |messages| {
            let (mut archive, mut shared) = (None, None);
            for path in products(messages) {
                let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
                match extension.as_str() {
                    "a" | "lib" => archive = Some(fs::read(&path)?),
                    "so" | "dylib" | "dll" => shared = Some((extension, fs::read(&path)?)),
                    _ => {}
                }
            }
            Ok(Built { archive: archive.context("cargo named no static library")?, shared })
        })
    }

    /// The folder under `lib`: the target, and the core where it was named.
    pub fn folder(&self) -> String {
        self.cpu.map_or_else(|| self.target.to_owned(), |cpu| format!("{}-{cpu}", self.target))
    }

    /// Builds the library and writes it into a folder, beside those for other targets, with its header, and with files
    /// that make of the folder a CMake package and a Zephyr module with an Arduino library in it. Returns the static
    /// library's path.
    ///
    /// # Errors
    ///
    /// Where it cannot be built or written.
    pub fn export(&self, out: &Path) -> Result<PathBuf> {
        let built = self.build()?;
        let write = |path: &str, bytes: &[u8]| -> Result<PathBuf> {
            let path = out.join(path);
            files::make_folder(path.parent().unwrap_or(out))?;
            files::write(&path, bytes)?;
            Ok(path)
        };
        for (path, text) in FILES.iter().chain([&SKETCH]) {
            write(path, text.as_bytes())?;
        }
        for folder in arduino_folders(self) {
            write(&format!("arduino/ffm/src/{folder}/libffm.a"), &built.archive)?;
        }
        let folder = self.folder();
        if let Some((extension, shared)) = &built.shared {
            write(&format!("lib/{folder}/libffm.{extension}"), shared)?;
            write(PYTHON.0, PYTHON.1.as_bytes())?;
        }
        write(&format!("lib/{folder}/libffm.a"), &built.archive)
    }
}

/// The files that cargo's messages name, one JSON object a line, of the library itself.
fn products(messages: &str) -> Vec<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        target: Target,
        filenames: Vec<PathBuf>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
    }
    let parsed = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    parsed.filter(|message| message.target.name == "firmware_core").flat_map(|message| message.filenames).collect()
}

/// Where Arduino looks for the library of a board: a folder of the name of its processor, and in it, where floats are
/// passed in registers, one of the names of the floating-point unit and the ABI (Arduino's library specification,
/// "precompiled").
fn arduino_folders(library: &Library<'_>) -> Vec<String> {
    let (target, is_hard) = (library.target, library.target.ends_with("eabihf"));
    let processors: &[(&str, &str)] = match target.split('-').next().unwrap_or_default() {
        "thumbv6m" => &[("cortex-m0", ""), ("cortex-m0plus", "")],
        "thumbv7m" => &[("cortex-m3", "")],
        "thumbv7em" => &[("cortex-m4", "fpv4-sp-d16"), ("cortex-m7", "fpv5-d16"), ("cortex-m7", "fpv5-sp-d16")],
        "thumbv8m.main" => &[("cortex-m33", "fpv5-sp-d16"), ("cortex-m55", "auto"), ("cortex-m85", "auto")],
        "riscv32imc" => &[("esp32c3", "")],
        "riscv32imac" => &[("esp32c6", ""), ("esp32h2", "")],
        _ => &[],
    };
    let is_meant = |processor: &str| library.cpu.is_none_or(|cpu| cpu == processor);
    let folder = |&(processor, unit): &(&str, &str)| {
        if is_hard { format!("{processor}/{unit}-hard") } else { processor.to_owned() }
    };
    let mut folders: Vec<String> = processors.iter().filter(|(processor, _)| is_meant(processor)).map(folder).collect();
    folders.dedup();
    folders
}

/// Checks names of features before cargo sees them.
///
/// # Errors
///
/// For a feature that the library does not have, or where there is no precision among them.
pub fn check_features(features: &str) -> Result<()> {
    let is_known = |feature: &&str| ALL_FEATURES.split(',').any(|known| known == *feature);
    if let Some(unknown) = features.split(',').find(|feature| !is_known(feature)) {
        bail!("--features has no {unknown:?}; choose from {ALL_FEATURES}");
    }
    if !features.split(',').any(|feature| ["f32", "w8a16", "w16a16"].contains(&feature)) {
        bail!("--features names no precision, so that the library would refuse every model; add w8a16, w16a16 or f32");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arduino_finds_each_library_where_its_board_says() {
        let folders = |target, cpu| arduino_folders(&Library { target, cpu, features: ALL_FEATURES });
        assert_eq!(folders("thumbv6m-none-eabi", None), ["cortex-m0", "cortex-m0plus"]);
        assert_eq!(folders("thumbv7em-none-eabi", None), ["cortex-m4", "cortex-m7"]);
        assert_eq!(
            folders("thumbv7em-none-eabihf", None),
            ["cortex-m4/fpv4-sp-d16-hard", "cortex-m7/fpv5-d16-hard", "cortex-m7/fpv5-sp-d16-hard"]
        );
        assert_eq!(folders("thumbv8m.main-none-eabihf", Some("cortex-m33")), ["cortex-m33/fpv5-sp-d16-hard"]);
        assert_eq!(folders("riscv32imc-unknown-none-elf", None), ["esp32c3"]);
        assert!(folders("x86_64-unknown-linux-gnu", None).is_empty());
    }

    #[test]
    fn features_that_make_no_sense_are_refused() {
        assert!(check_features("w8a16,grid").is_ok());
        assert!(check_features("w8a17").unwrap_err().to_string().contains("\"w8a17\"; choose from f32,w8a16"));
        assert!(check_features("grid,sine").unwrap_err().to_string().contains("no precision"));
    }

    /// Lines that cargo 1.95 wrote, shortened.
    #[test]
    fn the_files_of_the_library_are_told_from_those_of_its_dependencies() {
        let message = |name: &str, file: &str| {
            format!(r#"{{"reason":"compiler-artifact","target":{{"name":"{name}"}},"filenames":["{file}"]}}"#)
        };
        let lines = [message("crc", "/t/libcrc.rlib"), message("firmware_core", "/t/libfirmware_core.a")].join("\n");
        assert_eq!(products(&lines), [PathBuf::from("/t/libfirmware_core.a")]);
    }
}
