//! `trainer send`: a signed model to a device.

use std::path::PathBuf;

use indicatif::ProgressBar;
use trainer::device::{Port, Sent, SignedModel, send};

use super::print;

/// Send a signed model to a device, which checks it and serves it from then on.
///
/// The device serves its old model until the new one is there, its signature and its known answers are right, and it
/// has been made current. If the line or the power is cut, the old model stays, and the same command begins anew.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  trainer send sensor-2.ffu --port /dev/ttyACM0\n  trainer send sensor-2.ffu --port localhost:4444"
)]
pub(crate) struct Send {
    /// The signed model (.ffu), as `trainer sign` makes it
    signed: PathBuf,
    /// The line to the device: a serial line, a TCP address, a socket, or the name of two pipes without .in and .out
    #[arg(long, value_name = "PORT")]
    port: String,
    /// Speed of a serial line in bits per second
    #[arg(long, value_name = "N", default_value_t = 115_200)]
    baud: u32,
}

impl Send {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let model = SignedModel::read(&self.signed)?;
        let mut port = Port::open(&self.port, self.baud)?;
        let bar = ProgressBar::new(model.artifact.as_bytes().len() as u64);
        let sent = send(&mut port, &model, &mut |stored| bar.set_position(stored as u64));
        bar.finish_and_clear();
        let Sent { before, version } = sent?;
        let before = before.map_or_else(|| "no model".to_owned(), |before| format!("version {before}"));
        print(&format!("the device serves version {version}; before, it served {before}"))
    }
}
