//! `cargo xtask`: the commands of the workspace.

use std::process::ExitCode;

use clap::Parser as _;
use tests::commands::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
