//! Scalars, checked before execution so that a wrong one is an error of its argument; lists of
//! scalars that are cheap to resolve.

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, OutputType, Positioned,
    Scalar, ScalarType, ServerResult, Value,
};
use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use std::borrow::Cow;
use uuid::Uuid;

/// Id of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Id(pub Uuid);

/// A UUID as text, such as `0198c7a2-7c1e-7d3a-9a77-3f4f0f6a5b1e`.
#[Scalar(
    name = "UUID",
    specified_by_url = "https://www.rfc-editor.org/rfc/rfc9562"
)]
impl ScalarType for Id {
    fn parse(value: Value) -> InputValueResult<Self> {
        uuid(&value)
            .map(Self)
            .ok_or_else(|| InputValueError::expected_type(value))
    }

    fn is_valid(value: &Value) -> bool {
        uuid(value).is_some()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

fn uuid(value: &Value) -> Option<Uuid> {
    if let Value::String(text) = value {
        text.parse().ok()
    } else {
        None
    }
}

/// Point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Time(pub DateTime<Utc>);

/// A time by RFC 3339, such as `2026-11-22T19:30:00.000Z`. Returned in UTC, accepted with any
/// offset.
#[Scalar(
    name = "DateTime",
    specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339"
)]
impl ScalarType for Time {
    fn parse(value: Value) -> InputValueResult<Self> {
        time(&value)
            .map(Self)
            .ok_or_else(|| InputValueError::expected_type(value))
    }

    fn is_valid(value: &Value) -> bool {
        time(value).is_some()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// Years beyond 9999 are not RFC 3339, and databases differ on years before 1.
fn time(value: &Value) -> Option<DateTime<Utc>> {
    let Value::String(text) = value else {
        return None;
    };
    let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (1..=9999).contains(&time.year()).then_some(time)
}

impl From<Uuid> for Id {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<DateTime<Utc>> for Time {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time)
    }
}

/// A list of scalars or enum values. It is resolved at once: the library creates a future for each
/// item of a `Vec`, which for bars and sparklines costs more than everything else about them.
#[derive(Debug)]
pub(crate) struct ScalarList<T>(pub(crate) Vec<T>);

impl<T: InputType + OutputType> OutputType for ScalarList<T> {
    fn type_name() -> Cow<'static, str> {
        <Vec<T> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<T> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<T> as OutputType>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        _: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        Ok(Value::List(self.0.iter().map(T::to_value).collect()))
    }
}
