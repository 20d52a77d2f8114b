//! Who pushes, and the share of the memory for bodies that each of them has.

use std::sync::{Arc, Mutex, Weak};

use daemon::{body::MemoryShare, settings::Secret};

/// Who pushes. A request that is no push has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PushSource {
    /// A function, by its name.
    Function(String),
    /// A program, by its token.
    Token(Secret),
    /// The operator.
    Operator,
    /// Somebody who pushes without a token, where none is asked for.
    Anybody,
}

/// The shares of those who push now. There are as many as pushes at most.
#[derive(Debug, Default)]
pub(super) struct Shares(Mutex<Vec<(PushSource, Weak<MemoryShare>)>>);

impl Shares {
    /// The share of `source`, which `make` makes if no push of the source has it now.
    pub(super) fn of(
        &self,
        source: PushSource,
        make: impl FnOnce() -> MemoryShare,
    ) -> Arc<MemoryShare> {
        let mut shares = self.0.lock().expect("nothing panics with the lock held");
        shares.retain(|(_, share)| share.strong_count() > 0);
        let found = shares.iter().find(|(it, _)| *it == source);
        if let Some(share) = found.and_then(|(_, share)| share.upgrade()) {
            return share;
        }
        let share = Arc::new(make());
        shares.push((source, Arc::downgrade(&share)));
        share
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use daemon::body::BodyMemory;

    use super::*;

    #[test]
    fn a_source_has_one_share_for_as_long_as_it_pushes() {
        let memory = BodyMemory::new(1 << 20, Duration::ZERO);
        let shares = Shares::default();
        let token = |text: &str| PushSource::Token(Secret::new(text));
        let of = |source| shares.of(source, || memory.share(1));
        let (one, other) = (of(token("a")), of(token("b")));
        assert!(Arc::ptr_eq(&one, &of(token("a"))) && !Arc::ptr_eq(&one, &other));
        drop(one);
        let _operator = of(PushSource::Operator);
        assert_eq!(shares.0.lock().unwrap().len(), 2);
    }
}
