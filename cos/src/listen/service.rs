//! The object store as a service: the store, and who may use it.

use std::{
    sync::{Arc, RwLock},
    time::{Duration, SystemTime},
};

use daemon::{body::BodyMemory, browser::PageGuard};
use http::{HeaderMap, HeaderName, Method};
use tracing::warn;

use super::refused::Refusals;
use crate::{
    refusal::{Code, Refusal},
    request::{Authorization, SignedRequest, is_cloud_name},
    settings::{Credential, Settings},
    store::{OpenError, Store},
};

/// Bytes of all bodies in XML that are being read, together.
const XML_MEMORY: usize = 16 << 20;
/// How long such a body waits for memory.
const MEMORY_TIMEOUT: Duration = Duration::from_secs(1);

/// The object store. A handle.
#[derive(Debug, Clone)]
pub struct Service(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    guard: PageGuard,
    credentials: RwLock<Arc<Vec<Credential>>>,
    /// What functions with a role sign with, if that is known here, and what they signed with
    /// before: those that still run do.
    roles: RwLock<[Option<Arc<Credential>>; 2]>,
    memory: BodyMemory,
    refusals: Refusals,
    /// Those of the start. Of new ones only credentials and buckets count.
    settings: Settings,
}

impl Service {
    /// Opens the store of `settings`. If it asks for signatures, it takes those with `role` too,
    /// which functions with a role have.
    pub async fn open(settings: Settings, role: Option<Credential>) -> Result<Self, OpenError> {
        let store = Store::open(settings.store.clone()).await?;
        if !settings.asks_for_signatures() {
            warn!(
                "cos.toml has no [[credentials]]: the object store checks no signature, and every \
                 program that reaches it may read and write all objects"
            );
        }
        Ok(Self(Arc::new(Inner {
            store,
            guard: PageGuard::with_names(settings.internal_pages.clone(), is_cloud_name),
            credentials: RwLock::new(Arc::new(settings.credentials.clone())),
            roles: RwLock::new([role.map(Arc::new), None]),
            memory: BodyMemory::new(XML_MEMORY, MEMORY_TIMEOUT),
            refusals: Refusals::new(),
            settings,
        })))
    }

    /// Functions with a role that start from now on have this pair.
    pub fn use_role(&self, role: Credential) {
        let mut roles = self.0.roles.write().expect("nothing panics with the lock held");
        if roles[0].as_ref().is_none_or(|current| **current != role) {
            *roles = [Some(Arc::new(role)), roles[0].take()];
        }
    }

    pub(super) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(super) fn guard(&self) -> &PageGuard {
        &self.0.guard
    }

    pub(super) fn memory(&self) -> &BodyMemory {
        &self.0.memory
    }

    pub(super) fn refusals(&self) -> &Refusals {
        &self.0.refusals
    }

    pub(super) fn owner(&self) -> &str {
        &self.0.settings.store.owner
    }

    pub(super) fn region(&self) -> &str {
        &self.0.settings.store.region
    }

    fn credentials(&self) -> Arc<Vec<Credential>> {
        Arc::clone(&self.0.credentials.read().expect("nothing panics with the lock held"))
    }

    fn roles(&self) -> [Option<Arc<Credential>>; 2] {
        self.0.roles.read().expect("nothing panics with the lock held").clone()
    }

    /// Refuses a request that is not signed with one of the credentials, if there are any.
    pub(super) fn authenticate(
        &self,
        request: SignedRequest<'_>,
        now: SystemTime,
    ) -> Result<(), Refusal> {
        refuse_repeated(request.headers)?;
        let credentials = self.credentials();
        if credentials.is_empty() && self.0.settings.service.is_none() {
            return Ok(());
        }
        let roles = self.roles();
        let authorization =
            Authorization::of(request.headers, request.query)?.ok_or_else(|| {
                let message =
                    "Access Denied. The request is not signed, and all buckets are private.";
                Refusal::new(Code::AccessDenied, message)
            })?;
        let mut pairs = credentials.iter().chain(roles.iter().flatten().map(Arc::as_ref));
        let pair = pairs.find(|pair| pair.id() == authorization.secret_id).ok_or_else(|| {
            let message = "The Access Key Id that signed the request is not known here.";
            Refusal::new(Code::InvalidAccessKeyId, message)
        })?;
        authorization.check_time(now)?;
        // Whoever is given a signed URL for a put must not read another object with it.
        const SOURCE: &str = "x-cos-copy-source";
        let is_copy = *request.method == Method::PUT && request.headers.contains_key(SOURCE);
        let signs_all = !is_copy || authorization.signs_header(SOURCE);
        if !signs_all || !request.is_signed(&authorization, pair.key()) {
            let message = "The request signature we calculated does not match the signature you \
                           provided. Check your key and signing method.";
            return Err(Refusal::new(Code::SignatureDoesNotMatch, message));
        }
        Ok(())
    }

    /// Takes the new credentials and buckets of `settings` into use.
    pub(super) async fn take_over(&self, settings: Settings) -> Result<(), Refusal> {
        let fixed = self.0.settings.fixed_keys_that_differ(&settings);
        if !fixed.is_empty() {
            warn!("changes of {} are used after a restart", fixed.join(", "));
        }
        let Settings { store, credentials, .. } = settings;
        if credentials.is_empty() && !self.credentials().is_empty() {
            // What was closed is not opened by the loss of a few lines.
            warn!("the last of [[credentials]] is gone; those before stay in use until a restart");
        } else {
            let mut current =
                self.0.credentials.write().expect("nothing panics with the lock held");
            *current = Arc::new(credentials);
        }
        for bucket in &store.buckets {
            match self.0.store.make_bucket(bucket).await {
                Err(refusal) if refusal.code != Code::BucketAlreadyOwnedByYou => {
                    return Err(refusal);
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }
}

/// Headers that may come several times: they say nothing about the object.
const LISTS: [&str; 9] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "connection",
    "cookie",
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-proto",
];

/// Of two headers with one name one would be signed and the other be used.
fn refuse_repeated(headers: &HeaderMap) -> Result<(), Refusal> {
    let is_repeated = |name: &&HeaderName| headers.get_all(*name).iter().count() > 1;
    let mut names = headers.keys().filter(|name| !LISTS.contains(&name.as_str()));
    match names.find(is_repeated) {
        Some(name) => Err(Refusal::argument(format!("The header {name} is there more than once."))),
        None => Ok(()),
    }
}
