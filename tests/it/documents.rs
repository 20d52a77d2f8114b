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
mod protection;
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

use crate::support::program::has;
