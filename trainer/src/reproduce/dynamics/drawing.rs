//! The sheet of the figure.

use std::ops::Range;

use plotters::style::RGBColor;

use super::Results;
use super::SHOWN;
use super::modes::Mode;
use super::numbers::{Group, Numbers};
use crate::report::sheet::{Line, Panel, Plot, Row, Sheet, Stroke};
use crate::report::style;
use crate::reproduce::toy::color;

/// Eigenvectors whose decay is drawn, counted from 1.
const DRAWN_MODES: [usize; 5] = [1, 2, 4, 8, 16];

pub(super) fn sheet(results: &Results) -> Sheet {
    let shown = &results.ntk[SHOWN];
    // The same range for both parametrizations.
    let values =
        results.ntk.iter().chain(&results.standard).flat_map(|n| n.measured.iter().map(|loss| loss / n.measured[0]));
    let range = values.fold(1.0, f64::min) / 1.2..1.2;
    let row = |panels: [Panel; 2]| Row { height: 600, panels: panels.into() };
    Sheet {
        title: "Wide networks: training measured (solid) and predicted (dashed)".to_owned(),
        rows: vec![
            row([
                losses("NTK parametrization, by the own kernel", &results.ntk, range.clone()),
                losses("Standard parametrization, by the own kernel", &results.standard, range),
            ]),
            row([means(&results.groups), by_width(&results.widths)]),
            row([gaps(&results.widths), rates(&results.ntk)]),
            row([decays(shown), by_frequency(shown)]),
        ],
    }
}

/// The eigenvectors of a network whose decay is drawn.
pub(super) fn drawn(n: &Numbers) -> impl Iterator<Item = &Mode> {
    n.modes.all.iter().filter(|mode| DRAWN_MODES.contains(&mode.index))
}

fn plot(title: impl Into<String>, x_label: &str, y_label: &str, lines: Vec<Line>) -> Plot {
    Plot { title: title.into(), x_label: x_label.to_owned(), y_label: y_label.to_owned(), lines, ..Plot::default() }
}

fn curve(steps: &[u64], values: &[f64], unit: f64) -> Vec<(f64, f64)> {
    steps.iter().map(|&step| step as f64).zip(values.iter().map(|value| value / unit)).collect()
}

/// A pair of lines of one colour, the second dashed and without a name.
fn pair(name: String, color: RGBColor, measured: Vec<(f64, f64)>, predicted: Vec<(f64, f64)>) -> [Line; 2] {
    [Line::new(name, color, Stroke::Solid, measured), Line::new("", color, Stroke::Dashed, predicted)]
}

fn losses(title: &str, all: &[Numbers], range: Range<f64>) -> Panel {
    let lines = all.iter().enumerate().flat_map(|(index, n)| {
        let curve = |values: &[f64]| curve(&n.steps, values, n.measured[0]);
        pair(n.mapping.to_owned(), color(index), curve(&n.measured), curve(&n.predicted_own))
    });
    let y_range = Some(range);
    Panel::Plot(Plot {
        log_x: true,
        log_y: true,
        y_range,
        ..plot(title, "step", "loss / initial loss", lines.collect())
    })
}

fn means(groups: &[Group]) -> Panel {
    let lines = groups.iter().enumerate().flat_map(|(index, g)| {
        let curve = |values: &[f64]| curve(&g.steps, values, 1.0);
        pair(g.mapping.to_owned(), color(index), curve(&g.measured), curve(&g.predicted))
    });
    let title = format!("Means of {} networks, by infinite width", groups[0].networks);
    Panel::Plot(Plot { log_x: true, ..plot(title, "step", "loss / initial loss", lines.collect()) })
}

fn by_width(widths: &[Group]) -> Panel {
    let lines = widths.iter().enumerate().flat_map(|(index, g)| {
        let curve = |values: &[f64]| curve(&g.steps, values, 1.0);
        let name = format!("width {}, {} networks", g.width, g.networks);
        pair(name, color(index), curve(&g.measured), curve(&g.predicted))
    });
    Panel::Plot(Plot {
        log_x: true,
        log_y: true,
        ..plot(
            "p = 1: means of networks of one width, by infinite width",
            "step",
            "loss / initial loss",
            lines.collect(),
        )
    })
}

