//! Settings that change while a client waits for keys.

use std::{
    net::Ipv4Addr,
    path::Path,
    pin::pin,
    task::{Context, Waker},
};

use http::header;
use tokio::net::TcpListener;

use super::*;
use crate::{api::Apis, settings::Settings};

/// An unsigned token, whose header is read before any key is needed.
const TOKEN: &str = "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6Im9uZSJ9.e30.AAAA";

fn settings(auth: &str) -> Settings {
    let api = "[[api]]\nid = \"a\"\npath = \"/a\"\ntransmit = \"t\"\nauth = ";
    Settings::parse(Path::new("gateway.toml"), &format!("{api}{auth}"), &Default::default())
        .unwrap()
}

/// The client has waited with the settings of before, which let in the bearer of a token.
#[tokio::test]
async fn settings_that_have_changed_while_a_client_waits_count() {
    let issuer = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", issuer.local_addr().unwrap());
    let old = settings(&format!("\"jwt\"\n[api.jwt]\naudience = [\"a\"]\njwks_url = \"{url}\""));
    let identification = Identification::default();
    identification.key_sets.follow(&old.apis).unwrap();
    let apis = Apis::new(old.apis, old.runner);
    let (api, _) = apis.by_path("/a").unwrap();
    let (config, mut uri) = (api.config(), Uri::from_static("/a"));
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, TOKEN.parse().unwrap());
    let client = Ipv4Addr::LOCALHOST.into();
    let mut waiting = pin!(identification.identify(&api, &config, client, &mut uri, &mut headers));
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    let pair = "\"hmac\"\nkey_pairs = [{ id = \"a\", secret = \"a-secret-of-16-bytes\" }]";
    apis.replace(settings(pair).apis);
    // The fetch fails.
    drop(issuer);
    let refused = waiting.await.unwrap_err();
    assert_eq!((refused.reason, refused.status().as_u16()), (Reason::Changed, 503));
    identification.key_sets.stop().await;
}
