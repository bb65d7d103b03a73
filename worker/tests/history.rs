//! Rollups, retention and partitions, on both databases.
#![allow(clippy::unwrap_used)]

use chrono::{DateTime, Duration, Utc};
use domain::rollup::{DAY, HOUR, floor};
use domain::uptime::{Sample, tally};
use domain::{LatencyHistogram, Status};
use entity::column::RollupPeriod;
use entity::{check, check_rollup, rollup_progress, scheduler_minute, service};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait,
    IntoActiveModel, ModelTrait, PaginatorTrait, QueryFilter, QueryOrder, Statement,
    TransactionTrait,
};
use testkit::builders::{a_check, a_service, a_user, insert_checks};
use testkit::{TestDatabase, on_each_database};
use worker::history::{BatchLimits, HistorySettings, pass};

/// Small portions, so that everything takes several rounds.
const SETTINGS: HistorySettings = HistorySettings {
    keep_checks: days(30),
    keep_hours: days(396),
    every: std::time::Duration::from_secs(60),
    portion: BatchLimits {
        services: 2,
        checks: 7,
    },
};

const fn days(days: u64) -> std::time::Duration {
    std::time::Duration::from_secs(days * 86_400)
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// What a worker did in the minute that begins at `started_at`.
fn minute(started_at: DateTime<Utc>) -> scheduler_minute::Model {
    scheduler_minute::Model {
        started_at,
        worker_id: uuid::Uuid::now_v7(),
        checks: 1,
        missed: 0,
        max_lateness_ms: 3,
        lateness: LatencyHistogram::default().encode(),
    }
}

on_each_database! {
    async fn rollups_match_a_brute_force_computation(database: TestDatabase) {
        let (db, mut runner) = (&database.db, TestRunner::deterministic());
        let user = a_user(db).await;
        for _ in 0..6 {
            let mut stories = Vec::new();
            for _ in 0..5 {
                let service = a_service(db, &user).create().await;
                let story = story(&service).new_tree(&mut runner).unwrap().current();
                stories.push((service, story));
            }
            for share in [1, 2, 3] {
                for (_, story) in &stories {
                    let (from, to) = (story.len() * (share - 1) / 3, story.len() * share / 3);
                    insert_checks(db, &story[from..to]).await;
                }
                let passed = pass(db, &SETTINGS, at("2026-03-20T00:00:00Z")).await.unwrap().unwrap();
                let new: usize = stories.iter().map(|(_, story)| story.len() * share / 3 - story.len() * (share - 1) / 3).sum();
                assert_eq!(passed.checks, u64::try_from(new).unwrap());
            }
            for (service, story) in &stories {
                for (period, width) in [(RollupPeriod::Hour, HOUR), (RollupPeriod::Day, DAY)] {
                    assert_eq!(rollups(db, service, period).await, brute_force(story, period, width));
                }
            }
        }
    }

    async fn a_pass_with_nothing_new_changes_nothing(database: TestDatabase) {
        let db = &database.db;
        let service = a_service(db, &a_user(db).await).create().await;
        let from = at("2026-03-01T10:59:00Z");
        let checks: Vec<_> = (0..20).map(|i| a_check(&service, from + Duration::seconds(30 * i))).collect();
        insert_checks(db, &checks).await;
        assert_eq!(pass(db, &SETTINGS, from).await.unwrap().unwrap().checks, 20);
        let before = check_rollup::Entity::find().all(db).await.unwrap();
        assert_eq!(before.len(), 3, "two hours and a day");
        assert_eq!(pass(db, &SETTINGS, from).await.unwrap().unwrap().checks, 0);
        assert_eq!(check_rollup::Entity::find().all(db).await.unwrap(), before);
    }

    async fn a_deleted_service_leaves_no_history(database: TestDatabase) {
        let db = &database.db;
        let user = a_user(db).await;
        let (gone, kept) = (a_service(db, &user).create().await, a_service(db, &user).create().await);
        let from = at("2026-03-01T10:00:00Z");
        insert_checks(db, &[a_check(&gone, from), a_check(&kept, from)]).await;
        pass(db, &SETTINGS, from).await.unwrap();
        gone.delete(db).await.unwrap();
        insert_checks(db, &[a_check(&kept, from + Duration::seconds(30))]).await;
        assert_eq!(pass(db, &SETTINGS, from).await.unwrap().unwrap().checks, 1);
        let numbers = |rows: Vec<check_rollup::Model>| rows.into_iter().map(|row| row.service_seq).collect::<Vec<_>>();
        assert_eq!(numbers(check_rollup::Entity::find().all(db).await.unwrap()), [kept.seq; 2]);
        assert_eq!(rollup_progress::Entity::find().count(db).await.unwrap(), 1);
    }

    async fn scheduler_minutes_are_kept_for_a_week(database: TestDatabase) {
        let (db, now) = (&database.db, at("2026-03-20T12:00:00Z"));
        for i in 0..1200 {
            minute(now - Duration::days(7) - Duration::minutes(i + 1)).into_active_model().insert(db).await.unwrap();
        }
        let kept = minute(now - Duration::days(7));
        kept.clone().into_active_model().insert(db).await.unwrap();
        // The day before, without which the clock would not be trusted.
        let yesterday = minute(now - Duration::days(1));
        yesterday.clone().into_active_model().insert(db).await.unwrap();
        let passed = pass(db, &SETTINGS, now).await.unwrap().unwrap();
        assert_eq!(passed.deleted.scheduler_minutes, 1200);
        let left = scheduler_minute::Entity::find().order_by_asc(scheduler_minute::Column::StartedAt);
        assert_eq!(left.all(db).await.unwrap(), [kept, yesterday]);
    }

    async fn a_clock_that_jumps_ahead_deletes_nothing_that_was_not_due(database: TestDatabase) {
        let db = &database.db;
        let service = a_service(db, &a_user(db).await).interval(600).create().await;
        let today = at("2026-03-01T00:00:00Z");
        let month: Vec<_> = (0..30 * 144).map(|i| a_check(&service, today - Duration::seconds(600 * (i + 1)))).collect();
        insert_checks(db, &month).await;
        let settings = HistorySettings { keep_checks: days(28), ..SETTINGS };
        for hour in 0..48 {
            minute(today - Duration::hours(hour + 1)).into_active_model().insert(db).await.unwrap();
        }
        let jumped = today + Duration::days(40);
        minute(jumped).into_active_model().insert(db).await.unwrap();
        let passed = pass(db, &settings, jumped + Duration::minutes(1)).await.unwrap().unwrap();
        // What becomes due within a day of the last true minute may go.
        let most = 3 * 144;
        assert!(passed.deleted.checks <= most, "{passed:?}");
        assert!(passed.unproven > Duration::days(38), "{passed:?}");
        let minutes = scheduler_minute::Entity::find().count(db).await.unwrap();
        assert_eq!(minutes, 49);

        // The clock is right again: as if nothing had been.
        let passed = pass(db, &settings, today).await.unwrap().unwrap();
        assert_eq!(passed.unproven, Duration::zero());
        assert!(check::Entity::find().count(db).await.unwrap() >= 27 * 144);

        // It was right after all: a day later everything that is due goes.
        let later = jumped + Duration::days(1) + Duration::minutes(2);
        let passed = pass(db, &settings, later).await.unwrap().unwrap();
        assert_eq!(passed.unproven, Duration::zero());
        assert_eq!(check::Entity::find().count(db).await.unwrap(), 0);
    }

    async fn old_checks_go_then_their_hours_and_days_stay(database: TestDatabase) {
        let db = &database.db;
        let service = a_service(db, &a_user(db).await).interval(600).create().await;
        let from = at("2026-01-10T00:00:00Z");
        let week: Vec<_> = (0..7 * 144).map(|i| a_check(&service, from + Duration::seconds(600 * i))).collect();
        insert_checks(db, &week).await;
        let settings = HistorySettings { keep_checks: days(3), keep_hours: days(30), ..SETTINGS };

        // They were never folded before they were too old: folding comes first.
        let now = at("2026-01-17T00:00:00Z");
        let passed = pass(db, &settings, now).await.unwrap().unwrap();
        assert_eq!((passed.checks, passed.deleted.checks, passed.deleted.hours), (7 * 144, 4 * 144, 0));
        let oldest = check::Entity::find().order_by_asc(check::Column::Slot).one(db).await.unwrap().unwrap();
        assert_eq!(oldest.slot, at("2026-01-14T00:00:00Z").timestamp_millis());
        let hours = rollups(db, &service, RollupPeriod::Hour).await;
        assert_eq!((hours.len(), hours[0].checks), (7 * 24, 6));

        let passed = pass(db, &settings, at("2026-02-11T15:00:00Z")).await.unwrap().unwrap();
        assert_eq!((passed.deleted.checks, passed.deleted.hours), (3 * 144, 2 * 24));
        assert_eq!(rollups(db, &service, RollupPeriod::Hour).await, hours[2 * 24..]);
        let days = rollups(db, &service, RollupPeriod::Day).await;
        assert_eq!(days.iter().map(|day| day.up_ms).collect::<Vec<_>>(), [&[86_400_000; 6][..], &[85_800_000]].concat());
    }
}

#[tokio::test]
async fn partitions_are_created_ahead_and_dropped_when_old() {
    let database = testkit::database::postgres().await;
    let db = &database.db;
    let service = a_service(db, &a_user(db).await).create().await;
    let noon = at("2026-03-01T12:00:00Z");
    let checks: Vec<_> = (-1..6)
        .map(|day| a_check(&service, noon + Duration::days(day)))
        .collect();
    insert_checks(db, &checks).await;
    assert_eq!(partitions(db).await, [("checks_default".to_owned(), 7)]);

    pass(db, &SETTINGS, noon).await.unwrap();
    let days = [
        "checks_20260301",
        "checks_20260302",
        "checks_20260303",
        "checks_20260304",
    ];
    let mut expected: Vec<_> = days.map(|day| (day.to_owned(), 1)).to_vec();
    expected.push(("checks_default".to_owned(), 3));
    assert_eq!(
        partitions(db).await,
        expected,
        "rows of its day have moved into each partition"
    );
    let all = check::Entity::find()
        .order_by_asc(check::Column::Slot)
        .all(db)
        .await
        .unwrap();
    assert_eq!(all, checks, "and all can still be read");

    insert_checks(db, &[a_check(&service, noon + Duration::seconds(30))]).await;
    assert_eq!(partitions(db).await[0], ("checks_20260301".to_owned(), 2));
    service.delete(db).await.unwrap();
    assert_eq!(
        check::Entity::find().count(db).await.unwrap(),
        0,
        "the cascade reaches every partition"
    );

    let passed = pass(db, &SETTINGS, noon + Duration::days(32))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(passed.deleted.partitions, 2);
    let names: Vec<_> = partitions(db)
        .await
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names[..2], ["checks_20260303", "checks_20260304"]);
    assert_eq!(
        names[2..],
        [
            "checks_20260402",
            "checks_20260403",
            "checks_20260404",
            "checks_20260405",
            "checks_default"
        ]
    );
}

