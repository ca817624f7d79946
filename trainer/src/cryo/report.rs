//! What a reconstruction looks like: slices of its volumes, the latent space, correlation curves, a table.

use super::evaluation::{QUANTILES, Quality};
use super::fit::Results;
use super::fourier_volume::FourierVolume;
use super::fsc::{Bound, Resolution};
use crate::report::colormap::Colormap;
use crate::report::sheet::{Line, Panel, Plot, Raster, Row, Sheet, Stroke};
use crate::report::style;
use plotters::style::RGBColor;

/// Colours that the true motion is told by.
const BINS: usize = 8;
/// More images than this are thinned out in the plot.
const MOST_POINTS: usize = 4000;

/// Head and rows of the table of resolutions.
pub fn table(qualities: &[Quality]) -> (Vec<String>, Vec<Vec<String>>) {
    let head = ["", "truth, 0.5", "truth, 0.143", "half sets, 0.5", "half sets, 0.143"].map(String::from).to_vec();
    let rows = qualities.iter().map(|quality| {
        let cells = [&quality.truth, &quality.half_sets].into_iter().flat_map(|curve| match curve {
            Some(curve) => [curve.at_half.to_string(), curve.at_seventh.to_string()],
            None => ["–".to_owned(), "–".to_owned()],
        });
        std::iter::once(quality.method.clone()).chain(cells).collect()
    });
    (head, rows.collect())
}

/// What "at the limit" means, where the table says it.
pub fn limit(qualities: &[Quality]) -> Option<String> {
    let curves = qualities.iter().flat_map(|quality| [&quality.truth, &quality.half_sets]).flatten();
    let is_at_limit = |resolution: &Resolution| resolution.bound == Bound::AtMost;
    let curve = { curves }.find(|curve| is_at_limit(&curve.at_half) || is_at_limit(&curve.at_seventh))?;
    Some(format!(
        "\"At the limit\" means that a correlation does not fall below its threshold at any frequency of the images: pixels of {} Å show \
         nothing finer than Nyquist's {:.1} Å, and nothing finer is claimed.",
        0.5 * curve.nyquist_angstrom,
        curve.nyquist_angstrom
    ))
}

/// Slices, latents and curves on one sheet. `motions` are the true ones of all images.
pub fn sheet(title: &str, results: &Results, motions: Option<&[f64]>) -> Sheet {
    let mut rows =
        vec![Row { height: if results.truths.is_empty() { 460 } else { 760 }, panels: vec![contact_sheet(results)] }];
    let mut panels = Vec::new();
    if let (Some(motions), false) = (motions, results.scores.is_empty()) {
        panels.push(latent_plot(results, motions));
    } else if !results.scores.is_empty() {
        panels.push(histogram(&results.scores));
    }
    panels.push(curves("Against the truth", &results.qualities, |quality| {
        quality.truth.as_ref().map(|c| &c.correlations[..])
    }));
    panels.push(curves("Between half sets", &results.qualities, |quality| {
        quality.half_sets.as_ref().map(|c| &c.correlations[..])
    }));
    panels.retain(|panel| !matches!(panel, Panel::Plot(plot) if plot.lines.len() < 2));
    if !panels.is_empty() {
        rows.push(Row { height: 620, panels });
    }
    Sheet { title: title.to_owned(), rows }
}

/// Particles are centred: the middle three quarters of the box are shown.
fn shown(size: usize) -> usize {
    size * 3 / 4
}

/// Values `[z, y, x]` of the middle of a density.
fn middle(volume: &FourierVolume) -> Vec<f32> {
    let (size, shown) = (volume.size(), shown(volume.size()));
    let (real, start) = (volume.to_real(), (size - shown) / 2);
    let place = |index: usize| {
        let [x, y, z] = [index % shown, index / shown % shown, index / shown / shown].map(|i| i + start);
        real[(z * size + y) * size + x]
    };
    (0..shown.pow(3)).map(place).collect()
}

