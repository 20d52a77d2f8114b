//! `[cloud]`: where functions are told that they run.

use daemon::settings::{Section, text};

/// Where functions are told that they run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cloud {
    /// `region`. Default `local`.
    pub(crate) region: String,
    /// `appid`. Default `0`.
    pub(crate) appid: String,
    /// `uin`. Default `0`.
    pub(crate) uin: String,
}

impl Cloud {
    pub(super) fn read(root: &mut Section) -> Self {
        let mut section = root.section("cloud");
        let mut read =
            |key, default: &str| section.read(key, &text()).unwrap_or(default.to_owned());
        Self { region: read("region", "local"), appid: read("appid", "0"), uin: read("uin", "0") }
    }
}
