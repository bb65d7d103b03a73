//! Redis and PostgreSQL that go away and come back: freshness is lost, nothing else.

use crate::script::{Script, down, up};
use crate::stage::{Stage, another_redis, eventually};
use coordination::Coordination;
use domain::{Outcome, Status};
use entity::service;
use sea_orm::DatabaseConnection;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use testkit::{PostgresServer, RedisServer, database};
use worker::Settings;

/// Finds everything up or everything down, as told.
fn switched() -> (Script, Arc<AtomicBool>) {
    let well = Arc::new(AtomicBool::new(true));
    let is_well = Arc::clone(&well);
    let look =
        move |_: usize, _: &str| -> Outcome { if is_well.load(SeqCst) { up() } else { down() } };
    (Script::finds(look), well)
}

async fn database_on(server: &PostgresServer) -> DatabaseConnection {
    let url = server.create_database().await;
    let db = migration::connect(&url, &migration::Pool::default())
        .await
        .unwrap();
    migration::run(&db).await.unwrap();
    db
}

/// A service that is checked each second, and is down.
async fn down_service(stage: &Stage) -> service::Model {
    let service = stage
        .service("http://down.test/")
        .interval(1)
        .timeout(500)
        .create()
        .await;
    stage.check_now(&[&service]).await;
    stage.is(&service, Status::Down).await;
    service
}

/// Its one incident is still the one that `before` was, goes on, and ends once the service is up.
async fn the_incident_goes_on_and_ends(stage: &Stage, service: &service::Model, well: &AtomicBool) {
    let [before] = stage.incidents(service).await.try_into().unwrap();
    let checks = stage.checks(service).await.len();
    stage.has_checks(service, checks + 2).await;
    let [after] = stage.incidents(service).await.try_into().unwrap();
    assert_eq!(
        (after.id, after.started_at, after.resolved_at),
        (before.id, before.started_at, None)
    );
    assert!(after.checks_failed > before.checks_failed);
    well.store(true, SeqCst);
    stage.is(service, Status::Up).await;
    let [ended] = stage.incidents(service).await.try_into().unwrap();
    assert!(ended.id == before.id && ended.resolved_at.is_some());
    assert_eq!(
        usize::try_from(ended.checks_failed).unwrap(),
        failed_checks(stage, service).await
    );
}

async fn failed_checks(stage: &Stage, service: &service::Model) -> usize {
    stage
        .checks(service)
        .await
        .iter()
        .filter(|check| Status::from(check.status).is_failure())
        .count()
}

