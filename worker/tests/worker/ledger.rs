//! What workers write down about themselves, and that they say that they are at work.

use crate::script::{Script, up};
use crate::stage::{Stage, eventually, on_each_stage};
use chrono::{TimeDelta, Timelike};
use entity::scheduler_minute as period;
use sea_orm::EntityTrait;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use worker::Settings;

fn on(host: &str) -> Settings {
    Settings {
        host: host.into(),
        heartbeat_every: Duration::from_millis(300),
        ..Settings::default()
    }
}

async fn hosts(stage: &Stage) -> Vec<String> {
    stage
        .live
        .workers()
        .await
        .unwrap()
        .into_iter()
        .map(|present| present.worker.host)
        .collect()
}

on_each_stage! {
    async fn what_a_worker_did_is_written_down_to_the_last_check_when_it_ends(stage: Stage) {
        let service = stage.service("http://up.test/").interval(1).create().await;
        let settings = on("one");
        let stats = Arc::clone(&settings.stats);
        let worker = stage.worker_with(Script::finds(|_, _| up()), settings).await;
        stage.has_checks(&service, 3).await;
        worker.stop().await;

        let rows = period::Entity::find().all(&stage.db).await.unwrap();
        let checks: i32 = rows.iter().map(|row| row.checks).sum();
        assert_eq!((u64::try_from(checks).unwrap(), rows.iter().map(|row| row.missed).sum()), (stats.recorded.load(SeqCst), 0));
        let begun: u64 = rows.iter().map(|row| row.lateness().unwrap().count()).sum();
        assert_eq!(begun, stats.lateness.iter().map(|bucket| bucket.load(SeqCst)).sum::<u64>());
        assert!(begun >= 3);
        let now = stage.live.now().await.unwrap();
        for row in &rows {
            assert!(row.started_at.second() == 0 && now - row.started_at < TimeDelta::minutes(5), "{row:?}");
            assert!(row.worker_id == rows[0].worker_id && row.max_lateness_ms < 60_000, "{row:?}");
        }
    }

    async fn workers_are_listed_while_they_are_at_work(stage: Stage) {
        assert_eq!(hosts(&stage).await, Vec::<String>::new());
        let first = stage.worker_with(Script::finds(|_, _| up()), on("one")).await;
        eventually("it is at work", async || (hosts(&stage).await == ["one"]).then_some(())).await;
        let second = stage.worker_with(Script::finds(|_, _| up()), on("two")).await;
        eventually("both are", async || (hosts(&stage).await == ["one", "two"]).then_some(())).await;
        let heard = stage.live.workers().await.unwrap()[0].last_seen_at;
        eventually("it says so again", async || {
            (stage.live.workers().await.unwrap().first()?.last_seen_at > heard).then_some(())
        })
        .await;
        first.stop().await;
        assert_eq!(hosts(&stage).await, ["two"], "who ends in good order is gone at once");
        second.kill().await;
        eventually("who does not vanishes", async || hosts(&stage).await.is_empty().then_some(())).await;
    }
}
