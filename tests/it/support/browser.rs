//! A headless Chromium with a profile of its own, and the driver that controls it.
//!
//! On a machine without Chromium these tests are skipped with a message; in CI they fail.

use std::{env, fs, path::Path, path::PathBuf, process::Stdio, time::Duration};

use fantoccini::{
    Client, ClientBuilder, Locator,
    actions::{InputSource, KeyAction, KeyActions},
    elements::Element,
    key::Key,
    wd::{WebDriverCompatibleCommand, WindowHandle},
};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdout, Command},
};
use url::{ParseError, Url};

use super::soon;

const DRIVER: &str = "chromedriver";
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];
const MISSING: &str = "no Chromium with its driver: apt-get install chromium chromium-driver";

const FLAGS: [&str; 12] = [
    "--headless=new",
    // In containers tests run as root, which the sandbox refuses. All pages are from this
    // repository.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--lang=en",
    "--window-size=1000,760",
];

/// The interval between two checks whether an element is there.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// A running browser, killed with all its processes when it is dropped.
pub(crate) struct Browser {
    driver: Child,
    client: Client,
    _stdout: BufReader<ChildStdout>,
    _folder: TempDir,
}

/// One tab. Another tab may be active, so every operation first activates this one.
pub(crate) struct Tab {
    client: Client,
    window: WindowHandle,
}

/// Whether a tab can reach the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    Online,
    Offline,
}

/// A command of the `DevTools` protocol, for features that `WebDriver` does not have.
#[derive(Debug)]
struct DevTools(Value);

impl Browser {
    /// None on a machine without a browser.
    pub(crate) async fn start() -> Option<Self> {
        Self::start_with(tempfile::tempdir().unwrap()).await
    }

