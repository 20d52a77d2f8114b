//! Where the names of one function lead.

use std::{collections::BTreeMap, sync::Arc};

use daemon::{
    http::{Body, message},
    tls::TlsOnDemand,
};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use serde_json::json;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use super::{
    forward::Forwarding,
    names::{CloudName, ENDS, FORMS, cloud_name},
    process::CloudProcess,
    roots::Roots,
    said::Said,
};
use crate::{
    invocation::RecentLines,
    settings::{CloudNames, FunctionSettings, NamedPlace, Outside},
};

/// Where the names of one function lead. A handle.
#[derive(Debug, Clone)]
pub(crate) struct LedNames(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    names: CloudNames,
    /// The APIs that the function may push to, as far as they are known.
    push_to: Vec<String>,
    process: CloudProcess,
    forwarding: Forwarding,
    said: Said,
}

/// Where a name leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lead {
    /// To the gateway, as pushes of the function.
    Push,
    /// To the cloud API of this runner.
    Api,
    /// To a server.
    Server(Url),
    /// It is a name of the cloud, and this setting would lead it somewhere.
    Nowhere(&'static str),
    /// Where it leads without us.
    Outside,
    Refused,
}

impl LedNames {
    /// The names of `function`, which `named_by` name as far as that is known. Its log has `lines`.
    pub(crate) fn new(
        function: &FunctionSettings,
        names: &CloudNames,
        named_by: &[String],
        process: &CloudProcess,
        lines: RecentLines,
    ) -> Self {
        let push_to = function.push.apis.clone().unwrap_or_else(|| named_by.to_vec());
        Self(Arc::new(Inner {
            names: names.clone(),
            push_to,
            process: process.clone(),
            forwarding: Forwarding::new(),
            said: Said::new(&function.name, lines),
        }))
    }

    /// Whether requests for `name` are answered here, although they do not come through a proxy.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self.0.names.lead(name) {
            Lead::Push | Lead::Api | Lead::Server(_) | Lead::Nowhere(_) => true,
            Lead::Outside | Lead::Refused => false,
        }
    }

    /// Where `name` leads. Logged.
    pub(crate) fn lead(&self, name: &str) -> Lead {
        let lead = self.0.names.lead(name);
        let said = &self.0.said;
        match &lead {
            Lead::Push => said.leads(name, "the pushes of its instance"),
            Lead::Api => said.leads(name, "the cloud API of this runner"),
            Lead::Server(url) => said.leads(name, url.as_str().trim_end_matches('/')),
            Lead::Nowhere(setting) => {
                said.leads_nowhere(name, &format!("set {setting} in functions.toml"));
            }
            Lead::Outside => said.leads(name, "where it leads outside"),
            Lead::Refused => said.leads_nowhere(name, "[cloud] of functions.toml refuses it"),
        }
        lead
    }

    /// Somebody has asked the proxy for `name` without the credentials of the instance. Logged.
    pub(crate) fn without_credentials(&self, name: &str) {
        let what = "who asked the proxy showed no credentials of the instance, which are in the \
                    address in http_proxy";
        self.0.said.leads_nowhere(name, what);
    }

    /// The answer for a name that leads nowhere.
    pub(crate) fn nowhere(name: &str, setting: &str) -> Response<Body> {
        let what = format!("{name} leads nowhere: set {setting} in functions.toml");
        message(StatusCode::BAD_GATEWAY, &what)
    }

    /// The answer for a name that is refused.
    pub(crate) fn refused(name: &str) -> Response<Body> {
        let what = format!("{name} is refused: set cloud.outside or cloud.names in functions.toml");
        message(StatusCode::FORBIDDEN, &what)
    }

    /// Our API for the id that an address of the cloud has.
    pub(crate) fn api_for<'a>(&'a self, id: &'a str) -> &'a str {
        let Inner { names, push_to, .. } = &*self.0;
        match (names.apis.get(id), &push_to[..]) {
            (Some(own), _) => own,
            (None, [only]) => only,
            (None, _) => id,
        }
    }

    /// Answers an action of the cloud API.
    pub(crate) async fn act(&self, request: Request<Incoming>) -> Response<Body> {
        self.0.process.act(request).await
    }

    /// Passes a request on to `server`, whose name in the cloud is `name`. What goes on after the
    /// answer is in tasks of `tasks`, until `stop`.
    pub(crate) async fn forward(
        &self,
        name: &str,
        server: &Url,
        request: Request<Incoming>,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Response<Body> {
        self.0.forwarding.forward(name, server, request, tasks, stop).await
    }

    /// TLS for the names, if there is an authority.
    pub(crate) fn tls(&self) -> Option<&TlsOnDemand> {
        self.0.process.certificates(&self.0.names).map(|certificates| &certificates.tls)
    }

    /// Where the authorities are that functions trust.
    pub(crate) fn roots(&self) -> Option<&Roots> {
        self.0.process.certificates(&self.0.names).map(|certificates| certificates.roots())
    }

    /// What our bootstraps do about names, as JSON. `port` is that of the listener of the instance,
    /// if they connect there.
    pub(crate) fn for_bootstrap(&self, port: Option<u16>) -> String {
        let CloudNames { names, outside, .. } = &self.0.names;
        let all = |is_such: fn(&NamedPlace) -> bool| of(names, is_such);
        json!({
            "port": port,
            "forms": FORMS.map(|(form, _)| form),
            "ends": ENDS,
            "led": all(|place| matches!(place, NamedPlace::Url(_))),
            "passed": all(|place| matches!(place, NamedPlace::Pass)),
            "refused": all(|place| matches!(place, NamedPlace::Refuse)),
            "refuses": *outside == Outside::Refuse,
            "roots": self.roots().map(Roots::all),
        })
        .to_string()
    }
}

