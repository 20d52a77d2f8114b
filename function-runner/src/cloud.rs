//! The cloud's host names, and what functions have of the cloud: code that was written for it names
//! hosts of the cloud, and finds ours in their place.
//!
//! Knows no processes: the runtime decides whose requests come here.

mod forward;
mod led_names;
mod names;
mod process;
mod role;
mod roots;
mod said;
mod watched;

pub(crate) use self::{
    led_names::{Lead, LedNames},
    names::name_in,
    process::{ActionHandler, CloudProcess},
    roots::Roots,
};
