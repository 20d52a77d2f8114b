//! Reads `ROSTER_URL`, the location of a roster. Opens nothing.

use std::path::PathBuf;

use object_store::path::Path;
use url::Url;

/// The location of a roster.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// In the memory of this process, under a name.
    Memory(String),
    /// In a directory.
    Directory(PathBuf),
    /// In a bucket of S3, or of another store with the S3 protocol.
    Bucket { name: String, prefix: Path },
}

const RIGHT: &str = "data/roster, file:///var/lib/chat, memory:///chat or s3://bucket/chat would \
                     be right";

impl Location {
    /// Reads a URL, or a plain path, which is relative to the working directory. The error says
    /// what is wrong and what would be right. It does not quote the value, which may hold a secret.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if !has_scheme(text) {
            return Ok(Self::Directory(text.into()));
        }
        let url = Url::parse(text).map_err(|error| format!("is not a URL, {error}: {RIGHT}"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds credentials: use AWS_ACCESS_KEY_ID and \
                        AWS_SECRET_ACCESS_KEY for those"
                .to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!("has a '?' or '#', which mean nothing here: {RIGHT}"));
        }
        match url.scheme() {
            "memory" => memory(&url),
            "file" => directory(&url),
            "s3" => bucket(&url),
            scheme => Err(format!("has the unknown scheme {scheme}: {RIGHT}")),
        }
    }
}

/// Whether the text begins with a URL scheme. A path that looks like a URL can be written with `./`
/// at its start.
fn has_scheme(text: &str) -> bool {
    let in_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    text.split_once(':').is_some_and(|(scheme, _)| scheme.chars().all(in_scheme))
}

fn memory(url: &Url) -> Result<Location, String> {
    let name = url.path().trim_matches('/');
    if !host(url).is_empty() || name.is_empty() {
        return Err("is not memory:/// with a name: memory:///chat would be right".to_owned());
    }
    Ok(Location::Memory(name.to_owned()))
}

fn directory(url: &Url) -> Result<Location, String> {
    match url.to_file_path() {
        Ok(path) => Ok(Location::Directory(path)),
        Err(()) => Err("is not file:// with a whole path: file:///var/lib/chat, or a plain path, \
                        would be right"
            .to_owned()),
    }
}

fn bucket(url: &Url) -> Result<Location, String> {
    let name = host(url);
    if name.is_empty() {
        return Err("names no bucket: s3://bucket/chat would be right".to_owned());
    }
    let prefix = Path::from_url_path(url.path())
        .map_err(|error| format!("has a path that cannot be in a bucket: {error}"))?;
    Ok(Location::Bucket { name: name.to_owned(), prefix })
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use object_store::path::Path;

    use super::Location;

    fn check(text: &str, expected: &Location) {
        assert_eq!(&Location::parse(text).unwrap(), expected, "{text}");
    }

    fn refused(text: &str, expected: &str) {
        let problem = Location::parse(text).unwrap_err();
        assert!(problem.contains(expected), "{text}: {problem}");
        assert!(!problem.contains("hunter2"), "{problem}");
    }

    #[test]
    fn locations_are_read() {
        check("memory:///chat", &Location::Memory("chat".to_owned()));
        check("memory:///a/b/", &Location::Memory("a/b".to_owned()));
        check("data/roster", &Location::Directory("data/roster".into()));
        check("/var/lib/chat", &Location::Directory("/var/lib/chat".into()));
        check("./a:b", &Location::Directory("./a:b".into()));
        check("file:///var/lib/my%20chat", &Location::Directory("/var/lib/my chat".into()));
        let bucket = |name: &str, prefix: &str| Location::Bucket {
            name: name.to_owned(),
            prefix: Path::from(prefix),
        };
        check("s3://bucket", &bucket("bucket", ""));
        check("s3://bucket-125/chat/online/", &bucket("bucket-125", "chat/online"));
    }

    #[test]
    fn other_locations_are_refused_and_the_error_says_what_would_be_right() {
        refused("memory:///", "memory:///chat would be right");
        refused("memory://chat", "memory:///chat would be right");
        refused("file://host/path", "file:///var/lib/chat");
        refused("s3:///chat", "names no bucket");
        refused("s3://me:hunter2@bucket/chat", "AWS_SECRET_ACCESS_KEY");
        refused("s3://bucket/chat?key=hunter2", "'?' or '#'");
        refused("redis://host/0", "unknown scheme redis");
        refused("http://[hunter2", "is not a URL");
    }
}
