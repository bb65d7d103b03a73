//! The result of one check.

use crate::{Cause, Status};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The result of one probe. A failed probe is an outcome too; only PulseCheck's own faults are errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Up, degraded or down, or unknown if the check could not be performed.
    pub status: Status,
    /// HTTP status code of the final response, if there was one.
    pub status_code: Option<u16>,
    /// Milliseconds from the start to the end of the body; `None` without a complete response.
    pub response_time_ms: Option<u32>,
    /// Time spent in each phase.
    pub phases: Phases,
    /// Earliest certificate expiry of all redirect hops; `None` without TLS.
    pub certificate_expires_at: Option<DateTime<Utc>>,
    /// Why the status is not up; `None` if it is.
    pub cause: Option<Cause>,
}

/// Milliseconds per phase, summed over redirects; `None` if a phase was not reached or not needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Phases {
    /// Looking the name up.
    pub dns_ms: Option<u32>,
    /// Opening the TCP connection.
    pub connect_ms: Option<u32>,
    /// The TLS handshake.
    pub tls_ms: Option<u32>,
    /// From the established connection to the response's headers.
    pub first_byte_ms: Option<u32>,
}

impl Outcome {
    /// Creates an outcome without a response: down or unknown, depending on `cause`.
    #[must_use]
    pub fn without_answer(cause: Cause, phases: Phases) -> Self {
        let status = match cause {
            Cause::AddressRefused { .. } | Cause::NameRefused { .. } | Cause::NotChecked { .. } => {
                Status::Unknown
            }
            _ => Status::Down,
        };
        Self {
            status,
            status_code: None,
            response_time_ms: None,
            phases,
            certificate_expires_at: None,
            cause: Some(cause),
        }
    }

    /// Returns the message for people that explains why the status is not up.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        self.cause.as_ref().map(ToString::to_string)
    }
}
