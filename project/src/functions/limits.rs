//! How long a function may run, and how much memory it may use.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    context::{Context, Said},
    note::Place,
    yaml::Node,
};

/// How long an invocation may run, in seconds.
const TIMEOUT_MAX: u64 = 900;
const MEMORY_DEFAULT: u64 = 128;
const MEMORY_MIN: u64 = 64;
const MEMORY_MAX: u64 = 3072;

type Places = BTreeMap<&'static str, Place>;

impl Context<'_> {
    pub(super) fn timeout(&mut self, inputs: &Node, default: u64, places: &mut Places) -> Duration {
        let written = self.text(inputs, "timeout");
        let Some((seconds, said)) = written.and_then(|said| self.number("timeout", said, "s"))
        else {
            return Duration::from_secs(default);
        };
        places.insert("timeout", (&said.spot).into());
        let used = seconds.clamp(1, TIMEOUT_MAX);
        if used != seconds {
            let what = format!(
                "the timeout is {seconds} s, and may be 1 to {TIMEOUT_MAX} s here: {used} s is used"
            );
            self.notes.warning(&said.spot, what);
        }
        Duration::from_secs(used)
    }

    pub(super) fn memory(&mut self, inputs: &Node, places: &mut Places) -> u32 {
        let written = self.text(inputs, "memorySize");
        let found = written.and_then(|said| self.number("memorySize", said, "mb"));
        let (size, spot) = match found {
            Some((size, said)) => (size, Some(said.spot)),
            None => (MEMORY_DEFAULT, None),
        };
        let used = size.clamp(MEMORY_MIN, MEMORY_MAX);
        if let Some(spot) = &spot {
            places.insert("memory_mb", spot.into());
            if used != size {
                let what = format!(
                    "memorySize is {size} MB, and may be {MEMORY_MIN} to {MEMORY_MAX} MB here: \
                     {used} MB is used"
                );
                self.notes.warning(spot, what);
            }
        }
        u32::try_from(used).unwrap_or(u32::MAX)
    }

    /// A number that may have its unit behind it.
    fn number(&mut self, key: &str, said: Said, unit: &str) -> Option<(u64, Said)> {
        let lower = said.text.to_lowercase();
        let digits = lower.strip_suffix(unit).unwrap_or(&lower).trim_end();
        match digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit())) {
            Some(number) => Some((number, said)),
            None => {
                let what = format!(
                    "{key} is {:?}, and should be a whole number: the default is used",
                    said.text
                );
                self.notes.warning(&said.spot, what);
                None
            }
        }
    }
}

/// A timeout of the API gateway.
pub(crate) fn seconds(context: &mut Context<'_>, map: &Node, key: &str, default: u64) -> Duration {
    let written = context.text(map, key);
    let found = written.and_then(|said| context.number(key, said, "s"));
    let seconds = found.map_or(default, |(seconds, said)| {
        let used = seconds.clamp(1, 1800);
        if used != seconds {
            let what = format!("{key} is {seconds} s, and may be 1 to 1800 s: {used} s is used");
            context.notes.warning(&said.spot, what);
        }
        used
    });
    Duration::from_secs(seconds)
}
