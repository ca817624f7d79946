//! The `trainer` command. The library holds the logic; [`cli`] parses arguments and prints.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The causes after colons: one sentence.
            trainer::note!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
