//! What of a project is reached at which address.

use std::net::SocketAddr;

use daemon::check::reachable;
use project::{Project, WebSocketApi};

use crate::{services::Listeners, settings::AllSettings};

/// A project, and the listeners that serve it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Served<'a> {
    pub(super) project: &'a Project,
    pub(super) listeners: Listeners,
}

impl<'a> Served<'a> {
    /// A project that does not run: where it would be served by these settings.
    pub(super) fn by(project: &'a Project, (gateway, runner, cos): &AllSettings) -> Self {
        let listeners = Listeners {
            public: gateway.public,
            internal: gateway.internal,
            function_runner: runner.internal,
            cos: cos.as_ref().map(|cos| cos.internal),
            speaks_tls: gateway.tls.is_set(),
        };
        Self { project, listeners }
    }

    /// The URLs that clients connect to, of all APIs.
    pub(super) fn clients(&self) -> impl Iterator<Item = String> {
        self.project.apis.iter().flat_map(|api| self.clients_of(api))
    }

    /// The URLs that clients of `api` connect to.
    pub(super) fn clients_of(&self, api: &'a WebSocketApi) -> impl Iterator<Item = String> {
        let base = self.public("ws");
        api.paths.iter().map(move |path| format!("{base}{path}"))
    }

    /// The page of the project.
    pub(super) fn page(&self) -> String {
        self.public("http") + "/"
    }

    /// The base of the addresses for pushes.
    pub(super) fn pushes(&self) -> String {
        url(self.listeners.internal)
    }

    /// The address of the cloud API.
    pub(super) fn cloud_api(&self) -> String {
        url(self.listeners.function_runner)
    }

    /// The address of the object store.
    pub(super) fn cos(&self) -> Option<String> {
        self.listeners.cos.map(url)
    }

    /// The public listener. The scheme `scheme` has an `s` behind it with TLS.
    pub(super) fn public(&self, scheme: &str) -> String {
        let secure = if self.listeners.speaks_tls { "s" } else { "" };
        format!("{scheme}{secure}://{}", reachable(self.listeners.public))
    }

    /// The names of the cloud that the project uses, and where each leads.
    pub(super) fn names(&self) -> Vec<(String, String)> {
        let ids = self.project.old_ids().into_iter();
        let pushes = self.pushes();
        let mut names: Vec<_> = ids
            .map(|(old, new)| {
                (format!("*.apigateway.tencentyun.com/{old}"), format!("{pushes}/{new}"))
            })
            .collect();
        if let Some(cos) = self.cos() {
            let buckets = self.project.buckets.iter();
            names.extend(buckets.map(|bucket| {
                (format!("{}.cos.{}.myqcloud.com", bucket.name, bucket.region), cos.clone())
            }));
        }
        names.push(("scf.tencentcloudapi.com".to_owned(), self.cloud_api()));
        names.push(("service-*.apigw.tencentcs.com".to_owned(), self.public("http")));
        names
    }
}

fn url(address: SocketAddr) -> String {
    format!("http://{}", reachable(address))
}
