//! A reconstruction in its folder: started or resumed, trained, evaluated, and written.
//!
//! | file | holds |
//! | --- | --- |
//! | `network.safetensors` | decoder and encoder; the settings as metadata |
//! | `checkpoint.safetensors`, `checkpoint_odd…`, `checkpoint_even…` | states of the three trainings, for `--resume` |
//! | `model.ffm` | the decoder as an artifact |
//! | `queries.csv` | frequencies and latents with the decoder's answers, to ask a device for |
//! | `conformation_1.mrc` … | volumes at ranks of the latent; `back_projection.mrc` the baseline |
//! | `latent.csv` | z of every image |
//! | `metrics.json`, `report.png`, `report.html` | how good it is |
//!
//! ```no_run
//! use std::path::Path;
//! use trainer::cryo::params::CryoParams;
//! use trainer::cryo::run::{CryoSettings, Images, Run};
//! use trainer::store::run::RunFolder;
//! use trainer::training::Watch;
//!
//! let settings = CryoSettings::new(CryoParams::default(), "/data/kinase/poses.csv");
//! let images = Images::read(&settings)?;
//! let folder = RunFolder::create(Path::new("runs/kinase"), false)?;
//! let finished = Run::start(folder, settings, &images)?.finish(&mut Watch::default())?;
//! if let Some((results, _)) = finished {
//!     println!("{} conformations", results.volumes.len());
//! }
//! # Ok::<(), trainer::cryo::CryoError>(())
//! ```

mod output;

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

pub use self::output::{CryoMetrics, Reconstructed};
use super::ctf::NO_EXTRAS;
use super::error::CryoError;
use super::fit::{Prepared, Results, Trained, evaluate};
use super::params::CryoParams;
use super::particles::{Particle, ParticleStack};
use super::subset::Subset;
use super::synthesis::Truth;
use crate::artifact::precision::NamedPrecision;
use crate::base::fingerprint::fingerprint_of;
use crate::store::run::{self as store, RunError, RunFolder};
use crate::store::tensors::Tensors;
use crate::training::{Ended, Watch};

/// Settings of a run, as its files keep them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CryoSettings {
    /// Hyperparameters.
    pub params: CryoParams,
    /// The table of particles; paths are absolute.
    pub table: PathBuf,
    /// Their images, if not those that the table names.
    pub stack: Option<PathBuf>,
    /// The folder that knows the true volumes.
    pub truth: Option<PathBuf>,
    /// Of `model.ffm`.
    pub precision: NamedPrecision,
}

impl CryoSettings {
    /// Settings for the images that a table names, with the truth beside the table, if it is there.
    pub fn new(params: CryoParams, table: impl Into<PathBuf>) -> Self {
        let table = table.into();
        let truth = table.parent().map(Path::to_owned);
        Self { params, truth, table, stack: None, precision: NamedPrecision::default() }
    }

    /// Those of a run that was begun in a folder.
    ///
    /// # Errors
    /// If there is none, or its network is not that of a reconstruction.
    pub fn of_run(folder: &Path) -> Result<Self, CryoError> {
        Ok(Tensors::read(&RunFolder::open(folder)?.network())?.settings()?)
    }
}

/// Images and, where it is known, what they show.
#[derive(Debug)]
pub struct Images {
    /// The images with their poses and CTFs.
    pub stack: ParticleStack,
    /// The molecule that they were made from.
    pub truth: Option<Truth>,
    fingerprint: u64,
}

impl Images {
    /// Images in memory.
    pub fn new(stack: ParticleStack, truth: Option<Truth>) -> Self {
        Self { fingerprint: fingerprint(&stack), stack, truth }
    }

    /// Reads the images that settings name.
    ///
    /// # Errors
    /// What is wrong with the files.
    pub fn read(settings: &CryoSettings) -> Result<Self, CryoError> {
        let stack = ParticleStack::read(&settings.table, settings.stack.as_deref())?;
        let truth = settings.truth.as_deref().map(Truth::read).transpose()?.flatten();
        Ok(Self::new(stack, truth))
    }

