//! Pebble: the ACME server of Let's Encrypt for tests, with a DNS of its own.
//!
//! It has an address of 127.0.0.0/8 for itself and for the gateway, and forgets everything when it
//! ends.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Command,
};

use serde_json::json;
use tempfile::TempDir;
use tokio::process::Child;
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};

use crate::support::{
    program::{has, own_address, start},
    soon,
    tls::Authority,
};

/// The name of the gateway in the DNS of Pebble.
pub(super) const NAME: &str = "chat.example.com";

const DIRECTORY: u16 = 14000;
const MANAGEMENT: u16 = 15000;
const DNS: u16 = 8053;
const DNS_MANAGEMENT: u16 = 8055;

/// An ACME server that may run.
pub(super) struct Pebble {
    ip: Ipv4Addr,
    /// Signs the certificate with which Pebble itself is asked.
    authority: Authority,
    folders: [TempDir; 2],
    children: Vec<Child>,
}

impl Pebble {
    /// None if this machine has no Pebble.
    pub(super) fn new() -> Option<Self> {
        if !has("pebble", "pebble") || !has("pebble-challtestsrv", "pebble") {
            return None;
        }
        let SocketAddr::V4(own) = own_address() else { panic!("an address of 127.0.0.0/8") };
        let authority = Authority::new();
        authority.issue("pebble", &[&own.ip().to_string()]);
        authority.write("ca.pem", &authority.pem());
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        Some(Self { ip: *own.ip(), authority, folders, children: Vec::new() })
    }

    /// The address of the public listener. Pebble connects to it.
    pub(super) fn public(&self) -> SocketAddr {
        (self.ip, 8443).into()
    }

    pub(super) fn internal(&self) -> SocketAddr {
        (self.ip, 9001).into()
    }

    /// The settings of a gateway that orders its certificate here.
    pub(super) fn settings(&self) -> String {
        let dir = self.folders[0].path().join("data/acme");
        format!(
            "[listen]\npublic = \"{}\"\ninternal = \"{}\"\n\
             [tls.acme]\ndomains = [\"{NAME}\"]\ncontact = \"mailto:ops@example.com\"\n\
             directory = \"https://{}:{DIRECTORY}/dir\"\ndir = {dir:?}\n\
             [outbound_tls]\nca = {:?}\n",
            self.public(),
            self.internal(),
            self.ip,
            self.authority.path("ca.pem"),
        )
    }

    /// The folder in which a gateway with these settings keeps what was issued.
    pub(super) fn kept(&self) -> PathBuf {
        let name = format!("{}%3A{DIRECTORY}%2Fdir", self.ip);
        self.folders[0].path().join("data/acme").join(name)
    }

    /// Starts Pebble, which finds the gateway at its address.
    pub(super) async fn start(&mut self) {
        self.start_with_dns(self.ip).await;
    }

    /// Starts Pebble, for which every name has this address.
    pub(super) async fn start_with_dns(&mut self, address: Ipv4Addr) {
        let [own, dns] = &self.folders;
        let at = |port| format!("{}:{port}", self.ip);
        let (address, dns_at, management) = (address.to_string(), at(DNS), at(DNS_MANAGEMENT));
        let mut arguments = vec!["-dns01", &dns_at, "-management", &management];
        arguments.extend(["-defaultIPv4", &address, "-defaultIPv6", ""]);
        for other in ["-http01", "-https01", "-tlsalpn01", "-doh"] {
            if dns_knows(other) {
                arguments.extend([other, ""]);
            }
        }
        let asked = (self.ip, DNS_MANAGEMENT).into();
        let dns = start(dns, asked, "pebble-challtestsrv", &arguments).await;
        let settings = json!({ "pebble": {
            "listenAddress": at(DIRECTORY),
            "managementListenAddress": at(MANAGEMENT),
            "certificate": self.authority.path("pebble.pem"),
            "privateKey": self.authority.path("pebble.key"),
            "httpPort": 80,
            "tlsPort": self.public().port(),
        } });
        fs::write(own.path().join("pebble.json"), settings.to_string()).unwrap();
        // At once, and without refusing requests at random.
        let arguments = [
            "PEBBLE_VA_NOSLEEP=1",
            "PEBBLE_WFE_NONCEREJECT=0",
            "pebble",
            "-config",
            "pebble.json",
            "-dnsserver",
            &*dns_at,
        ];
        let pebble = start(own, (self.ip, DIRECTORY).into(), "env", &arguments).await;
        self.children = vec![dns, pebble];
    }

    /// Ends Pebble.
    pub(super) async fn stop(&mut self) {
        for mut child in self.children.drain(..) {
            soon("the end of Pebble", child.kill()).await.unwrap();
        }
    }

    /// The authority that the certificates of this start are from.
    pub(super) async fn root(&self) -> CertificateDer<'static> {
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([self.authority.root()]);
        let url = format!("https://{}:{MANAGEMENT}/roots/0", self.ip);
        let answer = soon("the root", http.build().unwrap().get(url).send()).await.unwrap();
        CertificateDer::from_pem_slice(&answer.bytes().await.unwrap()).unwrap()
    }
}

/// Whether the DNS of Pebble has this option. Newer ones listen for more than older ones.
fn dns_knows(option: &str) -> bool {
    let help = Command::new("pebble-challtestsrv").arg("-h").output().unwrap();
    String::from_utf8_lossy(&help.stderr).contains(option)
}
