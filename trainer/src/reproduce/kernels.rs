//! Encodings of one coordinate as kernels: their shapes, spectra and bandwidths, which one number of each encoding
//! sets.

use std::ops::Range;

use ndarray::{Array1, Array2, Axis};
use plotters::style::RGBColor;
use serde::{Serialize, Serializer};

use super::error::ReproduceError;
use super::monitor::{Event, FigureWatch};
use super::toy::color;
use super::{Claim, Draft, Figure, FigureContent, Options, Table, paragraphs};
use crate::network::encoding::{EncodingKind, EncodingParams};
use crate::report::sheet::{Line, Panel, Plot, Row, Sheet, Stroke};
use crate::report::style;
use crate::theory::kernel::{FourierFeatures, Kernel};
use crate::theory::linalg::gram_eigen;
use crate::theory::ntk::{Covariance, InfiniteMlpParams, NetworkKernel};
use crate::theory::spectrum::bandwidth;

/// Points over one unit, for profiles.
const GRID: usize = 1024;
/// Points over one unit, for eigenvalues.
const POINTS: usize = 128;
/// Frequencies of positional and Fourier encodings.
const FREQUENCIES: usize = 16;
/// Rows of B; the kernel of random features is off that of infinitely many by some 1/√rows.
const GAUSSIAN_ROWS: usize = 1024;
/// Full width at half maximum of e^(-2π²σ²x²), times σ.
const GAUSSIAN_WIDTH: f64 = 0.374_782_2;

/// What the panels of widths show.
const WIDTHS: Range<f64> = 0.006..0.56;

/// One encoding with one setting.
#[derive(Clone, Debug, Serialize)]
struct Numbers {
    /// p or σ.
    #[serde(serialize_with = "as_text")]
    setting: f64,
    /// (x, K(x, 0) / K(0, 0)), x in [-1/2, 1/2), of the features alone.
    features: Vec<(f64, f64)>,
    /// The same of the network behind them.
    network: Vec<(f64, f64)>,
    /// Of the network's Gram matrix on evenly spaced points, over their sum, largest first.
    eigenvalues: Vec<f64>,
    /// Between the points where the features' kernel is halfway from its peak to its lowest value, or one.
    features_width: f64,
    /// The same of the network's.
    network_width: f64,
    /// Root mean square of the frequencies of the network's kernel, cycles per unit.
    network_rms_frequency: f64,
}

/// Infinity is no number in JSON.
fn as_text<S: Serializer>(setting: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&written(*setting))
}

fn written(setting: f64) -> String {
    if setting.is_finite() { setting.to_string() } else { "∞".to_owned() }
}

/// One encoding with several settings.
#[derive(Clone, Debug, Serialize)]
struct Family {
    encoding: &'static str,
    symbol: &'static str,
    members: Vec<Numbers>,
}

/// `f(0), f(h), … f(1/2), … f(-h)` from a kernel that depends on differences only; an even function wraps around.
fn profile(kernel: &impl Kernel) -> Result<Array1<f64>, ReproduceError> {
    let place = |i: usize| if i <= GRID / 2 { i as f64 } else { i as f64 - GRID as f64 } / GRID as f64;
    let points = Array1::from_shape_fn(GRID, place).insert_axis(Axis(1));
    let values = kernel.cross(points.view(), Array2::zeros((1, 1)).view())?.column(0).to_owned();
    let peak = values[0];
    Ok(values / peak)
}

/// From the left to the right.
fn centred(profile: &Array1<f64>) -> Vec<(f64, f64)> {
    let place = |i: usize| (i as f64 / GRID as f64 - 0.5, profile[(i + GRID / 2) % GRID]);
    (0..GRID).map(place).collect()
}

