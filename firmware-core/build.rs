//! Chooses the kernels from the target.
//!
//! Stable Rust tells a crate neither of the DSP extension nor of MVE, so that the choice follows the target's name and,
//! for `thumbv8m.main`, the core named by `-C target-cpu` (in `RUSTFLAGS`, `build.rustflags` or `target.….rustflags`):
//!
//! | target | core | `kernels` |
//! | --- | --- | --- |
//! | `thumbv6m-*`, `thumbv8m.base-*` | Cortex-M0, M0+, M1, M23 | `thumb1` |
//! | `thumbv7m-*` | Cortex-M3 | `v7m` |
//! | `thumbv7em-*` | Cortex-M4, M7 | `dsp` |
//! | `thumbv8m.main-*` with `-C target-cpu=cortex-m33` (m35p) | Cortex-M33, M35P | `dsp` |
//! | `thumbv8m.main-*` with `-C target-cpu=cortex-m55` (m52, m85) | Cortex-M52, M55, M85 | `mve` |
//! | `thumbv8m.main-*` otherwise | any of these | `v7m` |
//! | `x86_64-*` with an operating system | AVX2 or AVX-512, where found at run time | `x86` |
//! | everything else | | `portable` |
//!
//! `kernels_fpu` is set where the target's ABI passes floats in registers (`*-eabihf`), `kernels_v8m` where the
//! assembler has to be told of extensions, `kernels_grids` where grids are evaluated in assembly.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!(r#"cargo::rustc-check-cfg=cfg(kernels, values("portable", "thumb1", "v7m", "dsp", "mve", "x86"))"#);
    println!("cargo::rustc-check-cfg=cfg(kernels_fpu)");
    println!("cargo::rustc-check-cfg=cfg(kernels_grids)");
    println!("cargo::rustc-check-cfg=cfg(kernels_v8m)");
    let target = env::var("TARGET").unwrap_or_default();
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let kernels = kernels(&target, &flags);
    println!("cargo::rustc-cfg=kernels=\"{kernels}\"");
    if !matches!(kernels, "portable" | "x86") {
        println!("cargo::rustc-cfg=kernels_grids");
    }
    if target.starts_with("thumb") && target.ends_with("eabihf") {
        println!("cargo::rustc-cfg=kernels_fpu");
    }
    if target.starts_with("thumbv8m.main") {
        println!("cargo::rustc-cfg=kernels_v8m");
    }
}

fn kernels(target: &str, flags: &str) -> &'static str {
    // The last flag wins, as in rustc. `-C target-cpu=x` is two flags, `-Ctarget-cpu=x` one.
    let mut cpu =
        flags.split('\x1f').filter_map(|flag| flag.trim_start_matches("-C").trim().strip_prefix("target-cpu="));
    let cpu = cpu.next_back().unwrap_or_default();
    match target.split('-').next().unwrap_or_default() {
        "thumbv6m" | "thumbv8m.base" => "thumb1",
        "thumbv7m" => "v7m",
        "thumbv7em" => "dsp",
        "thumbv8m.main" => match cpu {
            "cortex-m52" | "cortex-m55" | "cortex-m85" => "mve",
            "cortex-m33" | "cortex-m35p" => "dsp",
            _ => "v7m",
        },
        // Without an operating system nobody need have made the vector registers usable.
        "x86_64" if !target.contains("-none") && !target.contains("-uefi") => "x86",
        _ => "portable",
    }
}
