//! Gets the folder of a need: that of the cache, or a new one that pip or npm fills.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use daemon::telemetry::for_terminal;
use project::Function;

use super::{cache::Cache, need::Need, node, python};
use crate::up::{
    interpreters::{Language, names},
    process::{Kept, passed_to_installers, run},
};

/// How long pip or npm may take.
const LIMIT: Duration = Duration::from_mins(15);
/// How much of what they say is kept.
const BYTES_MAX: usize = 64 << 10;

/// Why libraries are not there, and how to get them.
#[derive(Debug)]
pub(super) struct Failure {
    /// What was wrong, with the last lines of the tool.
    pub(super) what: String,
    /// One command for a shell that makes the folder which is looked for.
    pub(super) command: Option<String>,
}

/// What the tool needs that is not there, for [`Failure`].
#[derive(Debug)]
pub(super) struct NoTool(pub(super) &'static str);

/// The folder for `PYTHONPATH` or `NODE_PATH`.
pub(super) async fn get(
    cache: &Cache,
    need: &Need,
    functions: &[&Function],
    progress: &(dyn Fn(&str) + Sync),
    variables: &BTreeMap<String, String>,
) -> Result<PathBuf, Failure> {
    let whole = cache.whole(need);
    if whole.is_dir() {
        // It may have been installed by hand.
        complete(need, &whole).map_err(|error| failed_in_cache(cache, need, &error))?;
        return Ok(need.searched(&whole));
    }
    progress(&format!(
        "installing {} for {} ({} {})",
        for_terminal(&need.described()),
        names(functions),
        need.language(),
        need.interpreter.version,
    ));
    let begun = Instant::now();
    let folder = cache.begin(need).map_err(|error| failed_in_cache(cache, need, &error))?;
    let outcome = match fill(need, &folder, variables).await {
        Ok(()) => complete(need, &folder)
            .and_then(|()| cache.finish(need, &folder))
            .map_err(|error| failed_in_cache(cache, need, &error)),
        Err(what) => Err(Failure { what, command: by_hand(cache, need, &folder) }),
    };
    let seconds = begun.elapsed().as_secs_f32();
    match &outcome {
        Ok(_) => progress(&format!("installed in {seconds:.1} s")),
        Err(_) => progress(&format!("not installed, after {seconds:.1} s")),
    }
    outcome.map(|whole| need.searched(&whole))
}

/// Runs the tool. The error is why there are no libraries.
async fn fill(
    need: &Need,
    folder: &Path,
    variables: &BTreeMap<String, String>,
) -> Result<(), String> {
    let mut command = match need.language() {
        Language::Python => python::command(need, folder),
        Language::Node => node::command(need, variables).map_err(|NoTool(what)| what.to_owned())?,
    };
    let program = command.get_program().display().to_string();
    let path = command.get_envs().find(|(key, _)| *key == "PATH");
    let path = path.and_then(|(_, value)| value).map(ToOwned::to_owned);
    command.env_clear().envs(passed_to_installers(variables)).current_dir(folder);
    command.envs(path.map(|path| ("PATH", path)));
    match need.language() {
        Language::Python => command.envs(python::VARIABLES),
        Language::Node => command.envs(node::VARIABLES),
    };
    let ended = run(command, Kept::Messages(BYTES_MAX), LIMIT).await;
    let ended = ended.map_err(|error| format!("{program} {error}"))?;
    if ended.status.success() {
        return Ok(());
    }
    let output = String::from_utf8_lossy(&ended.output);
    if need.language() == Language::Python && output.contains("No module named pip") {
        return Err(python::no_pip(&program));
    }
    let tool = match need.language() {
        Language::Python => "pip",
        Language::Node => "npm",
    };
    Err(format!("{tool} said: {}", last_lines(&output)))
}

/// Adds what pip and npm do not install.
fn complete(need: &Need, folder: &Path) -> io::Result<()> {
    match need.language() {
        Language::Python => python::complete(folder),
        Language::Node => Ok(()),
    }
}

fn failed_in_cache(cache: &Cache, need: &Need, error: &io::Error) -> Failure {
    let what = format!("the folder {} could not be made: {error}", cache.whole(need).display());
    Failure { what, command: None }
}

/// The command that does by hand what has failed. Its input is put where it looks for it.
fn by_hand(cache: &Cache, need: &Need, begun: &Path) -> Option<String> {
    let folder = cache.give_up(need, begun).ok()?;
    let install = match need.language() {
        Language::Python => python::by_hand(need, &folder),
        Language::Node => node::by_hand(&folder),
    };
    let (from, to) = (quoted(&folder), quoted(&cache.whole(need)));
    Some(format!("{install} && mv {from} {to}"))
}

/// A path for a shell.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@:".contains(&byte);
    if text.bytes().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// The end of what a tool said, in one line.
fn last_lines(output: &str) -> String {
    const LINES: usize = 6;
    const CHARACTERS: usize = 600;
    let lines: Vec<_> = output.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join(" | ");
    let surplus = last.chars().count().saturating_sub(CHARACTERS);
    let last: String = last.chars().skip(surplus).collect();
    for_terminal(&last).into_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{last_lines, quoted};

    #[test]
    fn paths_are_quoted_for_a_shell() {
        assert_eq!(quoted(Path::new("/home/me/a-b_c.1")), "/home/me/a-b_c.1");
        assert_eq!(quoted(Path::new("/home/it's me")), r"'/home/it'\''s me'");
    }

    #[test]
    fn the_end_of_a_long_output_is_kept() {
        let output = (0..100).map(|number| format!("  line {number}\n\n")).collect::<String>();
        assert!(last_lines(&output).ends_with("| line 98 | line 99"));
        assert_eq!(last_lines(&"x".repeat(10_000)).len(), 600);
        assert!(!last_lines("a\u{1b}[31mb").contains('\u{1b}'));
        assert_eq!(last_lines(""), "");
    }
}
