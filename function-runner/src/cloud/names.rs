//! The host names of the cloud. Pure: what a name is, not where it leads.

use std::sync::LazyLock;

use regex::Regex;

/// The domains that the names of the cloud are below.
pub(crate) const DOMAINS: [&str; 5] =
    ["myqcloud.com", "tencentcloudapi.com", "tencentcos.cn", "tencentcs.com", "tencentyun.com"];

/// What the names of the cloud's services end with. One that leads nowhere here is left as it is,
/// and our bootstraps say so.
pub(crate) const ENDS: [&str; 9] = [
    ".myqcloud.com",
    ".qcloud.com",
    ".tencentcdb.com",
    ".tencentcloud.com",
    ".tencentcloudapi.com",
    ".tencentcos.cn",
    ".tencentcs.com",
    ".tencenttdmq.com",
    ".tencentyun.com",
];

/// What a name is in the cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloudName {
    /// Functions push to it.
    Push,
    /// The object store: a bucket, a region, or the list of buckets.
    Cos,
    /// The cloud API of functions.
    Api,
    /// An API of the gateway.
    Gateway,
}

/// The forms of the names that lead somewhere here, each for whole names in lower case. In a syntax
/// that Rust, Python and JavaScript read alike: our bootstraps get them too.
pub(crate) const FORMS: [(&str, CloudName); 7] = [
    (r"(.+\.)?apigateway\.tencentyun\.com", CloudName::Push),
    (
        r"set-[^.]*\.cb-[^.]*(\.[^.]+)*\.(myqcloud\.com|tencentcs\.com|tencentyun\.com)",
        CloudName::Push,
    ),
    (r"service\.cos\.(myqcloud\.com|tencentcos\.cn)", CloudName::Cos),
    (r"(.+\.)?cos(-internal)?\.[^.]+\.(myqcloud\.com|tencentcos\.cn)", CloudName::Cos),
    (r"scf(\.[^.]+)?\.tencentcloudapi\.com", CloudName::Api),
    (r"service-[^.]*(\.[^.]+)*\.apigw\.tencentcs\.com", CloudName::Gateway),
    (r"[^.]+(\.[^.]+)*\.apigateway\.myqcloud\.com", CloudName::Gateway),
];

static COMPILED: LazyLock<Vec<(Regex, CloudName)>> = LazyLock::new(|| {
    let compiled = FORMS.map(|(form, name)| {
        let whole = Regex::new(&format!("^(?:{form})$"));
        (whole.expect("a form is a regular expression"), name)
    });
    compiled.into()
});

/// What `host`, in lower case, is in the cloud. None if it is none of the names that lead somewhere
/// here.
pub(crate) fn cloud_name(host: &str) -> Option<CloudName> {
    COMPILED.iter().find(|(form, _)| form.is_match(host)).map(|(_, name)| *name)
}

/// The name in `authority`: in lower case, without a port, and without the dot at its end.
pub(crate) fn name_in(authority: &str) -> String {
    let end = match authority.rfind(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let name = authority[..end].to_ascii_lowercase();
    name.strip_suffix('.').map_or_else(|| name.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{CloudName, DOMAINS, ENDS, cloud_name, name_in};

    #[test]
    fn a_name_of_the_cloud_is_known_by_its_form() {
        let [push, cos, api, gateway] =
            [CloudName::Push, CloudName::Cos, CloudName::Api, CloudName::Gateway].map(Some);
        for (host, expected) in [
            ("set-websocket.cb-common.apigateway.tencentyun.com", push),
            ("push.apigateway.tencentyun.com", push),
            ("set-7rbw5yaq.cb-guangzhou.apigateway.tencentyun.com", push),
            ("set-a.cb-b.ap-guangzhou.tencentcs.com", push),
            ("chat-1250000000.cos.ap-guangzhou.myqcloud.com", cos),
            ("chat-1250000000.cos.accelerate.myqcloud.com", cos),
            ("cos.ap-guangzhou.myqcloud.com", cos),
            ("service.cos.myqcloud.com", cos),
            ("chat-1250000000.cos.ap-guangzhou.tencentcos.cn", cos),
            ("chat-1250000000.cos-internal.ap-guangzhou.tencentcos.cn", cos),
            ("a.b-1250000000.cos.ap-guangzhou.myqcloud.com", cos),
            ("scf.tencentcloudapi.com", api),
            ("scf.ap-guangzhou.tencentcloudapi.com", api),
            ("service-abc-1250000000.gz.apigw.tencentcs.com", gateway),
            ("service-abc.apigw.tencentcs.com", gateway),
            ("service-abc-1250000000.ap-guangzhou.apigateway.myqcloud.com", gateway),
            ("sms.tencentcloudapi.com", None),
            ("a.scf.ap-guangzhou.tencentcloudapi.com", None),
            ("myqcloud.com", None),
            ("chat.file.myqcloud.com", None),
            ("other.gz.apigw.tencentcs.com", None),
            ("apigateway.myqcloud.com", None),
            ("metadata.tencentyun.com", None),
            ("notmyqcloud.com", None),
            ("cos.ap-guangzhou.myqcloud.com.example.com", None),
            ("set-a.cb-b.example.com", None),
            ("example.com", None),
            ("127.0.0.1", None),
            ("localhost", None),
            ("", None),
        ] {
            assert_eq!(cloud_name(host), expected, "{host}");
        }
    }

    #[test]
    fn names_below_each_domain_are_of_the_cloud() {
        for domain in DOMAINS {
            assert!(ENDS.contains(&&*format!(".{domain}")), "{domain}");
        }
    }

    #[test]
    fn a_name_is_compared_in_one_spelling() {
        for (authority, name) in [
            ("Scf.TencentCloudApi.com:443", "scf.tencentcloudapi.com"),
            ("scf.tencentcloudapi.com.", "scf.tencentcloudapi.com"),
            ("scf.tencentcloudapi.com.:80", "scf.tencentcloudapi.com"),
            ("127.0.0.1:9000", "127.0.0.1"),
            ("[::1]:9000", "[::1]"),
            ("", ""),
        ] {
            assert_eq!(name_in(authority), name, "{authority}");
        }
    }
}
