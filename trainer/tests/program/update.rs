//! `trainer key`, `trainer sign` and `trainer send` as a user meets them, with a device that answers what a test says.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use firmware_core::Outside;
use firmware_core::update::frame::{Frame, Receiver};
use firmware_core::update::message::{Refusal, Request, Response, Status};
use firmware_core::update::{HEADER_BYTES, SignedHeader};
use tempfile::TempDir;

use crate::desk::program;
use crate::plane::Plane;

fn trainer(words: &[&str], folder: &Path) -> Output {
    program().args(words).current_dir(folder).output().expect("the trainer starts")
}

#[track_caller]
fn success(words: &[&str], folder: &Path) -> String {
    let output = trainer(words, folder);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The one sentence of a failure.
#[track_caller]
fn failure(words: &[&str], folder: &Path) -> String {
    let output = trainer(words, folder);
    let text = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    assert!(!output.status.success() && output.stdout.is_empty(), "{text}");
    assert!(text.starts_with("error: ") && text.lines().count() == 1, "{text}");
    text
}

/// A folder with a model and a key.
fn desk() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let model =
        Plane { slopes: [0.0; 2], height: 0.5, outside: Outside::Clamp, training_psnr_db: 31.5, card: "seed: 7\n" };
    fs::write(folder.path().join("model.ffm"), model.artifact()).expect("a file");
    success(&["key", "maker.key"], folder.path());
    folder
}

const SIGN: [&str; 8] = ["sign", "model.ffm", "--key", "maker.key", "--version", "3", "--out", "model.ffu"];

