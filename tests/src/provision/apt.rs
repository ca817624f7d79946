//! Debian's package manager.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::process;

/// Debian packages to install.
pub(super) struct Packages<'a> {
    /// Why they are needed, as the beginning of a sentence.
    pub(super) why: &'a str,
    /// Their names.
    pub(super) names: &'a [&'a str],
    /// What works without them, as the end of a sentence.
    pub(super) otherwise: &'a str,
}

/// Packages are in the way.
#[derive(Debug, thiserror::Error)]
#[error(
    "apt-get could install {names} only by removing or downgrading other packages, so it changed nothing; {otherwise}"
)]
pub(super) struct Conflict {
    names: String,
    otherwise: String,
}

/// Installs Debian packages as root, if nothing is removed or downgraded for them; as anybody else says what to type.
///
/// # Errors
///
/// A [`Conflict`] where other packages are in the way.
pub(super) fn apt_install(packages: &Packages<'_>) -> Result<()> {
    let Packages { why, names, otherwise } = packages;
    let names = names.join(" ");
    let by_hand = format!("apt-get install --no-remove {names}");
    let user = Command::new("id").arg("-u").output();
    if !user.is_ok_and(|output| output.stdout.trim_ascii() == b"0") {
        bail!("{why}; only root may install it, so type: sudo {by_hand}; {otherwise}");
    }
    eprintln!("{why}. Installing it takes about a minute: {by_hand}");
    // The lists may be stale or absent; where updating fails, installing says so.
    let _ = process::run(Command::new("apt-get").args(["update", "--quiet"]).stdout(std::io::stderr()));
    let mut command = Command::new("apt-get");
    // With --yes, apt-get refuses to downgrade.
    command.args(["install", "--yes", "--quiet", "--no-remove", "--no-install-recommends"]).args(packages.names);
    // Messages in English, which `is_conflict` reads.
    command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C").stdout(std::io::stderr());
    let output = command.stderr(Stdio::piped()).output().map_err(|error| process::cannot_start(&command, &error))?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(());
    }
    if is_conflict(&complaints) {
        return Err(Conflict { names, otherwise: (*otherwise).to_owned() }.into());
    }
    eprint!("{complaints}");
    bail!("`{by_hand}` failed ({}); its messages are above; {otherwise}", output.status);
}

/// Whether apt-get refused because other packages are in the way, by its messages.
fn is_conflict(complaints: &str) -> bool {
    ["remove is disabled", "Packages were downgraded", "unmet dependencies", "held broken packages"]
        .iter()
        .any(|part| complaints.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages of apt 2.6.
    #[test]
    fn a_conflict_of_packages_is_told_from_a_broken_network() {
        assert!(is_conflict("E: Packages need to be removed but remove is disabled.\n"));
        assert!(is_conflict("E: Packages were downgraded and -y was used without --allow-downgrades.\n"));
        assert!(!is_conflict(
            "E: Failed to fetch http://deb.debian.org/debian/pool/main/q/qemu/q.deb  404  Not Found\n"
        ));
        assert!(!is_conflict(""));
    }
}
