//! The settings of both services, from two files or built in, and those of the object store, if
//! there is a file for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use daemon::{
    check::reachable,
    process::{NoSettingsFile, read_file, variables},
    reload::SettingsFile,
    settings::{SettingsError, read_settings_text},
};
use function_runner::{
    Runner,
    settings::{KnownFunctions, OwnServers},
};
use functions::Catalog;
use project::SettingsTexts;

use crate::{access::Access, names, services::url_of};

pub(crate) const GATEWAY_FILE: &str = "gateway.toml";
pub(crate) const FUNCTIONS_FILE: &str = "functions.toml";
pub(crate) const COS_FILE: &str = "cos.toml";

/// An address for settings that are parsed only to report their errors.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The content of the settings files.
#[derive(Debug)]
pub(crate) struct Files {
    gateway: Source,
    functions: Source,
    /// Without this file there is no object store.
    cos: Option<Source>,
    built_in: bool,
    /// Whether the built-in chat page is served.
    has_page: bool,
    variables: BTreeMap<String, String>,
    access: Access,
    /// The functions that are in use, once the runner has been started.
    known: KnownFunctions,
    /// Those that speak no TLS. Not known before they listen.
    own_servers: OwnServers,
}

#[derive(Debug)]
struct Source {
    path: PathBuf,
    text: String,
}

/// The settings of the gateway, of the function-runner, and of the object store if there is one.
pub(crate) type AllSettings =
    (gateway::settings::Settings, function_runner::Settings, Option<cos::Settings>);

/// The errors in the files.
#[derive(Debug)]
pub(crate) struct AllErrors(Vec<SettingsError>);

impl Files {
    /// Reads the files in `dir`, which must exist. Without `dir`, reads the files in the working
    /// folder. If it has neither file, uses the built-in files, which are those of the repository.
    pub(crate) fn find(dir: Option<&Path>) -> anyhow::Result<Self> {
        let folder = dir.unwrap_or(Path::new(""));
        let paths = [GATEWAY_FILE, FUNCTIONS_FILE].map(|name| folder.join(name));
        if dir.is_none() && !paths.iter().any(|path| path.exists()) {
            return Ok(Self::built_in());
        }
        let [gateway, functions] = paths;
        let cos = Some(folder.join(COS_FILE)).filter(|path| path.exists());
        let cos = cos.map(|path| {
            Ok::<_, NoSettingsFile>(Source { text: read_file(&path, "--config-dir")?, path })
        });
        Ok(Self {
            cos: cos.transpose()?,
            gateway: Source { text: read_file(&gateway, "--config-dir")?, path: gateway },
            functions: Source { text: read_file(&functions, "--config-dir")?, path: functions },
            built_in: false,
            has_page: false,
            variables: variables(),
            access: Access::new(),
            known: KnownFunctions::default(),
            own_servers: OwnServers::default(),
        })
    }

    fn built_in() -> Self {
        let source = |name: &str, text: String| Source {
            path: PathBuf::from(format!("{name} (built in)")),
            text,
        };
        // The page is built in too, so it needs no folder.
        let gateway = include_str!("../gateway.toml").replace("dir = \"web\"", "");
        Self {
            gateway: source(GATEWAY_FILE, gateway),
            functions: source(FUNCTIONS_FILE, include_str!("../functions.toml").to_owned()),
            cos: None,
            built_in: true,
            has_page: true,
            variables: variables(),
            access: Access::new(),
            known: KnownFunctions::default(),
            own_servers: OwnServers::default(),
        }
    }

    /// What is about to be written into the files of `folder`.
    pub(crate) fn of_texts(folder: &Path, texts: SettingsTexts) -> Self {
        let source = |name, text| Source { path: folder.join(name), text };
        Self {
            gateway: source(GATEWAY_FILE, texts.gateway),
            functions: source(FUNCTIONS_FILE, texts.functions),
            cos: texts.cos.map(|text| source(COS_FILE, text)),
            built_in: false,
            ..Self::built_in()
        }
    }

    /// The settings of all services, or all errors. The address for pushes is not known yet.
    pub(crate) fn check(&self) -> anyhow::Result<AllSettings> {
        let functions = self.parse_functions(NOWHERE);
        let settings = all(self.parse_gateway(), functions, self.parse_cos())?;
        names::check(&settings.0, &settings.1)?;
        refuse_internal_tls(&settings.0, &settings.1)?;
        Ok(settings)
    }

    /// The same with the built-in chat page.
    #[must_use]
    pub(crate) fn with_page(self) -> Self {
        Self { has_page: true, ..self }
    }

    /// Whether the built-in chat page is served.
    pub(crate) fn has_page(&self) -> bool {
        self.has_page
    }

    pub(crate) fn parse_gateway(&self) -> Result<gateway::settings::Settings, SettingsError> {
        self.parse_gateway_text(&self.gateway.text)
    }

    /// Parses `text`, the new content of the gateway's file.
    pub(crate) fn parse_gateway_text(
        &self,
        text: &str,
    ) -> Result<gateway::settings::Settings, SettingsError> {
        let path = &self.gateway.path;
        let mut settings = gateway::settings::Settings::parse(path, text, &self.variables)?;
        self.access.complete_gateway(&mut settings);
        Ok(settings)
    }

