//! What the author is told about an interpreter: one note for all functions that share it.

use project::{Function, Note, Severity};

use super::{Choice, Interpreter, Language, Wanted, differences::between};

/// Functions that a note names. The others are counted.
const NAMES_MAX: usize = 5;

/// The note about `choice`, if it is not what `functions` want. There is one function at least.
pub(super) fn note(wanted: Wanted, choice: &Choice, functions: &[&Function]) -> Option<Note> {
    let (severity, text) = match (&choice.interpreter, wanted.release) {
        (Some(found), Some(release)) if found.release != release => {
            (Severity::Warning, other(wanted.language, release, found, functions))
        }
        (Some(_), _) => return None,
        (None, _) => (Severity::Error, none(wanted, choice, functions)),
    };
    let first = functions.first()?;
    let place = first.places.get("runtime").unwrap_or(&first.place);
    Some(Note { severity, place: Some(place.clone()), text })
}

fn other(language: Language, release: u32, found: &Interpreter, functions: &[&Function]) -> String {
    let wanted = language.named(release);
    let why = if release < language.least() {
        format!("{wanted} is too old to run here")
    } else {
        format!("{wanted} is not on this machine")
    };
    let differences = between(language, release, found.release);
    let differences = if differences.is_empty() {
        String::new()
    } else {
        format!(". What differs: {differences}")
    };
    format!(
        "{why}, so {language} {} runs {}{differences}. To choose another one, write the settings with \
         longhold import, and set interpreter of the function in functions.toml",
        found.version,
        names(functions),
    )
}

fn none(wanted: Wanted, choice: &Choice, functions: &[&Function]) -> String {
    let language = wanted.language;
    let least = language.named(language.least());
    let found = match &choice.too_old {
        Some(old) => {
            format!("{} is {language} {}", old.executable.display(), old.version)
        }
        None => format!("there is no {} in PATH that runs", language.program()),
    };
    let install = match language {
        Language::Python => "python3 with your package manager (apt install python3)",
        Language::Node => {
            "Node from https://nodejs.org, or with your package manager (apt install nodejs)"
        }
    };
    let newest = wanted.release.filter(|release| *release >= language.least());
    let wanted = newest.map_or_else(
        || format!("{least} or newer"),
        |release| format!("{}, or at least {least}", language.named(release)),
    );
    format!("{found}, and {} needs {wanted}: install {install}", names(functions))
}

/// `a, b and 3 more`.
pub(in crate::up) fn names(functions: &[&Function]) -> String {
    let named: Vec<_> =
        functions.iter().take(NAMES_MAX).map(|function| function.name.as_str()).collect();
    match functions.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
