//! What the figure claims.

use super::basis::Basis;
use super::shapes::{PLACES_OF, POINTS, Shapes, TABLE_NODES};
use super::trainings::{Outcome, PICTURES};
use super::{Claim, Results, kilobytes};

/// How much smaller the lead of the table is on the photograph than on the terrain, dB.
const LEAST_DIFFERENCE: f64 = 2.0;
/// Eigenvalues at these frequencies are compared, in cycles.
const FAST: std::ops::RangeInclusive<usize> = 32..=48;

pub(super) fn all(results: &Results) -> Vec<Claim> {
    let mut claims =
        vec![table_is_local(results), table_ends(results), far_from_zero(results), sines_are_smooth(results)];
    claims.extend([order_of_bands(results), budgets(results), terrain(results), photograph(results)]);
    claims.extend([learned(results), between(results)]);
    // Long trainings alone show it.
    if !results.options.quick {
        claims.push(networks_win(results));
    }
    claims
}

fn table_is_local(results: &Results) -> Claim {
    // The table has two cells less than nodes, and a quadratic spline is three cells wide.
    let reach = 3.0 / (TABLE_NODES - 2) as f64;
    let profile = results.of(Basis::Table).profiles[1].iter().enumerate();
    let far = profile.filter(|(i, _)| (*i as f64 / POINTS as f64 - 0.5).abs() >= reach);
    let largest = far.fold(0.0, |largest: f64, (_, value)| largest.max(value.abs()));
    Claim::new(
        "The kernel of a quadratic table is zero for points three or more of its cells apart",
        format!("at most {largest} of its peak there"),
        largest == 0.0,
    )
}

fn table_ends(results: &Results) -> Claim {
    let fastest = results.of(Basis::Table).spectrum.iter().map(|(cycles, _)| *cycles).max().unwrap_or(0);
    Claim::new(
        format!("A table of {TABLE_NODES} nodes has no eigenvalue for waves of more than {} cycles", TABLE_NODES / 2),
        format!("the fastest wave with an eigenvalue has {fastest} cycles"),
        fastest <= TABLE_NODES / 2,
    )
}

fn far_from_zero(results: &Results) -> Claim {
    let ratio = |basis| {
        let Shapes { profiles, .. } = results.of(basis);
        profiles[2][3 * POINTS / PLACES_OF] / profiles[0][POINTS / PLACES_OF]
    };
    let [fixed, learned, sine] = [Basis::Fixed, Basis::Learned, Basis::Sine].map(ratio);
    Claim::new(
        "Learned frequencies raise the kernel with the distance from 0: from 1/4 to 3/4 by more than a half, and with \
         fixed frequencies by less than a third",
        format!("K(3/4, 3/4) over K(1/4, 1/4): fixed {fixed:.2}, learned {learned:.2}, learned with sines {sine:.2}"),
        learned > 1.5 && sine > 1.5 && fixed < 1.33,
    )
}

fn sines_are_smooth(results: &Results) -> Claim {
    let [relu, sine] = [Basis::Learned, Basis::Sine].map(|basis| results.of(basis).share(FAST));
    Claim::new(
        format!(
            "The kernel of sine layers has less than a tenth of the eigenvalues of ReLU layers at {} to {} cycles",
            FAST.start(),
            FAST.end()
        ),
        format!("mean share of the sum: ReLU {relu:.1e}, sine {sine:.1e}"),
        sine < 0.1 * relu,
    )
}

fn order_of_bands(results: &Results) -> Claim {
    let curves = results.outcomes.iter().filter_map(|outcome| Some((outcome, outcome.curve.last()?.1)));
    let curves: Vec<(&Outcome, [f64; 3])> = curves.collect();
    let each = curves
        .iter()
        .map(|(outcome, [low, middle, high])| format!("{} {low:.3}, {middle:.2}, {high:.2}", outcome.basis.name()));
    Claim::new(
        "In every basis least is left of the low frequencies and most of the high ones",
        format!("error over amplitude in the three bands: {}", each.collect::<Vec<_>>().join("; ")),
        !curves.is_empty() && curves.iter().all(|(_, left)| left[0] < left[1] && left[1] < left[2]),
    )
}

