//! Streams of bytes to a device: a serial line, a TCP address, a socket or a pair of pipes.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use thiserror::Error;

use super::added;

/// How long a TCP address may take to answer.
const CONNECT: Duration = Duration::from_secs(5);

/// Why there is no line to a device.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PortError {
    /// Nothing of this name.
    #[error(
        "there is no port {port}; connect the device and give its serial line (such as /dev/ttyACM0), a TCP address (such as \
         localhost:4444), a socket, or pipes named {port}.in and {port}.out"
    )]
    Missing {
        /// The name of the port that was given.
        port: String,
    },
    /// A file or a folder.
    #[error(
        "{port} is a file or a folder, and no line to a device; give a serial line, a TCP address, a socket or a pair of pipes"
    )]
    Kind {
        /// The name of the port that was given.
        port: String,
    },
    /// Nobody answers at a TCP address.
    #[error("nothing answers at {address}; check the address, and start what listens there before `trainer send`")]
    Connect {
        /// The address that was given.
        address: String,
        /// Why the operating system refused.
        source: io::Error,
    },
    /// There, but not to be opened.
    #[error(
        "cannot open {port}; close the program that uses it, or give yourself permission (on Linux: the group dialout)"
    )]
    Open {
        /// The name of the port that was given.
        port: String,
        /// Why the operating system refused.
        source: io::Error,
    },
}

/// An open line to a device.
pub struct Port {
    writer: Box<dyn Write + Send>,
    received: mpsc::Receiver<Vec<u8>>,
}

impl Port {
    /// Opens what the name says: `HOST:PORT`, or the path of a serial line, a socket, or pipes without `.in` and
    /// `.out`.
    ///
    /// # Errors
    ///
    /// [`PortError`] where it is not there or cannot be opened.
    pub fn open(name: &str, baud: u32) -> Result<Self, PortError> {
        let opened = |source| PortError::Open { port: name.to_owned(), source };
        let path = Path::new(name);
        let [input, output] = ["in", "out"].map(|end| added(path, end));
        match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => Err(PortError::Kind { port: name.to_owned() }),
            Ok(found) => {
                special(path, &found, baud).map_err(opened)?.ok_or_else(|| PortError::Kind { port: name.to_owned() })
            }
            Err(_) if input.exists() && output.exists() => pipes(&input, &output).map_err(opened),
            Err(_) if is_address(name) => {
                tcp(name).map_err(|source| PortError::Connect { address: name.to_owned(), source })
            }
            Err(_) => Err(PortError::Missing { port: name.to_owned() }),
        }
    }

    /// Of a reader and a writer.
    pub(super) fn new(reader: impl Read + Send + 'static, writer: impl Write + Send + 'static) -> Self {
        let (sender, received) = mpsc::channel();
        // A read of a pipe or a serial line cannot be given a time limit on every system; waiting for this thread can.
        thread::spawn(move || forward(reader, &sender));
        Self { writer: Box::new(writer), received }
    }

    /// Sends bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes)?;
        self.writer.flush()
    }

    /// What has arrived, or arrives within this time; `None` where nothing does, and an error where the line has ended.
    pub(super) fn read(&mut self, patience: Duration) -> io::Result<Option<Vec<u8>>> {
        match self.received.recv_timeout(patience) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(mpsc::RecvTimeoutError::Timeout) => Ok(None),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Hands on all that a reader gives, until it or the port ends.
fn forward(mut reader: impl Read, sender: &mpsc::Sender<Vec<u8>>) {
    let mut buffer = [0; 512];
    loop {
        match reader.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return,
            Ok(len) => {
                if sender.send(buffer[..len].to_vec()).is_err() {
                    return;
                }
            }
        }
    }
}

/// Whether a name is a host, a colon and a number.
fn is_address(name: &str) -> bool {
    name.rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok())
}

fn tcp(address: &str) -> io::Result<Port> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for place in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&place, CONNECT) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(Port::new(stream.try_clone()?, stream));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The device reads from `input` and writes to `output`.
fn pipes(input: &PathBuf, output: &PathBuf) -> io::Result<Port> {
    let open = |path| std::fs::OpenOptions::new().read(true).write(true).open(path);
    Ok(Port::new(open(output)?, open(input)?))
}

/// A serial line or a socket; `None` for anything else.
#[cfg(unix)]
fn special(path: &Path, found: &std::fs::Metadata, baud: u32) -> io::Result<Option<Port>> {
    use std::os::unix::fs::FileTypeExt as _;
    use std::os::unix::net::UnixStream;
    if found.file_type().is_socket() {
        let stream = UnixStream::connect(path)?;
        return Ok(Some(Port::new(stream.try_clone()?, stream)));
    }
    if found.file_type().is_char_device() {
        let line = serial(path, baud)?;
        return Ok(Some(Port::new(line.try_clone()?, line)));
    }
    Ok(None)
}

/// A serial line in raw mode with one stop bit, whether or not its modem lines say that somebody is there and may be
/// sent to.
#[cfg(unix)]
fn serial(path: &Path, baud: u32) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    use rustix::termios::{ControlModes, InputModes, OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr};
    let flags = (OFlags::NOCTTY | OFlags::NONBLOCK).bits();
    let line = std::fs::OpenOptions::new().read(true).write(true).custom_flags(flags.cast_signed()).open(path)?;
    let mut settings = tcgetattr(&line)?;
    settings.make_raw();
    settings.control_modes |= ControlModes::CLOCAL | ControlModes::CREAD;
    // Raw mode leaves these as the last program had set them.
    settings.control_modes -= ControlModes::CRTSCTS | ControlModes::CSTOPB;
    settings.input_modes -= InputModes::IXOFF;
    settings.set_speed(baud)?;
    tcsetattr(&line, OptionalActions::Now, &settings)?;
    tcflush(&line, QueueSelector::IOFlush)?;
    fcntl_setfl(&line, fcntl_getfl(&line)? - OFlags::NONBLOCK)?;
    Ok(line)
}

/// Elsewhere the speed is the system's.
#[cfg(not(unix))]
fn special(path: &Path, found: &std::fs::Metadata, _baud: u32) -> io::Result<Option<Port>> {
    if found.is_file() {
        return Ok(None);
    }
    let line = std::fs::OpenOptions::new().read(true).write(true).open(path)?;
    Ok(Some(Port::new(line.try_clone()?, line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        assert!(is_address("localhost:4444") && is_address("[::1]:80"));
        assert!(!is_address("/dev/ttyACM0") && !is_address("COM3") && !is_address(":1") && !is_address("a/b:1"));
    }

    #[test]
    fn what_is_no_line_is_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"x").unwrap();
        let message = |name: &Path| Port::open(name.to_str().unwrap(), 115_200).err().unwrap().to_string();
        assert!(message(&folder.path().join("tty")).starts_with("there is no port"));
        assert!(message(&file).contains("a file or a folder") && message(folder.path()).contains("a file or a folder"));
        // A port that was free a moment ago.
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        assert!(message(Path::new(&address)).starts_with("nothing answers at"));
    }
}
