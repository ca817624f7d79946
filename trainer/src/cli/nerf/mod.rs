//! `trainer nerf`: radiance fields.

mod compare;
mod fit;
mod render;
mod synthesize;

use clap::Subcommand;
use trainer::nerf::scene::Part;

/// Learn a scene from pictures of it and draw new views.
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
    /// Those of transforms_val.json, or val_filenames of transforms.json: to choose settings
    Val,
    /// Those of transforms_test.json, or test_filenames of transforms.json: to report, once the settings are chosen
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
