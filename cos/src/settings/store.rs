//! `[store]`: where the objects are, and which buckets there are from the start.

use std::path::{Path, PathBuf};

use daemon::settings::{Kind, Section, one_of, path, text};
use strum::VariantArray;

use super::BucketSettings;
use crate::request::is_bucket_name;

/// The settings of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// `dir`: a folder that no other process uses. A relative path starts at the working directory,
    /// as that of the journal.
    pub dir: PathBuf,
    /// `contents`: the bucket of another object store with the contents. None: they are in `dir`.
    pub contents: Option<BucketSettings>,
    /// `sync`: what acknowledged changes survive.
    pub sync: StoreSync,
    /// `buckets`: made at the start if they are not there.
    pub buckets: Vec<String>,
    /// `region`: the location of all buckets. Host names may have any region.
    pub region: String,
    /// `owner`: the id of the owner of all objects.
    pub owner: String,
}

/// What acknowledged changes survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub enum StoreSync {
    /// `process`: a crash of the process, at any instant.
    Process,
    /// `power`: a loss of power too. Each change waits for the disk.
    Power,
}

impl StoreSync {
    fn word(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Power => "power",
        }
    }
}

impl StoreSettings {
    pub(super) fn read(section: &mut Section, base: &Path) -> Self {
        let sync = one_of(StoreSync::VARIANTS.iter().map(|sync| (sync.word(), *sync)));
        Self {
            dir: section.read_or("dir", &path(Path::new("")), "data/cos"),
            contents: BucketSettings::read(&mut section.section("contents"), base),
            sync: section.read_or("sync", &sync, "process"),
            buckets: section.read_or("buckets", &buckets(), "[]"),
            region: section.read_or("region", &text(), "ap-guangzhou"),
            owner: section.read_or("owner", &text(), "100000000001"),
        }
    }

    pub(super) fn is_same_but_for_buckets(&self, other: &Self) -> bool {
        Self { buckets: Vec::new(), ..self.clone() }
            == Self { buckets: Vec::new(), ..other.clone() }
    }
}

fn buckets() -> Kind<Vec<String>> {
    let kind = Kind::new("a list of names, each with the number of an account", |value| {
        let names = value.as_array()?.iter();
        let names = names.map(|name| name.as_str().filter(|name| is_bucket_name(name)));
        names.map(|name| name.map(str::to_owned)).collect()
    });
    kind.such_as("[\"chat-1250000000\"]")
}
