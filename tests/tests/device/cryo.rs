//! The decoder of a reconstruction on a device: the density at frequency k in conformation z.

use tempfile::TempDir;
use tests::commands::device::evaluate;
use tests::model;
use trainer::artifact::card_text;
use trainer::artifact::precision::NamedPrecision;
use trainer::cryo::atoms::Molecule;
use trainer::cryo::fit::{Prepared, Trained, evaluate as judge};
use trainer::cryo::params::CryoParams;
use trainer::cryo::run::{CryoSettings, Reconstructed};
use trainer::cryo::synthesis::{SynthesisParams, synthesize};
use trainer::data::{self, LoadOptions};
use trainer::network::encoding::EncodingParams;
use trainer::store::run::RunFolder;
use trainer::training::Watch;

use crate::firmware;

/// Files as `trainer cryo fit` leaves them, through what `cargo xtask device RUN/model.ffm RUN/queries.csv` does.
#[test]
fn a_device_answers_for_frequency_and_conformation() {
    let synthesis = SynthesisParams { particles: 60, snr: 1.0, ..SynthesisParams::default() };
    let stack = synthesize(&Molecule::adenylate_kinase(), &synthesis).unwrap();
    let params = CryoParams {
        encoding: EncodingParams { frequencies: 16, ..EncodingParams::default() },
        hidden: vec![24, 24],
        encoder_hidden: vec![8],
        steps: 40,
        images: 16,
        half_sets: false,
        ..CryoParams::default()
    };
    let prepared = Prepared::new(&stack, &params).unwrap();
    let mut state = prepared.start();
    prepared.train(&mut state, &mut Watch::default()).unwrap();
    let trained = Trained { prepared, networks: state.networks };
    let results = judge(std::slice::from_ref(&trained), &stack, None);

    let folder = TempDir::new().unwrap();
    let run = RunFolder::create(&folder.path().join("run"), false).unwrap();
    for precision in tests::synthetic::PRECISIONS {
        let settings = CryoSettings {
            truth: None,
            precision: NamedPrecision(precision),
            ..CryoSettings::new(params.clone(), "poses.csv")
        };
        let settings = &settings;
        Reconstructed { settings, trained: &trained, stack: &stack, results: &results, seconds: 0.0 }
            .write(&run)
            .unwrap();

        let artifact = model::read(&run.model()).unwrap();
        let queries = run.path().join("queries.csv");
        let options = card_text::load_options(artifact.model().unwrap().text(), &queries, LoadOptions::default());
        let data = data::load(&queries, &options).unwrap();
        let (summary, _) = evaluate(&firmware("mps2-an386"), &artifact, &data).unwrap();
        assert_eq!((summary.samples, summary.mismatched), (256, 0), "{precision:?}");
        assert!(summary.psnr_db > 30.0, "{precision:?}: {} dB", summary.psnr_db);
    }
}
