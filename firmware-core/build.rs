//! Chooses the kernels from the target.
//!
//! Stable Rust tells a crate neither of the DSP extension nor of MVE, so that the choice follows the target's name and,
//! for `thumbv8m.main`, the core named by `-C target-cpu` or the DSP extension named by `-C target-feature` (in
//! `RUSTFLAGS`, `build.rustflags` or `target.….rustflags`):
//!
//! | target | core | `kernels` |
//! | --- | --- | --- |
//! | `thumbv6m-*`, `thumbv8m.base-*` | Cortex-M0, M0+, M1, M23 | `thumb1` |
//! | `thumbv7m-*` | Cortex-M3 | `v7m` |
//! | `thumbv7em-*` | Cortex-M4, M7 | `dsp` |
//! | `thumbv8m.main-*` with `-C target-cpu=cortex-m33` (m35p) or `-C target-feature=+dsp` | Cortex-M33, M35P | `dsp` |
//! | `thumbv8m.main-*` with `-C target-cpu=cortex-m55` (m52, m85) | Cortex-M52, M55, M85 | `mve` |
//! | `thumbv8m.main-*` otherwise | any of these | `v7m` |
//! | `riscv32im*` | RV32IM and more, such as ESP32-C3 and Hazard3 | `rv32m` |
//! | `x86_64-*` with an operating system | AVX2 or AVX-512, where found at run time | `x86` |
//! | everything else | | `portable` |
//!
//! A build for `thumbv8m.main` that says nothing about the DSP extension gets a warning, because nearly all such cores
//! have it.
//!
//! `kernels_fpu` is set where the target's ABI passes floats in registers (`*-eabihf`, `riscv32imaf*`), `kernels_v8m`
//! where the assembler has to be told of extensions, `kernels_grids` where grids are evaluated in assembly.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!(
        r#"cargo::rustc-check-cfg=cfg(kernels, values("portable", "thumb1", "v7m", "dsp", "mve", "rv32m", "x86"))"#
    );
    println!("cargo::rustc-check-cfg=cfg(kernels_fpu)");
    println!("cargo::rustc-check-cfg=cfg(kernels_grids)");
    println!("cargo::rustc-check-cfg=cfg(kernels_v8m)");
    let target = env::var("TARGET").unwrap_or_default();
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let kernels = kernels(&target, &flags);
    println!("cargo::rustc-cfg=kernels=\"{kernels}\"");
    println!("cargo::rustc-env=FIRMWARE_CORE_KERNELS={kernels}");
    if target.starts_with("thumbv8m.main") && kernels == "v7m" && dsp_feature(&flags).is_none() {
        println!(
            "cargo::warning=the kernels of a Cortex-M3 are built for {target}, which are less than half as fast as those of \
             a Cortex-M33 with DSP extension; add the flag -C target-cpu=cortex-m33 (or cortex-m55, cortex-m85) to \
             target.{target}.rustflags in .cargo/config.toml, or -C target-feature=-dsp if the core has no DSP extension"
        );
    }
    if matches!(kernels, "thumb1" | "v7m" | "dsp" | "mve" | "rv32m") {
        println!("cargo::rustc-cfg=kernels_grids");
    }
    if target.starts_with("thumb") && target.ends_with("eabihf") || target.starts_with("riscv32imaf") {
        println!("cargo::rustc-cfg=kernels_fpu");
    }
    if target.starts_with("thumbv8m.main") {
        println!("cargo::rustc-cfg=kernels_v8m");
    }
}

/// The values of a flag of code generation, of which the last one wins in rustc. `-C target-cpu=x` is two flags,
/// `-Ctarget-cpu=x` one.
fn codegen_flags<'a>(flags: &'a str, name: &str) -> impl DoubleEndedIterator<Item = &'a str> {
    let value = move |flag: &'a str| flag.trim_start_matches("-C").trim().strip_prefix(name)?.strip_prefix('=');
    flags.split('\x1f').filter_map(value)
}

/// Whether the flags turn the DSP extension on or off, where they name it.
fn dsp_feature(flags: &str) -> Option<bool> {
    let mut features = codegen_flags(flags, "target-feature").flat_map(|list| list.split(','));
    features.rfind(|feature| matches!(*feature, "+dsp" | "-dsp")).map(|feature| feature.starts_with('+'))
}

fn kernels(target: &str, flags: &str) -> &'static str {
    let cpu = codegen_flags(flags, "target-cpu").next_back().unwrap_or_default();
    match target.split('-').next().unwrap_or_default() {
        "thumbv6m" | "thumbv8m.base" => "thumb1",
        "thumbv7m" => "v7m",
        "thumbv7em" => "dsp",
        "thumbv8m.main" => match (cpu, dsp_feature(flags)) {
            ("cortex-m52" | "cortex-m55" | "cortex-m85", _) => "mve",
            (_, Some(false)) => "v7m",
            ("cortex-m33" | "cortex-m35p", None) | (_, Some(true)) => "dsp",
            _ => "v7m",
        },
        name if name.starts_with("riscv32im") => "rv32m",
        // Without an operating system nobody need have made the vector registers usable.
        "x86_64" if !target.contains("-none") && !target.contains("-uefi") => "x86",
        _ => "portable",
    }
}
