//! Enums of services, and their current status.

use super::request_context::request_context;
use super::scalar::Time;
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use uuid::Uuid;

/// Status of a service at one point in time.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::Status")]
pub(crate) enum Status {
    /// Responds as expected and fast enough.
    Up,
    /// Responds as expected but slower than its threshold, or the vendor reports degraded
    /// performance.
    Degraded,
    /// Does not respond as expected.
    Down,
    /// Under announced maintenance.
    Maintenance,
    /// Not known: paused, never or not recently checked, or the check itself could not be made.
    Unknown,
}

/// A time window that ends now.
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

/// Current status of a service.
#[derive(Debug, Clone)]
pub(crate) struct CurrentStatus {
    service_id: Uuid,
    known: coordination::CurrentStatus,
}

impl CurrentStatus {
    pub(super) const fn of(service_id: Uuid, known: coordination::CurrentStatus) -> Self {
        Self { service_id, known }
    }
}

/// Current status of a service. It is UNKNOWN, with a message, while the service is paused or when
/// its last check is too old.
#[Object]
impl CurrentStatus {
    /// The confirmed status.
    async fn status(&self) -> Status {
        self.known.status.into()
    }

    /// When this status began.
    async fn since(&self) -> Time {
        self.known.since.into()
    }

    /// When the last check was made.
    async fn checked_at(&self) -> Time {
        self.known.checked_at.into()
    }

    /// Response time of the last check in milliseconds; null without a response.
    async fn response_time_ms(&self) -> Option<u32> {
        self.known.response_time_ms
    }

    /// HTTP status code of the last check; null without one.
    async fn status_code(&self) -> Option<u16> {
        self.known.status_code
    }

    /// Why it is not up, in one sentence.
    async fn message(&self) -> Option<&str> {
        self.known.message.as_deref()
    }

    /// How long each part of the last check took.
    async fn phases(&self, ctx: &Context<'_>) -> Result<Phases> {
        let details = request_context(ctx)
            .loaders
            .details
            .load(self.service_id)
            .await?;
        Ok(Phases::from(&details.unwrap_or_default().phases))
    }

    /// When the server's certificate expires; null without TLS.
    async fn certificate_expires_at(&self, ctx: &Context<'_>) -> Result<Option<Time>> {
        let details = request_context(ctx)
            .loaders
            .details
            .load(self.service_id)
            .await?;
        Ok(details
            .and_then(|details| details.certificate_expires_at)
            .map(Time))
    }
}

/// Parts of a check in milliseconds, added up over redirects; null for a part that was not reached
/// or not needed.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct Phases {
    /// DNS lookup.
    dns_ms: Option<u32>,
    /// TCP connection.
    connect_ms: Option<u32>,
    /// TLS handshake.
    tls_ms: Option<u32>,
    /// Time from the established connection to the response's headers.
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
