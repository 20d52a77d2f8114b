//! The object store: the cloud's own client libraries use it, it is killed, and it is asked what it
//! has to refuse.

mod bucket;
mod copies;
mod embedded;
mod folder;
mod killed;
mod large;
mod refused;
mod sdk;
mod server;
