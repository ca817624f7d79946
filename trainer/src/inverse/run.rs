//! The folder of a comparison: what `trainer inverse` writes and continues from.
//!
//! | file | holds |
//! | --- | --- |
//! | `checkpoint_none.safetensors` … `checkpoint_gaussian…` | the state of each mapping's training, with the settings, for `--resume` |
//! | `model.ffm` | the artifact of the best mapping |
//! | `comparison.json`, `comparison.png` | the table and the drawing |

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::checkpoints::{Checkpoints, path_of};
use super::compare::Comparison;
use super::ct::{self, CtParams};
use super::error::InverseError;
use super::mri::{self, MriParams};
use super::shape::mesh::Mesh;
use super::shape::{self, ShapeParams, made, read};
use super::training::ComparisonMonitor;
use crate::base::files::{self, RemoveError};
use crate::base::fingerprint::fingerprint_of;
use crate::network::encoding::EncodingKind;
use crate::report::figure::Figure as _;
use crate::store::run::RunError;
use crate::store::tensors::Tensors;
use crate::training::Progress;

/// The mappings of a comparison, in order.
const MAPPINGS: [EncodingKind; 4] =
    [EncodingKind::None, EncodingKind::Basic, EncodingKind::Positional, EncodingKind::Gaussian];

/// Which problem, and all that it is solved with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Settings {
    /// Computed tomography.
    Ct(CtParams),
    /// Magnetic resonance.
    Mri(MriParams),
    /// Occupancy of a solid.
    Shape {
        /// Its surface; the one made here if there is none.
        mesh: Option<PathBuf>,
        /// Sizes.
        params: ShapeParams,
    },
}

impl Settings {
    /// Those of a comparison that was begun in a folder.
    ///
    /// # Errors
    /// If there is none, or its checkpoint is damaged.
    pub fn of_run(folder: &Path) -> Result<Self, RunError> {
        let first = path_of(folder, MAPPINGS[0]);
        if !first.is_file() {
            return Err(RunError::Missing { path: folder.to_owned() });
        }
        Ok(Tensors::read(&first)?.settings()?)
    }

    /// Checks all settings and reads the mesh: what can be known before anything is replaced.
    ///
    /// # Errors
    /// If a setting is impossible or a file of no use.
    pub fn check(&self) -> Result<ValidSettings<'_>, InverseError> {
        let mut mesh = None;
        match self {
            Self::Ct(params) => params.check()?,
            Self::Mri(params) => params.check()?,
            Self::Shape { mesh: path, params } => {
                params.check()?;
                mesh = path.as_deref().map(read::read).transpose()?;
            }
        }
        Ok(ValidSettings { settings: self, mesh })
    }
}

/// Settings that are possible, with the mesh that they name.
#[derive(Debug)]
pub struct ValidSettings<'a> {
    settings: &'a Settings,
    mesh: Option<Mesh>,
}

impl ValidSettings<'_> {
    /// Solves the problem, from where the folder's checkpoints left it, and keeps new ones there.
    ///
    /// # Errors
    /// If the checkpoints are of other data, the user stops it, or training diverges.
    pub fn solve(&self, folder: &Path, monitor: &ComparisonMonitor<'_>) -> Result<Comparison, InverseError> {
        let fingerprint = |mesh: &Mesh| {
            let places =
                mesh.vertices().iter().flatten().flat_map(|x| [x.to_bits() as u32, (x.to_bits() >> 32) as u32]);
            fingerprint_of(places.chain(mesh.faces().iter().flatten().copied()))
        };
        let data = self.mesh.as_ref().map_or(0, fingerprint);
        let settings = serde_json::to_value(self.settings).expect("plain values");
        let checkpoints = Checkpoints { folder, settings, data };
        // A closure of our own, for a lifetime of our own.
        let progress = |kind, steps, done| -> Box<dyn Progress + '_> { (monitor.progress)(kind, steps, done) };
        let monitor = ComparisonMonitor { stop: monitor.stop, progress: &progress, checkpoints: Some(&checkpoints) };
        match (self.settings, &self.mesh) {
            (Settings::Ct(params), _) => ct::compare(params, &monitor),
            (Settings::Mri(params), _) => mri::compare(params, &monitor),
            (Settings::Shape { mesh: Some(path), params }, Some(mesh)) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                shape::compare((&name, mesh), params, &monitor)
            }
            (Settings::Shape { params, .. }, _) => shape::compare((made::NAME, &made::knot()), params, &monitor),
        }
    }
}

/// Takes the files of another run away, before one that replaces it.
///
/// # Errors
/// If one cannot be removed.
pub fn forget(folder: &Path) -> Result<(), RemoveError> {
    MAPPINGS.iter().try_for_each(|&kind| files::remove(&path_of(folder, kind)))?;
    files::remove_all(folder, &["model.ffm", "comparison.png", "comparison.json"])
}

/// Writes artifact, drawing and table; returns the table as JSON.
///
/// # Errors
/// If the drawing fails or a file cannot be written.
pub fn write(folder: &Path, comparison: &Comparison) -> Result<String, InverseError> {
    let png = comparison.sheet.png()?;
    let json = serde_json::to_string_pretty(&comparison.to_json()).expect("plain values");
    files::write(&folder.join("model.ffm"), comparison.artifact.as_bytes()).map_err(RunError::from)?;
    files::write(&folder.join("comparison.png"), &png).map_err(RunError::from)?;
    files::write(&folder.join("comparison.json"), json.as_bytes()).map_err(RunError::from)?;
    Ok(json)
}
