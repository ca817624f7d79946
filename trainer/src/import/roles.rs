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

use super::params::{Layout, Mapping, Part};
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
    let there: Shapes<'_> = tensors.shapes().collect();
    let mut tensors = Unplaced { path, left: there.clone(), there };
    for name in &params.ignore {
        tensors.take(name)?;
    }
    let mut parts = Parts::default();
    params.map.iter().try_for_each(|mapping| parts.map(mapping, &mut tensors))?;
    let unused = parts.recognize(&tensors.left())?;
    if !unused.is_empty() {
        let (remedy, unused) = (remedy(unused.iter().map(|(name, _)| *name)), listed(unused));
        return Err(ImportError::Unused { path: path.to_owned(), unused, remedy });
    }
    parts.into_roles(&tensors)
}

/// A name with its shape.
type Tensor<'a> = (&'a str, &'a [usize]);

/// Shapes by name.
type Shapes<'a> = BTreeMap<&'a str, &'a [usize]>;

/// The tensors of a file, and those of them that were not put in their place yet.
struct Unplaced<'a> {
    path: &'a Path,
    there: Shapes<'a>,
    left: Shapes<'a>,
}

impl<'a> Unplaced<'a> {
    fn left(&self) -> Vec<Tensor<'a>> {
        self.left.iter().map(|(&name, &shape)| (name, shape)).collect()
    }

    /// The names of all tensors, for people.
    fn listed(&self) -> String {
        listed(self.there.iter().map(|(&name, &shape)| (name, shape)))
    }

    fn take(&mut self, name: &str) -> Result<String, ImportError> {
        self.left.remove(name).map(|_| name.to_owned()).ok_or_else(|| self.missing(name))
    }

    fn missing(&self, name: &str) -> ImportError {
        ImportError::Missing { path: self.path.to_owned(), name: name.to_owned(), there: self.listed() }
    }

    /// The tensor of a layer whose last word is one of these.
    fn of_layer(&self, layer: &str, leaves: &[&str]) -> Option<String> {
        let names = leaves.iter().flat_map(|leaf| [format!("{layer}.{leaf}"), format!("{layer}/{leaf}")]);
        names.into_iter().find(|name| self.there.contains_key(name.as_str()))
    }
}

/// The parts of a network as far as they are found.
#[derive(Default)]
struct Parts {
    frequencies: Option<String>,
    amplitudes: Option<String>,
    /// Layers that `--map` names, by their numbers.
    mapped: BTreeMap<usize, LayerNames>,
    /// Layers that are known by their names if none is mapped, each with what stands before `weight`.
    named: Vec<(String, LayerNames)>,
}

impl Parts {
    /// Takes the tensors that `--map` names.
    fn map(&mut self, mapping: &Mapping, tensors: &mut Unplaced<'_>) -> Result<(), ImportError> {
        let name = &mapping.name;
        match mapping.part {
            Part::Frequencies => self.frequencies = Some(tensors.take(name)?),
            Part::Amplitudes => self.amplitudes = Some(tensors.take(name)?),
            Part::Weight(layer) => self.mapped.entry(layer).or_default().weight = tensors.take(name)?,
            Part::Bias(layer) => self.mapped.entry(layer).or_default().bias = Some(tensors.take(name)?),
            Part::Layer(layer) => {
                let weight = tensors.of_layer(name, &["weight", "kernel", "w", "W"]);
                let weight = weight.ok_or_else(|| tensors.missing(&format!("{name}.weight")))?;
                let bias = tensors.of_layer(name, &["bias", "b"]);
                let names = self.mapped.entry(layer).or_default();
                names.weight = tensors.take(&weight)?;
                names.bias = bias.map(|bias| tensors.take(&bias)).transpose()?;
            }
        }
        Ok(())
    }

    /// Finds parts by their names; what is none of them comes back.
    fn recognize<'a>(&mut self, tensors: &[Tensor<'a>]) -> Result<Vec<Tensor<'a>>, ImportError> {
        let are_mapped = !self.mapped.is_empty();
        let mut unused = Vec::new();
        for &(name, shape) in tensors {
            let (stem, leaf) = split(name);
            let is_matrix = shape.len() >= 2;
            if !are_mapped && is_matrix && ["weight", "kernel", "w"].contains(&&*leaf) {
                let bias = tensors.iter().find(|tensor| is_bias_of(stem, tensor)).map(|(name, _)| (*name).to_owned());
                self.named.push((stem.to_owned(), LayerNames { weight: name.to_owned(), bias }));
            } else if is_matrix && FREQUENCIES.contains(&&*leaf) {
                if let Some(first) = self.frequencies.replace(name.to_owned()) {
                    return Err(ImportError::TwoFrequencies { first, second: name.to_owned() });
                }
            } else if shape.len() == 1 && self.amplitudes.is_none() && AMPLITUDES.contains(&&*leaf) {
                self.amplitudes = Some(name.to_owned());
            } else {
                unused.push((name, shape));
            }
        }
        if let (None, Some(name)) = (&self.frequencies, &self.amplitudes) {
            unused.extend(tensors.iter().find(|(left, _)| left == name));
        }
        unused.retain(|(name, _)| !self.named.iter().any(|(_, layer)| layer.bias.as_deref() == Some(*name)));
        Ok(unused)
    }

    /// The layers in their order. Numbers of mapped ones may have gaps, as those of nn.Sequential; a bias needs its
    /// weights.
    fn into_roles(mut self, tensors: &Unplaced<'_>) -> Result<Roles, ImportError> {
        self.named.sort_by_cached_key(|(stem, _)| order(stem));
        let style = style(&self.named);
        if let Some((number, _)) = self.mapped.iter().find(|(_, names)| names.weight.is_empty()) {
            return Err(tensors.missing(&format!("that is named layers.{number}.weight in --map")));
        }
        let layers: Vec<LayerNames> = if self.mapped.is_empty() {
            self.named.into_iter().map(|(_, names)| names).collect()
        } else {
            self.mapped.into_values().collect()
        };
        if layers.is_empty() {
            return Err(ImportError::NoLayers { path: tensors.path.to_owned(), there: tensors.listed() });
        }
        Ok(Roles { frequencies: self.frequencies, amplitudes: self.amplitudes, layers, style })
    }
}

fn is_bias_of(stem: &str, (name, shape): &Tensor<'_>) -> bool {
    let (of, leaf) = split(name);
    of == stem && shape.len() == 1 && ["bias", "b"].contains(&&*leaf)
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
