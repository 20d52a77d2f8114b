//! What a message carries, and how it is spelled in JSON: `dataType` and `data`.
//!
//! Text travels as it is; binary travels as standard base64 (documented).

use std::borrow::Cow;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::{Deserialize, Serialize};

/// Writes padding as documented, and reads without it too: some encoders leave it out, and no
/// two payloads share a spelling for that.
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
    /// `data` is the base64 of the bytes.
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

    /// The content.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The content, taken out as it is.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The `data` of this payload as it stands in JSON.
    pub fn to_data(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Binary(bytes) => Cow::Owned(encode_binary(bytes)),
        }
    }

    /// Reads `data` as `data_type` says.
    pub fn decode(data_type: DataType, data: Cow<'_, str>) -> Result<Self, NotBase64> {
        match data_type {
            DataType::Text => Ok(Self::Text(data.into_owned())),
            DataType::Binary => Ok(Self::Binary(BASE64.decode(data.as_bytes())?)),
        }
    }
}

/// Spells bytes as the `data` of a binary message.
pub fn encode_binary(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}
