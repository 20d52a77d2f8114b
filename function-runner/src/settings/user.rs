//! `functions.<name>.user`: the account that a function runs as.

use daemon::settings::Section;
use nix::unistd::{Gid, Uid, User as Account};

/// The account that a function runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: Uid,
    pub(crate) group: Gid,
}

impl User {
    /// The account `name`. `None` if the runner cannot use it, which is noted.
    pub(super) fn find(section: &Section, name: &str) -> Option<Self> {
        if !Uid::effective().is_root() {
            let what = "takes a runner that is root; leave it out, or start it as root";
            section.problem("user", what);
            return None;
        }
        let Ok(Some(account)) = Account::from_name(name) else {
            let what = format!("there is no user {name:?} on this machine; name one");
            section.problem("user", what);
            return None;
        };
        Some(Self { id: account.uid, group: account.gid })
    }
}
