//! The floor: what a loop of three hops costs on the stack that Longhold is built of, when nothing
//! is checked, limited, logged or promised. Never to be deployed.
//!
//! Also the servers that the peers need behind them. Each role is a process; it says where it
//! listens in a ready line, as the real ones do, and ends when its stdin does.

mod bare;
mod caller;
mod function;
mod gateway;
mod http;
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

/// The processes that Longhold is measured beside.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Holds the WebSockets: each message goes to `function`, pushes come in at `internal`
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
    /// A WebSocket server that echoes by itself; below /all it sends to all
    Bare,
    /// Echoes behind nchan: each message is published to the channel that it came from
    Nchan {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        publish: SocketAddr,
    },
    /// Echoes behind Pushpin, which speaks WebSocket-over-HTTP
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

/// Whoever started this process holds the other end, and is gone when it closes.
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
