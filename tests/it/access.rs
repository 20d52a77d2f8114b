//! Who may use which route of which listener, and what keeps the others out.

mod functions;
mod inline;
mod neighbours;
mod rotation;
pub(crate) mod routes;
mod shares;
mod signed;
mod start;
