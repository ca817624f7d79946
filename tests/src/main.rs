//! `cargo xtask`: the commands of the workspace.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tests::commands::{bench, demo, device, nerf_device, parity, results, scales, test};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The commands of the workspace: tests, and devices under QEMU")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Bench(bench::Args),
    Demo(demo::Args),
    Device(device::Args),
    NerfDevice(nerf_device::Args),
    Parity(parity::Args),
    Results(results::Args),
    Scales(scales::Args),
    Test(test::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Bench(args) => bench::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Device(args) => device::run(&args),
        Command::NerfDevice(args) => nerf_device::run(&args),
        Command::Parity(args) => parity::run(&args),
        Command::Results(args) => results::run(&args),
        Command::Scales(args) => scales::run(&args),
        Command::Test(args) => test::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
