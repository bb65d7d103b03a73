//! A clock that was ahead and was set right: slots on record lie in the future.

use crate::script::{Script, down};
use crate::stage::{Stage, eventually, on_each_stage, start};
use chrono::{DateTime, TimeDelta, Utc};
use coordination::{CachedStatus, CurrentStatus};
use domain::Status;
use entity::{column, service};
use sea_orm::{ActiveModelTrait, IntoActiveModel, Set};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use worker::Settings;

/// Leaves the service as if it had been found up at `last_slot`, and had failed `failures` times since.
async fn was_checked(
    stage: &Stage,
    service: &service::Model,
    last_slot: DateTime<Utc>,
    failures: i32,
) {
    let mut state = stage.state(service).await.into_active_model();
    state.status = Set(column::Status::Up);
    state.status_since = Set(last_slot);
    state.last_slot = Set(Some(last_slot));
    state.checked_at = Set(Some(last_slot));
    state.failing_checks = Set(failures);
    state.failing_since = Set((failures > 0).then_some(last_slot));
    state.update(&stage.db).await.unwrap();
}

on_each_stage! {
    async fn once_the_clock_was_set_back_by_hours_checks_go_on_from_now(stage: Stage) {
        let service = stage.service("http://down.test/").create().await;
        let begun = stage.live.now().await.unwrap();
        let later = begun + TimeDelta::hours(3);
        was_checked(&stage, &service, later, 0).await;
        let (status, message) = (Status::Up, None);
        let current =
            CurrentStatus { status, since: later, checked_at: later, response_time_ms: None, status_code: None, message };
        stage.live.cache_statuses(&[CachedStatus { service_id: service.id, slot: later, current }]).await.unwrap();
        stage.live.schedule(&[(service.id, later)]).await.unwrap();

        let worker = stage.worker_with(Script::finds(|_, _| down()), Settings::default()).await;
        let state = stage.is(&service, Status::Down).await;
        let soon = begun + TimeDelta::minutes(1);
        assert!(state.last_slot.unwrap() < soon && state.status_since < soon, "{state:?}");
        let [incident] = stage.incidents(&service).await.try_into().unwrap();
        assert_eq!(incident.started_at, state.status_since);
        stage.is_due_at_its_next_slot(&service).await;
        stage.is_told(&service, |latest| latest.slot < soon && latest.current.status == Status::Down).await;
        assert_eq!(worker.stats.discarded.load(SeqCst), 0);
        let looks = worker.stats.started.load(SeqCst);
        assert!((2..6).contains(&looks), "a failure and its confirmation, but {looks} looks");
        worker.stop().await;
    }

    async fn a_suspect_service_whose_slot_lies_a_little_ahead_is_not_hammered(stage: Stage) {
        let service = stage.service("http://down.test/").create().await;
        let ahead = stage.live.now().await.unwrap() + TimeDelta::seconds(50);
        was_checked(&stage, &service, ahead, 1).await;
        let looks = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&looks);
        let script = Script::finds(move |_, _| {
            noted.lock().unwrap().push(Instant::now());
            down()
        });
        let worker = start(&stage, script, Settings::default());
        let looks = eventually("three looks", async || {
            let looks = looks.lock().unwrap().clone();
            (looks.len() >= 3).then_some(looks)
        })
        .await;
        assert!(looks.windows(2).all(|two| two[1] - two[0] > Duration::from_millis(900)), "{looks:?}");
        assert_eq!(stage.checks(&service).await, []);
        worker.stop().await;
    }
}
