//! The roles of the binary `floor`.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::process::Command;

use super::{
    free_address,
    running::{Paths, Running},
};
use crate::process::{Process, binary};

/// Two processes, as Longhold has them.
pub(super) async fn start() -> anyhow::Result<Running> {
    let (internal, function) = (free_address()?, free_address()?);
    let (second, _) =
        start_role("function", &[("listen", function), ("gateway", internal)]).await?;
    let (first, public) =
        start_role("gateway", &[("internal", internal), ("function", function)]).await?;
    let processes = vec![first, second];
    Ok(Running { public, processes, paths: Paths::channels(), _folder: None })
}

/// One process without functions.
pub(super) async fn start_bare() -> anyhow::Result<Running> {
    let (process, public) = start_role("bare", &[]).await?;
    Ok(Running { public, processes: vec![process], paths: Paths::channels(), _folder: None })
}

/// What stands behind a peer: listens at the first address, and publishes at the second.
pub(super) async fn start_behind(
    peer: &str,
    listen: SocketAddr,
    publish: SocketAddr,
) -> anyhow::Result<Process> {
    let (process, _) = start_role(peer, &[("listen", listen), ("publish", publish)]).await?;
    Ok(process)
}

async fn start_role(
    role: &str,
    addresses: &[(&str, SocketAddr)],
) -> anyhow::Result<(Process, SocketAddr)> {
    let mut command = Command::new(binary("floor", None)?);
    command.arg(role);
    for (name, address) in addresses {
        command.arg(format!("--{name}={address}"));
    }
    let (process, ready) = Process::start_ready(&mut command).await?;
    let public = ready["public"].as_str().context("no address")?.parse()?;
    Ok((process, public))
}
