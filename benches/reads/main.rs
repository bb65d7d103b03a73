//! `make bench`: how fast pages are read when there is a year of history behind them.
//!
//! A thousand services of one user with ninety days of sums and five million single checks, on each kind of storage; the
//! program as it is shipped, asked over HTTP by one client after another request is answered.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not a service")]

mod seed;

use seed::{Layout, Seeded};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// What the dashboard asks when it is opened.
const DASHBOARD: &str = "query Dashboard {
  services {
    id name category kind paused url
    current { status since checkedAt responseTimeMs statusCode message }
    uptime(window: MONTH) { percent degradedPercent coveragePercent }
    uptimeDays(days: 30) { date status percent coveragePercent }
    openIncident { id type state startedAt cause }
  }
  incidents(filter: { state: OPEN }) { totalCount edges { node { id type startedAt cause service { id } } } }
}";

/// What the page of one service asks.
const SERVICE: &str = "query Service($id: UUID!) {
  service(id: $id) {
    id name category kind paused url checkIntervalSeconds
    current { status since checkedAt responseTimeMs statusCode message }
    day: uptime(window: DAY) { percent degradedPercent coveragePercent }
    week: uptime(window: WEEK) { percent degradedPercent coveragePercent }
    month: uptime(window: MONTH) { percent degradedPercent coveragePercent }
    quarter: uptime(window: QUARTER) { percent degradedPercent coveragePercent }
    uptimeDays(days: 90) { date status percent coveragePercent }
    latency(window: MONTH) { at p50Ms p95Ms maxMs checks }
    incidents(first: 20) { totalCount edges { node { id type state startedAt resolvedAt cause } } }
  }
}";

struct Row {
    measure: &'static str,
    layout: &'static str,
    result: String,
    aim: &'static str,
    json: Value,
}

fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rows = runtime.block_on(measure());
    println!("\n| {:<30} | {:<18} | {:<46} | {:<24} |", "measure", "layout", "result", "aim");
    println!("|{:-<32}|{:-<20}|{:-<48}|{:-<26}|", "", "", "", "");
    for Row { measure, layout, result, aim, .. } in &rows {
        println!("| {measure:<30} | {layout:<18} | {result:<46} | {aim:<24} |");
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-reads.json");
    let all: Vec<&Value> = rows.iter().map(|row| &row.json).collect();
    std::fs::write(&path, serde_json::to_vec_pretty(&all).unwrap()).unwrap();
    println!("\nwritten to {}", path.display());
}

async fn measure() -> Vec<Row> {
    let mut rows = Vec::new();
    for layout in [Layout::Postgres, Layout::Sqlite] {
        let seeded = Seeded::new(layout).await;
        let api = Api::start(&seeded).await;
        let services: Vec<Value> =
            api.ask("{ services { id } }", &Value::Null).await["data"]["services"].as_array().unwrap().clone();
        assert_eq!(services.len(), seed::SERVICES);
        rows.push(api.row("dashboard, 1,000 services", layout, "p50 < 15 ms, p99 < 50 ms", DASHBOARD, &services).await);
        rows.push(api.row("page of one service", layout, "p99 < 20 ms", SERVICE, &services).await);
    }
    rows
}

/// The program, and a client of it.
struct Api {
    _child: Child,
    client: reqwest::Client,
    url: String,
    token: &'static str,
}

impl Api {
    async fn start(seeded: &Seeded) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pulsecheck"));
        command.env_clear().env("DATABASE_URL", &seeded.database.url).env("PULSECHECK_DATA_DIR", seeded.data.path());
        command.env("PULSECHECK_LISTEN", "127.0.0.1:0").env("PULSECHECK_LOG", "warn");
        if let Some(redis) = &seeded.redis {
            let secret = "a secret of a measurement that nobody else needs";
            command.arg("api").env("REDIS_URL", redis.url()).env("PULSECHECK_SECRET_KEY", secret);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listening = loop {
            let line = lines.next_line().await.unwrap().expect("the program says where it listens");
            if let Some(url) = line.strip_prefix("Listening on ") {
                break url.trim().trim_end_matches('/').to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let url = format!("{listening}/api/graphql");
        Self { _child: child, client: reqwest::Client::new(), url, token: seed::TOKEN }
    }

    async fn ask(&self, query: &str, variables: &Value) -> Value {
        let body = json!({ "query": query, "variables": variables });
        let request = self.client.post(&self.url).bearer_auth(self.token).json(&body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert!(answer.get("errors").is_none(), "{}", answer["errors"]);
        answer
    }

    /// Asks again and again; the first answers, which fill caches, are told apart.
    async fn row(
        &self,
        measure: &'static str,
        layout: Layout,
        aim: &'static str,
        query: &str,
        services: &[Value],
    ) -> Row {
        const TIMES: usize = 300;
        let (mut first, mut times, mut bytes) = (Duration::ZERO, Vec::with_capacity(TIMES), 0);
        for i in 0..=TIMES {
            // A step that meets every service in an order of no meaning.
            let variables = json!({ "id": services[i * 379 % services.len()]["id"] });
            let body = json!({ "query": query, "variables": variables });
            let begin = Instant::now();
            let request = self.client.post(&self.url).bearer_auth(self.token).json(&body);
            let answer = request.send().await.unwrap().bytes().await.unwrap();
            let took = begin.elapsed();
            if i == 0 {
                assert!(!answer.windows(8).any(|part| part == b"\"errors\""), "{}", String::from_utf8_lossy(&answer));
                (first, bytes) = (took, answer.len());
            } else {
                times.push(took);
            }
        }
        times.sort_unstable();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let (p50, p99) = (ms(times[TIMES / 2]), ms(times[TIMES * 99 / 100]));
        let first = ms(first);
        Row {
            measure,
            layout: layout.name(),
            result: format!("p50 {p50:.1} ms, p99 {p99:.1} ms, first {first:.1} ms"),
            aim,
            json: json!({
                "measure": measure, "layout": layout.name(), "p50_ms": p50, "p99_ms": p99, "first_ms": first,
                "bytes": bytes, "requests": TIMES,
            }),
        }
    }
}
