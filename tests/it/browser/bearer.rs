//! A page sends its token in the only place that a browser leaves it: an offered subprotocol.

use serde_json::json;

use crate::support::{
    browser::Browser,
    world::{PATH, World},
};

const SECRET: &str = "a secret of thirty-two bytes, or more";

/// Connects with a token, then with a forged one, and tells which subprotocols were chosen.
const CONNECT: &str = r#"
    const [url, secret, done] = arguments;
    const bytes = text => new TextEncoder().encode(text);
    const base64 = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes)))
        .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const sign = async claims => {
        const text = `${base64(bytes('{"alg":"HS256"}'))}.${base64(bytes(JSON.stringify(claims)))}`;
        const hmac = { name: "HMAC", hash: "SHA-256" };
        const key = await crypto.subtle.importKey("raw", bytes(secret), hmac, false, ["sign"]);
        return `${text}.${base64(await crypto.subtle.sign("HMAC", key, bytes(text)))}`;
    };
    const connect = token => new Promise(go => {
        const socket = new WebSocket(url, ["chat", `bearer.${token}`]);
        socket.addEventListener("open", () => go(socket.protocol));
        socket.addEventListener("error", () => go("refused"));
    });
    const both = async () => {
        const exp = Math.floor(Date.now() / 1000) + 600;
        const [header, claims, signature] = (await sign({ sub: "anna", exp })).split(".");
        const forged = base64(bytes(JSON.stringify({ sub: "eve", exp })));
        return [
            await connect(`${header}.${claims}.${signature}`),
            await connect(`${header}.${forged}.${signature}`),
        ];
    };
    both().then(done, error => done(String(error)));
"#;

#[tokio::test]
async fn a_page_with_a_token_in_a_subprotocol_is_let_in() {
    let Some(browser) = Browser::start().await else { return };
    let api =
        format!("subprotocols = [\"chat\"]\nauth = \"jwt\"\n[api.jwt]\nsecret = \"{SECRET}\"");
    let world = World::with(&api, "").await;
    let tab = browser.tab().await;
    tab.open(&format!("http://{}/~/healthz", world.listeners.public)).await;
    let url = format!("ws://{}{PATH}", world.listeners.public);
    let chosen = tab.run(CONNECT, vec![json!(url), json!(SECRET)]).await;
    assert_eq!(chosen, json!(["chat", "refused"]));
    let register = world.backend.next("register").await.event;
    assert_eq!(register["requestContext"]["identity"]["claims"]["sub"], "anna");
    assert_eq!(register["websocket"]["secWebSocketProtocol"], "chat");
    browser.finish().await;
    world.finish().await;
}
