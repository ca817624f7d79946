//! `trainer ntk`: the kernel theory on points of your own.

mod arrays;
mod empirical;
mod gap;
mod gram;
mod kernel;
mod predict;
mod spectrum;

/// Compute neural tangent kernels, their spectra, and what they predict of a training.
///
/// The networks are infinitely wide, except in `empirical` (the kernel of a trained network) and `gap` (finite
/// networks beside the infinite one). Points are .npy arrays [n] or [n, d], used in their own units. Results are .npy
/// arrays of f64.
#[derive(clap::Args)]
pub(crate) struct Ntk {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Gram(gram::Gram),
    Spectrum(spectrum::Spectrum),
    Predict(predict::Predict),
    Empirical(empirical::Empirical),
    Gap(gap::Gap),
}

impl Ntk {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Gram(command) => command.run(),
            Command::Spectrum(command) => command.run(),
            Command::Predict(command) => command.run(),
            Command::Empirical(command) => command.run(),
            Command::Gap(command) => command.run(),
        }
    }
}
