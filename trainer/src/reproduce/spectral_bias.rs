//! Figure 1: a coordinate network with and without Fourier features, on a picture and on a signal of one dimension.

use ndarray::{Array1, Array2};
use plotters::style::RGBColor;
use serde::Serialize;

use super::error::ReproduceError;
use super::monitor::{Event, FigureWatch, side_by_side};
use super::pictures::{self, Job, Picture};
use super::toy::{
    MAPPINGS, Predictor, Problem, QUICK_SPEEDUP, Setting, Snapshot, ToyMapping, main_frequency, runs, wave,
};
use super::{Claim, Draft, Figure, FigureContent, Options, Table};
use crate::network::encoding::EncodingKind;
use crate::report::colormap::Colormap;
use crate::report::figure::tick_label;
use crate::report::sheet::{Line, Panel, Plot, Raster, Row, Sheet, Stroke};
use crate::report::style;
use crate::theory::kernel::Kernel;
use crate::theory::linalg::SymmetricEigen;
use crate::theory::spectrum::time_to_learn;

/// No mapping, and p = 1.
const COMPARED: [ToyMapping; 2] = [MAPPINGS[6], MAPPINGS[2]];
/// Low, middle and high, in cycles over the signal; the paper's choice.
const WAVES: [(&str, usize); 3] = [("low", 1), ("middle", 5), ("high", 15)];
const COLORS: [RGBColor; 3] = [style::SERIES[0], style::SERIES[4], style::SERIES[1]];
/// Half of the published σ, as the picture's side is half of the paper's.
const SCALE: f64 = 5.0;

#[derive(Clone, Debug, Serialize)]
struct Convergence {
    mapping: &'static str,
    steps: Vec<u64>,
    eigenvalues: Vec<f64>,
    /// Main frequency of each eigenvector, cycles over the signal; shorter than the eigenvalues, which end in rounding.
    eigenvector_cycles: Vec<usize>,
    /// As many eigenvectors, at the samples.
    #[serde(skip)]
    eigenvectors: Vec<Vec<f64>>,
    /// Updates until a tenth of the error along each of them is left: ln 10 / (ηλ).
    steps_to_a_tenth: Vec<f64>,
    waves: Vec<Wave>,
}

/// Amplitude of one wave in the training error over its initial amplitude.
#[derive(Clone, Debug, Serialize)]
struct Wave {
    name: &'static str,
    cycles: usize,
    measured: Vec<f64>,
    predicted: Vec<f64>,
}

fn convergence(
    problem: &Problem,
    setting: Setting,
    monitor: &FigureWatch<'_>,
) -> Result<Vec<Convergence>, ReproduceError> {
    let runs = runs(problem, &COMPARED, setting, monitor)?;
    let targets = problem.train_targets.column(0);
    runs.iter()
        .map(|run| {
            let predicted = run.predict(problem, Predictor::Infinite)?;
            let error = |snapshot: &Snapshot| -> Array1<f64> { &snapshot.train - &targets };
            let waves = WAVES.map(|(name, cycles)| {
                let initial = wave(&error(&run.measured[0]), cycles);
                let relative = |snapshots: &[Snapshot]| -> Vec<f64> {
                    snapshots.iter().map(|snapshot| wave(&error(snapshot), cycles) / initial).collect()
                };
                Wave { name, cycles, measured: relative(&run.measured), predicted: relative(&predicted) }
            });
            let SymmetricEigen { values, vectors } = setting.eigen(problem, run.mapping)?;
            // Below this share of the largest they are rounding, and so are their eigenvectors.
            let sound = values.iter().filter(|&&value| value > 32.0 * f64::EPSILON * values[0]).count();
            let vectors = || vectors.columns().into_iter().take(sound);
            Ok(Convergence {
                mapping: run.mapping.name,
                steps: run.measured.iter().map(|snapshot| snapshot.step).collect(),
                eigenvector_cycles: vectors().map(main_frequency).collect(),
                eigenvectors: vectors().map(|vector| vector.to_vec()).collect(),
                steps_to_a_tenth: values
                    .iter()
                    .take(sound)
                    .map(|value| time_to_learn(*value, 0.1) / setting.learning_rate)
                    .collect(),
                eigenvalues: values.to_vec(),
                waves: waves.into(),
            })
        })
        .collect()
}