#[tokio::test]
async fn a_flushed_redis_is_filled_again_and_opens_or_loses_nothing() {
    let server = RedisServer::start().await;
    let stage = Stage::on(database::postgres().await.db, another_redis(&server).await).await;
    let (script, well) = switched();
    let worker = stage.worker_with(script, Settings::default()).await;
    let mut others = Vec::new();
    for i in 0..20 {
        others.push(stage.service(format!("http://s{i}.test/")).create().await);
    }
    stage.check_now(&others.iter().collect::<Vec<_>>()).await;
    well.store(false, SeqCst);
    let service = down_service(&stage).await;
    server.flush().await;
    eventually("all are queued again", async || {
        (stage.live.queue_len().await.unwrap() == 21).then_some(())
    })
    .await;
    the_incident_goes_on_and_ends(&stage, &service, &well).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_redis_that_is_away_costs_freshness_only() {
    let mut server = RedisServer::start().await;
    let stage = Stage::on(database::postgres().await.db, another_redis(&server).await).await;
    let (script, well) = switched();
    let worker = stage.worker_with(script, Settings::default()).await;
    well.store(false, SeqCst);
    let service = down_service(&stage).await;
    for keeps in [true, false] {
        if keeps {
            server.stop().await;
        } else {
            server.kill().await;
        }
        let turns = worker.stats.turns.load(SeqCst);
        eventually("the scheduler tries again", async || {
            (worker.stats.turns.load(SeqCst) > turns + 1).then_some(())
        })
        .await;
        server.start_again().await;
        let checks = stage.checks(&service).await.len();
        stage.has_checks(&service, checks + 2).await;
        assert_eq!(stage.incidents(&service).await.len(), 1);
    }
    the_incident_goes_on_and_ends(&stage, &service, &well).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_database_that_is_away_costs_freshness_only() {
    let mut server = PostgresServer::start().await;
    let stage = Stage::on(database_on(&server).await, Coordination::memory()).await;
    let (script, well) = switched();
    let worker = stage.worker_with(script, Settings::default()).await;
    well.store(false, SeqCst);
    let service = down_service(&stage).await;
    for crash in [false, true] {
        if crash {
            server.kill().await;
        } else {
            server.stop().await;
        }
        let failed = worker.stats.failed_batches.load(SeqCst);
        eventually("a result waits", async || {
            (worker.stats.failed_batches.load(SeqCst) > failed + 1).then_some(())
        })
        .await;
        let started = worker.stats.started.load(SeqCst);
        let turns = worker.stats.turns.load(SeqCst);
        eventually("the scheduler turns", async || {
            (worker.stats.turns.load(SeqCst) > turns + 10).then_some(())
        })
        .await;
        assert_eq!(
            worker.stats.started.load(SeqCst),
            started,
            "nothing is begun that cannot be recorded"
        );
        server.start_again().await;
        let checks = stage.checks(&service).await.len();
        stage.has_checks(&service, checks + 2).await;
        assert_eq!(stage.incidents(&service).await.len(), 1);
    }
    the_incident_goes_on_and_ends(&stage, &service, &well).await;
    let stats = Arc::clone(&worker.stats);
    worker.stop().await;
    assert_eq!(stats.lost.load(SeqCst), 0);
    let checks = stage.checks(&service).await.len();
    assert_eq!(
        stats.started.load(SeqCst),
        checks as u64,
        "what was found while the database was away is recorded too"
    );
}

#[tokio::test]
async fn once_the_database_is_back_checks_go_on_even_if_every_result_was_given_up() {
    let mut server = PostgresServer::start().await;
    let stage = Stage::on(database_on(&server).await, Coordination::memory()).await;
    let settings = Settings {
        keep_unrecorded: Duration::from_millis(200),
        ..Settings::default()
    };
    let worker = stage
        .worker_with(Script::finds(|_, _| up()), settings)
        .await;
    let service = stage
        .service("http://up.test/")
        .interval(1)
        .timeout(500)
        .create()
        .await;
    stage.check_now(&[&service]).await;
    stage.is(&service, Status::Up).await;
    assert!(!worker.stats.unable.load(SeqCst));
    server.stop().await;
    eventually("its result is given up", async || {
        (worker.stats.lost.load(SeqCst) >= 1).then_some(())
    })
    .await;
    assert!(worker.stats.unable.load(SeqCst));
    server.start_again().await;
    let checks = stage.checks(&service).await.len();
    stage.has_checks(&service, checks + 2).await;
    assert!(!worker.stats.unable.load(SeqCst));
    worker.stop().await;
}

#[tokio::test]
async fn a_worker_that_is_stopped_while_the_database_is_away_gives_its_results_up_and_ends_in_time()
{
    let mut server = PostgresServer::start().await;
    let stage = Stage::on(database_on(&server).await, Coordination::memory()).await;
    let worker = stage
        .worker_with(Script::finds(|_, _| up()), Settings::default())
        .await;
    let service = stage.service("http://up.test/").create().await;
    stage.check_now(&[&service]).await;
    stage.is(&service, Status::Up).await;
    let failed = Arc::clone(&worker.stats);
    // While the day's partition is being made a batch may fail and work at the next attempt.
    let before = failed.failed_batches.load(SeqCst);
    server.stop().await;
    stage.check_now(&[&service]).await;
    eventually("a result waits", async || {
        (failed.failed_batches.load(SeqCst) > before).then_some(())
    })
    .await;
    worker.stop().await;
    assert_eq!(failed.lost.load(SeqCst), 1);
    let back = stage
        .live
        .claim(1, Duration::from_secs(60))
        .await
        .unwrap()
        .claims;
    assert_eq!(back.len(), 1, "its service is due again");
}
