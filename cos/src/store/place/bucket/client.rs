//! The client of a bucket, as the settings have it.

use std::time::Duration;

use object_store::{
    ClientOptions, Error, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
};

use crate::settings::BucketSettings;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Of one request, with a part in it.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// A client waits meanwhile.
const RETRY_TIMEOUT: Duration = Duration::from_secs(20);
const RETRIES_MAX: usize = 3;
/// The proxy that is not used, since all hosts are excluded from it.
const NO_PROXY: &str = "http://127.0.0.1:9";
const ALL_HOSTS: &str = "*,0.0.0.0/0,::/0";

/// How long a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deadline {
    /// `REQUEST_TIMEOUT`
    Short,
    /// The caller has its own deadline.
    Callers,
}

pub(super) fn client(settings: &BucketSettings, deadline: Deadline) -> Result<AmazonS3, Error> {
    let in_clear = settings.endpoint.as_ref().is_some_and(|endpoint| endpoint.scheme() == "http");
    let options = ClientOptions::new()
        .with_allow_http(in_clear)
        .with_connect_timeout(CONNECT_TIMEOUT)
        // With a proxy that is set, those of the environment are not used.
        .with_proxy_url(NO_PROXY)
        .with_proxy_excludes(ALL_HOSTS);
    let options = match deadline {
        Deadline::Short => options.with_timeout(REQUEST_TIMEOUT),
        Deadline::Callers => options.with_timeout_disabled(),
    };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&settings.bucket)
        .with_access_key_id(&settings.access_key_id)
        .with_secret_access_key(settings.secret_access_key.reveal())
        // Not all stores have the request that deletes several objects.
        .with_disable_bulk_delete(true)
        .with_virtual_hosted_style_request(settings.is_virtual_hosted)
        .with_client_options(options)
        .with_retry(RetryConfig {
            max_retries: RETRIES_MAX,
            retry_timeout: RETRY_TIMEOUT,
            ..RetryConfig::default()
        });
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
    }
    if let Some(region) = &settings.region {
        builder = builder.with_region(region);
    }
    builder.build()
}

#[cfg(test)]
mod tests {
    use daemon::settings::Secret;
    use object_store::{path::Path as Key, signer::Signer};

    use super::*;

    /// The URL of the object `a/b` with these settings, and the region that it is signed for.
    async fn url(endpoint: Option<&str>, region: Option<&str>, is_virtual_hosted: bool) -> String {
        let settings = BucketSettings {
            bucket: "my-bucket".to_owned(),
            prefix: "a".to_owned(),
            endpoint: endpoint.map(|endpoint| endpoint.parse().unwrap()),
            region: region.map(str::to_owned),
            access_key_id: "key".to_owned(),
            secret_access_key: Secret::new("secret"),
            is_virtual_hosted,
            take_over: None,
        };
        let client = client(&settings, Deadline::Short).unwrap();
        let minute = Duration::from_mins(1);
        let url = client.signed_url(http::Method::GET, &Key::from("a/b"), minute).await.unwrap();
        let credential = url.query_pairs().find(|(name, _)| name == "X-Amz-Credential").unwrap().1;
        let region = credential.split('/').nth(2).unwrap().to_owned();
        format!("{} {region}", url.as_str().split('?').next().unwrap())
    }

    #[tokio::test]
    async fn objects_are_where_the_settings_say() {
        let cos = "https://my-bucket.cos.ap-guangzhou.myqcloud.com";
        for (endpoint, region, is_virtual_hosted, expected) in [
            (
                None,
                Some("eu-west-1"),
                false,
                "https://s3.eu-west-1.amazonaws.com/my-bucket/a/b eu-west-1",
            ),
            (
                None,
                Some("eu-west-1"),
                true,
                "https://my-bucket.s3.eu-west-1.amazonaws.com/a/b eu-west-1",
            ),
            (
                Some("http://127.0.0.1:9000/"),
                None,
                false,
                "http://127.0.0.1:9000/my-bucket/a/b us-east-1",
            ),
            (
                Some(cos),
                Some("ap-guangzhou"),
                true,
                "https://my-bucket.cos.ap-guangzhou.myqcloud.com/a/b ap-guangzhou",
            ),
        ] {
            assert_eq!(url(endpoint, region, is_virtual_hosted).await, expected);
        }
    }
}
