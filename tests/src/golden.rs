//! Golden logs: what the firmware says, word for word, in `tests/golden`.

use std::path::PathBuf;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};

use crate::log::Line;

/// Environment variable that has the golden logs renewed; `cargo xtask test --overwrite` sets it.
pub const OVERWRITE: &str = "OVERWRITE_GOLDEN";

/// Counts change with every better kernel and have their own budgets; a golden log shows that they were logged.
const VARYING: [&str; 2] = ["ticks=", "stack bytes="];

/// Compares a log with `tests/golden/<name>.log`, or renews that file.
///
/// # Errors
///
/// Where they differ; the message shows both.
pub fn check(name: &str, log: &[Line]) -> Result<()> {
    let actual: String = log.iter().map(|line| without_counts(&line.to_string()) + "\n").collect();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{name}.log"));
    if env::var_os(OVERWRITE).is_some() {
        return fs::write(&path, actual).with_context(|| format!("cannot write {}", path.display()));
    }
    let again = "`cargo xtask test --overwrite` renews it";
    let expected = fs::read_to_string(&path).with_context(|| format!("cannot read {}; {again}", path.display()))?;
    if actual != expected {
        bail!("the log differs from {}; {again}\nexpected:\n{expected}\nactual:\n{actual}", path.display());
    }
    Ok(())
}

fn without_counts(line: &str) -> String {
    let mut line = line.to_owned();
    for key in VARYING {
        if let Some(start) = line.find(key).map(|position| position + key.len()) {
            let digits = line[start..].bytes().take_while(u8::is_ascii_digit).count();
            line.replace_range(start..start + digits, "#");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::without_counts;

    #[test]
    fn only_counts_are_blanked() {
        assert_eq!(without_counts("clock instructions=64 ticks=123"), "clock instructions=64 ticks=#");
        assert_eq!(without_counts("model bytes=12"), "model bytes=12");
    }
}
