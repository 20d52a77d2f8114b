//! Pushpin: a client's message is sent to a backend as WebSocket-over-HTTP, which publishes the
//! message to the channel of that client.

use std::{fs, net::SocketAddr, path::Path, process::Stdio};

use tokio::process::Command;

use super::{
    floor, free_address,
    running::{Paths, RunningTarget},
};
use crate::{
    client::{wait_for, wait_for_handshake},
    process::{ProcessTree, is_installed},
};

pub(super) fn missing() -> Option<&'static str> {
    let is_there = ["pushpin", "condure", "zurl"].into_iter().all(is_installed);
    (!is_there).then_some("apt-get install --no-install-recommends pushpin")
}

pub(super) async fn start() -> anyhow::Result<RunningTarget> {
    let folder = tempfile::tempdir()?;
    let (public, publish, backend) = (free_address()?, free_address()?, free_address()?);
    let backend_process = floor::start_backend("pushpin", backend, publish).await?;
    let file = folder.path().join("pushpin.conf");
    fs::write(folder.path().join("routes"), format!("* {backend},over_http\n"))?;
    fs::write(&file, settings(folder.path(), public, publish))?;
    let mut command = Command::new("pushpin");
    command.arg("--config").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
    let pushpin = ProcessTree::start(&mut command)?;
    wait_for(publish).await?;
    wait_for_handshake(public).await?;
    let processes = vec![pushpin, backend_process];
    Ok(RunningTarget { public, processes, paths: Paths::channels(), _folder: Some(folder) })
}

/// Settings for high load: a zurl of its own, no message rate limit, little logging.
fn settings(folder: &Path, public: SocketAddr, publish: SocketAddr) -> String {
    let folder = folder.display();
    let (publish_host, publish_port) = (publish.ip(), publish.port());
    format!(
        "[global]\n\
         include={{libdir}}/internal.conf\n\
         rundir={folder}\n\
         ipc_prefix=bench-\n\
         [runner]\n\
         services=condure,zurl,pushpin-proxy,pushpin-handler\n\
         http_port={public}\n\
         logdir={folder}\n\
         log_level=1\n\
         client_maxconn=50000\n\
         [proxy]\n\
         routesfile=routes\n\
         zurl_out_specs=ipc://{folder}/bench-zurl-in\n\
         zurl_out_stream_specs=ipc://{folder}/bench-zurl-in-stream\n\
         zurl_in_specs=ipc://{folder}/bench-zurl-out\n\
         [handler]\n\
         push_in_spec=ipc://{folder}/bench-push-in\n\
         push_in_sub_specs=ipc://{folder}/bench-push-in-sub\n\
         command_spec=ipc://{folder}/bench-command\n\
         stats_spec=ipc://{folder}/bench-stats\n\
         push_in_http_addr={publish_host}\n\
         push_in_http_port={publish_port}\n\
         push_in_http_max_body_size=10000000\n\
         message_rate=-1\n\
         message_hwm=1000000\n"
    )
}
