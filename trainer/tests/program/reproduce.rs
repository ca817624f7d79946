//! What the figures claim at `--quick` size, seed 0: a wrong sign or a missing 2π in theory, encoding or training fails
//! here.
//!
//! Every statement of every figure must hold, but for those listed as known to differ, which the pages call out; these
//! may go either way, since some lie close to their bounds and other processors round otherwise.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use image::RgbImage;
use serde_json::Value;
use trainer::report::style::SERIES;
use trainer::reproduce::{Event, Figure, FigureWatch, Options, ReproduceError, reproduce};

const OPTIONS: Options = Options { quick: true, seed: 0 };

/// What a panel must show.
#[derive(Clone, Copy)]
enum Panel {
    /// A picture, in more than a few colours.
    Picture,
    /// Axes, and data in these colours of [`SERIES`].
    Plot(&'static [usize]),
}
use Panel::{Picture, Plot};

/// A row of a sheet: its height in pixels, and its panels, which share the width.
type Row = (u32, &'static [Panel]);

/// What a figure must claim and draw.
struct Expected {
    /// How many statements are checked.
    statements: usize,
    /// The beginnings of those that need not hold.
    differ: &'static [&'static str],
    rows: &'static [Row],
}

/// Makes a figure, looks at its claims and its drawing, and returns its numbers.
fn holds(figure: Figure, expected: &Expected) -> Value {
    holds_in(tempfile::tempdir().expect("a temporary directory").path(), figure, expected)
}

fn holds_in(out: &Path, figure: Figure, expected: &Expected) -> Value {
    let stop = AtomicBool::new(false);
    let monitor = FigureWatch::new(&stop, &|_| {});
    let written = reproduce(figure, OPTIONS, out, &monitor).expect("a figure");
    let content = written.record.content;
    assert_eq!(content.claims.len(), expected.statements, "{:#?}", content.claims);
    for beginning in expected.differ {
        let named = content.claims.iter().any(|claim| claim.statement.starts_with(beginning));
        assert!(named, "no such statement: {beginning}");
    }
    for claim in &content.claims {
        let known = expected.differ.iter().any(|beginning| claim.statement.starts_with(beginning));
        assert!(claim.holds || known, "{claim:#?}");
    }
    assert!([&content.what_you_see, &content.why, &content.method].iter().all(|texts| !texts.is_empty()));
    let file = |extension: &str| out.join(format!("{}.{extension}", figure.name()));
    let drawn = image::open(file("png")).expect("a picture").to_rgb8();
    looks_right(&drawn, expected.rows);
    let svg = std::fs::read_to_string(file("svg")).expect("it is written");
    assert!(svg.contains(&format!("width=\"{}\" height=\"{}\"", drawn.width(), drawn.height())));
    assert!(svg.trim_end().ends_with("</svg>"));
    let json = std::fs::read(file("json")).expect("it is written");
    let json: Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!((&json["numbers"], &json["figure"]), (&content.numbers, &serde_json::json!(figure.name())));
    content.numbers
}

/// Height of a sheet's title, and the space below each row; width of a sheet; height of a panel's title; left of a
/// plot's axis.
const TITLE: u32 = 58;
const GAP: u32 = 22;
const WIDTH: u32 = 1800;
const PANEL_TITLE: u32 = 40;
const PLOT_LEFT: u32 = 111;
/// Titles and legends of four lines end above this; below the last of a panel's pixels that are data stand numbers and
/// a label.
const LEGEND: u32 = 170;
const LABELS: u32 = 75;

fn looks_right(drawn: &RgbImage, rows: &[Row]) {
    let height = TITLE + rows.iter().map(|(height, _)| height + GAP).sum::<u32>();
    assert_eq!(drawn.dimensions(), (WIDTH, height));
    let mut top = TITLE;
    for (row, &(height, panels)) in rows.iter().enumerate() {
        let width = WIDTH / panels.len() as u32;
        for (column, &panel) in panels.iter().enumerate() {
            let left = column as u32 * width;
            let place = format!("row {row}, panel {column}");
            match panel {
                Picture => {
                    let pixels = pixels(drawn, left..left + width, top + PANEL_TITLE..top + height);
                    let colours: std::collections::HashSet<_> = pixels.iter().collect();
                    assert!(colours.len() > 16, "{place}: {} colours", colours.len());
                    let share = pixels.iter().filter(|&&pixel| pixel != [255; 3]).count() as f64 / pixels.len() as f64;
                    assert!(share > 0.05, "{place}: {share} of it is not white");
                }
                Plot(series) => {
                    // Data may lie on the axis.
                    let strip = |y| pixels(drawn, left + PLOT_LEFT - 1..left + PLOT_LEFT + 2, y..y + 1);
                    let drawn_on = |pixel: &[u8; 3]| pixel.iter().any(|&channel| channel < 150);
                    let bottom = top + height - LABELS;
                    let of_axis = (top..bottom).rev().take_while(|&y| strip(y).iter().any(drawn_on)).count() as u32;
                    let axis = bottom - of_axis..bottom;
                    assert!(axis.start <= top + LEGEND, "{place}: the y axis begins at {}", axis.start - top);
                    let inside = pixels(drawn, left + PLOT_LEFT..left + width, axis);
                    for &index in series {
                        let color = SERIES[index];
                        let near = |pixel: &&[u8; 3]| {
                            let off = |channel: u8, wanted: u8| channel.abs_diff(wanted) < 30;
                            off(pixel[0], color.0) && off(pixel[1], color.1) && off(pixel[2], color.2)
                        };
                        let found = inside.iter().filter(near).count();
                        assert!(found >= 15, "{place}: {found} pixels of series {index}");
                    }
                }
            }
            // Nothing of a panel reaches over its right edge, where the next one begins.
            let edge = left + width;
            let crossing = pixels(drawn, edge.saturating_sub(3)..edge, top..top + height);
            assert!(crossing.iter().all(|&pixel| pixel == [255; 3]), "{place}: something lies on its right edge");
        }
        top += height;
        let gap = pixels(drawn, 0..WIDTH, top + 2..top + GAP - 2);
        assert!(gap.iter().all(|&pixel| pixel == [255; 3]), "row {row} reaches into the next");
        top += GAP;
    }
}

fn pixels(drawn: &RgbImage, columns: std::ops::Range<u32>, rows: std::ops::Range<u32>) -> Vec<[u8; 3]> {
    rows.flat_map(|y| columns.clone().map(move |x| drawn.get_pixel(x, y).0)).collect()
}

/// Every colour of the series.
const ALL: [usize; 6] = [0, 1, 2, 3, 4, 5];
const FIVE_PICTURES: Row = (430, &[Picture; 5]);

#[test]
fn kernels() {
    let rows: &[Row] = &[(560, &[Plot(&ALL); 3]), (560, &[Plot(&ALL); 3]), (560, &[Plot(&[0, 1]); 3])];
    holds(Figure::Kernels, &Expected { statements: 4, differ: &[], rows });
}

#[test]
fn spectral_bias() {
    let rows: &[Row] = &[
        (590, &[Picture; 3]),
        (590, &[Picture, Picture, Plot(&[2])]),
        (590, &[Plot(&[0, 1, 2, 3, 4]), Plot(&[0, 1, 2]), Plot(&[2])]),
        (590, &[Plot(&[0, 4, 1]), Plot(&[0, 4, 1]), Plot(&[2])]),
    ];
    holds(Figure::SpectralBias, &Expected { statements: 4, differ: &[], rows });
}

#[test]
fn toy_1d() {
    // Networks of 1024 units learn small eigenvalues more slowly than their kernel says.
    let rows: &[Row] = &[
        (560, &[Plot(&ALL); 2]),
        (400, &[Plot(&[]), Plot(&[0]), Plot(&[1]), Plot(&[2])]),
        (400, &[Plot(&[3]), Plot(&[4]), Plot(&[5]), Plot(&[])]),
        (620, &[Plot(&ALL); 2]),
    ];
    holds(Figure::Toy1d, &Expected { statements: 6, differ: &["The test errors of the trained networks"], rows });
}

#[test]
fn dynamics() {
    // The kernel of one network of 1024 units is a draw around that of infinite width.
    let rows: &[Row] = &[
        (600, &[Plot(&ALL); 2]),
        (600, &[Plot(&ALL), Plot(&[0, 1, 2])]),
        (600, &[Plot(&[0, 1, 2]), Plot(&ALL)]),
        (600, &[Plot(&[0, 1, 2, 3, 4]); 2]),
    ];
    holds(Figure::Dynamics, &Expected { statements: 6, differ: &["The loss of every single network"], rows });
}

#[test]
fn scale_sweep() {
    let rows: &[Row] = &[(560, &[Plot(&[5, 1])]), (520, &[Picture; 4])];
    holds(Figure::ScaleSweep, &Expected { statements: 3, differ: &[], rows });
}

#[test]
fn encodings() {
    let rows: &[Row] = &[FIVE_PICTURES; 4];
    holds(
        Figure::Encodings,
        &Expected {
            statements: 10,
            differ: &["basic over none gains at least half of the published 2.08 dB: text"],
            rows,
        },
    );
}

#[test]
fn axis_aligned() {
    // Stopped after its first training it goes on from there.
    let (stop, out) = (AtomicBool::new(false), tempfile::tempdir().expect("a temporary directory"));
    let tell = |event| stop.store(matches!(event, Event::Advance(_)), Ordering::Relaxed);
    let stopped = reproduce(Figure::AxisAligned, OPTIONS, out.path(), &FigureWatch::new(&stop, &tell));
    assert!(matches!(stopped, Err(ReproduceError::Interrupted)), "{stopped:?}");
    let parts = out.path().join("axis-aligned.parts");
    assert_ne!(std::fs::read_dir(&parts).expect("what is finished").count(), 0);
    let rows: &[Row] = &[(600, &[Plot(&[0, 1, 2, 3]); 2]), (600, &[Picture; 2])];
    holds_in(out.path(), Figure::AxisAligned, &Expected { statements: 3, differ: &[], rows });
    assert!(!parts.exists(), "the figure is whole");
}

#[test]
fn bases() {
    const FIVE: [usize; 5] = [0, 1, 2, 3, 4];
    let rows: &[Row] = &[
        (480, &[Plot(&[0]), Plot(&[1]), Plot(&[2])]),
        (560, &[Plot(&[3]), Plot(&[4]), Plot(&FIVE)]),
        FIVE_PICTURES,
        (560, &[Plot(&FIVE); 3]),
        (560, &[Plot(&FIVE); 2]),
        (560, &[Plot(&FIVE); 2]),
    ];
    holds(Figure::Bases, &Expected { statements: 10, differ: &[], rows });
}

#[test]
fn nerf() {
    let rows: &[Row] = &[FIVE_PICTURES; 2];
    holds(Figure::Nerf, &Expected { statements: 3, differ: &[], rows });
}

#[test]
fn cryo() {
    // The quick decoder stops before its details are finer than those of the mean volume.
    let rows: &[Row] = &[(760, &[Picture]), (620, &[Plot(&[]); 3])];
    holds(Figure::Cryo, &Expected { statements: 3, differ: &["volumes that follow the motion"], rows });
}

/// Makes the figure of an inverse problem: the artifact's score is at most `loss` below that of the best mapping.
fn solves(figure: Figure, rows: &'static [Row], loss: f64) {
    let numbers = holds(figure, &Expected { statements: 1, differ: &[], rows });
    let score = |scores: &Value| scores[0].as_f64().expect("a score");
    let mappings = numbers["mappings"].as_array().expect("mappings");
    let best = mappings.iter().map(|row| score(&row["scores"])).fold(f64::NEG_INFINITY, f64::max);
    let artifact = score(&numbers["artifact_scores"]);
    assert!(artifact > best - loss, "{best} {artifact}");
}

#[test]
fn ct() {
    solves(Figure::Ct, &[FIVE_PICTURES], 0.5);
}

#[test]
fn mri() {
    solves(Figure::Mri, &[FIVE_PICTURES; 2], 0.5);
}

#[test]
fn shape() {
    solves(Figure::Shape, &[FIVE_PICTURES], 0.01);
}
