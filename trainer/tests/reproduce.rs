//! What the figures claim at `--quick` size, seed 0: a wrong sign or a missing 2π in theory, encoding or training fails here.
//!
//! Every statement of every figure must hold, but for those listed as known to differ, which the pages call out; these may go
//! either way, since some lie close to their bounds and other processors round otherwise.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use trainer::reproduce::{Event, Figure, Monitor, Options, ReproduceError, reproduce};

const OPTIONS: Options = Options { quick: true, seed: 0 };

/// Makes a figure; `statements` is how many it checks, `differ` the beginnings of those that need not hold.
fn holds(figure: Figure, statements: usize, differ: &[&str]) {
    holds_in(tempfile::tempdir().expect("a temporary directory").path(), figure, statements, differ);
}

fn holds_in(out: &Path, figure: Figure, statements: usize, differ: &[&str]) {
    let stop = AtomicBool::new(false);
    let monitor = Monitor::new(&stop, &|_| {});
    let outcome = reproduce(figure, OPTIONS, out, &monitor).expect("a figure");
    let claims = outcome.record.content.claims;
    assert_eq!(claims.len(), statements, "{claims:#?}");
    for beginning in differ {
        assert!(claims.iter().any(|claim| claim.statement.starts_with(beginning)), "no such statement: {beginning}");
    }
    for claim in &claims {
        let known = differ.iter().any(|beginning| claim.statement.starts_with(beginning));
        assert!(claim.holds || known, "{claim:#?}");
    }
    for extension in ["png", "svg", "json"] {
        let written = std::fs::metadata(out.join(format!("{}.{extension}", figure.name())));
        assert!(written.expect("it is written").len() > 1000, "{extension}");
    }
}

#[test]
fn spectral_bias() {
    holds(Figure::SpectralBias, 4, &[]);
}

#[test]
fn toy_1d() {
    // Networks of 1024 units learn small eigenvalues more slowly than their kernel says.
    holds(Figure::Toy1d, 6, &["So are the trained network's"]);
}

#[test]
fn dynamics() {
    // The kernel of one network of 1024 units is a draw around that of infinite width.
    holds(Figure::Dynamics, 6, &["So does that predicted by the kernel of infinite width, for every single network"]);
}

#[test]
fn scale_sweep() {
    holds(Figure::ScaleSweep, 3, &[]);
}

#[test]
fn encodings() {
    holds(Figure::Encodings, 10, &["basic over none gains at least half of the published 2.08 dB: text"]);
}

#[test]
fn axis_aligned() {
    // Stopped after its first training it goes on from there.
    let (stop, out) = (AtomicBool::new(false), tempfile::tempdir().expect("a temporary directory"));
    let tell = |event| stop.store(matches!(event, Event::Advance(_)), Ordering::Relaxed);
    let stopped = reproduce(Figure::AxisAligned, OPTIONS, out.path(), &Monitor::new(&stop, &tell));
    assert!(matches!(stopped, Err(ReproduceError::Interrupted)), "{stopped:?}");
    let parts = out.path().join("axis-aligned.parts");
    assert_ne!(std::fs::read_dir(&parts).expect("what is finished").count(), 0);
    holds_in(out.path(), Figure::AxisAligned, 3, &[]);
    assert!(!parts.exists(), "the figure is whole");
}

#[test]
fn nerf() {
    holds(Figure::Nerf, 3, &[]);
}

#[test]
fn cryo() {
    // The quick decoder stops before its details are finer than those of the mean volume.
    holds(Figure::Cryo, 3, &["volumes that follow the motion"]);
}

#[test]
fn ct() {
    holds(Figure::Ct, 1, &[]);
}

#[test]
fn mri() {
    holds(Figure::Mri, 1, &[]);
}

#[test]
fn shape() {
    holds(Figure::Shape, 1, &[]);
}