pub(super) fn make(options: Options, monitor: &FigureWatch<'_>) -> Result<Draft, ReproduceError> {
    let setting = Setting::published(if options.quick { QUICK_SPEEDUP } else { 1 }, options.seed);
    let picture_setting = pictures::Setting::new(options.quick, options.seed);
    let units = 2 * (setting.steps + picture_setting.steps);
    (monitor.tell)(Event::Begin { figure: Figure::SpectralBias.name(), units });
    let picture = Picture::coffee();
    let rates = [1e-2, if options.quick { 5e-3 } else { 1e-3 }];
    let jobs = [(EncodingKind::None, 1.0, rates[0]), (EncodingKind::Gaussian, SCALE, rates[1])];
    let fits = side_by_side(&jobs, |&(kind, scale, rate)| {
        let encoding = picture_setting.encoding(kind, scale);
        Job { picture: &picture, encoding, learning_rate: rate, setting: picture_setting }.fit(monitor)
    })?;
    let problem = Problem::load().training_only();
    let curves = convergence(&problem, setting, monitor)?;
    let grams: Vec<Array2<f64>> = COMPARED
        .iter()
        .map(|&mapping| {
            let shift = if mapping.power.is_none() { 0.5 } else { 0.0 };
            let grid = Array1::from_shape_fn(128, |i| i as f64 / 128.0 - shift).insert_axis(ndarray::Axis(1));
            Ok(setting.kernel(mapping)?.gram(grid.view())?)
        })
        .collect::<Result<_, ReproduceError>>()?;
    let psnr = [fits[0].test_psnr, fits[1].test_psnr];

    let raster = |values: &Array2<f32>, title: &str, caption| Panel::Raster(pictures::raster(values, title, caption));
    let caption = |psnr: f64| format!("{psnr:.2} dB on pixels not trained on");
    let row = |panels| Row { height: 590, panels };
    let rows = vec![
        row(vec![
            Panel::Raster(picture.raster("The photograph", "a quarter of its pixels is trained on")),
            raster(&fits[0].output, "Network on plain coordinates", caption(psnr[0])),
            raster(&fits[1].output, &format!("Network on Gaussian features, σ = {SCALE}"), caption(psnr[1])),
        ]),
        row(vec![
            Panel::Raster(kernel_raster(&grams[0], "Tangent kernel K(x, x′), no mapping")),
            Panel::Raster(kernel_raster(&grams[1], "Tangent kernel K(x, x′), features p = 1")),
            Panel::Plot(spectra(&curves)),
        ]),
        row(vec![
            Panel::Plot(eigenvectors(&curves[0], &[1, 2, 3, 4, 5])),
            Panel::Plot(eigenvectors(&curves[1], &[2, 4, 8])),
            Panel::Plot(by_frequency(&curves)),
        ]),
        row(curves.iter().map(|c| Panel::Plot(decay(c))).chain([Panel::Plot(times(&curves, setting.steps))]).collect()),
    ];
    let content = FigureContent {
        title: "A network on plain coordinates learns only slow parts; Fourier features let it learn the rest"
            .to_owned(),
        what_you_see: what_you_see(psnr, &curves),
        why: why(&curves),
        method: method(&picture_setting, &setting),
        caption:
            "First row: a photograph and two networks that were trained on it. Second row: tangent kernels of one \
                  coordinate over [0, 1], in colours from 0 (dark) to their largest entry (light), and their \
                  eigenvalues on the 32 samples of a signal. Third row: eigenvectors at these samples, and each \
                  eigenvalue beside the frequency of its eigenvector. Fourth row: the error at three frequencies, \
                  measured (solid) and predicted (dashed), and the time that each eigenvector takes."
                .to_owned(),
        tables: vec![table(&curves)],
        claims: std::iter::once(picture_claim(psnr)).chain(claims(&curves)).collect(),
        numbers: serde_json::json!({
            "picture": { "setting": picture_setting, "learning_rates": rates, "scale": SCALE, "test_psnr_db": psnr },
            "signal": curves,
        }),
    };
    Ok(Draft { content, sheet: Sheet { title: "Spectral bias, and what Fourier features change".to_owned(), rows } })
}