#[tokio::test]
async fn creating_a_partition_does_not_block_writers() {
    let database = testkit::database::postgres().await;
    let db = &database.db;
    let service = a_service(db, &a_user(db).await).create().await;
    let noon = at("2026-03-01T12:00:00Z");
    let recording = db.begin().await.unwrap();
    insert_checks(&recording, &[a_check(&service, noon)]).await;
    let making = tokio::spawn({
        let db = db.clone();
        async move { pass(&db, &SETTINGS, noon).await }
    });
    // While it waits for its lock, recording goes on: far more often than it gives up.
    for i in 1..20 {
        insert_checks(db, &[a_check(&service, noon + Duration::seconds(i))]).await;
    }
    assert!(!making.is_finished());
    recording.commit().await.unwrap();
    assert_eq!(making.await.unwrap().unwrap().unwrap().checks, 20);
    assert_eq!(partitions(db).await[0], ("checks_20260301".to_owned(), 20));
}

#[tokio::test]
async fn a_long_read_delays_partitions_but_not_rollups() {
    let database = testkit::database::postgres().await;
    let db = &database.db;
    let service = a_service(db, &a_user(db).await).create().await;
    let noon = at("2026-03-01T12:00:00Z");
    insert_checks(db, &[a_check(&service, noon)]).await;
    let reading = db.begin().await.unwrap();
    assert_eq!(check::Entity::find().count(&reading).await.unwrap(), 1);
    pass(db, &SETTINGS, noon).await.unwrap_err();
    assert_eq!(partitions(db).await, [("checks_default".to_owned(), 1)]);
    assert_eq!(check_rollup::Entity::find().count(db).await.unwrap(), 2);
    reading.rollback().await.unwrap();
    pass(db, &SETTINGS, noon).await.unwrap().unwrap();
    assert_eq!(partitions(db).await[0], ("checks_20260301".to_owned(), 1));
}

