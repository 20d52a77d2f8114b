//! What a file says, and what is wrong in it.

use super::*;

#[test]
fn a_file_is_read() {
    check(FILE, &[], &file_server());
    check("", &[], &Server::default());
}

#[test]
fn all_that_is_wrong_in_a_file_is_reported_at_once() {
    let file = r#"
        max = 0
        quiet = "true"
        drain = 5
        functions = { f = 1, g = { memory = 1 } }
        extra = 1
        [listen]
        pubic = "a"
        public = ""
        [[api]]
        timeout = "soon"
        [[api]]
        id = 7
        tiemout = "1s"
        [variables]
        push = ["a"]
        pull = ["http://user:password@host"]
        [unknown]
        key = 1
    "#;
    let time = "use a duration from 1s to 1m, such as \"15s\"";
    check_problems(
        file,
        &[],
        &[
            "server.toml: listen.public: \"\" is not valid; use a string that is not empty",
            "server.toml: max: 0 is not valid; use a whole number from 1 to 100",
            "server.toml: quiet: \"true\" is not valid; use true or false",
            "server.toml: drain: is not a table; use the keys of [drain]",
            &format!("server.toml: api[0].timeout: \"soon\" is not valid; {time}"),
            "server.toml: api[0].id: is missing; use a string that is not empty",
            "server.toml: api[1].id: 7 is not valid; use a string that is not empty",
            "server.toml: functions.f: is not a table; use [functions.f]",
            "server.toml: functions.g.memory: is not a setting; did you mean \"memory_mb\"? Known here: memory_mb",
            "server.toml: variables.pull: the value is not valid; use a string that is not empty",
            "server.toml: variables.push: [\"a\"] is not valid; use a string that is not empty",
            "server.toml: api[1].tiemout: is not a setting; did you mean \"timeout\"? Known here: timeout, id",
            "server.toml: listen.pubic: is not a setting; did you mean \"public\"? Known here: public",
            "server.toml: extra: is not a setting; known here: listen, max, quiet, drain, api, \
             functions, variables",
            "server.toml: unknown: is not a setting; known here: listen, max, quiet, drain, api, \
             functions, variables",
        ],
    );
}

#[test]
fn an_array_must_hold_tables() {
    let problem = "server.toml: api: is not a list of tables; use [[api]] in the file";
    check_problems("[api]\nid = \"a\"", &[], &[problem]);
    check_problems("api = 1", &[], &[problem]);
    let problem = "server.toml: api[1]: is not a table; use [[api]]";
    check_problems("api = [{ id = \"a\" }, 1]", &[], &[problem]);
}

#[test]
fn a_file_that_is_not_toml_is_reported_with_the_line() {
    let SettingsError(problems) = read("max = 1\nquiet = yes\n", &[]).unwrap_err();
    let [problem] = &problems[..] else { panic!("{problems:?}") };
    assert_eq!(problem.place, "server.toml");
    assert!(problem.what.contains("line 2, column 9"), "{problem}");
    // The line may hold a secret.
    assert!(!problem.what.contains("quiet = yes"), "{problem}");
}

/// A problem of several settings together, which is found after reading, has its place too.
#[test]
fn callers_add_problems_of_their_own() {
    let read = |variables: &BTreeMap<_, _>| {
        let file = Path::new("server.toml");
        let document = Document::parse(file, "", "SERVER", variables).unwrap();
        let outcome = document.read(|root| {
            let mut listen = root.section("listen");
            listen.read("public", &text());
            listen.problem("public", "is taken; use another");
            Some(())
        });
        outcome.unwrap_err().0[0].to_string()
    };
    assert_eq!(read(&BTreeMap::new()), "server.toml: listen.public: is taken; use another");
    let variables = BTreeMap::from([(owned("SERVER__LISTEN__PUBLIC"), owned("a"))]);
    assert_eq!(read(&variables), "SERVER__LISTEN__PUBLIC: is taken; use another");
}

/// The same for a problem that shows only when the settings are used.
#[test]
fn origins_name_the_place_of_a_key_when_the_document_is_gone() {
    let file = Path::new("server.toml");
    let variables = BTreeMap::from([(owned("SERVER__LISTEN__PUBLIC"), owned("a"))]);
    let document = Document::parse(file, "max = 1", "SERVER", &variables).unwrap();
    let read = |root: &mut Section| {
        Server::read(root);
        Some(root.origins())
    };
    let origins = document.read(read).unwrap();
    let problem = |key| origins.problem(key, "is taken").to_string();
    assert_eq!(problem("max"), "server.toml: max: is taken");
    assert_eq!(problem("listen.public"), "SERVER__LISTEN__PUBLIC: is taken");
}

/// Keys are listed in the order in which they are read, without a file.
#[test]
fn the_keys_that_are_read_can_be_listed() {
    let time = "a duration from 1s to 1m";
    let expected = [
        ("[listen]", "public", "a string that is not empty", "none"),
        ("", "max", "a whole number from 1 to 100", "none"),
        ("", "quiet", "true or false", "none"),
        ("[drain.hard]", "time-out", time, "none"),
        ("[[api]]", "timeout", time, "none"),
        ("[[api]]", "id", "a string that is not empty", "required"),
        ("[functions.<name>]", "memory_mb", "a whole number from 1 to 100", "none"),
        ("[variables]", "<key>", "a string that is not empty", "none"),
    ];
    let keys = describe(Server::read);
    let found: Vec<_> = keys
        .iter()
        .map(|Key { table, name, values, default }| (&**table, &**name, &**values, &**default))
        .collect();
    assert_eq!(found, expected);
}

/// A default is what a file would say.
#[test]
fn defaults_stand_in_for_keys_that_are_not_set_or_not_valid() {
    fn read(root: &mut Section) -> (u16, bool, Duration, usize, String) {
        (
            root.read_or("max", &count(1..=100), "7"),
            root.read_or("quiet", &flag(), "true"),
            root.read_or("time", &duration(Duration::ZERO..=Duration::from_secs(60)), "1m"),
            root.read_or("queue", &bytes(1..=1 << 30), "64KiB"),
            root.read_derived("name", &text(), "the queue").unwrap_or_else(|| "derived".to_owned()),
        )
    }
    let document =
        |text| Document::parse(Path::new("server.toml"), text, "SERVER", &BTreeMap::new()).unwrap();
    let defaults = (7, true, Duration::from_secs(60), 64 << 10, owned("derived"));
    assert_eq!(document("").read(|root| Some(read(root))).unwrap(), defaults);
    let mut found = None;
    let SettingsError(problems) = document("max = 101")
        .read(|root| {
            found = Some(read(root));
            Some(())
        })
        .unwrap_err();
    assert_eq!(found, Some(defaults));
    assert_eq!(problems.len(), 1);
    let listed: Vec<_> = describe(read).into_iter().map(|key| key.default).collect();
    assert_eq!(listed, ["7", "true", "1m", "64KiB", "the queue"]);
}