fn what_you_see(psnr: [f64; 2], curves: &[Convergence]) -> Vec<String> {
    vec![
        format!(
            "First row: a photograph, and what two networks of the same size have learned from a quarter of its \
             pixels. The network on plain coordinates draws it blurred ({:.2} dB). The network on Fourier features \
             draws its details too ({:.2} dB). The numbers are peak signal-to-noise ratios (PSNR) on pixels that were \
             not trained on; more is better, and 6 dB more means half the error.",
            psnr[0], psnr[1]
        ),
        "Second row: the tangent kernels of two networks of one coordinate, drawn as pictures: row x, column x′, light \
         where K(x, x′) is large. Without a mapping the kernel is large in two corners, and nowhere does it single out \
         the diagonal. With features it is a light band along the diagonal: near points learn together, far points \
         hardly. On the right are the eigenvalues of both, largest first."
            .to_owned(),
        format!(
            "Third row: eigenvectors, and on the right each eigenvalue beside the frequency of its eigenvector. \
             Without a mapping only {} eigenvalues differ from zero. The first four eigenvectors are lines with a bend \
             in the middle, of at most two cycles. The fifth is a spike at the sample in the middle; a spike is made \
             of waves of all frequencies, and its eigenvalue is only {:.3}. With features there is a pair of waves for \
             every frequency, and the eigenvalue falls as the frequency rises.",
            curves[0].eigenvectors.len(),
            curves[0].eigenvalues[4],
        ),
        "Fourth row: how much of the error at a low, a middle and a high frequency is left after each step of \
         training. Without a mapping only the low one shrinks. With features all three shrink, the low one first. On \
         the right is the number of steps after which a tenth of the error is left; what lies above the dashed line \
         needs a longer training than this one."
            .to_owned(),
    ]
}

fn why(curves: &[Convergence]) -> Vec<String> {
    let of_wave = |cycles: usize| {
        let mapped = &curves[1];
        let index = mapped.eigenvector_cycles.iter().position(|&of_vector| of_vector == cycles);
        index.map_or(f64::NAN, |index| mapped.eigenvalues[index])
    };
    let [low, middle, high] = WAVES.map(|(_, cycles)| of_wave(cycles));
    vec![
        "The error along an eigenvector shrinks as e^(−ηλt). A direction whose eigenvalue is zero is never learned. \
         Without a mapping those are all directions but five, and each fast wave lies almost wholly in them. This is \
         spectral bias: the eigenvalue decides the speed, and only slow eigenvectors have large eigenvalues. (The \
         middle wave even grows a little at first: a wave is no eigenvector of this kernel, and a slow shape that is \
         learned changes the waves it is made of.)"
            .to_owned(),
        format!(
            "With features the kernel depends on x − x′ alone, so that its eigenvectors are waves, and its band is \
             narrow, so that fast waves have eigenvalues too. At {}, {} and {} cycles λ is {low:.1}, {middle:.1} and \
             {high:.1}: the low wave is learned {:.0} times as fast as the high one, but the high one is learned. The \
             dashed lines follow from these eigenvalues alone; no training was needed to draw them.",
            WAVES[0].1,
            WAVES[1].1,
            WAVES[2].1,
            low / high
        ),
    ]
}

fn method(picture: &pictures::Setting, signal: &Setting) -> Vec<String> {
    vec![
        format!(
            "The photograph: {}. The scale is half of the published 10, as the picture has half as many pixels a side \
             as the paper's.",
            picture.describe()
        ),
        format!(
            "The signal has 32 samples, and the features are those of the signal below with p = 1. The measured \
             network has three hidden layers of {} units in the standard parametrization and is trained by {} steps of \
             gradient descent at the learning rate {:e}. The prediction is by the tangent kernel of infinite width, \
             from the network's own initial outputs. The frequency of an eigenvector is that of the wave which holds \
             the largest part of it. Eigenvalues that are zero up to rounding are not drawn.",
            signal.width, signal.steps, signal.learning_rate
        ),
    ]
}

