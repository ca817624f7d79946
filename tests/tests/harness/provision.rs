//! What the commands say where a tool is missing and may not be installed.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use tests::skipped::skipped;

/// Runs `cargo xtask parity` with nothing but these scripts on the PATH, and with nothing built.
fn complaint(scripts: &[(&str, &str)]) -> String {
    complaint_in(&TempDir::new().unwrap(), scripts)
}

fn complaint_in(folder: &TempDir, scripts: &[(&str, &str)]) -> String {
    for (name, body) in scripts {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["parity", "--samples", "2"]).env("PATH", folder.path()).env_remove("RUSTC").env_remove("QEMU");
    command.env("CARGO_TARGET_DIR", folder.path());
    let output = command.output().unwrap();
    assert!(!output.status.success());
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn users_are_told_the_command_to_type() {
    let error = complaint(&[("apt-get", "exit 0"), ("id", "echo 1000")]);
    assert!(error.contains("type: sudo apt-get install --no-remove qemu-system-arm"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn other_systems_are_told_what_is_needed() {
    let error = complaint(&[]);
    assert!(error.contains("qemu-system-arm") && error.contains("QEMU=path"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn root_is_told_what_is_installed_and_why() {
    // This package manager succeeds and installs nothing, so that QEMU is missed at the next step at the latest.
    let error = complaint(&[("apt-get", "exit 0"), ("id", "echo 0")]);
    assert!(
        error.contains("emulated boards. Installing it takes about a minute: apt-get install --no-remove"),
        "{error}"
    );
    assert!(error.lines().last().unwrap().starts_with("error: "), "{error}");
}

/// This package manager refuses as apt 2.6 does where a package would have to go, if it is asked not to remove any.
const FULL_OF_CONFLICTS: &str = r#"case "$*" in
*--simulate*) ;;
*--no-remove*) echo "E: Packages need to be removed but remove is disabled." >&2; exit 100;;
install*) echo "removed qemu-utils" >&2;;
esac"#;

#[test]
fn nothing_is_removed_to_make_room() {
    let error = complaint(&[("apt-get", FULL_OF_CONFLICTS), ("id", "echo 0")]);
    assert!(!error.contains("removed qemu-utils"), "{error}");
    let last = error.lines().last().unwrap();
    assert!(last.contains("only by removing or downgrading other packages, so it changed nothing"), "{error}");
    assert!(last.contains("QEMU=path"), "{error}");
}

/// This one says in a simulation what it would install, and downloads it.
#[test]
fn what_cannot_be_installed_is_unpacked() {
    let apt_get = format!(
        r#"case "$*" in
*--simulate*) echo "Remv qemu-utils [1:10.0.2]"; echo "Inst qemu-system-arm (1:7.2)"; exit 0;;
download*) echo > qemu-system-arm.deb; exit 0;;
esac
{FULL_OF_CONFLICTS}"#
    );
    let dpkg_deb = r#"[ -s "$2" ] && PATH=/usr/bin:/bin && mkdir -p "$3/usr/bin" "$3/usr/lib/x86_64-linux-gnu" &&
printf '#!/bin/sh\necho QEMU emulator version 7.2.0 in $LD_LIBRARY_PATH\n' > "$3/usr/bin/qemu-system-arm" &&
chmod 755 "$3/usr/bin/qemu-system-arm""#;
    let folder = TempDir::new().unwrap();
    // A QEMU that does not start is on the PATH.
    let broken = folder.path().join("qemu-system-arm");
    fs::write(&broken, "#!/nowhere\n").unwrap();
    fs::set_permissions(&broken, fs::Permissions::from_mode(0o755)).unwrap();
    let error = complaint_in(&folder, &[("apt-get", &apt_get), ("id", "echo 0"), ("dpkg-deb", dpkg_deb)]);
    let into = folder.path().join("unpacked");
    assert!(error.contains(&format!("it is unpacked into {} instead", into.display())), "{error}");
    assert!(!error.contains("does not tell its version as QEMU does"), "{error}");
    assert!(!error.contains("QEMU=path") && !error.contains("removed qemu-utils"), "{error}");
    let unpacked = folder.path().join("unpacked/qemu-system-arm");
    let answer = Command::new(unpacked.join("start")).arg("--version").output().unwrap().stdout;
    let libraries = unpacked.join("root/usr/lib/x86_64-linux-gnu");
    assert_eq!(
        String::from_utf8(answer).unwrap().trim_end(),
        format!("QEMU emulator version 7.2.0 in {}", libraries.display())
    );
}

#[test]
fn an_old_qemu_is_refused() {
    let error = complaint(&[("qemu-system-arm", "echo QEMU emulator version 5.2.0")]);
    assert!(error.contains("has version 5.2; any qemu-system-arm from version 7.2 on works"), "{error}");
}

#[test]
fn a_compiler_without_the_targets_leads_to_debians() {
    if Path::new("/usr/lib/rustlib/src/rust/library/core/Cargo.toml").is_file() {
        return skipped("Debian's compiler is there, so that nothing has to be installed");
    }
    // The compiler's root holds no targets, and there is no rustup.
    let compiler = ("rustc", "echo /nowhere");
    let error = complaint(&[
        ("qemu-system-arm", "echo QEMU emulator version 7.2.0"),
        ("apt-get", "exit 0"),
        ("id", "echo 1000"),
        compiler,
    ]);
    assert!(error.contains("type: sudo apt-get install --no-remove rustc-web cargo-web rust-web-src"), "{error}");
}
