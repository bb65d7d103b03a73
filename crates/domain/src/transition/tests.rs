//! Table-driven tests of transitions, and property tests over random sequences of checks.

use super::*;
use Status::{Degraded, Down, Maintenance, Unknown, Up};
use proptest::prelude::*;

const INTERVAL: i64 = 30;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap()
}

fn policy(confirmations: u32) -> Policy {
    Policy {
        confirmations,
        recoveries: 1,
        coverage_window: crate::slot::coverage_window(Duration::seconds(INTERVAL)),
    }
}

fn see(second: i64, status: Status) -> Observation {
    Observation {
        slot: at(second),
        at: at(second),
        status,
    }
}

/// Runs a story of (second, seen) and returns the last transition and every effect on the way.
fn tell(confirmations: u32, story: &[(i64, Status)]) -> (Transition, Vec<Effect>) {
    let mut state = State::new(at(0));
    let (mut all, mut last) = (Vec::new(), None);
    for (second, status) in story {
        let step = advance(&state, &see(*second, *status), &policy(confirmations)).unwrap();
        all.extend(step.effects.clone());
        state = step.state.clone();
        last = Some(step);
    }
    (last.unwrap(), all)
}

#[test]
fn each_short_story_ends_in_the_expected_status() {
    for (confirmations, story, status, confirm) in [
        (2, vec![Up], Up, false),
        (2, vec![Down], Unknown, true),
        (2, vec![Down, Down], Down, false),
        (1, vec![Down], Down, false),
        (2, vec![Up, Down], Up, true),
        (2, vec![Up, Down, Up], Up, false),
        (2, vec![Up, Down, Up, Down], Up, true),
        (2, vec![Up, Degraded], Up, true),
        (2, vec![Up, Degraded, Degraded], Degraded, false),
        (2, vec![Up, Degraded, Down], Degraded, true),
        (2, vec![Up, Down, Degraded], Degraded, false),
        (2, vec![Up, Degraded, Degraded, Down], Degraded, true),
        (2, vec![Up, Degraded, Degraded, Down, Down], Down, false),
        (3, vec![Up, Down, Down], Up, true),
        (3, vec![Up, Down, Down, Down], Down, false),
        (2, vec![Up, Down, Down, Degraded], Degraded, false),
        (2, vec![Up, Down, Down, Up], Up, false),
        (2, vec![Up, Unknown], Unknown, false),
        (2, vec![Up, Down, Unknown, Down], Unknown, true),
        (2, vec![Up, Down, Down, Maintenance], Maintenance, false),
    ] {
        let story: Vec<_> = (1i64..).map(|i| i * INTERVAL).zip(story).collect();
        let (last, _) = tell(confirmations, &story);
        assert_eq!(
            (last.state.status, last.confirm),
            (status, confirm),
            "{confirmations} {story:?}"
        );
        assert_eq!(
            last.state.is_suspect(),
            confirm,
            "{confirmations} {story:?}"
        );
    }
}

#[test]
fn one_incident_opens_escalates_eases_worsens_and_ends() {
    let story = [
        (30, Up),
        (60, Degraded),
        (61, Degraded),
        (90, Down),
        (91, Down),
        (120, Degraded),
        (150, Down),
        (151, Down),
        (180, Down),
        (210, Up),
    ];
    let (_, effects) = tell(2, &story);
    assert_eq!(
        effects,
        [
            Effect::Changed {
                from: Unknown,
                to: Up
            },
            Effect::Changed {
                from: Up,
                to: Degraded
            },
            Effect::Opened {
                kind: IncidentType::Degraded,
                started_at: at(60),
                checks_failed: 2
            },
            Effect::FailedAgain,
            Effect::Changed {
                from: Degraded,
                to: Down
            },
            Effect::FailedAgain,
            Effect::Escalated { at: at(90) },
            Effect::Changed {
                from: Down,
                to: Degraded
            },
            Effect::FailedAgain,
            Effect::Improved { at: at(120) },
            Effect::FailedAgain,
            Effect::Changed {
                from: Degraded,
                to: Down
            },
            Effect::FailedAgain,
            Effect::Regressed { at: at(150) },
            Effect::FailedAgain,
            Effect::Changed { from: Down, to: Up },
            Effect::Resolved {
                at: at(210),
                by: Up
            },
        ]
    );
}

