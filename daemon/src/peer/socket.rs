//! Sockets of TCP on this machine, as the kernel knows them (`sock_diag(7)`).

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use netlink_packet_core::{NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::{
    AF_INET, AF_INET6, IPPROTO_TCP, SockDiagMessage, TCP_LISTEN,
    inet::{ExtensionFlags, InetRequest, SocketId, StateFlags},
};
use netlink_sys::{Socket as Netlink, SocketAddr as NetlinkAddress, protocols::NETLINK_SOCK_DIAG};
use nix::errno::Errno;

/// Larger than an answer about one socket.
const ANSWER_BYTES: usize = 8192;

/// A socket that is open in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Socket {
    /// The user of the process that made or accepted it, by number.
    pub user: u32,
    /// The number of the socket among the open files of its process.
    pub inode: u32,
}

/// What the kernel has at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The connection that was asked for. Without a socket no process has it open: it was not
    /// accepted yet, or was closed.
    Connection(Option<Socket>),
    /// No such connection, but a listener.
    Listener(Socket),
}

/// The socket at `address` for its connection to `other`. `None` if no process has it open.
pub fn connected(address: SocketAddr, other: SocketAddr) -> io::Result<Option<Socket>> {
    Ok(match find(address, other)? {
        Some(Found::Connection(socket)) => socket,
        Some(Found::Listener(_)) | None => None,
    })
}

/// The socket that listens at `address`, also as one of all addresses.
pub(super) fn listening(address: SocketAddr) -> io::Result<Option<Socket>> {
    // No connection has such an end.
    let nobody = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    Ok(match find(address, nobody)? {
        Some(Found::Listener(socket)) => Some(socket),
        Some(Found::Connection(_)) | None => None,
    })
}

/// What is at `address`: its connection to `other`, or else a listener. Both are of one family.
pub(super) fn find(address: SocketAddr, other: SocketAddr) -> io::Result<Option<Found>> {
    let netlink = Netlink::new(NETLINK_SOCK_DIAG)?;
    netlink.connect(&NetlinkAddress::new(0, 0))?;
    netlink.send(&request(address, other), 0)?;
    // The kernel has answered before the line above returns.
    netlink.set_non_blocking(true)?;
    let mut answer = Vec::with_capacity(ANSWER_BYTES);
    netlink.recv(&mut answer, 0)?;
    let answer = NetlinkMessage::<SockDiagMessage>::deserialize(&answer);
    match answer.map_err(io::Error::other)?.payload {
        NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(found)) => {
            let socket = Socket { user: found.header.uid, inode: found.header.inode };
            Ok(Some(match found.header.state {
                TCP_LISTEN => Found::Listener(socket),
                _ => Found::Connection((socket.inode != 0).then_some(socket)),
            }))
        }
        NetlinkPayload::Error(error) if error.raw_code() == -(Errno::ENOENT as i32) => Ok(None),
        NetlinkPayload::Error(error) => Err(error.to_io()),
        other => Err(io::Error::other(format!("unexpected answer of the kernel: {other:?}"))),
    }
}

fn request(address: SocketAddr, other: SocketAddr) -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST;
    let (family, interface_id) = match address {
        SocketAddr::V4(_) => (AF_INET, 0),
        // An address of one link is known together with its interface only.
        SocketAddr::V6(address) => (AF_INET6, address.scope_id()),
    };
    let request = InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::all(),
        socket_id: SocketId {
            source_port: address.port(),
            destination_port: other.port(),
            source_address: address.ip(),
            destination_address: other.ip(),
            interface_id,
            // Any.
            cookie: [0xff; 8],
        },
    };
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        net::{TcpListener, TcpStream},
        os::{fd::AsRawFd, unix::fs::MetadataExt},
    };

    use super::{connected, listening};

    #[test]
    fn the_kernel_knows_whose_a_connection_is() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address).unwrap();
        let peer = client.local_addr().unwrap();
        let file = fs::metadata(format!("/proc/self/fd/{}", client.as_raw_fd())).unwrap();
        let socket = connected(peer, address).unwrap().unwrap();
        assert_eq!(u64::from(socket.inode), file.ino());
        drop(client);
        assert_eq!(connected(peer, address).unwrap(), None);
        // Not accepted, and so of no process.
        let client = TcpStream::connect(address).unwrap();
        assert_eq!(connected(address, client.local_addr().unwrap()).unwrap(), None);
        let file = fs::metadata(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap();
        assert_eq!(u64::from(listening(address).unwrap().unwrap().inode), file.ino());
        drop(listener);
        assert_eq!(listening(address).unwrap(), None);
    }
}
