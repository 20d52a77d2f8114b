//! Tables of requests: what they ask for, and whether they are signed. The signatures are those of
//! the cloud's client libraries for Python and Node.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::*;
use crate::refusal::{Code, Refusal};

const HOST: &str = "chat-125.cos.ap-guangzhou.myqcloud.com";
const SECRET: &str = "secret-key-of-the-tests";
const NOW: u64 = 1_700_000_000;

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    pairs.iter().map(pair).collect()
}

fn parsed(method: &str, target: &str, pairs: &[(&str, &str)]) -> Result<Operation, Refusal> {
    let (path, query) = target.split_once('?').map_or((target, None), |(p, q)| (p, Some(q)));
    let endpoint = Endpoint::parse(HOST, path)?;
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    // Which hosts are the store's is decided elsewhere.
    let is_own = |host: &str| !host.contains("evil");
    Operation::parse(&method, &endpoint, &Query::parse(query)?, &headers(pairs), &is_own)
}

#[test]
fn method_and_query_say_what_is_asked_for() {
    for (method, target, name) in [
        ("GET", "/", "list of objects"),
        ("GET", "/?uploads", "list of uploads"),
        ("GET", "/?uploads=&prefix=a", "list of uploads"),
        ("PUT", "/", "put of a bucket"),
        ("HEAD", "/", "head of a bucket"),
        ("DELETE", "/", "delete of a bucket"),
        ("POST", "/?delete", "delete of several objects"),
        ("GET", "/a", "get of an object"),
        ("GET", "/a?response-content-type=text/plain", "get of an object"),
        ("GET", "/a?versionId=null", "get of an object"),
        ("HEAD", "/a", "head of an object"),
        ("PUT", "/a", "put of an object"),
        ("DELETE", "/a", "delete of an object"),
        ("POST", "/a?uploads", "begin of an upload"),
        ("PUT", "/a?partNumber=1&uploadId=u", "put of a part"),
        ("GET", "/a?uploadId=u", "list of parts"),
        ("POST", "/a?uploadId=u", "completion of an upload"),
        ("DELETE", "/a?uploadId=u", "abort of an upload"),
    ] {
        assert_eq!(parsed(method, target, &[]).unwrap().name(), name, "{method} {target}");
    }
    let source = [("x-cos-copy-source", "chat-125.cos.ap-guangzhou.myqcloud.com/a%20b//c")];
    let source_read = CopySource { bucket: "chat-125".to_owned(), key: "a b//c".to_owned() };
    let copy = parsed("PUT", "/b", &source).unwrap();
    assert_eq!(copy, Operation::CopyObject(source_read.clone()));
    // As the URL of a request is read.
    for text in [
        "chat-125.cos.ap-guangzhou.myqcloud.com:9003/a%20b//c",
        "Chat-125.cos.ap-guangzhou.myqcloud.com./a%20b//c",
        "cos.ap-guangzhou.myqcloud.com/chat-125/a%20b//c",
        "127.0.0.1:9003/chat-125/a%20b//c",
        "[::1]:9003/chat-125/a%20b//c",
        "cos/chat-125/a%20b//c",
        "/chat-125/a%20b//c",
    ] {
        let copy = parsed("PUT", "/b", &[("x-cos-copy-source", text)]).unwrap();
        assert_eq!(copy, Operation::CopyObject(source_read.clone()), "{text}");
    }
    let part = parsed("PUT", "/b?uploadId=u&partNumber=7", &source).unwrap();
    let expected = Operation::CopyPart { upload: "u".to_owned(), number: 7, source: source_read };
    assert_eq!(part, expected);
}

#[test]
fn lists_have_their_parameters() {
    let list =
        parsed("GET", "/?prefix=a+b%2B&delimiter=/&marker=a&max-keys=5&encoding-type=url", &[]);
    let expected = ListQuery {
        prefix: "a b+".to_owned(),
        delimiter: "/".to_owned(),
        marker: "a".to_owned(),
        max: 5,
        is_encoded: true,
    };
    assert_eq!(list.unwrap(), Operation::ListObjects(expected));
    let list = parsed("GET", "/?prefix=&max-keys=5000&marker=", &[]);
    let expected = ListQuery { max: 1000, ..ListQuery::default() };
    assert_eq!(list.unwrap(), Operation::ListObjects(expected));
}