#[tokio::test]
async fn one_worker_at_a_time_maintains_the_history() {
    let database = testkit::database::postgres().await;
    let (db, other) = (&database.db, database.connect_again().await);
    let user = a_user(db).await;
    let from = at("2026-03-01T10:00:00Z");
    let mut checks = Vec::new();
    for _ in 0..10 {
        let service = a_service(db, &user).create().await;
        checks.extend((0..50).map(|i| a_check(&service, from + Duration::seconds(30 * i))));
    }
    insert_checks(db, &checks).await;
    let (one, two) = tokio::join!(pass(db, &SETTINGS, from), pass(&other, &SETTINGS, from));
    let passes: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
    assert_eq!(passes.iter().map(|pass| pass.checks).sum::<u64>(), 500);
    let rows = check_rollup::Entity::find()
        .filter(check_rollup::Column::Period.eq(RollupPeriod::Hour))
        .all(db)
        .await;
    assert_eq!(rows.unwrap().iter().map(|row| row.checks).sum::<i32>(), 500);
}

#[tokio::test]
async fn the_index_of_a_past_day_is_rebuilt_without_gaps() {
    let database = testkit::database::postgres().await;
    let db = &database.db;
    let (user, morning) = (a_user(db).await, at("2026-03-01T00:00:00Z"));
    pass(db, &SETTINGS, morning).await.unwrap();
    let mut services = Vec::new();
    for _ in 0..60 {
        services.push(a_service(db, &user).create().await);
    }
    for round in 0..200 {
        let slot = |number: usize| {
            morning + Duration::seconds(400 * round) + Duration::milliseconds(number as i64)
        };
        let checks: Vec<_> = services
            .iter()
            .enumerate()
            .map(|(n, service)| a_check(service, slot(n)))
            .collect();
        insert_checks(db, &checks).await;
    }
    let settings = HistorySettings {
        portion: BatchLimits::default(),
        ..SETTINGS
    };
    // Left behind by an interrupted rebuild.
    let left = "CREATE INDEX checks_20260301_pkey_ccnew ON checks_20260301 (slot);
        UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'checks_20260301_pkey_ccnew'::regclass";
    db.execute_unprepared(left).await.unwrap();
    let size = async || {
        let sql = "SELECT pg_indexes_size('checks_20260301')";
        let row = db
            .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
            .await
            .unwrap()
            .unwrap();
        row.try_get_by_index::<i64>(0).unwrap()
    };

    assert!(
        !pass(db, &settings, morning + Duration::hours(47))
            .await
            .unwrap()
            .unwrap()
            .compacted
    );
    let (loose, before) = (size().await, check::Entity::find().count(db).await.unwrap());
    assert!(
        pass(db, &settings, morning + Duration::hours(48))
            .await
            .unwrap()
            .unwrap()
            .compacted
    );
    let tight = size().await;
    assert!(
        tight < loose * 3 / 4,
        "{tight} after {loose} bytes for {before} checks"
    );
    assert_eq!(check::Entity::find().count(db).await.unwrap(), before);
    assert!(
        !pass(db, &settings, morning + Duration::hours(49))
            .await
            .unwrap()
            .unwrap()
            .compacted
    );
    assert_eq!(size().await, tight);
}

