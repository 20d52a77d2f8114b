//! Which modules a file of JavaScript or TypeScript loads, as far as their names stand in it.

use std::sync::LazyLock;

use regex::Regex;

/// A module that code loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// As it is written: `./room`, `lodash/get`, `@scope/name`.
    pub specifier: String,
    /// The first line is 1.
    pub line: usize,
    pub kind: ImportKind,
    /// Whether it stands in a `try`: the code may go on without it.
    pub is_optional: bool,
}

/// How a module is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportKind {
    /// `require("x")`
    Require,
    /// `import … from "x"`, `export … from "x"` or `import("x")`
    Import,
}

static REQUIRE: LazyLock<Regex> =
    LazyLock::new(|| compile(r#"\brequire\s*\(\s*["'`]([^"'`\n$]+)["'`]\s*\)"#));
static CALL: LazyLock<Regex> =
    LazyLock::new(|| compile(r#"\bimport\s*\(\s*["'`]([^"'`\n$]+)["'`]"#));
static STATEMENT: LazyLock<Regex> = LazyLock::new(|| {
    compile(r#"(?m)^\s*(?:import|export)\b(?:[^"'`;=()]*?\bfrom)?\s*["']([^"'\n]+)["']"#)
});

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant, and a test uses it")
}

/// The modules that `text` loads, in its order. Types of TypeScript are not loaded.
pub fn javascript_imports(text: &str) -> Vec<Import> {
    let kinds = [
        (&*REQUIRE, ImportKind::Require),
        (&*CALL, ImportKind::Import),
        (&*STATEMENT, ImportKind::Import),
    ];
    let mut found: Vec<_> = kinds
        .into_iter()
        .flat_map(|(pattern, kind)| pattern.captures_iter(text).map(move |found| (found, kind)))
        .filter_map(|(found, kind)| {
            let (whole, specifier) = (found.get(0)?, found.get(1)?);
            let is_type = whole.as_str().trim_start().starts_with("import type ");
            let import = Import {
                specifier: specifier.as_str().to_owned(),
                line: 1 + text[..specifier.start()].matches('\n').count(),
                kind,
                is_optional: is_in_try(&text[..whole.start()]),
            };
            let start = whole.start() + whole.as_str().len() - whole.as_str().trim_start().len();
            (!is_type && !is_comment(&text[..start])).then_some((start, import))
        })
        .collect();
    found.sort_by_key(|(start, _)| *start);
    found.into_iter().map(|(_, import)| import).collect()
}

/// Whether what comes behind `before` stands in a comment. An address has `//` too, behind a colon.
fn is_comment(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default();
    let begun = line.match_indices("//").any(|(at, _)| !line[..at].ends_with(':'));
    begun
        || line.trim_start().starts_with('*')
        || before.rfind("/*").is_some_and(|start| !before[start..].contains("*/"))
}

fn is_in_try(before: &str) -> bool {
    let mut lines = before.rsplit('\n');
    let begins = |line: &str| line.contains("try {") || line.contains("try{");
    lines.next().is_some_and(begins)
        || lines.find(|line| !line.trim().is_empty()).is_some_and(|line| {
            let line = line.trim_end();
            begins(line) && line.ends_with('{')
        })
}

#[cfg(test)]
mod tests {
    use super::{ImportKind, javascript_imports};

    #[test]
    fn modules_are_found_however_they_are_loaded() {
        let text = "const a = require('a'), { b } = require(\"@s/b/c\");\n\
                    import d from 'd';\nimport {\n  e,\n  f as g,\n} from \"e\";\nimport 'h';\n\
                    export * from './i.js';\nconst j = await import(`j`);\n";
        let found: Vec<_> = javascript_imports(text)
            .into_iter()
            .map(|import| (import.specifier, import.line, import.kind == ImportKind::Require))
            .collect();
        let expected = [
            ("a", 1, true),
            ("@s/b/c", 1, true),
            ("d", 2, false),
            ("e", 6, false),
            ("h", 7, false),
            ("./i.js", 8, false),
            ("j", 9, false),
        ];
        assert_eq!(found, expected.map(|(name, line, kind)| (name.to_owned(), line, kind)));
    }

    #[test]
    fn what_is_no_import_is_not_taken_for_one() {
        for text in [
            "// const a = require('a')",
            "/* a\n require('a') */",
            " * require('a')",
            "require(name)",
            "require(`./${name}`)",
            "import type { A } from 'a';",
            "important('a')",
            "const x = exported.require_('a')",
            "const from = 'a';",
            "export const from = 'a';",
            "export default 'a';",
        ] {
            assert_eq!(javascript_imports(text), [], "{text}");
        }
        // An address is no comment.
        assert_eq!(javascript_imports("x('http://y'); require('a')").len(), 1);
        assert_eq!(javascript_imports("/* a */ require('a')").len(), 1);
    }

    #[test]
    fn what_stands_in_a_try_is_optional() {
        let is_optional =
            |text: &str| javascript_imports(text).iter().all(|import| import.is_optional);
        assert!(is_optional("try {\n\n  a = require('a')\n} catch (e) {}"));
        assert!(is_optional("try { a = require('a') } catch {}"));
        assert!(!is_optional("const b = 1\nrequire('a')"));
    }
}
