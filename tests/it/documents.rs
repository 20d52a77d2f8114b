//! The documents: each sample in them is run, or read by the code that it is for; each quoted log
//! line is one that is logged; each link leads somewhere.
//!
//! A fenced block says in its info string what it is: a language, and for settings and programs
//! the file that it belongs into.

mod auth;
mod blocks;
mod commands;
mod compose;
mod examples;
mod languages;
mod links;
mod log_lines;
mod own_runner;
mod path_rules;
mod proxies;
mod scf;
mod security;
mod seen;
mod service;
mod settings;
mod shapes;
mod shell;
mod tables;
mod units;

use std::{env, path::Path};

/// Whether a program is there. In CI it has to be; elsewhere its tests are skipped, and say so.
fn has(program: &str, package: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there = env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/bin", "/bin"].map(Into::into))
        .any(|folder| Path::new(&folder).join(program).exists());
    if !is_there {
        skipped::without(format!("{program} is missing (apt-get install {package})"));
    }
    is_there
}
