//! Several workers on one database and one Redis: how evenly they share the checks, whether one is made twice, and what
//! the sudden end of one, or of Redis, costs.

use crate::checks::{ONE_HOST, missed};
use crate::figures::Sorted;
use crate::program::Program;
use crate::row::Row;
use crate::storage::{Layout, Storage};
use crate::target;
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

const SERVICES: usize = 10_000;
const INTERVAL: i64 = 10;
/// How long shares are counted.
const COUNTED: Duration = Duration::from_secs(30);
/// How long a claim of a worker that is gone lasts.
const LEASE: Duration = Duration::from_secs(20);

/// Counts what each worker records, known by a setting of its connections.
const COUNT_BY_WORKER: &str = "
    CREATE TABLE bench_recorded (worker bigint, checks bigint, at timestamptz DEFAULT clock_timestamp());
    CREATE FUNCTION bench_count() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO bench_recorded SELECT current_setting('bench.worker')::bigint, count(*) FROM added;
        RETURN NULL;
    END $$;
    CREATE TRIGGER bench_count AFTER INSERT ON checks REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION bench_count();";

pub(crate) async fn measure() -> Vec<Row> {
    let mut rows = Vec::new();
    for count in [1, 2, 4] {
        rows.push(shares(count).await.say());
    }
    rows.push(sudden_end().await.say());
    rows.push(without_redis().await.say());
    rows
}

/// Workers that run on one storage.
struct Fleet {
    storage: Storage,
    workers: Vec<Program>,
    _target: tokio::process::Child,
}

impl Fleet {
    async fn start(count: usize) -> Self {
        Self::start_with(count, "").await
    }

    /// With a statement before the workers start.
    async fn start_with(count: usize, statement: &str) -> Self {
        let (target, url) = target::start().await;
        let storage = Storage::new(Layout::Postgres).await;
        storage.execute(COUNT_BY_WORKER).await;
        storage.add_services(SERVICES, INTERVAL as i32, &url).await;
        storage.execute(statement).await;
        let between = if storage.url.contains('?') { '&' } else { '?' };
        let start = |number: usize| {
            let database = format!("{}{between}options[bench.worker]={number}", storage.url);
            Program::start(
                &storage,
                Some("worker"),
                &[ONE_HOST, ("DATABASE_URL", &database)],
            )
        };
        let workers = (0..count).map(start).collect();
        // What was due at the start is made up for.
        sleep(Duration::from_secs(2 * INTERVAL as u64)).await;
        Self {
            storage,
            workers,
            _target: target,
        }
    }

    /// How many checks of these slots are one too many for their service: there is one in each interval.
    async fn doubled(&self, from: i64, to: i64) -> i64 {
        let width = INTERVAL * 1000;
        let sql = format!(
            "SELECT (count(*) - count(DISTINCT (service_seq, (slot - {from}) / {width})))::bigint AS n
             FROM checks WHERE slot >= {from} AND slot < {}",
            from + (to - from) / width * width
        );
        self.storage.numbers(&sql).await[0]
    }
}

fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

async fn shares(count: usize) -> Row {
    let mut fleet = Fleet::start(count).await;
    let (from, cpu) = (
        now(),
        fleet.workers.iter().map(Program::cpu_seconds).sum::<f64>(),
    );
    sleep(COUNTED).await;
    let to = now();
    let cpu = fleet.workers.iter().map(Program::cpu_seconds).sum::<f64>() - cpu;
    // What was due last is recorded.
    sleep(Duration::from_secs(2)).await;
    fleet.workers.iter_mut().for_each(Program::still_runs);
    let sql = format!(
        "SELECT sum(checks)::bigint AS n FROM bench_recorded
         WHERE at >= to_timestamp({from} / 1000.0) AND at < to_timestamp({to} / 1000.0) GROUP BY worker ORDER BY worker"
    );
    let shares = fleet.storage.numbers(&sql).await;
    assert_eq!(shares.len(), count, "a worker recorded nothing: {shares:?}");
    let even = shares.iter().sum::<i64>() as f64 / count as f64;
    let off = shares
        .iter()
        .map(|share| (*share as f64 / even - 1.0).abs())
        .fold(0.0, f64::max);
    let (doubled, missed) = (
        fleet.doubled(from, to).await,
        missed(&fleet.storage, SERVICES, INTERVAL, from, to).await,
    );
    Row {
        measure: format!("{count} workers share 1,000 checks a second"),
        layout: Layout::Postgres.name(),
        result: format!(
            "farthest from even {:.1} %, {doubled} doubled, {missed} missed",
            off * 100.0
        ),
        aim: "within 10 %, none doubled",
        figures: json!({
            "workers": count, "recorded_by_each": shares, "farthest_from_even": off, "doubled": doubled,
            "missed": missed, "cpu_seconds": cpu, "seconds": COUNTED.as_secs(),
        }),
    }
}

