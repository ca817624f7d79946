//! The commands of `cargo xtask`, one a file.

pub mod bench;
pub mod demo;
pub mod device;
pub mod export_c;
pub mod fuzz;
pub mod nerf_device;
pub mod parity;
pub mod results;
pub mod scales;
pub mod test;
pub mod wasm;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The command line of `cargo xtask`.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The commands of the workspace: tests, and devices under QEMU")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Bench(bench::Args),
    Demo(demo::Args),
    Device(device::Args),
    Fuzz(fuzz::Args),
    ExportC(export_c::Args),
    NerfDevice(nerf_device::Args),
    Parity(parity::Args),
    Results(results::Args),
    Scales(scales::Args),
    Test(test::Args),
    Wasm(wasm::Args),
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// Where the command fails.
    pub fn run(&self) -> Result<()> {
        match &self.command {
            Command::Bench(args) => bench::run(args),
            Command::Demo(args) => demo::run(args),
            Command::Device(args) => device::run(args),
            Command::Fuzz(args) => fuzz::run(args),
            Command::ExportC(args) => export_c::run(args),
            Command::NerfDevice(args) => nerf_device::run(args),
            Command::Parity(args) => parity::run(args),
            Command::Results(args) => results::run(args),
            Command::Scales(args) => scales::run(args),
            Command::Test(args) => test::run(args),
            Command::Wasm(args) => wasm::run(args),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    const PROGRAM: &str = "cargo xtask ";

    /// The lines of a text, and the spans of inline code in it, that begin with `cargo xtask`, without comments.
    fn commands_in(text: &str) -> Vec<&str> {
        let pieces = text.lines().flat_map(|line| line.split('`')).map(str::trim);
        pieces.filter(|piece| piece.starts_with(PROGRAM)).filter_map(|piece| piece.split(" #").next()).collect()
    }

    /// Why a line is refused.
    fn refusal(line: &str) -> Option<String> {
        let words = ["cargo xtask"].into_iter().chain(line.strip_prefix(PROGRAM)?.split_whitespace());
        // The name of a command alone is how texts speak of it.
        if Cli::command().find_subcommand(line.strip_prefix(PROGRAM)?.trim()).is_some() {
            return None;
        }
        Cli::try_parse_from(words).err().map(|error| format!("{line}: {error}"))
    }

    #[test]
    fn commands_in_the_documents_are_understood() {
        for (document, least) in [
            (include_str!("../../../README.md"), 3),
            (include_str!("../../../trainer/README.md"), 3),
            (include_str!("../../../firmware-core/README.md"), 2),
            (include_str!("../../../firmware-core/c/README.md"), 1),
            (include_str!("../../README.md"), 10),
            (include_str!("../../CONTRIBUTING.md"), 5),
        ] {
            let commands = commands_in(document);
            assert!(commands.len() >= least, "{commands:?}");
            let refused: Vec<String> = commands.iter().filter_map(|command| refusal(command)).collect();
            assert!(refused.is_empty(), "{}", refused.join("\n"));
        }
    }

    #[test]
    fn commands_that_documents_must_not_hold_are_found() {
        let text = "Type `cargo xtask test --fats` or `cargo xtask bench`.\n```sh\ncargo xtask demos   # why\n\
                    cargo xtask parity --samples 10 --board all # fine\n```\n";
        let commands = commands_in(text);
        assert_eq!(commands[0], "cargo xtask test --fats");
        let refused: Vec<bool> = commands.iter().map(|command| refusal(command).is_some()).collect();
        assert_eq!(refused, [true, false, true, false]);
    }

    #[test]
    fn the_help_of_every_command_has_an_example_that_is_understood() {
        for command in Cli::command().get_subcommands() {
            let help = command.clone().render_long_help().to_string();
            let examples = help.split("Example: ").skip(1).filter_map(|rest| rest.lines().next());
            let examples: Vec<&str> = examples.flat_map(commands_in).collect();
            assert!(!examples.is_empty(), "{}: {help}", command.get_name());
            let refused: Vec<String> = examples.iter().filter_map(|example| refusal(example)).collect();
            assert!(refused.is_empty(), "{}", refused.join("\n"));
        }
    }
}
