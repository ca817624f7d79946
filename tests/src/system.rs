//! Which operating system this is, and what to type there to install QEMU.

use std::process::Command;
use std::{env, fs};

use crate::process;

/// Operating systems with one package manager each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Debian, Ubuntu and whatever else has apt.
    Debian,
    /// Fedora, and what descends from it.
    Fedora,
    /// openSUSE.
    Suse,
    /// Arch Linux, and what descends from it.
    Arch,
    /// Alpine Linux.
    Alpine,
    /// NixOS. Nix on another system counts as that system.
    Nix,
    /// macOS, with Homebrew.
    MacOs,
    /// Windows, with winget.
    Windows,
    /// Any other.
    Other,
}

impl System {
    /// This computer's.
    pub fn here() -> Self {
        if process::succeeds(Command::new("apt-get").arg("--version")) {
            return Self::Debian;
        }
        Self::of(env::consts::OS, &fs::read_to_string("/etc/os-release").unwrap_or_default())
    }

    /// `os` as in [`env::consts::OS`]; `release` is the text of Linux's file `/etc/os-release`, which names the distribution
    /// and those that it descends from.
    pub fn of(os: &str, release: &str) -> Self {
        match os {
            "macos" => return Self::MacOs,
            "windows" => return Self::Windows,
            _ => {}
        }
        let value = |key: &str| release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        let names = [value("ID"), value("ID_LIKE")].into_iter().flatten();
        let mut names = names.flat_map(|names| names.trim_matches(['"', '\'']).split_whitespace());
        let known = names.find_map(|name| match name {
            "debian" | "ubuntu" => Some(Self::Debian),
            "fedora" => Some(Self::Fedora),
            "suse" | "opensuse" => Some(Self::Suse),
            "arch" => Some(Self::Arch),
            "alpine" => Some(Self::Alpine),
            "nixos" => Some(Self::Nix),
            _ => None,
        });
        known.unwrap_or(Self::Other)
    }

    /// How to install QEMU for Arm here: the command to type, as a part of a sentence.
    pub const fn qemu_command(self) -> &'static str {
        match self {
            Self::Debian => "type: sudo apt-get install --no-remove qemu-system-arm",
            Self::Fedora => "type: sudo dnf install qemu-system-arm",
            Self::Suse => "type: sudo zypper install qemu-arm",
            Self::Arch => "type: sudo pacman -S --needed qemu-system-arm",
            Self::Alpine => "type: sudo apk add qemu-system-arm",
            Self::Nix => "type: nix-shell -p qemu, and repeat this command in the shell that it opens",
            Self::MacOs => "type: brew install qemu",
            Self::Windows => {
                r"type: winget install --exact --id SoftwareFreedomConservancy.QEMU, and set the environment variable QEMU to C:\Program Files\qemu\qemu-system-arm.exe"
            }
            Self::Other => "install QEMU for Arm (qemu-system-arm) with this system's package manager",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_are_known_by_their_own_name_or_their_ancestors() {
        for (release, system) in [
            ("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n", System::Debian),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", System::Debian),
            ("NAME=\"Fedora Linux\"\nID=fedora\n", System::Fedora),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", System::Fedora),
            ("ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\n", System::Suse),
            ("NAME=\"Arch Linux\"\nID=arch\nBUILD_ID=rolling\n", System::Arch),
            ("ID=manjaro\nID_LIKE=arch\n", System::Arch),
            ("ID=alpine\nVERSION_ID=3.22.0\n", System::Alpine),
            ("ANSI_COLOR=\"0;38;2;126;186;228\"\nID=nixos\nID_LIKE=\"\"\n", System::Nix),
            ("ID=void\n", System::Other),
            ("", System::Other),
        ] {
            assert_eq!(System::of("linux", release), system, "{release}");
        }
    }

    /// Names of packages: repology.org/project/qemu, formulae.brew.sh and winget-pkgs.
    #[test]
    fn each_system_has_its_command() {
        for (system, command) in [
            (System::of("linux", "ID=debian"), "sudo apt-get install --no-remove qemu-system-arm"),
            (System::of("linux", "ID=fedora"), "sudo dnf install qemu-system-arm"),
            (System::of("linux", "ID=arch"), "sudo pacman -S --needed qemu-system-arm"),
            (System::of("linux", "ID=nixos"), "nix-shell -p qemu"),
            (System::of("macos", ""), "brew install qemu"),
            (System::of("windows", ""), "winget install --exact --id SoftwareFreedomConservancy.QEMU"),
        ] {
            assert!(system.qemu_command().contains(command), "{}", system.qemu_command());
        }
    }
}
