//! The closed vocabularies, and what is known about a service now.

use super::plain::{Plain, Write, put};
use super::scalar::Time;
use super::scope::scope;
use async_graphql::resolver_utils::EnumType;
use async_graphql::{Context, Enum, InputType as _, Object, Result, SimpleObject};
use uuid::Uuid;

/// What is known about a service at one moment.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::Status")]
pub(crate) enum Status {
    /// Answers as expected, fast enough.
    Up,
    /// Answers as expected, but slower than its threshold, or its vendor says so.
    Degraded,
    /// Does not answer as expected.
    Down,
    /// The vendor is at work on it, as announced.
    Maintenance,
    /// Not known: never checked, not checked lately, paused, or PulseCheck could not look.
    Unknown,
}

/// A stretch of time that ends now.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::Window")]
pub(crate) enum Window {
    /// The last 24 hours.
    Day,
    /// The last 7 days.
    Week,
    /// The last 30 days.
    Month,
    /// The last 90 days.
    Quarter,
}

/// The word of a vocabulary as it is sent.
pub(super) fn word<T: EnumType + PartialEq>(value: T) -> &'static str {
    T::items()
        .iter()
        .find(|item| item.value == value)
        .map_or("", |item| item.name)
}

/// What is known about a service now.
#[derive(Debug, Clone)]
pub(crate) struct CurrentStatus {
    service_id: Uuid,
    known: coordination::CurrentStatus,
}

impl CurrentStatus {
    /// What is `known` about one of the viewer's services.
    pub(super) const fn of(service_id: Uuid, known: coordination::CurrentStatus) -> Self {
        Self { service_id, known }
    }
}

/// What is known about a service now. The status is UNKNOWN, with a message, when the service is paused or was not
/// checked for longer than a check speaks for it.
#[Object]
impl CurrentStatus {
    /// The confirmed status.
    async fn status(&self) -> Status {
        self.known.status.into()
    }

    /// Since when it holds.
    async fn since(&self) -> Time {
        self.known.since.into()
    }

    /// When the last check was made.
    async fn checked_at(&self) -> Time {
        self.known.checked_at.into()
    }

    /// How long the last check took, in milliseconds, when an answer came.
    async fn response_time_ms(&self) -> Option<u32> {
        self.known.response_time_ms
    }

    /// The HTTP status code of the last check, when one came.
    async fn status_code(&self) -> Option<u16> {
        self.known.status_code
    }

    /// Why it is not up, one sentence for people.
    async fn message(&self) -> Option<&str> {
        self.known.message.as_deref()
    }

    /// Where the time of the last check went.
    async fn phases(&self, ctx: &Context<'_>) -> Result<Phases> {
        let details = scope(ctx).loaders.details.load(self.service_id).await?;
        Ok(Phases::from(&details.unwrap_or_default().phases))
    }

    /// When the server's certificate ends; null without TLS.
    async fn certificate_expires_at(&self, ctx: &Context<'_>) -> Result<Option<Time>> {
        let details = scope(ctx).loaders.details.load(self.service_id).await?;
        Ok(details
            .and_then(|details| details.certificate_expires_at)
            .map(Time))
    }
}

impl Plain for CurrentStatus {
    fn write(field: &str) -> Option<Write<Self>> {
        Some(match field {
            "status" => |current, json| put(json, &word(Status::from(current.known.status))),
            "since" => |current, json| put(json, &Time(current.known.since).to_value()),
            "checkedAt" => |current, json| put(json, &Time(current.known.checked_at).to_value()),
            "responseTimeMs" => |current, json| put(json, &current.known.response_time_ms),
            "statusCode" => |current, json| put(json, &current.known.status_code),
            "message" => |current, json| put(json, &current.known.message),
            _ => return None,
        })
    }
}

/// The parts of an exchange in milliseconds, summed over redirects; null for a part that was not reached or not needed.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct Phases {
    /// Looking the name up.
    dns_ms: Option<u32>,
    /// Opening the TCP connection.
    connect_ms: Option<u32>,
    /// The TLS handshake.
    tls_ms: Option<u32>,
    /// From the connection's standing to the answer's head.
    first_byte_ms: Option<u32>,
}

impl From<&domain::Phases> for Phases {
    fn from(phases: &domain::Phases) -> Self {
        let domain::Phases {
            dns_ms,
            connect_ms,
            tls_ms,
            first_byte_ms,
        } = *phases;
        Self {
            dns_ms,
            connect_ms,
            tls_ms,
            first_byte_ms,
        }
    }
}
