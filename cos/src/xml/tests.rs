use std::time::{Duration, SystemTime};

use super::*;
use crate::{
    refusal::Code,
    request::{ListQuery, ListUploads},
    store::{Listed, ListedUpload, Page},
};

const TIME: Duration = Duration::from_millis(1_700_000_000_789);

fn listed(key: &str) -> Listed {
    let modified_at = SystemTime::UNIX_EPOCH + TIME;
    Listed { key: key.to_owned(), size: 3, etag: "e".to_owned(), modified_at }
}

fn page(keys: &[&str], next: Option<&str>) -> Page<Listed> {
    let entries = keys.iter().map(|key| listed(key)).collect();
    Page { entries, prefixes: vec!["a b/".to_owned()], next: next.map(str::to_owned) }
}

#[test]
fn a_list_has_the_elements_of_the_cloud() {
    let query = ListQuery { prefix: "a".to_owned(), max: 5, ..ListQuery::default() };
    let xml = objects("chat-125", &query, &page(&["a<b"], Some("a<b")), "owner");
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult>\
        <Name>chat-125</Name><Prefix>a</Prefix><Marker></Marker><MaxKeys>5</MaxKeys>\
        <IsTruncated>true</IsTruncated><NextMarker>a&lt;b</NextMarker><Contents>\
        <Key>a&lt;b</Key><LastModified>2023-11-14T22:13:20.000Z</LastModified>\
        <ETag>&quot;e&quot;</ETag><Size>3</Size><Owner><ID>owner</ID>\
        <DisplayName>owner</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents>\
        <CommonPrefixes><Prefix>a b/</Prefix></CommonPrefixes></ListBucketResult>";
    assert_eq!(xml, expected);
}

#[test]
fn keys_are_encoded_only_if_asked() {
    for (is_encoded, key, shown) in [
        (false, "a/b c+ü", "<Key>a/b c+ü</Key>"),
        (true, "a/b c+ü", "<Key>a%2Fb%20c%2B%C3%BC</Key>"),
        (false, "a&b\"\r\n\t", "<Key>a&amp;b&quot;&#13;&#10;&#9;</Key>"),
        (false, "a\0\u{1}b\u{ffff}", "<Key>a\u{fffd}\u{fffd}b\u{fffd}</Key>"),
        (true, "a\0\u{1}b", "<Key>a%00%01b</Key>"),
    ] {
        let query = ListQuery { is_encoded, ..ListQuery::default() };
        let xml = objects("chat-125", &query, &page(&[key], None), "owner");
        assert!(xml.contains(shown), "{xml}");
        assert_eq!(xml.contains("<EncodingType>url</EncodingType>"), is_encoded);
    }
}

#[test]
fn a_page_of_uploads_goes_on_after_its_last_upload() {
    let begun_at = SystemTime::UNIX_EPOCH + TIME;
    let upload = ListedUpload { key: "k".to_owned(), id: "7".to_owned(), begun_at };
    let mut page = Page { entries: vec![upload], prefixes: Vec::new(), next: Some("k".to_owned()) };
    let xml = uploads("chat-125", &ListUploads::default(), &page, "owner");
    let next = "<NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>7</NextUploadIdMarker>";
    assert!(xml.contains(next), "{xml}");
    page.next = Some("p/".to_owned());
    let xml = uploads("chat-125", &ListUploads::default(), &page, "owner");
    let next = "<NextKeyMarker>p/</NextKeyMarker><NextUploadIdMarker></NextUploadIdMarker>";
    assert!(xml.contains(next), "{xml}");
}

#[test]
fn bodies_of_the_client_libraries_are_read() {
    let body = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Delete><Quiet>true</Quiet>\
                <Object><Key>a&amp;b</Key></Object><Object><Key> c </Key></Object></Delete>";
    let deletion = Deletion::parse(body.as_bytes()).unwrap();
    let keys: Vec<_> = deletion.objects.iter().map(|object| &*object.key).collect();
    assert!(deletion.quiet);
    assert_eq!(keys, ["a&b", " c "]);
    let body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"a\"</ETag></Part>\
                <Part><ETag>b</ETag><PartNumber>3</PartNumber></Part></CompleteMultipartUpload>";
    let parts = Completion::parse(body.as_bytes()).unwrap().parts;
    let parts: Vec<_> = parts.iter().map(|part| (part.number, part.etag())).collect();
    assert_eq!(parts, [(1, "a"), (3, "b")]);
}

#[test]
fn other_bodies_are_refused() {
    let part =
        |number: &str| format!("<Part><PartNumber>{number}</PartNumber><ETag>a</ETag></Part>");
    let complete =
        |parts: String| format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    for (body, code) in [
        (String::new(), Code::MalformedXml),
        ("hunter2".to_owned(), Code::MalformedXml),
        ("<CompleteMultipartUpload>".to_owned(), Code::MalformedXml),
        (complete(String::new()), Code::MalformedXml),
        (format!("<Other>{}</Other>", part("1")), Code::MalformedXml),
        (complete(part("x")), Code::MalformedXml),
        (complete(part("2") + &part("1")), Code::InvalidPartOrder),
        (complete(part("1") + &part("1")), Code::InvalidPartOrder),
    ] {
        let refusal = Completion::parse(body.as_bytes()).unwrap_err();
        assert_eq!(refusal.code, code, "{body}");
        assert!(!refusal.message.contains("hunter2"), "{refusal}");
    }
    let object = "<Object><Key>a</Key></Object>";
    for (body, code) in [
        ("<Delete></Delete>".to_owned(), Code::MalformedXml),
        (format!("<Completion>{object}</Completion>"), Code::MalformedXml),
        (format!("<Delete>{}</Delete>", object.repeat(1001)), Code::MalformedXml),
        (
            "<Delete><Object><Key>a</Key><VersionId>7</VersionId></Object></Delete>".to_owned(),
            Code::NotImplemented,
        ),
    ] {
        assert_eq!(Deletion::parse(body.as_bytes()).unwrap_err().code, code);
    }
    assert_eq!(Deletion::parse(b"\xff").unwrap_err().code, Code::MalformedXml);
}
