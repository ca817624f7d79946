//! Options that people type first and that this program calls otherwise: each is refused with the one that is meant.
//! Names that mean the same are aliases of it, and not here.

/// What no argument can be.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::cli) enum Never {}

type Refusal = Result<Never, String>;

fn epochs(_: &str) -> Refusal {
    Err("training is counted in updates of the parameters; give their number with --steps".to_owned())
}

fn layers(_: &str) -> Refusal {
    Err("--hidden takes the widths of the hidden layers, one after another, as in --hidden 64,64,64".to_owned())
}

fn features(_: &str) -> Refusal {
    Err("each frequency gives two features, a cosine and a sine; give half their number with --frequencies".to_owned())
}

/// Hidden options; to give one is an error.
#[derive(clap::Args, Default, PartialEq)]
pub(in crate::cli) struct Misnamed {
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "", value_parser = epochs)]
    epochs: Option<Never>,
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "", value_parser = layers)]
    #[arg(aliases = ["num-layers", "width", "depth", "hidden-size"])]
    layers: Option<Never>,
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "", value_parser = features)]
    #[arg(alias = "num-features")]
    features: Option<Never>,
}
