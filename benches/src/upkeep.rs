//! Measures recording during maintenance: many old checks are rolled up and deleted (PostgreSQL:
//! their partitions dropped) while new checks arrive.

use crate::checks::{ONE_HOST, missed, worker_of};
use crate::figures::Sorted;
use crate::program::Program;
use crate::row::Row;
use crate::storage::{Layout, Storage};
use crate::target;
use chrono::{DateTime, Duration, Utc};
use domain::rollup::{DAY, floor};
use serde_json::json;
use std::time::Duration as Wait;
use tokio::time::sleep;

/// 400 checks a second.
const SERVICES: usize = 4_000;
const INTERVAL: i64 = 10;

/// Whole days that are over their time, each with this many checks of a service: so many that even
/// a quick machine is not done with them before anything is measured.
const OLD_DAYS: i64 = 4;
const OLD_CHECKS: i64 = 480;

/// How long is measured.
const MEASURED: Wait = Wait::from_mins(1);

pub(crate) async fn measure() -> Vec<Row> {
    let mut rows = Vec::new();
    for layout in Layout::BOTH {
        rows.push(during(layout).await.say());
    }
    rows
}

async fn during(layout: Layout) -> Row {
    let (_target, url) = target::start().await;
    let storage = Storage::new(layout).await;
    storage.add_services(SERVICES, INTERVAL as i32, &url).await;
    let today = floor(Utc::now(), DAY);
    for day in 0..OLD_DAYS {
        fill(&storage, today - DAY * i32::try_from(3 + day).unwrap()).await;
    }
    let old = storage.checks().await;
    let mut program = Program::start(
        &storage,
        worker_of(layout),
        &[ONE_HOST, ("PULSECHECK_KEEP_CHECKS_DAYS", "2")],
    );
    // The first round makes up for everything that was due at once. What is old takes longer than that.
    sleep(Wait::from_secs(INTERVAL.unsigned_abs())).await;
    let (begun, from) = (left(&storage, today).await, Utc::now().timestamp_millis());
    sleep(MEASURED).await;
    let (ended, to) = (
        left(&storage, today).await,
        Utc::now().timestamp_millis() - 1_000,
    );
    program.still_runs();
    let missed = missed(&storage, SERVICES, INTERVAL, from, to).await;
    let delays = Sorted::of(storage.delays(from, to).await);
    let ([p50, p99, max], checks) = (delays.p50_p99_max(), delays.count());
    Row {
        measure: format!(
            "{} checks a second while {old} old ones are summed up and deleted",
            SERVICES as i64 / INTERVAL
        ),
        layout: layout.name(),
        result: format!(
            "late p50 {p50} ms, p99 {p99} ms, max {max} ms, {missed} missed of {}; summed up {}, deleted {} meanwhile",
            checks + missed,
            ended.summed - begun.summed,
            begun.old - ended.old,
        ),
        aim: "p99 < 250 ms",
        figures: json!({
            "late_p50_ms": p50, "late_p99_ms": p99, "late_max_ms": max, "missed": missed, "checks": checks,
            "summed_before": begun.summed, "summed_after": ended.summed, "old_before": begun.old, "old_after": ended.old,
        }),
    }
}

/// A day of checks that nobody has summed up.
async fn fill(storage: &Storage, day: DateTime<Utc>) {
    let (from, to) = (day.timestamp_millis(), (day + DAY).timestamp_millis());
    storage.add_partition(day).await;
    let step = (to - from) / OLD_CHECKS;
    let insert = format!(
        "INSERT INTO checks (service_seq, slot, lateness_ms, interval_seconds, response_time_ms, status, status_code)
         SELECT s.seq, {from} + g.value * {step} + s.seq, 1, {}, 20 + s.seq % 400, 0, 200
         FROM {} CROSS JOIN services s",
        Duration::milliseconds(step).num_seconds(),
        storage.series(0, OLD_CHECKS - 1),
    );
    storage.execute(&insert).await;
}

/// What has been done and what is left to do.
struct Left {
    summed: i64,
    old: i64,
}

async fn left(storage: &Storage, today: DateTime<Utc>) -> Left {
    let summed =
        "SELECT CAST(coalesce(sum(checks), 0) AS bigint) AS n FROM check_rollups WHERE period = 1";
    let old = format!(
        "SELECT count(*) AS n FROM checks WHERE slot < {}",
        (today - DAY).timestamp_millis()
    );
    Left {
        summed: storage.numbers(summed).await[0],
        old: storage.numbers(&old).await[0],
    }
}
