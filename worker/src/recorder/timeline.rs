//! The sentences of an incident's timeline.

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

pub(crate) fn eased(outcome: &Outcome) -> String {
    // Nobody asked the service itself where its vendor says how it is.
    let told = matches!(outcome.cause, Some(Cause::Vendor { .. }));
    with_reason(
        if told {
            "went from down to degraded"
        } else {
            "answers again, but is degraded"
        },
        outcome,
    )
}

pub(crate) fn worsened(outcome: &Outcome) -> String {
    with_reason("down again", outcome)
}

pub(crate) fn resolved(by: Status, lasted: TimeDelta, outcome: &Outcome) -> String {
    let lasted = duration(lasted);
    match by {
        Status::Up => match (outcome.status_code, outcome.response_time_ms) {
            (Some(code), Some(ms)) => format!(
                "up again after {lasted}: answered {code} in {} ms",
                thousands(ms)
            ),
            (Some(code), None) => format!("up again after {lasted}: answered {code}"),
            _ => format!("up again after {lasted}"),
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

/// The two greatest units that matter: `3 min 20 s`, `2 d 4 h`, `850 ms`.
fn duration(time: TimeDelta) -> String {
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
    fn durations_are_told_in_two_units_at_most() {
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
            assert_eq!(duration(TimeDelta::milliseconds(ms)), text);
        }
    }

    #[test]
    fn sentences_carry_the_cause_and_the_recovery_what_was_answered() {
        let down = Outcome::without_answer(Cause::ConnectionRefused, Phases::default());
        assert_eq!(
            opened(IncidentType::Downtime, &down),
            "went down: connection refused"
        );
        assert_eq!(
            escalated(&down),
            "went from degraded to down: connection refused"
        );
        assert_eq!(worsened(&down), "down again: connection refused");
        assert_eq!(
            eased(&down),
            "answers again, but is degraded: connection refused"
        );
        let told = Outcome::without_answer(
            Cause::Vendor {
                report: "API: degraded".into(),
            },
            Phases::default(),
        );
        assert_eq!(eased(&told), "went from down to degraded: API: degraded");
        let up = Outcome {
            status: Status::Up,
            status_code: Some(200),
            response_time_ms: Some(1_234_567),
            cause: None,
            ..down
        };
        let after = resolved(Status::Up, TimeDelta::seconds(200), &up);
        assert_eq!(
            after,
            "up again after 3 min 20 s: answered 200 in 1,234,567 ms"
        );
    }
}