impl Numbers {
    fn new(setting: f64, encoding: &EncodingParams) -> Result<Self, ReproduceError> {
        let features = FourierFeatures::of(encoding, 1)?.expect("these map");
        let of_features = profile(&features)?;
        let network = NetworkKernel {
            features: Some(features),
            network: InfiniteMlpParams::default().check()?,
            covariance: Covariance::Ntk,
        };
        let of_network = profile(&network)?;
        let points = Array1::from_shape_fn(POINTS, |i| i as f64 / POINTS as f64).insert_axis(Axis(1));
        let gram = network.gram(points.view())?;
        let eigenvalues = gram_eigen(gram.view())?.values / gram.diag().sum();
        let width = |profile: &Array1<f64>| -> Result<f64, ReproduceError> {
            Ok(bandwidth(profile.view())?.full_width_half_maximum.map_or(1.0, |width| width / GRID as f64))
        };
        Ok(Self {
            setting,
            features: centred(&of_features),
            network: centred(&of_network),
            eigenvalues: eigenvalues.to_vec(),
            features_width: width(&of_features)?,
            network_width: width(&of_network)?,
            network_rms_frequency: bandwidth(of_network.view())?.rms_frequency,
        })
    }
}

impl Family {
    fn all(seed: u64) -> Result<[Self; 3], ReproduceError> {
        let family = |encoding, symbol, settings: &[f64], encoding_of: &dyn Fn(f64) -> EncodingParams| {
            let members = settings.iter().map(|&setting| Numbers::new(setting, &encoding_of(setting)));
            Ok::<_, ReproduceError>(Self { encoding, symbol, members: members.collect::<Result<_, _>>()? })
        };
        let params = |kind, frequencies| EncodingParams {
            kind,
            frequencies,
            normalize: true,
            seed,
            ..EncodingParams::default()
        };
        Ok([
            family("Fourier, 1/j^p", "p", &[0.0, 0.5, 1.0, 1.5, 2.0, f64::INFINITY], &|amplitude_power| {
                EncodingParams { amplitude_power, ..params(EncodingKind::Fourier, FREQUENCIES) }
            })?,
            family("positional, σ^(j/m)", "σ", &[2.0, 4.0, 8.0, 16.0, 32.0, 64.0], &|scale| EncodingParams {
                scale,
                ..params(EncodingKind::Positional, FREQUENCIES)
            })?,
            family("Gaussian", "σ", &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0], &|scale| EncodingParams {
                scale,
                ..params(EncodingKind::Gaussian, GAUSSIAN_ROWS)
            })?,
        ])
    }

    fn name(&self, member: &Numbers) -> String {
        format!("{} = {}", self.symbol, written(member.setting))
    }

    fn lines(&self, stroke: Stroke, of: impl Fn(&Numbers) -> Vec<(f64, f64)>) -> Vec<Line> {
        let line = |(index, member): (usize, &Numbers)| Line::new(self.name(member), color(index), stroke, of(member));
        self.members.iter().enumerate().map(line).collect()
    }

    fn settings(&self) -> impl Iterator<Item = f64> {
        self.members.iter().map(|member| member.setting)
    }

    fn widths(&self, of: fn(&Numbers) -> f64) -> Vec<f64> {
        self.members.iter().map(of).collect()
    }
}

