//! Where a request goes: to the service, a bucket or an object. The host says it as in the cloud,
//! or else the path does.
//!
//! A key is the decoded path as it is: no segment and no slash of it means anything.

use super::percent::decode;
use crate::refusal::{Code, Refusal};

/// The domains of the cloud.
const DOMAINS: [&str; 2] = [".myqcloud.com", ".tencentcos.cn"];
/// A label of a domain name has no more bytes (RFC 1035), and a bucket is one.
const BUCKET_BYTES_MAX: usize = 63;
/// The longest key, as in the cloud.
const KEY_BYTES_MAX: usize = 850;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// The list of buckets.
    Service,
    Bucket(String),
    Object {
        bucket: String,
        key: String,
    },
}

/// What a name of the cloud stands for.
enum CloudName<'h> {
    Bucket(&'h str),
    /// The service of all buckets, or of those of a region.
    Service,
}

/// Whether `host`, in lower case and without a port, is a name of the cloud's object storage.
pub(crate) fn is_cloud_name(host: &str) -> bool {
    cloud_name(host).is_some()
}

fn cloud_name(host: &str) -> Option<CloudName<'_>> {
    let rest = DOMAINS.iter().find_map(|domain| host.strip_suffix(domain))?;
    let is_cos = |label: &str| matches!(label, "cos" | "cos-internal");
    let mut labels = rest.split('.');
    let labels = [labels.next(), labels.next(), labels.next(), labels.next()];
    match labels {
        [Some("service"), Some(cos), None, None] if is_cos(cos) => Some(CloudName::Service),
        [Some(cos), Some(region), None, None] if is_cos(cos) && !region.is_empty() => {
            Some(CloudName::Service)
        }
        [Some(bucket), Some(cos), Some(region), None] if is_cos(cos) && !region.is_empty() => {
            Some(CloudName::Bucket(bucket))
        }
        _ => None,
    }
}

/// Whether `name` is one that a bucket can have: letters in lower case, digits and hyphens, then a
/// hyphen and the number of an account, such as `chat-1250000000`.
pub(crate) fn is_bucket_name(name: &str) -> bool {
    let Some((given, account)) = name.rsplit_once('-') else { return false };
    let is_of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.len() <= BUCKET_BYTES_MAX
        && !given.is_empty()
        && !given.starts_with('-')
        && !given.ends_with('-')
        && given.bytes().all(is_of_name)
        && !account.is_empty()
        && account.bytes().all(|byte| byte.is_ascii_digit())
}

impl Endpoint {
    /// Where a request to `host`, which may have a port, goes with this path. The path is as the
    /// request has it.
    pub(crate) fn parse(host: &str, path: &str) -> Result<Self, Refusal> {
        let path = path.strip_prefix('/').ok_or_else(|| {
            Refusal::new(Code::InvalidUri, "The path of the URL does not begin with a slash.")
        })?;
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host).to_ascii_lowercase();
        let host = host.strip_suffix('.').unwrap_or(&host);
        let (bucket, key) = match cloud_name(host) {
            Some(CloudName::Bucket(bucket)) => (bucket.to_owned(), path),
            Some(CloudName::Service) | None => {
                let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
                (decode(bucket)?, key)
            }
        };
        let key = decode(key)?;
        if bucket.is_empty() && key.is_empty() {
            return Ok(Self::Service);
        }
        if !is_bucket_name(&bucket) {
            let message = "The bucket is not <name>-<appid>, such as chat-1250000000.";
            return Err(Refusal::new(Code::InvalidBucketName, message));
        }
        if key.is_empty() {
            return Ok(Self::Bucket(bucket));
        }
        check_key(&key)?;
        Ok(Self::Object { bucket, key })
    }

    /// The bucket, if the request has one.
    pub(crate) fn bucket(&self) -> Option<&str> {
        match self {
            Self::Service => None,
            Self::Bucket(bucket) | Self::Object { bucket, .. } => Some(bucket),
        }
    }
}

