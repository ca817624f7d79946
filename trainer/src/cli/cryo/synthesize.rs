//! `trainer cryo synthesize`: particles from atoms.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::json;
use trainer::base::files;
use trainer::cryo::atoms::Molecule;
use trainer::cryo::synthesis::{SynthesisParams, Truth, synthesize};

use super::super::print;

/// Make noisy projections of a molecule with random orientations, shifts, defocus, noise and conformations.
///
/// The folder gets particles.mrcs, particles.star (for RELION), poses.csv (the same with the true conformation), and
/// truth.csv with truth.json, from which `trainer cryo fit` knows the true volumes. Without --atoms the molecule is
/// adenylate kinase, between its open and its closed structure.
#[derive(clap::Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:\n  trainer cryo synthesize --out kinase\n  \
                        trainer cryo synthesize --atoms 4ake.pdb --box 64 --pixel-size 1.5 --snr 0.05 --out still"
)]
pub(crate) struct Synthesize {
    /// A PDB file, or a CSV table in ångström with the columns x, y, z, or open_x, open_y, open_z, closed_x,
    /// closed_y, closed_z
    #[arg(long, value_name = "FILE")]
    atoms: Option<PathBuf>,
    /// A file with the other end of the motion: the same atoms at other places
    #[arg(long, value_name = "FILE", requires = "atoms")]
    closed: Option<PathBuf>,
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace the files in the folder --out
    #[arg(long)]
    force: bool,
    /// Number of images
    #[arg(long, default_value_t = SynthesisParams::default().particles)]
    particles: usize,
    /// Width and height of each image in pixels
    #[arg(long = "box", value_name = "PIXELS", default_value_t = SynthesisParams::default().size)]
    size: usize,
    /// Width of a pixel in ångström
    #[arg(long, value_name = "ÅNGSTRÖM", default_value_t = SynthesisParams::default().pixel_size)]
    pixel_size: f64,
    /// Standard deviation of the Gaussian that represents an atom, in ångström
    #[arg(long, value_name = "ÅNGSTRÖM", default_value_t = SynthesisParams::default().deviation)]
    deviation: f32,
    /// Signal-to-noise ratio: the variance of the signal divided by that of the noise
    #[arg(long, default_value_t = SynthesisParams::default().snr)]
    snr: f64,
    /// Largest shift of an image along each axis, in ångström
    #[arg(long, value_name = "ÅNGSTRÖM", default_value_t = SynthesisParams::default().shift)]
    shift: f64,
    /// Smallest and largest defocus, in ångström [default: 10000,25000]
    #[arg(long, value_delimiter = ',', num_args = 1, value_name = "LOW,HIGH")]
    defocus: Vec<f64>,
    /// One conformation for all images, from 0 (open) to 1 (closed) [default: random, uniform from 0 to 1]
    #[arg(long)]
    motion: Option<f64>,
    /// Seed of all random numbers; the same seed gives the same result
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print the results as one JSON object
    #[arg(long)]
    json: bool,
}

impl Synthesize {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let params = self.params()?;
        let molecule = match &self.atoms {
            None => Molecule::adenylate_kinase(),
            Some(path) => Molecule::read(path, self.closed.as_deref())?,
        };
        let truth = Truth { molecule, params };
        // What is refused, settings or a taken folder, is refused before the images are made.
        truth.params.check(&truth.molecule)?;
        files::new_folder(&self.out, self.force)?;
        let stack = synthesize(&truth.molecule, &truth.params)?;
        truth.write(&self.out)?;
        // Last, so that a folder with poses is complete.
        stack.write(&self.out)?;
        let params = &truth.params;
        if self.json {
            let object = json!({ "folder": self.out, "atoms": truth.molecule.len(), "parameters": params });
            return print(&serde_json::to_string_pretty(&object)?);
        }
        print(&format!(
            "{} images of {} × {} pixels of {} Å, {} atoms, signal to noise {}\nfit them with: trainer cryo fit {} --out RUN",
            params.particles,
            params.size,
            params.size,
            params.pixel_size,
            truth.molecule.len(),
            params.snr,
            self.out.join("poses.csv").display()
        ))
    }

    fn params(&self) -> anyhow::Result<SynthesisParams> {
        let defocus = match self.defocus[..] {
            [] => SynthesisParams::default().defocus,
            ref values => values.try_into().ok().context("--defocus takes two numbers, as in 10000,25000")?,
        };
        Ok(SynthesisParams {
            particles: self.particles,
            size: self.size,
            pixel_size: self.pixel_size,
            deviation: self.deviation,
            snr: self.snr,
            shift: self.shift,
            defocus,
            motion: self.motion,
            seed: self.seed,
        })
    }
}