pub(super) fn make(options: Options, monitor: &FigureWatch<'_>) -> Result<Draft, ReproduceError> {
    (monitor.tell)(Event::Begin { figure: Figure::Kernels.name(), units: 1 });
    let families = Family::all(options.seed)?;
    monitor.advance(1);
    let content = FigureContent {
        title: "One number of an encoding sets the width of its kernel".to_owned(),
        what_you_see: paragraphs([
            "Each column is one encoding γ, with six settings of its one number: the power p of the amplitudes 1/j^p, \
             the highest frequency σ of a positional encoding, or the standard deviation σ of Gaussian frequencies. \
             First row: the tangent kernel of a network behind the encoding, for two points at the distance Δ. It \
             narrows from setting to setting as σ grows, and widens as p grows.",
            "Second row: the eigenvalues of these kernels on evenly spaced points, each as a share of the sum of all, \
             so that the shares of a line add up to one. Beside a wide kernel the line falls steeply; beside a narrow \
             one it is nearly flat. A pair of eigenvectors, a sine and a cosine, belongs to about every frequency: \
             eigenvector number i has about i/2 cycles.",
            "Third row: the width of the kernel against the setting. The width of the features' own kernel with \
             Gaussian frequencies is 0.375/σ, as the theory says; that of the tangent kernel is a little more than \
             half of it.",
        ]),
        why: paragraphs([
            "The features' own kernel is γ(x)·γ(x′) = Σ aⱼ² cos(2πbⱼΔ). It is a sum of waves, one for each frequency, \
             all with their crest at Δ = 0. The higher the frequencies in it, the sooner the waves cancel, and the \
             narrower the crest. Frequencies drawn from a normal distribution of standard deviation σ give the kernel \
             e^(−2π²σ²Δ²). The network behind the features makes of it a tangent kernel which is narrower still.",
            "The eigenvalue of a wave is the strength of that wave in the kernel (its Fourier coefficient). A wide, \
             smooth kernel is made of slow waves, and has only a few large eigenvalues. A network with that kernel \
             learns smooth signals and nothing else. A narrow kernel needs all waves at about the same strength. A \
             network with that kernel learns everything, noise too. p, the highest frequency and σ are one and the \
             same knob.",
        ]),
        method: vec![format!(
            "All features have norm one. The Fourier features are {FREQUENCIES} harmonics with amplitudes 1/j^p; the \
             positional ones are {FREQUENCIES} frequencies σ^(j/m) at even ratios; the Gaussian ones are \
             {GAUSSIAN_ROWS} frequencies from N(0, σ²), so many that the draw hardly matters. The network behind them \
             has infinite width, three hidden layers, σw = √2 and no bias, in the NTK parametrization. Both kernels \
             depend on the difference of two points only. Nothing is trained here."
        )],
        caption: format!(
            "First row: tangent kernels around zero. Second row: eigenvalues of their Gram matrices on {POINTS} points \
             over one unit, as shares of their sum. Third row: full widths at half of the height above the lowest \
             value, of the features' kernel and of the tangent kernel; dashed: the width of e^(−2π²σ²Δ²), the kernel \
             of infinitely many Gaussian features."
        ),
        tables: vec![table(&families)],
        claims: claims(&families),
        numbers: serde_json::to_value(&families)?,
    };
    Ok(Draft { content, sheet: sheet(&families) })
}

fn table(families: &[Family]) -> Table {
    let row = |family: &Family, member: &Numbers| {
        let mut cells = vec![family.encoding.to_owned(), family.name(member)];
        cells.extend([member.features_width, member.network_width].map(|width| format!("{width:.4}")));
        cells.push(format!("{:.2}", member.network_rms_frequency));
        cells
    };
    Table {
        caption: "Widths in units of the coordinate, and the root mean square of the frequencies in the kernel in \
                  cycles per unit"
            .to_owned(),
        head: ["encoding", "setting", "width, features", "width, tangent kernel", "rms frequency, tangent kernel"]
            .map(str::to_owned)
            .into(),
        rows: families.iter().flat_map(|family| family.members.iter().map(move |member| row(family, member))).collect(),
    }
}

fn claims(families: &[Family; 3]) -> Vec<Claim> {
    let list = |widths: &[f64]| widths.iter().map(|width| format!("{width:.4}")).collect::<Vec<_>>().join(", ");
    let [fourier, positional, gaussian] = families;
    let rises = |widths: &[f64]| widths.windows(2).all(|pair| pair[0] < pair[1]);
    let falls = |widths: &[f64]| widths.windows(2).all(|pair| pair[0] > pair[1]);
    let (by_power, by_scale) = (fourier.widths(|m| m.network_width), positional.widths(|m| m.network_width));
    let own = gaussian.widths(|m| m.features_width);
    let off = own.iter().zip(gaussian.settings()).map(|(width, sigma)| (width * sigma / GAUSSIAN_WIDTH - 1.0).abs());
    let off = off.fold(0.0, f64::max);
    let network = gaussian.widths(|m| m.network_width);
    vec![
        Claim::new("The tangent kernel widens with p", list(&by_power), rises(&by_power)),
        Claim::new(
            "The tangent kernel narrows with the highest positional frequency",
            list(&by_scale),
            falls(&by_scale),
        ),
        Claim::new("The tangent kernel narrows with the σ of Gaussian features", list(&network), falls(&network)),
        Claim::new(
            "The kernel of Gaussian features is as wide as e^(-2π²σ²Δ²), 0.375/σ, within 10 %",
            format!("at most {:.1} % off", 100.0 * off),
            off < 0.1,
        ),
    ]
}

