//! Asks an interpreter what it is. Its name says little: a file in PATH may start another program,
//! or may start nothing at all.

use std::{
    collections::BTreeMap,
    env::consts,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::Language;
use crate::up::process::{Kept, run};

/// An interpreter that runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::up) struct Interpreter {
    pub(in crate::up) language: Language,
    /// The minor version of Python 3, or the major one of Node. 0 for Python 2.
    pub(in crate::up) release: u32,
    /// In full: `3.11.7`.
    pub(in crate::up) version: String,
    /// The file that runs, absolute.
    pub(in crate::up) executable: PathBuf,
    /// What compiled libraries have to be made for.
    pub(in crate::up) platform: String,
}

/// How long an interpreter may take to say what it is.
const LIMIT: Duration = Duration::from_secs(10);
const BYTES_MAX: usize = 16 << 10;

/// Any version of Python reads this. It imports what the interpreter has in itself, so that no file
/// is taken for it.
const PYTHON: &str = "
import posix, sys
about = getattr(sys, 'implementation', sys)
text = '\\n'.join(['%d.%d.%d' % tuple(sys.version_info[:3]), sys.executable,
    getattr(about, 'cache_tag', '') + '-' + getattr(about, '_multiarch', '')])
if not isinstance(text, bytes):
    text = text.encode(sys.getfilesystemencoding(), 'surrogateescape')
posix.write(1, text)
";
const NODE: &str =
    "[process.version.slice(1), process.execPath, process.versions.modules].join('\\n')";

/// What `file` is. None if it does not run, or is of another language.
pub(super) async fn ask(
    language: Language,
    file: &Path,
    environment: &BTreeMap<String, String>,
) -> Option<Interpreter> {
    let mut command = Command::new(file);
    match language {
        Language::Python => command.args(["-E", "-S", "-B", "-c", PYTHON]),
        Language::Node => command.args(["-p", NODE]),
    };
    let own = ["NODE_OPTIONS", "NODE_PATH"];
    let passed = environment.iter().filter(|(key, _)| !own.contains(&key.as_str()));
    // Some programs in PATH decide by the working folder which interpreter they start.
    command.env_clear().envs(passed).current_dir("/");
    let ended = run(command, Kept::Answer(BYTES_MAX), LIMIT).await.ok()?;
    let answer = String::from_utf8(ended.output).ok().filter(|_| ended.status.success())?;
    read(language, &answer)
}

fn read(language: Language, answer: &str) -> Option<Interpreter> {
    let mut lines = answer.trim_end().split('\n');
    let (version, executable, platform) = (lines.next()?, lines.next()?, lines.next()?);
    let mut numbers = version.split('.').map_while(|number| number.parse().ok());
    let (major, minor): (u32, u32) = (numbers.next()?, numbers.next()?);
    let release = match language {
        Language::Python if major == 3 => minor,
        Language::Python => 0,
        Language::Node => major,
    };
    let executable = Some(PathBuf::from(executable)).filter(|path| path.is_absolute())?;
    let platform = format!("{platform}-{}-{}", consts::OS, consts::ARCH);
    Some(Interpreter { language, release, version: version.to_owned(), executable, platform })
}

#[cfg(test)]
mod tests {
    use super::{Language, read};

    #[test]
    fn answers_that_are_none_are_refused() {
        let release = |language, answer| read(language, answer).map(|found| found.release);
        assert_eq!(release(Language::Python, "3.11.7\n/usr/bin/python3\ncpython-311-"), Some(11));
        assert_eq!(release(Language::Python, "2.7.18\n/usr/bin/python2\n-"), Some(0));
        assert_eq!(release(Language::Node, "20.20.2\n/usr/bin/node\n115\n"), Some(20));
        for answer in ["", "3.11.7", "3.11.7\npython3\ncpython-311-", "a.b\n/bin/python3\n-"] {
            assert_eq!(release(Language::Python, answer), None, "{answer:?}");
        }
    }
}
