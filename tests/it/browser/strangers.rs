//! A page of another site cannot use the internal listeners through the browser of its reader.

use std::fs;

use serde_json::json;

use super::Room;
use crate::support::{browser::Tab, soon, stack::Stack, world::data_send};

/// Sends `body` to `url` in every way that a page has without permission of the server. Ends when
/// the server has answered all of them.
const ATTACK: &str = r#"
    const [url, body, done] = arguments;
    const finished = entry => performance.getEntriesByName(entry).length > 0;
    const until = async check => { while (!check()) await new Promise(go => setTimeout(go, 10)); };
    const attack = async () => {
        const tried = [];
        for (const mode of ["no-cors", "cors"]) {
            for (const type of ["text/plain", "application/json", "application/x-www-form-urlencoded"]) {
                const options = { method: "POST", mode, body, headers: { "content-type": type } };
                tried.push(await fetch(`${url}?${mode}`, options).then(it => it.type, () => "failed"));
            }
        }
        navigator.sendBeacon(`${url}?beacon`, body);
        await until(() => finished(`${url}?beacon`));
        const frame = Object.assign(document.createElement("iframe"), { name: "form" });
        document.body.appendChild(frame);
        const form = document.body.appendChild(document.createElement("form"));
        Object.assign(form, { action: `${url}?form`, method: "POST", enctype: "text/plain", target: "form" });
        const [name, value] = [body.slice(0, -1), body.slice(-1)];
        form.appendChild(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
        const loaded = new Promise(go => frame.addEventListener("load", go));
        form.submit();
        await loaded;
        const socket = new WebSocket(url.replace("http", "ws"));
        await new Promise(go => socket.addEventListener("error", go));
        return tried;
    };
    attack().then(done, error => done(String(error)));
"#;

/// Opens a page, and has it attack. It learns nothing of its `fetch` calls, but the browser sends
/// those that need no permission.
async fn attack(room: &Room, tab: &Tab, url: &str, body: &str) {
    // Another site for the browser: the internal listeners are asked by their IP address.
    let port = room.stack.listeners.public.port();
    tab.open(&format!("http://localhost:{port}/~/healthz")).await;
    let learned = tab.run(ATTACK, vec![json!(url), json!(body)]).await;
    let no_cors = ["opaque"; 3].into_iter();
    assert_eq!(learned, json!(no_cors.chain(["failed"; 3]).collect::<Vec<_>>()), "{url}");
}

#[tokio::test]
async fn a_page_of_another_site_can_neither_push_nor_invoke() {
    // Nothing but what the browser says of the page tells it from a program.
    let room = Room::with(async |roster| Stack::open_to_this_machine(roster).await).await;
    let Some(room) = room else { return };
    let mut guest = room.guest().await;
    let entry = fs::read_dir(room.roster.path()).unwrap().next().unwrap().unwrap();
    let id = entry.file_name().into_string().unwrap();
    let tab = room.browser.tab().await;
    let push = format!("http://{}/api-chat", room.stack.listeners.internal);
    attack(&room, &tab, &push, &data_send(&id, "from a strange page").to_string()).await;
    let event = json!({ "websocket": {
        "action": "data send", "secConnectionID": "nobody", "dataType": "text",
        "data": "Eve: from a strange page",
    } });
    let invoke = format!("{}/functions/chat-transmit/invocations", room.stack.runner_url);
    attack(&room, &tab, &invoke, &event.to_string()).await;
    // Whatever had an effect would come before this.
    let sent =
        reqwest::Client::new().post(&push).body(data_send(&id, "from a program").to_string());
    let answer = soon("an answer", sent.send()).await.unwrap();
    assert!(answer.status().is_success());
    assert_eq!(guest.receive_text().await, "from a program");
    room.finish().await;
}
