//! The sentences of an incident's timeline. They are shown as they are stored.

use chrono::TimeDelta;
use domain::cause::thousands;
use domain::{Cause, IncidentType, Outcome, Status};

pub(crate) fn opened(kind: IncidentType, outcome: &Outcome) -> String {
    let what = match kind {
        IncidentType::Downtime => "went down",
        IncidentType::Degraded => "became degraded",
    };
    with_reason(what, outcome)
}

pub(crate) fn escalated(outcome: &Outcome) -> String {
    with_reason("went from degraded to down", outcome)
}

pub(crate) fn improved(outcome: &Outcome) -> String {
    // A vendor's report does not mean that the service answered anybody.
    let is_reported = matches!(outcome.cause, Some(Cause::Vendor { .. }));
    let what = if is_reported {
        "went from down to degraded"
    } else {
        "answers again, but is degraded"
    };
    with_reason(what, outcome)
}

pub(crate) fn regressed(outcome: &Outcome) -> String {
    with_reason("down again", outcome)
}

pub(crate) fn cause_changed(cause: &Cause) -> String {
    format!("still failing, now: {cause}")
}

pub(crate) fn definition_changed(fields: &[String]) -> String {
    format!("the definition was changed: {}", fields.join(", "))
}

/// With a changed definition it is not the same target that recovered, and the sentence tells.
pub(crate) fn resolved(
    by: Status,
    lasted: TimeDelta,
    has_changed_definition: bool,
    outcome: &Outcome,
) -> String {
    let lasted = format_duration(lasted);
    let recovered = if has_changed_definition {
        format!("up after {lasted} with the changed definition")
    } else {
        format!("up again after {lasted}")
    };
    match by {
        Status::Up => match (outcome.status_code, outcome.response_time_ms) {
            (Some(code), Some(ms)) => {
                format!("{recovered}: answered {code} in {} ms", thousands(ms))
            }
            (Some(code), None) => format!("{recovered}: answered {code}"),
            _ => recovered,
        },
        by => format!("over after {lasted}: {}", by.word()),
    }
}

pub(crate) fn reported(incident: &str) -> String {
    format!("the vendor reports: {incident}")
}

fn with_reason(what: &str, outcome: &Outcome) -> String {
    match &outcome.cause {
        Some(cause) => format!("{what}: {cause}"),
        None => what.to_owned(),
    }
}

/// Formats a duration in its two largest units: `3 min 20 s`, `2 d 4 h`, `850 ms`.
fn format_duration(time: TimeDelta) -> String {
    const UNITS: [(i64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let seconds = time.num_seconds();
    if seconds < 1 {
        return format!("{} ms", time.num_milliseconds().max(0));
    }
    let greatest = UNITS
        .iter()
        .position(|(unit, _)| seconds >= *unit)
        .unwrap_or(UNITS.len() - 1);
    let (unit, name) = UNITS[greatest];
    let rest = UNITS
        .get(greatest + 1)
        .map(|(smaller, name)| (seconds % unit / smaller, name));
    match rest {
        Some((n, smaller)) if n > 0 => format!("{} {name} {n} {smaller}", seconds / unit),
        _ => format!("{} {name}", seconds / unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Phases;

    #[test]
    fn durations_have_two_units_at_most() {
        for (ms, text) in [
            (0, "0 ms"),
            (850, "850 ms"),
            (1000, "1 s"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (200_000, "3 min 20 s"),
            (3_600_000, "1 h"),
            (3_659_000, "1 h"),
            (8_000_000, "2 h 13 min"),
            (187_200_000, "2 d 4 h"),
        ] {
            assert_eq!(format_duration(TimeDelta::milliseconds(ms)), text);
        }
    }

    #[test]
    fn sentences_contain_the_cause_and_a_recovery_the_answer() {
        let down = Outcome::without_answer(Cause::ConnectionRefused, Phases::default());
        assert_eq!(
            opened(IncidentType::Downtime, &down),
            "went down: connection refused"
        );
        assert_eq!(
            escalated(&down),
            "went from degraded to down: connection refused"
        );
        assert_eq!(regressed(&down), "down again: connection refused");
        assert_eq!(
            improved(&down),
            "answers again, but is degraded: connection refused"
        );
        let reported = Outcome::without_answer(
            Cause::Vendor {
                report: "API: degraded".into(),
            },
            Phases::default(),
        );
        assert_eq!(
            improved(&reported),
            "went from down to degraded: API: degraded"
        );
        let up = Outcome {
            status: Status::Up,
            status_code: Some(200),
            response_time_ms: Some(1_234_567),
            cause: None,
            ..down
        };
        let after = resolved(Status::Up, TimeDelta::seconds(200), false, &up);
        assert_eq!(
            after,
            "up again after 3 min 20 s: answered 200 in 1,234,567 ms"
        );
    }
}
