//! A roster in a bucket of S3, or of another store with the S3 protocol, such as Tencent COS.
//!
//! Address and credentials are in the environment of the function, under the usual `AWS_…` names.
//! The environment of the process and the metadata service of the machine are never used: a
//! function has only the rights that its own settings give it.

use std::time::Duration;

use object_store::{
    ClientOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
};
use url::Url;

use super::URL_KEY;
use crate::{environment::Environment, start_error::StartError};

const ENDPOINT_KEY: &str = "AWS_ENDPOINT";
const VIRTUAL_HOSTED_KEY: &str = "AWS_VIRTUAL_HOSTED_STYLE_REQUEST";

/// Shorter than the default of the library, three minutes, which is meant for large transfers. Here
/// a client waits for its handshake or its message.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const RETRIES_MAX: usize = 2;

/// Builds the client of a bucket. Nothing is sent yet.
pub(super) fn open(name: &str, environment: &Environment) -> Result<AmazonS3, StartError> {
    let endpoint = endpoint(environment)?;
    let in_clear = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(name)
        .with_access_key_id(environment.require("AWS_ACCESS_KEY_ID")?)
        .with_secret_access_key(environment.require("AWS_SECRET_ACCESS_KEY")?)
        .with_virtual_hosted_style_request(virtual_hosted(environment)?)
        // All stores with the S3 protocol have DELETE; not all have the bulk request.
        .with_disable_bulk_delete(true)
        .with_client_options(
            ClientOptions::new()
                .with_allow_http(in_clear)
                .with_connect_timeout(CONNECT_TIMEOUT)
                .with_timeout(REQUEST_TIMEOUT),
        )
        .with_retry(RetryConfig {
            max_retries: RETRIES_MAX,
            retry_timeout: REQUEST_TIMEOUT,
            ..RetryConfig::default()
        });
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    if let Some(region) = environment.get("AWS_REGION") {
        builder = builder.with_region(region);
    }
    if let Some(token) = environment.get("AWS_SESSION_TOKEN") {
        builder = builder.with_token(token);
    }
    builder.build().map_err(|error| {
        StartError::new(URL_KEY, "names a bucket that no client can be set up for").because(error)
    })
}

fn endpoint(environment: &Environment) -> Result<Option<&str>, StartError> {
    let Some(endpoint) = environment.get(ENDPOINT_KEY) else { return Ok(None) };
    match Url::parse(endpoint).as_ref().map(Url::scheme) {
        Ok("http" | "https") => Ok(Some(endpoint)),
        _ => Err(StartError::new(
            ENDPOINT_KEY,
            "is not an address: https://s3.example.com or http://127.0.0.1:9000 would be right",
        )),
    }
}

/// Whether the endpoint is the address of the bucket itself, as with COS.
fn virtual_hosted(environment: &Environment) -> Result<bool, StartError> {
    match environment.get(VIRTUAL_HOSTED_KEY) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(StartError::new(
            VIRTUAL_HOSTED_KEY,
            "is neither true nor false: true is right where AWS_ENDPOINT names the bucket",
        )),
    }
}
