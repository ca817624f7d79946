//! `cargo xtask wasm`: the evaluator that reports run in a browser.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::firmware::{target_folder, workspace};
use crate::process;

/// The target, which `rustup target add` installs.
const TARGET: &str = "wasm32-unknown-unknown";
/// A module's magic number and version.
const MAGIC: &[u8] = b"\0asm\x01\0\0\0";

/// Build the evaluator of the reports (firmware-core/examples/wasm.rs) and put it into
/// trainer/src/report/evaluator.wasm
///
/// It is kept in the repository, so that the trainer needs no second compiler. Renew it after every change of
/// firmware-core that changes what a model computes or accepts.
///
/// Example: cargo xtask wasm
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
///
/// Where cargo fails, or the module cannot be written.
pub fn run(_: &Args) -> Result<()> {
    let workspace = workspace();
    let mut command = process::cargo("build");
    command.args(["--package", "firmware-core", "--example", "wasm", "--target", TARGET, "--profile", "firmware"]);
    process::run(command.current_dir(&workspace))
        .with_context(|| format!("if the target is not installed, type: rustup target add {TARGET}"))?;
    let built = target_folder().join(TARGET).join("firmware/examples/wasm.wasm");
    let module = fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
    let module = without_custom_sections(&module)?;
    let path = workspace.join("trainer/src/report/evaluator.wasm");
    fs::write(&path, &module).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{} ({} bytes)", path.display(), module.len());
    Ok(())
}

/// The module without names and debugging information, which a page does not need.
fn without_custom_sections(module: &[u8]) -> Result<Vec<u8>> {
    let Some(mut rest) = module.strip_prefix(MAGIC) else { bail!("cargo built something else than a module") };
    let mut kept = MAGIC.to_vec();
    while let Some((&id, behind)) = rest.split_first() {
        let (len, digits) = leb128(behind).context("a section of the module has no length")?;
        let end = 1 + digits + len;
        let section = rest.get(..end).context("the module ends within a section")?;
        if id != 0 {
            kept.extend(section);
        }
        rest = &rest[end..];
    }
    Ok(kept)
}

/// A whole number of seven bits a byte, the least first, and how many bytes it takes.
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut number = 0;
    for (k, &byte) in bytes.iter().enumerate().take(5) {
        number |= usize::from(byte & 0x7f) << (7 * k);
        if byte < 0x80 {
            return Some((number, k + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_custom_sections_are_left_out() {
        let long = [&[0u8, 0x83, 0x01][..], &[7; 131]].concat();
        let module = [MAGIC, &[1, 2, 9, 9], &long, &[3, 0], &[0, 1, 5]].concat();
        assert_eq!(without_custom_sections(&module).unwrap(), [MAGIC, &[1, 2, 9, 9, 3, 0]].concat());
        assert!(without_custom_sections(&module[..module.len() - 1]).is_err());
        assert!(without_custom_sections(b"\x7fELF").is_err());
        let committed = fs::read(workspace().join("trainer/src/report/evaluator.wasm")).unwrap();
        assert_eq!(without_custom_sections(&committed).unwrap(), committed);
    }
}
