//! Services that are added, changed, paused and deleted while they are checked.

use crate::script::{Script, down, up};
use crate::stage::{Stage, eventually, on_each_stage};
use chrono::TimeDelta;
use coordination::ServiceChange;
use domain::Status;
use entity::{column, service, service_state};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, ModelTrait, Set};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};
use testkit::{Behaviour, Target};
use tokio::sync::Notify;
use worker::Settings;

/// A probe that runs until the test lets it find the service down.
fn held() -> (Script, Arc<Notify>, Arc<Notify>) {
    let (begun, end) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begins, ends) = (Arc::clone(&begun), Arc::clone(&end));
    let script = Script::new(move |_| {
        let (begins, ends) = (Arc::clone(&begins), Arc::clone(&ends));
        async move {
            begins.notify_one();
            ends.notified().await;
            down()
        }
    });
    (script, begun, end)
}

/// As the API pauses: both rows in one transaction, then the queue.
async fn pause(stage: &Stage, service: &service::Model) {
    let mut paused = service.clone().into_active_model();
    paused.paused = Set(true);
    paused.update(&stage.db).await.unwrap();
    stage.live.remove(&[service.id]).await.unwrap();
    stage.tell(service, ServiceChange::Paused).await;
}

on_each_stage! {
    async fn a_result_that_comes_after_a_pause_is_dropped(stage: Stage) {
        let (script, begun, end) = held();
        let worker = stage.worker_with(script, Settings::default()).await;
        let service = stage.service("http://held.test/").confirmations(1).create().await;
        stage.check_now(&[&service]).await;
        begun.notified().await;
        pause(&stage, &service).await;
        end.notify_one();
        eventually("the result is dropped", async || (worker.stats.discarded.load(SeqCst) == 1).then_some(())).await;
        assert_eq!((stage.checks(&service).await, stage.incidents(&service).await), (vec![], vec![]));
        assert_eq!(stage.state(&service).await.last_slot, None);
        eventually("it leaves the queue", async || (stage.live.queue_len().await.unwrap() == 0).then_some(())).await;
        worker.stop().await;
    }

    async fn a_result_that_comes_after_a_deletion_is_dropped(stage: Stage) {
        let (script, begun, end) = held();
        let worker = stage.worker_with(script, Settings::default()).await;
        let service = stage.service("http://held.test/").confirmations(1).create().await;
        stage.check_now(&[&service]).await;
        begun.notified().await;
        service.clone().delete(&stage.db).await.unwrap();
        // The queue is not changed: the scheduler notices by itself.
        end.notify_one();
        eventually("it leaves the queue", async || (stage.live.queue_len().await.unwrap() == 0).then_some(())).await;
        assert_eq!(worker.stats.discarded.load(SeqCst), 1);
        assert_eq!((stage.checks(&service).await, stage.incidents(&service).await), (vec![], vec![]));
        worker.stop().await;
    }

    async fn a_result_of_the_old_url_does_not_count_for_the_new_one(stage: Stage) {
        let (old, new) = (Target::start().await, Target::start().await);
        old.behave(Behaviour::Hang).await;
        let worker = stage.worker().await;
        let service = stage.service(old.url()).confirmations(1).create().await;
        stage.check_now(&[&service]).await;
        old.has_read(1).await;
        stage.edit(&service, |service| service.settings = Set(json!({ "url": new.url() }))).await;
        old.behave(Behaviour::code(500)).await;
        let state = stage.is(&service, Status::Up).await;
        assert_eq!((new.requests(), state.status_code), (1, Some(200)));
        let checks = stage.checks(&service).await;
        assert_eq!((checks.len(), checks[0].status), (1, column::Status::Up));
        assert_eq!(stage.incidents(&service).await, []);
        worker.stop().await;
    }

    async fn a_change_takes_effect_within_a_second(stage: Stage) {
        let (old, new) = (Target::start().await, Target::start().await);
        let worker = stage.worker().await;
        let service = stage.service(old.url()).create().await;
        let begun = Instant::now();
        stage.check_now(&[&service]).await;
        stage.tell(&service, ServiceChange::Created).await;
        old.has_read(1).await;
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        stage.is(&service, Status::Up).await;

        let begun = Instant::now();
        stage.edit(&service, |service| service.settings = Set(json!({ "url": new.url() }))).await;
        stage.check_now(&[&service]).await;
        new.has_read(1).await;
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        assert_eq!(old.requests(), 1);

        pause(&stage, &service).await;
        stage.check_now(&[&service]).await;
        eventually("it leaves the queue", async || (stage.live.queue_len().await.unwrap() == 0).then_some(())).await;
        assert_eq!(new.requests(), 1, "a paused service is not requested even if it is queued");
        worker.stop().await;
    }

    async fn a_change_without_an_event_is_noticed_by_the_recorder(stage: Stage) {
        let (old, new) = (Target::start().await, Target::start().await);
        let worker = stage.worker().await;
        let service = stage.service(old.url()).create().await;
        stage.check_now(&[&service]).await;
        stage.is(&service, Status::Up).await;
        let mut changed = service.clone().into_active_model();
        changed.settings = Set(json!({ "url": new.url() }));
        changed.updated_at = Set(service.updated_at + TimeDelta::seconds(1));
        changed.update(&stage.db).await.unwrap();
        stage.check_now(&[&service]).await;
        new.has_read(1).await;
        stage.has_checks(&service, 2).await;
        assert_eq!(worker.stats.discarded.load(SeqCst), 1);
        worker.stop().await;
    }

    async fn a_requested_check_does_not_prevent_a_confirmation(stage: Stage) {
        let (script, begun, end) = held();
        let worker = stage.worker_with(script, Settings::default()).await;
        let service = stage.service("http://held.test/").create().await;
        let now = stage.live.now().await.unwrap();
        stage.live.schedule(&[(service.id, now)]).await.unwrap();
        begun.notified().await;
        // The claim behind the running check is void from now on, and the new one's slot is earlier.
        stage.live.schedule(&[(service.id, now - TimeDelta::seconds(1))]).await.unwrap();
        begun.notified().await;
        end.notify_one();
        stage.has_checks(&service, 1).await;
        end.notify_one();
        begun.notified().await;
        let discarded = async || (worker.stats.discarded.load(SeqCst) == 1).then_some(());
        eventually("the check with the earlier slot is discarded", discarded).await;
        assert_eq!(stage.checks(&service).await.len(), 1);
        end.notify_one();
        stage.is(&service, Status::Down).await;
        stage.is_due_at_its_next_slot(&service).await;
        worker.stop().await;
    }

    async fn a_lost_state_is_made_anew(stage: Stage) {
        let worker = stage.worker_with(Script::finds(|_, _| up()), Settings::default()).await;
        let service = stage.service("http://up.test/").create().await;
        service_state::Entity::delete_by_id(service.id).exec(&stage.db).await.unwrap();
        stage.check_now(&[&service]).await;
        stage.has_checks(&service, 1).await;
        assert_eq!(stage.state(&service).await.status, column::Status::Up);
        worker.stop().await;
    }

    async fn services_of_another_kind_are_left_to_others(stage: Stage) {
        let service = stage.service("http://page.test/").create().await;
        let mut page = service.clone().into_active_model();
        page.kind = Set("vendor_page".into());
        page.update(&stage.db).await.unwrap();
        let worker = stage.worker_with(Script::finds(|_, _| up()), Settings::default()).await;
        assert_eq!(stage.live.queue_len().await.unwrap(), 0);
        stage.check_now(&[&service]).await;
        eventually("it leaves the queue", async || (stage.live.queue_len().await.unwrap() == 0).then_some(())).await;
        assert_eq!(worker.stats.started.load(SeqCst), 0);
        worker.stop().await;
    }
}
