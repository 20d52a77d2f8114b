//! One sample project of each shape, with the listing of what is read from it. With the variable
//! `WRITE_LISTINGS` the listings are written anew: look at what has changed.

use std::fs;

use super::{listing::listing, read, sample};

fn check(shape: &str) {
    let folder = sample(shape);
    let found = listing(&folder, &read(&folder));
    let file = sample(&format!("{shape}.txt"));
    if std::env::var_os("WRITE_LISTINGS").is_some() {
        fs::write(&file, &found).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(found, expected, "{} differs", file.display());
}

#[test]
fn a_map_of_components_in_python() {
    check("python-map");
}

#[test]
fn a_map_of_components_in_node() {
    check("node-map");
}

#[test]
fn the_component_websocket() {
    check("websocket");
}

#[test]
fn one_component_in_each_folder() {
    check("instances");
}

#[test]
fn several_functions_of_one_component() {
    check("multi");
}

#[test]
fn a_template_of_sam() {
    check("sam");
}

#[test]
fn a_project_with_faults() {
    check("broken");
}
