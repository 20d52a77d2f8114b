//! Names of functions: those that are in one file and not in the other, and those that are no
//! names.

use nix::sys::signal::Signal;

use super::{change, folder, refused};
use crate::support::{client::Client, process::Process, soon};

#[tokio::test]
async fn a_function_that_functions_toml_lacks_is_refused_with_the_nearest_name() {
    let folder = folder();
    change(&folder, "gateway.toml", "\"chat-transmit\"", "\"chat-transmitt\"");
    let words = "gateway.toml: api[0].transmit: \"chat-transmitt\" is not a function of \
                 functions.toml; did you mean \"chat-transmit\"?";
    refused("longhold", &folder, &[], words).await;
    // All of them are named, and a variable with its own name.
    let variables = [("LONGHOLD_GATEWAY__API__1__TRANSMIT", "xyz")];
    let words = "LONGHOLD_GATEWAY__API__1__TRANSMIT: \"xyz\" is not a function of functions.toml; \
                 there are: chat-cleanup, chat-register, chat-transmit, echo-transmit";
    refused("longhold", &folder, &variables, words).await;
    // The journal of a gateway that does not start is not made.
    assert!(!folder.path().join("data").exists());
}

/// A service that is called by URL is nobody's business.
#[tokio::test]
async fn functions_that_are_given_by_url_are_left_alone() {
    let folder = folder();
    let variables = [("LONGHOLD_GATEWAY__API__0__CLEANUP", "http://127.0.0.1:1/cleanup")];
    let longhold = Process::start("longhold", &[], folder.path(), &variables).await;
    assert_eq!(longhold.stopped().await.code(), Some(0));
}

const NEW_API: &str =
    "[[api]]\nid = \"api-new\"\npath = \"/new\"\ntransmit = \"new-transmit\"\n\n[[api]]";
const NEW_FUNCTION: &str = "[functions.new-transmit]\nruntime = \"rust\"\nhandler = \"echo\"\n\
                            environment = { url = \"${push}/api-new\" }\n\n[functions.echo-transmit]";

/// Waits until clients are accepted at `/new`, or refused with 404.
async fn until_open(longhold: &Process, is_open: bool) {
    let expected = if is_open { None } else { Some(404) };
    let status = async || {
        let refused = Client::connect(longhold.address("public"), "/new").await.err();
        refused.map(|answer| answer.status().as_u16())
    };
    soon("the change of the API", async { while status().await != expected {} }).await;
}

#[tokio::test]
async fn a_changed_file_with_a_name_that_the_other_lacks_changes_nothing() {
    let folder = folder();
    let longhold = Process::start("longhold", &[], folder.path(), &[]).await;
    // An API before its function: refused, and taken up when the function is there.
    change(
        &folder,
        "gateway.toml",
        "[[api]]\nid = \"api-echo\"",
        &format!("{NEW_API}\nid = \"api-echo\""),
    );
    longhold.logged("api[1].transmit: \"new-transmit\" is not a function of functions.toml").await;
    until_open(&longhold, false).await;
    change(&folder, "functions.toml", "[functions.echo-transmit]", NEW_FUNCTION);
    until_open(&longhold, true).await;
    longhold.logged("functions.toml has changed, its new settings are used").await;

    // A function before its API is removed: refused, and still there.
    change(&folder, "functions.toml", NEW_FUNCTION, "[functions.echo-transmit]");
    longhold
        .logged(
            "functions.new-transmit: is missing, and api[1].transmit of gateway.toml still names it",
        )
        .await;
    let mut client = Client::connect(longhold.address("public"), "/new").await.unwrap();
    client.send("hello").await;
    assert_eq!(client.receive_text().await, "hello");
    change(&folder, "gateway.toml", NEW_API, "[[api]]");
    until_open(&longhold, false).await;
    longhold.signal(Signal::SIGTERM);
    assert_eq!(client.closed().await, 1001);
    assert_eq!(longhold.ended().await.code(), Some(0));
}

/// Both files of a new version, written one after the other.
#[tokio::test]
async fn an_api_and_its_function_can_be_added_at_once() {
    let folder = folder();
    let longhold = Process::start("longhold", &[], folder.path(), &[]).await;
    change(&folder, "functions.toml", "[functions.echo-transmit]", NEW_FUNCTION);
    change(
        &folder,
        "gateway.toml",
        "[[api]]\nid = \"api-echo\"",
        &format!("{NEW_API}\nid = \"api-echo\""),
    );
    longhold.signal(Signal::SIGHUP);
    until_open(&longhold, true).await;
    assert!(!longhold.log().contains("stay as they are"), "{}", longhold.log());
    assert_eq!(longhold.stopped().await.code(), Some(0));
}

#[tokio::test]
async fn what_is_no_name_is_refused_as_such() {
    let long = "x".repeat(61);
    let rule = "use letters, digits, - and _, at most 60";
    for (name, problem) in [
        ("", "is empty"),
        ("chat.transmit", "has a dot in it"),
        ("chat/transmit", "has a slash in it"),
        ("chat transmit", "has a space in it"),
        ("聊天", "has '聊' in it"),
        (&long, "has 61 characters"),
    ] {
        let folder = folder();
        change(&folder, "gateway.toml", "\"echo-transmit\"", &format!("\"{name}\""));
        let words = format!(
            "api[1].transmit: {name:?} is not a function's name: it {problem}; {rule}, or an http://"
        );
        for program in ["gateway", "longhold"] {
            refused(program, &folder, &[], &words).await;
        }
        let section = format!("[functions.\"{name}\"]");
        change(&folder, "functions.toml", "[functions.echo-transmit]", &section);
        let words = format!("functions.{name}: is not a name for a function: it {problem}; {rule}");
        for program in ["function-runner", "longhold"] {
            refused(program, &folder, &[], &words).await;
        }
    }
    // As people write it first. TOML reads a table in a table.
    let folder = folder();
    change(&folder, "functions.toml", "[functions.echo-transmit]", "[functions.echo.transmit]");
    let words = format!(
        "functions.echo.transmit: is not a name for a function: it has a dot in it; {rule}"
    );
    refused("function-runner", &folder, &[], &words).await;
}

/// Such a text may hold a password.
#[tokio::test]
async fn a_url_that_is_wrong_is_not_shown() {
    let variables = [("LONGHOLD_GATEWAY__API__0__CLEANUP", "ftp://me:secret@127.0.0.1/")];
    let words = "the value is not valid; use a function's name, or an http:// or https:// URL";
    refused("gateway", &folder(), &variables, words).await;
}
