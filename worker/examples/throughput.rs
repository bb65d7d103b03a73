//! What a check costs the worker, and how late checks are: against a plain HTTP target in another process, recorded in a
//! SQLite file, the live state in memory.
//!
//! `cargo run --release -p worker --example throughput` drives 20,000 services at an interval of a second, which is more
//! than can be done, and then 1,000 services at 10 seconds. The arguments `services interval seconds` measure one case.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement, not a service"
)]

use coordination::Coordination;
use monitors::Prober;
use net::{ClientSettings, Fetcher, FetcherSettings, Guard};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use testkit::processor::worked;
use tokio_util::sync::CancellationToken;
use worker::{LATENESS_BOUNDS_MS, Settings, Stats, Worker};

/// How long nothing is counted at the start: definitions are loaded, and what is overdue is made up for.
const WARM_UP: Duration = Duration::from_secs(7);

fn main() {
    let numbers: Vec<u32> = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok())
        .collect();
    if std::env::args().any(|argument| argument == "serve") {
        return serve();
    }
    let (mut child, address) = target();
    let cases = match numbers[..] {
        [services, interval, seconds] => vec![(services, interval, seconds)],
        _ => vec![(20_000, 1, 10), (1000, 10, 20)],
    };
    for (services, interval, seconds) in cases {
        tokio::runtime::Runtime::new()
            .unwrap()
            .block_on(measure(&address, services, interval, seconds));
    }
    drop(child.stdin.take());
    child.wait().unwrap();
}

async fn measure(address: &str, services: u32, interval: u32, seconds: u32) {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/checks.sqlite", directory.path().display());
    let db = migration::connect(&url, &migration::Pool::default())
        .await
        .unwrap();
    migration::run(&db).await.unwrap();
    let one = migration::Pool {
        max_connections: 1,
        ..migration::Pool::default()
    };
    let writer = migration::connect(&url, &one).await.unwrap();
    fill(&db, address, services, interval).await;
    let stats = Arc::new(Stats::default());
    let settings = Settings {
        concurrency_per_host: 256,
        stats: Arc::clone(&stats),
        ..Settings::default()
    };
    let prober = Prober::new(ClientSettings {
        guard: Guard::AllowPrivate,
        ..ClientSettings::default()
    })
    .unwrap();
    let shutdown = CancellationToken::new();
    let fetcher = Fetcher::new(FetcherSettings::default()).unwrap();
    let worker = Worker {
        db: db.clone(),
        writer,
        live: Coordination::memory(),
        prober,
        fetcher,
        sealer: Arc::new(secrets::Sealer::new(
            "a key that seals nothing in this example",
            None,
        )),
        settings,
    };
    let running = tokio::spawn(worker::run(worker, shutdown.clone()));

    tokio::time::sleep(WARM_UP).await;
    let before = (
        stats.recorded.load(Relaxed),
        stats.batches.load(Relaxed),
        lateness(&stats),
    );
    let (cpu, begun) = (worked("self"), Instant::now());
    tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    let (cpu, wall) = (
        (worked("self") - cpu).as_secs_f64(),
        begun.elapsed().as_secs_f64(),
    );
    #[allow(clippy::cast_precision_loss)]
    let checks = (stats.recorded.load(Relaxed) - before.0) as f64;
    let batches = stats.batches.load(Relaxed) - before.1;
    println!(
        "{services} services, interval {interval} s: {:.0} checks recorded per CPU-second, {:.0} per second, {batches} batches, {:.2} cores, {:.0} MB",
        checks / cpu,
        checks / wall,
        cpu / wall,
        resident_mb(),
    );
    print_lateness(&before.2, &lateness(&stats));
    shutdown.cancel();
    running.await.unwrap().unwrap();
}

async fn fill(db: &DatabaseConnection, address: &str, services: u32, interval: u32) {
    let now = chrono::Utc::now().to_rfc3339();
    let id = || uuid::Uuid::now_v7().simple().to_string();
    let workspace = id();
    let insert = "INSERT INTO workspaces (id, name, personal, created_at)";
    db.execute_unprepared(&format!(
        "{insert} VALUES (x'{workspace}', 'Throughput', false, '{now}')"
    ))
    .await
    .unwrap();
    for some in (0..services).collect::<Vec<_>>().chunks(500) {
        let rows: Vec<_> = some
            .iter()
            .map(|i| {
                format!(
                    "(x'{}', x'{workspace}', 'S{i}', 'http', '{{\"url\":\"http://{address}/\"}}', {interval}, 900, '{now}', '{now}')",
                    id()
                )
            })
            .collect();
        let columns = "id, workspace_id, name, kind, settings, check_interval_seconds, timeout_ms, created_at, updated_at";
        db.execute_unprepared(&format!(
            "INSERT INTO services ({columns}) VALUES {}",
            rows.join(", ")
        ))
        .await
        .unwrap();
    }
    let states = "INSERT INTO service_state (service_id, status, status_since) SELECT id, 4, created_at FROM services";
    db.execute_unprepared(states).await.unwrap();
}

fn lateness(stats: &Stats) -> Vec<u64> {
    stats
        .lateness
        .iter()
        .map(|count| count.load(Relaxed))
        .collect()
}

fn print_lateness(before: &[u64], after: &[u64]) {
    let counts: Vec<u64> = before
        .iter()
        .zip(after)
        .map(|(before, after)| after - before)
        .collect();
    let total: u64 = counts.iter().sum();
    let mut seen = 0;
    for (count, bound) in counts
        .iter()
        .zip(LATENESS_BOUNDS_MS.into_iter().map(Some).chain([None]))
    {
        seen += count;
        if *count > 0 {
            let bound = bound.map_or("later".to_owned(), |bound| format!("{bound} ms"));
            #[allow(clippy::cast_precision_loss)]
            let share = seen as f64 * 100.0 / total as f64;
            println!("  late by at most {bound:>8}: {share:6.2} %");
        }
    }
}

/// User and system time of this process, all threads.
fn resident_mb() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<f64>()
        .unwrap()
        * 4096.0
        / 1e6
}

/// Starts this program again as the target.
fn target() -> (Child, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let mut child = command
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut address)
        .unwrap();
    (child, address.trim().to_owned())
}

/// Answers each connection's first read with the same bytes, until the parent is gone.
fn serve() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    if stream.read(&mut [0; 4096]).await.is_ok_and(|n| n > 0) {
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
                        let _ = stream.write_all(answer).await;
                    }
                });
            }
        });
    });
    let _ = std::io::stdin().read(&mut [0; 1]);
}