fn sheet(families: &[Family; 3]) -> Sheet {
    let plot = |title: String, x_label: &str, y_label: &str, lines: Vec<Line>| Plot {
        title,
        x_label: x_label.to_owned(),
        y_label: y_label.to_owned(),
        lines,
        ..Plot::default()
    };
    let kernels = families.iter().map(|family| {
        let lines = family.lines(Stroke::Solid, |member| member.network.clone());
        let plot = plot(format!("{}: tangent kernel", family.encoding), "Δ", "K(Δ) / K(0)", lines);
        Panel::Plot(Plot { y_range: Some(0.0..1.05), ..plot })
    });
    let spectra = families.iter().map(|family| {
        let lines = family.lines(Stroke::Solid, |member| {
            member.eigenvalues.iter().enumerate().map(|(i, &value)| ((i + 1) as f64, value)).collect()
        });
        let plot =
            plot(format!("{}: eigenvalues", family.encoding), "number of the eigenvector", "share of the sum", lines);
        Panel::Plot(Plot { log_x: true, log_y: true, y_range: Some(1e-5..1.0), ..plot })
    });
    let [fourier, positional, gaussian] = families;
    let width = |family: &Family, label: &str, place: fn(f64) -> f64| {
        let line = |name: &str, color: RGBColor, of: fn(&Numbers) -> f64| {
            Line::new(name, color, Stroke::Marked, family.settings().map(place).zip(family.widths(of)))
        };
        let lines = vec![
            line("features", style::SERIES[0], |m| m.features_width),
            line("tangent kernel", style::SERIES[1], |m| m.network_width),
        ];
        let title = format!("{}: width of the kernel", family.encoding);
        Plot { log_y: true, y_range: Some(WIDTHS), ..plot(title, label, "full width at half maximum", lines) }
    };
    let log_x = |plot: Plot| Plot { log_x: true, ..plot };
    let mut of_gaussian = log_x(width(gaussian, "σ", |sigma| sigma));
    let exact = gaussian.settings().map(|sigma| (sigma, GAUSSIAN_WIDTH / sigma));
    of_gaussian.lines.push(Line::new("0.375/σ", RGBColor(150, 150, 150), Stroke::Dashed, exact));
    let widths = [
        width(fourier, "p (∞ drawn at 3)", |power| power.min(3.0)),
        log_x(width(positional, "σ", |sigma| sigma)),
        of_gaussian,
    ];
    let row = |height, panels: Vec<Panel>| Row { height, panels };
    Sheet {
        title: "Three encodings of one coordinate, each with six settings".to_owned(),
        rows: vec![row(560, kernels.collect()), row(560, spectra.collect()), row(560, widths.map(Panel::Plot).into())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A missing 2π, or a scale that is not a deviation, moves the widths by far more.
    #[test]
    fn widths_are_those_of_the_theory() {
        let families = Family::all(0).unwrap();
        for claim in claims(&families) {
            assert!(claim.holds, "{}: {}", claim.statement, claim.measured);
        }
        // Without frequencies but one the kernel of the features is cos 2πΔ, half as high at a quarter of the period.
        let infinite = &families[0].members[5];
        assert!((infinite.features_width - 0.5).abs() < 1e-6, "{}", infinite.features_width);
        // The wider the kernel, the fewer eigenvalues hold it.
        let largest = |family: &Family| family.members.iter().map(|m| m.eigenvalues[0] / m.eigenvalues[31]).collect();
        let [fourier, _, gaussian]: [Vec<f64>; 3] = families.each_ref().map(largest);
        assert!(fourier[5] > 10.0 * fourier[0] && gaussian[0] > 10.0 * gaussian[5], "{fourier:?} {gaussian:?}");
    }
}
