//! Answers that may come late, and show that a cleanup is due before its time.

use std::future::pending;

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};

use super::journal::{Key, Progress};
use crate::call::LateAnswer;

/// A cleanup in the journal that is due when an answer comes.
#[derive(Debug)]
pub(super) struct Awaited {
    pub(super) key: Key,
    pub(super) progress: Progress,
    pub(super) answer: LateAnswer,
}

/// What has become of it.
struct Answered {
    key: Key,
    progress: Progress,
    is_overdue: bool,
    /// Whether the function has ended.
    has_ended: bool,
}

/// The answers for the cleanups of one API.
#[derive(Default)]
pub(super) struct LateAnswers {
    answers: FuturesUnordered<BoxFuture<'static, Answered>>,
    /// Those of them that a drain waits for.
    in_time: usize,
}

impl LateAnswers {
    pub(super) fn add(&mut self, awaited: Vec<Awaited>) {
        for Awaited { key, progress, answer } in awaited {
            let is_overdue = answer.is_overdue;
            self.in_time += usize::from(!is_overdue);
            let answered = answer.has_ended().map(move |has_ended| Answered {
                key,
                progress,
                is_overdue,
                has_ended,
            });
            self.answers.push(answered.boxed());
        }
    }

    /// Whether no call is left that has time left.
    pub(super) fn none_in_time(&self) -> bool {
        self.in_time == 0
    }

    /// Waits for the next answers. Returns the cleanups whose calls have ended.
    pub(super) async fn ended(&mut self) -> Vec<(Key, Progress)> {
        let mut next = self.answers.next().await;
        if next.is_none() {
            return pending().await;
        }
        let mut ended = Vec::new();
        while let Some(Answered { key, progress, is_overdue, has_ended }) = next {
            self.in_time -= usize::from(!is_overdue);
            if has_ended {
                ended.push((key, progress));
            }
            next = self.answers.next().now_or_never().flatten();
        }
        ended
    }
}
