//! Which tensor of a file is which part of the network, by the names that common programs give them.
//!
//! | program | names |
//! | --- | --- |
//! | Tancik's layout, and what runs of this program write | `B`, `layers.N.weight`, `layers.N.bias` |
//! | `torch.nn.Sequential` | `0.weight`, `2.weight`, … |
//! | `rff` (random-fourier-features-pytorch) | `0.b`, `1.weight`, `3.weight`, … |
//! | SIREN's notebook, COIN | `net.N.linear.weight`, `net.N.weight` or `last_layer.linear.weight` |
//! | SIREN's `SingleBVPNet` | `net.net.N.0.weight` |
//! | siren-pytorch | `net.N.weight` or `layers.N.weight`, `last_layer.weight` |
//! | Flax | `Dense_N.kernel`, `Dense_N.bias` |
//! | Haiku, stax | `linear_N.w`, `linear_N.b` |
//!
//! Layers follow each other in the order of the numbers in their names; those that are called last, final, out, output
//! or head come last.

use std::collections::BTreeMap;
use std::path::Path;

use super::params::{Layout, Part};
use super::{ImportError, ImportParams};
use crate::store::tensors::Tensors;

/// The tensors of a network by their names.
#[derive(Debug)]
pub(super) struct Roles {
    pub(super) frequencies: Option<String>,
    pub(super) amplitudes: Option<String>,
    /// First to last.
    pub(super) layers: Vec<LayerNames>,
    pub(super) style: Style,
}

#[derive(Clone, Debug, Default)]
pub(super) struct LayerNames {
    pub(super) weight: String,
    pub(super) bias: Option<String>,
}

/// What the names tell of the activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// The names do not tell.
    Unknown,
    /// Sine layers with one ω₀ for all, and whether the last layer is one too.
    Sine { to_the_end: bool },
    /// Those of siren-pytorch, whose first layer has an ω₀ of its own.
    SirenPytorch,
}

const FREQUENCIES: [&str; 11] = [
    "b",
    "_b",
    "bvals",
    "bval",
    "b_matrix",
    "b_gauss",
    "freqs",
    "frequencies",
    "frequency_matrix",
    "freq_matrix",
    "gaussian_matrix",
];
const AMPLITUDES: [&str; 4] = ["a", "avals", "a_vals", "amplitudes"];
const FIRST: [&str; 3] = ["first", "input", "in"];
const LAST: [&str; 6] = ["last", "final", "out", "output", "outermost", "head"];

/// Finds the parts; every tensor must be one, or ignored.
///
/// # Errors
/// With the names of tensors that are missing, left over or could be the same part.
pub(super) fn find(path: &Path, tensors: &Tensors, params: &ImportParams) -> Result<Roles, ImportError> {
    let there: BTreeMap<&str, &[usize]> = tensors.shapes().collect();
    let missing = |name: &str| ImportError::Missing {
        path: path.to_owned(),
        name: name.to_owned(),
        there: listed(there.iter().map(|(&name, &shape)| (name, shape))),
    };
    let mut left = there.clone();
    let mut take = |name: &str| left.remove(name).map(|_| name.to_owned()).ok_or_else(|| missing(name));
    for name in &params.ignore {
        take(name)?;
    }
    let (mut frequencies, mut amplitudes, mut mapped) = (None, None, BTreeMap::<usize, LayerNames>::new());
    for mapping in &params.map {
        let name = &mapping.name;
        match mapping.part {
            Part::Frequencies => frequencies = Some(take(name)?),
            Part::Amplitudes => amplitudes = Some(take(name)?),
            Part::Weight(layer) => mapped.entry(layer).or_default().weight = take(name)?,
            Part::Bias(layer) => mapped.entry(layer).or_default().bias = Some(take(name)?),
            Part::Layer(layer) => {
                let of = |leaves: &[&str]| {
                    let names = leaves.iter().flat_map(|leaf| [format!("{name}.{leaf}"), format!("{name}/{leaf}")]);
                    names.into_iter().find(|name| there.contains_key(name.as_str()))
                };
                let weight = of(&["weight", "kernel", "w", "W"]).ok_or_else(|| missing(&format!("{name}.weight")))?;
                let bias = of(&["bias", "b"]);
                let names = mapped.entry(layer).or_default();
                names.weight = take(&weight)?;
                names.bias = bias.map(|bias| take(&bias)).transpose()?;
            }
        }
    }
    let mut layers: Vec<(String, LayerNames)> = Vec::new();
    let rest: Vec<(&str, &[usize])> = left.into_iter().collect();
    let is_bias_of = |stem: &str, (name, shape): &(&str, &[usize])| {
        let (of, leaf) = split(name);
        of == stem && shape.len() == 1 && ["bias", "b"].contains(&&*leaf)
    };
    let mut unused = Vec::new();
    for &(name, shape) in &rest {
        let (stem, leaf) = split(name);
        let is_matrix = shape.len() >= 2;
        if mapped.is_empty() && is_matrix && ["weight", "kernel", "w"].contains(&&*leaf) {
            let bias = rest.iter().find(|tensor| is_bias_of(stem, tensor)).map(|(name, _)| (*name).to_owned());
            layers.push((stem.to_owned(), LayerNames { weight: name.to_owned(), bias }));
        } else if is_matrix && FREQUENCIES.contains(&&*leaf) {
            if let Some(first) = frequencies.replace(name.to_owned()) {
                return Err(ImportError::TwoFrequencies { first, second: name.to_owned() });
            }
        } else if shape.len() == 1 && amplitudes.is_none() && AMPLITUDES.contains(&&*leaf) {
            amplitudes = Some(name.to_owned());
        } else {
            unused.push((name, shape));
        }
    }
    if let (None, Some(name)) = (&frequencies, &amplitudes) {
        unused.extend(rest.iter().find(|(left, _)| left == name));
    }
    unused.retain(|(name, _)| !layers.iter().any(|(_, layer)| layer.bias.as_deref() == Some(*name)));
    if !unused.is_empty() {
        let (remedy, unused) = (remedy(unused.iter().map(|(name, _)| *name)), listed(unused));
        return Err(ImportError::Unused { path: path.to_owned(), unused, remedy });
    }
    layers.sort_by_cached_key(|(stem, _)| order(stem));
    let style = style(&layers);
    let layers: Vec<LayerNames> = if mapped.is_empty() {
        layers.into_iter().map(|(_, names)| names).collect()
    } else {
        // Numbers of layers may have gaps, as those of nn.Sequential; a bias needs its weights.
        let without = mapped.iter().find(|(_, names)| names.weight.is_empty());
        if let Some((number, _)) = without {
            return Err(missing(&format!("that is named layers.{number}.weight in --map")));
        }
        mapped.into_values().collect()
    };
    if layers.is_empty() {
        let there = listed(there);
        return Err(ImportError::NoLayers { path: path.to_owned(), there });
    }
    Ok(Roles { frequencies, amplitudes, layers, style })
}

