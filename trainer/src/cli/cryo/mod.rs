//! `trainer cryo`: particles of a moving molecule, and its volumes from them.

mod compare;
mod fit;
mod synthesize;

/// Recover the volumes of a moving protein from noisy microscope images, as CryoDRGN does, at desktop size.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  trainer cryo synthesize --out kinase\n  \
                        trainer cryo fit kinase/poses.csv --out runs/kinase\n  \
                        trainer cryo compare kinase/poses.csv --out runs/encodings")]
pub(crate) struct Cryo {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Compare(compare::Compare),
    Fit(Box<fit::Fit>),
    Synthesize(synthesize::Synthesize),
}

impl Cryo {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Compare(command) => command.run(),
            Command::Fit(command) => command.run(),
            Command::Synthesize(command) => command.run(),
        }
    }
}
