//! What is wrong with a log filter. `EnvFilter` takes a word that it does not know for a part of
//! the program, and then nothing else is logged.

use std::{env, str::FromStr};

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::settings::nearest;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Libraries that log, or may with another version or feature.
const LIBRARIES: [&str; 20] = [
    "h2",
    "hyper",
    "hyper_util",
    "mio",
    "notify",
    "object_store",
    "quinn",
    "quinn_proto",
    "quinn_udp",
    "reqwest",
    "rusqlite",
    "rustls",
    "rustls_platform_verifier",
    "tokio",
    "tokio_tungstenite",
    "tokio_util",
    "tower",
    "tower_http",
    "tracing",
    "tungstenite",
];

/// What is wrong with `filter`, and what would be right. The crates in `logging` are parts of the
/// program.
pub(super) fn problem_of_filter(filter: &str, logging: &[&str]) -> Option<String> {
    // A binary of one's own logs under its own name.
    let program = env::current_exe().ok();
    let program = program.as_deref().and_then(|path| path.file_stem()?.to_str());
    let program = program.unwrap_or_default().replace('-', "_");
    let parts: Vec<&str> = logging.iter().chain(&LIBRARIES).copied().chain([&*program]).collect();
    directives(filter)
        .into_iter()
        .find_map(|directive| problem_of_directive(directive.trim(), &parts, logging))
        .or_else(|| {
            let error = EnvFilter::try_new(filter).err()?;
            Some(format!("{filter:?} is no log filter ({error}); use one such as {EXAMPLES}"))
        })
}

pub(super) const EXAMPLES: &str = "\"info\" or \"info,gateway=debug\"";

/// The parts between commas. Those within brackets belong to a span.
fn directives(filter: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let is_separator = |c: char| {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    };
    filter.split(is_separator).collect()
}

fn problem_of_directive(directive: &str, parts: &[&str], logging: &[&str]) -> Option<String> {
    // A span stands in brackets between target and level.
    let (target, level) = match directive.split_once('[') {
        Some((target, rest)) => (target, rest.rsplit_once(']').map_or("", |(_, level)| level)),
        None => directive.split_once('=').unwrap_or((directive, "")),
    };
    let level = level.trim_start_matches('=');
    if !level.is_empty() && LevelFilter::from_str(level).is_err() {
        return Some(format!("{level:?} is not a level{}", nearest(level, &LEVELS)));
    }
    let is_alone = target.len() == directive.len();
    if target.is_empty() || is_alone && LevelFilter::from_str(target).is_ok() {
        return None;
    }
    let part = target.split("::").next().unwrap_or(target);
    if parts.contains(&part) {
        return None;
    }
    // Libraries are not proposed: few people mean them.
    Some(if is_alone {
        let near = nearest(part, &[&LEVELS, logging].concat());
        format!("{part:?} is neither a level nor a part of the program that logs{near}")
    } else {
        format!("{part:?} is no part of the program that logs{}", nearest(part, logging))
    })
}

#[cfg(test)]
mod tests {
    use super::problem_of_filter;

    const LOGGING: [&str; 2] = ["gateway", "function_runner"];

    #[test]
    fn filters_with_known_words_are_good() {
        for filter in [
            "",
            "info",
            "WARN",
            "3",
            "off",
            "info,gateway=debug",
            "gateway",
            "gateway::push=trace,warn",
            "hyper=debug",
            "hyper_util::client=debug,info",
            "[function{name=\"a\"}]=debug,info",
            "gateway[connection{id=7}]=trace",
            "function_runner[invocation]",
        ] {
            assert_eq!(problem_of_filter(filter, &LOGGING), None, "{filter}");
        }
    }

    #[test]
    fn unknown_words_are_named_with_the_nearest() {
        for (filter, problem) in [
            (
                "infoo",
                "\"infoo\" is neither a level nor a part of the program that logs; did you mean \
                 \"info\"?",
            ),
            ("gateway=debugg", "\"debugg\" is not a level; did you mean \"debug\"?"),
            (
                "info,gatewy=debug",
                "\"gatewy\" is no part of the program that logs; did you mean \"gateway\"?",
            ),
            (
                "info,xyz=debug",
                "\"xyz\" is no part of the program that logs; there are: gateway, function_runner",
            ),
            (
                "info,gateway[a]=lowd",
                "\"lowd\" is not a level; there are: off, error, warn, info, \
              debug, trace",
            ),
        ] {
            assert_eq!(problem_of_filter(filter, &LOGGING).as_deref(), Some(problem), "{filter}");
        }
        assert!(problem_of_filter("gateway[a", &LOGGING).unwrap().contains("is no log filter"));
    }
}
