//! Measures what a check costs at fixed loads that leave the machine mostly idle: the whole program
//! in one process against nginx, recorded in a SQLite file.
//!
//! Each cost is also given as a share of the requests that `wrk` makes per second of its own CPU time
//! with a connection for each request, so that results of different machines can be compared.

use crate::checks::ONE_HOST;
use crate::figures::Sorted;
use crate::program::Program;
use crate::row::Row;
use crate::storage::{Layout, Storage};
use serde_json::json;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Interval of all services, in seconds.
const INTERVAL: i32 = 10;
/// Time before anything is counted. Each service is checked once, and that changes its state.
const WARM_UP: Duration = Duration::from_secs(15);
/// How long.
const DURATION: Duration = Duration::from_secs(30);
/// Checks a second, and the share of `wrk` that they are to reach.
const LOADS: [(usize, &str); 4] = [(25, "0.16"), (100, "0.20"), (1000, "0.35"), (4000, "0.40")];

pub(crate) async fn measure() -> Vec<Row> {
    let nginx = Nginx::start();
    let mut rows = Vec::new();
    for (load, aim) in LOADS {
        let wrk = requests_per_cpu_second(&nginx.address);
        rows.push(cost(&nginx, load, wrk, aim).await.say());
    }
    rows
}

async fn cost(nginx: &Nginx, load: usize, wrk: f64, aim: &'static str) -> Row {
    let storage = Storage::new(Layout::Sqlite).await;
    let url = format!("http://{}/", nginx.address);
    storage
        .add_services(load * INTERVAL as usize, INTERVAL, &url)
        .await;
    let mut program = Program::start(&storage, None, &[ONE_HOST]);
    tokio::time::sleep(WARM_UP).await;
    let (checks, cpu, begun) = (
        storage.checks().await,
        program.cpu_seconds(),
        Instant::now(),
    );
    let from = chrono::Utc::now().timestamp_millis();
    tokio::time::sleep(DURATION).await;
    let cpu = program.cpu_seconds() - cpu;
    let wall = begun.elapsed().as_secs_f64();
    let to = chrono::Utc::now().timestamp_millis();
    let checks = (storage.checks().await - checks) as f64;
    program.still_runs();
    let [p50, p99, max] = Sorted::of(storage.delays(from, to).await).p50_p99_max();
    let (per_cpu, milliseconds) = (checks / cpu, 1000.0 * cpu / checks);
    Row {
        measure: format!("share of wrk at {load} checks a second"),
        layout: Layout::Sqlite.name(),
        result: format!(
            "{:.3} ({milliseconds:.3} ms each, {:.0} a second, late p50 {p50} ms, p99 {p99} ms, max {max} ms)",
            per_cpu / wrk,
            checks / wall,
        ),
        aim,
        figures: json!({
            "checks_per_cpu_second": per_cpu, "wrk_requests_per_cpu_second": wrk, "checks": checks,
            "cpu_seconds": cpu, "wall_seconds": wall,
            "late_p50_ms": p50, "late_p99_ms": p99, "late_max_ms": max,
        }),
    }
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
