//! What the events and answers of a cloud look like, and the words in which the rest of the gateway
//! speaks of them.

pub(crate) mod tencent;
