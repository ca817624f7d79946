//! Parts of a work that several processes share.

use std::fmt;
use std::str::FromStr;

/// A part of a work: its pieces i, i + n, i + 2n, … with i from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    of: usize,
}

/// A text that names no part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--shard {text} is not possible; give i/n with i from 1 to n, such as 1/4")]
pub struct ShardError {
    /// The option's value.
    pub text: String,
}

impl Shard {
    /// The one part that is everything.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Whether a piece is in this part.
    #[must_use]
    pub fn holds(self, piece: usize) -> bool {
        piece % self.of == self.index
    }
}

/// As names of files have it, such as `1-of-4`.
impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-of-{}", self.index + 1, self.of)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.trim().parse().ok()?, n.trim().parse().ok()?)));
        match parts {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Self { index: index - 1, of }),
            _ => Err(ShardError { text: text.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_part_the_pieces() {
        let shards: Vec<Shard> = ["1/3", "2/3", "3/3"].iter().map(|text| text.parse().unwrap()).collect();
        assert!((0..20).all(|k| shards.iter().filter(|shard| shard.holds(k)).count() == 1));
        assert_eq!(shards[1].to_string(), "2-of-3");
        for text in ["3/2", "0/2", "1/0", "1", "a/b", "-1/2", ""] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
