//! A comparison in its folder: started or resumed, solved, and written.
//!
//! | file | holds |
//! | --- | --- |
//! | `checkpoint_none.safetensors` … | the state of each mapping's training, with the settings, for `--resume` |
//! | `model.ffm` | the artifact of the best mapping |
//! | `comparison.json`, `comparison.png` | the table and the drawing |

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::compare::Comparison;
use super::ct::{self, CtParams, ValidCtParams};
use super::error::InverseError;
use super::mri::{self, MriParams, ValidMriParams};
use super::shape::mesh::Mesh;
use super::shape::read::NamedMesh;
use super::shape::{self, ShapeParams, ValidShapeParams, knot};
use super::training::FurtherMapping;
use crate::base::files::{self, RemoveError};
use crate::base::fingerprint::fingerprint_of;
use crate::network::encoding::EncodingKind;
use crate::report::figure::Figure as _;
use crate::store::json;
use crate::store::run::{self as store, RunError, RunFolder};
use crate::store::tensors::Tensors;
use crate::training::Watch;

/// Names of the mappings that a comparison can have, in order.
fn mapping_names() -> impl Iterator<Item = &'static str> {
    let published = [EncodingKind::None, EncodingKind::Basic, EncodingKind::Positional, EncodingKind::Gaussian];
    published.into_iter().map(EncodingKind::name).chain(FurtherMapping::value_variants().iter().map(|also| also.name()))
}

/// Which problem, and all that it is solved with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InverseSettings {
    /// Computed tomography.
    Ct(CtParams),
    /// Magnetic resonance.
    Mri(MriParams),
    /// Occupancy of a solid.
    Shape {
        /// The file of its surface; without one it is the knot that the program makes.
        mesh: Option<PathBuf>,
        /// The size of the problem, and how networks are trained.
        params: ShapeParams,
    },
}

/// Settings that are possible, with the mesh that they name.
#[derive(Debug)]
pub struct ValidInverseSettings {
    settings: InverseSettings,
    problem: ValidProblem,
    /// A checksum of what the settings only name.
    fingerprint: u64,
}

#[derive(Debug)]
enum ValidProblem {
    Ct(ValidCtParams),
    Mri(ValidMriParams),
    Shape(NamedMesh, ValidShapeParams),
}

impl InverseSettings {
    /// Those of a comparison that was begun in a folder.
    ///
    /// # Errors
    /// If there is none, or its checkpoint is damaged.
    pub fn of_run(folder: &Path) -> Result<Self, RunError> {
        let first = RunFolder::at(folder).checkpoint_of(EncodingKind::None.name());
        if !first.is_file() {
            return Err(RunError::Missing { path: folder.to_owned() });
        }
        Ok(Tensors::read(&first)?.settings()?)
    }

    /// Checks all settings and reads the mesh: what can be known before anything is replaced.
    ///
    /// # Errors
    /// If a setting is impossible or a file of no use.
    pub fn check(self) -> Result<ValidInverseSettings, InverseError> {
        let mut fingerprint = 0;
        let problem = match &self {
            Self::Ct(params) => ValidProblem::Ct(params.clone().check()?),
            Self::Mri(params) => ValidProblem::Mri(params.clone().check()?),
            Self::Shape { mesh, params } => {
                let params = params.clone().check()?;
                let solid = mesh.as_deref().map_or_else(|| Ok(knot::solid()), NamedMesh::read)?;
                if mesh.is_some() {
                    fingerprint = self::fingerprint(&solid.mesh);
                }
                ValidProblem::Shape(solid, params)
            }
        };
        Ok(ValidInverseSettings { settings: self, problem, fingerprint })
    }
}

/// A checksum of the corners and faces of a mesh.
fn fingerprint(mesh: &Mesh) -> u64 {
    let places = mesh.vertices().iter().flatten().flat_map(|x| [x.to_bits() as u32, (x.to_bits() >> 32) as u32]);
    fingerprint_of(places.chain(mesh.faces().iter().flatten().copied()))
}

/// A comparison that is ready to be solved.
#[derive(Debug)]
pub struct Run {
    store: store::Run<InverseSettings>,
    problem: ValidProblem,
}

impl Run {
    /// A comparison in a folder that exists. Files of another one in the folder are removed.
    ///
    /// # Errors
    /// If one cannot be removed.
    pub fn start(folder: RunFolder, settings: ValidInverseSettings) -> Result<Self, RemoveError> {
        mapping_names().try_for_each(|name| files::remove(&folder.checkpoint_of(name)))?;
        files::remove_all(folder.path(), &["model.ffm", "comparison.png", "comparison.json"])?;
        Ok(Self::of(folder, settings))
    }

    /// The comparison in a folder, where it stopped.
    ///
    /// # Errors
    /// If there is none, its checkpoint is damaged, or its mesh is of no use.
    pub fn resume(folder: &Path) -> Result<Self, InverseError> {
        Ok(Self::of(RunFolder::at(folder), InverseSettings::of_run(folder)?.check()?))
    }

    fn of(folder: RunFolder, settings: ValidInverseSettings) -> Self {
        let ValidInverseSettings { settings, problem, fingerprint } = settings;
        Self { store: store::Run { folder, settings, fingerprint }, problem }
    }

    /// Solves the problem from where the checkpoints left it, and writes artifact, drawing and table.
    ///
    /// # Errors
    /// If the checkpoints are of another mesh, the watch stops it, training diverges, or a file cannot be written.
    pub fn finish(&self, watch: &mut Watch<'_>) -> Result<Comparison, InverseError> {
        let run = Some(&self.store);
        let comparison = match &self.problem {
            ValidProblem::Ct(params) => ct::compare(params, watch, run),
            ValidProblem::Mri(params) => mri::compare(params, watch, run),
            ValidProblem::Shape(solid, params) => shape::compare(solid, params, watch, run),
        }?;
        let folder = self.store.folder.path();
        let png = comparison.sheet.png()?;
        files::write(&self.store.folder.model(), comparison.artifact.as_bytes()).map_err(RunError::from)?;
        files::write(&folder.join("comparison.png"), &png).map_err(RunError::from)?;
        json::write(&folder.join("comparison.json"), &comparison.to_json()).map_err(RunError::from)?;
        Ok(comparison)
    }
}
