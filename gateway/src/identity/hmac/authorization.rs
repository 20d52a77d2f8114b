//! The header `Authorization` of a key pair, taken apart.

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
        Some(Self { id: id?, algorithm, headers: headers?, signature: signature? })
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
