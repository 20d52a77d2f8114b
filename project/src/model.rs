//! A cloud project, as far as it can run here.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use crate::note::Place;

/// What a folder has that can run. Parts that cannot are left out, and a note says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    pub functions: Vec<Function>,
    pub apis: Vec<WebSocketApi>,
    pub buckets: Vec<Bucket>,
    pub websites: Vec<Website>,
    /// The region of the first function, or of the first bucket; `ap-guangzhou` if none has one.
    pub region: String,
    /// The number of the account, of 10 digits.
    pub app_id: String,
    /// Whether the code uses the object store, or a bucket is known.
    pub uses_cos: bool,
}

/// The number of the account if the project names none.
pub(crate) const APP_ID_DEFAULT: &str = "1250000000";
/// The region if the project names none, as in the cloud.
pub(crate) const REGION_DEFAULT: &str = "ap-guangzhou";

impl Default for Project {
    fn default() -> Self {
        Self {
            functions: Vec::new(),
            apis: Vec::new(),
            buckets: Vec::new(),
            websites: Vec::new(),
            region: REGION_DEFAULT.to_owned(),
            app_id: APP_ID_DEFAULT.to_owned(),
            uses_cos: false,
        }
    }
}

/// What runs the code of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Runtime {
    Python,
    Node,
    /// The program `bootstrap` in the folder of the code.
    Custom,
}

/// A function whose code is there.
#[derive(Clone, PartialEq, Eq)]
pub struct Function {
    /// The name in the cloud: 1 to 60 letters, digits, `-` and `_`.
    pub name: String,
    pub place: Place,
    /// Where the other values stand, by the names of the fields. Defaults stand nowhere.
    pub places: BTreeMap<&'static str, Place>,
    /// The folder of the code: the folder of the project, and below it.
    pub code: PathBuf,
    /// `<file>.<function>`; of Python with dots or slashes between folders. For [`Runtime::Custom`]
    /// any text.
    pub handler: String,
    pub runtime: Runtime,
    /// The runtime as the project writes it: `Python3.6`.
    pub cloud_runtime: String,
    /// 1 to 900 seconds.
    pub timeout: Duration,
    /// 64 to 3072.
    pub memory_mb: u32,
    /// As the code is to see it: no reference is left in it. At most 4096 bytes.
    pub environment: BTreeMap<String, String>,
    pub role: Option<String>,
    /// The file that the shim of the component `websocket` loads, from the folder of the code. The
    /// handler is the shim then: `sl_handler.handler`.
    pub entry: Option<String>,
}

/// Without the values of the environment, which may be secrets.
impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function")
            .field("name", &self.name)
            .field("place", &self.place)
            .field("code", &self.code)
            .field("handler", &self.handler)
            .field("runtime", &self.runtime)
            .field("cloud_runtime", &self.cloud_runtime)
            .field("timeout", &self.timeout)
            .field("memory_mb", &self.memory_mb)
            .field("environment", &self.environment.keys())
            .field("role", &self.role)
            .field("entry", &self.entry)
            .finish_non_exhaustive()
    }
}

/// A path that clients connect to, and the functions for it. All functions are in the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocketApi {
    /// For people.
    pub name: String,
    pub place: Place,
    /// The id for pushes: that of the cloud if only one can be meant, or made of the name.
    pub id: String,
    /// Further ids for pushes, which other APIs have too: functions of several paths push by one.
    pub push_ids: Vec<String>,
    /// With the stage and without, as patterns of `gateway.toml`.
    pub paths: Vec<String>,
    pub register: Option<String>,
    pub transmit: String,
    pub cleanup: Option<String>,
    pub timeout: Duration,
    /// Ids of the cloud that stand in the environment and in the code of the functions, and are not
    /// `id` and not in `push_ids`. Each is of this API only.
    pub cloud_ids: Vec<String>,
}

/// A bucket of the object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// With the number of the account: `chat-1250000000`.
    pub name: String,
    pub region: String,
    /// Where its name stands, also in code.
    pub place: Place,
}

/// A folder of pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Website {
    pub name: String,
    pub place: Place,
    /// The folder of the project, and below it.
    pub folder: PathBuf,
    /// The page of a folder, if the project names one.
    pub index: Option<String>,
}
