//! Figure 1: a coordinate network with and without Fourier features, on a picture and on a signal of one dimension.

use ndarray::{Array1, Array2};
use plotters::style::RGBColor;
use serde::Serialize;

use super::error::ReproduceError;
use super::monitor::{Event, Monitor, side_by_side};
use super::pictures::{self, Picture};
use super::toy::{MAPPINGS, Predictor, Problem, QUICK_SPEEDUP, Setting, Snapshot, ToyMapping, runs, wave};
use super::{Claim, Figure, Options, Story};
use crate::network::encoding::EncodingKind;
use crate::report::colormap::Colormap;
use crate::report::sheet::{Line, Panel, Plot, Raster, Row, Sheet, Stroke};
use crate::report::style;
use crate::theory::kernel::Kernel;

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

fn convergence(problem: &Problem, setting: Setting, monitor: &Monitor<'_>) -> Result<Vec<Convergence>, ReproduceError> {
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
            Ok(Convergence {
                mapping: run.mapping.name,
                steps: run.measured.iter().map(|snapshot| snapshot.step).collect(),
                eigenvalues: setting.kernel_and_spectrum(problem, run.mapping)?.1,
                waves: waves.into(),
            })
        })
        .collect()
}

pub(super) fn make(options: Options, monitor: &Monitor<'_>) -> Result<Story, ReproduceError> {
    let setting = Setting::published(if options.quick { QUICK_SPEEDUP } else { 1 }, options.seed);
    let picture_setting = pictures::Setting::new(options.quick, options.seed);
    let units = 2 * (setting.steps + picture_setting.steps);
    (monitor.tell)(Event::Begin { figure: Figure::SpectralBias.name(), units });
    let picture = Picture::coffee();
    let rates = [1e-2, if options.quick { 5e-3 } else { 1e-3 }];
    let jobs = [(EncodingKind::None, 1.0, rates[0]), (EncodingKind::Gaussian, SCALE, rates[1])];
    let fits = side_by_side(&jobs, |&(kind, scale, rate)| {
        pictures::fit(&picture, &picture_setting.encoding(kind, scale), rate, picture_setting, monitor)
    })?;
    let problem = Problem::load();
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

    let raster =
        |values: &Array2<f32>, title: &str, caption: String| Panel::Raster(pictures::raster(values, title, caption));
    let rows = vec![
        Row {
            height: 560,
            panels: vec![
                Panel::Raster(picture.raster("The picture", "a quarter of the pixels trains")),
                raster(&fits[0].output, "Coordinates alone", format!("test {:.2} dB", psnr[0])),
                raster(&fits[1].output, &format!("Gaussian features, σ = {SCALE}"), format!("test {:.2} dB", psnr[1])),
            ],
        },
        Row {
            height: 540,
            panels: vec![
                Panel::Raster(kernel_raster(&grams[0], "Tangent kernel, no mapping")),
                Panel::Raster(kernel_raster(&grams[1], "Tangent kernel, features p = 1")),
                Panel::Plot(spectra(&curves)),
            ],
        },
        Row { height: 600, panels: curves.iter().map(|c| Panel::Plot(decay(c))).collect() },
    ];
    Ok(Story {
        title: "Networks of coordinates learn low frequencies first; Fourier features let them learn the rest".to_owned(),
        text: vec![
            format!(
                "Above, a network on a photograph with and without features: {}. The scale is half of the published 10, as the \
                 picture's side is half of the paper's.",
                picture_setting.describe()
            ),
            format!(
                "Below, the reason in one dimension. Without a mapping the tangent kernel is not stationary and its eigenvalues \
                 collapse; with features it depends on x - x' alone. The parts of the training error at {}, {} and {} cycles \
                 shrink at the rate of their eigenvalues: solid as measured on a network of width {} (standard parametrization, {} \
                 steps of gradient descent at rate {:e}), dashed as the kernel of infinite width predicts.",
                WAVES[0].1, WAVES[1].1, WAVES[2].1, setting.width, setting.steps, setting.learning_rate
            ),
        ],
        sheet: Sheet { title: "Spectral bias, and Fourier features against it".to_owned(), rows },
        caption: "Fits of a picture; kernels over [0, 1] in colours from 0 to their largest entry; eigenvalues, but for those of rounding; error by frequency."
            .to_owned(),
        tables: Vec::new(),
        claims: std::iter::once(picture_claim(psnr)).chain(claims(&curves)).collect(),
        numbers: serde_json::json!({
            "picture": { "setting": picture_setting, "learning_rates": rates, "scale": SCALE, "test_psnr_db": psnr },
            "signal": curves,
        }),
    })
}

fn picture_claim(psnr: [f64; 2]) -> Claim {
    Claim::new(
        "Features make the picture sharp",
        format!("test PSNR {:.2} dB without, {:.2} dB with", psnr[0], psnr[1]),
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
            format!("last over second: {:.1e} without, {:.1e} with p = 1", 1.0 / falls(none), 1.0 / falls(mapped)),
            falls(none) > 30.0 * falls(mapped),
        ),
        Claim::new(
            "Without a mapping high frequencies are not learned in this time; with features they are",
            format!("error left without: {}; with: {}", left(none), left(mapped)),
            last(&none.waves[2]).0 > 0.7 && last(&mapped.waves[2]).0 < 0.5,
        ),
        Claim::new(
            "Theory predicts the decay of each frequency",
            format!("largest difference {off:.3} of the initial error"),
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

fn spectra(curves: &[Convergence]) -> Plot {
    let line = |(index, c): (usize, &Convergence)| {
        // Below this share of the largest they are rounding.
        let largest = c.eigenvalues[0];
        let values = c.eigenvalues.iter().enumerate().map(|(i, &value)| ((i + 1) as f64, value));
        let values = values.filter(|&(_, value)| value > 32.0 * f64::EPSILON * largest);
        let color = [RGBColor(110, 110, 110), style::SERIES[2]][index];
        Line::new(c.mapping, color, Stroke::Marked, values)
    };
    Plot {
        title: "Eigenvalues on the 32 samples".to_owned(),
        x_label: "index".to_owned(),
        y_label: "eigenvalue".to_owned(),
        log_y: true,
        lines: curves.iter().enumerate().map(line).collect(),
        ..Plot::default()
    }
}

fn decay(curve: &Convergence) -> Plot {
    let line = |name: String, color, stroke, values: &[f64]| {
        Line::new(name, color, stroke, curve.steps.iter().map(|&step| step as f64).zip(values.iter().copied()))
    };
    let mut lines = Vec::new();
    for (wave, color) in curve.waves.iter().zip(COLORS) {
        lines.push(line(format!("{} ({} cycles)", wave.name, wave.cycles), color, Stroke::Solid, &wave.measured));
        lines.push(line(String::new(), color, Stroke::Dashed, &wave.predicted));
    }
    Plot {
        title: format!("Error by frequency, {} (dashed: predicted)", curve.mapping),
        x_label: "step".to_owned(),
        y_label: "error / initial error".to_owned(),
        log_x: true,
        y_range: Some(0.0..1.3),
        lines,
        ..Plot::default()
    }
}
