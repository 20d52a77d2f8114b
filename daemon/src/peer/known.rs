//! Whether the system tells whose a connection is.

use std::{
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::OnceLock,
};

use nix::{errno::Errno, unistd::Uid};

use super::socket::connected;

/// Whether the system tells whose a connection is. Found out once. An error is one that passes,
/// such as too many open files: then this can be asked again.
pub fn can_be_known() -> io::Result<bool> {
    static CAN_BE_KNOWN: OnceLock<bool> = OnceLock::new();
    if let Some(known) = CAN_BE_KNOWN.get() {
        return Ok(*known);
    }
    let known = lasting(own_is_found())?;
    Ok(*CAN_BE_KNOWN.get_or_init(|| known))
}

/// Whether the kernel finds a socket of this process.
fn own_is_found() -> io::Result<bool> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let found = connected(client.local_addr()?, listener.local_addr()?)?;
    Ok(found.is_some_and(|socket| socket.user == Uid::effective().as_raw()))
}

/// The answer of the system, if it will be the same the next time.
fn lasting(found: io::Result<bool>) -> io::Result<bool> {
    // The kernel has no such question, or a container forbids it.
    const NO_ANSWER: [Errno; 6] = [
        Errno::ENOENT,
        Errno::EPROTONOSUPPORT,
        Errno::EAFNOSUPPORT,
        Errno::EOPNOTSUPP,
        Errno::EPERM,
        Errno::EACCES,
    ];
    match found {
        Err(error) if NO_ANSWER.map(|no| Some(no as i32)).contains(&error.raw_os_error()) => {
            Ok(false)
        }
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_passes_is_no_answer() {
        for error in [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::EADDRNOTAVAIL] {
            assert!(lasting(Err(error.into())).is_err(), "{error}");
        }
        assert!(lasting(Err(io::Error::other("not understood"))).is_err());
        for error in [Errno::ENOENT, Errno::EPROTONOSUPPORT, Errno::EPERM] {
            assert!(!lasting(Err(error.into())).unwrap(), "{error}");
        }
        assert!(lasting(Ok(true)).unwrap());
    }
}
