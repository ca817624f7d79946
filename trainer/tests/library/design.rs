//! The search for the best model of a budget.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use firmware_core::Precision;
use ndarray::{Array2, array};
use trainer::base::shard::Shard;
use trainer::data::metrics::{Metrics, short};
use trainer::data::{Dataset, LoadOptions, OutputMap};
use trainer::design::budget::{Budget, Goal};
use trainer::design::candidates::Family;
use trainer::design::cost::{CORES, Core};
use trainer::design::events::{DesignEvent, SearchWatch};
use trainer::design::search::SCHEDULE;
use trainer::design::store::{DesignStore, Outcome};
use trainer::design::{Design, DesignError, DesignParams, Designed, EndedSearch, size};
use trainer::fit::run::Run;
use trainer::fit::settings::FitSettings;
use trainer::fit::{FitParams, TrainingData};
use trainer::network::{HiddenActivation, Initialization, OutputActivation};
use trainer::training::{Ended, Watch};

fn waves(side: usize, outputs: usize) -> Dataset {
    let value = |(k, c): (usize, usize)| {
        let (x, y) = ((k % side) as f32 / side as f32, (k / side) as f32 / side as f32);
        0.5 + 0.3 * (9.0 * x - 5.0 * y * y + c as f32).sin()
    };
    Dataset::from_grid(&[side, side], Array2::from_shape_fn((side * side, outputs), value))
}

fn params(flash: usize, goal: Option<Goal>) -> DesignParams {
    let fit = FitParams { batch: Some(64), ..FitParams::default() };
    let base =
        FitSettings { fit, precision: None, input: "waves".into(), load: LoadOptions::default(), imported: None };
    let budget = Budget { flash, instructions: None, ram: None };
    DesignParams { base, budget, goal, core: &CORES[2] }
}

#[test]
fn sizes_before_the_training_are_those_of_the_artifact() {
    for (inputs_side, outputs, frequencies, hidden, activation) in [
        (8, 1, 8, vec![12, 8], HiddenActivation::Relu),
        (9, 3, 7, vec![13], HiddenActivation::Sine),
        (8, 2, 4, vec![], HiddenActivation::Relu),
        (8, 1, 20, vec![20, 20, 20, 20], HiddenActivation::Sine),
    ] {
        let data = waves(inputs_side, outputs);
        let mut fit = FitParams { hidden, activation, steps: 2, ..FitParams::default() };
        if activation == HiddenActivation::Sine {
            fit.initialization = Initialization::Siren;
        }
        (fit.encoding.frequencies, fit.encoding.scale) = (frequencies, 1.25);
        for output in [OutputActivation::Sigmoid, OutputActivation::Linear] {
            let fit = FitParams { output, ..fit.clone() };
            let fitted = fit.check(2, outputs).unwrap().fit(&data, &mut Watch::default()).unwrap();
            for precision in [Precision::F32, Precision::W8A16, Precision::W16A16] {
                let predicted = size::predicted(
                    &fitted.params,
                    size::Target { dataset: &data, precision, core: &CORES[0], held_out: None },
                )
                .unwrap();
                let artifact = fitted.artifact(&data, precision).unwrap();
                let model = artifact.model().unwrap();
                assert_eq!(predicted.bytes, artifact.as_bytes().len(), "{fit:?} {precision:?}");
                assert_eq!(predicted.ram_bytes, 4 * model.scratch_words(), "{fit:?} {precision:?}");
                assert_eq!(predicted.instructions, CORES[0].instructions(model.header()).round() as u64);
            }
        }
    }
}

#[test]
fn candidates_fill_the_budget_and_keep_every_limit() {
    let data = waves(40, 1);
    let flash = 8192;
    let free = Design::new(params(flash, None), &data).unwrap();
    let full = free.manifest().candidates.iter().filter(|candidate| candidate.size.bytes * 10 > flash * 9);
    for family in [Family::FourierRelu, Family::FourierSine] {
        let of_family = full.clone().filter(|candidate| candidate.family == family);
        let depths: std::collections::BTreeSet<usize> = of_family.map(|candidate| candidate.fit.hidden.len()).collect();
        assert_eq!(depths.into_iter().collect::<Vec<_>>(), [2, 3, 4, 5]);
    }
    assert!(free.manifest().candidates.iter().all(|candidate| candidate.size.bytes <= flash));
    for family in [Family::LinearGrids, Family::QuadraticGrids, Family::LinearTable, Family::QuadraticTable] {
        assert!(free.manifest().candidates.iter().any(|candidate| candidate.family == family));
    }

    let mut tight = params(flash, None);
    (tight.budget.instructions, tight.budget.ram) = (Some(3000), Some(200));
    let tight = Design::new(tight, &data).unwrap();
    assert!(!tight.manifest().candidates.is_empty());
    for candidate in &tight.manifest().candidates {
        assert!(candidate.size.instructions <= 3000 && candidate.size.ram_bytes <= 200, "{candidate:?}");
    }
}

