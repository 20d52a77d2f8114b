//! The floor: three hops with the libraries of Longhold, without checks, limits, logs or
//! guarantees. For measuring only; never deploy it.
//!
//! The backends of the peers are in this binary too. Each role is a process. It prints its address
//! in a ready line, as Longhold's binaries do, and ends when its stdin is closed.

mod bare;
mod function;
mod gateway;
mod http;
mod http_client;
mod message;
mod nchan;
mod pushpin;
mod websocket;

use std::{
    io::{self, Read},
    net::SocketAddr,
    process, thread,
};

use clap::{Parser, Subcommand};
use serde_json::json;
use tokio::net::TcpListener;

/// The processes that Longhold is compared with.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Holds the WebSockets: sends each message to `function`, accepts pushes at `internal`
    Gateway {
        #[arg(long)]
        internal: SocketAddr,
        #[arg(long)]
        function: SocketAddr,
    },
    /// Echoes: each message is pushed to `gateway`
    Function {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        gateway: SocketAddr,
    },
    /// A WebSocket server that echoes by itself; for paths that begin with /all it sends to all
    Bare,
    /// The backend of nchan: publishes each message to the channel that it came from
    Nchan {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        publish: SocketAddr,
    },
    /// The backend of Pushpin, over WebSocket-over-HTTP
    Pushpin {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        publish: SocketAddr,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let role = Arguments::parse().role;
    thread::spawn(end_with_stdin);
    run(role).await
}

/// Ends this process when stdin is closed. The process that started this one holds the other end.
#[expect(clippy::exit, reason = "there is nothing to drain")]
fn end_with_stdin() {
    let _ = io::stdin().read(&mut [0]);
    process::exit(0);
}

async fn run(role: Role) -> anyhow::Result<()> {
    match role {
        Role::Gateway { internal, function } => {
            let (public, internal) = (free_port().await?, TcpListener::bind(internal).await?);
            announce(&public)?;
            gateway::run(public, internal, function).await
        }
        Role::Function { listen, gateway } => {
            let listener = TcpListener::bind(listen).await?;
            announce(&listener)?;
            function::run(listener, gateway).await
        }
        Role::Bare => {
            let listener = free_port().await?;
            announce(&listener)?;
            bare::run(listener).await
        }
        Role::Nchan { listen, publish } => {
            let listener = TcpListener::bind(listen).await?;
            announce(&listener)?;
            nchan::run(listener, publish).await
        }
        Role::Pushpin { listen, publish } => {
            let listener = TcpListener::bind(listen).await?;
            announce(&listener)?;
            pushpin::run(listener, publish).await
        }
    }
}

async fn free_port() -> anyhow::Result<TcpListener> {
    Ok(TcpListener::bind("127.0.0.1:0").await?)
}

#[expect(clippy::print_stdout, reason = "the ready line")]
fn announce(listener: &TcpListener) -> anyhow::Result<()> {
    println!("{}", json!({ "ready": true, "public": listener.local_addr()? }));
    Ok(())
}
