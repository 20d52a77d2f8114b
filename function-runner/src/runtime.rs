//! What runs the code of a function. The seam: another runtime is another variant.
//!
//! A runtime takes one event and returns one reply, or says why not. Deadlines, limits and log
//! lines are the invocation's; dropping the future of [`Runtime::invoke`] gives the event up.

pub(crate) mod rust;

use functions::Context;

use self::rust::RustRuntime;
use crate::fault::Fault;

#[derive(Debug)]
pub(crate) enum Runtime {
    Rust(RustRuntime),
}

impl Runtime {
    /// The word for it in the settings.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Rust(_) => "rust",
        }
    }

    /// What it calls, as the settings say it.
    pub(crate) fn handler(&self) -> &str {
        match self {
            Self::Rust(rust) => rust.handler(),
        }
    }

    /// Hands over `event`, which is JSON; the reply is JSON.
    pub(crate) async fn invoke(&self, event: &[u8], context: &Context) -> Result<String, Fault> {
        match self {
            Self::Rust(rust) => rust.invoke(event, context).await,
        }
    }
}
