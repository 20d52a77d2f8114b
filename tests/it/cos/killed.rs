//! `kill -9` of the object store in the middle of everything: all that was acknowledged is there
//! and whole, and nothing half is seen.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::STANDARD};
use fastrand::Rng;
use md5::{Digest, Md5};
use nix::sys::signal::Signal;
use reqwest::{Client, StatusCode};
use tokio::sync::{Barrier, Notify};

use super::server::{Runs, client, end, url};
use crate::support::soon;

/// How often the store is killed; `LONGHOLD_COS_KILLS` sets another number.
const KILLS: usize = 6;
/// Clients that change objects at the same time, each those of its own.
const CLIENTS: usize = 6;
/// Answers after which the store is killed, at most.
const ANSWERS: usize = 120;
const KEYS: [&str; 4] = ["a", "a/b", "folder/", "/x=="];
const PART_BYTES: usize = 1 << 20;

/// A content, by the seed of its bytes and their number.
type Body = (u64, usize);

/// What a client knows of its objects. `None` is an object that is not there.
#[derive(Debug, Clone, Default)]
struct Model {
    objects: BTreeMap<String, Option<Body>>,
    /// What the unanswered request would change.
    pending: BTreeMap<String, Option<Body>>,
    /// The upload that goes on: its key, its id, and its parts with their `ETags`.
    upload: Option<Upload>,
    /// Whether the unanswered request would end the upload.
    may_have_ended: bool,
}

#[derive(Debug, Clone)]
struct Upload {
    key: String,
    id: String,
    parts: Vec<(Body, String)>,
}

fn bytes_of((seed, length): Body) -> Vec<u8> {
    let mut bytes = vec![0; length];
    Rng::with_seed(seed).fill(&mut bytes);
    bytes
}

impl Upload {
    fn bytes(&self) -> Vec<u8> {
        self.parts.iter().flat_map(|(body, _)| bytes_of(*body)).collect()
    }

    fn document(&self) -> String {
        let parts = self.parts.iter().zip(1..).map(|((_, etag), number)| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
        });
        let parts: String = parts.collect();
        format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
    }
}

/// One client, which sends requests until the store does not answer any more.
struct Changes {
    client: Client,
    address: SocketAddr,
    chance: Rng,
    model: Model,
    name: String,
    /// Contents of objects that were uploaded in parts, by the seed that stands for each.
    joined: BTreeMap<u64, Vec<u8>>,
}

impl Changes {
    fn key(&mut self) -> String {
        format!("{}/{}", self.name, KEYS[self.chance.usize(0..KEYS.len())])
    }

    /// Sends a request. `None` at the end of the store.
    async fn send(&self, request: reqwest::RequestBuilder) -> Option<reqwest::Response> {
        let response = request.send().await.ok()?;
        let status = response.status();
        if status.is_success() {
            return Some(response);
        }
        let text = response.text().await.ok()?;
        panic!("{status}: {text}");
    }

    /// A request that makes these changes, if it is answered.
    async fn change(
        &mut self,
        request: reqwest::RequestBuilder,
        changes: BTreeMap<String, Option<Body>>,
    ) -> Option<()> {
        self.model.pending = changes;
        self.send(request).await?.bytes().await.ok()?;
        self.model.objects.append(&mut self.model.pending);
        Some(())
    }