/// Eigenvalues beside the frequencies of their eigenvectors.
fn table(curves: &[Convergence]) -> Table {
    let (none, mapped) = (&curves[0], &curves[1]);
    let cells = |c: &Convergence, index: usize| match c.eigenvector_cycles.get(index) {
        Some(cycles) => {
            [cycles.to_string(), format!("{:.3}", c.eigenvalues[index]), format!("{:.0}", c.steps_to_a_tenth[index])]
        }
        None => ["–", "0", "never"].map(str::to_owned),
    };
    let rows = [0, 1, 2, 3, 4, 5, 7, 15, 23, 31].map(|index| {
        std::iter::once((index + 1).to_string()).chain(cells(none, index)).chain(cells(mapped, index)).collect()
    });
    let head =
        |c: &Convergence| ["cycles", "eigenvalue λ", "steps to a tenth"].map(|what| format!("{}: {what}", c.mapping));
    Table {
        caption: "Each eigenvector's frequency (cycles over the signal), its eigenvalue, and the steps after which a \
                  tenth of the error along it is left. The fifth without a mapping is a spike, in which all \
                  frequencies are about equally strong."
            .to_owned(),
        head: std::iter::once("eigenvector".to_owned()).chain(head(none)).chain(head(mapped)).collect(),
        rows: rows.into(),
    }
}

fn picture_claim(psnr: [f64; 2]) -> Claim {
    Claim::new(
        "With features the photograph is learned better by more than 2 dB",
        format!("PSNR {:.2} dB without features, {:.2} dB with them", psnr[0], psnr[1]),
        psnr[1] > psnr[0] + 2.0,
    )
}

fn claims(curves: &[Convergence]) -> Vec<Claim> {
    let last =
        |wave: &Wave| (wave.measured.last().copied().unwrap_or(1.0), wave.predicted.last().copied().unwrap_or(1.0));
    let left =
        |c: &Convergence| c.waves.iter().map(|w| format!("{} {:.3}", w.name, last(w).0)).collect::<Vec<_>>().join(", ");
    let (none, mapped) = (&curves[0], &curves[1]);
    let falls = |c: &Convergence| c.eigenvalues[1] / c.eigenvalues[31];
    // Over all logged steps, as shares of the initial error.
    let off = curves
        .iter()
        .flat_map(|c| &c.waves)
        .flat_map(|w| w.measured.iter().zip(&w.predicted).map(|(m, p)| (m - p).abs()))
        .fold(0.0, f64::max);
    vec![
        Claim::new(
            "Eigenvalues fall by orders of magnitude more without a mapping",
            format!(
                "last over second eigenvalue: {:.1e} without a mapping, {:.1e} with p = 1",
                1.0 / falls(none),
                1.0 / falls(mapped)
            ),
            falls(none) > 30.0 * falls(mapped),
        ),
        Claim::new(
            "Without a mapping high frequencies are not learned in this time; with features they are",
            format!("part of the error that is left without a mapping: {}; with p = 1: {}", left(none), left(mapped)),
            last(&none.waves[2]).0 > 0.7 && last(&mapped.waves[2]).0 < 0.5,
        ),
        Claim::new(
            "The theory predicts the error at each frequency, within a tenth of the initial error",
            format!("the largest difference is {off:.3} of the initial error"),
            off < 0.1,
        ),
    ]
}

fn kernel_raster(gram: &Array2<f64>, title: &str) -> Raster {
    let largest = gram.iter().fold(0.0, |largest: f64, value| largest.max(*value));
    let n = gram.nrows();
    let rgb = gram.iter().flat_map(|value| Colormap::Viridis.rgb(value / largest)).collect();
    Raster { title: title.to_owned(), caption: format!("0 … {largest:.0}"), shape: [n, n], rgb }
}

