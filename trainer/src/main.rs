//! The `trainer` command. The library holds all of it, so that nothing is compiled twice; see [`trainer::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    trainer::cli::main()
}
