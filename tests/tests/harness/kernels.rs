//! Which kernels `firmware-core/build.rs` chooses for which target, and where it warns.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use tests::{firmware, process};

/// What the build script prints for a target and the flags of the compiler.
fn answer(script: &Path, target: &str, flags: &[&str]) -> String {
    let mut command = Command::new(script);
    process::capture(command.env("TARGET", target).env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))).unwrap()
}

#[test]
fn targets_get_their_kernels_and_hidden_ones_a_warning() {
    let folder = TempDir::new().unwrap();
    let script = folder.path().join("build");
    let source = firmware::workspace().join("firmware-core/build.rs");
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    process::run(rustc.args(["--edition", "2024", "-o"]).args([&script, &source])).unwrap();
    for (target, flags, kernels, warns) in [
        ("thumbv6m-none-eabi", &[][..], "thumb1", false),
        ("thumbv7m-none-eabi", &[], "v7m", false),
        ("thumbv7em-none-eabihf", &[], "dsp", false),
        ("thumbv8m.base-none-eabi", &[], "thumb1", false),
        ("thumbv8m.main-none-eabihf", &[], "v7m", true),
        ("thumbv8m.main-none-eabi", &["-C", "target-cpu=generic"], "v7m", true),
        ("thumbv8m.main-none-eabihf", &["-C", "target-cpu=cortex-m33"], "dsp", false),
        ("thumbv8m.main-none-eabihf", &["-Ctarget-cpu=cortex-m55"], "mve", false),
        ("thumbv8m.main-none-eabihf", &["-Ctarget-feature=+fp-armv8d16sp,+dsp"], "dsp", false),
        ("thumbv8m.main-none-eabi", &["-C", "target-feature=-dsp"], "v7m", false),
        ("riscv32imac-unknown-none-elf", &[], "rv32m", false),
        ("riscv32imc-unknown-none-elf", &[], "rv32m", false),
        ("riscv32i-unknown-none-elf", &[], "portable", false),
        ("wasm32-unknown-unknown", &[], "portable", false),
        ("aarch64-unknown-linux-musl", &[], "portable", false),
        ("x86_64-unknown-linux-gnu", &[], "x86", false),
    ] {
        let answer = answer(&script, target, flags);
        assert!(answer.contains(&format!("cargo::rustc-cfg=kernels=\"{kernels}\"\n")), "{target} {flags:?}: {answer}");
        let warning = answer.lines().find(|line| line.starts_with("cargo::warning="));
        assert_eq!(warning.is_some(), warns, "{target} {flags:?}: {answer}");
        // Every kernel in assembly has grids too.
        let has_grids = answer.contains("cargo::rustc-cfg=kernels_grids\n");
        assert_eq!(has_grids, !matches!(kernels, "portable" | "x86"), "{target} {flags:?}: {answer}");
        assert!(warning.is_none_or(|text| text.contains("-C target-cpu=cortex-m33")), "{answer}");
    }
}
