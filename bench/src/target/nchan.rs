//! nginx with nchan: a client's message is sent to a backend over HTTP, which publishes the message
//! to the channel of that client.

use std::{fs, net::SocketAddr, path::Path};

use tokio::process::Command;

use super::{
    floor, free_address,
    running::{Paths, RunningTarget},
};
use crate::{
    client::wait_for,
    process::{ProcessTree, is_installed},
};

const MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";

pub(super) fn missing() -> Option<&'static str> {
    let is_there = is_installed("nginx") && Path::new(MODULE).exists();
    (!is_there).then_some("apt-get install --no-install-recommends nginx-light libnginx-mod-nchan")
}

pub(super) async fn start() -> anyhow::Result<RunningTarget> {
    let folder = tempfile::tempdir()?;
    let (public, publish, backend) = (free_address()?, free_address()?, free_address()?);
    let backend_process = floor::start_backend("nchan", backend, publish).await?;
    let file = folder.path().join("nginx.conf");
    fs::write(&file, settings(folder.path(), public, publish, backend))?;
    let mut command = Command::new("nginx");
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.arg("-p").arg(folder.path()).arg("-c").arg(&file).arg("-e").arg("stderr");
    let nginx = ProcessTree::start(&mut command)?;
    wait_for(public).await?;
    let processes = vec![nginx, backend_process];
    Ok(RunningTarget { public, processes, paths: Paths::channels(), _folder: Some(folder) })
}

/// Settings for high load: two workers, each with its own accept queue; no logs; connections to the
/// backend are kept; and a buffer for as many messages as a client has in flight.
fn settings(folder: &Path, public: SocketAddr, publish: SocketAddr, backend: SocketAddr) -> String {
    let folder = folder.display();
    let user = if nix::unistd::Uid::effective().is_root() { "user root;" } else { "" };
    format!(
        r#"
        load_module {MODULE};
        {user}
        daemon off;
        worker_processes 2;
        worker_rlimit_nofile 20000;
        pid {folder}/nginx.pid;
        error_log stderr crit;
        events {{ worker_connections 19000; multi_accept on; }}
        http {{
            access_log off;
            tcp_nodelay on;
            keepalive_requests 1000000000;
            keepalive_timeout 120s;
            client_body_temp_path {folder}/body;
            proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi;
            scgi_temp_path {folder}/scgi;
            client_max_body_size 8m;
            client_body_buffer_size 2m;
            nchan_shared_memory_size 256m;
            nchan_message_timeout 2s;
            nchan_message_buffer_length 64;
            upstream backend {{ server {backend}; keepalive 512; keepalive_requests 1000000000; }}
            server {{
                listen {public} reuseport backlog=4096;
                location = /upstream {{
                    internal;
                    proxy_pass http://backend;
                    proxy_http_version 1.1;
                    proxy_set_header Connection "";
                    proxy_set_header X-Channel $nchan_channel_id;
                }}
                location ~ ^/(\w+)$ {{
                    nchan_pubsub websocket;
                    nchan_channel_id $1;
                    nchan_subscriber_first_message newest;
                    nchan_publisher_upstream_request /upstream;
                }}
            }}
            server {{
                listen {publish} reuseport backlog=4096;
                location ~ ^/publish/(\w+)$ {{
                    nchan_publisher http;
                    nchan_channel_id $1;
                }}
            }}
        }}
        "#
    )
}