#[test]
fn a_failure_counts_from_the_first_check_that_saw_it() {
    let (last, _) = tell(3, &[(30, Up), (60, Down), (62, Down), (64, Down)]);
    assert_eq!((last.state.status, last.state.since), (Down, at(60)));
}

#[test]
fn a_late_duplicate_changes_nothing() {
    let (last, _) = tell(2, &[(30, Up), (60, Up)]);
    assert_eq!(advance(&last.state, &see(60, Down), &policy(2)), None);
    assert_eq!(advance(&last.state, &see(30, Down), &policy(2)), None);
}

#[test]
fn after_a_gap_the_past_is_not_taken_as_known() {
    let (last, effects) = tell(2, &[(30, Up), (3600, Up)]);
    assert_eq!((last.state.since, effects.len()), (at(3600), 2));
    let (last, _) = tell(2, &[(30, Up), (60, Down), (3600, Down)]);
    assert!(
        last.confirm && last.state.status == Unknown,
        "a failure before the gap confirms nothing after it"
    );
}

#[test]
fn an_open_incident_survives_a_gap_without_a_second_one() {
    let (last, effects) = tell(
        2,
        &[
            (30, Down),
            (31, Down),
            (3600, Unknown),
            (7200, Down),
            (7201, Down),
            (7230, Up),
        ],
    );
    assert_eq!(last.state.incident, None);
    assert_eq!(
        effects
            .iter()
            .filter(|e| matches!(e, Effect::Opened { .. }))
            .count(),
        1
    );
    assert_eq!(
        effects
            .iter()
            .filter(|e| matches!(e, Effect::Resolved { .. }))
            .count(),
        1
    );
}

#[test]
fn pausing_ends_the_incident_and_what_is_known() {
    let (last, _) = tell(1, &[(30, Down)]);
    let (state, effects) = last.state.paused(at(40));
    assert_eq!(
        state,
        State {
            status: Unknown,
            since: at(40),
            last_slot: Some(at(30)),
            failing: None,
            recovering: None,
            incident: None
        }
    );
    assert_eq!(
        effects,
        [
            Effect::Changed {
                from: Down,
                to: Unknown
            },
            Effect::Resolved {
                at: at(40),
                by: Unknown
            }
        ]
    );
    assert_eq!(state.paused(at(50)), (state.clone(), vec![]));
}

/// Runs a story under a policy with `recoveries`; one failure is enough for an incident.
fn tell_recovery(recoveries: u32, story: &[(i64, Status)]) -> (State, Vec<Effect>) {
    let policy = Policy {
        recoveries,
        ..policy(1)
    };
    let mut state = State::new(at(0));
    let mut all = Vec::new();
    for (second, status) in story {
        let step = advance(&state, &see(*second, *status), &policy).unwrap();
        assert_eq!(step.confirm, step.state.is_suspect());
        all.extend(step.effects);
        state = step.state;
    }
    (state, all)
}

#[test]
fn a_recovery_needs_its_good_checks_and_counts_from_the_first() {
    let story = [(30, Down), (60, Up), (90, Up), (120, Up)];
    let (state, effects) = tell_recovery(3, &story[..3]);
    assert_eq!((state.status, state.since), (Down, at(30)));
    assert_eq!(state.incident, Some(IncidentType::Downtime));
    assert!(!effects.iter().any(|e| matches!(e, Effect::Resolved { .. })));

    let (state, effects) = tell_recovery(3, &story);
    assert_eq!((state.status, state.since), (Up, at(60)));
    assert_eq!((state.incident, state.recovering), (None, None));
    let resolved = Effect::Resolved { at: at(60), by: Up };
    assert_eq!(effects.last(), Some(&resolved));
}

#[test]
fn a_failure_starts_a_recovery_over() {
    let story = [(30, Down), (60, Up), (90, Down), (120, Up), (150, Up)];
    let (state, effects) = tell_recovery(2, &story);
    assert_eq!((state.status, state.since), (Up, at(120)));
    let opened = |e: &&Effect| matches!(e, Effect::Opened { .. });
    assert_eq!(
        effects.iter().filter(opened).count(),
        1,
        "one incident spans it all"
    );
    assert!(effects.contains(&Effect::FailedAgain));
    for failure in [Degraded, Down] {
        let (state, _) = tell_recovery(2, &[(30, Down), (60, Up), (90, failure), (120, Up)]);
        assert_ne!(state.status, Up, "{failure:?} interrupts");
    }
}