    async fn step(&mut self) -> Option<()> {
        let key = self.key();
        let at = url(self.address, &key);
        match self.chance.u8(0..10) {
            0..4 => {
                let size = [0, 10, 5000, 400_000][self.chance.usize(0..4)];
                let body = (self.chance.u64(..), size);
                // The client says no length of an empty body by itself.
                let request = self.client.put(at).header("content-length", size);
                let request = request.body(bytes_of(body));
                self.change(request, BTreeMap::from([(key, Some(body))])).await?;
            }
            4 => {
                let request = self.client.delete(at);
                self.change(request, BTreeMap::from([(key, None)])).await?;
            }
            5 => {
                let from = self.key();
                if let Some(Some(body)) = self.model.objects.get(&from).copied()
                    && from != key
                {
                    let source = url(self.address, &from).split_once("//").unwrap().1.to_owned();
                    let source = source.split_once('/').unwrap().1.to_owned();
                    let request = self.client.put(at).header("content-length", 0);
                    let request = request.header("x-cos-copy-source", format!("/{source}"));
                    self.change(request, BTreeMap::from([(key, Some(body))])).await?;
                }
            }
            6 => {
                let keys: BTreeSet<_> = [self.key(), self.key()].into();
                let objects = keys.iter().map(|key| format!("<Object><Key>{key}</Key></Object>"));
                let text = format!("<Delete>{}</Delete>", objects.collect::<String>());
                let request = self.client.post(url(self.address, "?delete"));
                let request = request.header("content-md5", md5_of(&text)).body(text);
                self.change(request, keys.into_iter().map(|key| (key, None)).collect()).await?;
            }
            7 if self.model.upload.is_none() => {
                let response = self.send(self.client.post(at + "?uploads")).await?;
                let text = response.text().await.ok()?;
                let id = text.split_once("<UploadId>")?.1.split_once('<')?.0.to_owned();
                self.model.upload = Some(Upload { key, id, parts: Vec::new() });
            }
            7 | 8 => {
                let Some(upload) = &self.model.upload else { return Some(()) };
                let number = upload.parts.len() + 1;
                let target = format!(
                    "{}?uploadId={}&partNumber={number}",
                    url(self.address, &upload.key),
                    upload.id
                );
                let body = (self.chance.u64(..), PART_BYTES);
                let response = self.send(self.client.put(target).body(bytes_of(body))).await?;
                let etag = response.headers()["etag"].to_str().unwrap().to_owned();
                self.model.upload.as_mut().unwrap().parts.push((body, etag));
            }
            _ => {
                let Some(upload) = self.model.upload.clone().filter(|it| !it.parts.is_empty())
                else {
                    return Some(());
                };
                self.model.may_have_ended = true;
                let target = format!("{}?uploadId={}", url(self.address, &upload.key), upload.id);
                let changes = self.joined_object(&upload);
                if self.chance.bool() {
                    let request = self.client.post(target).body(upload.document());
                    self.change(request, changes).await?;
                } else {
                    self.change(self.client.delete(target), BTreeMap::new()).await?;
                }
                self.model.upload = None;
                self.model.may_have_ended = false;
            }
        }
        Some(())
    }

    fn joined_object(&mut self, upload: &Upload) -> BTreeMap<String, Option<Body>> {
        let (seed, bytes) = (self.chance.u64(..), upload.bytes());
        let body = (seed, bytes.len());
        self.joined.insert(seed, bytes);
        BTreeMap::from([(upload.key.clone(), Some(body))])
    }

    fn bytes(&self, body: Body) -> Vec<u8> {
        self.joined.get(&body.0).cloned().unwrap_or_else(|| bytes_of(body))
    }

    async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let response = self.client.get(url(self.address, key)).send().await.unwrap();
        if response.status() == StatusCode::NOT_FOUND {
            return None;
        }
        assert_eq!(response.status(), StatusCode::OK, "{key}");
        Some(response.bytes().await.unwrap().to_vec())
    }

    /// Compares the store with what this client knows, and takes over what it did not know.
    async fn check(&mut self) {
        for key in KEYS.map(|key| format!("{}/{key}", self.name)) {
            let known = self.model.objects.get(&key).copied().flatten();
            let pending = self.model.pending.get(&key).copied();
            let found = self.get(&key).await;
            let is = |state: Option<Body>| state.map(|body| self.bytes(body)) == found;
            let state = [Some(known), pending].into_iter().flatten().find(|state| is(*state));
            let size = found.as_ref().map(Vec::len);
            let state = state.unwrap_or_else(|| {
                panic!("{key} has {size:?} bytes and should be {known:?} or {pending:?}")
            });
            self.model.objects.insert(key, state);
        }
        self.model.pending.clear();
        self.check_upload().await;
    }

    /// An upload whose parts were acknowledged can be completed, unless it may have ended.
    async fn check_upload(&mut self) {
        let Some(upload) = self.model.upload.take() else { return };
        let may_have_ended = std::mem::take(&mut self.model.may_have_ended);
        let target = format!("{}?uploadId={}", url(self.address, &upload.key), upload.id);
        if upload.parts.is_empty() {
            assert_eq!(self.client.delete(target).send().await.unwrap().status(), 204);
            return;
        }
        let request = self.client.post(target).body(upload.document());
        let response = request.send().await.unwrap();
        if may_have_ended && response.status() == StatusCode::NOT_FOUND {
            return;
        }
        assert_eq!(response.status(), StatusCode::OK, "{}", response.text().await.unwrap());
        let changes = self.joined_object(&upload);
        self.model.objects.extend(changes);
        assert_eq!(self.get(&upload.key).await, Some(upload.bytes()));
    }
}

