//! `trainer ntk`: the kernel theory on points of your own.

mod arrays;
mod empirical;
mod gap;
mod gram;
mod kernel;
mod predict;
mod spectrum;

/// Compute kernel matrices, their spectra, and what training predicts from them, for networks of infinite width; the
/// kernel of a trained network; and how far finite networks are from infinite ones.
///
/// Points are .npy arrays [n] or [n, d] and are used as they stand, in their own units; results are .npy arrays of f64.
/// See the subcommands for the details.
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
