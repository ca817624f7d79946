//! Figures that are there already.

use std::fs;
use std::sync::atomic::AtomicBool;

use trainer::reproduce::{Figure, FigureWatch, Options, ReproduceError, kept, reproduce};

#[test]
fn a_figure_made_before_is_kept_with_the_same_options_only() {
    let (stop, out) = (AtomicBool::new(false), tempfile::tempdir().unwrap());
    let monitor = FigureWatch::new(&stop, &|_| {});
    let options = Options { quick: true, seed: 3 };
    assert!(kept(Figure::Kernels, options, out.path()).is_none());
    let made = reproduce(Figure::Kernels, options, out.path(), &monitor).unwrap();
    let again = kept(Figure::Kernels, options, out.path()).unwrap();
    assert!(again.record == made.record && again.png == made.png && again.seconds.is_none(), "read back to the bit");
    assert!(kept(Figure::Kernels, Options { seed: 4, ..options }, out.path()).is_none());
    assert!(kept(Figure::Toy1d, options, out.path()).is_none());
    // Cut off it is no figure.
    let png = out.path().join("kernels.png");
    fs::write(&png, &made.png[..made.png.len() / 2]).unwrap();
    assert!(kept(Figure::Kernels, options, out.path()).is_none());
    // One at full settings stays.
    let full = Options { quick: false, ..options };
    let hours = reproduce(Figure::Kernels, full, out.path(), &monitor).unwrap();
    let refused = reproduce(Figure::Kernels, options, out.path(), &monitor).unwrap_err();
    assert!(matches!(refused, ReproduceError::Finished { .. }), "{refused}");
    assert!(kept(Figure::Kernels, full, out.path()).is_some_and(|kept| kept.record == hours.record));
    fs::remove_file(out.path().join("kernels.json")).unwrap();
    // Replaced by one that cannot be written whole, it is not taken for the old one.
    fs::remove_file(out.path().join("kernels.png")).unwrap();
    fs::create_dir(out.path().join("kernels.png")).unwrap();
    assert!(reproduce(Figure::Kernels, options, out.path(), &monitor).is_err());
    assert!(!out.path().join("kernels.json").exists());
    assert!(kept(Figure::Kernels, options, out.path()).is_none());
}