fn md5_of(text: &str) -> String {
    STANDARD.encode(Md5::digest(text))
}

/// The files with contents. None of them is still being written.
fn files(folder: &Path) -> usize {
    let entries = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(entries(&folder.join("incoming")).count(), 0);
    entries(&folder.join("contents")).map(|folder| entries(&folder).count()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_each_kill_all_that_was_acknowledged_is_there_and_whole() {
    let seed = env::var("LONGHOLD_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("LONGHOLD_SEED={seed}");
    let mut chance = Rng::with_seed(seed);
    let kills = env::var("LONGHOLD_COS_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let runs = Runs::new();
    let mut models: Vec<_> = (0..CLIENTS).map(|_| (Model::default(), BTreeMap::new())).collect();
    let mut answered = 0;
    for _ in 0..kills {
        let store = runs.start().await;
        let address = store.address("internal");
        let (answers, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let until = chance.usize(1..ANSWERS);
        // All have compared the store with what they know before it is killed.
        let checked = Arc::new(Barrier::new(CLIENTS));
        let clients = models.into_iter().enumerate().map(|(number, (model, joined))| {
            let mut changes = Changes {
                client: client(),
                address,
                chance: chance.fork(),
                model,
                name: format!("client-{number}"),
                joined,
            };
            let (answers, enough) = (Arc::clone(&answers), Arc::clone(&enough));
            let checked = Arc::clone(&checked);
            tokio::spawn(async move {
                changes.check().await;
                checked.wait().await;
                while changes.step().await.is_some() {
                    if answers.fetch_add(1, Ordering::Relaxed) == until {
                        enough.notify_one();
                    }
                }
                (changes.model, changes.joined)
            })
        });
        let clients: Vec<_> = clients.collect();
        soon("enough answers", enough.notified()).await;
        store.signal(Signal::SIGKILL);
        store.ended().await;
        models = Vec::new();
        for client in clients {
            models.push(soon("the end of a client", client).await.unwrap());
        }
        answered += answers.load(Ordering::Relaxed);
    }

    let store = runs.start().await;
    let address = store.address("internal");
    let mut there = BTreeSet::new();
    for (number, (model, joined)) in models.into_iter().enumerate() {
        let (client, chance) = (client(), chance.fork());
        let name = format!("client-{number}");
        let mut changes = Changes { client, address, chance, model, name, joined };
        changes.check().await;
        let objects = changes.model.objects.into_iter();
        there.extend(objects.filter_map(|(key, body)| body.map(|body| (key, body.1))));
    }
    let list = client().get(url(address, "")).send().await.unwrap().text().await.unwrap();
    let field = |entry: &str, name: &str| {
        let rest = entry.split_once(&format!("<{name}>")).unwrap().1;
        rest.split_once('<').unwrap().0.to_owned()
    };
    let entries = list.split("<Contents>").skip(1);
    let listed: BTreeSet<_> = entries
        .map(|entry| (field(entry, "Key"), field(entry, "Size").parse::<usize>().unwrap()))
        .collect();
    assert_eq!(listed, there);
    end(store).await;
    // A last start, which removes what the last kill has left.
    end(runs.start().await).await;
    let files = files(&runs.folder.path().join("data/cos"));
    eprintln!("{kills} kills, {answered} answers, {} objects, {files} files", there.len());
}
