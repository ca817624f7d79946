//! Sizes and symbols of the firmware.

use anyhow::{Context as _, Result};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionFlags, elf};

/// Memory that a program takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Code, constants and initial values of variables, in bytes, without the model.
    pub flash_bytes: u64,
    /// Variables, in bytes, without the stack.
    pub ram_bytes: u64,
}

/// The board's memory for a model that comes from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelRegion {
    /// Address of the first byte.
    pub start: u64,
    /// Size in bytes.
    pub len: u64,
}

/// Adds up the sections that are flashed and those that lie in RAM.
///
/// # Errors
///
/// Where the bytes are not an ELF file.
pub fn size(bytes: &[u8]) -> Result<Size> {
    let file = parse(bytes)?;
    let mut size = Size { flash_bytes: 0, ram_bytes: 0 };
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags } = section.flags() else { continue };
        if sh_flags & u64::from(elf::SHF_ALLOC) == 0 {
            continue; // debug information and defmt's strings stay on the host
        }
        if matches!(section.name(), Ok(".ARM.exidx" | ".eh_frame" | ".stack" | ".heap")) {
            // The first two are for unwinding, which no firmware does: the runtimes' link.x discards them. The others
            // are what riscv-rt's link.x calls the RAM that is left.
            continue;
        }
        let is_stored = section.kind() != object::SectionKind::UninitializedData;
        let is_variable = sh_flags & u64::from(elf::SHF_WRITE) != 0;
        size.flash_bytes += if is_stored { section.size() } else { 0 };
        size.ram_bytes += if is_variable { section.size() } else { 0 };
    }
    Ok(size)
}

/// The region `MODEL` of the board's memory layout.
///
/// # Errors
///
/// Where the bytes are not an ELF file, or not the firmware's.
pub fn model_region(bytes: &[u8]) -> Result<ModelRegion> {
    let file = parse(bytes)?;
    let address = |name: &str| {
        let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name));
        symbol.map(|symbol| symbol.address()).with_context(|| format!("the firmware has no symbol {name}"))
    };
    let start = address("_model_start")?;
    Ok(ModelRegion { start, len: address("_model_end")? - start })
}

/// The names of the program's functions and variables.
///
/// # Errors
///
/// Where the bytes are not an ELF file.
pub fn symbols(bytes: &[u8]) -> Result<Vec<String>> {
    let file = parse(bytes)?;
    Ok(file.symbols().filter_map(|symbol| symbol.name().ok().map(str::to_owned)).collect())
}

fn parse(bytes: &[u8]) -> Result<object::File<'_>> {
    object::File::parse(bytes).context("the firmware is not an ELF file")
}
