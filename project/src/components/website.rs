//! `component: website`: a folder of pages.

use std::path::Path;

use super::Parts;
use crate::{
    context::{
        Context, Key,
        Meaning::{Fine, Idle, Missed},
    },
    documents::{Document, Instance},
    functions::joined,
    model::Website,
    note::Severity,
    yaml::Node,
};

const KEYS: &[Key] = &[
    ("src", Fine),
    ("srcOriginal", Fine),
    ("code", Fine),
    ("region", Fine),
    ("bucket", Fine),
    ("bucketName", Fine),
    ("protocol", Fine),
    ("replace", Fine),
    ("autoSetupAcl", Fine),
    ("autoSetupPolicy", Fine),
    ("disableErrorStatus", Fine),
    ("ignoreHtmlExt", Missed("pages are found by their whole names here")),
    ("env", Missed("env.js is not written here; put it beside the pages yourself")),
    ("cors", Idle("all pages and functions here have one origin")),
    ("hosts", Idle("clients reach the pages by any name that leads to this machine")),
    ("cdn", Idle("there is no CDN here")),
];

pub(super) fn read(
    context: &mut Context<'_>,
    document: &Document,
    instance: &Instance,
    inputs: &Node,
    parts: &mut Parts,
) {
    context.check_keys(inputs, KEYS, "the component website");
    let Some(source) = ["src", "code"].iter().find_map(|key| context.get(inputs, key)) else {
        context.notes.error(&instance.spot, "the website has no src; write src: and its folder");
        return;
    };
    let written = if source.is_map() {
        ["src", "root"].iter().find_map(|key| context.text(&source, key))
    } else {
        context.as_text("src", &source, Severity::Error).ok()
    };
    // What a build makes is in a folder of its own.
    let built = context.text(&source, "dist");
    let hook = context.text(&source, "hook");
    let Some(said) = built.or(written) else {
        context.notes.error(&source.spot, "the website has no folder; write src: and its folder");
        return;
    };
    let relative = joined(document.folder(), &said.text);
    let folder = context.folder.join(&relative);
    if !folder.is_dir() {
        let shown = relative.display();
        let hook =
            hook.map(|hook| format!("; run {:?} to build it", hook.text)).unwrap_or_default();
        let what = format!("there is no folder {shown} for the pages{hook}");
        context.notes.error(&said.spot, what);
        return;
    }
    if let Some(hook) = hook {
        let what =
            format!("hook is not run here; run {:?} yourself when the pages change", hook.text);
        context.notes.info(&hook.spot, what);
    }
    let index = context.text(&source, "index").or_else(|| context.text(inputs, "index"));
    if let Some(index) = &index {
        check_index(context, &folder, &index.text, &index.spot);
    }
    let name = instance.key.clone();
    let name = name.or_else(|| instance.name.as_ref()?.text().map(str::to_owned));
    parts.websites.push(Website {
        name: name.unwrap_or_else(|| "website".to_owned()),
        place: (&said.spot).into(),
        folder,
        index: index.map(|index| index.text),
    });
}

fn check_index(context: &mut Context<'_>, folder: &Path, index: &str, spot: &crate::note::Spot) {
    if !folder.join(index).is_file() {
        context.notes.warning(spot, format!("there is no page {index} in the folder"));
    } else if index != "index.html" {
        let what = format!("the page of a folder is index.html here; open /{index}");
        context.notes.warning(spot, what);
    }
}