impl LayerNames {
    /// How the weights lie, as their name tells.
    pub(super) fn layout(&self) -> Layout {
        match &*split(&self.weight).1 {
            "kernel" | "w" => Layout::InOut,
            _ => Layout::OutIn,
        }
    }
}

/// What stands before the last dot or slash of a name, and what behind it in small letters.
fn split(name: &str) -> (&str, String) {
    let (stem, leaf) = name.rsplit_once(['.', '/']).unwrap_or(("", name));
    (stem, leaf.to_lowercase())
}

/// Names with their shapes, for people.
fn listed<'a>(tensors: impl IntoIterator<Item = (&'a str, &'a [usize])>) -> String {
    const MOST: usize = 12;
    let all: Vec<String> = tensors.into_iter().map(|(name, shape)| format!("{name} {shape:?}")).collect();
    let more = all.len().saturating_sub(MOST);
    let shown = all[..all.len() - more].join(", ");
    match (all.len(), more) {
        (0, _) => "none".to_owned(),
        (_, 0) => shown,
        _ => format!("{shown} and {more} more"),
    }
}

/// What can be done about tensors of these names.
fn remedy<'a>(names: impl Iterator<Item = &'a str>) -> &'static str {
    let leaves: Vec<String> = names.map(|name| split(name).1).collect();
    let any = |wanted: &[&str]| leaves.iter().any(|leaf| wanted.contains(&leaf.as_str()));
    if any(&["running_mean", "running_var", "num_batches_tracked"]) {
        "; batch normalization must be multiplied into the layer before it"
    } else if any(&["weight_g", "weight_v", "original0", "original1"]) {
        "; take weight normalization away before saving, with torch.nn.utils.parametrize.remove_parametrizations"
    } else if any(&["weight", "scale"]) {
        "; a device has no normalization of layers"
    } else {
        ", or say what they are with --map"
    }
}

/// A name as it is ordered: numbers by their size.
fn order(stem: &str) -> (u8, Vec<(String, u64)>) {
    let is_digit = |c: char| c.is_ascii_digit();
    let words = stem.split(|c: char| !c.is_ascii_alphanumeric());
    let place = words.map(str::to_lowercase).fold(1, |place, word| match &*word {
        word if LAST.contains(&word) => 2,
        word if FIRST.contains(&word) => 0,
        _ => place,
    });
    let (mut pieces, mut rest) = (Vec::new(), stem);
    while !rest.is_empty() {
        let (text, behind) = rest.split_at(rest.find(is_digit).unwrap_or(rest.len()));
        let (number, behind) = behind.split_at(behind.find(|c| !is_digit(c)).unwrap_or(behind.len()));
        pieces.push((text.to_owned(), number.parse().unwrap_or(0)));
        rest = behind;
    }
    (place, pieces)
}

fn style(layers: &[(String, LayerNames)]) -> Style {
    let stems: Vec<&str> = layers.iter().map(|(stem, _)| stem.as_str()).collect();
    let is_linear = |stem: &&str| stem.ends_with(".linear");
    let last = stems.last().copied().unwrap_or_default();
    let is_last = last.contains("last");
    let is_block = |stem: &&str| {
        let mut parts = stem.rsplit('.');
        parts.next() == Some("0") && parts.next().is_some_and(|part| part.parse::<u32>().is_ok())
    };
    if stems.iter().any(is_linear) {
        Style::Sine { to_the_end: is_linear(&last) && !is_last }
    } else if stems.iter().all(is_block) {
        Style::Sine { to_the_end: false }
    } else if is_last && layers.len() > 1 && stems[..stems.len() - 1].iter().all(|stem| !stem.contains("last")) {
        Style::SirenPytorch
    } else {
        Style::Unknown
    }
}
