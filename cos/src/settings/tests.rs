use std::{collections::BTreeMap, path::Path};

use super::*;

fn parse(text: &str) -> Result<Settings, String> {
    let parsed = Settings::parse(Path::new("cos.toml"), text, &BTreeMap::new());
    parsed.map_err(|error| error.to_string())
}

#[test]
fn an_empty_file_is_a_store_for_this_machine() {
    let settings = parse("").unwrap();
    assert_eq!(settings.internal, "127.0.0.1:9003".parse().unwrap());
    assert_eq!(settings.store.dir, Path::new("data/cos"));
    assert_eq!(settings.store.sync, StoreSync::Process);
    assert!(settings.credentials.is_empty() && settings.store.buckets.is_empty());
}

#[test]
fn the_address_can_be_read_before_the_rest_is_right() {
    let read = |text| internal_listener(Path::new("cos.toml"), text, &BTreeMap::new()).unwrap();
    assert_eq!(read("").0.port(), 9003);
    let text = "listen.internal = \"127.0.0.1:7\"\nstor = 1\nstore.sync = 1\n[[credentials]]";
    assert_eq!(read(text), ("127.0.0.1:7".parse().unwrap(), Transport::Plain));
}

const PAIR: &str = "[[credentials]]\nsecret_id = \"AKIDone\"\nsecret_key = \"0123456789abcdef\"\n";

#[test]
fn other_machines_need_credentials_unless_the_file_says_otherwise() {
    let open = "listen.internal = \"0.0.0.0:9003\"\n";
    let problem = parse(open).unwrap_err();
    assert!(problem.contains("credentials: is missing, and listen.internal"), "{problem}");
    parse(&format!("{open}access.insecure = true")).unwrap();
    assert_eq!(parse(&format!("{open}{PAIR}")).unwrap().credentials.len(), 1);
}

#[test]
fn problems_name_the_key_and_show_no_secret() {
    for (text, words) in [
        ("store.buckets = [\"chat\"]", "store.buckets: [\"chat\"] is not valid; use a list"),
        ("store.sync = \"off\"", "store.sync: \"off\" is not valid"),
        (
            "[[credentials]]\nsecret_key = \"hunter2hunter2hunter2\"",
            "credentials[0].secret_id: is missing",
        ),
        ("[[credentials]]\nsecret_id = \"a\"", "credentials[0].secret_key: is missing"),
        (
            "[[credentials]]\nsecret_id = \"a\"\nsecret_key = \"hunter2\"",
            "credentials[0].secret_key: is not a secret key; use 16 to 256",
        ),
        (
            "[[credentials]]\nsecret_id = \"a&b\"\nsecret_key = \"hunter2hunter2hunter2\"",
            "credentials[0].secret_id: is not a secret id",
        ),
        (&PAIR.repeat(2), "credentials[1].secret_id: is that of another pair"),
        (
            "[store.contents]\nurl = \"s3://b\"\nsecret_access_key = \"hunter2\"",
            "store.contents.access_key_id: is missing",
        ),
        ("stor.dir = \"a\"", "did you mean \"store\""),
    ] {
        let problem = parse(text).unwrap_err();
        assert!(problem.contains(words), "{problem}");
        assert!(!problem.contains("hunter2"), "{problem}");
    }
    let contents = "[store.contents]\nurl = \"s3://b\"\naccess_key_id = \"a\"\n\
                    secret_access_key = \"hunter2\"";
    for text in [PAIR, contents] {
        let shown = format!("{:?}", parse(text).unwrap());
        assert!(!shown.contains("0123456789abcdef") && !shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn only_credentials_and_buckets_change_while_the_store_runs() {
    let before = parse("").unwrap();
    let other = parse(&format!("store.buckets = [\"a-1\"]\n{PAIR}")).unwrap();
    assert!(before.fixed_keys_that_differ(&other).is_empty());
    let other = parse("store.sync = \"power\"\nlisten.internal = \"127.0.0.1:1\"").unwrap();
    assert_eq!(before.fixed_keys_that_differ(&other), ["listen.internal", "[store]"]);
}
