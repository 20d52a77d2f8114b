//! A YAML document as a tree in which each node knows its line.
//!
//! There are limits on the size of the text, on nesting and on the number of nodes, in which an
//! alias counts as much as what it repeats. A tree shares its branches, so that repeating one is
//! cheap.

mod build;
mod node;

use std::{path::Path, sync::Arc};

use granit_parser::{Parser, options};

use self::build::Builder;
pub(crate) use self::node::{Entry, Node, Value};
use crate::note::Spot;

/// The longest file, in bytes.
pub(crate) const BYTES_MAX: u64 = 1024 * 1024;
/// How deep lists and maps may be within each other.
const DEPTH_MAX: usize = 64;
/// How many values, lists and maps a document may have.
const NODES_MAX: usize = 50_000;

/// A document that is no YAML.
#[derive(Debug)]
pub(crate) struct YamlError {
    pub(crate) line: usize,
    pub(crate) what: String,
}

/// The first document of a file.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// None if there is nothing but comments.
    pub(crate) root: Option<Node>,
    /// The line of a second document.
    pub(crate) second: Option<usize>,
}

/// Reads the first document of `text`, which is the content of `file`.
pub(crate) fn parse(file: &Arc<Path>, text: &str) -> Result<Parsed, YamlError> {
    let options = options! { block_nesting_limit: DEPTH_MAX, flow_nesting_limit: DEPTH_MAX };
    let mut builder = Builder::new(file, NODES_MAX);
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| YamlError {
            line: error.marker().line().max(1),
            what: error.info(),
        })?;
        let line = span.start.line().max(1);
        if builder.is_complete() {
            if event.is_node() {
                return Ok(Parsed { root: builder.finish(), second: Some(line) });
            }
            continue;
        }
        builder.add(event, line).map_err(|what| YamlError { line, what })?;
    }
    Ok(Parsed { root: builder.finish(), second: None })
}

/// The first line of a file.
pub(crate) fn top(file: &Arc<Path>) -> Spot {
    Spot { file: file.clone(), line: 1 }
}

#[cfg(test)]
mod tests;