#[tokio::test]
async fn recording_goes_on_between_deleted_batches_of_sqlite() {
    let database = testkit::database::sqlite().await;
    let (db, other) = (&database.db, database.connect_again().await);
    let user = a_user(db).await;
    let from = at("2026-01-01T00:00:00Z");
    for _ in 0..20 {
        let service = a_service(db, &user).create().await;
        let old: Vec<_> = (0..500)
            .map(|i| a_check(&service, from + Duration::seconds(30 * i)))
            .collect();
        insert_checks(db, &old).await;
    }
    let settings = HistorySettings {
        portion: BatchLimits::default(),
        ..SETTINGS
    };
    pass(db, &settings, from).await.unwrap().unwrap();

    let recorded = a_service(db, &user).create().await;
    let now = at("2026-03-01T00:00:00Z");
    let mut records = 0;
    let recording = async {
        loop {
            insert_checks(
                &other,
                &[a_check(&recorded, now + Duration::seconds(30 * records))],
            )
            .await;
            records += 1;
        }
    };
    let deleting = pass(db, &settings, now);
    let passed = tokio::select! { passed = deleting => passed.unwrap().unwrap(), () = recording => unreachable!() };
    assert_eq!(passed.deleted.checks, 10_000);
    assert!(records >= 5, "{records} while ten portions were deleted");
}

