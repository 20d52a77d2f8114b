//! The other end of a connection on this machine, as the kernel knows it (`sock_diag(7)`).

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
};

use netlink_packet_core::{NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::{
    AF_INET, IPPROTO_TCP, SockDiagMessage,
    inet::{ExtensionFlags, InetRequest, SocketId, StateFlags},
};
use netlink_sys::{Socket as Netlink, SocketAddr as NetlinkAddress, protocols::NETLINK_SOCK_DIAG};
use nix::{errno::Errno, unistd::Uid};

/// Larger than an answer about one socket.
const ANSWER_BYTES: usize = 8192;

/// A socket that is open in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Socket {
    /// The user who made the socket.
    pub(super) user: u32,
    /// The number of the socket among the open files of its process.
    pub(super) inode: u32,
}

/// The socket that `peer` has for its connection to `listener`. `None` if no process has it open.
pub(super) fn find(peer: SocketAddr, listener: SocketAddr) -> io::Result<Option<Socket>> {
    let netlink = Netlink::new(NETLINK_SOCK_DIAG)?;
    netlink.connect(&NetlinkAddress::new(0, 0))?;
    netlink.send(&request(peer, listener), 0)?;
    // The kernel has answered before the line above returns.
    netlink.set_non_blocking(true)?;
    let mut answer = Vec::with_capacity(ANSWER_BYTES);
    netlink.recv(&mut answer, 0)?;
    let answer = NetlinkMessage::<SockDiagMessage>::deserialize(&answer);
    match answer.map_err(io::Error::other)?.payload {
        NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(found)) => {
            let socket = Socket { user: found.header.uid, inode: found.header.inode };
            Ok((socket.inode != 0).then_some(socket))
        }
        NetlinkPayload::Error(error) if error.raw_code() == -(Errno::ENOENT as i32) => Ok(None),
        NetlinkPayload::Error(error) => Err(error.to_io()),
        other => Err(io::Error::other(format!("unexpected answer of the kernel: {other:?}"))),
    }
}

fn request(peer: SocketAddr, listener: SocketAddr) -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST;
    let request = InetRequest {
        family: AF_INET,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::all(),
        socket_id: SocketId {
            source_port: peer.port(),
            destination_port: listener.port(),
            source_address: peer.ip(),
            destination_address: listener.ip(),
            interface_id: 0,
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

/// Whether the kernel finds a socket of this process.
pub(super) fn own_is_found() -> io::Result<bool> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let found = find(client.local_addr()?, listener.local_addr()?)?;
    Ok(found.is_some_and(|socket| socket.user == Uid::effective().as_raw()))
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        net::{TcpListener, TcpStream},
        os::{fd::AsRawFd, unix::fs::MetadataExt},
    };

    use super::{find, own_is_found};

    #[test]
    fn the_kernel_knows_whose_a_connection_is() {
        assert!(own_is_found().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address).unwrap();
        let peer = client.local_addr().unwrap();
        let file = fs::metadata(format!("/proc/self/fd/{}", client.as_raw_fd())).unwrap();
        let socket = find(peer, address).unwrap().unwrap();
        assert_eq!(u64::from(socket.inode), file.ino());
        drop(client);
        assert_eq!(find(peer, address).unwrap(), None);
    }
}
