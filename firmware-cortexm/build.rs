//! Prepares the memory layout and the buffers of the board named by `BOARD`, and bakes in the model named by `MODEL`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

/// The board that is built for where `BOARD` is not set.
const DEFAULT_BOARD: &str = "mps2-an386";

fn main() {
    println!("cargo::rustc-check-cfg=cfg(baked_model)");
    println!("cargo::rustc-check-cfg=cfg(esp32c3)");
    for name in ["BOARD", "MODEL", "PUBLIC_KEY"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    if env::var_os("CARGO_FEATURE_DEVICE").is_none() {
        return; // the host side of the crate needs none of this
    }
    if let Err(message) = configure() {
        println!("cargo::error={message}");
        process::exit(1);
    }
}

fn configure() -> Result<(), String> {
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo did not set OUT_DIR")?);
    let board = env::var("BOARD").unwrap_or_else(|_| DEFAULT_BOARD.to_owned());
    let layout_path = Path::new("memory").join(format!("{board}.x"));
    println!("cargo::rerun-if-changed=memory");
    if board == "rp2040" && env::var_os("CARGO_FEATURE_RP2040").is_none() {
        return Err("BOARD=rp2040 needs the second stage of its boot loader; add `--features rp2040`".to_owned());
    }
    if board == "esp32c3" {
        println!("cargo::rustc-cfg=esp32c3");
    }
    let layout = fs::read_to_string(&layout_path).map_err(|_| {
        let boards = known_boards().join(", ");
        format!("BOARD={board} has no memory layout {}; known boards: {boards}", layout_path.display())
    })?;

    // The linker finds memory.x through the search path; link.x of cortex-m-rt or riscv-rt includes it.
    let symbols = "\n_model_start = ORIGIN(MODEL);\n_model_end = ORIGIN(MODEL) + LENGTH(MODEL);\n";
    let is_riscv = env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "riscv32");
    let aliases = if is_riscv { riscv_regions(&layout) } else { String::new() };
    write(&out_dir.join("memory.x"), &(layout.clone() + symbols + &aliases))?;
    println!("cargo::rustc-link-search={}", out_dir.display());
    for argument in ["--nmagic", "-Tlink.x", "-Tdefmt.x"] {
        println!("cargo::rustc-link-arg-bins={argument}");
        println!("cargo::rustc-link-arg-examples={argument}");
    }

    let ram = ram_bytes(&layout)
        .ok_or_else(|| format!("{} has no `RAM : ORIGIN = …, LENGTH = …K`", layout_path.display()))?;
    write(&out_dir.join("board.rs"), &board_constants(&board, ram))?;
    if env::var_os("CARGO_FEATURE_UPDATER").is_some() {
        copy_public_key(&out_dir)?;
    }
    bake_model(&out_dir)
}

/// Where riscv-rt puts what. Constants have a region of their own where the flash is mapped twice.
fn riscv_regions(layout: &str) -> String {
    let constants = if layout.contains("CONSTANTS") { "CONSTANTS" } else { "FLASH" };
    let regions =
        [("TEXT", "FLASH"), ("RODATA", constants), ("DATA", "RAM"), ("BSS", "RAM"), ("HEAP", "RAM"), ("STACK", "RAM")];
    regions.iter().map(|(alias, region)| format!("REGION_ALIAS(\"REGION_{alias}\", {region});\n")).collect()
}

/// Buffers are shares of the RAM, capped where more would serve no model within the limits.
fn board_constants(board: &str, ram_bytes: usize) -> String {
    let scratch_words = (ram_bytes / 4).min(64 << 10) / 4;
    let chunk_words = (ram_bytes / 16).min(16 << 10) / 4;
    format!(
        "/// The board's name, as in `BOARD`.\npub(crate) const NAME: &str = {board:?};\n\
         /// Scratch memory of the evaluation, in words of 32 bits.\npub(crate) const SCRATCH_WORDS: usize = {scratch_words};\n\
         /// Size of the buffer of points and of the buffer of outputs, in f32 values.\n#[cfg(not(baked_model))]\npub(crate) const CHUNK_WORDS: usize = {chunk_words};\n"
    )
}

/// The LENGTH of the region RAM in a linker script whose lengths are in K or M.
fn ram_bytes(layout: &str) -> Option<usize> {
    let line = layout.lines().find(|line| line.trim_start().starts_with("RAM"))?;
    let length = line.split("LENGTH").nth(1)?.trim_matches([' ', '=']);
    let (digits, unit) = length.split_at(length.len() - 1);
    let shift = match unit {
        "K" => 10,
        "M" => 20,
        _ => return None,
    };
    Some(digits.trim().parse::<usize>().ok()? << shift)
}

fn bake_model(out_dir: &Path) -> Result<(), String> {
    let Some(model) = env::var_os("MODEL").filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let path = named_file("MODEL", &model)?;
    fs::copy(&path, out_dir.join("model.ffm")).map_err(|e| format!("MODEL={}: {e}", path.display()))?;
    println!("cargo::rustc-cfg=baked_model");
    Ok(())
}

/// The maker's public key, by which the program `updater` knows models.
fn copy_public_key(out_dir: &Path) -> Result<(), String> {
    let key = env::var_os("PUBLIC_KEY").filter(|path| !path.is_empty());
    let key = key.ok_or("the feature `updater` needs a public key: set PUBLIC_KEY=path; `trainer key` makes one")?;
    let path = named_file("PUBLIC_KEY", &key)?;
    let bytes = fs::read(&path).map_err(|e| format!("PUBLIC_KEY={}: {e}", path.display()))?;
    if bytes.len() != 32 {
        return Err(format!(
            "{} has {} bytes, and a public key has 32; `trainer key` makes one",
            path.display(),
            bytes.len()
        ));
    }
    fs::write(out_dir.join("public_key"), bytes).map_err(|e| format!("PUBLIC_KEY={}: {e}", path.display()))
}

/// The file that an environment variable names. Cargo runs build scripts in the package's folder, users type paths
/// relative to the workspace.
fn named_file(variable: &str, given: &OsStr) -> Result<PathBuf, String> {
    let given = Path::new(given);
    let path = if given.is_relative() { Path::new("..").join(given) } else { given.to_owned() };
    let path = path.canonicalize().map_err(|e| {
        format!("{variable}={}: {e}; give a path relative to the workspace, or an absolute one", given.display())
    })?;
    println!("cargo::rerun-if-changed={}", path.display());
    Ok(path)
}

fn known_boards() -> Vec<String> {
    let entries = fs::read_dir("memory").into_iter().flatten().flatten();
    let mut boards: Vec<String> =
        entries.filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned())).collect();
    boards.sort();
    boards
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
}
