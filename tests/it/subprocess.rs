//! Functions over real child processes: one table of cases for all languages, the life of
//! instances, bad start-ups, and what is left when the runner has gone.

#![allow(clippy::print_stderr, reason = "whoever runs the tests is told what was skipped")]

mod cases;
mod confinement;
mod examples;
mod follow;
mod functions;
mod instances;
mod lambda;
mod log;
mod orphans;
mod reload;
mod sdk;
mod start_up;

use functions::Functions;
