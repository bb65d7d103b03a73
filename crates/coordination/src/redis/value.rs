//! Conversions to and from what Redis stores.

use crate::error::{CoordinationError, Result};
use chrono::{DateTime, Utc};
use fred::types::{Key, Value};
use uuid::Uuid;

/// Maximum number of services in one command, so that none blocks Redis for long.
pub(super) const MAX_PER_COMMAND: usize = 1000;

/// Encodes an id as 16 bytes.
pub(super) fn id(id: Uuid) -> Value {
    Value::Bytes(id.as_bytes().to_vec().into())
}

/// Encodes an id as the field of a hash.
pub(super) fn field(id: Uuid) -> Key {
    id.as_bytes().as_slice().into()
}

pub(super) fn ms(instant: DateTime<Utc>) -> Value {
    Value::Integer(instant.timestamp_millis())
}

pub(super) fn json<T: serde::Serialize + ?Sized>(value: &T) -> Value {
    serde_json::to_string(value)
        .expect("statuses, events and workers have string keys and nothing that fails")
        .into()
}

/// Decodes an id from the answer to `command`.
pub(super) fn parse_id(command: &'static str, value: &Value) -> Result<Uuid> {
    value
        .as_bytes()
        .and_then(|bytes| Uuid::from_slice(bytes).ok())
        .ok_or(CoordinationError::UnexpectedAnswer { command })
}

/// Decodes milliseconds from the answer to `command`.
pub(super) fn instant(command: &'static str, ms: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_millis(ms).ok_or(CoordinationError::UnexpectedAnswer { command })
}
