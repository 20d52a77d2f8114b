//! The roles of the binary `floor`.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::process::Command;

use super::{
    free_address,
    running::{Paths, RunningTarget},
};
use crate::process::{ProcessTree, binary};

/// Starts the roles `gateway` and `function`, two processes as with Longhold.
pub(super) async fn start() -> anyhow::Result<RunningTarget> {
    let (internal, function) = (free_address()?, free_address()?);
    let (second, _) =
        start_role("function", &[("listen", function), ("gateway", internal)]).await?;
    let (first, public) =
        start_role("gateway", &[("internal", internal), ("function", function)]).await?;
    let processes = vec![first, second];
    Ok(RunningTarget { public, processes, paths: Paths::channels(), _folder: None })
}

/// Starts the role `bare`, one process without functions.
pub(super) async fn start_bare() -> anyhow::Result<RunningTarget> {
    let (process, public) = start_role("bare", &[]).await?;
    Ok(RunningTarget { public, processes: vec![process], paths: Paths::channels(), _folder: None })
}

/// Starts the backend of a peer. It listens at `listen`, and publishes messages by POSTs to
/// `publish`.
pub(super) async fn start_backend(
    peer: &str,
    listen: SocketAddr,
    publish: SocketAddr,
) -> anyhow::Result<ProcessTree> {
    let (process, _) = start_role(peer, &[("listen", listen), ("publish", publish)]).await?;
    Ok(process)
}

async fn start_role(
    role: &str,
    addresses: &[(&str, SocketAddr)],
) -> anyhow::Result<(ProcessTree, SocketAddr)> {
    let mut command = Command::new(binary("floor", None)?);
    command.arg(role);
    for (name, address) in addresses {
        command.arg(format!("--{name}={address}"));
    }
    let (process, ready) = ProcessTree::start_ready(&mut command).await?;
    let public = ready["public"].as_str().context("no address")?.parse()?;
    Ok((process, public))
}
