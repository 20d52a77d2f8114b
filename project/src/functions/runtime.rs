//! What runs a function, by the cloud's name of it.

use crate::{model::Runtime, nearest::perhaps};

/// The names of the cloud, those that run first.
const KNOWN: [&str; 21] = [
    "Python3.6",
    "Python3.7",
    "Python3.9",
    "Python3.10",
    "Nodejs6.10",
    "Nodejs8.9",
    "Nodejs10.15",
    "Nodejs12.16",
    "Nodejs14.18",
    "Nodejs16.13",
    "Nodejs18.15",
    "Nodejs20.19",
    "CustomRuntime",
    "Python2.7",
    "Go1",
    "Php5",
    "Php7",
    "Php8.0",
    "Java8",
    "Java11",
    "CustomImage",
];
const PYTHON_MINORS: std::ops::RangeInclusive<u32> = 6..=14;

/// What runs code of `name`. The error says what to do.
pub(super) fn parse(name: &str) -> Result<Runtime, String> {
    let lower = name.to_lowercase();
    // Templates of SAM may name nodejs18.x.
    let is_version =
        |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit() || b".x".contains(&byte));
    if let Some(minor) = lower.strip_prefix("python3.").filter(is_version) {
        let minor: Option<u32> = minor.split('.').next().and_then(|minor| minor.parse().ok());
        if minor.is_some_and(|minor| PYTHON_MINORS.contains(&minor)) {
            return Ok(Runtime::Python);
        }
    }
    if lower == "python3" {
        return Ok(Runtime::Python);
    }
    if let Some(version) = lower.strip_prefix("nodejs").filter(is_version)
        && version.starts_with(|digit: char| digit.is_ascii_digit())
    {
        return Ok(Runtime::Node);
    }
    if lower == "customruntime" {
        return Ok(Runtime::Custom);
    }
    Err(format!("the runtime {name} {}", way_out(name, &lower)))
}

fn way_out(name: &str, lower: &str) -> String {
    let is = |family: &str| {
        let version = lower.strip_prefix(family);
        version.is_some_and(|version| !version.starts_with(|letter: char| letter.is_alphabetic()))
    };
    if is("python2") || lower == "python" {
        return "is not run here: Python 2 has ended. Convert the code with 2to3, check it with \
                Python 3, and write runtime: Python3.9"
            .to_owned();
    }
    if is("go") || is("golang") {
        return "is not run here. Build the program as an executable named bootstrap that speaks the \
                custom runtime's API, in the folder of the code, and write runtime: CustomRuntime"
            .to_owned();
    }
    if is("php") {
        return "is not run here. Use a custom runtime, whose bootstrap starts PHP, or serve the code \
                over HTTP yourself and give its URL as the function in gateway.toml"
            .to_owned();
    }
    if is("java") {
        return "is not run here. Use a custom runtime, whose bootstrap starts Java, or serve the code \
                over HTTP yourself and give its URL as the function in gateway.toml"
            .to_owned();
    }
    if is("customimage") {
        return "is not run here: images are not pulled. Run the container yourself and give its URL \
                as the function in gateway.toml"
            .to_owned();
    }
    let perhaps = perhaps(name, KNOWN);
    format!(
        "is not known; use Python3.6 to Python3.14, Nodejs10.15 or newer, or CustomRuntime{perhaps}"
    )
}

#[cfg(test)]
mod tests {
    use super::{Runtime, parse};

    #[test]
    fn names_of_the_cloud_lead_to_what_runs_here() {
        for (name, expected) in [
            ("Python3.6", Runtime::Python),
            ("python3.14", Runtime::Python),
            ("Python3", Runtime::Python),
            ("Nodejs8.9", Runtime::Node),
            ("Nodejs20.19", Runtime::Node),
            ("nodejs18.x", Runtime::Node),
            ("CustomRuntime", Runtime::Custom),
        ] {
            assert_eq!(parse(name), Ok(expected), "{name}");
        }
    }

    #[test]
    fn what_does_not_run_comes_with_the_way_out() {
        for (name, way_out) in [
            ("Python2.7", "2to3"),
            ("Python", "2to3"),
            ("Go1", "bootstrap"),
            ("Php7", "URL"),
            ("PHP7.4", "URL"),
            ("Java8", "URL"),
            ("Nodejs", "perhaps Nodejs8.9 is meant"),
            ("Pyton3.6", "perhaps Python3.6 is meant"),
            ("Python3.99", "perhaps Python3.9 is meant"),
            ("Rust", "use Python3.6 to Python3.14"),
            ("Nodejs12\nx", "is not known"),
            ("Python3.6.\nx", "is not known"),
        ] {
            let what = parse(name).unwrap_err();
            assert!(what.starts_with(&format!("the runtime {name} is ")), "{what}");
            assert!(what.contains(way_out), "{name}: {what}");
        }
    }
}
