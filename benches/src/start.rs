//! Measures the time from process start until PulseCheck is ready.

use crate::figures::{Sorted, ms};
use crate::program::Program;
use crate::row::Row;
use crate::storage::{Layout, Storage};
use serde_json::json;
use std::time::Duration;

const SERVICES: usize = 1_000;
const TIMES: usize = 5;

pub(crate) async fn measure() -> Vec<Row> {
    let mut rows = Vec::new();
    for layout in Layout::BOTH {
        let storage = Storage::new(layout).await;
        storage
            .add_services(SERVICES, 3_600, "http://127.0.0.1:9/")
            .await;
        let mut all = Vec::new();
        for _ in 0..TIMES {
            all.push(ready(&storage).await);
        }
        let all = Sorted::of(all);
        let (p50, max) = (ms(all.at(0.5)), ms(all.at(1.0)));
        let row = Row {
            measure: "start to ready with 1,000 services".into(),
            layout: layout.name(),
            result: format!("p50 {p50:.0} ms, max {max:.0} ms of {TIMES}"),
            aim: if layout == Layout::Sqlite {
                "< 1 s"
            } else {
                ""
            },
            figures: json!({ "p50_ms": p50, "max_ms": max, "starts": TIMES }),
        };
        rows.push(row.say());
    }
    rows
}

/// Returns the time until `/api/ready` succeeds.
async fn ready(storage: &Storage) -> Duration {
    let mut program = Program::start(storage, None, &[]);
    let url = format!("{}/api/ready", program.address().await);
    let client = reqwest::Client::new();
    loop {
        let answer = client.get(&url).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            let took = program.runs_for();
            program.kill().await;
            return took;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