    /// Whether these settings suit the images.
    ///
    /// # Errors
    /// Naming the option that is out of its range.
    pub fn check(&self, params: &CryoParams) -> Result<(), CryoError> {
        params.check(self.stack.particles.len(), self.stack.size).map(drop)
    }

    /// Whether the truth is known, and not which conformation each image shows.
    pub fn lacks_motions(&self) -> bool {
        self.truth.as_ref().is_some_and(|truth| truth.motions(&self.stack).is_none())
    }

    /// Whether the images can be compared with the truth that a user asked for in `folder`.
    ///
    /// # Errors
    /// [`CryoError::NoTruth`] or [`CryoError::NoMotions`].
    pub fn check_truth(&self, folder: &Path, table: &Path) -> Result<(), CryoError> {
        let folder = folder.to_owned();
        match self.truth {
            None => Err(CryoError::NoTruth { folder }),
            Some(_) if self.lacks_motions() => Err(CryoError::NoMotions { table: table.to_owned(), folder }),
            Some(_) => Ok(()),
        }
    }
}

/// A checksum of all that training sees of a stack: images, size of a pixel, orientations, shifts, CTFs and
/// half sets.
pub fn fingerprint(stack: &ParticleStack) -> u64 {
    let known = |particle: &Particle| {
        let Particle { angles: [rot, tilt, psi], shift: [x, y], ctf, .. } = *particle;
        let lens = [
            ctf.defocus_u,
            ctf.defocus_v,
            ctf.defocus_angle,
            ctf.voltage,
            ctf.spherical_aberration,
            ctf.amplitude_contrast,
            ctf.phase_shift,
        ];
        // Images without them have the checksum that they always had.
        let extras = ctf.extras().into_iter().filter(move |_| ctf.extras() != NO_EXTRAS);
        [rot, tilt, psi, x, y].into_iter().chain(lens).chain(extras)
    };
    let numbers = std::iter::once(stack.pixel_size).chain(stack.particles.iter().flat_map(known));
    let words = numbers.map(f64::to_bits).flat_map(|bits| [bits as u32, (bits >> 32) as u32]);
    let halves = stack.halves().into_iter().flatten().map(u32::from);
    fingerprint_of(stack.images.iter().map(|value| value.to_bits()).chain(words).chain(halves))
}

/// A run that is ready to train.
pub struct Run<'a> {
    store: store::Run<CryoSettings>,
    images: &'a Images,
    begun: Option<Instant>,
}

impl<'a> Run<'a> {
    /// A run in a folder that exists, begun: its settings are written, so that it can be resumed from here on. Files of
    /// another run in the folder are removed.
    ///
    /// # Errors
    /// If the settings do not suit the images, or a file cannot be written or removed.
    pub fn start(folder: RunFolder, settings: CryoSettings, images: &'a Images) -> Result<Self, CryoError> {
        images.check(&settings.params)?;
        output::forget(&folder)?;
        if let Err(error) = output::write_network(&folder, &settings, &[]) {
            folder.discard();
            return Err(error.into());
        }
        Ok(Self { store: store::Run { folder, settings, fingerprint: images.fingerprint }, images, begun: None })
    }

    /// The run in a folder, where it stopped.
    ///
    /// # Errors
    /// If there is none, or its settings do not suit the images.
    pub fn resume(folder: &Path, images: &'a Images) -> Result<Self, CryoError> {
        let settings = CryoSettings::of_run(folder)?;
        images.check(&settings.params)?;
        let store = store::Run { folder: RunFolder::open(folder)?, settings, fingerprint: images.fingerprint };
        Ok(Self { store, images, begun: None })
    }

    /// The same, for whose time all since `begun` counts; without this, [`Self::finish`] alone.
    #[must_use]
    pub fn since(self, begun: Instant) -> Self {
        Self { begun: Some(begun), ..self }
    }

    /// Where the files of the run are.
    pub fn folder(&self) -> &RunFolder {
        &self.store.folder
    }

