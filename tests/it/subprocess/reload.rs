//! functions.toml and code are changed while functions are invoked. No invocation fails by this.

mod changing_runner;
mod code;
mod links;
mod load;
mod lost_code;
mod settings;
