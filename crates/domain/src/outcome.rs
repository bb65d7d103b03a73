//! The result of one check.

use crate::cause::Cause;
use crate::status::Status;
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

/// What is kept of the last check of a service beside its status, as `service_state.details` holds
/// it. A kind fills in what it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Details {
    /// Where the time went.
    #[serde(flatten)]
    pub phases: Phases,
    /// When the server's certificate ends, the soonest of all hops; `None` without TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_expires_at: Option<DateTime<Utc>>,
}

impl From<&Outcome> for Details {
    fn from(outcome: &Outcome) -> Self {
        Self {
            phases: outcome.phases,
            certificate_expires_at: outcome.certificate_expires_at,
        }
    }
}

/// The parts of an exchange in milliseconds, summed over redirects; `None` for a part that was not
/// reached or not needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Phases {
    /// Looking the name up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_ms: Option<u32>,
    /// Opening the TCP connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_ms: Option<u32>,
    /// The TLS handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_ms: Option<u32>,
    /// From the open connection to the head of the answer: status line and headers.
    #[serde(skip_serializing_if = "Option::is_none")]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_keep_what_is_known_and_nothing_else() {
        let details = Details {
            phases: Phases {
                dns_ms: Some(7),
                ..Phases::default()
            },
            certificate_expires_at: DateTime::from_timestamp(1_800_000_000, 0),
        };
        let json = serde_json::to_value(details).unwrap();
        assert_eq!(
            json,
            serde_json::json!({ "dnsMs": 7, "certificateExpiresAt": "2027-01-15T08:00:00Z" })
        );
        assert_eq!(serde_json::from_value::<Details>(json).unwrap(), details);
        let empty: Details = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, Details::default());
        let newer: Details = serde_json::from_str(r#"{ "dnsMs": 1, "issuer": "R11" }"#).unwrap();
        assert_eq!(
            newer.phases.dns_ms,
            Some(1),
            "unknown details are left alone"
        );
    }
}
