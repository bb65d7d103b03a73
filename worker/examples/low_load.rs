//! Measures what a check costs the worker at fixed loads, and how late checks are: against nginx in
//! another process, recorded in a SQLite file, with the coordination state in memory.
//!
//! `cargo run --release -p worker --example low_load` measures 25, 100, 1,000 and 4,000 checks a
//! second, each for 30 seconds. `low_load 25 60` measures 25 a second for 60 seconds. Needs `nginx`
//! and `wrk`: each cost is also given as a share of the requests that `wrk` makes per CPU-second with
//! a connection for each request, so that results of different machines can be compared.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement, not a service"
)]

use coordination::Coordination;
use monitors::Prober;
use net::{ClientSettings, Fetcher, FetcherSettings, Guard};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use testkit::processor::worked;
use tokio_util::sync::CancellationToken;
use worker::{LATENESS_BOUNDS_MS, Settings, Stats, Worker};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Interval of all services, in seconds.
const INTERVAL: u32 = 10;
/// Time before anything is counted. Each service is checked once, and that changes its state.
const WARM_UP: Duration = Duration::from_secs(15);

fn main() {
    let numbers: Vec<u32> = std::env::args()
        .skip(1)
        .map(|argument| argument.parse().unwrap())
        .collect();
    let (loads, seconds) = match numbers[..] {
        [load, seconds] => (vec![load], seconds),
        _ => (vec![25, 100, 1000, 4000], 30),
    };
    let nginx = Nginx::start();
    let wrk = requests_per_cpu_second(&nginx.address);
    println!("wrk: {wrk:.0} requests per CPU-second");
    for load in loads {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
            .block_on(measure(&nginx.address, load, seconds, wrk));
    }
    let wrk = requests_per_cpu_second(&nginx.address);
    println!("wrk: {wrk:.0} requests per CPU-second");
}

async fn measure(address: &str, load: u32, seconds: u32, wrk: f64) {
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
    add_services(&db, address, load * INTERVAL).await;
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
    let worker = Worker {
        db: db.clone(),
        writer,
        live: Coordination::memory(),
        prober,
        fetcher: Fetcher::new(FetcherSettings::default()).unwrap(),
        sealer: Arc::new(secrets::Sealer::new("seals nothing in this example", None)),
        settings,
    };
    let running = tokio::spawn(worker::run(worker, shutdown.clone()));

    tokio::time::sleep(WARM_UP).await;
    let before = Counts::of(&stats);
    let cpu_before = worked("self");
    let begun = Instant::now();
    tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    let cpu = (worked("self") - cpu_before).as_secs_f64();
    let wall = begun.elapsed().as_secs_f64();
    let after = Counts::of(&stats);
    let checks = (after.recorded - before.recorded) as f64;
    println!(
        "{load} a second: {:.1} recorded a second, {:.3} ms of CPU each, {:.0} per CPU-second, {:.2} of wrk, {:.1} batches a second, late p50 {} p99 {}",
        checks / wall,
        1000.0 * cpu / checks,
        checks / cpu,
        checks / cpu / wrk,
        (after.batches - before.batches) as f64 / wall,
        after.lateness_since(&before, 0.50),
        after.lateness_since(&before, 0.99),
    );
    shutdown.cancel();
    running.await.unwrap().unwrap();
}

struct Counts {
    recorded: u64,
    batches: u64,
    lateness: Vec<u64>,
}

impl Counts {
    fn of(stats: &Stats) -> Self {
        Self {
            recorded: stats.recorded.load(Relaxed),
            batches: stats.batches.load(Relaxed),
            lateness: stats
                .lateness
                .iter()
                .map(|count| count.load(Relaxed))
                .collect(),
        }
    }

    /// The bound below which a share `quantile` of the lateness since `before` is.
    fn lateness_since(&self, before: &Self, quantile: f64) -> String {
        let counts: Vec<u64> = self
            .lateness
            .iter()
            .zip(&before.lateness)
            .map(|(after, before)| after - before)
            .collect();
        let wanted = quantile * counts.iter().sum::<u64>() as f64;
        let mut seen = 0;
        for (count, bound) in counts.iter().zip(LATENESS_BOUNDS_MS) {
            seen += count;
            if seen as f64 >= wanted {
                return format!("<= {bound} ms");
            }
        }
        "> 30 s".to_owned()
    }
}

async fn add_services(db: &DatabaseConnection, address: &str, services: u32) {
    let now = chrono::Utc::now().to_rfc3339();
    let workspace = uuid::Uuid::now_v7().simple();
    db.execute_unprepared(&format!(
        "INSERT INTO workspaces (id, name, personal, created_at)
         VALUES (x'{workspace}', 'Low load', false, '{now}')"
    ))
    .await
    .unwrap();
    for chunk in (0..services).collect::<Vec<_>>().chunks(500) {
        let rows: Vec<_> = chunk
            .iter()
            .map(|i| {
                let id = uuid::Uuid::now_v7().simple();
                format!(
                    "(x'{id}', x'{workspace}', 'S{i}', 'http', '{{\"url\":\"http://{address}/\"}}', {INTERVAL}, 5000, '{now}', '{now}')"
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
    let states = "INSERT INTO service_state (service_id, status, status_since)
                  SELECT id, 4, created_at FROM services";
    db.execute_unprepared(states).await.unwrap();
}

/// A local nginx that answers every request with a few bytes.
struct Nginx {
    child: Child,
    address: String,
    _directory: tempfile::TempDir,
}

impl Nginx {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().display();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let configuration = format!(
            "daemon off; worker_processes 1; pid {path}/pid; error_log stderr;
             events {{ worker_connections 4096; }}
             http {{
                 access_log off;
                 client_body_temp_path {path}; proxy_temp_path {path}; fastcgi_temp_path {path};
                 uwsgi_temp_path {path}; scgi_temp_path {path};
                 server {{
                     listen 127.0.0.1:{port} backlog=4096;
                     location / {{ return 200 ok; }}
                 }}
             }}"
        );
        let file = directory.path().join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let child = Command::new("nginx").arg("-c").arg(&file).spawn().unwrap();
        let address = format!("127.0.0.1:{port}");
        let deadline = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(&address).is_err() {
            assert!(Instant::now() < deadline, "nginx does not listen");
            std::thread::yield_now();
        }
        Self {
            child,
            address,
            _directory: directory,
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
    }
}

/// Requests of `wrk` per second of its own CPU time, with a connection for each request.
fn requests_per_cpu_second(address: &str) -> f64 {
    let script = format!(
        "TIMEFORMAT='cpu %U %S'; time wrk -t1 -c16 -d5s -H 'Connection: close' http://{address}/"
    );
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let words_of = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let requests = text
        .lines()
        .find(|line| line.contains(" requests in "))
        .map_or_else(|| panic!("wrk failed: {text}"), words_of);
    let cpu = text
        .lines()
        .find(|line| line.starts_with("cpu "))
        .map(words_of)
        .unwrap();
    let seconds: f64 = cpu[1..]
        .iter()
        .map(|word| word.parse::<f64>().unwrap())
        .sum();
    requests[0].parse::<f64>().unwrap() / seconds
}
