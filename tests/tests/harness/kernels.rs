//! Which kernels `firmware-core/build.rs` chooses for which target, and where it warns.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tests::boards::{BOARDS, Board};
use tests::{firmware, process};

/// What the build script prints for a target and the flags of the compiler.
fn answer(script: &Path, target: &str, flags: &[&str]) -> String {
    let mut command = Command::new(script);
    process::capture(command.env("TARGET", target).env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))).unwrap()
}

/// Compiles the build script into a folder.
fn build_script(folder: &Path) -> PathBuf {
    let script = folder.join("build");
    let source = firmware::workspace().join("firmware-core/build.rs");
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    process::run(rustc.args(["--edition", "2024", "-o"]).args([&script, &source])).unwrap();
    script
}

/// Which kernels a board's firmware is compiled with: all that the build script sets, but for what only tells the
/// assembler of extensions.
fn kernels_of(script: &Path, board: &Board) -> BTreeSet<String> {
    let cpu = board.target_cpu.map(|cpu| format!("-Ctarget-cpu={cpu}"));
    let answer = answer(script, board.target, &cpu.iter().map(String::as_str).collect::<Vec<_>>());
    let set = answer.lines().filter_map(|line| line.strip_prefix("cargo::rustc-cfg="));
    set.filter(|cfg| *cfg != "kernels_v8m").map(str::to_owned).collect()
}

/// `cargo xtask test` examines some things on one board of each kind only, so that no kind may be without one.
#[test]
fn boards_that_stand_for_others_have_the_same_kernels_and_no_two_do() {
    let folder = TempDir::new().unwrap();
    let script = build_script(folder.path());
    for board in &BOARDS {
        let kernels = kernels_of(&script, board);
        assert!(kernels.iter().any(|cfg| cfg.starts_with("kernels=")), "{}: {kernels:?}", board.name);
        for other in &BOARDS {
            let are_said_to_share = board.has_kernels_of() == other.has_kernels_of();
            let do_share = kernels == kernels_of(&script, other);
            assert_eq!(are_said_to_share, do_share, "{} and {}: {kernels:?}", board.name, other.name);
        }
    }
}

#[test]
fn targets_get_their_kernels_and_hidden_ones_a_warning() {
    let folder = TempDir::new().unwrap();
    let script = build_script(folder.path());
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