/// For more flash than the samples take, candidates are neither larger nor others.
#[test]
fn candidates_are_no_larger_than_is_of_use_for_the_data() {
    let rows = Dataset::from_grid(&[30], Array2::from_shape_fn((30, 1), |(k, _)| (k as f32 * 0.2).sin()));
    let of = |flash| Design::new(params(flash, None), &rows).unwrap().manifest().clone();
    let (endless, usual) = (of(1_000_000_000), of(16 * 1024));
    assert_eq!((&endless.candidates, endless.budget), (&usual.candidates, usual.budget));
    let data = waves(80, 1);
    let design = Design::new(params(1_000_000_000, None), &data).unwrap();
    assert_eq!(design.manifest().budget.flash, 80 * 80 * 3 * 4);
}

#[test]
fn budgets_and_goals_that_cannot_be_are_refused() {
    let data = waves(12, 1);
    let error = Design::new(params(100, None), &data).err().unwrap().to_string();
    assert!(
        error.starts_with("no model keeps the budget: the smallest takes ") && error.ends_with("; give more"),
        "{error}"
    );
    for goal in [Goal::MaxError(f64::NAN), Goal::MaxError(0.0), Goal::Psnr(-1.0), Goal::Psnr(f64::INFINITY)] {
        assert!(matches!(Design::new(params(2048, Some(goal)), &data), Err(DesignError::Goal { .. })), "{goal:?}");
    }
    assert!(Core::find("abacus").unwrap_err().to_string().contains("microbit (Cortex-M0)"));
}

/// An outcome of a candidate of which nothing is known yet.
fn unjudged(candidate: usize, round: usize, steps: u64) -> Outcome {
    Outcome { candidate, round, steps, seconds: 0.0, bytes: None, device: None, f32: None, failure: None }
}

