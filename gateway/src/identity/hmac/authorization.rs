//! The header `Authorization` of a key pair, taken apart.

/// The most headers that a client may sign.
const HEADERS_MAX: usize = 32;

/// `hmac id="…", algorithm="…", headers="…", signature="…"`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    pub(super) id: &'a str,
    pub(super) algorithm: Algorithm,
    headers: &'a str,
    pub(super) signature: &'a str,
}

/// How the signature was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl<'a> Authorization<'a> {
    /// None if something is missing, comes twice or is not known.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let (scheme, mut rest) = line.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("hmac") {
            return None;
        }
        let (mut id, mut algorithm, mut headers, mut signature) = (None, None, None, None);
        loop {
            let (name, after) = rest.split_once("=\"")?;
            let (value, after) = after.split_once('"')?;
            let field = match name.trim() {
                "id" => &mut id,
                "algorithm" => &mut algorithm,
                "headers" => &mut headers,
                "signature" => &mut signature,
                _ => return None,
            };
            if field.replace(value).is_some() {
                return None;
            }
            let after = after.trim_start();
            if after.is_empty() {
                break;
            }
            rest = after.strip_prefix(',')?;
        }
        let algorithm = Algorithm::of(algorithm?)?;
        let authorization = Self { id: id?, algorithm, headers: headers?, signature: signature? };
        authorization.has_each_header_once().then_some(authorization)
    }

    /// Each name adds the value of its header to the text that is signed. With one name many times
    /// a small request would make a text of hundreds of megabytes.
    fn has_each_header_once(&self) -> bool {
        let mut known: Vec<&str> = Vec::new();
        self.headers().all(|name| {
            let is_new = !known.iter().any(|other| other.eq_ignore_ascii_case(name));
            known.push(name);
            is_new && known.len() <= HEADERS_MAX
        })
    }

    /// The names of the signed headers, in their order.
    pub(super) fn headers(&self) -> impl Iterator<Item = &'a str> {
        self.headers.split(' ').filter(|name| !name.is_empty())
    }
}

impl Algorithm {
    fn of(word: &str) -> Option<Self> {
        match word {
            "hmac-sha1" => Some(Self::Sha1),
            "hmac-sha256" => Some(Self::Sha256),
            "hmac-sha384" => Some(Self::Sha384),
            "hmac-sha512" => Some(Self::Sha512),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_form_is_read_with_its_fields_in_any_order() {
        let expected = Authorization {
            id: "AKID",
            algorithm: Algorithm::Sha1,
            headers: "date source",
            signature: "c2ln",
        };
        for line in [
            r#"hmac id="AKID", algorithm="hmac-sha1", headers="date source", signature="c2ln""#,
            r#"HMAC signature="c2ln",headers="date source",id="AKID",algorithm="hmac-sha1" "#,
        ] {
            assert_eq!(Authorization::parse(line).as_ref(), Some(&expected), "{line}");
        }
        assert_eq!(expected.headers().collect::<Vec<_>>(), ["date", "source"]);
    }

    #[test]
    fn headers_are_few_and_each_is_named_once() {
        let line = |headers: &str| {
            format!(r#"hmac id="a", algorithm="hmac-sha1", headers="{headers}", signature="s""#)
        };
        let names = |count: usize| {
            let names: Vec<_> = (0..count).map(|number| format!("x-{number}")).collect();
            names.join(" ")
        };
        assert!(Authorization::parse(&line(&names(32))).is_some());
        for headers in ["date date", "date source Date", &names(33)] {
            assert_eq!(Authorization::parse(&line(headers)), None, "{headers}");
        }
    }

    #[test]
    fn another_form_is_none() {
        for line in [
            "",
            "hmac",
            "hmac ",
            "Bearer abc",
            r#"hmac id="a", algorithm="hmac-sha1", headers="date""#,
            r#"hmac id="a", algorithm="hmac-md5", headers="date", signature="s""#,
            r#"hmac id="a", id="b", algorithm="hmac-sha1", headers="date", signature="s""#,
            r#"hmac id=a, algorithm="hmac-sha1", headers="date", signature="s""#,
            r#"hmac id="a" algorithm="hmac-sha1", headers="date", signature="s""#,
            r#"hmac id="a", algorithm="hmac-sha1", headers="date", signature="s"#,
            r#"hmac id="a", algorithm="hmac-sha1", headers="date", signature="s", more="x""#,
        ] {
            assert_eq!(Authorization::parse(line), None, "{line}");
        }
    }
}
