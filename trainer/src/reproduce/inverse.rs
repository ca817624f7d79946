//! Inverse problems: the remaining columns of table 1 of the paper, four mappings each.

use super::monitor::{Event, FigureWatch};
use super::{Claim, Draft, Figure, FigureContent, Options, ReproduceError, Table};
use crate::inverse::compare::Comparison;
use crate::inverse::ct::{self, CtParams};
use crate::inverse::error::InverseError;
use crate::inverse::mri::{self, MriParams};
use crate::inverse::shape::{self, ShapeParams, knot};
use crate::inverse::training::{NO_RUN, TrainingParams};
use crate::training::Watch;

/// Mappings of each problem.
const MAPPINGS: u64 = 4;

/// Tomography.
pub(super) fn ct(options: Options, monitor: &FigureWatch<'_>) -> Result<Draft, ReproduceError> {
    let params = CtParams::new(options.quick, options.seed);
    make(Figure::Ct, &params.training, monitor, |watch| ct::compare(&params.clone().check()?, watch, NO_RUN))
}

/// Magnetic resonance.
pub(super) fn mri(options: Options, monitor: &FigureWatch<'_>) -> Result<Draft, ReproduceError> {
    let params = MriParams::new(options.quick, options.seed);
    make(Figure::Mri, &params.training, monitor, |watch| mri::compare(&params.clone().check()?, watch, NO_RUN))
}

/// Occupancy of the built-in solid.
pub(super) fn shape(options: Options, monitor: &FigureWatch<'_>) -> Result<Draft, ReproduceError> {
    let params = ShapeParams::new(options.quick, options.seed);
    make(Figure::Shape, &params.training, monitor, |watch| {
        shape::compare(&knot::solid(), &params.clone().check()?, watch, NO_RUN)
    })
}

fn make(
    figure: Figure,
    training: &TrainingParams,
    monitor: &FigureWatch<'_>,
    solve: impl FnOnce(&mut Watch<'_>) -> Result<Comparison, InverseError>,
) -> Result<Draft, ReproduceError> {
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
            std::iter::once(row.mapping.label().to_owned()).chain(text(&row.scores)).chain(published).collect()
        })
        .collect();
    let on_device = format!("{}, as a device computes it", comparison.best().mapping.label());
    rows.push([on_device].into_iter().chain(text(&comparison.artifact_scores)).chain([String::new()]).collect());
    let first = |row: &[f64]| text(&row[..1]).next().unwrap_or_default();
    let measured: Vec<String> =
        comparison.rows.iter().map(|row| format!("{} {}", row.mapping.label(), first(&row.scores))).collect();
    let claim = Claim::new(
        "the order of the mappings is the published one: none < basic < positional, and Gaussian best or about equal \
         to positional",
        measured.join(", "),
        comparison.has_published_order(),
    );
    let [what_you_see, why] = lesson(figure).map(|text| vec![text.to_owned()]);
    let content = FigureContent {
        title: comparison.problem.title.clone(),
        what_you_see,
        why,
        method: vec![comparison.problem.differences.clone()],
        caption: "The truth, and what each mapping recovers.".to_owned(),
        tables: vec![Table {
            caption: "Here, and as published in table 1 of Tancik et al. (2020)".to_owned(),
            head,
            rows,
        }],
        claims: vec![claim],
        numbers: comparison.to_json(),
    };
    Ok(Draft { content, sheet: comparison.sheet })
}

/// What is to be seen in a figure, and why.
fn lesson(figure: Figure) -> [&'static str; 2] {
    match figure {
        Figure::Ct => [
            "A section of a head, as it is and as networks behind four mappings recover it. None of them has seen the \
             section: they have seen sums of it along lines in 20 directions, as a tomograph measures them.",
            "Each measurement is a sum over many points, and a network that sees only sums must fill in what they \
             leave open by what its kernel makes easy. A wide kernel makes smooth sections easy, and the edges of the \
             bone are blurred. Features make edges easy too.",
        ],
        Figure::Mri => [
            "A slice of a head, as it is and as networks behind four mappings recover it. None of them has seen the \
             head itself: they have seen a part of its Fourier coefficients, as a magnetic resonance scanner measures \
             them.",
            "The coefficients that were not measured are filled in by what the kernel of the network makes easy. A \
             wide kernel leaves out the high ones, which carry the details. Features let the network follow the high \
             ones that were measured.",
        ],
        _ => [
            "A solid, as it is and as networks behind four mappings know it. Each network answers for a point of space \
             whether it lies inside. It has learned that from random points.",
            "Inside and outside meet in a jump at the surface, and thin parts of the solid are jumps close to each \
             other. Both need high frequencies, whose eigenvalues are near zero on plain coordinates and larger behind \
             features.",
        ],
    }
}

fn text(scores: &[f64]) -> impl Iterator<Item = String> {
    scores.iter().map(|score| if *score < 1.0 { format!("{score:.3}") } else { format!("{score:.2}") })
}
