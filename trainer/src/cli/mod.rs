//! The command line: one file for each command, with its arguments and its `run`.
//!
//! Results go to standard output (with `--json` as one object), progress and notes to standard error. Every failure is
//! one sentence on standard error and a non-zero exit.

mod certify;
mod cryo;
mod design;
mod evaluate;
mod export;
mod faults;
mod fit;
mod hold;
mod import;
mod inspect;
mod interrupt;
mod inverse;
mod key;
mod nerf;
mod new_directories;
mod ntk;
mod number;
mod outputs;
mod predict;
mod quantize;
mod reading;
mod reproduce;
mod send;
mod sign;
mod sweep;
mod trained;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use trainer::fit::encoding_option::EncodingOption;
use trainer::network::encoding::{Encoding, EncodingKind, EncodingParams};

/// The program `trainer`: reads the arguments, runs the command, and says in one sentence what went wrong.
pub fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The causes after colons: one sentence.
            trainer::note!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Train Fourier-feature networks, and write them as model files for microcontrollers.
#[derive(Parser)]
#[command(name = "trainer", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    // Models.
    #[command(visible_alias = "train")]
    Fit(fit::Fit),
    #[command(visible_alias = "eval")]
    Evaluate(evaluate::Evaluate),
    Predict(predict::Predict),
    #[command(visible_alias = "info")]
    Inspect(inspect::Inspect),
    Quantize(quantize::Quantize),
    Export(export::Export),
    Certify(Box<certify::Certify>),
    Faults(Box<faults::Faults>),
    Import(Box<import::Import>),
    // The search for a good one.
    Design(Box<design::Design>),
    Sweep(Box<sweep::Sweep>),
    Collect(sweep::Collect),
    // Theory.
    Ntk(ntk::Ntk),
    Reproduce(reproduce::Reproduce),
    // Applications.
    Nerf(nerf::Nerf),
    Cryo(cryo::Cryo),
    Inverse(inverse::Inverse),
    // Updates of devices.
    Key(key::Key),
    Sign(sign::Sign),
    Send(send::Send),
}

impl Cli {
    /// Runs the chosen command.
    fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Certify(command) => command.run(),
            Command::Cryo(command) => command.run(),
            Command::Collect(command) => command.run(),
            Command::Design(command) => command.run(),
            Command::Evaluate(command) => command.run(),
            Command::Export(command) => command.run(),
            Command::Faults(command) => command.run(),
            Command::Fit(command) => command.run(),
            Command::Import(command) => command.run(),
            Command::Inspect(command) => command.run(),
            Command::Inverse(command) => command.run(),
            Command::Key(command) => command.run(),
            Command::Nerf(command) => command.run(),
            Command::Ntk(command) => command.run(),
            Command::Predict(command) => command.run(),
            Command::Quantize(command) => command.run(),
            Command::Reproduce(command) => command.run(),
            Command::Send(command) => command.run(),
            Command::Sign(command) => command.run(),
            Command::Sweep(command) => command.run(),
        }
    }
}

