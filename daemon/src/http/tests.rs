//! The forms of answers.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;

#[tokio::test]
async fn answers_are_json() {
    let check = async |response: Response<Body>, status: u16, body: &str| {
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), body);
    };
    check(json(StatusCode::ACCEPTED, &["a"]), 202, r#"["a"]"#).await;
    check(json_bytes(StatusCode::OK, "{}"), 200, "{}").await;
    check(message(StatusCode::NOT_FOUND, "a \"b\""), 404, r#"{"message":"a \"b\""}"#).await;
    let response = method_not_allowed("GET, HEAD");
    assert_eq!(response.headers()[header::ALLOW], "GET, HEAD");
    check(response, 405, r#"{"message":"method not allowed: use GET, HEAD"}"#).await;
}
