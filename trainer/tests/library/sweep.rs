//! Sweeps: many settings on one data set.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use firmware_core::Precision;
use ndarray::Array2;
use trainer::artifact::precision::NamedPrecision;
use trainer::base::shard::Shard;
use trainer::data::{Dataset, Holdout, LoadOptions};
use trainer::fit::FitParams;
use trainer::fit::settings::FitSettings;
use trainer::network::OutputActivation;
use trainer::network::encoding::EncodingKind;
use trainer::sweep::table::Table;
use trainer::sweep::{Grid, Sweep, SweepError, SweepEvent, SweepManifest, SweepRow, SweepStore, SweepWatch};
use trainer::training::Ended;
use trainer::training::optimizer::{Optimizer, Schedule};

fn data() -> Dataset {
    let values =
        Array2::from_shape_fn((200, 1), |(k, _)| 0.5 + 0.4 * (k as f32 * 0.15).sin() * (k as f32 * 0.02).cos());
    Dataset::from_grid(&[200], values)
}

fn base() -> FitSettings {
    FitSettings {
        fit: FitParams { hidden: vec![8], steps: 40, holdout: Holdout::Fraction(0.2), ..FitParams::default() },
        precision: Some(NamedPrecision(Precision::W8A16)),
        input: "line.npy".into(),
        load: LoadOptions::default(),
        imported: None,
    }
}

fn grid() -> Grid {
    Grid { scales: vec![1.0, 3.0, 9.0], widths: vec![4, 8], ..Grid::default() }
}

fn run(sweep: &Sweep<'_>, store: &SweepStore, shard: Shard, threads: usize) -> usize {
    let (stop, finished) = (AtomicBool::new(false), Mutex::new(0));
    let tell =
        |event: SweepEvent<'_>| *finished.lock().unwrap() += usize::from(matches!(event, SweepEvent::Finished(_)));
    let ended = sweep.run(store, shard, SweepWatch { threads, stop: &stop, tell: &tell }).unwrap();
    assert_eq!(ended, Ended::Finished);
    finished.into_inner().unwrap()
}

/// What may not depend on how the sweep was run.
fn numbers(paths: &[std::path::PathBuf]) -> Vec<Option<SweepRow>> {
    let (_, mut rows) = SweepStore::collect(paths).unwrap();
    rows.iter_mut().flatten().for_each(|row| row.seconds = None);
    rows
}

#[test]
fn threads_shards_and_interruptions_leave_the_numbers_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let data = data();
    let sweep = Sweep::new(base(), grid(), Precision::W8A16, &data).unwrap();
    let store = SweepStore::create(&path("one"), sweep.manifest()).unwrap();
    assert_eq!(run(&sweep, &store, Shard::WHOLE, 1), 6);
    let expected = numbers(&[path("one")]);
    assert!(expected.iter().flatten().all(|row| row.measured.is_some()));
    assert_eq!(run(&sweep, &store, Shard::WHOLE, 2), 0, "nothing is done twice");

    for shard in ["1/2", "2/2"] {
        let store = SweepStore::create(&path(&shard.replace('/', "of")), sweep.manifest()).unwrap();
        assert_eq!(run(&sweep, &store, shard.parse().unwrap(), 3), 3);
    }
    assert_eq!(numbers(&[path("1of2"), path("2of2")]), expected);
    let (manifest, rows) = SweepStore::collect(&[path("2of2")]).unwrap();
    assert_eq!(Table::new(manifest, rows).missing(), [0, 2, 4]);

    // Stopped after some steps again and again.
    let store = SweepStore::create(&path("stopped"), sweep.manifest()).unwrap();
    let mut times = 0;
    loop {
        let (stop, steps) = (AtomicBool::new(false), Mutex::new(0));
        let tell = |event: SweepEvent<'_>| {
            if matches!(event, SweepEvent::Steps(1)) {
                let mut steps = steps.lock().unwrap();
                *steps += 1;
                stop.store(*steps >= 57, Ordering::Relaxed);
            }
        };
        times += 1;
        if sweep.run(&store, Shard::WHOLE, SweepWatch { threads: 2, stop: &stop, tell: &tell }).unwrap()
            == Ended::Finished
        {
            break;
        }
    }
    assert!(times > 3, "{times}");
    assert_eq!(numbers(&[path("stopped")]), expected);
    assert_eq!(std::fs::read_dir(path("stopped/unfinished")).unwrap().count(), 0, "checkpoints of finished settings");
}

