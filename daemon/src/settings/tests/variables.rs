//! Variables of the environment, beside a file and without one.

use super::*;

#[test]
fn variables_override_the_file() {
    let variables = [
        ("SERVER__LISTEN__PUBLIC", "b"),
        ("SERVER__MAX", "6"),
        ("SERVER__QUIET", "true"),
        ("SERVER__DRAIN__HARD__TIME_OUT", "6s"),
        ("SERVER__API__0__TIMEOUT", "7s"),
        ("SERVER__API__1__ID", "third"),
        ("SERVER__FUNCTIONS__CHAT_TRANSMIT__MEMORY_MB", "2"),
        ("SERVER__VARIABLES__PUSH", "12"),
        ("SERVERS__MAX", "7"),
        ("SERVER_MAX", "7"),
        ("MAX", "7"),
    ];
    let expected = Server {
        public: Some(owned("b")),
        max: Some(6),
        quiet: Some(true),
        drain: seconds(6),
        apis: vec![(owned("first"), seconds(7)), (owned("third"), seconds(2))],
        functions: vec![(owned("chat-transmit"), Some(2))],
        variables: vec![(owned("push"), owned("12"))],
    };
    check(FILE, &variables, &expected);
}

/// A container may have an empty file, and all its settings in variables.
#[test]
fn variables_need_nothing_of_the_file() {
    let variables = [
        ("SERVER__LISTEN__PUBLIC", "b"),
        ("SERVER__MAX", "6"),
        ("SERVER__QUIET", "true"),
        ("SERVER__DRAIN__HARD__TIME_OUT", "6s"),
        ("SERVER__FUNCTIONS__F__MEMORY_MB", "2"),
        ("SERVER__FUNCTIONS__g__memory_mb", "3"),
        ("SERVER__VARIABLES__PUSH", "true"),
    ];
    let expected = Server {
        public: Some(owned("b")),
        max: Some(6),
        quiet: Some(true),
        drain: seconds(6),
        apis: vec![],
        functions: vec![(owned("F"), Some(2)), (owned("g"), Some(3))],
        variables: vec![(owned("PUSH"), owned("true"))],
    };
    check("", &variables, &expected);
}

#[test]
fn a_value_that_is_not_valid_is_reported_with_its_variable() {
    let number = "is not valid; use a whole number from 1 to 100";
    for file in ["", FILE] {
        for (variable, value, problem) in [
            ("SERVER__MAX", "101", format!("\"101\" {number}")),
            ("SERVER__MAX", "", format!("\"\" {number}")),
            ("SERVER__MAX", "1\nquiet = true", format!("\"1\\nquiet = true\" {number}")),
            ("SERVER__max", "many", format!("\"many\" {number}")),
            ("SERVER__QUIET", "yes", owned("\"yes\" is not valid; use true or false")),
            (
                "SERVER__LISTEN__PUBLIC",
                "",
                owned("\"\" is not valid; use a string that is not empty"),
            ),
            (
                "SERVER__DRAIN__HARD__TIME_OUT",
                "2h",
                owned("\"2h\" is not valid; use a duration from 1s to 1m, such as \"15s\""),
            ),
            ("SERVER__FUNCTIONS__CHAT_TRANSMIT__MEMORY_MB", "0", format!("\"0\" {number}")),
            ("SERVER__LISTEN", "a", owned("is not a table; use the keys of [listen]")),
            ("SERVER__API", "a", owned("is not a list of tables; use [[api]] in the file")),
        ] {
            check_problems(file, &[(variable, value)], &[&format!("{variable}: {problem}")]);
        }
    }
    let problem = "SERVER__API__1__TIMEOUT: \"0s\" is not valid; use a duration from 1s to 1m, such \
                   as \"15s\"";
    check_problems(FILE, &[("SERVER__API__1__TIMEOUT", "0s")], &[problem]);
    let problem = "SERVER__API__1: is not a table; use [[api]]";
    check_problems(FILE, &[("SERVER__API__1", "a")], &[problem]);
}

