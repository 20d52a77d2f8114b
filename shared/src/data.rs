//! The content of a message, and its form in JSON: `dataType` and `data`.
//!
//! The `data` of a text message is the text; the `data` of a binary message is standard base64
//! (documented).

use std::borrow::Cow;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::{Deserialize, Serialize};

/// Standard base64 (RFC 4648 section 4). Padding is written, as documented, but not required when
/// reading: some encoders leave it out. Each text still decodes to one payload only.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The `dataType` of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataType {
    /// `data` is the text.
    Text,
    /// `data` is the bytes in base64.
    Binary,
}

/// The content of one message, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
}

/// `data` is not base64, although `dataType` says `binary`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("data is not standard base64: {0}")]
pub struct NotBase64(#[from] base64::DecodeError);

impl Payload {
    /// The `dataType` of this payload.
    pub fn data_type(&self) -> DataType {
        match self {
            Self::Text(_) => DataType::Text,
            Self::Binary(_) => DataType::Binary,
        }
    }

    /// The content: UTF-8 for text.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The content, without a copy: UTF-8 for text.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The `data` of this payload. Only a binary payload is copied.
    pub fn to_data(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Binary(bytes) => Cow::Owned(encode_binary(bytes)),
        }
    }

    /// Decodes `data` according to `data_type`. Only `binary` can fail.
    pub fn decode(data_type: DataType, data: Cow<'_, str>) -> Result<Self, NotBase64> {
        match data_type {
            DataType::Text => Ok(Self::Text(data.into_owned())),
            DataType::Binary => Ok(Self::Binary(BASE64.decode(data.as_bytes())?)),
        }
    }
}

/// Encodes bytes as the `data` of a binary message: padded standard base64.
pub fn encode_binary(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}
