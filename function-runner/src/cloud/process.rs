//! What the functions of one runner have of the cloud together.

use std::{
    fmt, io, mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock},
    time::Duration,
};

use daemon::{
    credentials::AccessToken,
    http::{Body, message},
    tls::TlsOnDemand,
};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tracing::error;

use super::{
    names::DOMAINS,
    role::Role,
    roots::{RootFiles, Roots},
};
use crate::settings::{Cloud, CloudNames, NamedPlace, SecretPair};

/// How the authority is called in a list.
const TITLE: &str = "longhold [cloud]";
/// How long the authority is valid. Its key ends with the process.
const TIME: Duration = Duration::from_hours(5 * 365 * 24);

/// Answers an action of the cloud API, without a listener between.
pub(crate) type ActionHandler = Box<
    dyn Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> + Send + Sync,
>;

/// What functions have of the cloud. A handle.
#[derive(Debug, Clone)]
pub(crate) struct CloudProcess(Arc<Inner>);

struct Inner {
    role: Mutex<Role>,
    /// The pair before: instances that still run sign with it.
    role_before: Mutex<Option<Role>>,
    certificates: OnceLock<Option<Certificates>>,
    actions: Mutex<Option<Arc<ActionHandler>>>,
}

/// The authority for the cloud's names.
#[derive(Debug)]
pub(crate) struct Certificates {
    pub(crate) tls: TlsOnDemand,
    roots: RootFiles,
}

impl CloudProcess {
    /// `token` is that of the services.
    pub(crate) fn new(cloud: &Cloud, token: &AccessToken) -> Self {
        let role = cloud.role.clone().map_or_else(|| Role::derived(token), Role::of);
        Self(Arc::new(Inner {
            role: Mutex::new(role),
            role_before: Mutex::default(),
            certificates: OnceLock::new(),
            actions: Mutex::default(),
        }))
    }

    /// Uses the pair of new settings for instances that start from now on. Without one, the pair
    /// stays.
    pub(crate) fn take(&self, cloud: &Cloud) {
        let mut role = lock(&self.0.role);
        if let Some(pair) = cloud.role.as_ref().filter(|pair| *pair != &*role.pair) {
            let before = mem::replace(&mut *role, Role::of(pair.clone()));
            *lock(&self.0.role_before) = Some(before);
        }
    }

    /// What functions with a role sign with.
    pub(crate) fn role(&self) -> Role {
        lock(&self.0.role).clone()
    }

    /// The pairs that functions with a role sign with: that of new instances, and the one before.
    pub(crate) fn pairs(&self) -> Vec<Arc<SecretPair>> {
        let before = lock(&self.0.role_before).clone();
        [self.role()].into_iter().chain(before).map(|role| role.pair).collect()
    }

    /// The listener is open: actions are answered by `handler`, or no more.
    pub(crate) fn answer_actions(&self, handler: Option<ActionHandler>) {
        *lock(&self.0.actions) = handler.map(Arc::new);
    }

    /// Answers an action.
    pub(super) async fn act(&self, request: Request<Incoming>) -> Response<Body> {
        let handler = lock(&self.0.actions).clone();
        match handler {
            Some(handler) => handler(request).await,
            None => message(StatusCode::SERVICE_UNAVAILABLE, "the function-runner is stopping"),
        }
    }

    /// The authority for the cloud's names, and for those of the settings that need it first. None
    /// if it could not be made, which is logged once.
    pub(super) fn certificates(&self, names: &CloudNames) -> Option<&Certificates> {
        let made = self.0.certificates.get_or_init(|| match Certificates::new(names) {
            Ok(certificates) => Some(certificates),
            Err(error) => {
                error!(%error, "the cloud's names are answered without TLS");
                None
            }
        });
        made.as_ref()
    }
}

impl Certificates {
    fn new(names: &CloudNames) -> io::Result<Self> {
        let is_led = |place: &NamedPlace| matches!(place, NamedPlace::Url(_));
        let own = names.names.iter().filter(|(_, place)| is_led(place));
        let all: Vec<_> = DOMAINS.into_iter().chain(own.map(|(name, _)| name.as_str())).collect();
        let tls = TlsOnDemand::new(TITLE, &all, TIME)?;
        let roots = RootFiles::write(tls.authority())?;
        Ok(Self { tls, roots })
    }

    pub(super) fn roots(&self) -> &Roots {
        &self.roots.roots
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudProcess").finish_non_exhaustive()
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().expect("nothing panics with the lock held")
}