    /// A browser that trusts `authority`, as its user would have it do. None on a machine without a
    /// browser or without the tool for that.
    pub(crate) async fn start_trusting(authority: &Path) -> Option<Self> {
        let Some(certutil) = on_path("certutil") else {
            skipped::without("no certutil: apt-get install libnss3-tools");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join(".pki/nssdb");
        fs::create_dir_all(&database).unwrap();
        let database = format!("sql:{}", database.display());
        let authority = authority.to_str().unwrap();
        for arguments in [
            vec!["-N", "--empty-password"],
            vec!["-A", "-t", "C,,", "-n", "longhold-dev", "-i", authority],
        ] {
            let mut command = Command::new(&certutil);
            command.args(["-d", &database]).args(arguments);
            assert!(soon("certutil", command.status()).await.unwrap().success());
        }
        Self::start_with(folder).await
    }

    async fn start_with(folder: TempDir) -> Option<Self> {
        let browser = BROWSERS.iter().find_map(|name| on_path(name));
        let (Some(driver), Some(browser)) = (on_path(DRIVER), browser) else {
            skipped::without(MISSING);
            return None;
        };
        Some(Self::launch(&driver, &browser, folder).await)
    }

    async fn launch(driver: &Path, browser: &Path, folder: TempDir) -> Self {
        let mut driver = Command::new(driver)
            .arg("--port=0")
            // All files that the browser leaves behind are in this folder, which is removed.
            .envs(
                ["HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"]
                    .map(|name| (name, folder.path())),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(driver.stdout.take().unwrap());
        let port = soon("the port of the driver", port(&mut stdout)).await;
        let mut arguments = FLAGS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", folder.path().join("profile").display()));
        let options = json!({ "binary": browser, "args": arguments });
        let capabilities = [("goog:chromeOptions".to_owned(), options)].into_iter().collect();
        let driver_url = format!("http://127.0.0.1:{port}");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let connecting = builder.capabilities(capabilities).connect(&driver_url);
        let client = soon("a browser", connecting).await.unwrap();
        Self { driver, client, _stdout: stdout, _folder: folder }
    }

    /// The first tab of the browser.
    pub(crate) async fn tab(&self) -> Tab {
        Tab { client: self.client.clone(), window: self.client.window().await.unwrap() }
    }

    pub(crate) async fn new_tab(&self) -> Tab {
        let window = self.client.new_window(true).await.unwrap().handle;
        Tab { client: self.client.clone(), window }
    }

    /// Closes all tabs.
    pub(crate) async fn finish(self) {
        soon("the end of the browser", self.client.clone().close()).await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // There is an id as long as the driver has not been reaped, so the id is still valid.
        if let Some(id) = self.driver.id() {
            let _ = killpg(Pid::from_raw(id.cast_signed()), Signal::SIGKILL);
        }
    }
}

impl Tab {
    pub(crate) async fn open(&self, url: &str) {
        self.front().await.goto(url).await.unwrap();
    }

    /// Waits for an element.
    pub(crate) async fn see(&self, css: &str) -> Element {
        let client = self.front().await;
        let wait = client.wait().forever().every(ASK_EVERY);
        soon(css, wait.for_element(Locator::Css(css))).await.unwrap()
    }

    /// The text of an element that exists, as it is in the document.
    pub(crate) async fn text(&self, css: &str) -> String {
        let text = self.ask(&format!("document.querySelector({}).textContent", json!(css))).await;
        text.as_str().unwrap().to_owned()
    }

    /// The content of the text box.
    pub(crate) async fn draft(&self) -> String {
        self.ask("document.querySelector('#message').value").await.as_str().unwrap().to_owned()
    }

    /// The value of a JavaScript expression.
    pub(crate) async fn ask(&self, expression: &str) -> Value {
        let script = format!("return {expression}");
        self.front().await.execute(&script, Vec::new()).await.unwrap()
    }

    /// Runs JavaScript, which calls its last argument with a value when it is done.
    pub(crate) async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        let client = self.front().await;
        soon("the end of a script", client.execute_async(script, arguments)).await.unwrap()
    }

    /// The id of the element that has the focus.
    pub(crate) async fn focused(&self) -> String {
        self.ask("document.activeElement.id").await.as_str().unwrap().to_owned()
    }

    /// Types into an element, which gets the focus.
    pub(crate) async fn write(&self, css: &str, text: &str) {
        self.see(css).await.send_keys(text).await.unwrap();
    }

    /// Types into the element that has the focus.
    pub(crate) async fn type_text(&self, text: &str) {
        for character in text.chars() {
            self.chord(&[character]).await;
        }
    }

    pub(crate) async fn press(&self, keys: &[Key]) {
        let keys: Vec<_> = keys.iter().map(|key| char::from(*key)).collect();
        self.chord(&keys).await;
    }

    /// Presses keys one after the other, and releases them in the opposite order.
    async fn chord(&self, keys: &[char]) {
        let down = keys.iter().map(|&value| KeyAction::Down { value });
        let up = keys.iter().rev().map(|&value| KeyAction::Up { value });
        let keyboard = KeyActions::new("keyboard".to_owned());
        let actions = down.chain(up).fold(keyboard, |actions, action| actions.then(action));
        self.front().await.perform_actions(actions).await.unwrap();
    }

    /// Cuts the tab off from the network, or connects it again.
    pub(crate) async fn network(&self, network: Network) {
        let offline = network == Network::Offline;
        let parameters = json!({
            "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        self.dev_tools("Network.emulateNetworkConditions", parameters).await;
    }

    pub(crate) async fn prefer_dark(&self) {
        let feature = json!({ "name": "prefers-color-scheme", "value": "dark" });
        self.dev_tools("Emulation.setEmulatedMedia", json!({ "features": [feature] })).await;
    }

    /// Makes the tab emulate a phone with a screen of this size.
    pub(crate) async fn phone(&self, (width, height): (u32, u32)) {
        let screen =
            json!({ "width": width, "height": height, "deviceScaleFactor": 2, "mobile": true });
        self.dev_tools("Emulation.setDeviceMetricsOverride", screen).await;
        self.dev_tools("Emulation.setTouchEmulationEnabled", json!({ "enabled": true })).await;
    }

    /// Saves a screenshot in the target folder, for people to look at.
    pub(crate) async fn screenshot(&self, name: &str) {
        let picture = self.front().await.screenshot().await.unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }

    async fn dev_tools(&self, command: &str, parameters: Value) {
        let command = DevTools(json!({ "cmd": command, "params": parameters }));
        self.front().await.issue_cmd(command).await.unwrap();
    }

    async fn front(&self) -> &Client {
        self.client.switch_to_window(self.window.clone()).await.unwrap();
        &self.client
    }
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        base_url.join(&format!("session/{}/goog/cdp/execute", session_id.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.0.to_string()))
    }
}

/// The program of this name, if it is installed.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// The port that the driver prints.
async fn port(stdout: &mut BufReader<ChildStdout>) -> u16 {
    let mut line = String::new();
    while !line.contains("started successfully on port ") {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).await.unwrap(), 0, "the driver did not start");
    }
    let digits: String = line.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}