/// The projection of a density along y, `[z, x]`, z upwards.
fn projection(volume: &FourierVolume) -> Vec<f32> {
    let (size, real) = (shown(volume.size()), middle(volume));
    let mut picture = vec![0.0; size * size];
    for (index, value) in real.iter().enumerate() {
        let (x, z) = (index % size, index / size / size);
        picture[(size - 1 - z) * size + x] += value;
    }
    picture
}

/// The middle slice across y, `[z, x]`, z upwards.
fn middle_slice(volume: &FourierVolume) -> Vec<f32> {
    let (size, real) = (shown(volume.size()), middle(volume));
    (0..size * size).map(|place| real[((size - 1 - place / size) * size + size / 2) * size + place % size]).collect()
}

/// Baseline and conformations side by side; the truth of each below it.
fn contact_sheet(results: &Results) -> Panel {
    let size = shown(results.baseline.size());
    let columns: Vec<&FourierVolume> = std::iter::once(&results.baseline).chain(&results.volumes).collect();
    let mut bands: Vec<Vec<Option<Vec<f32>>>> = vec![
        columns.iter().map(|volume| Some(projection(volume))).collect(),
        columns.iter().map(|volume| Some(middle_slice(volume))).collect(),
    ];
    if !results.truths.is_empty() {
        let truth = |view: fn(&FourierVolume) -> Vec<f32>| {
            let shown = results.truths.iter().map(|volume| Some(view(volume)));
            std::iter::once(None).chain(shown).take(columns.len()).collect::<Vec<_>>()
        };
        bands.insert(1, truth(projection));
        bands.push(truth(middle_slice));
    }
    let (gap, width) = (1, columns.len() * (size + 1) - 1);
    let height = bands.len() * (size + gap) - gap;
    let mut rgb = vec![255; 3 * width * height];
    for (band, cells) in bands.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            let Some(cell) = cell else { continue };
            let (low, high) = cell.iter().fold((0.0f32, 1e-12f32), |(l, h), &v| (l.min(v), h.max(v)));
            for (place, &value) in cell.iter().enumerate() {
                let (y, x) = (band * (size + gap) + place / size, column * (size + gap) + place % size);
                let color = Colormap::Inferno.rgb(f64::from((value - 0.3 * low) / (high - 0.3 * low)));
                rgb[3 * (y * width + x)..][..3].copy_from_slice(&color);
            }
        }
    }
    let what = if results.volumes.len() > 1 {
        format!("back-projection, then z at ranks {}", QUANTILES.map(|q| q.to_string()).join(", "))
    } else {
        "back-projection, decoder".to_owned()
    };
    let below = if results.truths.is_empty() {
        "from above: projections along y; slices across the middle of y"
    } else {
        "from above: projections along y, the truth's; slices across the middle of y, the truth's"
    };
    Panel::Raster(Raster { title: what, caption: below.to_owned(), shape: [height, width], rgb })
}

/// z of every image over its true motion, which also gives the colour; ρ is Spearman's.
fn latent_plot(results: &Results, motions: &[f64]) -> Panel {
    let step = motions.len().div_ceil(MOST_POINTS).max(1);
    let is_plane = results.latents.ncols() > 1;
    let lines = (0..BINS).map(|bin| {
        let [r, g, b] = Colormap::Viridis.rgb((bin as f64 + 0.5) / BINS as f64);
        let within = |motion: f64| ((motion * BINS as f64) as usize).min(BINS - 1) == bin;
        let points = (0..motions.len()).step_by(step).filter(|&i| within(motions[i])).map(|i| {
            if is_plane {
                (f64::from(results.latents[[i, 0]]), f64::from(results.latents[[i, 1]]))
            } else {
                (motions[i], results.scores[i])
            }
        });
        Line::new("", RGBColor(r, g, b), Stroke::Points, points)
    });
    let rho = results.spearman.map_or_else(String::new, |rho| format!(", ρ = {rho:.3}"));
    let [x_label, y_label] = if is_plane { ["z1", "z2"] } else { ["true motion", "z less its mean"] }.map(String::from);
    let title = format!("Latent and true motion{rho}");
    Panel::Plot(Plot { title, x_label, y_label, lines: lines.collect(), ..Plot::default() })
}

