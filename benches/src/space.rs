//! Measures the storage that one check takes, including indexes.

use crate::row::Row;
use crate::storage::{Layout, Storage};
use chrono::{Duration, SubsecRound as _, Utc};
use domain::rollup::{DAY, floor};
use serde_json::json;

const SERVICES: usize = 200;

/// Time between two checks of a service.
const STEP: Duration = Duration::minutes(1);

/// Number of days with data; PostgreSQL has a partition for each.
const DAYS: i32 = 4;

pub(crate) async fn measure() -> Vec<Row> {
    let mut rows = Vec::new();
    for layout in Layout::BOTH {
        let storage = Storage::new(layout).await;
        storage
            .add_services(SERVICES, STEP.num_seconds() as i32, "http://127.0.0.1:9/")
            .await;
        let now = Utc::now().trunc_subsecs(3);
        worker::history::pass(
            &storage.db,
            &worker::history::HistorySettings::default(),
            now,
        )
        .await
        .unwrap();
        let before = bytes(&storage).await;
        let first = floor(now, DAY).timestamp_millis();
        // In the order of time, as they are recorded: what pages hold depends on it.
        let rounds = i64::from(DAYS) * DAY.num_milliseconds() / STEP.num_milliseconds();
        const PART: i64 = 240;
        for part in 0..rounds / PART {
            let series = storage.series(part * PART, (part + 1) * PART - 1);
            let step = STEP.num_milliseconds();
            let insert = format!(
                "INSERT INTO checks (service_seq, slot, lateness_ms, interval_seconds, response_time_ms, status, status_code)
                 SELECT s.seq, {first} + g.value * {step} + (s.seq * 7919) % {step}, s.seq % 7, {},
                    20 + (g.value * 7 + s.seq) % 400, 0, 200
                 FROM {series} CROSS JOIN services s ORDER BY g.value, (s.seq * 7919) % {step}",
                STEP.num_seconds(),
            );
            storage.execute(&insert).await;
        }
        let checks = storage.checks().await;
        let grown = bytes(&storage).await - before;
        let each = grown as f64 / checks as f64;
        let (mut result, mut figures) = (
            format!("{each:.1} bytes"),
            json!({ "bytes_per_check": each, "checks": checks, "bytes": grown }),
        );
        if layout == Layout::Postgres {
            let later = now + Duration::days(i64::from(DAYS) + 1);
            let pass = async || {
                worker::history::pass(
                    &storage.db,
                    &worker::history::HistorySettings::default(),
                    later,
                )
                .await
            };
            while pass().await.unwrap().is_some_and(|pass| pass.compacted) {}
            let compacted = (bytes(&storage).await - before) as f64 / checks as f64;
            result = format!("{compacted:.1} bytes once its day is over, {result} before");
            figures["compacted_bytes_per_check"] = compacted.into();
        }
        let row = Row {
            measure: format!(
                "room of a check, indexes included, {checks} recorded in the order of time"
            ),
            layout: layout.name(),
            result,
            aim: if layout == Layout::Sqlite {
                "60 bytes"
            } else {
                "100 bytes"
            },
            figures,
        };
        rows.push(row.say());
    }
    rows
}

/// Returns the size of tables and indexes (PostgreSQL) or of the whole file (SQLite).
async fn bytes(storage: &Storage) -> i64 {
    let sql = match storage.layout {
        Layout::Postgres => {
            "SELECT sum(pg_total_relation_size(inhrelid))::bigint AS n FROM pg_inherits WHERE inhparent = 'checks'::regclass"
        }
        Layout::Sqlite => {
            "SELECT page_count * page_size AS n FROM pragma_page_count, pragma_page_size"
        }
    };
    storage.numbers(sql).await[0]
}
