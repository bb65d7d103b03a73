//! Measures cost and punctuality of checks: a worker against a local HTTP server.

use crate::figures::Sorted;
use crate::program::Program;
use crate::row::Row;
use crate::storage::{Layout, Storage};
use crate::target;
use serde_json::json;
use std::time::Duration;
use testkit::processor::worked_by_name;
use tokio::time::{Instant, sleep, sleep_until};

/// All targets are on one host, so the per-host limit is raised.
pub(crate) const ONE_HOST: (&str, &str) = ("PULSECHECK_CONCURRENCY_PER_HOST", "256");

/// Default duration of the punctuality measurement; BENCH_MINUTES overrides it.
const MINUTES: f64 = 1.0;

pub(crate) async fn measure() -> Vec<Row> {
    let mut rows = Vec::new();
    for layout in Layout::BOTH {
        rows.push(cost(layout).await.say());
    }
    for layout in Layout::BOTH {
        rows.push(punctuality(layout).await.say());
    }
    rows
}

/// Returns the role of the process that performs the checks.
pub(crate) fn worker_of(layout: Layout) -> Option<&'static str> {
    (layout == Layout::Postgres).then_some("worker")
}

/// Measures the cost of a check with more services than one process can handle, so that it never idles.
async fn cost(layout: Layout) -> Row {
    const SERVICES: usize = 20_000;
    let (_target, url) = target::start().await;
    let storage = Storage::new(layout).await;
    storage.add_services(SERVICES, 1, &url).await;
    let mut program = Program::start(&storage, worker_of(layout), &[ONE_HOST]);
    sleep(Duration::from_secs(3)).await;
    let (before, cpu, servers, begin) = (
        storage.checks().await,
        program.cpu_seconds(),
        servers_cpu_seconds(),
        Instant::now(),
    );
    sleep_until(begin + Duration::from_secs(15)).await;
    let (cpu, wall) = (program.cpu_seconds() - cpu, begin.elapsed().as_secs_f64());
    let servers_after = servers_cpu_seconds();
    let checks = storage.checks().await - before;
    program.still_runs();
    let (per_cpu, per_wall) = (checks as f64 / cpu, checks as f64 / wall);
    let [postgres_us, redis_us] =
        [0, 1].map(|i| 1e6 * (servers_after[i] - servers[i]) / checks as f64);
    let servers = match layout {
        Layout::Sqlite => String::new(),
        Layout::Postgres => format!(
            "; PostgreSQL {postgres_us:.0} and Redis {redis_us:.0} microseconds of CPU per check"
        ),
    };
    Row {
        measure: "checks per CPU-second: HTTP on loopback, a connection each, recorded".into(),
        layout: layout.name(),
        result: format!(
            "{per_cpu:.0} ({per_wall:.0} a second on {:.2} cores{servers})",
            cpu / wall
        ),
        aim: "9,000",
        figures: json!({
            "checks_per_cpu_second": per_cpu, "checks": checks, "cpu_seconds": cpu, "wall_seconds": wall,
            "postgres_cpu_microseconds_per_check": postgres_us, "redis_cpu_microseconds_per_check": redis_us,
        }),
    }
}

/// Returns the CPU time of PostgreSQL and of Redis.
fn servers_cpu_seconds() -> [f64; 2] {
    ["postgres", "redis-server"].map(|name| worked_by_name(name).as_secs_f64())
}

/// Measures lateness, missed slots and memory with many services.
async fn punctuality(layout: Layout) -> Row {
    const SERVICES: usize = 20_000;
    const INTERVAL: i64 = 20;
    let minutes =
        std::env::var("BENCH_MINUTES").map_or(MINUTES, |minutes| minutes.parse().unwrap());
    let (_target, url) = target::start().await;
    let storage = Storage::new(layout).await;
    storage.add_services(SERVICES, INTERVAL as i32, &url).await;
    let mut program = Program::start(&storage, worker_of(layout), &[ONE_HOST]);
    // The first round makes up for everything that was due at once.
    sleep(Duration::from_secs(2 * INTERVAL as u64)).await;
    let (cpu, begin) = (program.cpu_seconds(), Instant::now());
    let from = chrono::Utc::now().timestamp_millis();
    let to = from + (minutes * 60_000.0) as i64;
    sleep_until(begin + Duration::from_millis((to - from) as u64)).await;
    let cpu = program.cpu_seconds() - cpu;
    // What was due last is given the time in which it would count as punctual.
    sleep(Duration::from_secs(2)).await;
    program.still_runs();
    let memory = program.peak_megabytes();
    let missed = missed(&storage, SERVICES, INTERVAL, from, to).await;
    let delays = Sorted::of(storage.delays(from, to).await);
    let ([p50, p99, max], checks) = (delays.p50_p99_max(), delays.count());
    Row {
        measure: format!("20,000 services every 20 s for {minutes} min"),
        layout: layout.name(),
        result: format!(
            "{missed} missed of {}, late p50 {p50} ms, p99 {p99} ms, max {max} ms, {memory:.0} MB",
            checks + missed
        ),
        aim: "none missed, p99 < 100 ms, < 250 MB",
        figures: json!({
            "missed": missed, "checks": checks, "late_p50_ms": p50, "late_p99_ms": p99, "late_max_ms": max,
            "peak_megabytes": memory, "cpu_seconds": cpu, "minutes": minutes,
        }),
    }
}

/// Returns the number of slots between two times (epoch milliseconds) without a check.
pub(crate) async fn missed(
    storage: &Storage,
    services: usize,
    interval: i64,
    from: i64,
    to: i64,
) -> usize {
    let width = interval * 1000;
    let rounds = (to - from) / width;
    // Slots are an interval apart, so every window of one interval has one of each service.
    let windows = format!(
        "SELECT count(DISTINCT service_seq) AS n FROM checks WHERE slot >= {from} AND slot < {}
         GROUP BY (slot - {from}) / {width}",
        from + rounds * width
    );
    let found: i64 = storage.numbers(&windows).await.iter().sum();
    services * rounds as usize - found as usize
}
