//! What the timeline of an open incident says so far, as far as further entries depend on it. No I/O.

use chrono::{DateTime, TimeDelta, Utc};
use domain::Cause;

/// The number of changes of the cause that get an entry at once. A cause that changes more often
/// flaps, and gets one in each [`FLAPPING_INTERVAL`].
const MAX_PROMPT_CAUSE_CHANGES: u32 = 10;
const FLAPPING_INTERVAL: TimeDelta = TimeDelta::hours(1);

/// A summary of the timeline of an open incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IncidentProgress {
    /// The number of its entries about a changed cause.
    pub cause_changes: u32,
    /// When the last of them was made.
    pub cause_changed_at: Option<DateTime<Utc>>,
    /// Whether the definition of the service was changed since it opened.
    pub has_changed_definition: bool,
}

impl IncidentProgress {
    /// Returns whether a change of the cause at `at` gets an entry, and counts it if so.
    pub(crate) fn report_cause_change(&mut self, at: DateTime<Utc>) -> bool {
        let flaps = self.cause_changes >= MAX_PROMPT_CAUSE_CHANGES;
        let is_recent = self
            .cause_changed_at
            .is_some_and(|last| at - last < FLAPPING_INTERVAL);
        if flaps && is_recent {
            return false;
        }
        self.cause_changes += 1;
        self.cause_changed_at = Some(at);
        true
    }
}

/// Returns whether `found` is of the same kind as the cause that reads `known`.
///
/// Compares sentences, because an incident stores nothing else: how long something took, or how many
/// days ago it was, is no other cause; another status code is, and so is another report of a vendor.
pub(crate) fn is_same_cause(known: &str, found: &Cause) -> bool {
    let sentence = crate::text::clean_message(&found.to_string());
    match found {
        Cause::Vendor { .. } => known == sentence,
        Cause::UnexpectedStatus { .. } => clause(known) == clause(&sentence),
        _ => kind_words(known).eq(kind_words(&sentence)),
    }
}

/// The first part of a sentence, without the details that follow it.
fn clause(sentence: &str) -> &str {
    sentence.split([':', ',']).next().unwrap_or_default()
}

/// The words of the first part of a sentence that are no measurement.
fn kind_words(sentence: &str) -> impl Iterator<Item = &str> {
    const UNITS: [&str; 7] = ["ms", "minute", "minutes", "hour", "hours", "day", "days"];
    // A comma between digits groups thousands.
    let end = sentence
        .match_indices([':', ','])
        .map(|(index, _)| index)
        .find(|index| !sentence[index + 1..].starts_with(|c: char| c.is_ascii_digit()));
    sentence[..end.unwrap_or(sentence.len())]
        .split_whitespace()
        .filter(|word| !word.contains(|c: char| c.is_ascii_digit()) && !UNITS.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::cause::Phase;

    fn timeout(timeout_ms: u32, phase: Phase) -> Cause {
        Cause::Timeout { timeout_ms, phase }
    }

    fn status(code: u16) -> Cause {
        let expected = "200-299".into();
        Cause::UnexpectedStatus { code, expected }
    }

    #[test]
    fn measurements_are_no_other_cause_and_codes_are() {
        let slow = |response_time_ms| Cause::Slow {
            response_time_ms,
            threshold_ms: 1000,
        };
        let tls = |detail: &str| Cause::Tls {
            detail: detail.into(),
        };
        let vendor = |report: &str| Cause::Vendor {
            report: report.into(),
        };
        let host = || "example.com".to_owned();
        let expired = |minutes| Cause::CertificateExpired {
            expired_at: DateTime::UNIX_EPOCH,
            checked_at: DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes),
        };
        let connecting = timeout(5000, Phase::Connect);
        for (known, found, same) in [
            (status(500), status(500), true),
            (status(500), status(404), false),
            (slow(999), slow(1_234_567), true),
            (slow(1200), status(500), false),
            (connecting.clone(), timeout(900, Phase::FirstByte), true),
            (connecting, Cause::ConnectionRefused, false),
            (expired(59), expired(3 * 1440), true),
            (tls("alert 40"), tls("alert 70"), true),
            (tls("alert 40"), Cause::CertificateUntrusted, false),
            (Cause::NameNotFound { host: host() }, tls("alert 40"), false),
            (Cause::ConnectionReset, Cause::ConnectionRefused, false),
            (vendor("API: degraded"), vendor("API: down"), false),
        ] {
            assert_eq!(
                is_same_cause(&known.to_string(), &found),
                same,
                "{known} / {found}"
            );
        }
    }
}
