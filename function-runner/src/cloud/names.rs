//! The host names of the cloud. Pure: what a name is, not where it leads.

/// The domains of the cloud. Names below them never reach the cloud itself, unless the settings
/// say so.
pub(crate) const DOMAINS: [&str; 5] =
    ["myqcloud.com", "tencentcloudapi.com", "tencentcos.cn", "tencentcs.com", "tencentyun.com"];

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
    /// Another name of the cloud.
    Other,
}

/// What `host` is in the cloud. None if it is no name of the cloud.
pub(crate) fn cloud_name(host: &str) -> Option<CloudName> {
    let domain = DOMAINS.into_iter().find(|domain| is_below(host, domain))?;
    let own = host[..host.len() - domain.len()].trim_end_matches('.');
    let labels: Vec<_> = own.split('.').collect();
    Some(match (domain, &labels[..]) {
        ("tencentyun.com", [.., "apigateway"]) => CloudName::Push,
        (_, [set, cb, ..]) if set.starts_with("set-") && cb.starts_with("cb-") => CloudName::Push,
        ("myqcloud.com" | "tencentcos.cn", ["service", "cos"]) => CloudName::Cos,
        ("myqcloud.com" | "tencentcos.cn", [.., "cos" | "cos-internal", _]) => CloudName::Cos,
        ("tencentcloudapi.com", ["scf"] | ["scf", _]) => CloudName::Api,
        ("tencentcs.com", [service, .., "apigw"]) if service.starts_with("service-") => {
            CloudName::Gateway
        }
        ("myqcloud.com", [_, .., "apigateway"]) => CloudName::Gateway,
        _ => CloudName::Other,
    })
}

/// Whether `host` is `domain`, or a name below it.
fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
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
    use super::{CloudName, cloud_name, name_in};

    #[test]
    fn a_name_of_the_cloud_is_known_by_its_form() {
        let [push, cos, api, gateway, other] =
            [CloudName::Push, CloudName::Cos, CloudName::Api, CloudName::Gateway, CloudName::Other]
                .map(Some);
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
            ("sms.tencentcloudapi.com", other),
            ("a.scf.ap-guangzhou.tencentcloudapi.com", other),
            ("myqcloud.com", other),
            ("chat.file.myqcloud.com", other),
            ("other.gz.apigw.tencentcs.com", other),
            ("apigateway.myqcloud.com", other),
            ("metadata.tencentyun.com", other),
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
