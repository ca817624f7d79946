//! `cargo xtask export-c`: firmware-core as a library for C.

use std::path::PathBuf;

use anyhow::Result;

use crate::c_library::{self, ALL_FEATURES, Library};
use crate::provision;

/// Write firmware-core as a library for C and C++: static library, header, CMake package, Zephyr module, Arduino
/// library
///
/// The folder may hold libraries for several targets: repeat the command with another target. Where the target is that
/// of a computer, there is a shared library too, with a module of Python that loads it. README.md in the folder says
/// how to use it.
///
/// Example: cargo xtask export-c --target thumbv7em-none-eabihf --out ffm
#[derive(Clone, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// A target of Rust, such as thumbv6m-none-eabi [default: this computer's]
    #[arg(long)]
    target: Option<String>,
    /// The core, as rustc calls it, where the target alone does not tell: cortex-m33 or cortex-m55 for thumbv8m.main
    #[arg(long)]
    cpu: Option<String>,
    /// Precisions and kinds of models to build in; one precision without the others takes half of the flash
    #[arg(long, default_value = ALL_FEATURES)]
    features: String,
    /// The folder to write; it is made if it is missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs the command.
///
/// # Errors
///
/// Where the target is unknown or not installed, or nothing can be built or written.
pub fn run(args: &Args) -> Result<()> {
    c_library::check_features(&args.features)?;
    let target = args.target.clone().map_or_else(provision::host_target, Ok)?;
    let library = Library { target: &target, cpu: args.cpu.as_deref(), features: &args.features };
    println!("{}", library.export(&args.out)?.display());
    Ok(())
}