fn of(names: &BTreeMap<String, NamedPlace>, is_such: fn(&NamedPlace) -> bool) -> Vec<&str> {
    names.iter().filter(|(_, place)| is_such(place)).map(|(name, _)| name.as_str()).collect()
}

impl CloudNames {
    /// Where `name`, in lower case and without a port, leads.
    fn lead(&self, name: &str) -> Lead {
        match self.names.get(name) {
            Some(NamedPlace::Url(url)) => return Lead::Server(url.clone()),
            Some(NamedPlace::Pass) => return Lead::Outside,
            Some(NamedPlace::Refuse) => return Lead::Refused,
            None => {}
        }
        let server =
            |url: &Option<Url>, setting| url.clone().map_or(Lead::Nowhere(setting), Lead::Server);
        match (cloud_name(name), self.outside) {
            (Some(CloudName::Push), _) => Lead::Push,
            (Some(CloudName::Cos), _) => server(&self.cos, "cloud.cos"),
            (Some(CloudName::Api), _) => Lead::Api,
            (Some(CloudName::Gateway), _) => server(&self.gateway, "cloud.gateway"),
            (None, Outside::Pass) => Lead::Outside,
            (None, Outside::Refuse) => Lead::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use url::Url;

    use super::{CloudNames, Lead, NamedPlace, Outside};

    const COS: &str = "chat-1.cos.ap-guangzhou.myqcloud.com";

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn names(cos: Option<&str>, outside: Outside) -> CloudNames {
        let names = [
            ("sms.tencentcloudapi.com", NamedPlace::Pass),
            ("db.example.com", NamedPlace::Url(url("http://127.0.0.1:5"))),
            ("bad.example.com", NamedPlace::Refuse),
        ];
        CloudNames {
            cos: cos.map(url),
            gateway: None,
            apis: BTreeMap::new(),
            names: names.map(|(name, place)| (name.to_owned(), place)).into(),
            outside,
        }
    }

    #[test]
    fn a_name_leads_where_the_settings_say() {
        let cos = "http://127.0.0.1:9003";
        let set = names(Some(cos), Outside::Pass);
        for (name, expected) in [
            (COS, Lead::Server(url(cos))),
            ("set-a.cb-b.apigateway.tencentyun.com", Lead::Push),
            ("scf.tencentcloudapi.com", Lead::Api),
            ("service-a.gz.apigw.tencentcs.com", Lead::Nowhere("cloud.gateway")),
            ("cvm.tencentcloudapi.com", Lead::Outside),
            ("sms.tencentcloudapi.com", Lead::Outside),
            ("db.example.com", Lead::Server(url("http://127.0.0.1:5"))),
            ("bad.example.com", Lead::Refused),
            ("example.com", Lead::Outside),
        ] {
            assert_eq!(set.lead(name), expected, "{name}");
        }
        let refusing = names(None, Outside::Refuse);
        assert_eq!(refusing.lead(COS), Lead::Nowhere("cloud.cos"));
        assert_eq!(refusing.lead("example.com"), Lead::Refused);
        assert_eq!(refusing.lead("sms.tencentcloudapi.com"), Lead::Outside);
    }
}
