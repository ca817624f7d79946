//! Figure 2 of the text, 3 of the paper: seven mappings of a 1-D signal, their kernels, spectra, fits and losses.
//!
//! The independent computation that the page compares with is the kernel of infinite width from outputs of zero; our
//! closed form gives its seven numbers to the digits quoted. Trained networks start from random outputs and have 1024
//! units: for p = 2 and p = ∞ their test errors are some 30 % above it, and that is not the draw of the weights. Four
//! seeds at a hundred times the published rate gave (1.086 ± 0.009)e-2 and (1.233 ± 0.005)e-2, where the prediction
//! from the same initial outputs gave (0.858 ± 0.010)e-2 and (0.956 ± 0.005)e-2. With narrow spectra the kernel moves,
//! and directions of small eigenvalues are learned more slowly.

use plotters::style::RGBColor;
use serde::Serialize;

use super::error::ReproduceError;
use super::monitor::{Event, FigureWatch};
use super::toy::{MAPPINGS, Predictor, Problem, QUICK_SPEEDUP, Run, Setting, Snapshot, color, main_frequency, runs};
use super::{Claim, Draft, Figure, FigureContent, Options, Table, paragraphs};
use crate::report::sheet::{Line, Panel, Plot, Row, Sheet, Stroke};
use crate::report::style;

/// Units of a layer in quick trainings: half of the published ones.
const QUICK_WIDTH: usize = 512;
/// Rate times steps of the published training.
const PUBLISHED_TIME: f64 = 1e-5 * 50_001.0;
/// Test error of an independent computation of the published setting at 50,001 steps, in the order of the mappings.
const REFERENCE: [f64; 7] = [1.07e-2, 6.4e-3, 5.7e-3, 7.2e-3, 8.5e-3, 9.5e-3, 4.0e-2];

/// All that is known of one mapping.
#[derive(Clone, Debug, Serialize)]
struct Numbers {
    mapping: &'static str,
    /// None for the raw coordinate; infinity as text, since JSON has none.
    amplitude_power: Option<String>,
    /// K(x, 1/4) / K(1/4, 1/4) at i/256.
    kernel: Vec<f64>,
    /// Of the 32 x 32 Gram matrix, largest first.
    eigenvalues: Vec<f64>,
    /// Main frequency of each eigenvector, cycles over the signal; without meaning where the eigenvalue is zero.
    eigenvector_cycles: Vec<usize>,
    steps: Vec<u64>,
    train_loss: Vec<f64>,
    train_loss_predicted: Vec<f64>,
    test_error: Vec<f64>,
    test_error_predicted: Vec<f64>,
    /// Of the kernel of infinite width after the published time, from outputs of zero.
    test_error_from_zero: f64,
    /// (x, f(x)) at i/256 after the last step.
    fit: Vec<(f64, f64)>,
    reference_test_error: f64,
}

impl Numbers {
    fn new(problem: &Problem, run: &Run, reference: f64) -> Result<Self, ReproduceError> {
        let predicted = run.predict(problem, Predictor::Infinite)?;
        let eigen = run.setting.eigen(problem, run.mapping)?;
        let last = run.measured.last().expect("the last step is logged");
        let all = |of: &dyn Fn(&Snapshot) -> f64, snapshots: &[Snapshot]| snapshots.iter().map(of).collect();
        let (train, test) = (|s: &Snapshot| s.train_loss(problem), |s: &Snapshot| s.test_error(problem));
        Ok(Self {
            mapping: run.mapping.name,
            amplitude_power: run.mapping.power.map(|power| power.to_string()),
            kernel: run.setting.profile(run.mapping)?,
            eigenvalues: eigen.values.to_vec(),
            eigenvector_cycles: eigen.vectors.columns().into_iter().map(main_frequency).collect(),
            steps: run.measured.iter().map(|snapshot| snapshot.step).collect(),
            train_loss: all(&train, &run.measured),
            train_loss_predicted: all(&train, &predicted),
            test_error: all(&test, &run.measured),
            test_error_predicted: all(&test, &predicted),
            test_error_from_zero: run.test_error_from_zero(problem, PUBLISHED_TIME)?,
            fit: problem.curve(last.train.view(), last.test.view()),
            reference_test_error: reference,
        })
    }

    fn last(values: &[f64]) -> f64 {
        values.last().copied().unwrap_or(f64::NAN)
    }
}

