//! Whose the other end of a connection is.

use std::{io, net::SocketAddr};

use super::socket::{Found, find, listening};

/// Who has the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// A user of this machine, by number.
    User(u32),
    /// Another machine, or another network of this one, such as that of a container.
    Elsewhere,
    /// Nobody any more.
    Closed,
}

/// The owner of the end at `remote` of a connection whose other end is ours, at `local`.
pub(super) fn owner(remote: SocketAddr, local: SocketAddr) -> io::Result<Owner> {
    let [remote, local] = [remote, local].map(canonical);
    Ok(match find(remote, local)? {
        Some(Found::Connection(Some(socket))) => Owner::User(socket.user),
        // It waits to be accepted, and the kernel does not say for whom. If its listener is closed,
        // it is reset and does not go to the next one.
        Some(Found::Connection(None)) => match listening(remote)? {
            Some(listener) => Owner::User(listener.user),
            None => Owner::Closed,
        },
        // Under a flood of connections the kernel keeps none before it is accepted.
        Some(Found::Listener(listener)) if is_of_this_machine(remote, local) => {
            Owner::User(listener.user)
        }
        // A listener at all addresses is found for those of other machines too.
        Some(Found::Listener(_)) | None => Owner::Elsewhere,
    })
}

fn is_of_this_machine(remote: SocketAddr, local: SocketAddr) -> bool {
    remote.ip().is_loopback() || remote.ip() == local.ip()
}

/// An IPv4 address that is written as one of IPv6 is the former for the kernel's lookup.
fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip if ip.is_ipv4() => SocketAddr::new(ip, address.port()),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use nix::unistd::Uid;

    use super::*;

    /// With each address that this machine has.
    #[test]
    fn a_connection_has_an_owner_before_it_is_accepted_and_none_after_its_end() {
        let own = Owner::User(Uid::effective().as_raw());
        for (bound, called) in [
            ("127.0.0.1:0", "127.0.0.1"),
            ("0.0.0.0:0", "127.9.9.9"),
            ("[::1]:0", "::1"),
            ("[::]:0", "127.0.0.1"),
            ("[::]:0", "::ffff:127.0.0.1"),
        ] {
            let Ok(listener) = TcpListener::bind(bound) else { continue };
            let port = listener.local_addr().unwrap().port();
            let client = TcpStream::connect((called, port)).unwrap();
            let (remote, local) = (client.peer_addr().unwrap(), client.local_addr().unwrap());
            assert_eq!(owner(remote, local).unwrap(), own, "waits at {bound}");
            let (accepted, _) = listener.accept().unwrap();
            assert_eq!(owner(remote, local).unwrap(), own, "accepted at {bound}");
            drop((accepted, listener));
            let ended = owner(remote, local).unwrap();
            assert!(matches!(ended, Owner::Closed | Owner::Elsewhere), "{ended:?} at {bound}");
        }
    }

    /// The listener of all addresses is not that of another machine with the same port.
    #[test]
    fn a_connection_to_another_machine_has_no_owner_here() {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let remote = SocketAddr::new("192.0.2.1".parse().unwrap(), port);
        let local = "192.0.2.2:40000".parse().unwrap();
        assert_eq!(owner(remote, local).unwrap(), Owner::Elsewhere);
    }
}
