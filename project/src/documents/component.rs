//! Which component an instance is of, by the names that are in use for it.

/// A component of the cloud's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Component {
    /// One function.
    Function,
    /// Several functions.
    Functions,
    /// Paths of the API gateway.
    Gateway,
    /// One function for all events of a WebSocket.
    WebSocket,
    /// A bucket.
    Bucket,
    /// Pages in a bucket.
    Website,
    /// Values for others.
    Global,
    /// A web server that is known and is not served here.
    WebServer,
    /// Another component of the cloud that is known and is not there here.
    Absent,
    /// A resource of SAM that is a function.
    Resource,
    Unknown,
}

const KNOWN: [(&str, Component); 35] = [
    ("scf", Component::Function),
    ("multi-scf", Component::Functions),
    ("apigateway", Component::Gateway),
    ("apigw", Component::Gateway),
    ("websocket", Component::WebSocket),
    ("cos", Component::Bucket),
    ("website", Component::Website),
    ("serverless-global", Component::Global),
    ("global", Component::Global),
    ("http", Component::WebServer),
    ("express", Component::WebServer),
    ("koa", Component::WebServer),
    ("egg", Component::WebServer),
    ("eggjs", Component::WebServer),
    ("nextjs", Component::WebServer),
    ("nuxtjs", Component::WebServer),
    ("nestjs", Component::WebServer),
    ("flask", Component::WebServer),
    ("django", Component::WebServer),
    ("fastapi", Component::WebServer),
    ("bottle", Component::WebServer),
    ("tornado", Component::WebServer),
    ("pyramid", Component::WebServer),
    ("laravel", Component::WebServer),
    ("springboot", Component::WebServer),
    ("thinkphp", Component::WebServer),
    ("vpc", Component::Absent),
    ("cdn", Component::Absent),
    ("cls", Component::Absent),
    ("cfs", Component::Absent),
    ("layer", Component::Absent),
    ("postgresql", Component::Absent),
    ("cynosdb", Component::Absent),
    ("mongodb", Component::Absent),
    ("cam-role", Component::Absent),
];

/// What stands before the name in older projects.
const PREFIXES: [&str; 4] = ["@serverless/tencent-", "@gosls/tencent-", "@serverless/", "@gosls/"];

impl Component {
    /// The component of `name`: `scf`, `scf@1.0`, `@serverless/tencent-scf`.
    pub(crate) fn of(name: &str) -> Self {
        let short = Self::short(name);
        let known = KNOWN.iter().find(|(known, _)| *known == short);
        known.map_or(Self::Unknown, |(_, component)| *component)
    }

    /// The name without what stands before it, and without a version.
    pub(crate) fn short(name: &str) -> String {
        let name = name.trim().to_lowercase();
        let name = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(&name);
        let name = name.strip_prefix("tencent-").unwrap_or(name);
        name.split('@').next().unwrap_or(name).to_owned()
    }

    /// All names that are known.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        KNOWN.iter().map(|(name, _)| *name)
    }

    /// Whether an instance of it is one function, with a name that references can ask for.
    pub(crate) fn is_function(self) -> bool {
        matches!(self, Self::Function | Self::WebSocket | Self::Resource)
    }
}
