//! The state of the installation, which only its operators see.

use crate::api::{Api, Person, now};
use backend::auth::local;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use coordination::Worker;
use domain::LatencyHistogram;
use entity::scheduler_minute;
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::database::TestDatabase;
use testkit::on_each_database;
use uuid::Uuid;

const SYSTEM: &str = "{ me { operator } system {
    version database databaseBytes queued overdueMs checksPerSecond
    lastHour { checks missedSlots latenessP50Ms latenessP99Ms latenessMaxMs }
    minutes { since checks missedSlots latenessP99Ms }
    workers { id host version startedAt heardAt }
} }";

/// The installation's owner.
async fn owner(api: &Api) -> Person<'_> {
    let id = local::find_or_create_owner(&api.use_cases.db, now())
        .await
        .unwrap();
    let somebody = api.somebody().await;
    let viewer = somebody.viewer.map(|viewer| backend::auth::Viewer {
        user_id: id,
        workspace_id: id,
        ..viewer
    });
    Person { viewer, ..somebody }
}

/// A minute of a worker with this number of checks, each with this lateness.
async fn minute(api: &Api, started_at: DateTime<Utc>, checks: u32, late_ms: u32, missed: i32) {
    let mut lateness = LatencyHistogram::default();
    (0..checks).for_each(|_| lateness.record(late_ms));
    let row = scheduler_minute::Model {
        started_at,
        worker_id: Uuid::now_v7(),
        checks: checks.try_into().unwrap(),
        missed,
        max_lateness_ms: late_ms.try_into().unwrap(),
        lateness: lateness.encode(),
    };
    row.into_active_model()
        .insert(&api.use_cases.db)
        .await
        .unwrap();
}

on_each_database! {
    async fn the_operator_sees_what_all_workers_did_in_the_last_hour(database: TestDatabase) {
        let api = Api::on(database).await;
        let operator = owner(&api).await;
        let empty = operator.data(SYSTEM, json!({})).await;
        assert_eq!(empty["me"]["operator"], true);
        let system = &empty["system"];
        assert_eq!((&system["queued"], &system["overdueMs"]), (&json!(0), &json!(0)));
        assert_eq!((&system["minutes"], &system["workers"]), (&json!([]), &json!([])));
        assert_eq!((&system["checksPerSecond"], &system["lastHour"]["latenessP99Ms"]), (&Value::Null, &Value::Null));
        assert!(system["databaseBytes"].as_f64().unwrap() > 10_000.0, "{system}");
        let kind = if api.use_cases.db.get_database_backend() == sea_orm::DbBackend::Postgres { "PostgreSQL" } else { "SQLite" };
        assert_eq!(system["database"], kind);

        let this_minute = now().duration_trunc(TimeDelta::minutes(1)).unwrap();
        let ago = |minutes| this_minute - TimeDelta::minutes(minutes);
        minute(&api, ago(1), 90, 10, 0).await;
        minute(&api, ago(1), 30, 10, 2).await;
        minute(&api, ago(2), 60, 1000, 1).await;
        minute(&api, ago(90), 600, 9000, 7).await;
        let (id, started_at) = (Uuid::now_v7(), now() - TimeDelta::hours(2));
        let worker = Worker { id, host: "a".into(), version: "1.2.3".into(), started_at };
        api.use_cases.live.register_worker(&worker, Duration::from_secs(60)).await.unwrap();
        api.use_cases.live.schedule(&[(Uuid::now_v7(), now() - TimeDelta::seconds(10))]).await.unwrap();

        let system = operator.data(SYSTEM, json!({})).await["system"].take();
        assert_eq!((&system["queued"], &system["checksPerSecond"]), (&json!(1), &json!(2.0)));
        assert!(system["overdueMs"].as_i64().unwrap() >= 9_000, "{system}");
        let hour = &system["lastHour"];
        assert_eq!((&hour["checks"], &hour["missedSlots"], &hour["latenessMaxMs"]), (&json!(180), &json!(3), &json!(1000)));
        let near = |value: &Value, ms: f64| (value.as_f64().unwrap() - ms).abs() < ms * 0.03;
        assert!(near(&hour["latenessP50Ms"], 10.0) && near(&hour["latenessP99Ms"], 1000.0), "{hour}");
        let minutes: Vec<_> = system["minutes"].as_array().unwrap().iter().map(|one| one["checks"].clone()).collect();
        assert_eq!(minutes, [json!(60), json!(120)], "the earliest first, all workers of a minute together");
        let [found] = system["workers"].as_array().unwrap().as_slice() else { panic!("{system}") };
        assert_eq!((&found["id"], &found["host"], &found["version"]), (&json!(id), &json!("a"), &json!("1.2.3")));
    }

    async fn to_everybody_else_there_is_no_such_thing(database: TestDatabase) {
        let api = Api::on(database).await;
        let before = api.somebody().await.data(SYSTEM, json!({})).await;
        assert_eq!(before, json!({ "me": { "operator": false }, "system": null }));
        owner(&api).await;
        assert_eq!(api.somebody().await.data(SYSTEM, json!({})).await, before);
        assert_eq!(api.visitor("{ system { version } }").await.code(), "UNAUTHENTICATED");

        let open = api.open_to_all();
        let seen = open.somebody().await.data(SYSTEM, json!({})).await;
        assert_eq!((&seen["me"]["operator"], &seen["system"]["queued"]), (&json!(true), &json!(0)));
    }
}