fn histogram(scores: &[f64]) -> Panel {
    let (low, high) = scores.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    let (mut counts, width) = ([0.0; 40], (high - low).max(1e-12) / 40.0);
    scores.iter().for_each(|score| counts[(((score - low) / width) as usize).min(39)] += 1.0);
    let points = counts.iter().enumerate().map(|(i, &count)| (low + (i as f64 + 0.5) * width, count));
    let line = Line::new("images", style::SERIES[0], Stroke::Solid, points);
    let base = Line::new("", style::GRID, Stroke::Solid, [(low, 0.0), (high, 0.0)]);
    Panel::Plot(Plot {
        title: "Latent".to_owned(),
        x_label: "z along its principal axis, less its mean".to_owned(),
        y_label: "images".to_owned(),
        lines: vec![base, line],
        ..Plot::default()
    })
}

fn curves<'a>(title: &str, qualities: &'a [Quality], of: impl Fn(&'a Quality) -> Option<&'a [f64]>) -> Panel {
    let mut lines = Vec::new();
    let mut shells = 0;
    for (quality, color) in qualities.iter().zip(style::SERIES.iter().cycle()) {
        if let Some(curve) = of(quality) {
            shells = shells.max(curve.len());
            let points = curve.iter().enumerate().map(|(i, &value)| (i as f64 + 1.0, value));
            lines.push(Line::new(quality.method.clone(), *color, Stroke::Solid, points));
        }
    }
    if !lines.is_empty() {
        for threshold in [0.5, 0.143] {
            let points = [(1.0, threshold), (shells as f64, threshold)];
            lines.push(Line::new("", style::INK, Stroke::Dashed, points));
        }
    }
    Panel::Plot(Plot {
        title: title.to_owned(),
        x_label: "cycles over the box".to_owned(),
        y_label: "Fourier shell correlation".to_owned(),
        y_range: Some(-0.1..1.05),
        lines,
        ..Plot::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cryo::evaluation::Curve;

    /// Equal volumes agree at every frequency, opposite ones at none: neither says more than the pixels can.
    #[test]
    fn the_limit_of_the_pixels_is_named_where_a_curve_reaches_it() {
        let mut volume = FourierVolume::zeros(16, 2.5);
        for (i, k) in volume.ball(7).into_iter().enumerate() {
            volume.set(k, rustfft::num_complex::Complex32::new(1.0 + (i % 7) as f32, (i % 5) as f32));
        }
        let mut opposite = volume.clone();
        opposite.ball(7).into_iter().for_each(|k| opposite.set(k, -volume.get(k)));
        let quality = |other: &FourierVolume| Quality {
            method: "a".to_owned(),
            truth: None,
            half_sets: Some(Curve::of(&[(&volume, other)])),
        };
        let reached = [quality(&volume)];
        // 40 Å over 7 shells; twice a pixel is 5 Å.
        assert_eq!(table(&reached).1[0][3..], ["at the limit, 5.7 Å", "at the limit, 5.7 Å"]);
        let said = limit(&reached).unwrap();
        assert!(said.contains("pixels of 2.5 Å") && said.contains("Nyquist's 5.0 Å"), "{said}");
        let json = serde_json::to_value(&reached[0]).unwrap();
        assert_eq!(json["half_sets"]["nyquist_angstrom"], 5.0);
        assert_eq!(json["half_sets"]["at_half"]["bound"], "at-most");
        assert_eq!(limit(&[quality(&opposite)]), None);
    }
}
