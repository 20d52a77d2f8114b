//! `[cloud]`: where functions are told that they run.

use daemon::settings::{Section, text};

/// Where functions are told that they run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cloud {
    /// `region`.
    pub(crate) region: String,
    /// `appid`: the id of the account.
    pub(crate) appid: String,
    /// `uin`: the id of the user.
    pub(crate) uin: String,
}

impl Cloud {
    pub(super) fn read(root: &mut Section) -> Self {
        let mut section = root.section("cloud");
        let mut read = |key, default| section.read_or(key, &text(), default);
        Self { region: read("region", "local"), appid: read("appid", "0"), uin: read("uin", "0") }
    }
}
