//! Certificates and keys that the user of the gateway may not read.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

use nix::unistd::User;

use crate::support::{
    machine::is_root,
    process::{binary, run_shell},
    tls::Authority,
};

#[tokio::test]
async fn a_certificate_that_may_not_be_read_is_named_at_the_start() {
    if !is_root() {
        return;
    }
    let user = User::from_name("nobody").unwrap().unwrap().uid.as_raw();
    let authority = Authority::new();
    authority.issue("a", &["localhost"]);
    let api = "[[api]]\nid = \"x\"\npath = \"/x\"\ntransmit = \"http://127.0.0.1:1/\"\n";
    authority.write("gateway.toml", &format!("{api}{}", authority.table(&["a"])));
    let (folder, program) = (authority.path(""), authority.path("gateway"));
    fs::hard_link(binary("gateway"), &program)
        .or_else(|_| fs::copy(binary("gateway"), &program).map(drop))
        .unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(authority.path("gateway.toml"), Permissions::from_mode(0o644)).unwrap();
    for file in ["a.pem", "a.key"] {
        fs::set_permissions(authority.path(file), Permissions::from_mode(0o600)).unwrap();
    }
    let shell = format!("exec setpriv --reuid {user} --clear-groups {}", program.display());
    let exit = run_shell(&shell, &folder).await;
    assert_eq!(exit.status.code(), Some(2), "{}", exit.stderr);
    for key in ["tls.cert", "tls.key"] {
        let line = exit.stderr.lines().find(|line| line.contains(key)).unwrap();
        assert!(line.contains("cannot be read: Permission denied"), "{line}");
        assert!(line.ends_with("let the user of this process read it"), "{line}");
    }
}