#[test]
fn another_sweep_and_damaged_files_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (path, data) = (directory.path().join("sweep"), data());
    let sweep = Sweep::new(base(), grid(), Precision::W8A16, &data).unwrap();
    let store = SweepStore::create(&path, sweep.manifest()).unwrap();
    run(&sweep, &store, "1/6".parse().unwrap(), 1);

    let refused = |base: FitSettings, grid: Grid, data: &Dataset| {
        let sweep = Sweep::new(base, grid, Precision::W8A16, data).unwrap();
        SweepStore::create(&path, sweep.manifest()).map(|_| ()).unwrap_err().to_string()
    };
    let longer = FitSettings { fit: FitParams { steps: 50, ..base().fit }, ..base() };
    assert!(refused(longer.clone(), grid(), &data).contains("a sweep with steps 40, not 50"));
    let fewer = Grid { scales: vec![1.0, 3.0], ..grid() };
    assert!(refused(base(), fewer, &data).contains("a sweep with scales ["));
    let other = Dataset::from_grid(&[200], data.targets.mapv(|target| 1.0 - target));
    assert!(refused(base(), grid(), &other).contains("the data are not those"));
    // The same data under another name are the same data.
    let moved = FitSettings { input: "elsewhere.npy".into(), ..base() };
    let sweep_moved = Sweep::new(moved, grid(), Precision::W8A16, &data).unwrap();
    assert!(SweepStore::create(&path, sweep_moved.manifest()).is_ok());

    assert!(matches!(SweepStore::collect(&[directory.path().to_owned()]), Err(SweepError::NotASweep { .. })));
    let stranger = directory.path().join("stranger");
    std::fs::create_dir(&stranger).unwrap();
    std::fs::write(stranger.join("thesis.tex"), "x").unwrap();
    assert!(matches!(SweepStore::create(&stranger, sweep.manifest()), Err(SweepError::Occupied { .. })));
    // Settings that were lost are written anew by the same sweep alone.
    let setting = &sweep.manifest().settings().unwrap()[0];
    for (manifest, words) in [
        (&SweepManifest { base: longer, ..sweep.manifest().clone() }, Some("it is the result of another sweep")),
        (
            &SweepManifest { data: "0".to_owned(), ..sweep.manifest().clone() },
            Some("it is the result of another sweep"),
        ),
        (sweep.manifest(), None),
    ] {
        std::fs::remove_file(path.join("settings.json")).unwrap();
        let row = SweepStore::create(&path, manifest).unwrap().row(0, setting);
        match words {
            Some(words) => assert!(row.unwrap_err().to_string().contains(words)),
            None => assert!(row.unwrap().is_some()),
        }
    }
    let result = path.join("results/00000.json");
    let whole = std::fs::read_to_string(&result).unwrap();
    std::fs::copy(&result, path.join("results/00001.json")).unwrap();
    assert!(
        SweepStore::collect(std::slice::from_ref(&path)).unwrap_err().to_string().contains("00001.json is damaged")
    );
    std::fs::remove_file(path.join("results/00001.json")).unwrap();
    std::fs::write(&result, &whole[..whole.len() / 2]).unwrap();
    assert!(SweepStore::collect(&[path]).unwrap_err().to_string().contains("00000.json is damaged"));
}

#[test]
fn counts_that_the_axes_cannot_share_are_refused() {
    let plane = Dataset::from_grid(&[10, 20], data().targets);
    let mut base = base();
    base.fit.encoding.kind = EncodingKind::Fourier;
    let of = |counts: &[usize]| {
        let grid = Grid { frequency_counts: counts.to_vec(), ..Grid::default() };
        Sweep::new(base.clone(), grid, Precision::W8A16, &plane).map(|_| ())
    };
    assert!(matches!(of(&[4, 5]), Err(SweepError::Uneven { asked: 5, inputs: 2 })));
    assert!(of(&[4, 6]).is_ok());
}

#[test]
fn a_setting_that_diverges_is_a_row_and_the_rest_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let data = data();
    let mut base = base();
    base.fit.output = OutputActivation::Linear;
    base.fit.optimizer = Optimizer::GradientDescent(Default::default());
    base.fit.schedule = Schedule::Constant;
    base.fit.learning_rate = 1.0;
    base.fit.steps = 400;
    let grid = Grid { widths: vec![1, 256], depths: vec![1, 6], ..Grid::default() };
    let sweep = Sweep::new(base, grid, Precision::F32, &data).unwrap();
    let store = SweepStore::create(directory.path(), sweep.manifest()).unwrap();
    assert_eq!(run(&sweep, &store, Shard::WHOLE, 2), 4);
    let (manifest, rows) = SweepStore::collect(&[directory.path().to_owned()]).unwrap();
    let table = Table::new(manifest, rows);
    let failed = table.rows().filter(|row| row.failure.is_some()).count();
    assert!((1..4).contains(&failed), "{}", table.text());
    assert!(table.best().unwrap().measured.is_some() && table.text().contains("diverged"));
    table.write(directory.path()).unwrap();
}
