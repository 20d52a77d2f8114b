//! A project, its notes and its settings, as text to compare.

use std::{fmt::Write, path::Path};

use project::{Function, Reading, Surroundings, WebSocketApi};

use super::notes;

/// Everything that is known about a project in `folder`, whose path is not a part of it.
pub(crate) fn listing(folder: &Path, reading: &Reading) -> String {
    let project = &reading.project;
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").unwrap();
    line(format!("region {}, account {}", project.region, project.app_id));
    for function in &project.functions {
        describe(function, &mut line);
    }
    for api in &project.apis {
        describe_api(api, &mut line);
    }
    for bucket in &project.buckets {
        line(format!("bucket {} in {} ({})", bucket.name, bucket.region, bucket.place));
    }
    for website in &project.websites {
        line(format!("website {} of {}", website.name, website.folder.display()));
    }
    line("\nnotes".to_owned());
    notes(reading).into_iter().for_each(&mut line);
    line("\nsources".to_owned());
    reading.sources.iter().map(|source| source.display().to_string()).for_each(&mut line);
    let texts = project.settings(&Surroundings {
        data: "/data".into(),
        libraries: [("room_register".to_owned(), "/libraries".into())].into(),
        interpreters: [("room_register".to_owned(), "/opt/python3.6/bin/python".into())].into(),
        // Beside the code, so that the listing is the same wherever the repository is.
        shim: Some(folder.join("shim")),
        base: folder.to_owned(),
    });
    let files = [
        ("gateway.toml", Some(texts.gateway)),
        ("functions.toml", Some(texts.functions)),
        ("cos.toml", texts.cos),
    ];
    for (name, settings) in files {
        if let Some(settings) = settings {
            line(format!("\n--- {name}\n{}", settings.trim_end()));
        }
    }
    text.replace(folder.to_str().unwrap(), "<folder>")
}

fn describe(function: &Function, line: &mut impl FnMut(String)) {
    line(format!(
        "function {} ({}): {} {:?} {} in {}, {} s, {} MB",
        function.name,
        function.place,
        function.cloud_runtime,
        function.runtime,
        function.handler,
        function.code.display(),
        function.timeout.as_secs(),
        function.memory_mb
    ));
    for (key, value) in &function.environment {
        line(format!("    {key}={value}"));
    }
    if let Some(entry) = &function.entry {
        line(format!("    loads {entry}"));
    }
}

fn describe_api(api: &WebSocketApi, line: &mut impl FnMut(String)) {
    let name = |function: &Option<String>| function.clone().unwrap_or_else(|| "-".to_owned());
    line(format!(
        "api {} ({}): {} by {}, {} s",
        api.id,
        api.place,
        api.name,
        api.paths.join(" "),
        api.timeout.as_secs()
    ));
    line(format!("    {} {} {}", name(&api.register), api.transmit, name(&api.cleanup)));
    line(format!("    cloud ids {:?}, push ids {:?}", api.cloud_ids, api.push_ids));
}
