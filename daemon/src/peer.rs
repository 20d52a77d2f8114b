//! The other end of a connection on this machine: whose it is, and whether this process sends to
//! it.
//!
//! While a service does not run, every user of the machine can listen at its address. So a client
//! that sends a secret to an address of this machine asks the kernel first. Says nothing of other
//! machines: there only TLS shows who a server is.

mod known;
mod layer;
mod owner;
mod peers;
mod refused;
mod socket;

pub use self::{
    known::can_be_known,
    layer::{Checked, PeerLayer},
    peers::Peers,
    socket::{Socket, connected},
};
