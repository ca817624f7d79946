//! `trainer sign`: a model that devices take.

use std::path::PathBuf;

use trainer::artifact::model_file::ModelFile;
use trainer::base::files;
use trainer::device::{KeyPair, Versions, sign};

use super::{outputs, print};

/// Sign a model, so that devices with the public key take it as an update.
///
/// A device takes a newer version than it serves, and no other. The oldest version says how far back it may go
/// afterwards: a device that finds the newest model damaged serves the one before, if that is not older.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  trainer sign runs/sensor/model.ffm --key maker.key --version 2 --out sensor-2.ffu")]
pub(crate) struct Sign {
    /// The model file (.ffm)
    model: PathBuf,
    /// The private key, as `trainer key` makes it
    #[arg(long, value_name = "KEY")]
    key: PathBuf,
    /// Version of the model, 0 to 65535
    #[arg(long, value_name = "N")]
    version: u16,
    /// Oldest version that a device may serve once it has this one [default: the version itself]
    #[arg(long, value_name = "N")]
    oldest: Option<u16>,
    /// The signed model to write
    #[arg(long, value_name = "SIGNED.ffu")]
    out: PathBuf,
}

impl Sign {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        outputs::check_outputs(&[Some(&self.key), Some(&self.model)], &[Some(&self.out)])?;
        let key = KeyPair::read(&self.key)?;
        let file = ModelFile::read(&self.model)?;
        let versions = Versions { version: self.version, oldest: self.oldest.unwrap_or(self.version) };
        let signed = sign(file.bytes(), versions, &key)?;
        files::write(&self.out, &signed)?;
        let Versions { version, oldest } = versions;
        print(&format!(
            "version {version}, none older than {oldest} after it  {} bytes  {}",
            signed.len(),
            self.out.display()
        ))
    }
}
