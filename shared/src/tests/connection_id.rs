//! Connection ids: safe characters, and exactly one text form for each id.

use proptest::prelude::*;

use super::ID;
use crate::connection_id::{ConnectionId, NODE_BYTES, NotAConnectionId, RANDOM_BYTES};

proptest! {
    #[test]
    fn an_id_is_28_safe_characters_and_reads_back(
        random: [u8; RANDOM_BYTES],
        node: [u8; NODE_BYTES],
    ) {
        let id = ConnectionId::new(random, node);
        let text = id.to_string();
        prop_assert_eq!(text.len(), 28);
        let (start, padding) = text.split_at(26);
        prop_assert_eq!(padding, "==");
        prop_assert!(start.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        prop_assert_eq!(text.parse(), Ok(id));
        prop_assert_eq!(id.node(), node);
    }

    #[test]
    fn a_text_that_parses_is_the_text_form_of_its_id(text in "[A-Za-z0-9_=-]{25,26}==|.*") {
        if let Ok(id) = text.parse::<ConnectionId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }
}

#[test]
fn an_id_has_the_expected_text_form() {
    let id = ConnectionId::new([0xff; RANDOM_BYTES], [0, 0, 1]);
    assert_eq!(id.to_string(), "_____________________wAAAQ==");
    assert_eq!(format!("{id:?}"), "ConnectionId(_____________________wAAAQ==)");
}

#[test]
fn a_text_that_no_gateway_could_have_made_is_not_an_id() {
    let others = [
        ("", "empty"),
        (ID, "the documented example: its last character has bits that must be zero"),
        ("_____________________wAAAR==", "another encoding of the same bytes"),
        ("_____________________wAAAQ=", "too short"),
        ("_____________________wAAAQ", "not padded"),
        ("_____________________wAAAQ===", "too long"),
        ("_____________________wAAAQ= ", "a space"),
        ("/////////////////////wAAAQ==", "the standard alphabet"),
        ("____________________________", "21 bytes"),
        ("___________________________=", "20 bytes"),
        ("________________________====", "18 bytes and too much padding"),
        ("好好好好好好好好好A", "28 bytes, but not of base64"),
    ];
    for (text, why) in others {
        assert_eq!(text.parse::<ConnectionId>(), Err(NotAConnectionId), "{text:?}: {why}");
    }
}
