//! What is trained and how, on the command line: options that all commands with networks share.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, ValueEnum};
use trainer::fit::encoding_option::EncodingOption;
use trainer::network::encoding::{EncodingKind, EncodingParams};
use trainer::network::grid::{GridParams, Nodes};
use trainer::training::muon::Muon;
use trainer::training::optimizer::Optimizer;

use super::number::whole;

/// Headings of the help. Each option names its own: a heading for all that follow would also be that of the command's
/// own options.
pub(in crate::cli) const ENCODING: &str = "Encoding";
pub(in crate::cli) const TRAINING: &str = "Training";

/// Adds a note in brackets to the help of a shared option: its default, where that differs from command to command.
pub(in crate::cli) fn with_note(option: Arg, note: &str) -> Arg {
    let help = option.get_help().map(ToString::to_string).unwrap_or_default();
    option.help(format!("{help} [{note}]"))
}

/// Reads the name of an encoding before a network: any but a table.
pub(in crate::cli) fn encoding_of_network() -> impl TypedValueParser<Value = EncodingKind> {
    let kinds = EncodingKind::value_variants().iter().filter(|&&kind| kind != EncodingKind::Table);
    PossibleValuesParser::new(kinds.filter_map(ValueEnum::to_possible_value))
        .try_map(|name| <EncodingKind as ValueEnum>::from_str(&name, false))
}

/// Whether Gaussian frequencies are trained.
#[derive(clap::Args, Default, PartialEq)]
pub(in crate::cli) struct FrequenciesArgs {
    /// For gaussian: keep the random frequencies as they were drawn
    #[arg(long, help_heading = ENCODING, display_order = 7, conflicts_with = "frequencies_learned")]
    frequencies_fixed: bool,
    /// For gaussian: train the frequencies with the network
    #[arg(long, help_heading = ENCODING, display_order = 7)]
    frequencies_learned: bool,
}

impl FrequenciesArgs {
    /// Sets what is given in the settings of an encoding whose kind is known.
    pub(in crate::cli) fn set(&self, encoding: &mut EncodingParams) {
        let wanted = (encoding.learned || self.frequencies_learned) && !self.frequencies_fixed;
        encoding.learned = wanted && encoding.kind == EncodingKind::Gaussian;
    }

    /// What is given, to [warn](super::warn_of_options_without_effect) of.
    pub(in crate::cli) fn given(&self) -> [(bool, EncodingOption, &'static str); 2] {
        [
            (self.frequencies_fixed, EncodingOption::LearnedFrequencies, "--frequencies-fixed"),
            (self.frequencies_learned, EncodingOption::LearnedFrequencies, "--frequencies-learned"),
        ]
    }
}

/// The grids of an encoding.
#[derive(clap::Args, Default, PartialEq)]
pub(in crate::cli) struct GridArgs {
    /// For grids: nodes of each grid, along every axis as in 48, or along each axis as in 48x32, the first input first
    #[arg(
        long, help_heading = ENCODING, display_order = 8, value_delimiter = ',', value_name = "NODES",
        value_parser = str::parse::<Nodes>, action = ArgAction::Set
    )]
    levels: Option<Vec<Nodes>>,
    /// For grids before a network: values at each node of a grid [default: 2]
    #[arg(long, help_heading = ENCODING, display_order = 9, value_parser = whole::<usize>)]
    channels: Option<usize>,
    /// For grids: order of the splines between the nodes, 1 (linear) or 2 (quadratic: smoother, and about
    /// twice the work for two inputs) [default: 1]
    #[arg(long, help_heading = ENCODING, display_order = 10)]
    order: Option<u8>,
    /// For grids: bits of a coefficient, 4 to 8 [default: 8]
    #[arg(long, help_heading = ENCODING, display_order = 11)]
    bits: Option<u8>,
}

impl GridArgs {
    /// Sets what is given.
    pub(in crate::cli) fn set(&self, grid: &mut GridParams) {
        if let Some(levels) = &self.levels {
            grid.levels.clone_from(levels);
        }
        grid.channels = self.channels.unwrap_or(grid.channels);
        grid.order = self.order.unwrap_or(grid.order);
        grid.bits = self.bits.unwrap_or(grid.bits);
    }

    /// What is given, to [warn](super::warn_of_options_without_effect) of.
    pub(in crate::cli) fn given(&self) -> [(bool, EncodingOption, &'static str); 4] {
        [
            (self.levels.is_some(), EncodingOption::Grid, "--levels"),
            (self.channels.is_some(), EncodingOption::Channels, "--channels"),
            (self.order.is_some(), EncodingOption::Grid, "--order"),
            (self.bits.is_some(), EncodingOption::Grid, "--bits"),
        ]
    }
}

/// How gradients become updates.
#[derive(clap::Args, Default, PartialEq)]
pub(in crate::cli) struct OptimizerArgs {
    /// How gradients become updates: muon makes the update of each weight matrix but the last orthogonal (Jordan et al.
    /// 2024), and moves everything else as adam does
    #[arg(long, help_heading = TRAINING, display_order = 5)]
    optimizer: Option<OptimizerArg>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum OptimizerArg {
    Muon,
    Adam,
}

impl OptimizerArgs {
    /// Sets what is given.
    pub(in crate::cli) fn set(&self, optimizer: &mut Optimizer) {
        match self.optimizer {
            Some(OptimizerArg::Adam) => *optimizer = Optimizer::default(),
            Some(OptimizerArg::Muon) => *optimizer = Optimizer::Muon(Muon::default()),
            None => {}
        }
    }
}
