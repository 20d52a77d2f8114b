//! The paths by which clients come: with the stage and without.

/// The patterns of `gateway.toml` for a path of the cloud's gateway. Pages have the paths that no
/// API has: so the root, without the stage, is left to them.
pub(super) fn patterns(path: &str, stage: &str, has_pages: bool) -> Vec<String> {
    let (mark, path) = ["^~", "="]
        .iter()
        .find_map(|mark| Some((*mark, path.strip_prefix(mark)?)))
        .unwrap_or(("", path));
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    if path == "/" {
        // The cloud's clients write the slash at the end or not.
        let mut patterns = vec![format!("{mark}/{stage}")];
        if mark == "=" {
            patterns.push(format!("{mark}/{stage}/"));
        }
        patterns.extend((!has_pages).then(|| format!("{mark}/")));
        return patterns;
    }
    if path == format!("/{stage}") || path.starts_with(&format!("/{stage}/")) {
        return vec![format!("{mark}{path}")];
    }
    vec![format!("{mark}/{stage}{path}"), format!("{mark}{path}")]
}

#[cfg(test)]
mod tests {
    use super::patterns;

    #[test]
    fn clients_come_with_the_stage_and_without() {
        for (path, expected) in [
            ("/pgws", vec!["/release/pgws", "/pgws"]),
            ("pgws", vec!["/release/pgws", "/pgws"]),
            ("=/x", vec!["=/release/x", "=/x"]),
            ("^~/x", vec!["^~/release/x", "^~/x"]),
            ("/u/{id}", vec!["/release/u/{id}", "/u/{id}"]),
            ("/release/x", vec!["/release/x"]),
            ("/", vec!["/release", "/"]),
            ("=/", vec!["=/release", "=/release/", "=/"]),
        ] {
            assert_eq!(patterns(path, "release", false), expected, "{path}");
        }
        assert_eq!(patterns("/", "test", true), ["/test"]);
        assert_eq!(patterns("/x", "test", true), ["/test/x", "/x"]);
    }
}
