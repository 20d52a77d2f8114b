//! `dataType` and `data`.

use std::borrow::Cow;

use proptest::{collection::vec, prelude::*};

use crate::data::{DataType, Payload, encode_binary};

pub(super) fn payloads() -> impl Strategy<Value = Payload> {
    prop_oneof![
        any::<String>().prop_map(Payload::Text),
        vec(any::<u8>(), 0..100).prop_map(Payload::Binary),
    ]
}

proptest! {
    #[test]
    fn a_payload_reads_back(payload in payloads()) {
        let decoded = Payload::decode(payload.data_type(), payload.to_data());
        prop_assert_eq!(decoded, Ok(payload));
    }

    #[test]
    fn accepted_base64_is_canonical_except_for_its_padding(data in "[A-Za-z0-9+/]*={0,2}") {
        if let Ok(payload) = Payload::decode(DataType::Binary, Cow::Borrowed(&data)) {
            let again = payload.to_data();
            prop_assert_eq!(again.trim_end_matches('='), data.trim_end_matches('='));
        }
    }
}

#[test]
fn binary_is_standard_base64() {
    let check = |data: &'static str, expected: Option<&[u8]>| {
        let decoded = Payload::decode(DataType::Binary, data.into()).ok();
        assert_eq!(decoded, expected.map(|bytes| Payload::Binary(bytes.to_vec())), "{data:?}");
    };
    check("", Some(b""));
    check("+/8=", Some(&[0xfb, 0xff]));
    check("+/8", Some(&[0xfb, 0xff])); // some encoders leave the padding out
    check("-_8=", None); // URL-safe
    check("+/9=", None); // another encoding of the same bytes
    check("+/8=\n", None);
    check("+", None);
    check("你好", None);
    assert_eq!(encode_binary(&[0xfb, 0xff]), "+/8=");
}
