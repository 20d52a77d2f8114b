//! What the events and answers of a cloud look like, and the words in which the rest of the gateway
//! speaks of them.

mod message;
pub(crate) mod tencent;

pub(crate) use self::message::Message;
