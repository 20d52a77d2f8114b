//! Programs that are not ours: proxies, and an authority.

use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Stdio,
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::sleep,
};

use super::soon;

/// How often it is tried whether a program listens yet.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// Whether a program is there. In CI it has to be; elsewhere its tests are skipped, and say so.
pub(crate) fn has(program: &str, package: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there = env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/bin", "/bin"].map(Into::into))
        .any(|folder| Path::new(&folder).join(program).exists());
    if !is_there {
        skipped::without(format!("{program} is missing (apt-get install {package})"));
    }
    is_there
}

/// An address that no other test has: all of 127.0.0.0/8 is this machine.
pub(crate) fn own_address() -> SocketAddr {
    let ip = 0x7f00_0000 | fastrand::u32(0x0001_0000..0x00ff_ffff);
    (Ipv4Addr::from(ip), 8443).into()
}

/// Starts a program, and waits until it listens at `address`. Its log is `log` in its folder.
pub(crate) async fn start(
    folder: &TempDir,
    address: SocketAddr,
    program: &str,
    arguments: &[&str],
) -> Child {
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder.path())
        .env("PATH", "/usr/local/bin:/usr/bin:/usr/sbin")
        .env("HOME", folder.path())
        .env("XDG_CONFIG_HOME", folder.path())
        .env("XDG_DATA_HOME", folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.path().join("log")).unwrap())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let listens = async {
        while TcpStream::connect(address).await.is_err() {
            let ended = child.try_wait().unwrap();
            let log = fs::read_to_string(folder.path().join("log")).unwrap();
            assert!(ended.is_none(), "{program} ended: {log}");
            sleep(ASK_EVERY).await;
        }
    };
    soon("a program that listens", listens).await;
    child
}
