//! The firmware's log: defmt frames, decoded to lines of `subject key=value …`.

use std::str::FromStr;

use anyhow::{Context as _, Result};
use defmt_decoder::{DecodeError, Table};

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// `info`, `error` and so on.
    pub level: &'static str,
    /// The message.
    pub message: String,
}

impl Line {
    /// The value of `key=…` in the message.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.message.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    /// The value of `key=…` in the message.
    ///
    /// # Errors
    ///
    /// Where there is none, or it is something else than a `T`.
    pub fn value<T: FromStr>(&self, key: &str) -> Result<T> {
        self.text(key)
            .and_then(|value| value.parse().ok())
            .with_context(|| format!("the firmware's log has no usable {key} in {:?}", self.message))
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:5} {}", self.level, self.message)
    }
}

/// Decodes what the firmware `elf` wrote. A frame that was cut off ends the log; a damaged one is a line that says so.
///
/// # Errors
///
/// Where the firmware has no table of messages.
pub fn decode(elf: &[u8], bytes: &[u8]) -> Result<Vec<Line>> {
    let table = Table::parse(elf)
        .context("the firmware's table of log messages is unreadable")?
        .context("the firmware has no table of log messages; is -Tdefmt.x among its link arguments?")?;
    let mut decoder = table.new_stream_decoder();
    decoder.received(bytes);
    let mut lines = Vec::new();
    loop {
        match decoder.decode() {
            Ok(frame) => lines.push(Line {
                level: frame.level().map_or("print", |level| level.as_str()),
                message: frame.display_message().to_string(),
            }),
            Err(DecodeError::UnexpectedEof) => return Ok(lines),
            Err(DecodeError::Malformed) => {
                lines.push(Line { level: "error", message: "(damaged frame)".to_owned() });
                if !table.encoding().can_recover() {
                    return Ok(lines);
                }
            }
        }
    }
}