#[test]
fn a_variable_that_names_no_setting_is_reported() {
    let known = "known here: listen, max, quiet, drain, api, functions, variables";
    for file in ["", FILE] {
        check_problems(
            file,
            &[
                ("SERVER__DRAIN__HARD__TIMEOUT", "1s"),
                ("SERVER__LISTEN__PUBIC", "a"),
                ("SERVER__NOPE", "1"),
                ("SERVER__NOT__A__SETTING", "1"),
                ("SERVER__NOT__B", "1"),
            ],
            &[
                "SERVER__DRAIN__HARD__TIMEOUT: drain.hard.TIMEOUT is not a setting; did you mean \
                 \"time-out\"? Known here: time-out",
                "SERVER__LISTEN__PUBIC: listen.PUBIC is not a setting; did you mean \"public\"? Known \
                 here: public",
                &format!("SERVER__NOPE: NOPE is not a setting; {known}"),
                &format!("SERVER__NOT__A__SETTING: NOT is not a setting; {known}"),
                &format!("SERVER__NOT__B: NOT is not a setting; {known}"),
            ],
        );
    }
    let problem = "SERVER__API__0__IDD: api[0].IDD is not a setting; did you mean \"id\"? Known \
                   here: timeout, id";
    check_problems(FILE, &[("SERVER__API__0__IDD", "a")], &[problem]);
}

/// A user who corrects all that is reported finds no other place with the same table.
#[test]
fn an_unknown_table_is_reported_for_all_that_put_it_there() {
    let known = "known here: listen, max, quiet, drain, api, functions, variables";
    check_problems(
        "[nope]\na = 1",
        &[("SERVER__NOPE__A", "1"), ("SERVER__NOPE__B__C", "1")],
        &[
            &format!("server.toml: nope: is not a setting; {known}"),
            &format!("SERVER__NOPE__A: nope is not a setting; {known}"),
            &format!("SERVER__NOPE__B__C: nope is not a setting; {known}"),
        ],
    );
}

#[test]
fn a_variable_must_lead_to_a_place() {
    check_problems(
        FILE,
        &[
            ("SERVER__", "1"),
            ("SERVER__LISTEN__", "a"),
            ("SERVER__LISTEN____PUBLIC", "a"),
            ("SERVER__API__2__ID", "a"),
            ("SERVER__API__FIRST__ID", "a"),
            ("SERVER__API__-1__ID", "a"),
            ("SERVER__LISTEN__PUBLIC__PORT", "1"),
            ("SERVER__MAX__MIN", "1"),
        ],
        &[
            "SERVER__: names no setting: a part of it is empty",
            "SERVER__API__-1__ID: api has no element \"-1\"; use a number from 0 to 1",
            "SERVER__API__2__ID: api has no element \"2\"; use a number from 0 to 1",
            "SERVER__API__FIRST__ID: api has no element \"FIRST\"; use a number from 0 to 1",
            "SERVER__LISTEN__: names no setting: a part of it is empty",
            "SERVER__LISTEN__PUBLIC__PORT: public is not a table; leave out what follows it",
            "SERVER__LISTEN____PUBLIC: names no setting: a part of it is empty",
            "SERVER__MAX__MIN: max is not a table; leave out what follows it",
        ],
    );
    let problem = "SERVER__API__0__ID: api has no elements; add them to the file";
    check_problems("api = []", &[("SERVER__API__0__ID", "a")], &[problem]);
    let problem = "SERVER__API__0__ID: is not a list of tables; use [[api]] in the file";
    check_problems("", &[("SERVER__API__0__ID", "a")], &[problem]);
}

/// Problems of variables come before those of the file.
#[test]
fn the_file_and_the_variables_are_reported_together() {
    let error = read("max = 0", &[("SERVER__QUIET", "no"), ("SERVER__QUIET__A", "1")]).unwrap_err();
    let expected = "bad settings
  SERVER__QUIET__A: QUIET is not a table; leave out what follows it
  server.toml: max: 0 is not valid; use a whole number from 1 to 100
  SERVER__QUIET: \"no\" is not valid; use true or false";
    assert_eq!(error.to_string(), expected);
}

/// Only variables may have keys in upper case. Those of a file are spelled as documented.
#[test]
fn a_file_does_not_spell_like_a_variable() {
    let known = "Known here: listen, max, quiet, drain, api, functions, variables";
    for variables in [&[][..], &[("SERVER__LISTEN__PUBLIC", "a")]] {
        let SettingsError(problems) = read("[LISTEN]\npublic = \"b\"", variables).unwrap_err();
        assert_eq!(
            problems[0].to_string(),
            format!("server.toml: LISTEN: is not a setting; did you mean \"listen\"? {known}")
        );
    }
}