/// A few days of a service that is sometimes late, stopped, paused, asked off its slots, or given another interval.
fn story(service: &service::Model) -> impl Strategy<Value = Vec<check::Model>> + use<> {
    let service = service.clone();
    let gap = prop_oneof![6 => Just(30_000i64), 2 => 1i64..90_000, 1 => 1i64..9_000_000, 1 => 1i64..100_000_000];
    let interval = prop::sample::select(vec![10, 30, 30, 30, 600, 86_400]);
    let step = (gap, 0usize..5, interval, prop::option::of(0i32..5000));
    prop::collection::vec(step, 1..60).prop_map(move |steps| {
        let mut slot = at("2026-03-01T10:50:00Z");
        let check =
            |(gap, status, interval_seconds, response_time_ms): (i64, usize, i32, Option<i32>)| {
                slot += Duration::milliseconds(gap);
                let status = Status::ALL[status].into();
                check::Model {
                    status,
                    interval_seconds,
                    response_time_ms,
                    ..a_check(&service, slot)
                }
            };
        steps.into_iter().map(check).collect()
    })
}

async fn rollups(
    db: &DatabaseConnection,
    service: &service::Model,
    period: RollupPeriod,
) -> Vec<check_rollup::Model> {
    let rows = check_rollup::Entity::find()
        .filter(check_rollup::Column::ServiceSeq.eq(service.seq))
        .filter(check_rollup::Column::Period.eq(period))
        .order_by_asc(check_rollup::Column::Start);
    rows.all(db).await.unwrap()
}

/// From all checks at once, each stretch of time by itself, up to the last check.
fn brute_force(
    checks: &[check::Model],
    period: RollupPeriod,
    width: Duration,
) -> Vec<check_rollup::Model> {
    let samples: Vec<Sample> = checks.iter().map(check::Model::sample).collect();
    let last = samples.last().unwrap().slot;
    let mut rows = Vec::new();
    let mut start = floor(samples[0].slot, width);
    while start <= last {
        let end = start + width;
        let of_it: Vec<_> = checks
            .iter()
            .filter(|check| (start..end).contains(&entity::check::instant(check.slot)))
            .collect();
        let tally = tally(samples.iter().copied(), start, end, last);
        let mut latency = LatencyHistogram::default();
        of_it
            .iter()
            .filter_map(|check| check.response_time_ms)
            .for_each(|ms| latency.record(ms.try_into().unwrap()));
        if !of_it.is_empty() || tally.covered_ms() > 0 {
            rows.push(check_rollup::Model {
                service_seq: checks[0].service_seq,
                period,
                start: start.timestamp_millis(),
                up_ms: tally.up_ms,
                degraded_ms: tally.degraded_ms,
                down_ms: tally.down_ms,
                maintenance_ms: tally.maintenance_ms,
                checks: of_it.len().try_into().unwrap(),
                failed: of_it
                    .iter()
                    .filter(|check| domain::Status::from(check.status).is_failure())
                    .count()
                    .try_into()
                    .unwrap(),
                max_response_time_ms: of_it
                    .iter()
                    .filter_map(|check| check.response_time_ms)
                    .max(),
                latency: latency.encode(),
            });
        }
        start = end;
    }
    rows
}

/// The partitions of checks, each with the number of its rows.
async fn partitions(db: &DatabaseConnection) -> Vec<(String, i64)> {
    let sql = "SELECT i.inhrelid::regclass::text, (SELECT count(*) FROM checks c WHERE c.tableoid = i.inhrelid)
        FROM pg_inherits i WHERE i.inhparent = 'checks'::regclass ORDER BY 1";
    let rows = db
        .query_all_raw(sea_orm::Statement::from_string(
            sea_orm::DbBackend::Postgres,
            sql,
        ))
        .await
        .unwrap();
    rows.iter()
        .map(|row| {
            (
                row.try_get_by_index(0).unwrap(),
                row.try_get_by_index(1).unwrap(),
            )
        })
        .collect()
}
