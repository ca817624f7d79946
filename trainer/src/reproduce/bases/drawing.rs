//! The panels of the figure.

use super::basis::Basis;
use super::shapes::{PLACES, PLACES_OF, POINTS, SIDE, Shapes};
use super::trainings::{BANDS, Outcome, PICTURES, Setting};
use crate::report::colormap::Colormap;
use crate::report::sheet::{Line, Panel, Plot, Raster, Row, Sheet, Stroke};

/// Shares of eigenvalues below this are not drawn.
const LEAST_SHARE: f64 = 1e-6;

pub(super) fn sheet(shapes: &[Shapes], outcomes: &[Outcome], setting: Setting) -> Sheet {
    let row = |height, panels: Vec<Panel>| Row { height, panels };
    let mut profiles: Vec<Panel> = shapes.iter().map(|shape| Panel::Plot(profile(shape))).collect();
    let second = profiles.split_off(3);
    let maps = shapes.iter().map(|shape| Panel::Raster(map(shape))).collect();
    let second = second.into_iter().chain([Panel::Plot(spectra(shapes))]).collect();
    let bands = (0..3).map(|band| Panel::Plot(learning(outcomes, band, setting))).collect();
    let distortion = |picture: &str| {
        let of = |what: &str, psnr_db: fn(&Outcome) -> f64| {
            let lines = rates(outcomes, picture, psnr_db);
            Panel::Plot(rate_distortion(format!("{}: {what}", capital(picture)), lines, setting))
        };
        vec![
            of("on the pixels trained on", |outcome| outcome.trained_psnr_db),
            of("between the pixels trained on", |outcome| outcome.between_psnr_db),
        ]
    };
    let rows = [row(480, profiles), row(560, second), row(430, maps), row(560, bands)];
    Sheet {
        title: "Five bases: how they learn, and what a byte buys".to_owned(),
        rows: rows.into_iter().chain(PICTURES.iter().map(|picture| row(560, distortion(picture)))).collect(),
    }
}

fn profile(shape: &Shapes) -> Plot {
    let places = PLACES.iter().zip(&shape.profiles).enumerate();
    let lines = places.map(|(index, (place, values))| {
        let (name, stroke) = match index {
            0 => (String::new(), Stroke::Dashed),
            1 => ("x0 = 1/2".to_owned(), Stroke::Solid),
            _ => (format!("x0 = 1/{PLACES_OF} and x0 = {place}/{PLACES_OF}"), Stroke::Dashed),
        };
        let points = values.iter().enumerate().map(|(i, &value)| (i as f64 / POINTS as f64, value));
        Line::new(name, shape.basis.color(), stroke, points)
    });
    Plot {
        title: shape.basis.name().to_owned(),
        x_label: "x".to_owned(),
        y_label: "K(x, x0) / K(1/2, 1/2)".to_owned(),
        lines: lines.collect(),
        ..Plot::default()
    }
}

fn map(shape: &Shapes) -> Raster {
    let bounds = |(low, high): (f64, f64), &value: &f64| (low.min(value), high.max(value));
    let (low, high) = shape.map.iter().fold((f64::INFINITY, f64::NEG_INFINITY), bounds);
    let rgb = shape.map.iter().flat_map(|value| Colormap::Viridis.rgb((value - low) / (high - low))).collect();
    let caption = format!("{low:.2} … {high:.2}");
    Raster { title: shape.basis.name().to_owned(), caption, shape: [SIDE, SIDE], rgb }
}

fn spectra(shapes: &[Shapes]) -> Plot {
    let lines = shapes.iter().map(|shape| {
        let points = shape.spectrum.iter().filter(|(_, share)| *share > LEAST_SHARE);
        let points = points.map(|&(cycles, share)| (cycles as f64, share));
        Line::new(shape.basis.name(), shape.basis.color(), Stroke::Solid, points)
    });
    Plot {
        title: "Eigenvalue and frequency".to_owned(),
        x_label: "frequency of the eigenvector (cycles)".to_owned(),
        y_label: "share of the sum of all".to_owned(),
        log_y: true,
        lines: lines.collect(),
        ..Plot::default()
    }
}

fn learning(outcomes: &[Outcome], band: usize, setting: Setting) -> Plot {
    let curves = outcomes.iter().filter(|outcome| !outcome.curve.is_empty());
    let lines = curves.flat_map(|outcome| {
        let (basis, left) = (outcome.basis, |&(step, left): &(u64, [f64; 3])| (step as f64, left[band]));
        if basis == Basis::Table {
            // All of it is fitted at once.
            let last = outcome.curve.last().map_or(f64::NAN, |last| left(last).1);
            return vec![Line::new(
                basis.name(),
                basis.color(),
                Stroke::Dashed,
                [1.0, setting.steps as f64].map(|x| (x, last)),
            )];
        }
        let points = outcome.curve.iter().filter(|(step, _)| *step > 0).map(left);
        vec![Line::new(basis.name(), basis.color(), Stroke::Solid, points)]
    });
    let [low, high] = BANDS.map(|first| first.floor());
    let title = match band {
        0 => format!("Low frequencies: up to {low} cycles"),
        1 => format!("Middle frequencies: {} to {high} cycles", low + 1.0),
        _ => format!("High frequencies: above {high} cycles"),
    };
    Plot {
        title,
        x_label: "step".to_owned(),
        y_label: "error / amplitude of the band".to_owned(),
        log_x: true,
        log_y: true,
        lines: lines.collect(),
        ..Plot::default()
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn rates(outcomes: &[Outcome], picture: &str, psnr_db: fn(&Outcome) -> f64) -> Vec<Line> {
    let line = |basis: Basis| {
        let of = outcomes.iter().filter(|outcome| outcome.basis == basis && outcome.picture == picture);
        let points = of.map(|outcome| (outcome.bytes as f64 / 1024.0, psnr_db(outcome)));
        Line::new(basis.name(), basis.color(), Stroke::Marked, points)
    };
    Basis::ALL.map(line).into()
}

fn rate_distortion(title: String, lines: Vec<Line>, setting: Setting) -> Plot {
    Plot {
        title,
        x_label: "size of the artifact (KB, 1024 bytes)".to_owned(),
        y_label: "PSNR (dB)".to_owned(),
        log_x: true,
        x_ticks: setting.bytes.iter().map(|&bytes| bytes as f64 / 1024.0).collect(),
        lines,
        ..Plot::default()
    }
}
