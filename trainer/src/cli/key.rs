//! `trainer key`: a key pair of a maker.

use std::path::PathBuf;

use trainer::device::KeyPair;

use super::print;

/// Make a key pair: a private key that signs models, and the public key by which devices know them.
///
/// Writes the private key to KEY (PEM, as OpenSSL has it) and the public key to KEY.pub (32 bytes, to be built into the
/// device's program). Who has the private key can make models for the devices; who loses it can make none.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  trainer key maker.key")]
pub(crate) struct Key {
    /// The file to write the private key to; one that exists is kept
    key: PathBuf,
}

impl Key {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let pair = KeyPair::random();
        let public = pair.write(&self.key)?;
        let hex: String = pair.public().iter().map(|byte| format!("{byte:02x}")).collect();
        print(&format!("private key  {}\npublic key   {}  {hex}", self.key.display(), public.display()))
    }
}
