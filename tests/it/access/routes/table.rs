//! Every route of every listener, and who may use it.

use http::Method;

use super::credentials::With;

/// Who may use a route.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Who {
    Anybody,
    /// Whoever may push to `api-test`.
    Pushers,
    /// The same, but the token is in the path.
    TokenInPath,
    /// Whoever is known.
    Known,
    Services,
    Operator,
    /// Whoever may push to all APIs.
    NoApi,
    /// The signature decides.
    Signed,
    /// A process of the instance with the secret of the instance, which our bootstraps have.
    Bootstrap,
    /// Every process of the instance.
    Instance,
}

impl Who {
    pub(super) fn has(self, with: With) -> bool {
        match self {
            Self::Anybody | Self::Signed => true,
            // A service pushes for a function only; functions.rs has these pushes.
            Self::Pushers => matches!(with, With::ThisApi | With::Operator),
            Self::TokenInPath => with == With::ThisApi,
            Self::Known => {
                matches!(with, With::OtherApi | With::ThisApi | With::Service | With::Operator)
            }
            Self::Services => matches!(with, With::Service | With::Operator),
            Self::Operator | Self::NoApi => with == With::Operator,
            Self::Bootstrap | Self::Instance => false,
        }
    }
}

/// The methods of a path: those that it lists, or all.
pub(crate) type Row = (&'static str, &'static [Method], Who);

const ANY: &[Method] = &[];
const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];

pub(super) const GATEWAY: &[Row] = &[
    ("/healthz", GET, Who::Anybody),
    ("/readyz", GET, Who::Anybody),
    ("/cleanups", GET, Who::Operator),
    ("/cleanups/{id}", ANY, Who::Operator),
    ("/cleanups/{id}/{*rest}", ANY, Who::Operator),
    ("/cleanups/{id}/retry", POST, Who::Operator),
    ("/~", ANY, Who::Known),
    ("/~/{*rest}", ANY, Who::Known),
    ("/~/t/{token}/{*id}", ANY, Who::TokenInPath),
    // No API has this path.
    ("/", ANY, Who::NoApi),
    ("/{*id}", ANY, Who::Pushers),
];

pub(super) const RUNNER: &[Row] = &[
    ("/", POST, Who::Signed),
    ("/functions", GET, Who::Services),
    ("/functions/{name}/invocations", POST, Who::Services),
    ("/functions//invocations", POST, Who::Services),
    ("/functions/{name}/logs", GET, Who::Operator),
    ("/healthz", GET, Who::Anybody),
    ("/readyz", GET, Who::Anybody),
    ("/~/drain", POST, Who::Services),
    ("/~", ANY, Who::Services),
    ("/~/{*rest}", ANY, Who::Services),
];

pub(super) const PUBLIC: &[Row] = &[
    ("/~/healthz", GET, Who::Anybody),
    ("/~/readyz", GET, Who::Anybody),
    ("/~", ANY, Who::Anybody),
    ("/~/{*rest}", ANY, Who::Anybody),
];

/// The listener of each instance. `subprocess/routes.rs` asks it.
pub(crate) const RUNTIME_API: &[Row] = &[
    ("/runtime/init/ready", POST, Who::Bootstrap),
    ("/runtime/init/error", POST, Who::Bootstrap),
    ("/runtime/invocation/next", GET, Who::Bootstrap),
    ("/runtime/invocation/response", POST, Who::Bootstrap),
    ("/runtime/invocation/error", POST, Who::Bootstrap),
    ("/runtime/invocation/{id}/response", POST, Who::Bootstrap),
    ("/runtime/invocation/{id}/error", POST, Who::Bootstrap),
    ("/runtime/{*rest}", ANY, Who::Bootstrap),
    ("/~/t/{token}/{*id}", ANY, Who::Instance),
    ("/", ANY, Who::Instance),
    ("/{*id}", ANY, Who::Instance),
];

/// Those that requests are sent with.
pub(crate) const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];
