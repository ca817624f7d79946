//! Which operating system this is, and what to type there to install QEMU.

use std::process::Command;
use std::{env, fs};

use crate::boards::Emulator;
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

    /// `os` as in [`env::consts::OS`]; `release` is the text of Linux's file `/etc/os-release`, which names the
    /// distribution and those that it descends from.
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

    /// The package that has an emulator, by the name that this system gives it.
    pub fn qemu_package(self, emulator: Emulator) -> &'static str {
        match (emulator, self) {
            // Debian 13 split it from qemu-system-misc.
            (Emulator::RiscV, Self::Debian)
                if process::succeeds(Command::new("apt-cache").args(["show", "qemu-system-riscv"])) =>
            {
                "qemu-system-riscv"
            }
            (Emulator::RiscV, Self::Debian) => "qemu-system-misc",
            (Emulator::RiscV, Self::Suse) => "qemu-extra",
            (Emulator::RiscV, Self::Fedora | Self::Arch) => "qemu-system-riscv",
            (Emulator::Arm, Self::Suse) => "qemu-arm",
            (_, Self::Nix | Self::MacOs) => "qemu",
            (_, Self::Windows) => "SoftwareFreedomConservancy.QEMU",
            (_, _) => emulator.program(),
        }
    }

    /// How to install an emulator here: the command to type, as a part of a sentence.
    pub fn qemu_command(self, emulator: Emulator) -> String {
        let (package, program) = (self.qemu_package(emulator), emulator.program());
        match self {
            Self::Debian => format!("type: sudo apt-get install --no-remove {package}"),
            Self::Fedora => format!("type: sudo dnf install {package}"),
            Self::Suse => format!("type: sudo zypper install {package}"),
            Self::Arch => format!("type: sudo pacman -S --needed {package}"),
            Self::Alpine => format!("type: sudo apk add {package}"),
            Self::Nix => format!("type: nix-shell -p {package}, and repeat this command in the shell that it opens"),
            Self::MacOs => format!("type: brew install {package}"),
            Self::Windows => format!(
                r"type: winget install --exact --id {package}, and set the environment variable {} to C:\Program Files\qemu\{program}.exe",
                emulator.variable()
            ),
            Self::Other => format!("install {program} with this system's package manager"),
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
            let told = system.qemu_command(Emulator::Arm);
            assert!(told.contains(command), "{told}");
        }
        for (system, command) in [
            (System::Fedora, "sudo dnf install qemu-system-riscv"),
            (System::Suse, "sudo zypper install qemu-extra"),
            (System::Alpine, "sudo apk add qemu-system-riscv32"),
            (System::Windows, r"QEMU_RISCV32 to C:\Program Files\qemu\qemu-system-riscv32.exe"),
        ] {
            let told = system.qemu_command(Emulator::RiscV);
            assert!(told.contains(command), "{told}");
        }
    }
}
