//! How long reading one answer of a vendor page takes.
//!
//! `cargo run --release -p vendor_pages --example parse [file ...]`; without files, a page as large as the largest known one
//! (475 entries, 200 KB) is made up.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::fmt::Write;
use std::time::{Duration, Instant};

const RUNS: usize = 500;

fn main() {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        measure("made up", made_up().as_bytes());
    }
    for file in files {
        measure(&file, &std::fs::read(&file).unwrap());
    }
}

fn measure(name: &str, bytes: &[u8]) {
    let address = "https://status.vendor.example/api/v2/summary.json"
        .parse()
        .unwrap();
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            let reading = vendor_pages::page::read(&address, bytes);
            let time = start.elapsed();
            assert!(reading.is_ok(), "{name}: {reading:?}");
            time
        })
        .collect();
    times.sort_unstable();
    let (median, worst) = (times[RUNS / 2], times[RUNS * 99 / 100]);
    println!(
        "{name}: {} bytes, median {median:.1?}, 99% within {worst:.1?}",
        bytes.len()
    );
}

/// A summary of 467 components in 8 groups, an incident and 13 maintenances.
fn made_up() -> String {
    let mut components = String::new();
    for id in 0..475 {
        let (group, of) = if id % 60 == 0 {
            (true, "null".into())
        } else {
            (false, format!("\"group{}\"", id / 60 * 60))
        };
        let id = if group {
            format!("group{id}")
        } else {
            format!("component{id}")
        };
        write!(
            components,
            r#"{}{{"id":"{id}","name":"Somewhere, Far away - ({id})","status":"operational","created_at":"2014-10-27T20:35:05.259Z","updated_at":"2026-04-17T03:58:48.540Z","position":1,"description":null,"showcase":false,"start_date":null,"group_id":{of},"page_id":"yh6f0r4529hb","group":{group},"only_show_if_degraded":false}}"#,
            if components.is_empty() { "" } else { "," }
        )
        .unwrap();
    }
    let event = |id: usize| {
        let body =
            "We will be performing scheduled maintenance in a datacenter between 16:00 and 22:00 UTC. ".repeat(12);
        let updates: Vec<_> = (0..3)
            .map(|n| format!(r#"{{"id":"u{n}","status":"scheduled","body":"{body}","created_at":"2026-04-20T17:4{n}:56.924Z","display_at":"2026-04-20T17:4{n}:56.924Z","affected_components":[{{"code":"component{id}","name":"x","old_status":"operational","new_status":"operational"}}]}}"#))
            .collect();
        format!(
            r#"{{"id":"e{id}","name":"Work","status":"scheduled","impact":"maintenance","shortlink":"https://stspg.example/{id}","created_at":"2026-04-20T17:40:56.860Z","scheduled_for":"2026-04-21T16:00:00.000Z","scheduled_until":"2026-04-21T22:00:00.000Z","incident_updates":[{}],"components":[{{"id":"component{id}","name":"x","status":"operational"}}]}}"#,
            updates.join(",")
        )
    };
    let works: Vec<_> = (1..14).map(event).collect();
    format!(
        r#"{{"page":{{"id":"p","name":"Made up","url":"https://status.vendor.example"}},"components":[{components}],"incidents":[{}],"scheduled_maintenances":[{}],"status":{{"indicator":"minor","description":"Minor"}}}}"#,
        event(20),
        works.join(",")
    )
}
