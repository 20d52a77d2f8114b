//! Projects whose paths are in the console of the cloud only: their functions have names that say
//! what they do.

use crate::{
    components::{Endpoint, Parts},
    context::{Context, Said},
    model::Function,
    note::{Severity, Spot},
};

/// Words in the names of functions of each kind.
const REGISTER: &[&str] = &["register", "connect"];
const TRANSMIT: &[&str] = &["transmi", "transport"];
const CLEANUP: &[&str] = &["cleanup", "clean_up", "clean-up", "clean", "disconnect"];

/// How long a call may take, as where no document says it.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(15);

/// The path that the functions are made for, if no file has a path and the names leave no doubt.
pub(super) fn guessed(context: &mut Context<'_>, parts: &Parts) -> Option<Endpoint> {
    let functions = &parts.functions;
    if functions.is_empty() || !parts.endpoints.is_empty() {
        return None;
    }
    let cleanup = only(functions, CLEANUP, &[]);
    let register = only(functions, REGISTER, CLEANUP);
    let transmit = only(functions, TRANSMIT, &[]);
    let (Some(register), Some(transmit)) = (register, transmit) else {
        say_none(context);
        return None;
    };
    if register.name == transmit.name {
        say_none(context);
        return None;
    }
    let of_cleanup = cleanup.map(|function| format!(" and {} as cleanup", function.name));
    let what = format!(
        "no file has a path for WebSockets; by their names, {} is taken as register, {} as \
         transmit{}, and clients may come by any path",
        register.name,
        transmit.name,
        of_cleanup.unwrap_or_default()
    );
    context.notes.at(Severity::Warning, transmit.place.clone(), what);
    let said = |function: &Function| {
        let Function { name, place, .. } = function;
        let spot = Spot { file: place.file.as_path().into(), line: place.line };
        Said { text: name.clone(), spot }
    };
    Some(Endpoint {
        name: "chat".to_owned(),
        path: Said { text: "/".to_owned(), ..said(transmit) },
        stage: "release".to_owned(),
        register: Some(said(register)),
        transmit: said(transmit),
        cleanup: cleanup.map(said),
        timeout: TIMEOUT,
        id: None,
    })
}

/// The only function whose name has one of `words`, and none of `others`. The first word that fits
/// any name counts.
fn only<'a>(functions: &'a [Function], words: &[&str], others: &[&str]) -> Option<&'a Function> {
    let has = |function: &Function, word: &str| function.name.to_lowercase().contains(word);
    let fits = |word: &str| -> Vec<&'a Function> {
        let fit = functions.iter().filter(|function| {
            has(function, word) && !others.iter().any(|other| has(function, other))
        });
        fit.collect()
    };
    let found = words.iter().map(|word| fits(word)).find(|found| !found.is_empty())?;
    match found[..] {
        [function] => Some(function),
        _ => None,
    }
}

fn say_none(context: &mut Context<'_>) {
    let what = "the project has functions and no path for WebSockets that leads to them; add \
                component: apigateway with an endpoint of protocol: WEBSOCKET and \
                transportFunctionName, registerFunctionName and cleanupFunctionName";
    context.notes.general(Severity::Warning, what);
}