/// Colours of the two mappings.
const MAPPING_COLORS: [RGBColor; 2] = [RGBColor(110, 110, 110), style::SERIES[2]];

/// One value for each eigenvector that is not rounding, of both mappings.
fn each_vector(curves: &[Convergence], of: impl Fn(&Convergence, usize) -> (f64, f64)) -> Vec<Line> {
    let line = |(c, color): (&Convergence, RGBColor)| {
        Line::new(c.mapping, color, Stroke::Marked, (0..c.eigenvectors.len()).map(|i| of(c, i)))
    };
    curves.iter().zip(MAPPING_COLORS).map(line).collect()
}

fn spectra(curves: &[Convergence]) -> Plot {
    Plot {
        title: "Eigenvalues on the 32 samples".to_owned(),
        x_label: "number of the eigenvector".to_owned(),
        y_label: "eigenvalue λ".to_owned(),
        log_y: true,
        lines: each_vector(curves, |c, i| ((i + 1) as f64, c.eigenvalues[i])),
        ..Plot::default()
    }
}

fn by_frequency(curves: &[Convergence]) -> Plot {
    let lines = each_vector(curves, |c, i| (c.eigenvector_cycles[i] as f64, c.eigenvalues[i]));
    Plot {
        title: "Eigenvalue and frequency".to_owned(),
        x_label: "frequency of the eigenvector (cycles)".to_owned(),
        y_label: "eigenvalue λ".to_owned(),
        log_y: true,
        lines: lines.into_iter().map(|line| Line { stroke: Stroke::Points, ..line }).collect(),
        ..Plot::default()
    }
}

fn times(curves: &[Convergence], trained: u64) -> Plot {
    let points = each_vector(curves, |c, i| (c.eigenvector_cycles[i] as f64, c.steps_to_a_tenth[i]));
    let mut lines: Vec<Line> = points.into_iter().map(|line| Line { stroke: Stroke::Points, ..line }).collect();
    let end = trained as f64;
    lines.push(Line::new("end of training", style::INK, Stroke::Dashed, [(0.0, end), (16.0, end)]));
    Plot {
        title: "Steps until a tenth of the error is left".to_owned(),
        x_label: "frequency of the eigenvector (cycles)".to_owned(),
        y_label: "steps, ln 10 / (ηλ)".to_owned(),
        log_y: true,
        lines,
        ..Plot::default()
    }
}

/// Eigenvectors of these numbers, counted from 1, at the samples.
fn eigenvectors(curve: &Convergence, numbers: &[usize]) -> Plot {
    let lines = numbers.iter().zip(style::SERIES).map(|(&number, color)| {
        let vector = &curve.eigenvectors[number - 1];
        let points = vector.iter().enumerate().map(|(i, &value)| (i as f64 / vector.len() as f64, value));
        Line::new(format!("{number} ({})", tick_label(curve.eigenvalues[number - 1])), color, Stroke::Solid, points)
    });
    Plot {
        title: format!("Eigenvectors (and λ), {}", curve.mapping),
        x_label: "x".to_owned(),
        y_label: "value at the sample".to_owned(),
        lines: lines.collect(),
        ..Plot::default()
    }
}

fn decay(curve: &Convergence) -> Plot {
    let line = |name: String, color, stroke, values: &[f64]| {
        Line::new(name, color, stroke, curve.steps.iter().map(|&step| step as f64).zip(values.iter().copied()))
    };
    let mut lines = Vec::new();
    for (wave, color) in curve.waves.iter().zip(COLORS) {
        let name = format!("{} cycle{}", wave.cycles, if wave.cycles == 1 { "" } else { "s" });
        lines.push(line(name, color, Stroke::Solid, &wave.measured));
        lines.push(line(String::new(), color, Stroke::Dashed, &wave.predicted));
    }
    Plot {
        title: format!("Error by frequency, {}", curve.mapping),
        x_label: "step".to_owned(),
        y_label: "error / initial error".to_owned(),
        log_x: true,
        y_range: Some(0.0..1.3),
        lines,
        ..Plot::default()
    }
}