    /// What it was started with.
    pub fn settings(&self) -> &CryoSettings {
        &self.store.settings
    }

    /// Trains from where its checkpoints are to the end, evaluates, and writes everything; `None` if the watch stopped
    /// it.
    ///
    /// # Errors
    /// If a checkpoint is of other images, training diverges, or a file cannot be written.
    pub fn finish(&self, watch: &mut Watch<'_>) -> Result<Option<(Results, CryoMetrics)>, CryoError> {
        let (begun, settings) = (self.begun.unwrap_or_else(Instant::now), self.settings());
        let Images { stack, truth, .. } = self.images;
        let mut trained = Vec::new();
        for &subset in Subset::trained(&settings.params) {
            let (images, params) = (subset.of(stack), subset.params(&settings.params));
            watch.stage(&format!("back-projecting {} images", images.particles.len()));
            let prepared = Prepared::new(&images, &params)?;
            let mut state = prepared.start();
            let checkpoint = match subset {
                Subset::All => self.store.checkpoint(),
                half => self.store.checkpoint_of(half.name()),
            };
            checkpoint.load(&mut state).map_err(|error| match error {
                RunError::OtherData { path: run } => CryoError::OtherImages { run },
                error => error.into(),
            })?;
            watch.stage(&format!("training on {} images", subset.name()));
            if checkpoint.train(&mut state, watch, |state, watch| prepared.train(state, watch))? == Ended::Interrupted {
                return Ok(None);
            }
            trained.push(Trained { prepared, networks: state.networks });
        }
        let results = evaluate(&trained, stack, truth.as_ref());
        let seconds = begun.elapsed().as_secs_f64();
        let written = Reconstructed { settings, trained: &trained[0], stack, results: &results, seconds };
        let metrics = written.write(self.folder())?;
        Ok(Some((results, metrics)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cryo::atoms::Molecule;
    use crate::cryo::synthesis::{SynthesisParams, synthesize};

    #[test]
    fn every_number_that_training_sees_changes_the_fingerprint() {
        let params = SynthesisParams { particles: 3, ..SynthesisParams::default() };
        let stack = synthesize(&Molecule::adenylate_kinase(), &params).unwrap();
        let changed = |change: fn(&mut ParticleStack)| {
            let mut other = stack.clone();
            change(&mut other);
            fingerprint(&other)
        };
        let changes: [fn(&mut ParticleStack); 14] = [
            |stack| stack.images[700] += 1.0,
            |stack| stack.pixel_size += 1e-9,
            |stack| stack.particles[2].angles[1] += 1e-9,
            |stack| stack.particles[1].shift[1] += 1e-9,
            |stack| stack.particles[1].ctf.defocus_u += 1e-6,
            |stack| stack.particles[1].ctf.defocus_v += 1e-6,
            |stack| stack.particles[1].ctf.defocus_angle += 1e-6,
            |stack| stack.particles[0].ctf.voltage += 1e-6,
            |stack| stack.particles[0].ctf.spherical_aberration += 1e-6,
            |stack| stack.particles[0].ctf.amplitude_contrast += 1e-6,
            |stack| stack.particles[0].ctf.phase_shift += 1e-6,
            |stack| stack.particles[0].ctf.scale += 1e-6,
            |stack| stack.particles[1].ctf.b_factor += 1e-6,
            |stack| stack.particles[2].ctf.beam_tilt[1] += 1e-6,
        ];
        for (index, change) in changes.into_iter().enumerate() {
            assert_ne!(changed(change), fingerprint(&stack), "change {index}");
        }
        let halves = |halves: [u8; 3]| {
            let mut other = stack.clone();
            other.particles.iter_mut().zip(halves).for_each(|(particle, half)| particle.half = Some(half));
            fingerprint(&other)
        };
        assert!(halves([1, 2, 1]) != halves([1, 2, 2]) && halves([1, 2, 1]) != fingerprint(&stack));
        // The truth is for judging only.
        assert_eq!(changed(|stack| stack.particles[0].motion = None), fingerprint(&stack));
    }
}
