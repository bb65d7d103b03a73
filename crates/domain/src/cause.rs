//! Typed reasons why a check did not find its target up, each with a message for people.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Reason why an outcome is not [`Status::Up`](crate::Status::Up). `Display` is its message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(
    missing_docs,
    reason = "the variants' fields are what their sentences print"
)]
pub enum Cause {
    /// DNS has no address for the host.
    NameNotFound { host: String },
    /// The DNS lookup failed.
    NameLookupFailed { host: String, detail: String },
    /// Nothing listens on the port.
    ConnectionRefused,
    /// The peer reset the connection before it answered.
    ConnectionReset,
    /// The peer closed the connection before it answered.
    ConnectionClosed,
    /// The connection ended in the middle of the response.
    AnswerCutOff,
    /// No route to the host or its network.
    Unreachable,
    /// The whole exchange took longer than the service's timeout.
    Timeout { timeout_ms: u32, phase: Phase },
    /// The certificate has expired.
    CertificateExpired {
        expired_at: DateTime<Utc>,
        checked_at: DateTime<Utc>,
    },
    /// The certificate is not valid yet.
    CertificateNotYetValid { valid_from: DateTime<Utc> },
    /// The certificate is for other names.
    CertificateNameMismatch { host: String },
    /// No trusted authority signed the certificate.
    CertificateUntrusted,
    /// Any other TLS handshake error.
    Tls { detail: String },
    /// More redirects than PulseCheck follows; `last` is where the last one led.
    TooManyRedirects {
        limit: u8,
        // Absent in checks that earlier versions stored.
        #[serde(default)]
        last: String,
    },
    /// A redirect without a location, or to one that cannot be followed.
    BadRedirect { location: String },
    /// The response has an unexpected status code.
    UnexpectedStatus { code: u16, expected: String },
    /// The response is not valid HTTP.
    NotHttp { detail: String },
    /// The headers of the response exceed one of the limits.
    HeadersTooLarge { max_kib: u32, max_lines: u32 },
    /// Interim responses (1xx) and the like up to the limit, and no final response.
    NoFinalAnswer { max_kib: u32 },
    /// The response was as expected, but slower than the threshold: degraded.
    Slow {
        response_time_ms: u32,
        threshold_ms: u32,
    },
    /// The guard refused the target's address, so it was not checked: unknown.
    AddressRefused { address: String },
    /// The guard refused a name that resolves to such an address: unknown.
    NameRefused { host: String },
    /// The vendor page reports a problem; `report` names the components and their statuses.
    Vendor { report: String },
    /// PulseCheck itself could not perform the check: unknown.
    NotChecked { detail: String },
}

/// Phase of a check in which it timed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Looking the name up.
    Dns,
    /// Opening the TCP connection.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Waiting for the first byte of the answer.
    FirstByte,
    /// Reading the body.
    Body,
}