#[test]
fn what_is_not_served_is_refused_by_name() {
    for (method, target, pairs, code, words) in [
        ("GET", "/?acl", &[][..], Code::NotImplemented, "?acl "),
        ("PUT", "/?cors=", &[], Code::NotImplemented, "?cors "),
        ("GET", "/?versions", &[], Code::NotImplemented, "?versions "),
        ("GET", "/a?versionId=7", &[], Code::NotImplemented, "?versionId "),
        ("POST", "/a?append&position=0", &[], Code::NotImplemented, "?append "),
        ("GET", "/a?imageMogr2/thumbnail/10x", &[], Code::NotImplemented, "?imageMogr2 "),
        ("POST", "/", &[], Code::NotImplemented, "POST Object"),
        (
            "PUT",
            "/a",
            &[("x-cos-server-side-encryption", "AES256")],
            Code::NotImplemented,
            "x-cos-server-side-encryption ",
        ),
        ("PATCH", "/a", &[], Code::MethodNotAllowed, "PATCH "),
        ("POST", "/a", &[], Code::MethodNotAllowed, "POST "),
        ("OPTIONS", "/", &[], Code::MethodNotAllowed, "OPTIONS "),
        ("GET", "/?max-keys=x", &[], Code::InvalidArgument, "max-keys "),
        ("GET", "/?encoding-type=base64", &[], Code::InvalidArgument, "encoding-type "),
        ("PUT", "/a?uploadId=u", &[], Code::InvalidArgument, "partNumber "),
        ("PUT", "/a?uploadId=u&partNumber=10001", &[], Code::InvalidArgument, "partNumber "),
        ("PUT", "/a", &[("x-cos-copy-source", "nowhere")], Code::InvalidArgument, "<bucket>"),
        ("PUT", "/a", &[("x-cos-copy-source", "/chat-125/")], Code::InvalidArgument, "<bucket>"),
        (
            "PUT",
            "/a",
            &[("x-cos-copy-source", "evil.example/chat-125/a")],
            Code::InvalidArgument,
            "<bucket>",
        ),
        ("PUT", "/a", &[("if-none-match", "*")], Code::NotImplemented, "header if-none-match "),
        ("DELETE", "/a", &[("if-match", "\"e\"")], Code::NotImplemented, "header if-match "),
        ("PUT", "/a", &[("transfer-encoding", "gzip, chunked")], Code::NotImplemented, "chunked"),
        (
            "PUT",
            "/a",
            &[("x-cos-copy-source", "/chat-125/a?versionId=7")],
            Code::NotImplemented,
            "versionId",
        ),
    ] {
        let refusal = parsed(method, target, pairs).unwrap_err();
        assert_eq!(refusal.code, code, "{method} {target}");
        assert!(refusal.message.contains(words), "{method} {target}: {refusal}");
    }
}

/// Whether a request with this signature is signed with `secret`.
#[track_caller]
fn is_signed(
    (method, target, host): (&str, &str, &str),
    pairs: &[(&str, &str)],
    authorization: &str,
    secret: &str,
) -> bool {
    let uri: http::Uri = target.parse().unwrap();
    let query = Query::parse(uri.query()).unwrap();
    let mut headers = headers(pairs);
    headers.insert("authorization", authorization.parse().unwrap());
    let authorization = Authorization::of(&headers, &query).unwrap().unwrap();
    assert_eq!(authorization.secret_id, "AKIDexample");
    authorization.check_time(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)).unwrap();
    let method = &method.parse().unwrap();
    let path = percent_encoding::percent_decode_str(uri.path()).decode_utf8().unwrap();
    let request = SignedRequest { method, path: &path, query: &query, headers: &headers, host };
    request.is_signed(&authorization, secret)
}

const PYTHON_PUT: &str = "q-sign-algorithm=sha1&q-ak=AKIDexample&q-sign-time=1699999940;1700000100\
    &q-key-time=1699999940;1700000100&q-header-list=content-length;content-type;host;\
    x-cos-meta-name&q-url-param-list=&q-signature=6a5f21cdced92509a1960c6ca78f71f5c651882c";
const PYTHON_LIST: &str = "q-sign-algorithm=sha1&q-ak=AKIDexample&q-sign-time=1699999940;1700000100\
    &q-key-time=1699999940;1700000100&q-header-list=host&q-url-param-list=delimiter;max-keys;prefix\
    &q-signature=7114c7680baaf3d9bfb355e8b28cfe9267e54b8c";
const NODE_PART: &str = "q-sign-algorithm=sha1&q-ak=AKIDexample&q-sign-time=1699999999;1700000099\
    &q-key-time=1699999999;1700000099&q-header-list=host;x-cos-acl\
    &q-url-param-list=partnumber;uploadid&q-signature=d08e6c5a988787d150020b6d4be33c56ca6d9c83";

const META: [(&str, &str); 4] = [
    ("content-type", "text/plain; charset=utf-8"),
    ("x-cos-meta-name", "a b"),
    ("content-length", "3"),
    ("accept", "y"),
];

#[test]
fn signatures_of_the_client_libraries_are_right() {
    let put = ("PUT", "/a/b%20%C3%BC%3D%3D", HOST);
    assert!(is_signed(put, &META, PYTHON_PUT, SECRET));
    // The library signs the host without the port that it connects to.
    let with_port = format!("{HOST}:9003");
    assert!(is_signed((put.0, put.1, &with_port), &META, PYTHON_PUT, SECRET));
    let list = ("GET", "/?prefix=a+b%2F%2B&max-keys=1&Delimiter=%2F", HOST);
    assert!(is_signed(list, &[], PYTHON_LIST, SECRET));
    let part = ("POST", "/a(b)*!'?uploadId=x%20y&partNumber=1", &*with_port);
    assert!(is_signed(part, &[("x-cos-acl", "private")], NODE_PART, SECRET));
}