pub(super) fn make(options: Options, monitor: &FigureWatch<'_>) -> Result<Draft, ReproduceError> {
    let setting = if options.quick {
        Setting::published(QUICK_SPEEDUP, options.seed).of_width(QUICK_WIDTH)
    } else {
        Setting::published(1, options.seed)
    };
    let units = setting.steps * MAPPINGS.len() as u64;
    (monitor.tell)(Event::Begin { figure: Figure::Toy1d.name(), units });
    let problem = Problem::load();
    let runs = runs(&problem, &MAPPINGS, setting, monitor)?;
    let numbers: Vec<Numbers> = runs
        .iter()
        .zip(REFERENCE)
        .map(|(run, reference)| Numbers::new(&problem, run, reference))
        .collect::<Result<_, _>>()?;
    let content = FigureContent {
        title: "A signal of one dimension: the width of the kernel decides what is learned".to_owned(),
        what_you_see: what_you_see(&numbers),
        why: why(),
        method: method(options, &setting, &numbers),
        caption: "Above: the tangent kernel of each mapping around x = ¼, and its eigenvalues beside the frequencies \
                  of their eigenvectors. Middle: the signal with its 32 samples, and what each network has learned at \
                  the end. Below: training loss and test error, measured (solid) and predicted (dashed)."
            .to_owned(),
        tables: vec![table(&numbers)],
        claims: claims(&numbers),
        numbers: serde_json::to_value(&numbers)?,
    };
    Ok(Draft { content, sheet: sheet(&problem, &numbers) })
}

fn what_you_see(numbers: &[Numbers]) -> Vec<String> {
    let error = |index: usize| Numbers::last(&numbers[index].test_error);
    let mut texts = paragraphs([
        "Six networks get Fourier features of the same 16 frequencies, with amplitudes 1/j^p: p = 0 makes all \
         frequencies equally strong, p = ∞ leaves only the lowest. A seventh network gets the plain coordinate. Above \
         on the left, the kernel is narrow for p = 0 and grows wider with p. Above on the right, the eigenvalues of \
         fast waves are as large as those of slow ones for p = 0, and fall ever faster with p. Without a mapping there \
         are only five: four of slow shapes, and a small one of the spike that the figure before shows.",
        "In the middle, p = 0 and p = 0.5 go through every sample, but swing between them. p = 1 follows the signal. \
         From p = 1.5 on, the curve is too smooth. Without a mapping, it is hardly more than a line.",
    ]);
    texts.push(format!(
        "Below, the training loss of p = 0 falls the fastest and the furthest. The test error, at points between the \
         samples, tells something else: it is {:.4} for p = 0, {:.4} for p = 1, {:.4} for p = ∞ and {:.4} without a \
         mapping.",
        error(0),
        error(2),
        error(5),
        error(6)
    ));
    texts
}

fn why() -> Vec<String> {
    paragraphs([
        "The kernel says how much a sample changes the output beside it. If the kernel is narrower than the distance \
         of the samples (p = 0), each sample is learned for itself, and nothing holds the output between two of them. \
         If it is much wider (p = ∞), samples that differ pull against each other, and the fast waves, whose \
         eigenvalues are small, are not learned in this time. The test error is least where the eigenvalues fall about \
         as fast as the waves of the signal do. The signal here is a sum of waves whose strength falls as 1/(1 + k) \
         with their number of cycles k, and p = 1 comes nearest to that.",
        "The dashed lines are predicted by e^(−ηλt) from the eigenvalues of the kernel of infinite width and from the \
         network's outputs before training. Where they leave the solid lines (large p, late), the tangent kernel of \
         the real network, which has a finite width, has moved during training.",
    ])
}

