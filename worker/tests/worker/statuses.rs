//! Statuses and incidents that follow from checks.

use crate::script::{Script, down, up};
use crate::stage::{Stage, eventually, made_at, on_each_stage};
use chrono::{DateTime, TimeDelta, Utc};
use coordination::Event;
use domain::Status;
use entity::column::{self, IncidentType};
use futures::StreamExt;
use sea_orm::{ActiveModelTrait, IntoActiveModel, Set, TransactionTrait};
use std::sync::atomic::Ordering::SeqCst;
use testkit::{Behaviour, Target};
use worker::Settings;

on_each_stage! {
    async fn a_recovery_takes_as_many_good_checks_as_the_service_asks_for(stage: Stage) {
        let target = Target::start().await;
        target.behave(Behaviour::Refuse).await;
        let service = stage.service(target.url()).confirmations(1).recoveries(2).create().await;
        let worker = stage.worker().await;
        stage.check_now(&[&service]).await;
        stage.is(&service, Status::Down).await;
        // The worker may check a new service on its own account, too.
        stage.is_due_at_its_next_slot(&service).await;

        target.behave(Behaviour::code(200)).await;
        stage.check_now(&[&service]).await;
        let state = eventually("one good check", async || {
            let state = stage.state(&service).await;
            (state.recovering_checks == 1).then_some(state)
        })
        .await;
        assert_eq!(state.status, column::Status::Down);
        assert!(state.open_incident_id.is_some());
        worker.stop().await;

        // Another worker goes on counting.
        let worker = stage.worker().await;
        stage.check_now(&[&service]).await;
        let state = stage.is(&service, Status::Up).await;
        let checks = stage.checks(&service).await;
        let first_good = checks.iter().find(|check| check.status == column::Status::Up).unwrap();
        let recovered_at = made_at(first_good);
        let [incident] = stage.incidents(&service).await.try_into().unwrap();
        assert_eq!((state.status_since, incident.resolved_at), (recovered_at, Some(recovered_at)));
        assert_eq!((state.recovering_checks, state.recovering_since), (0, None));
        worker.stop().await;
    }

    async fn without_the_key_of_its_secrets_a_service_is_unknown_and_says_why(stage: Stage) {
        let service = stage.service("http://127.0.0.1:9/").create().await;
        let lost = secrets::Sealer::new("another key that nobody has any more", None);
        let sealed = lost.seal(&monitors::secret_context(service.id), b"{}");
        stage.edit(&service, |service| service.secrets = Set(Some(sealed))).await;
        let worker = stage.worker().await;
        stage.check_now(&[&service]).await;
        stage.has_checks(&service, 1).await;
        let state = stage.state(&service).await;
        assert_eq!(state.status, column::Status::Unknown);
        let message = state.message.unwrap();
        assert!(message.contains("secrets of this service cannot be opened"), "{message}");
        assert!(stage.incidents(&service).await.is_empty());
        worker.stop().await;
    }

    async fn a_new_service_is_checked_at_once_and_then_at_its_slots(stage: Stage) {
        let target = Target::start().await;
        let mut events = stage.live.subscribe();
        let worker = stage.worker().await;
        let service = stage.service(target.url()).create().await;
        stage.check_now(&[&service]).await;
        let state = stage.is(&service, Status::Up).await;
        let checks = stage.checks(&service).await;
        assert_eq!((checks.len(), checks[0].status, checks[0].status_code), (1, column::Status::Up, Some(200)));
        assert_eq!((checks[0].interval_seconds, checks[0].message.as_deref()), (86_400, None));
        assert!((0..1000).contains(&checks[0].lateness_ms), "{}", checks[0].lateness_ms);
        assert_eq!(state.checked_at, Some(made_at(&checks[0])));
        assert_eq!((state.status_since, state.status_code, state.message), (made_at(&checks[0]), Some(200), None));
        assert_eq!(state.last_slot.unwrap().timestamp_millis(), checks[0].slot);
        stage.is_due_at_its_next_slot(&service).await;

        let event = events.next().await.unwrap().unwrap();
        let Event::StatusChecked { workspace_id, service_id, slot, previous, current, changed } = (*event).clone() else {
            panic!("{event:?}")
        };
        assert_eq!((workspace_id, service_id, previous, changed), (stage.user.id, service.id, Some(Status::Unknown), true));
        assert_eq!((slot, current.status, current.since), (state.last_slot.unwrap(), Status::Up, state.status_since));
        let latest = stage.live.cached_statuses(&[service.id]).await.unwrap().remove(0).unwrap();
        assert_eq!((latest.slot, latest.current), (slot, current));
        worker.stop().await;
        assert_eq!(target.requests(), 1);
    }

    async fn slow_then_down_then_up_is_one_incident(stage: Stage) {
        let target = Target::start().await;
        let worker = stage.worker().await;
        let service = stage.service(target.url()).threshold(400).create().await;
        stage.check_now(&[&service]).await;
        stage.is(&service, Status::Up).await;

        target.behave(Behaviour::slow(500)).await;
        stage.check_now(&[&service]).await;
        stage.is(&service, Status::Degraded).await;
        let checks = stage.checks(&service).await;
        assert_eq!(checks.len(), 3, "one slow answer is confirmed by another at once");
        let [incident] = stage.incidents(&service).await.try_into().unwrap();
        assert_eq!((incident.incident_type, incident.checks_failed), (IncidentType::Degraded, 2));
        assert_eq!((incident.started_at, incident.resolved_at), (made_at(&checks[1]), None));
        let cause = incident.cause.clone().unwrap();
        assert!(cause.starts_with("answered in ") && cause.ends_with(" ms, slower than 400 ms"), "{cause}");

        target.behave(Behaviour::Refuse).await;
        stage.check_now(&[&service]).await;
        let state = stage.is(&service, Status::Down).await;
        let checks = stage.checks(&service).await;
        assert_eq!((checks.len(), state.status_since), (5, made_at(&checks[3])));
        let [escalated] = stage.incidents(&service).await.try_into().unwrap();
        assert_eq!((escalated.id, escalated.started_at), (incident.id, incident.started_at));
        assert_eq!((escalated.incident_type, escalated.checks_failed), (IncidentType::Downtime, 4));
        assert_eq!(escalated.cause.as_deref(), Some("connection refused"));
        assert_eq!((state.open_incident_id, state.open_incident_type), (Some(incident.id), Some(IncidentType::Downtime)));

        target.behave(Behaviour::code(200)).await;
        stage.check_now(&[&service]).await;
        let state = stage.is(&service, Status::Up).await;
        let checks = stage.checks(&service).await;
        let [resolved] = stage.incidents(&service).await.try_into().unwrap();
        assert_eq!((resolved.id, resolved.incident_type, resolved.checks_failed), (incident.id, IncidentType::Downtime, 4));
        assert_eq!((resolved.resolved_at, checks.len()), (Some(made_at(&checks[5])), 6));
        assert_eq!((state.open_incident_id, state.failing_checks), (None, 0));

        let timeline = stage.timeline(&resolved).await;
        let kinds: Vec<_> = timeline.iter().map(|(kind, at, _)| (kind.as_str(), *at)).collect();
        let times = [1, 3, 5].map(|i| made_at(&checks[i]));
        assert_eq!(kinds, [("opened", times[0]), ("escalated", times[1]), ("resolved", times[2])]);
        assert!(timeline[0].2.starts_with("became degraded: answered in "), "{}", timeline[0].2);
        assert_eq!(timeline[1].2, "went from degraded to down: connection refused");
        let resolved = &timeline[2].2;
        assert!(resolved.starts_with("up again after ") && resolved.contains(": answered 200 in "), "{resolved}");
        worker.stop().await;
    }

    async fn an_incident_lasts_through_improvement_and_regression(stage: Stage) {
        let target = Target::start().await;
        target.behave(Behaviour::code(503)).await;
        let worker = stage.worker().await;
        let service = stage.service(target.url()).threshold(50).create().await;
        stage.check_now(&[&service]).await;
        stage.is(&service, Status::Down).await;
        target.behave(Behaviour::slow(80)).await;
        stage.check_now(&[&service]).await;
        stage.is(&service, Status::Degraded).await;
        let [incident] = stage.incidents(&service).await.try_into().unwrap();
        assert_eq!((incident.incident_type, incident.resolved_at), (IncidentType::Downtime, None));
        assert_eq!(incident.cause.as_deref(), Some("answered 503, expected 200-299"), "the worst it came to");
        let kinds: Vec<_> = stage.timeline(&incident).await.into_iter().map(|(kind, _, _)| kind).collect();
        assert_eq!(kinds, ["opened", "eased"]);

        target.behave(Behaviour::Refuse).await;
        let mut events = stage.live.subscribe();
        stage.check_now(&[&service]).await;
        let state = stage.is(&service, Status::Down).await;
        let [again] = stage.incidents(&service).await.try_into().unwrap();
        assert_eq!((again.id, again.resolved_at, again.checks_failed), (incident.id, None, incident.checks_failed + 2));
        let timeline = stage.timeline(&again).await;
        assert_eq!(timeline.len(), 3, "{timeline:?}");
        assert_eq!(timeline[2], ("worsened".into(), state.status_since, "down again: connection refused".into()));
        let received = async {
            while let Some(event) = events.next().await {
                if matches!(*event.unwrap(), Event::IncidentChanged { incident_id, .. } if incident_id == again.id) {
                    return;
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), received).await.expect("pages receive the event");
        worker.stop().await;
    }

    async fn another_cause_of_an_open_incident_is_shown_and_in_its_timeline(stage: Stage) {
        let target = Target::start().await;
        target.behave(Behaviour::code(500)).await;
        let worker = stage.worker().await;
        let service = stage.service(target.url()).create().await;
        stage.check_now(&[&service]).await;
        stage.is(&service, Status::Down).await;
        let has_cause = async |cause: &str, checks_failed: i32| {
            eventually(cause, async || {
                let [incident] = stage.incidents(&service).await.try_into().unwrap();
                let is_current = incident.checks_failed == checks_failed;
                (is_current && incident.cause.as_deref() == Some(cause)).then_some(incident)
            })
            .await
        };
        has_cause("answered 500, expected 200-299", 2).await;

        target.behave(Behaviour::code(404)).await;
        let mut events = stage.live.subscribe();
        stage.check_now(&[&service]).await;
        let incident = has_cause("answered 404, expected 200-299", 3).await;
        let received = async {
            while let Some(event) = events.next().await {
                if matches!(*event.unwrap(), Event::IncidentChanged { incident_id, .. } if incident_id == incident.id) {
                    return;
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), received).await.expect("pages receive the event");
        stage.check_now(&[&service]).await;
        has_cause("answered 404, expected 200-299", 4).await;
        let timeline = stage.timeline(&incident).await;
        assert_eq!(timeline.len(), 2, "the same cause again is no news: {timeline:?}");
        assert_eq!((timeline[1].0.as_str(), timeline[1].2.as_str()), ("cause_changed", "still failing, now: answered 404, expected 200-299"));
        worker.stop().await;
    }

    async fn a_recovery_after_an_edit_says_so(stage: Stage) {
        let target = Target::start().await;
        target.behave(Behaviour::code(500)).await;
        let worker = stage.worker().await;
        let service = stage.service(target.url()).create().await;
        stage.check_now(&[&service]).await;
        stage.is(&service, Status::Down).await;
        let [incident] = stage.incidents(&service).await.try_into().unwrap();
        let transaction = stage.writer.begin().await.unwrap();
        incidents::record_edit(&transaction, incident.id, Utc::now(), &["address".into()]).await.unwrap();
        transaction.commit().await.unwrap();

        target.behave(Behaviour::code(200)).await;
        stage.check_now(&[&service]).await;
        stage.is(&service, Status::Up).await;
        let timeline = stage.timeline(&incident).await;
        let kinds: Vec<_> = timeline.iter().map(|(kind, _, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["opened", "definition_changed", "resolved"]);
        assert_eq!(timeline[1].2, "the definition was changed: address");
        assert!(timeline[2].2.contains(" with the changed definition: answered 200 in "), "{}", timeline[2].2);
        worker.stop().await;
    }

    async fn a_single_failure_is_rechecked_at_once_and_not_confirmed(stage: Stage) {
        let script = Script::finds(|look, _| if look == 1 { down() } else { up() });
        let worker = stage.worker_with(script, Settings::default()).await;
        let service = stage.service("http://flickers.test/").create().await;
        stage.check_now(&[&service]).await;
        let first = stage.is(&service, Status::Up).await;
        stage.check_now(&[&service]).await;
        let checks = stage.has_checks(&service, 3).await;
        let statuses: Vec<_> = checks.iter().map(|check| check.status).collect();
        assert_eq!(statuses, [column::Status::Up, column::Status::Down, column::Status::Up]);
        assert_eq!(checks[1].message.as_deref(), Some("connection refused"));
        assert!(made_at(&checks[2]) - made_at(&checks[1]) < TimeDelta::seconds(2));
        assert_eq!(stage.incidents(&service).await, []);
        let state = stage.state(&service).await;
        assert_eq!((state.status, state.status_since, state.failing_checks), (column::Status::Up, first.status_since, 0));
        worker.stop().await;
    }

    async fn as_many_failures_as_asked_for_make_it_down(stage: Stage) {
        let worker = stage.worker_with(Script::finds(|_, _| down()), Settings::default()).await;
        let service = stage.service("http://down.test/").confirmations(4).create().await;
        stage.check_now(&[&service]).await;
        let state = stage.is(&service, Status::Down).await;
        let checks = stage.checks(&service).await;
        assert_eq!((checks.len(), state.failing_checks), (4, 4));
        let [incident] = stage.incidents(&service).await.try_into().unwrap();
        assert_eq!((incident.started_at, incident.checks_failed), (made_at(&checks[0]), 4));
        stage.is_due_at_its_next_slot(&service).await;
        worker.stop().await;
    }

    async fn a_slot_is_recorded_once_however_often_it_is_checked(stage: Stage) {
        let worker = stage.worker_with(Script::finds(|_, _| up()), Settings::default()).await;
        let service = stage.service("http://up.test/").create().await;
        let slot: DateTime<Utc> = stage.live.now().await.unwrap();
        for again in 0..3usize {
            stage.live.schedule(&[(service.id, slot)]).await.unwrap();
            stage.has_checks(&service, 1).await;
            eventually("the duplicate is dropped", async || {
                (worker.stats.discarded.load(SeqCst) == again as u64).then_some(())
            })
            .await;
        }
        assert_eq!(stage.checks(&service).await.len(), 1);
        assert_eq!(worker.stats.started.load(SeqCst), 3);
        stage.is_due_at_its_next_slot(&service).await;
        worker.stop().await;
    }

    async fn after_a_gap_the_status_is_unknown_and_nothing_opens(stage: Stage) {
        let service = stage.service("http://up.test/").interval(60).create().await;
        let long_ago = service.created_at - TimeDelta::hours(5);
        let mut state = stage.state(&service).await.into_active_model();
        state.status = Set(column::Status::Up);
        state.status_since = Set(long_ago);
        state.last_slot = Set(Some(long_ago));
        // One more failure would have confirmed it then.
        state.failing_checks = Set(1);
        state.failing_since = Set(Some(long_ago));
        state.down_checks = Set(1);
        state.down_since = Set(Some(long_ago));
        state.update(&stage.db).await.unwrap();

        let script = Script::finds(|look, _| if look == 0 { down() } else { up() });
        let worker = stage.worker_with(script, Settings::default()).await;
        let checks = stage.has_checks(&service, 2).await;
        assert_eq!(checks[0].status, column::Status::Down);
        let state = stage.is(&service, Status::Up).await;
        assert_eq!(state.status_since, made_at(&checks[1]), "it is up since now: what was before is not known");
        assert_eq!(stage.incidents(&service).await, []);
        worker.stop().await;
    }
}
