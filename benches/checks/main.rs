//! `make bench`: what a check costs and how punctual checks are, measured on the program as it is shipped.
//!
//! Each row starts `pulsecheck` (SQLite) or `pulsecheck worker` (PostgreSQL and Redis) on data of its own, lets it
//! check a local HTTP server in another process, and reads what it recorded from the database. CPU is that of the
//! measured process alone.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "a measurement, not a service")]

mod program;
mod target;

use program::{Layout, Program};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// One measurement's result.
struct Row {
    measure: &'static str,
    layout: &'static str,
    result: String,
    aim: &'static str,
    json: Value,
}

fn main() {
    if std::env::args().any(|argument| argument == target::ARGUMENT) {
        target::serve();
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let rows = runtime.block_on(measure());
    print(&rows);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench.json");
    let all: Vec<&Value> = rows.iter().map(|row| &row.json).collect();
    std::fs::write(&path, serde_json::to_vec_pretty(&all).unwrap()).unwrap();
    println!("\nwritten to {}", path.display());
}

async fn measure() -> Vec<Row> {
    let mut rows = Vec::new();
    for layout in [Layout::Sqlite, Layout::Postgres] {
        rows.push(cost(layout).await);
        rows.push(punctuality(layout).await);
    }
    rows
}

/// Many services at the shortest interval: more than one process can do, so that it never waits.
async fn cost(layout: Layout) -> Row {
    const SERVICES: usize = 20_000;
    let mut program = Program::start(layout, SERVICES, 1).await;
    program.recorded_since(Instant::now(), Duration::from_secs(3)).await;
    let (cpu, begin) = (program.cpu_seconds(), Instant::now());
    let checks = program.recorded_since(begin, Duration::from_secs(15)).await;
    let (cpu, wall) = (program.cpu_seconds() - cpu, begin.elapsed().as_secs_f64());
    program.stop().await;
    #[allow(clippy::cast_precision_loss)]
    let (per_cpu, per_wall) = (checks as f64 / cpu, checks as f64 / wall);
    Row {
        measure: "checks recorded per CPU-second",
        layout: layout.name(),
        result: format!("{per_cpu:.0} ({per_wall:.0} a second on {:.2} cores)", cpu / wall),
        aim: "3,000",
        json: json!({
            "measure": "checks_per_cpu_second", "layout": layout.name(), "value": per_cpu,
            "checks": checks, "cpu_seconds": cpu, "wall_seconds": wall,
        }),
    }
}

/// A thousand services every ten seconds for a minute: how late is a check after its slot?
async fn punctuality(layout: Layout) -> Row {
    const SERVICES: usize = 1_000;
    let mut program = Program::start(layout, SERVICES, 10).await;
    program.recorded_since(Instant::now(), Duration::from_secs(12)).await;
    let from = chrono::Utc::now().timestamp_millis();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let to = chrono::Utc::now().timestamp_millis() - 2_000;
    let mut delays = program.delays(from, to).await;
    program.stop().await;
    delays.sort_unstable();
    assert!(!delays.is_empty(), "nothing was recorded");
    let at = |share: f64| {
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        delays[((delays.len() - 1) as f64 * share).round() as usize]
    };
    let due = SERVICES * usize::try_from(to - from).unwrap() / 10_000;
    let (p50, p99, max) = (at(0.5), at(0.99), at(1.0));
    Row {
        measure: "lateness, 1,000 services every 10 s",
        layout: layout.name(),
        result: format!("p50 {p50} ms, p99 {p99} ms, max {max} ms ({} of {due} due)", delays.len()),
        aim: "p99 < 100 ms",
        json: json!({
            "measure": "lateness_ms", "layout": layout.name(), "p50": p50, "p99": p99, "max": max,
            "checks": delays.len(), "due": due,
        }),
    }
}

fn print(rows: &[Row]) {
    println!("\n| {:<36} | {:<18} | {:<52} | {:<12} |", "measure", "layout", "result", "aim");
    println!("|{:-<38}|{:-<20}|{:-<54}|{:-<14}|", "", "", "", "");
    for Row { measure, layout, result, aim, .. } in rows {
        println!("| {measure:<36} | {layout:<18} | {result:<52} | {aim:<12} |");
    }
}