/// Says which of the options given (whether, what it sets, its name) change nothing with an encoding: scripts that go
/// through the encodings may leave them on the line.
fn warn_of_options_without_effect(encoding: EncodingKind, options: &[(bool, EncodingOption, &'static str)]) {
    for &(given, option, name) in options {
        if let (true, Err(warning)) = (given, option.check(name, encoding)) {
            trainer::note!("warning: {warning}");
        }
    }
}

/// Says if fewer frequencies are used than were asked for.
fn warn_of_uneven_frequencies(encoding: &EncodingParams, axes: usize) {
    let (asked, used) = (encoding.frequencies, encoding.shared_frequencies(axes));
    if used < asked {
        trainer::note!("warning: {axes} axes cannot share {asked} frequencies evenly; {used} are used");
    }
}

/// Says once if frequencies of these settings (what of them are told apart, and the encoding) add nothing.
fn warn_of_redundant_frequencies<'a>(settings: impl IntoIterator<Item = (&'a EncodingParams, &'a Encoding)>) {
    let (mut all, mut found) = (0, Vec::new());
    for (params, encoding) in settings {
        all += 1;
        let mut redundant = encoding.redundant();
        if params.notebook {
            // The published code begins every axis with 2^0 - 1.
            redundant.zero = redundant.zero.saturating_sub(encoding.inputs() - encoding.passthrough());
        }
        if redundant.count() > 0 {
            found.push((redundant, params));
        }
    }
    let Some((worst, params)) = found.iter().max_by_key(|(redundant, _)| redundant.count()) else { return };
    let remedy = if params.kind.has_scale() {
        "give a larger --scale or fewer --frequencies"
    } else {
        "leave them out of --frequency-list"
    };
    let which = match found.len() {
        count if all > 1 => format!("in {count} of {all} settings, at worst "),
        _ => String::new(),
    };
    trainer::note!("warning: {which}{worst}; {remedy}");
}

/// Writes a result to standard output. A reader that has closed the pipe, such as `head`, is no failure.
fn print(text: &str) -> anyhow::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// Calls `each` with every command that has no commands of its own, and with its words after the program's name.
    fn leaves(command: &clap::Command, words: &str, each: &mut impl FnMut(&clap::Command, &str)) {
        if !command.has_subcommands() {
            each(command, words);
        }
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            leaves(inner, format!("{words} {}", inner.get_name()).trim_start(), each);
        }
    }

    /// The lines of fenced blocks and the spans of inline code that call this program, without comments.
    fn commands_in(markdown: &str) -> Vec<String> {
        let (mut is_fenced, mut commands) = (false, Vec::new());
        for line in markdown.lines() {
            if line.starts_with("```") {
                is_fenced = !is_fenced;
            } else if is_fenced {
                commands.push(line.split(" #").next().unwrap_or_default());
            } else {
                commands.extend(line.split('`').skip(1).step_by(2));
            }
        }
        let called = commands.into_iter().filter_map(|command| {
            let command = command.trim().trim_start_matches("$ ");
            command.strip_prefix("cargo run -p trainer -- ").or_else(|| command.strip_prefix("trainer "))
        });
        called.map(str::to_owned).collect()
    }

    /// Why the program refuses a line. The names of commands alone are how texts speak of them.
    fn refusal(line: &str) -> Option<String> {
        let mut words = line.split_whitespace().peekable();
        let (root, mut command) = (Cli::command(), None);
        while let Some(inner) = words.peek().and_then(|word| command.unwrap_or(&root).find_subcommand(word)) {
            command = Some(inner);
            words.next();
        }
        if command.is_some() && words.peek().is_none() {
            return None;
        }
        let arguments = ["trainer"].into_iter().chain(line.split_whitespace());
        Cli::try_parse_from(arguments).err().map(|error| format!("trainer {line}: {error}"))
    }

    #[test]
    fn commands_in_the_documents_are_understood() {
        for (document, least) in [
            (include_str!("../../../README.md"), 10),
            (include_str!("../../README.md"), 20),
            (include_str!("../../NETWORK.md"), 4),
            (include_str!("../../../firmware-core/README.md"), 5),
            (include_str!("../../../firmware-core/c/README.md"), 1),
            (include_str!("../../../firmware-cortexm/README.md"), 3),
            (include_str!("../../../tests/CONTRIBUTING.md"), 1),
        ] {
            let commands = commands_in(document);
            assert!(commands.len() >= least, "{commands:?}");
            let refused: Vec<String> = commands.iter().filter_map(|command| refusal(command)).collect();
            assert!(refused.is_empty(), "{}", refused.join("\n"));
        }
    }

    #[test]
    fn commands_that_documents_must_not_hold_are_found() {
        let text = "Type `trainer fit a.csv --ouk b` or `trainer cryo`.\n```text\n$ cargo run -p trainer -- fit --json # why\n\
                    trainer inspect a.ffm   # fine\n```\n";
        let commands = commands_in(text);
        assert_eq!(commands, ["fit a.csv --ouk b", "cryo", "fit --json", "inspect a.ffm"]);
        let refused: Vec<bool> = commands.iter().map(|command| refusal(command).is_some()).collect();
        assert_eq!(refused, [true, false, true, false]);
    }

    #[test]
    fn the_help_of_every_command_ends_with_an_example_of_it() {
        let mut without = Vec::new();
        leaves(&Cli::command(), "", &mut |command, words| {
            let end = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            if !end.contains(&format!("trainer {words} ")) {
                without.push(words.to_owned());
            }
        });
        assert!(without.is_empty(), "without an example: {without:?}");
    }
}
