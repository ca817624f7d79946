//! Inverse problems: the remaining columns of table 1 of the paper, four mappings each.

use super::monitor::{Event, Monitor};
use super::{Claim, Figure, Options, ReproduceError, Story, Table};
use crate::inverse::compare::Comparison;
use crate::inverse::ct::{self, CtParams};
use crate::inverse::error::InverseError;
use crate::inverse::mri::{self, MriParams};
use crate::inverse::shape::{self, ShapeParams, knot};
use crate::inverse::training::TrainingParams;
use crate::training::Watch;

/// Mappings of each problem.
const MAPPINGS: u64 = 4;

/// Tomography.
pub(super) fn ct(options: Options, monitor: &Monitor<'_>) -> Result<Story, ReproduceError> {
    let params = CtParams::new(options.quick, options.seed);
    make(Figure::Ct, &params.training, monitor, |watch| ct::compare(&params.clone().check()?, watch, None))
}

/// Magnetic resonance.
pub(super) fn mri(options: Options, monitor: &Monitor<'_>) -> Result<Story, ReproduceError> {
    let params = MriParams::new(options.quick, options.seed);
    make(Figure::Mri, &params.training, monitor, |watch| mri::compare(&params.clone().check()?, watch, None))
}

/// Occupancy of the built-in solid.
pub(super) fn shape(options: Options, monitor: &Monitor<'_>) -> Result<Story, ReproduceError> {
    let params = ShapeParams::new(options.quick, options.seed);
    make(Figure::Shape, &params.training, monitor, |watch| {
        shape::compare(&knot::solid(), &params.clone().check()?, watch, None)
    })
}

fn make(
    figure: Figure,
    training: &TrainingParams,
    monitor: &Monitor<'_>,
    solve: impl FnOnce(&mut Watch<'_>) -> Result<Comparison, InverseError>,
) -> Result<Story, ReproduceError> {
    (monitor.tell)(Event::Begin { figure: figure.name(), units: MAPPINGS * training.steps });
    let mut observe = |_: &_, _| monitor.advance(1);
    let mut watch = Watch { stop: Some(monitor.stop), observe: Some(&mut observe), ..Watch::default() };
    let comparison = solve(&mut watch)?;
    let mut head = vec!["mapping".to_owned()];
    head.extend(comparison.problem.measures.iter().map(|&measure| measure.to_owned()));
    head.push(format!("published {}", comparison.problem.measures[0]));
    let mut rows: Vec<Vec<String>> = comparison
        .rows
        .iter()
        .map(|row| {
            let published = row.mapping.published.map(|published| format!("{published}"));
            std::iter::once(row.mapping.kind.label().to_owned()).chain(text(&row.scores)).chain(published).collect()
        })
        .collect();
    let on_device = format!("{}, as a device computes it", comparison.best().mapping.kind.label());
    rows.push([on_device].into_iter().chain(text(&comparison.artifact_scores)).chain([String::new()]).collect());
    let first = |row: &[f64]| text(&row[..1]).next().unwrap_or_default();
    let measured: Vec<String> =
        comparison.rows.iter().map(|row| format!("{} {}", row.mapping.kind.label(), first(&row.scores))).collect();
    let claim = Claim::new(
        "the order of the mappings is the published one: none < basic < positional, and Gaussian best or about equal to positional",
        measured.join(", "),
        comparison.has_published_order(),
    );
    Ok(Story {
        title: comparison.problem.title.clone(),
        text: vec![comparison.problem.differences.clone()],
        caption: "The truth, and what each mapping recovers.".to_owned(),
        tables: vec![Table { caption: "Beside table 1 of the paper".to_owned(), head, rows }],
        claims: vec![claim],
        numbers: comparison.to_json(),
        sheet: comparison.sheet,
    })
}

fn text(scores: &[f64]) -> impl Iterator<Item = String> {
    scores.iter().map(|score| if *score < 1.0 { format!("{score:.3}") } else { format!("{score:.2}") })
}
