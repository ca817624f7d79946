//! `trainer nerf`: radiance fields.

mod compare;
mod fit;
mod render;
mod synthesize;

use clap::Subcommand;
use trainer::nerf::scene::Part;

/// Learn a scene from pictures of it, and draw new views (NeRF).
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  trainer nerf synthesize --out scene\n  trainer nerf fit scene --out runs/nerf\n  \
                        trainer nerf render runs/nerf --turntable turntable.gif"
)]
pub(crate) struct Nerf {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Synthesize(synthesize::Synthesize),
    Fit(fit::Fit),
    Render(render::Render),
    Compare(compare::Compare),
}

/// Which views a field is judged by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum JudgedBy {
    /// The validation views: those of transforms_val.json, or val_filenames of transforms.json. Use them to choose
    /// settings
    Val,
    /// The test views: those of transforms_test.json, or test_filenames of transforms.json. Use them for the final
    /// report
    #[default]
    Test,
}

impl From<JudgedBy> for Part {
    fn from(views: JudgedBy) -> Self {
        match views {
            JudgedBy::Val => Self::Validation,
            JudgedBy::Test => Self::Test,
        }
    }
}

impl Nerf {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Synthesize(command) => command.run(),
            Command::Fit(command) => command.run(),
            Command::Render(command) => command.run(),
            Command::Compare(command) => command.run(),
        }
    }
}