    /// Parses the object store's file, if there is one.
    pub(crate) fn parse_cos(&self) -> Result<Option<cos::Settings>, SettingsError> {
        let Some(Source { path, text }) = &self.cos else { return Ok(None) };
        cos::Settings::parse(path, text, &self.variables).map(Some)
    }

    /// Decides what follows from both files together. They are parsed again after that.
    pub(crate) fn decide(
        &mut self,
        gateway: &gateway::settings::Settings,
        functions: &function_runner::Settings,
    ) {
        self.access.decide(gateway, functions);
    }

    /// `runner` has been started: its functions are in use.
    pub(crate) fn use_functions(&mut self, runner: &Runner) {
        self.known = runner.known_functions();
    }

    /// What the gateway's file says now. None if it has errors.
    pub(crate) fn gateway_now(&self) -> Option<gateway::settings::Settings> {
        self.parse_gateway_text(&read_settings_text(&self.gateway.path).ok()?).ok()
    }

    /// What the functions' file says now. None if it has errors.
    pub(crate) fn functions_now(&self, internal: SocketAddr) -> Option<function_runner::Settings> {
        self.parse_functions_text(internal, &read_settings_text(&self.functions.path).ok()?).ok()
    }

    /// The gateway's file. None if the settings are built in.
    pub(crate) fn gateway_file(&self) -> Option<SettingsFile> {
        self.on_disk(&self.gateway)
    }

    /// The cloud's names lead to the servers of this process.
    fn complete_cloud(&self, settings: &mut function_runner::Settings) {
        let gateway = self.gateway_now().or_else(|| self.parse_gateway().ok());
        let apis = gateway.map(|gateway| gateway.apis_of_functions()).unwrap_or_default();
        settings.complete_cloud(&self.own_servers, |function| {
            let named = apis.iter().filter(|(name, _)| name == function);
            named.map(|(_, api)| api.clone()).collect::<BTreeSet<_>>().into_iter().collect()
        });
    }

    /// The gateway of this process listens for clients at `public`, without TLS.
    pub(crate) fn gateway_is_at(&mut self, public: SocketAddr) {
        self.own_servers.gateway = Some(url_of(public));
    }

    /// The object store of this process listens at `address`, without TLS.
    pub(crate) fn cos_is_at(&mut self, address: SocketAddr) {
        self.own_servers.cos = Some(url_of(address));
    }

    /// The functions' file. None if the settings are built in.
    pub(crate) fn functions_file(&self) -> Option<SettingsFile> {
        self.on_disk(&self.functions)
    }

    fn on_disk(&self, Source { path, text }: &Source) -> Option<SettingsFile> {
        (!self.built_in).then(|| SettingsFile { path: path.clone(), text: text.clone() })
    }

    /// Parses the functions' file. `${push}` is the URL of the gateway's internal listener at
    /// `internal`.
    pub(crate) fn parse_functions(
        &self,
        internal: SocketAddr,
    ) -> Result<function_runner::Settings, SettingsError> {
        self.parse_functions_text(internal, &self.functions.text)
    }

    /// Parses `text`, the new content of the functions' file.
    pub(crate) fn parse_functions_text(
        &self,
        internal: SocketAddr,
        text: &str,
    ) -> Result<function_runner::Settings, SettingsError> {
        let path = &self.functions.path;
        let push = format!("http://{}", reachable(internal));
        let extra = BTreeMap::from([("push".to_owned(), push)]);
        let catalog = Catalog::built_in();
        let mut settings = function_runner::Settings::parse_again(
            path,
            text,
            &self.variables,
            &extra,
            &catalog,
            &self.known,
        )?;
        self.complete_cloud(&mut settings);
        self.access.check(&settings)?;
        self.access.complete_functions(&mut settings);
        // The gateway of this process has ended when the runner is stopped.
        settings.drain.delay = Duration::ZERO;
        settings.drain.hears_callers = false;
        Ok(settings)
    }
}

/// The services of this process call each other without TLS.
fn refuse_internal_tls(
    gateway: &gateway::settings::Settings,
    functions: &function_runner::Settings,
) -> Result<(), SettingsError> {
    const KEY: &str = "internal_tls.cert";
    let what = "is set, and gateway and function-runner are one process here, which call each other \
                without TLS; leave it out, or start them as two processes";
    let mut problems = Vec::new();
    if !gateway.internal_tls.cert.is_empty() {
        problems.push(gateway.problem(KEY, what));
    }
    if !functions.internal_tls.cert.is_empty() {
        problems.push(functions.problem(KEY, what));
    }
    if problems.is_empty() { Ok(()) } else { Err(SettingsError(problems)) }
}

/// All results, or all errors.
fn all<A, B, C>(
    a: Result<A, SettingsError>,
    b: Result<B, SettingsError>,
    c: Result<C, SettingsError>,
) -> Result<(A, B, C), AllErrors> {
    match (a, b, c) {
        (Ok(a), Ok(b), Ok(c)) => Ok((a, b, c)),
        (a, b, c) => Err(AllErrors([a.err(), b.err(), c.err()].into_iter().flatten().collect())),
    }
}

impl fmt::Display for AllErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for AllErrors {}