fn method(options: Options, setting: &Setting, numbers: &[Numbers]) -> Vec<String> {
    let how = if options.quick {
        format!(
            "The published training is of layers of 1024 units, 50,001 steps at the learning rate 1e-5. The quick one has half as many \
             units, so that its kernel is about half as large, and is {} steps at {:e}. Steps, rate and kernel have the same product, \
             which makes it nearly the same gradient flow, as the learning rate times the largest eigenvalue is {:.2}.",
            setting.steps,
            setting.learning_rate,
            setting.learning_rate * numbers.iter().map(|n| n.eigenvalues[0]).fold(0.0, f64::max)
        )
    } else {
        "The training is the published one: 50,001 steps of plain gradient descent at the learning rate 1e-5."
            .to_owned()
    };
    let mut texts = vec![format!(
        "The features are the cosine and the sine of 2πjx for j = 1 … 16, with amplitudes 1/j^p, scaled so that each \
         vector of features has length one. The network has three hidden layers of {} units in the standard \
         parametrization. {how}",
        setting.width
    )];
    texts.extend(paragraphs([
        "The last columns of the table compare with an independent computation of the published setting. That computation is the \
         kernel of infinite width, from outputs of zero. The trained networks start from random outputs and have a finite width. For \
         large p they learn the directions of small eigenvalues more slowly than the kernel says, be it that of infinite \
         width or their own before training, and their test error ends above the predicted one.",
        "The published notebook starts its theoretical curve from the outputs of the trained network, and without a mapping it \
         takes x at the test points but x − 0.5 at the training points. Here both start at the initial outputs, and both use \
         x − 0.5.",
    ]));
    texts
}

fn table(numbers: &[Numbers]) -> Table {
    let row = |n: &Numbers| {
        let error = |value: f64| format!("{value:.2e}");
        vec![
            n.mapping.to_owned(),
            error(Numbers::last(&n.test_error)),
            error(Numbers::last(&n.test_error_predicted)),
            error(n.test_error_from_zero),
            error(n.reference_test_error),
            error(Numbers::last(&n.train_loss)),
            error(Numbers::last(&n.train_loss_predicted)),
        ]
    };
    Table {
        caption: "After the last step. The test error is the mean square of the error at the 224 points between the \
                  samples; the training loss is half the sum of its squares at the 32 samples. \"From zero\" is the \
                  prediction from outputs of zero for the published width of 1024, which the independent computation \
                  starts from too."
            .to_owned(),
        head: [
            "mapping",
            "test error",
            "predicted",
            "predicted from zero",
            "independent computation",
            "training loss",
            "predicted",
        ]
        .map(str::to_owned)
        .into(),
        rows: numbers.iter().map(row).collect(),
    }
}

fn claims(numbers: &[Numbers]) -> Vec<Claim> {
    let error = |n: &Numbers| Numbers::last(&n.test_error);
    let errors: Vec<f64> = numbers.iter().map(error).collect();
    let best = numbers.iter().min_by(|a, b| error(a).total_cmp(&error(b))).expect("seven mappings");
    // The second eigenvalue: the constant function is first without mapping and is no part of the claim.
    let decay = |n: &Numbers| n.eigenvalues[31] / n.eigenvalues[1];
    let (widest, none) = (&numbers[0], &numbers[6]);
    let off = |of: &dyn Fn(&Numbers) -> f64| {
        let each = numbers.iter().map(|n| ((of(n) / n.reference_test_error - 1.0).abs(), n.mapping));
        each.max_by(|a, b| a.0.total_cmp(&b.0)).expect("seven mappings")
    };
    let theory = off(&|n| n.test_error_from_zero);
    let (predicted, measured) = (off(&|n| Numbers::last(&n.test_error_predicted)), off(&error));
    let largest = |(gap, mapping): (f64, &str)| format!("largest difference {:.0} % ({mapping})", 100.0 * gap);
    vec![
        Claim::new(
            "The network with p = 1 has the least test error",
            format!("{}: test error {:.2e}", best.mapping, error(best)),
            best.mapping == "p = 1",
        ),
        Claim::new(
            "The test error falls from p = 0 to p = 1 and rises from there to p = ∞, and without a mapping it is more \
             than twice as large",
            numbers.iter().map(|n| format!("{:.2e}", error(n))).collect::<Vec<_>>().join(", "),
            errors[..3].is_sorted_by(|a, b| a > b)
                && errors[2..6].is_sorted_by(|a, b| a < b)
                && errors[6] > 2.0 * errors[5],
        ),
        Claim::new(
            "Without a mapping the eigenvalues fall faster by orders of magnitude",
            format!("last to second eigenvalue {:.1e} without mapping, {:.1e} with p = 0", decay(none), decay(widest)),
            decay(widest) > 100.0 * decay(none),
        ),
        // The reference is quoted to two or three digits.
        Claim::new(
            "From outputs of zero the kernel of infinite width gives the test errors of an independent computation, \
             within 1 %",
            format!("largest difference {:.1} % ({})", 100.0 * theory.0, theory.1),
            theory.0 < 0.01,
        ),
        Claim::new(
            "The test errors predicted from the networks' own outputs are those of the independent computation, within \
             15 %",
            largest(predicted),
            predicted.0 < 0.15,
        ),
        Claim::new(
            "The test errors of the trained networks are those of the independent computation, within 25 %",
            largest(measured),
            measured.0 < 0.25,
        ),
    ]
}

