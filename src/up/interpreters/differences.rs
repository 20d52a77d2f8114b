//! What differs between releases of an interpreter and matters to functions. Facts of "What's New"
//! and "Porting" of <https://docs.python.org/3/whatsnew/>, and of the changelogs, the list of
//! deprecations and the migration guides of <https://nodejs.org/api/deprecations.html> and
//! <https://github.com/nodejs/node/tree/main/doc/changelogs>.

use super::Language;

/// What a release changed, so that code of an older one may fail with it.
const CHANGED_IN_PYTHON: [(u32, &str); 8] = [
    (7, "async and await are no names any more, and StopIteration within a generator is an error"),
    (8, "time.clock, cgi.escape, platform.dist and platform.linux_distribution are gone"),
    (
        9,
        "base64.encodestring and decodestring, Thread.isAlive, Element.getchildren and the \
         parameter encoding of json.loads are gone",
    ),
    (
        10,
        "collections.Mapping and the like are in collections.abc only, and asyncio has no parameter \
         loop any more",
    ),
    (11, "asyncio.coroutine and inspect.getargspec are gone, and random.sample takes no set"),
    (12, "distutils, imp, asyncore, asynchat, smtpd and ssl.wrap_socket are gone"),
    (
        13,
        "cgi, cgitb, crypt, telnetlib, imghdr, pipes, uu, audioop and other old modules are gone, \
         and TLS certificates are checked more strictly",
    ),
    (
        14,
        "asyncio.get_event_loop fails without a running loop, multiprocessing does not fork by \
         default, and ast.Num and ast.Str are gone",
    ),
];

/// What a release brought, so that code for it may fail with an older one.
const NEW_IN_PYTHON: [(u32, &str); 8] = [
    (7, "dataclasses, asyncio.run and from __future__ import annotations"),
    (8, "the operator :=, parameters before / and f\"{x=}\""),
    (9, "list[int] as a type, | for dicts, str.removeprefix and zoneinfo"),
    (10, "match, and X | Y as a type"),
    (11, "except*, ExceptionGroup, asyncio.TaskGroup and tomllib"),
    (12, "the statement type, type parameters and any quotes within f-strings"),
    (13, "copy.replace, warnings.deprecated and defaults of type parameters"),
    (14, "t-strings, except without parentheses and annotations that are read later"),
];

const CHANGED_IN_NODE: [(u32, &str); 10] = [
    (10, "functions of fs without a callback throw"),
    (12, "TLS 1.0 and 1.1 are off"),
    (15, "a rejected promise that nobody handles ends the process"),
    (16, "fs.rmdir with recursive fails where there is no folder"),
    (
        17,
        "OpenSSL 3 refuses old algorithms such as MD4, and localhost may lead to ::1 before 127.0.0.1",
    ),
    (19, "HTTP clients keep connections open by default"),
    (21, "there is a global navigator, which some libraries take for a browser"),
    (
        22,
        "crypto.createCipher and createDecipher are gone, and import takes with in place of assert",
    ),
    (23, "util.isError, isDate, isFunction and the like, and util.log are gone"),
    (24, "OpenSSL refuses RSA keys with less than 2048 bits and RC4, and url.parse warns"),
];

const NEW_IN_NODE: [(u32, &str); 9] = [
    (12, "class fields, ES modules without a flag and Object.fromEntries"),
    (14, "the operators ?. and ??"),
    (15, "the operators ??=, &&= and ||=, Promise.any and replaceAll"),
    (16, "Array.prototype.at and Object.hasOwn"),
    (17, "structuredClone"),
    (18, "fetch and Array.prototype.findLast"),
    (20, "Array.prototype.toSorted and the like"),
    (22, "require of ES modules and the global WebSocket"),
    (24, "URLPattern, RegExp.escape and Error.isError"),
];

/// What may matter to code that was made for release `from` and runs on `to`. Empty if nothing is
/// known.
pub(super) fn between(language: Language, from: u32, to: u32) -> String {
    let (changed, new): (&[_], &[_]) = match language {
        Language::Python => (&CHANGED_IN_PYTHON, &NEW_IN_PYTHON),
        Language::Node => (&CHANGED_IN_NODE, &NEW_IN_NODE),
    };
    let is_newer = from < to;
    let table = if is_newer { changed } else { new };
    let (low, high) = (from.min(to), from.max(to));
    let rows = table.iter().filter(|(release, _)| low < *release && *release <= high);
    let rows: Vec<_> = rows
        .map(|(release, what)| {
            let named = language.named(*release);
            if is_newer {
                format!("from {named} on {what}")
            } else {
                format!("{named} brought {what}")
            }
        })
        .collect();
    rows.join("; ")
}

#[cfg(test)]
mod tests {
    use super::{Language, between};

    #[test]
    fn only_what_lies_between_two_releases_is_said() {
        let python = between(Language::Python, 9, 11);
        assert!(python.starts_with("from Python 3.10 on collections.Mapping"), "{python}");
        assert!(python.contains("; from Python 3.11 on asyncio.coroutine"), "{python}");
        assert!(!python.contains("Python 3.9") && !python.contains("Python 3.12"), "{python}");
        let older = between(Language::Python, 10, 9);
        assert_eq!(older, "Python 3.10 brought match, and X | Y as a type");
        let node = between(Language::Node, 14, 16);
        assert!(node.starts_with("from Node 15 on a rejected promise"), "{node}");
        assert_eq!(between(Language::Node, 12, 12), "");
    }

    #[test]
    fn tables_are_in_order() {
        for tables in [super::CHANGED_IN_PYTHON, super::NEW_IN_PYTHON] {
            assert!(tables.is_sorted_by_key(|(release, _)| *release));
        }
        assert!(super::CHANGED_IN_NODE.is_sorted_by_key(|(release, _)| *release));
        assert!(super::NEW_IN_NODE.is_sorted_by_key(|(release, _)| *release));
    }
}
