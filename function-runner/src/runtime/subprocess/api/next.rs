//! `invocation/next`: the event, with its context in the headers of both dialects.

use daemon::{
    http::{Body, json_bytes, message},
    time::milliseconds,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use shared::invocation::TRACEPARENT_HEADER;
use uuid::Uuid;

use crate::runtime::subprocess::{
    delivery::Deliveries,
    exchange::{Exchange, GivenEvent},
};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("request_id");

/// Waits for an event and answers with it.
pub(super) async fn answer(exchange: &Exchange, deliveries: &Deliveries) -> Response<Body> {
    let Some(event) = exchange.next(deliveries).await else { return none() };
    let mut response = json_bytes(StatusCode::OK, event.event.clone());
    write(response.headers_mut(), &event);
    response
}

/// The answer when the instance has ended.
pub(super) fn none() -> Response<Body> {
    message(StatusCode::SERVICE_UNAVAILABLE, "there will be no more events")
}

fn write(headers: &mut HeaderMap, event: &GivenEvent) {
    let context = &event.context;
    let time_limit_ms = milliseconds(context.time_limit);
    let mut set = |name: &'static str, value: &str| {
        // Never fails: ids are checked where they come in, names where they are configured.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("request_id", &context.request_id);
    set("memory_limit_in_mb", &context.memory_limit_mb.to_string());
    set("time_limit_in_ms", &time_limit_ms.to_string());
    let name = &context.function_name;
    let arn = format!("arn:aws:lambda:local:000000000000:function:{name}");
    set("lambda-runtime-aws-request-id", &context.request_id);
    set("lambda-runtime-deadline-ms", &event.deadline_ms.to_string());
    set("lambda-runtime-invoked-function-arn", &arn);
    let trace_id = context.traceparent.as_deref().and_then(xray);
    set("lambda-runtime-trace-id", &trace_id.unwrap_or_else(fresh_trace_id));
    if let Some(parent) = &context.traceparent {
        set(TRACEPARENT_HEADER, parent);
    }
}

/// Clients of AWS Lambda expect an id. It is not recorded anywhere.
fn fresh_trace_id() -> String {
    let id = Uuid::new_v4().simple().to_string();
    format!("Root=1-{}-{};Sampled=0", &id[..8], &id[8..])
}

/// A W3C traceparent in the form of AWS. `None` if it is not valid.
fn xray(traceparent: &str) -> Option<String> {
    let parts: Vec<&str> = traceparent.split('-').collect();
    let [_, trace, parent, flags] = parts[..] else { return None };
    let (epoch, unique) = trace.split_at_checked(8)?;
    let sampled = u8::from_str_radix(flags, 16).ok()? & 1;
    Some(format!("Root=1-{epoch}-{unique};Parent={parent};Sampled={sampled}"))
}

#[cfg(test)]
mod tests {
    use super::xray;

    #[test]
    fn a_traceparent_is_told_in_both_dialects() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let expected = "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1";
        assert_eq!(xray(parent).unwrap(), expected);
        assert_eq!((xray(""), xray("00-a-b-01")), (None, None));
    }
}
