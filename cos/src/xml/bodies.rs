//! The bodies of requests that are XML.

use quick_xml::{Reader, events::Event};
use serde::Deserialize;

use crate::refusal::{Code, Refusal};

/// The most objects of one delete, as in the cloud.
const DELETED_MAX: usize = 1000;

/// Which objects are deleted.
#[derive(Debug, Deserialize)]
pub(crate) struct Deletion {
    /// Only what was not deleted is in the answer.
    #[serde(rename = "Quiet", default)]
    pub(crate) quiet: bool,
    #[serde(rename = "Object", default)]
    pub(crate) objects: Vec<DeletedObject>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct DeletedObject {
    #[serde(rename = "Key")]
    pub(crate) key: String,
    #[serde(rename = "VersionId", default)]
    pub(crate) version: String,
}

/// Which parts an upload consists of.
#[derive(Debug, Deserialize)]
pub(crate) struct Completion {
    #[serde(rename = "Part", default)]
    pub(crate) parts: Vec<CompletedPart>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct CompletedPart {
    #[serde(rename = "PartNumber")]
    pub(crate) number: u32,
    #[serde(rename = "ETag")]
    etag: String,
}

impl Deletion {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let parsed: Self = parse(body, "Delete")?;
        if parsed.objects.is_empty() || parsed.objects.len() > DELETED_MAX {
            let message = format!("Delete has not 1 to {DELETED_MAX} elements Object.");
            return Err(Refusal::new(Code::MalformedXml, message));
        }
        if parsed.objects.iter().any(|object| !matches!(&*object.version, "" | "null")) {
            let message = "Versions of objects are not served: an Object has a VersionId.";
            return Err(Refusal::new(Code::NotImplemented, message));
        }
        Ok(parsed)
    }
}

impl Completion {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let parsed: Self = parse(body, "CompleteMultipartUpload")?;
        if parsed.parts.is_empty() {
            let message = "CompleteMultipartUpload has no element Part.";
            return Err(Refusal::new(Code::MalformedXml, message));
        }
        let mut pairs = parsed.parts.windows(2);
        if !pairs.all(|pair| pair[0].number < pair[1].number) {
            let message = "The parts are not in the order of their numbers, each once.";
            return Err(Refusal::new(Code::InvalidPartOrder, message));
        }
        Ok(parsed)
    }
}

impl CompletedPart {
    /// The `ETag` without its quotes, which some clients leave out.
    pub(crate) fn etag(&self) -> &str {
        self.etag.trim().trim_matches('"')
    }
}

/// The document in `body`, whose outermost element is `root`.
fn parse<'b, T: Deserialize<'b>>(body: &'b [u8], root: &str) -> Result<T, Refusal> {
    let malformed = |what: &str| Refusal::new(Code::MalformedXml, format!("The body is {what}."));
    let text = str::from_utf8(body).map_err(|_| malformed("not in UTF-8"))?;
    if root_of(text).is_none_or(|found| found != root.as_bytes()) {
        return Err(malformed(&format!("not the XML {root}")));
    }
    // The error quotes the body.
    quick_xml::de::from_str(text).map_err(|_| malformed("not the XML that this request has"))
}

/// The name of the outermost element, without a prefix.
fn root_of(text: &str) -> Option<Vec<u8>> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) | Event::Empty(start) => {
                return Some(start.local_name().as_ref().to_vec());
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}
