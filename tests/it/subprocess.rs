//! Functions in real child processes: one table of cases for all languages, instances, failing
//! starts, and processes that remain after the end of the runner.

mod boundary;
mod cases;
mod confinement;
mod dying;
mod errors;
mod escapes;
mod exports;
mod follow;
pub(crate) mod functions;
mod handlers;
mod instances;
mod lambda;
mod late_failures;
mod log;
mod meddling;
mod neighbours;
mod orphans;
mod panics;
mod process_one;
mod pushes;
mod python_ends;
mod reload;
mod replies;
mod root_logger;
mod routes;
mod sdk;
mod secrets;
mod shadowing;
mod start_up;
mod versions;

use functions::Functions;
