//! `functions.toml` of a project.

use std::collections::BTreeMap;

use super::{
    Surroundings, private_tmp,
    text::{NOWHERE, Toml, quoted},
    whole,
};
use crate::model::{Function, Project, Runtime};

/// A variable that stands for a dollar sign: `${` of an environment begins the name of a variable
/// of the settings.
const DOLLAR: &str = "dollar";

pub(super) fn text(project: &Project, surroundings: &Surroundings) -> String {
    let mut toml = Toml::default();
    toml.comment(
        "Made of a cloud project. A comment says from which line a value comes.\n\
         The environments of the functions may have secrets.",
    );
    toml.table("[access]", NOWHERE);
    toml.text("service_file", &surroundings.data("service.token"), NOWHERE);
    toml.text("operator_file", &surroundings.data("operator.token"), NOWHERE);
    toml.table("[cloud]", NOWHERE);
    toml.text("region", &project.region, NOWHERE);
    toml.text("appid", &project.app_id, NOWHERE);
    apis(&mut toml, project);
    let values = project.functions.iter().flat_map(|function| function.environment.values());
    if values.into_iter().any(|value| value.contains("${")) {
        toml.table("[variables]", NOWHERE);
        toml.text(DOLLAR, "$", NOWHERE);
    }
    for function in &project.functions {
        add(&mut toml, project, function, surroundings);
    }
    toml.finish()
}

/// The ids that old addresses have.
fn apis(toml: &mut Toml, project: &Project) {
    let leads = project.old_ids();
    if !leads.is_empty() {
        toml.table("[cloud.apis]", NOWHERE);
        for (id, own) in leads {
            toml.text(&quoted(id), own, NOWHERE);
        }
    }
}

fn add(toml: &mut Toml, project: &Project, function: &Function, surroundings: &Surroundings) {
    let place = |key: &str| function.places.get(key);
    let runtime = match function.runtime {
        Runtime::Python => "python3",
        Runtime::Node => "nodejs",
        Runtime::Custom => "custom",
    };
    toml.table(&format!("[functions.{}]", function.name), Some(&function.place));
    let named =
        format!("{}: {}", place("runtime").unwrap_or(&function.place), function.cloud_runtime);
    toml.text("runtime", runtime, Some(&named));
    toml.text("handler", &function.handler, place("handler"));
    let shim = surroundings.shim.as_ref().filter(|_| function.entry.is_some());
    toml.text("code", &surroundings.written(shim.unwrap_or(&function.code)), place("code"));
    if let Some(interpreter) = interpreter(function, surroundings) {
        toml.text("interpreter", &interpreter, NOWHERE);
    }
    toml.text("timeout", &format!("{}s", function.timeout.as_secs()), place("timeout"));
    toml.number("memory_mb", function.memory_mb.into(), place("memory_mb"));
    if !private_tmp::is_possible(function, surroundings) {
        toml.comment("Files that the function needs are in a folder that would be private.");
        toml.flag("private_tmp", false);
    }
    if let Some(role) = &function.role {
        toml.text("role", role, place("role"));
    }
    let environment = environment(project, function, surroundings);
    if !environment.is_empty() {
        toml.table(&format!("[functions.{}.environment]", function.name), NOWHERE);
        for (key, value) in environment {
            toml.text(&key, &value, NOWHERE);
        }
    }
}

/// The interpreter, for a function whose program is not its own.
fn interpreter(function: &Function, surroundings: &Surroundings) -> Option<String> {
    match function.runtime {
        Runtime::Python | Runtime::Node => {
            let interpreter = surroundings.interpreters.get(&function.name)?;
            Some(whole(interpreter).display().to_string())
        }
        Runtime::Custom => None,
    }
}

/// The environment as the settings write it.
fn environment(
    project: &Project,
    function: &Function,
    surroundings: &Surroundings,
) -> BTreeMap<String, String> {
    let written = |value: &String| value.replace("${", &format!("${{{DOLLAR}}}{{"));
    let own = function.environment.iter();
    let mut environment: BTreeMap<_, _> =
        own.map(|(key, value)| (key.clone(), written(value))).collect();
    if let Some(folder) = surroundings.libraries.get(&function.name) {
        let key = match function.runtime {
            Runtime::Python => Some("PYTHONPATH"),
            Runtime::Node => Some("NODE_PATH"),
            Runtime::Custom => None,
        };
        if let Some(key) = key {
            let folder =
                whole(folder).display().to_string().replace("${", &format!("${{{DOLLAR}}}{{"));
            let known = environment.remove(key).filter(|known| !known.is_empty());
            let folders = known.into_iter().chain([folder]).collect::<Vec<_>>();
            environment.insert(key.to_owned(), folders.join(":"));
        }
    }
    if let Some(entry) = &function.entry {
        if surroundings.shim.is_some() {
            let entry = whole(&function.code.join(entry)).display().to_string();
            environment.insert("SLS_ENTRY_FILE".to_owned(), entry);
        }
        // The shim sends to the host of this address and takes no port with it.
        let api = project.apis.iter().find(|api| api.transmit == function.name);
        let address = api.map(|api| format!("http://${{push_host}}/{}", api.id));
        environment.extend(address.map(|address| ("wsBackUrl".to_owned(), address)));
    }
    environment
}