/// Refuses a key that is longer than the cloud's.
pub(crate) fn check_key(key: &str) -> Result<(), Refusal> {
    if key.len() > KEY_BYTES_MAX {
        let message = format!("The key has {} bytes, and may have {KEY_BYTES_MAX}.", key.len());
        return Err(Refusal::new(Code::KeyTooLong, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(host: &str, path: &str, expected: &str) {
        let found = match Endpoint::parse(host, path) {
            Ok(Endpoint::Service) => "service".to_owned(),
            Ok(Endpoint::Bucket(bucket)) => bucket,
            Ok(Endpoint::Object { bucket, key }) => format!("{bucket} {key}"),
            Err(refusal) => refusal.code.as_str().to_owned(),
        };
        assert_eq!(found, expected, "{host} {path}");
    }

    const HOST: &str = "chat-125.cos.ap-guangzhou.myqcloud.com";

    #[test]
    fn a_name_of_the_cloud_names_the_bucket() {
        for host in [
            HOST,
            "chat-125.cos.ap-guangzhou.myqcloud.com:9003",
            "Chat-125.COS.ap-guangzhou.MyQcloud.com.",
            "chat-125.cos.ap-beijing.tencentcos.cn",
            "chat-125.cos-internal.ap-guangzhou.myqcloud.com",
            "chat-125.cos-internal.ap-guangzhou.tencentcos.cn",
            "chat-125.cos.accelerate.myqcloud.com",
        ] {
            check(host, "/", "chat-125");
            check(host, "/a/b", "chat-125 a/b");
        }
    }

    #[test]
    fn a_key_is_the_decoded_path_as_it_is() {
        for (path, key) in [
            ("/a", "a"),
            ("/folder/", "folder/"),
            ("//x", "/x"),
            ("///x", "//x"),
            ("/a//b", "a//b"),
            ("/a/../b/./c", "a/../b/./c"),
            ("/..", ".."),
            ("/a%2Fb%3F%23", "a/b?#"),
            ("/a+b%20c%2B", "a+b c+"),
            ("/abc%3D%3D", "abc=="),
            ("/abc==", "abc=="),
            ("/%E8%81%8A", "聊"),
            ("/healthz", "healthz"),
            ("/100%", "100%"),
        ] {
            check(HOST, path, &format!("chat-125 {key}"));
            check("127.0.0.1:9003", &format!("/chat-125{path}"), &format!("chat-125 {key}"));
        }
    }

    #[test]
    fn without_the_name_of_a_bucket_the_path_has_it() {
        for host in ["localhost", "127.0.0.1:9003", "[::1]:9003", "", "cos.ap-x.myqcloud.com"] {
            check(host, "/", "service");
            check(host, "/chat-125", "chat-125");
            check(host, "/chat-125/", "chat-125");
            check(host, "/chat-125//x", "chat-125 /x");
            check(host, "/healthz", "InvalidBucketName");
        }
        check("service.cos.myqcloud.com", "/", "service");
        check("cos.ap-guangzhou.tencentcos.cn", "/", "service");
    }

    #[test]
    fn what_leads_nowhere_is_refused() {
        check(HOST, "*", "InvalidURI");
        check(HOST, "/%FF", "InvalidURI");
        check("localhost", "//x", "InvalidBucketName");
        check("chat.cos.ap-guangzhou.myqcloud.com", "/a", "InvalidBucketName");
        check(HOST, &format!("/{}", "k".repeat(850)), &format!("chat-125 {}", "k".repeat(850)));
        check(HOST, &format!("/{}", "k".repeat(851)), "KeyTooLong");
        check(HOST, &format!("/{}", "%E8%81%8A".repeat(284)), "KeyTooLong");
    }

    #[test]
    fn names_of_buckets_end_with_an_account() {
        for (name, expected) in [
            ("chat-1250000000", true),
            ("a-1", true),
            ("a-b-c-1", true),
            ("1-1", true),
            ("chat", false),
            ("-1", false),
            ("-a-1", false),
            ("a--1", false),
            ("a-", false),
            ("A-1", false),
            ("a_b-1", false),
            ("a.b-1", false),
            ("..-1", false),
        ] {
            assert_eq!(is_bucket_name(name), expected, "{name}");
        }
        assert!(!is_bucket_name(&format!("{}-1", "a".repeat(62))));
    }

    #[test]
    fn only_names_of_the_object_storage_are_names_of_the_cloud() {
        for (host, expected) in [
            (HOST, true),
            ("service.cos.myqcloud.com", true),
            ("myqcloud.com", false),
            ("cos.myqcloud.com", false),
            ("x.y.chat-125.cos.ap-guangzhou.myqcloud.com", false),
            ("chat-125.cos..myqcloud.com", false),
            ("chat-125.cos.ap-guangzhou.myqcloud.com.evil.com", false),
            ("chat-125.ci.ap-guangzhou.myqcloud.com", false),
        ] {
            assert_eq!(is_cloud_name(host), expected, "{host}");
        }
    }
}
