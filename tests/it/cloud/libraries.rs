//! The client libraries of the tests, which CI installs.

use std::{path::PathBuf, process::Command};

use crate::subprocess::functions::{cloud_python, has};

/// What the Python has to have.
const IMPORTS: &str = "import aiohttp, httpretty, httpx, qcloud_cos, requests, requests_mock, \
                       responses, tencentcloud.scf, websockets";

/// A line of settings with the Python that has the libraries.
pub(super) fn python() -> Option<String> {
    let python = cloud_python()?;
    let has_all = Command::new(&python).args(["-c", IMPORTS]).output();
    if !has_all.is_ok_and(|tried| tried.status.success()) {
        skipped::without(format!("{python} has not all libraries: {IMPORTS}"));
        return None;
    }
    Some(format!("interpreter = \"{python}\""))
}

/// The folder with the libraries of Node.
pub(super) fn node() -> Option<PathBuf> {
    let folder = std::env::var_os("LONGHOLD_NODE_LIBRARIES").map(PathBuf::from);
    if folder.is_none() {
        skipped::without(
            "set LONGHOLD_NODE_LIBRARIES to a folder with node_modules that has axios, \
             node-fetch, nock and cos-nodejs-sdk-v5",
        );
    }
    folder.filter(|_| has("node"))
}
