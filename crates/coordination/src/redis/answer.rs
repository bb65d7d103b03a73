//! What Redis answers, read as what it was asked for.

use crate::{CurrentStatus, Latest, LiveError, Present, Result};
use chrono::{DateTime, Utc};
use fred::types::Value;
use uuid::Uuid;

/// The answer to one command.
pub(super) struct Answer {
    pub(super) command: &'static str,
    pub(super) value: Value,
}

/// The items of an answer that is a list.
pub(super) struct Items {
    command: &'static str,
    items: std::vec::IntoIter<Value>,
}

impl Answer {
    pub(super) fn count(self) -> Result<usize> {
        self.value
            .as_u64()
            .and_then(|count| count.try_into().ok())
            .ok_or(unexpected(self.command))
    }

    pub(super) fn optional_instant(self) -> Result<Option<DateTime<Utc>>> {
        optional_instant(self.command, &self.value)
    }

    pub(super) fn items(self) -> Result<Items> {
        match self.value {
            Value::Array(items) => Ok(Items {
                command: self.command,
                items: items.into_iter(),
            }),
            _ => Err(unexpected(self.command)),
        }
    }
}

impl Items {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    fn next(&mut self) -> Result<Value> {
        self.items.next().ok_or(unexpected(self.command))
    }

    pub(super) fn next_integer(&mut self) -> Result<i64> {
        integer(self.command, &self.next()?)
    }

    /// A hash slot or a port.
    pub(super) fn next_slot(&mut self) -> Result<u16> {
        self.next_integer()?
            .try_into()
            .map_err(|_| unexpected(self.command))
    }

    /// A text that says something, or nothing.
    pub(super) fn next_text(&mut self) -> Result<Option<String>> {
        Ok(self.next()?.into_string().filter(|text| !text.is_empty()))
    }

    pub(super) fn next_instant(&mut self) -> Result<DateTime<Utc>> {
        instant(self.command, self.next_integer()?)
    }

    pub(super) fn next_optional_instant(&mut self) -> Result<Option<DateTime<Utc>>> {
        optional_instant(self.command, &self.next()?)
    }

    pub(super) fn next_items(&mut self) -> Result<Self> {
        Answer {
            command: self.command,
            value: self.next()?,
        }
        .items()
    }

    pub(super) fn next_id(&mut self) -> Result<Uuid> {
        let value = self.next()?;
        value
            .as_bytes()
            .and_then(|bytes| Uuid::from_slice(bytes).ok())
            .ok_or(unexpected(self.command))
    }

    /// "slot status", or nothing.
    pub(super) fn next_latest(&mut self, service_id: Uuid) -> Result<Option<Latest>> {
        let value = self.next()?;
        if value.is_null() {
            return Ok(None);
        }
        let text = value.as_str().ok_or(unexpected(self.command))?;
        let read = |text: &str| {
            let (slot, current) = text.split_once(' ')?;
            let slot = DateTime::from_timestamp_millis(slot.parse().ok()?)?;
            let current: CurrentStatus = serde_json::from_str(current).ok()?;
            Some(Latest {
                service_id,
                slot,
                current,
            })
        };
        // One that an incompatible version wrote is as good as none.
        Ok(read(&text))
    }

    /// "heard ends worker", or nothing if it has ended by `now`.
    pub(super) fn next_present(&mut self, now: DateTime<Utc>) -> Result<Option<Present>> {
        let value = self.next()?;
        let text = value.as_str().ok_or(unexpected(self.command))?;
        let read = |text: &str| {
            let mut parts = text.splitn(3, ' ');
            let mut instant = || DateTime::from_timestamp_millis(parts.next()?.parse().ok()?);
            let (heard_at, ends) = (instant()?, instant()?);
            let worker = serde_json::from_str(parts.next()?).ok()?;
            (ends > now).then_some(Present { worker, heard_at })
        };
        // Likewise.
        Ok(read(&text))
    }
}

pub(super) fn instant(command: &'static str, ms: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_millis(ms).ok_or(unexpected(command))
}

fn optional_instant(command: &'static str, value: &Value) -> Result<Option<DateTime<Utc>>> {
    if value.is_null() {
        Ok(None)
    } else {
        instant(command, integer(command, value)?).map(Some)
    }
}

fn integer(command: &'static str, value: &Value) -> Result<i64> {
    value.as_i64().ok_or(unexpected(command))
}

const fn unexpected(command: &'static str) -> LiveError {
    LiveError::Answer { command }
}