#[test]
fn an_unknown_result_neither_adds_to_a_recovery_nor_interrupts_it() {
    let story = [(30, Down), (60, Up), (90, Unknown), (120, Up)];
    let (state, effects) = tell_recovery(2, &story);
    assert_eq!((state.status, state.incident), (Up, None));
    let resolved = Effect::Resolved { at: at(60), by: Up };
    assert_eq!(effects.last(), Some(&resolved));
    let (state, _) = tell_recovery(3, &story);
    assert_eq!(
        state.incident,
        Some(IncidentType::Downtime),
        "two good checks are too few"
    );
}

#[test]
fn without_an_incident_good_news_needs_no_second_check() {
    let (state, _) = tell_recovery(10, &[(30, Up)]);
    assert_eq!((state.status, state.recovering), (Up, None));
}

fn any_status() -> impl Strategy<Value = Status> {
    prop_oneof![4 => Just(Up), 2 => Just(Degraded), 3 => Just(Down), 1 => Just(Maintenance), 1 => Just(Unknown)]
}

proptest! {
    /// Whatever is seen, in whatever rhythm: incidents alternate open and resolved, each ends after it starts, what is
    /// open agrees with the status, and no time runs backwards.
    #[test]
    fn any_story_keeps_its_books(
        confirmations in 1u32..5,
        recoveries in 1u32..4,
        story in prop::collection::vec((prop_oneof![9 => 0i64..60, 1 => 100i64..10_000], any_status(), prop::bool::weighted(0.03)), 1..200),
    ) {
        let mut state = State::new(at(0));
        let mut open: Option<(DateTime<Utc>, IncidentType)> = None;
        let policy = Policy { recoveries, ..policy(confirmations) };
        let (mut second, mut failures_in_a_row, mut good_in_a_row) = (0, 0u32, 0u32);
        for (pause, status, paused) in story {
            second += pause;
            let before = state.clone();
            let effects = if paused {
                (failures_in_a_row, good_in_a_row) = (0, 0);
                let (next, effects) = state.paused(at(second));
                state = next;
                effects
            } else {
                let Some(step) = advance(&state, &see(second, status), &policy) else {
                    prop_assert!(before.last_slot.unwrap() >= at(second));
                    continue;
                };
                failures_in_a_row = if status.is_failure() { failures_in_a_row + 1 } else { 0 };
                good_in_a_row = match status {
                    Up | Maintenance => good_in_a_row + 1,
                    Unknown => good_in_a_row,
                    Degraded | Down => 0,
                };
                if before.incident.is_some() && step.state.incident.is_none() {
                    prop_assert!(good_in_a_row >= recoveries);
                }
                if before.incident.is_none() || step.state.incident.is_none() {
                    prop_assert_eq!(step.state.recovering, None);
                }
                if step.state.status.is_failure() && !before.status.is_failure() && before.incident.is_none() {
                    prop_assert!(failures_in_a_row >= confirmations);
                }
                prop_assert!(!step.confirm || status.is_failure());
                prop_assert_eq!(step.confirm, step.state.is_suspect());
                state = step.state;
                step.effects
            };
            prop_assert!(state.since <= at(second) && state.since >= before.since);
            for effect in effects {
                match effect {
                    Effect::Changed { from, to } => prop_assert_ne!(from, to),
                    Effect::Opened { kind, started_at, checks_failed } => {
                        prop_assert!(open.is_none() && checks_failed >= confirmations && started_at <= at(second));
                        open = Some((started_at, kind));
                    }
                    Effect::Escalated { at: when } => {
                        let (started, kind) = open.unwrap();
                        prop_assert!(kind == IncidentType::Degraded && when >= started);
                        open = Some((started, IncidentType::Downtime));
                    }
                    Effect::Improved { at: when } | Effect::Regressed { at: when } => {
                        let (started, kind) = open.unwrap();
                        prop_assert!(kind == IncidentType::Downtime && when >= started);
                    }
                    Effect::FailedAgain => prop_assert!(open.is_some()),
                    Effect::Resolved { at: when, .. } => {
                        let (started, _) = open.take().unwrap();
                        prop_assert!(when >= started);
                    }
                }
            }
            prop_assert_eq!(state.incident, open.map(|(_, kind)| kind));
            if state.status.is_failure() {
                prop_assert!(open.is_some());
            }
            if matches!(state.status, Up | Maintenance) {
                prop_assert!(open.is_none());
            }
        }
    }
}