impl Phase {
    const fn description(self) -> &'static str {
        match self {
            Self::Dns => "while looking up the name",
            Self::Connect => "while connecting",
            Self::Tls => "during the TLS handshake",
            Self::FirstByte => "while waiting for the answer",
            Self::Body => "while reading the answer",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameNotFound { host } => write!(f, "name does not resolve: {host}"),
            Self::NameLookupFailed { host, detail } => {
                write!(f, "looking up {host} failed: {detail}")
            }
            Self::ConnectionRefused => f.write_str("connection refused"),
            Self::ConnectionReset => f.write_str("connection reset by the server"),
            Self::ConnectionClosed => f.write_str("connection closed before an answer came"),
            Self::AnswerCutOff => f.write_str("connection broke off in the middle of the answer"),
            Self::Unreachable => f.write_str("host is unreachable"),
            Self::Timeout { timeout_ms, phase } => {
                write!(
                    f,
                    "no answer within {} ms, {}",
                    thousands(*timeout_ms),
                    phase.description()
                )
            }
            Self::CertificateExpired {
                expired_at,
                checked_at,
            } => {
                write!(f, "certificate expired {}", ago(*expired_at, *checked_at))
            }
            Self::CertificateNotYetValid { valid_from } => {
                write!(
                    f,
                    "certificate is not valid before {}",
                    valid_from.format("%Y-%m-%d %H:%M UTC")
                )
            }
            Self::CertificateNameMismatch { host } => write!(f, "certificate is not for {host}"),
            Self::CertificateUntrusted => {
                f.write_str("certificate is not signed by a trusted authority")
            }
            Self::Tls { detail } => write!(f, "TLS handshake failed: {detail}"),
            Self::TooManyRedirects { limit, last } => {
                let plural = if *limit == 1 { "" } else { "s" };
                write!(f, "more than {limit} redirect{plural}")?;
                if last.is_empty() {
                    return Ok(());
                }
                write!(f, ", the last one to {last}")
            }
            Self::BadRedirect { location } if location.is_empty() => {
                f.write_str("redirect without an address")
            }
            Self::BadRedirect { location } => {
                write!(
                    f,
                    "redirect to an address that cannot be followed: \"{location}\""
                )
            }
            Self::UnexpectedStatus { code, expected } => {
                write!(f, "answered {code}, expected {expected}")
            }
            Self::NotHttp { detail } => write!(f, "the answer is not valid HTTP: {detail}"),
            Self::HeadersTooLarge { max_kib, max_lines } => write!(
                f,
                "the headers of the answer are too large: at most {max_kib} KiB in {} lines are read",
                thousands(*max_lines)
            ),
            Self::NoFinalAnswer { max_kib } => write!(
                f,
                "no answer came, only {} KiB of what may precede one",
                thousands(*max_kib)
            ),
            Self::Slow {
                response_time_ms,
                threshold_ms,
            } => write!(
                f,
                "answered in {} ms, slower than {} ms",
                thousands(*response_time_ms),
                thousands(*threshold_ms)
            ),
            Self::AddressRefused { address } => {
                write!(
                    f,
                    "not checked: {address} is a private or reserved address, which this server does not allow"
                )
            }
            Self::NameRefused { host } => {
                write!(
                    f,
                    "not checked: {host} resolves to a private or reserved address, which this server does not allow"
                )
            }
            Self::Vendor { report } => f.write_str(report),
            Self::NotChecked { detail } => write!(f, "not checked: {detail}"),
        }
    }
}

/// Formats `5000` as `5,000`.
#[must_use]
pub fn thousands(n: u32) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn ago(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let minutes = (now - then).num_minutes().max(0);
    let (count, unit) = match minutes {
        0..60 => (minutes, "minute"),
        60..1440 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::minutes(minutes)
    }

    #[test]
    fn sentences_name_what_was_found_and_what_was_expected() {
        let expired = |minutes| {
            Cause::CertificateExpired {
                expired_at: at(0),
                checked_at: at(minutes),
            }
            .to_string()
        };
        for (cause, sentence) in [
            (Cause::ConnectionRefused.to_string(), "connection refused"),
            (
                Cause::AnswerCutOff.to_string(),
                "connection broke off in the middle of the answer",
            ),
            (
                Cause::NameRefused {
                    host: "inside.example".into(),
                }
                .to_string(),
                "not checked: inside.example resolves to a private or reserved address, which this server does not allow",
            ),
            (expired(3 * 1440 + 5), "certificate expired 3 days ago"),
            (expired(60), "certificate expired 1 hour ago"),
            (expired(0), "certificate expired 0 minutes ago"),
            (
                Cause::Timeout {
                    timeout_ms: 5000,
                    phase: Phase::Connect,
                }
                .to_string(),
                "no answer within 5,000 ms, while connecting",
            ),
            (
                Cause::UnexpectedStatus {
                    code: 503,
                    expected: "200-299".into(),
                }
                .to_string(),
                "answered 503, expected 200-299",
            ),
            (
                Cause::Slow {
                    response_time_ms: 1_234_567,
                    threshold_ms: 999,
                }
                .to_string(),
                "answered in 1,234,567 ms, slower than 999 ms",
            ),
        ] {
            assert_eq!(cause, sentence);
        }
    }
}
