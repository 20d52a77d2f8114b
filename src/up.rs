//! What runs a cloud project on this machine: the interpreters of its functions, and the libraries
//! that they import.

mod interpreters;
mod process;
