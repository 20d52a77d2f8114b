//! The answer to a batch of pushes. It is passed back as it comes, and read on the way for the
//! pushes of the batch that have failed.

use batch::wire::{ItemResponse, Malformed, ResponseReader, TooLarge};
use daemon::http::Body;
use http::StatusCode;
use http_body_util::BodyExt;

use super::{
    answer::{SHORT_BYTES, failures_in},
    failures::PushFailure,
};

/// How many bytes are read at once, so that few are kept.
const PIECE_BYTES: usize = 16 << 10;

/// Passes `answer` back. `failed` is called for each push that was not carried out. The rest of an
/// answer that is not one to a batch is not read.
pub(super) fn reading(answer: Body, mut failed: impl FnMut(&PushFailure) + Send + 'static) -> Body {
    let mut reader = Some(ResponseReader::keeping(SHORT_BYTES));
    let inspected = answer.inspect_frame(move |frame| {
        let bytes = frame.data_ref().map(AsRef::as_ref).unwrap_or_default();
        for piece in <[u8]>::chunks(bytes, PIECE_BYTES) {
            let Some(responses) = &mut reader else { return };
            responses.push(piece);
            if read(responses, &mut failed).is_err() {
                reader = None;
            }
        }
    });
    inspected.boxed_unsync()
}

fn read(
    responses: &mut ResponseReader,
    failed: &mut impl FnMut(&PushFailure),
) -> Result<(), Malformed> {
    while let Some((_, response)) = responses.next_response()? {
        let (status, body) = match response {
            Ok(ItemResponse { status, body }) => (status, body),
            // Only an answer to many has such a length.
            Err(TooLarge { status: 200 }) => {
                failed(&PushFailure::unread());
                continue;
            }
            Err(TooLarge { status }) => (status, Default::default()),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        failures_in(status, &body).iter().for_each(&mut *failed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        fmt::Write,
        sync::{Arc, Mutex},
    };

    use daemon::http::full;

    use super::*;

    /// The status and the words of each failure in `answer`, which stays as it is.
    async fn failures_in(answer: &str) -> Vec<(u16, String)> {
        let found = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&found);
        let body = reading(full(answer.to_owned()), move |failure| {
            told.lock().unwrap().push((failure.status.as_u16(), failure.what.clone()));
        });
        assert_eq!(body.collect().await.unwrap().to_bytes(), answer);
        let found = found.lock().unwrap();
        found.clone()
    }

    #[tokio::test]
    async fn each_push_of_a_batch_that_has_failed_is_told() {
        let long = "x".repeat(3 * PIECE_BYTES);
        let of = |err_no: u16| format!(r#"{{"errNo":{err_no},"errMsg":"hunter2"}}"#);
        let mut answer = String::new();
        for (index, (status, body)) in
            [(200, of(0)), (200, of(422)), (200, long.clone()), (500, long), (429, of(429))]
                .iter()
                .enumerate()
        {
            let length = body.len();
            write!(answer, "{index} {status} {length}\n{body}\n").unwrap();
        }
        let found = failures_in(&answer).await;
        let statuses: Vec<_> = found.iter().map(|(status, _)| *status).collect();
        assert_eq!(statuses, [200, 200, 500, 429]);
        assert!(found[0].1.starts_with("its action, dataType or data"), "{found:?}");
        assert!(found[1].1.ends_with("is too long to be read"), "{found:?}");
        assert!(found.iter().all(|(_, what)| !what.contains("hunter2")), "{found:?}");
    }

    #[tokio::test]
    async fn what_is_no_answer_to_a_batch_is_passed_back_unread() {
        assert!(failures_in("<html>\n0 500 0\n\n").await.is_empty());
    }
}
