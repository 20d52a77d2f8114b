//! The JSON of Tencent's events and answers, made of what the gateway knows and turned into it.

mod events;
mod push;

pub(super) use self::{
    events::{cleanup_event, judge_register, message_event, register_call},
    push::{answer_push, read_push, reply_to_sender},
};