/// Some candidates, in a folder.
fn searched(design: &Design<'_>, store: &DesignStore, (candidates, stop_after): (&[usize], usize)) -> Ended {
    let (stop, judged) = (AtomicBool::new(false), AtomicUsize::new(0));
    let tell = |event: DesignEvent<'_>| {
        if let DesignEvent::Judged(..) = event
            && judged.fetch_add(1, Ordering::Relaxed) + 1 == stop_after
        {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let watch = SearchWatch { time: Duration::from_millis(1), threads: 2, stop: &stop, tell: &tell };
    design.search(store, candidates, watch).unwrap()
}

fn ended<'a>(store: &'a DesignStore, designed: &'a mut Designed) -> EndedSearch<'a> {
    EndedSearch { store, designed, ended: Ended::Finished }
}

#[test]
fn the_winner_is_what_one_training_gives_and_an_interrupted_search_goes_on() {
    let data = waves(40, 1);
    let design = Design::new(params(1536, Some(Goal::Psnr(200.0))), &data).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = DesignStore::create(folder.path(), design.manifest(), Shard::WHOLE).unwrap();
    assert!(matches!(design.choose(folder.path(), &store), Err(DesignError::NothingYet { .. })));
    assert_eq!(searched(&design, &store, (&[0, 1, 2, 3, 4], 2)), Ended::Interrupted);
    let begun = store.rounds().unwrap();
    assert_eq!(searched(&design, &store, (&[0, 1, 2, 3, 4], usize::MAX)), Ended::Finished);
    let rounds = store.rounds().unwrap();
    assert_eq!(rounds[..begun.len()], begun);
    let sizes: Vec<usize> = rounds.iter().map(|round| round.candidates.len()).collect();
    assert_eq!(sizes, [5, 2]);

    let mut designed = design.choose(folder.path(), &store).unwrap();
    let run = folder.path().join("run");
    design.write(&run, ended(&store, &mut designed), Watch::default()).unwrap();
    let candidate = &design.manifest().candidates[designed.best.candidate];
    let fit = FitParams { steps: designed.best.steps, schedule: SCHEDULE, ..candidate.fit.clone() };
    let params = fit.check(2, 1).unwrap();
    let (split, mut state) = (params.split(&data).unwrap(), params.start());
    params.train(TrainingData::new(&data, &split), &mut state, &mut Watch::default()).unwrap();
    let settings = Run::settings_of(&run).unwrap();
    assert_eq!(settings.fit.steps, designed.best.steps);
    let resumed = Run::resume(&run, settings, data.clone()).unwrap();
    assert_eq!(resumed.snapshot().network(), &state.networks[0]);
    let bytes = std::fs::metadata(run.join("model.ffm")).unwrap().len();
    assert_eq!(Some(bytes as usize), designed.best.bytes);
    assert!(run.join("design.csv").is_file() && run.join("design.png").is_file());
    // The goal is beyond what so few bytes give.
    let shortfall = designed.shortfall.unwrap();
    assert!(shortfall.starts_with("no model of the budget reaches 200 dB; the closest reaches "), "{shortfall}");
}

#[test]
fn a_round_that_fails_leaves_the_model_of_the_round_before() {
    let data = waves(12, 1);
    let design = Design::new(params(1536, None), &data).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = DesignStore::create(folder.path(), design.manifest(), Shard::WHOLE).unwrap();
    let failed =
        |candidate, round| Outcome { failure: Some("the loss is not finite".into()), ..unjudged(candidate, round, 90) };
    store.keep(&Outcome { bytes: Some(1200), ..unjudged(0, 0, 60) }).unwrap();
    for outcome in [failed(0, 1), failed(1, 0)] {
        store.keep(&outcome).unwrap();
    }
    let last = store.last_outcomes(design.manifest().candidates.len()).unwrap();
    let steps: Vec<u64> = last.iter().map(|outcome| outcome.steps).collect();
    assert_eq!(steps, [60, 90]);
}

#[test]
fn tables_are_fitted_once_and_the_best_of_them_is_a_run() {
    let data = waves(40, 1);
    let design = Design::new(params(1024, None), &data).unwrap();
    let candidates = &design.manifest().candidates;
    let tables: Vec<usize> = (0..candidates.len()).filter(|&place| candidates[place].family.is_table()).collect();
    // Two orders, four numbers of bits, and the whole, a half and a quarter of the bytes, where those are enough.
    assert!(tables.len() >= 16, "{}", tables.len());
    let folder = tempfile::tempdir().unwrap();
    let store = DesignStore::create(folder.path(), design.manifest(), Shard::WHOLE).unwrap();
    assert_eq!(searched(&design, &store, (&tables, 3)), Ended::Interrupted);
    assert_eq!(searched(&design, &store, (&tables, usize::MAX)), Ended::Finished);
    assert!(store.rounds().unwrap().is_empty(), "nothing is trained in steps");

    let mut designed = design.choose(folder.path(), &store).unwrap();
    let best = &candidates[designed.best.candidate];
    assert_eq!(best.family, Family::QuadraticTable, "the waves are smooth");
    let run = folder.path().join("run");
    design.write(&run, ended(&store, &mut designed), Watch::default()).unwrap();
    let alone = best.fit.check(2, 1).unwrap().fit(&data, &mut Watch::default()).unwrap();
    let artifact = alone.artifact(&data, Precision::W8A16).unwrap();
    assert_eq!(artifact.as_bytes(), std::fs::read(run.join("model.ffm")).unwrap());
    let row = designed.front.rows.iter().find(|row| row.chosen).unwrap();
    assert!(row.command.contains("--encoding table --levels ") && !row.command.contains("--steps"), "{}", row.command);
}

/// An outcome with the quality of answers that are off by `error` at the first of two samples.
fn outcome(candidate: usize, bytes: usize, error: f32) -> Outcome {
    let map = OutputMap { scale: 1.0, offset: 0.0 };
    let metrics = Metrics::compare(&array![[0.5 + error], [0.25]], &array![[0.5], [0.25]], &[map]);
    let quality = Some(metrics);
    Outcome { bytes: Some(bytes), device: quality.clone(), f32: quality, ..unjudged(candidate, 0, 60) }
}

#[test]
fn of_equally_good_models_the_smallest_is_chosen() {
    let data = waves(40, 1);
    for goal in [None, Some(Goal::MaxError(0.3)), Some(Goal::Psnr(10.0))] {
        let design = Design::new(params(1536, goal), &data).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = DesignStore::create(folder.path(), design.manifest(), Shard::WHOLE).unwrap();
        for (candidate, bytes, error) in [(0, 900, 0.0), (1, 700, 0.0), (2, 1100, 0.0), (3, 300, 0.1)] {
            store.keep(&outcome(candidate, bytes, error)).unwrap();
        }
        let designed = design.choose(folder.path(), &store).unwrap();
        assert_eq!((designed.best.candidate, designed.shortfall), (1, None), "{goal:?}");
        assert!(designed.front.rows.iter().find(|row| row.chosen).unwrap().on_front);
    }
}

/// The samples that judge are met exactly, and the network that is written does not meet all of them so.
#[test]
fn a_goal_counts_on_all_samples_as_well() {
    let data = waves(40, 1);
    let design = Design::new(params(1024, Some(Goal::MaxError(1e-6))), &data).unwrap();
    let table = design.manifest().candidates.iter().position(|candidate| candidate.family.is_table()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = DesignStore::create(folder.path(), design.manifest(), Shard::WHOLE).unwrap();
    store.keep(&outcome(table, 900, 0.0)).unwrap();
    let mut designed = design.choose(folder.path(), &store).unwrap();
    let chosen = |designed: &Designed| designed.front.rows.iter().find(|row| row.chosen).unwrap().meets_goal;
    assert_eq!((&designed.shortfall, chosen(&designed)), (&None, Some(true)));
    let run = folder.path().join("run");
    design.write(&run, ended(&store, &mut designed), Watch::default()).unwrap();
    assert_eq!(chosen(&designed), Some(false));
    let shortfall = designed.shortfall.unwrap();
    let error = short(designed.front.chosen_on_all.unwrap().largest_error);
    assert!(shortfall.contains(&format!("on the 1600 samples, where it is {error}; a larger --flash")), "{shortfall}");
}
