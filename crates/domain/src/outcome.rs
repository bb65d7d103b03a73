//! What one look at a target found.

use crate::{Cause, Status};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The result of one probe. A failed probe is an outcome too; only PulseCheck's own faults are errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Up, degraded, down, or unknown when nothing could be looked at.
    pub status: Status,
    /// The final answer's HTTP status code, when one came.
    pub status_code: Option<u16>,
    /// From the start of the probe to the end of the body, in milliseconds; `None` when no complete answer came.
    pub response_time_ms: Option<u32>,
    /// Where that time went.
    pub phases: Phases,
    /// When the server's certificate ends, the soonest of all hops; `None` without TLS.
    pub certificate_expires_at: Option<DateTime<Utc>>,
    /// Why it is not up; `None` exactly when it is.
    pub cause: Option<Cause>,
}

/// The parts of an exchange in milliseconds, summed over redirects; `None` for a part that was not reached or not needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Phases {
    /// Looking the name up.
    pub dns_ms: Option<u32>,
    /// Opening the TCP connection.
    pub connect_ms: Option<u32>,
    /// The TLS handshake.
    pub tls_ms: Option<u32>,
    /// From the connection's standing to the answer's head: status line and headers.
    pub first_byte_ms: Option<u32>,
}

impl Outcome {
    /// An outcome without an answer: down or unknown by `cause`.
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

    /// The sentence for people: why it is not up.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        self.cause.as_ref().map(ToString::to_string)
    }
}