fn budgets(results: &Results) -> Claim {
    let fullest =
        results.outcomes.iter().map(|outcome| outcome.bytes as f64 / outcome.budget as f64).fold(0.0, f64::max);
    Claim::new(
        "No artifact is larger than it may be",
        format!("the fullest takes {:.1} % of its bytes", 100.0 * fullest),
        fullest <= 1.0,
    )
}

/// What the table is above the best network in every size, dB.
fn leads(results: &Results, picture: &str) -> Vec<f64> {
    let lead = |&bytes: &usize| {
        results.model(Basis::Table, picture, bytes).trained_psnr_db
            - results.best_network(picture, bytes).trained_psnr_db
    };
    results.setting.bytes.iter().map(lead).collect()
}

/// Decibels in every size.
fn in_sizes(results: &Results, values: &[f64]) -> String {
    let pairs = results.setting.bytes.iter().zip(values);
    pairs.map(|(&bytes, value)| format!("{value:+.2} dB in {}", kilobytes(bytes))).collect::<Vec<_>>().join(", ")
}

fn terrain(results: &Results) -> Claim {
    let leads = leads(results, PICTURES[1]);
    Claim::new(
        "On the smooth terrain the quadratic table is above every network of as many bytes",
        format!("table over the best network: {}", in_sizes(results, &leads)),
        leads.iter().all(|&lead| lead > 0.0),
    )
}

fn photograph(results: &Results) -> Claim {
    let [photograph, terrain] = PICTURES.map(|picture| leads(results, picture));
    let differences: Vec<f64> =
        terrain.iter().zip(&photograph).map(|(terrain, photograph)| terrain - photograph).collect();
    Claim::new(
        format!(
            "A photograph suits networks better: the lead of the table over the best network is at least \
             {LEAST_DIFFERENCE} dB less on it than on the terrain"
        ),
        format!("less by {}", in_sizes(results, &differences)),
        differences.iter().all(|&difference| difference >= LEAST_DIFFERENCE),
    )
}

fn learned(results: &Results) -> Claim {
    let gain = |&bytes: &usize| {
        let of = |basis| results.model(basis, PICTURES[0], bytes).trained_psnr_db;
        of(Basis::Learned) - of(Basis::Fixed)
    };
    let gains: Vec<f64> = results.setting.bytes.iter().map(gain).collect();
    Claim::new(
        "On the photograph learned frequencies gain over fixed ones, as a mean over the sizes, for no byte more",
        in_sizes(results, &gains),
        gains.iter().sum::<f64>() > 0.0,
    )
}

fn between(results: &Results) -> Claim {
    let losses = PICTURES.map(|picture| {
        [Basis::Table, Basis::Grids].map(|basis| {
            let model = results.model(basis, picture, results.largest());
            model.trained_psnr_db - model.between_psnr_db
        })
    });
    let each = PICTURES
        .iter()
        .zip(&losses)
        .map(|(picture, [table, grids])| format!("{picture}: table {table:.2} dB, grids {grids:.2} dB"));
    Claim::new(
        format!(
            "Between the pixels trained on, a table of {} loses more than grids before a network do",
            kilobytes(results.largest())
        ),
        format!("PSNR on these pixels less PSNR between them: {}", each.collect::<Vec<_>>().join("; ")),
        losses.iter().all(|[table, grids]| table > grids),
    )
}

fn networks_win(results: &Results) -> Claim {
    let (picture, bytes) = (PICTURES[0], results.largest());
    let best = results.best_network(picture, bytes);
    let table = results.model(Basis::Table, picture, bytes);
    Claim::new(
        format!("On the photograph the best network of {} is above the table", kilobytes(bytes)),
        format!("{}: {:.2} dB; table: {:.2} dB", best.basis.name(), best.trained_psnr_db, table.trained_psnr_db),
        best.trained_psnr_db > table.trained_psnr_db,
    )
}