/// Answers the requests of one host until it hangs up.
fn serve(mut stream: impl Read + Write, mut answer: impl FnMut(Request<'_>) -> Response) {
    let (mut receiver, mut byte) = (Receiver::new(), [0]);
    while stream.read(&mut byte).is_ok_and(|len| len == 1) {
        if receiver.push(byte[0]) {
            let response = receiver.message().map_or(Response::Refused(Refusal::Frame), &mut answer);
            let frame = Frame::new(&response).expect("a short message");
            stream.write_all(frame.as_bytes()).expect("a host that listens");
        }
    }
}

/// Its address; it takes one host, and answers its requests.
fn device(answer: impl FnMut(Request<'_>) -> Response + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || serve(listener.accept().expect("a host").0, answer));
    address
}

/// A device that serves version 2 and takes version 3; the sender is told the signed model that arrived.
fn taker(sender: Sender<Vec<u8>>) -> impl FnMut(Request<'_>) -> Response {
    let (mut bytes, mut turns) = (Vec::new(), 0);
    move |request| {
        turns += 1;
        match request {
            Request::Status => STATUS,
            // A noisy line: the offer arrives damaged once.
            Request::Offer(_) if turns == 2 => Response::Refused(Refusal::Frame),
            Request::Offer(header) => {
                bytes = header.to_vec();
                Response::Stored(0)
            }
            Request::Data { offset, bytes: piece } => {
                assert_eq!(offset as usize + HEADER_BYTES, bytes.len());
                bytes.extend_from_slice(piece);
                Response::Stored((bytes.len() - HEADER_BYTES) as u32)
            }
            Request::Finish => {
                sender.send(std::mem::take(&mut bytes)).unwrap();
                Response::Current(3)
            }
        }
    }
}

const STATUS: Response = Response::Status(Status { version: Some(2), stored_version: 2, capacity: 4096 });

#[test]
fn a_model_is_signed_and_sent() {
    let desk = desk();
    let said = success(&SIGN, desk.path());
    assert!(said.contains("version 3, none older than 3 after it"), "{said}");
    let (model, signed) =
        (fs::read(desk.path().join("model.ffm")).unwrap(), fs::read(desk.path().join("model.ffu")).unwrap());
    assert_eq!(signed[HEADER_BYTES..], model);
    let header = SignedHeader::from_bytes(&signed).unwrap();
    assert_eq!((header.manifest.version, header.manifest.oldest), (3, 3));

    let (sender, arrived) = channel();
    let address = device(taker(sender));
    let said = success(&["send", "model.ffu", "--port", &address], desk.path());
    assert_eq!(said.trim_end(), "the device serves version 3; before, it served version 2");
    assert_eq!(arrived.recv().unwrap(), signed);
}

#[test]
fn what_is_wrong_with_a_key_or_a_version_is_one_sentence() {
    let desk = desk();
    let with = |place: usize, word: &'static str| {
        let mut words = SIGN;
        words[place] = word;
        failure(&words, desk.path())
    };
    let missing = with(3, "other.key");
    assert!(missing.contains("cannot read other.key") && missing.contains("`trainer key other.key`"), "{missing}");
    fs::write(desk.path().join("half.key"), "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n").unwrap();
    let damaged = with(3, "half.key");
    assert!(damaged.contains("half.key is damaged") && damaged.contains("take a copy"), "{damaged}");
    let public = with(3, "maker.key.pub");
    assert!(
        public.contains("maker.key.pub is a public key") && public.ends_with("belongs to it, maker.key"),
        "{public}"
    );
    fs::copy(desk.path().join("maker.key.pub"), desk.path().join("devices")).unwrap();
    assert!(with(3, "devices").ends_with("name the private key that belongs to it"));
    let old = failure(&[&SIGN[..], &["--oldest", "4"]].concat(), desk.path());
    assert!(
        old.contains("oldest version 4 is newer than the version 3") && old.contains("--oldest of at most 3"),
        "{old}"
    );
    assert!(!desk.path().join("model.ffu").exists());
    let kept = failure(&["key", "maker.key"], desk.path());
    assert!(kept.contains("exists and is kept") && kept.contains("choose another name"), "{kept}");
}

#[test]
fn what_cannot_be_sent_is_one_sentence() {
    let desk = desk();
    success(&SIGN, desk.path());
    let send = |file: &str, port: &str| failure(&["send", file, "--port", port], desk.path());
    let signed = failure(&["inspect", "model.ffu"], desk.path());
    assert!(
        signed.contains("model.ffu is a signed model") && signed.contains("name the model file (.ffm)"),
        "{signed}"
    );
    let unsigned = send("model.ffm", "x");
    assert!(unsigned.contains("is not signed") && unsigned.contains("trainer sign model.ffm"), "{unsigned}");
    let path = desk.path().join("model.ffu");
    let mut signed = fs::read(&path).unwrap();
    signed[200] ^= 1;
    fs::write(desk.path().join("bad.ffu"), &signed).unwrap();
    assert!(send("bad.ffu", "x").contains("sign the model again"));
    let nowhere = send("model.ffu", "/dev/no-such-line");
    assert!(nowhere.contains("there is no port") && nowhere.contains("/dev/ttyACM0"), "{nowhere}");
    assert!(send("model.ffu", "maker.key").contains("a file or a folder"));
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    assert!(send("model.ffu", &free).contains("nothing answers at"));
}

#[test]
fn what_a_device_refuses_is_one_sentence_with_a_remedy() {
    let desk = desk();
    success(&SIGN, desk.path());
    for (refusal, at_the_end, reason, remedy) in [
        (Refusal::Older(7), false, "older version: the device takes version 7", "--version"),
        (Refusal::Signature, false, "wrong signature", "the key whose public key is in the device's program"),
        (Refusal::Parse, true, "does not parse", "update the device's program"),
        (Refusal::KnownAnswer, true, "known answers", "build it again"),
    ] {
        let mut stored = 0;
        let address = device(move |request| match request {
            Request::Status => STATUS,
            Request::Offer(_) if at_the_end => Response::Stored(0),
            Request::Data { bytes, .. } => {
                stored += bytes.len() as u32;
                Response::Stored(stored)
            }
            Request::Offer(_) | Request::Finish => Response::Refused(refusal),
        });
        let said = failure(&["send", "model.ffu", "--port", &address], desk.path());
        assert!(said.contains(reason) && said.contains(remedy), "{said}");
    }
    // A device that hangs up.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || drop(listener.accept()));
    let cut = failure(&["send", "model.ffu", "--port", &address], desk.path());
    assert!(cut.contains("the line to the device was cut") && cut.contains("repeat the command"), "{cut}");
}

#[cfg(unix)]
#[test]
fn a_socket_is_a_line_as_well() {
    let desk = desk();
    success(&SIGN, desk.path());
    let socket: PathBuf = desk.path().join("line");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    thread::spawn(move || {
        serve(listener.accept().unwrap().0, |request| match request {
            Request::Status => STATUS,
            _ => Response::Refused(Refusal::Older(9)),
        });
    });
    let refused = failure(&["send", "model.ffu", "--port", "line"], desk.path());
    assert!(refused.contains("takes version 9"), "{refused}");
}

/// The device's end of a terminal, the terminal itself, and its name.
#[cfg(target_os = "linux")]
fn terminal() -> (fs::File, fs::File, String) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    // A program that inherited the device's end would keep the line open.
    let device = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&device).unwrap();
    unlockpt(&device).unwrap();
    let name = ptsname(&device, Vec::new()).unwrap().into_string().unwrap();
    let terminal = fs::File::options().read(true).write(true).open(&name).unwrap();
    (device.into(), terminal, name)
}