/// One of four workers is killed: what it had claimed waits for the end of its lease, everything else goes on.
async fn sudden_end() -> Row {
    let mut fleet = Fleet::start(4).await;
    let from = now();
    fleet.workers.pop().unwrap().kill().await;
    sleep(LEASE + Duration::from_secs(3 * INTERVAL as u64)).await;
    let to = now() - 2_000;
    fleet.workers.iter_mut().for_each(Program::still_runs);
    let gaps = format!(
        "SELECT (slot - lag(slot) OVER (PARTITION BY service_seq ORDER BY slot))::bigint AS n FROM checks
         WHERE slot >= {} AND slot < {to}",
        from - INTERVAL * 1000
    );
    let gaps = format!("SELECT n FROM ({gaps}) AS gaps WHERE n IS NOT NULL");
    let longest = Sorted::of(fleet.storage.numbers(&gaps).await).at(1.0);
    let (doubled, missed) = (
        fleet.doubled(from, to).await,
        missed(&fleet.storage, SERVICES, INTERVAL, from, to).await,
    );
    let checked = format!(
        "SELECT count(DISTINCT service_seq) AS n FROM checks WHERE slot >= {}",
        to - 2 * INTERVAL * 1000
    );
    let lost = SERVICES as i64 - fleet.storage.numbers(&checked).await[0];
    Row {
        measure: "kill -9 of one of 4 workers".into(),
        layout: Layout::Postgres.name(),
        result: format!(
            "{lost} services lost, {missed} slots missed, longest gap {longest} ms, {doubled} doubled"
        ),
        aim: "resumed within the lease",
        figures: json!({ "lost": lost, "missed": missed, "longest_gap_ms": longest, "doubled": doubled }),
    }
}

/// Redis is killed with what it holds, and comes back empty after a while. One service in a hundred is down all the time.
async fn without_redis() -> Row {
    const AWAY: Duration = Duration::from_secs(30);
    const WATCHED: i64 = 10;
    let mut fleet = Fleet::start_with(
        2,
        "UPDATE services SET settings = jsonb_set(settings, '{expectedStatus}', '\"500\"') WHERE seq % 100 = 0",
    )
    .await;
    let incidents = "SELECT count(*) AS n FROM incidents UNION ALL SELECT count(*) FROM incidents WHERE resolved_at IS NULL";
    let (before, killed) = (fleet.storage.numbers(incidents).await, now());
    let redis = fleet.storage.redis.as_mut().unwrap();
    redis.kill().await;
    sleep(AWAY).await;
    redis.start_again().await;
    let back = now();
    sleep(Duration::from_secs((WATCHED + INTERVAL + 2) as u64)).await;
    fleet.workers.iter_mut().for_each(Program::still_runs);
    let after = fleet.storage.numbers(incidents).await;
    let checked = async |from: i64, to: i64| {
        let sql = format!(
            "SELECT count(DISTINCT service_seq) AS n FROM checks WHERE slot >= {from} AND slot < {to}"
        );
        fleet.storage.numbers(&sql).await[0]
    };
    // At the full rate every service is checked once an interval.
    let mut full = None;
    for second in (0..=WATCHED).rev() {
        let from = back + second * 1000;
        if checked(from, from + INTERVAL * 1000).await < SERVICES as i64 {
            break;
        }
        full = Some(second);
    }
    let meanwhile = checked(killed + INTERVAL * 1000, back).await;
    let at = full.map_or_else(
        || format!("not within {WATCHED} s"),
        |second| format!("{second} s after its return"),
    );
    Row {
        measure: "Redis killed, back empty after 30 s, 2 workers".into(),
        layout: Layout::Postgres.name(),
        result: format!(
            "full rate {at}; {meanwhile} services checked without it; incidents {} open of {} before, {} of {} after",
            before[1], before[0], after[1], after[0],
        ),
        aim: "no incident opened or lost, full rate within 5 s",
        figures: json!({
            "full_rate_after_seconds": full, "checked_without": meanwhile,
            "incidents_before": before, "incidents_after": after,
        }),
    }
}
