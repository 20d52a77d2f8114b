//! `[cloud]`: where functions are told that they run. Their code may ask.

use daemon::settings::{Section, text};

use crate::runtime::subprocess::program::Cloud;

pub(super) fn read(root: &mut Section) -> Cloud {
    let mut section = root.section("cloud");
    let mut read = |key, default: &str| section.read(key, &text()).unwrap_or(default.to_owned());
    Cloud { region: read("region", "local"), appid: read("appid", "0"), uin: read("uin", "0") }
}