/// A terminal of the system begins as one for people: it echoes, waits for lines, and changes the ends of lines. What
/// other programs set stays, such as two stop bits, and wires or bytes that say when to send, of which most devices
/// have none.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_a_line_whatever_its_settings_are() {
    use rustix::termios::{
        ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, tcgetattr, tcsetattr,
    };
    let desk = desk();
    success(&SIGN, desk.path());
    let (device, terminal, name) = terminal();
    let unwanted = ControlModes::CRTSCTS | ControlModes::CSTOPB;
    let mut before = tcgetattr(&terminal).unwrap();
    before.control_modes |= unwanted;
    before.input_modes |= InputModes::IXOFF;
    before.special_codes[SpecialCodeIndex::VMIN] = 0;
    tcsetattr(&terminal, OptionalActions::Now, &before).unwrap();
    let before = tcgetattr(&terminal).unwrap();
    assert!(before.local_modes.contains(LocalModes::ECHO | LocalModes::ICANON) && before.output_speed() != 57_600);
    assert!(
        before.output_modes.contains(OutputModes::OPOST)
            && before.input_modes.contains(InputModes::ICRNL | InputModes::IXOFF)
    );
    assert!(before.control_modes.contains(unwanted));

    let (sender, arrived) = channel();
    thread::spawn(move || serve(device, taker(sender)));
    let said = success(&["send", "model.ffu", "--port", &name, "--baud", "57600"], desk.path());
    assert_eq!(said.trim_end(), "the device serves version 3; before, it served version 2");
    assert_eq!(arrived.recv().unwrap(), fs::read(desk.path().join("model.ffu")).unwrap());
    let after = tcgetattr(&terminal).unwrap();
    assert_eq!((after.input_speed(), after.output_speed()), (57_600, 57_600));
    assert!(!after.input_modes.contains(InputModes::IXOFF));
    assert!(!after.control_modes.intersects(unwanted) && after.control_modes.contains(ControlModes::CLOCAL));
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_whose_device_is_gone_is_a_line_that_was_cut() {
    let desk = desk();
    success(&SIGN, desk.path());
    let (mut device, terminal, name) = terminal();
    thread::spawn(move || {
        device.read_exact(&mut [0]).unwrap();
        drop((device, terminal));
    });
    let cut = failure(&["send", "model.ffu", "--port", &name], desk.path());
    assert!(cut.contains("the line to the device was cut"), "{cut}");
}