fn gaps(widths: &[Group]) -> Panel {
    let line = |name: &str, color, of: fn(&Group) -> f64| {
        Line::new(name, color, Stroke::Marked, widths.iter().map(|g| (g.width as f64, 100.0 * of(g))))
    };
    let first = &widths[0];
    let slope = |start: f64, power: f64| {
        let at = move |g: &Group| (g.width as f64, 100.0 * start * (first.width as f64 / g.width as f64).powf(power));
        widths.iter().map(at).collect::<Vec<_>>()
    };
    let grey = RGBColor(150, 150, 150);
    let lines = vec![
        line("kernel", style::SERIES[2], |g| g.kernel_gap),
        line("loss by infinite width", style::SERIES[0], |g| g.single_gap.0),
        line("loss by own kernel", style::SERIES[1], |g| g.single_gap_own.0),
        Line::new("falling as 1/√width and 1/width", grey, Stroke::Dashed, slope(first.kernel_gap, 0.5)),
        Line::new("", grey, Stroke::Dashed, slope(first.single_gap_own.0, 1.0)),
    ];
    let x_ticks = widths.iter().map(|g| g.width as f64).collect();
    Panel::Plot(Plot {
        log_x: true,
        log_y: true,
        x_ticks,
        ..plot("Mean difference of single networks", "width", "% of the kernel, or of the initial loss", lines)
    })
}

fn decays(n: &Numbers) -> Panel {
    let lines = drawn(n).enumerate().flat_map(|(index, mode)| {
        let curve = |values: &[f64]| curve(&n.modes.steps, values, 1.0);
        // Squares, since they add up to one over all eigenvectors.
        let share = 100.0 * mode.share.powi(2);
        let name = format!("number {}: λ = {:.1}, {share:.1} %", mode.index, mode.eigenvalue);
        pair(name, color(index), curve(&mode.measured), curve(&mode.predicted))
    });
    let title = format!("{}: error along eigenvectors (% of the squared error)", n.mapping);
    Panel::Plot(Plot {
        log_x: true,
        y_range: Some(-0.2..1.4),
        ..plot(title, "step", "component / initial component", lines.collect())
    })
}

fn by_frequency(n: &Numbers) -> Panel {
    let points = |modes: &mut dyn Iterator<Item = &Mode>| -> Vec<(f64, f64)> {
        modes.map(|mode| (mode.cycles as f64, mode.eigenvalue)).collect()
    };
    let mut lines = vec![Line::new("", RGBColor(150, 150, 150), Stroke::Points, points(&mut n.modes.all.iter()))];
    let colored = |(index, mode): (usize, &Mode)| {
        Line::new(format!("number {}", mode.index), color(index), Stroke::Points, points(&mut [mode].into_iter()))
    };
    lines.extend(drawn(n).enumerate().map(colored));
    let title = format!("{}: eigenvalue and frequency, this network's own kernel", n.mapping);
    Panel::Plot(Plot { log_y: true, ..plot(title, "frequency of the eigenvector (cycles)", "eigenvalue λ", lines) })
}

fn rates(all: &[Numbers]) -> Panel {
    let rates: Vec<Vec<(f64, f64)>> = all.iter().map(|n| n.modes.rates()).collect();
    let every = rates.iter().flatten().map(|rate| rate.0);
    let (low, high) = every.fold((f64::INFINITY, 0.0f64), |(low, high), value| (low.min(value), high.max(value)));
    let mut lines = vec![Line::new("theory", RGBColor(150, 150, 150), Stroke::Dashed, [(low, low), (high, high)])];
    for (index, (n, rates)) in all.iter().zip(rates).enumerate() {
        lines.push(Line::new(n.mapping, color(index), Stroke::Points, rates));
    }
    Panel::Plot(Plot {
        log_x: true,
        log_y: true,
        ..plot("Rate of decay along each eigenvector", "eigenvalue λ", "measured rate", lines)
    })
}
