//! How many pushes of one instance are passed on at once, and how many more may wait for that.
//!
//! A push that waits holds memory even if its child has closed the connection, so the waiting line
//! has an end.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many pushes of an instance are passed on at once.
const AT_ONCE_MAX: usize = 64;
/// How many more wait.
pub(super) const WAITING_MAX: usize = 256;

/// The turns of the pushes of one instance. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Turns {
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// A push is being passed on, until this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    #[expect(dead_code, reason = "held, not read")]
    permit: OwnedSemaphorePermit,
}

/// A push has its turn, or waits for it.
#[derive(Debug)]
pub(super) enum Admitted {
    Now(Turn),
    Waiting { turns: Arc<Semaphore>, permit: OwnedSemaphorePermit },
}

impl Turns {
    pub(super) fn new() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE_MAX)),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
        }
    }

    /// Admits one more push. None if too many wait.
    pub(super) fn admit(&self) -> Option<Admitted> {
        // A turn that comes free goes to those that wait, so nobody is overtaken here.
        if let Ok(permit) = Arc::clone(&self.turns).try_acquire_owned() {
            return Some(Admitted::Now(Turn { permit }));
        }
        let permit = Arc::clone(&self.waiting).try_acquire_owned().ok()?;
        Some(Admitted::Waiting { turns: Arc::clone(&self.turns), permit })
    }
}

impl Admitted {
    pub(super) async fn turn(self) -> Turn {
        match self {
            Self::Now(turn) => turn,
            Self::Waiting { turns, permit: _waiting } => {
                let permit = turns.acquire_owned().await.expect("it is never closed");
                Turn { permit }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_waiting_line_has_an_end_and_goes_on() {
        let turns = Turns::new();
        let first: Vec<_> = (0..AT_ONCE_MAX).map(|_| turns.admit().unwrap()).collect();
        assert!(first.iter().all(|it| matches!(it, Admitted::Now(_))));
        let mut line: Vec<_> = (0..WAITING_MAX).map(|_| turns.admit().unwrap()).collect();
        assert!(line.iter().all(|it| matches!(it, Admitted::Waiting { .. })));
        assert!(turns.admit().is_none());
        drop(first);
        let turn = line.pop().unwrap().turn().await;
        assert!(matches!(turns.admit(), Some(Admitted::Now(_))), "there are more turns");
        drop((turn, line));
        assert!(turns.admit().is_some());
    }
}