/// Eigenvalues from slow eigenvectors to fast ones; without a mapping these are no waves, and no line joins them.
fn by_frequency(numbers: &Numbers, color: RGBColor) -> Line {
    let cycles = numbers.eigenvector_cycles.iter().map(|&cycles| cycles as f64);
    let mut points: Vec<_> = cycles.zip(numbers.eigenvalues.iter().copied()).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let stroke = if numbers.amplitude_power.is_some() { Stroke::Solid } else { Stroke::Points };
    Line::new(numbers.mapping, color, stroke, points)
}

fn sheet(problem: &Problem, numbers: &[Numbers]) -> Sheet {
    let plot = |title: &str, x_label: &str, y_label: &str| Plot {
        title: title.to_owned(),
        x_label: x_label.to_owned(),
        y_label: y_label.to_owned(),
        ..Plot::default()
    };
    let each = |of: &dyn Fn(&Numbers) -> Vec<(f64, f64)>| -> Vec<Line> {
        let line = |(index, n): (usize, &Numbers)| Line::new(n.mapping, color(index), Stroke::Solid, of(n));
        numbers.iter().enumerate().map(line).collect()
    };
    let kernels = Plot {
        lines: each(&|n| n.kernel.iter().enumerate().map(|(i, &k)| (i as f64 / 256.0, k)).collect()),
        ..plot("Tangent kernel around x = ¼", "x", "K(x, ¼) / K(¼, ¼)")
    };
    let spectra = Plot {
        log_y: true,
        y_range: Some(1e-1..2e3),
        lines: numbers.iter().enumerate().map(|(index, n)| by_frequency(n, color(index))).collect(),
        ..plot("Eigenvalue and frequency", "frequency of the eigenvector (cycles)", "eigenvalue λ")
    };
    let panel = |title: &str, fitted: Option<Line>| {
        let target = problem.curve(problem.train_targets.column(0), problem.test_targets.column(0));
        let samples = problem.train_points.iter().copied().zip(problem.train_targets.iter().copied());
        let signal = Line::new("", RGBColor(190, 190, 190), Stroke::Solid, target);
        let samples = Line::new("", style::TARGET, Stroke::Points, samples);
        let lines = [signal].into_iter().chain(fitted).chain([samples]).collect();
        Panel::Plot(Plot { y_range: Some(-0.75..0.75), lines, ..plot(title, "x", "") })
    };
    let fits = numbers
        .iter()
        .enumerate()
        .map(|(index, n)| panel(n.mapping, Some(Line::new("", color(index), Stroke::Solid, n.fit.clone()))));
    let mut fits: Vec<Panel> = std::iter::once(panel("signal and samples", None)).chain(fits).collect();
    let second_row = fits.split_off(4);
    let losses =
        |title: &str, y_label: &str, measured: &dyn Fn(&Numbers) -> &[f64], predicted: &dyn Fn(&Numbers) -> &[f64]| {
            let curve = |n: &Numbers, values: &[f64]| -> Vec<(f64, f64)> {
                n.steps.iter().map(|&step| step as f64).zip(values.iter().copied()).collect()
            };
            let mut lines = each(&|n| curve(n, measured(n)));
            lines.extend(
                numbers
                    .iter()
                    .enumerate()
                    .map(|(index, n)| Line::new("", color(index), Stroke::Dashed, curve(n, predicted(n)))),
            );
            Panel::Plot(Plot { log_x: true, log_y: true, lines, ..plot(title, "step", y_label) })
        };
    Sheet {
        title: "Mappings of a signal of one dimension".to_owned(),
        rows: vec![
            Row { height: 560, panels: vec![Panel::Plot(kernels), Panel::Plot(spectra)] },
            Row { height: 400, panels: fits },
            Row { height: 400, panels: second_row },
            Row {
                height: 620,
                panels: vec![
                    losses("Training loss", "½ Σ (f - y)²", &|n| &n.train_loss, &|n| &n.train_loss_predicted),
                    losses("Test error", "mean (f - y)²", &|n| &n.test_error, &|n| &n.test_error_predicted),
                ],
            },
        ],
    }
}