#[test]
fn any_other_request_is_not_signed() {
    let put = ("PUT", "/a/b%20%C3%BC%3D%3D", HOST);
    assert!(!is_signed(put, &META, PYTHON_PUT, "another-key"));
    assert!(!is_signed(("GET", put.1, HOST), &META, PYTHON_PUT, SECRET));
    assert!(!is_signed(("PUT", "/a/b", HOST), &META, PYTHON_PUT, SECRET));
    assert!(!is_signed(("PUT", put.1, "other-125.cos.a.myqcloud.com"), &META, PYTHON_PUT, SECRET));
    assert!(!is_signed(put, &META[1..], PYTHON_PUT, SECRET));
    let mut other = META;
    other[1].1 = "b";
    assert!(!is_signed(put, &other, PYTHON_PUT, SECRET));
    let other_parameter = ("GET", "/?prefix=other&max-keys=1&Delimiter=%2F", HOST);
    assert!(!is_signed(other_parameter, &[], PYTHON_LIST, SECRET));
    for (from, to) in [("6a5f21", "6a5f22"), ("6a5f21", ""), ("6a5f21", "zz"), ("9940;", "9941;")] {
        assert!(!is_signed(put, &META, &PYTHON_PUT.replace(from, to), SECRET), "{to}");
    }
}

#[test]
fn a_signature_stands_in_the_url_too() {
    let nothing = HeaderMap::new();
    let encoded = PYTHON_LIST.replace(';', "%3B");
    let of_header = headers(&[("authorization", PYTHON_LIST)]);
    let expected = Authorization::of(&of_header, &Query::default()).unwrap().unwrap();
    for query in [encoded, format!("sign={}", encode(PYTHON_LIST.as_bytes()))] {
        let query = Query::parse(Some(&query)).unwrap();
        assert_eq!(Authorization::of(&nothing, &query).unwrap().unwrap(), expected);
    }
    assert_eq!(Authorization::of(&nothing, &Query::default()).unwrap(), None);
    let empty = headers(&[("authorization", "")]);
    assert_eq!(Authorization::of(&empty, &Query::default()).unwrap(), None);
}

#[test]
fn a_signature_counts_for_a_time() {
    let of_header = headers(&[("authorization", PYTHON_PUT)]);
    let authorization = Authorization::of(&of_header, &Query::default()).unwrap().unwrap();
    let at =
        |seconds| authorization.check_time(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    at(NOW + 99).unwrap();
    at(NOW - 60 - 300).unwrap();
    assert_eq!(at(NOW + 100).unwrap_err().to_string(), "AccessDenied: Request has expired");
    assert_eq!(at(NOW - 60 - 301).unwrap_err().code, Code::RequestTimeTooSkewed);
}

#[test]
fn another_authorization_is_refused_and_not_shown() {
    for text in [
        "Bearer hunter2".to_owned(),
        PYTHON_PUT.replace("sha1&", "md5&"),
        PYTHON_PUT.replace("q-ak=AKIDexample&", ""),
        PYTHON_PUT.replace("q-key-time=1699999940;1700000100", "q-key-time=hunter2"),
        PYTHON_PUT.replace("&q-signature=", "&signature="),
    ] {
        let refusal = Authorization::of(&headers(&[("authorization", &text)]), &Query::default())
            .unwrap_err();
        assert_eq!(refusal.code, Code::AccessDenied, "{text}");
        assert!(!refusal.to_string().contains("hunter2"), "{refusal}");
    }
}

/// A signature has the names of parameters in lower case.
#[test]
fn no_other_spelling_of_a_parameter_stands_beside_or_in_place_of_the_signed_one() {
    for target in ["/?prefix=a&PREFIX=b", "/a?uploadId=U&partNumber=1&PARTNUMBER=7", "/a?x&x"] {
        let refusal = parsed("GET", target, &[]).unwrap_err();
        assert_eq!(refusal.code, Code::InvalidArgument, "{target}");
    }
    for (method, target, name) in [
        ("DELETE", "/a?UPLOADID=U", "abort of an upload"),
        ("PUT", "/a?UPLOADID=U&PARTNUMBER=1", "put of a part"),
    ] {
        assert_eq!(parsed(method, target, &[]).unwrap().name(), name, "{target}");
    }
    assert_eq!(parsed("GET", "/a?ACL", &[]).unwrap_err().code, Code::NotImplemented);
    assert_eq!(parsed("PUT", "/a?partNumber=1", &[]).unwrap_err().code, Code::InvalidArgument);
}
