//! The data that reading is measured on: made by the database itself, because five million rows take too long otherwise.

use crate::storage::{Layout, Storage};
use chrono::{DateTime, Duration, SubsecRound as _, Utc};
use domain::LatencyHistogram;
use domain::rollup::{DAY, HOUR, floor};
use entity::api_token;
use sea_orm::TransactionTrait as _;
use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _};
use sha2::{Digest as _, Sha256};
use testkit::builders;
use uuid::Uuid;

/// How many services there are, all of one user.
pub(crate) const SERVICES: usize = 1_000;

/// Opens that user's account.
pub(crate) const TOKEN: &str = "pck_reads";

/// How many single checks each service has: one every ten minutes for a month and some.
const CHECKS: i64 = 5_000;

/// In how many parts everything is made.
const PARTS: i64 = 25;

/// Milliseconds from one check of a service to its next.
const STEP: i64 = 600_000;

/// How far sums go back.
const DAYS: i64 = 90;

/// Fills an empty database.
pub(crate) async fn fill(storage: &Storage) {
    let db = &storage.db;
    let user = builders::a_user(db).await;
    let now = Utc::now().trunc_subsecs(3);
    let token = api_token::Model {
        id: Uuid::now_v7(),
        workspace_id: user.id,
        user_id: user.id,
        name: "reads".into(),
        token_hash: Sha256::digest(TOKEN).to_vec(),
        read_only: true,
        created_at: now,
        last_used_at: Some(now + Duration::hours(1)),
        expires_at: None,
    };
    token.into_active_model().insert(db).await.unwrap();
    let transaction = db.begin().await.unwrap();
    for i in 0..SERVICES {
        let service = builders::a_service(&transaction, &user).name(&format!("service {i:04}"));
        let service = service
            .category(["web", "mail", "data", "shop"][i % 4])
            .interval(600);
        // Paused: the program that answers must not check them, which is measured elsewhere.
        service
            .created_at(now - Duration::days(DAYS))
            .paused()
            .create()
            .await;
    }
    transaction.commit().await.unwrap();
    let today = floor(now, DAY);
    for ago in 0..=CHECKS * STEP / DAY.num_milliseconds() + 1 {
        storage
            .add_partition(today - DAY * i32::try_from(ago).unwrap())
            .await;
    }
    // In parts, because no statement may take longer than what the program allows itself.
    for part in 0..PARTS {
        for statement in statements(storage, now, part) {
            storage.execute(&statement).await;
        }
    }
    let analyze = if storage.layout == Layout::Postgres {
        "VACUUM ANALYZE"
    } else {
        "ANALYZE"
    };
    storage.execute(analyze).await;
}

/// The last check is half an interval old, the last folded one six before it.
fn statements(storage: &Storage, now: DateTime<Utc>, part: i64) -> Vec<String> {
    let end = now.timestamp_millis() - STEP / 2;
    let (first, folded) = (end - (CHECKS - 1) * STEP, end - 6 * STEP);
    let services = format!("(SELECT seq FROM services WHERE seq % {PARTS} = {part}) s");
    let checks = format!(
        "INSERT INTO checks (service_seq, slot, lateness_ms, interval_seconds, response_time_ms, status, status_code)
         SELECT s.seq, {first} + g.value * {STEP} + s.seq, 1, 600, 40 + (g.value * 7 + s.seq) % 200, 0, 200
         FROM {services} CROSS JOIN {}",
        storage.series(0, CHECKS - 1)
    );
    let mut histogram = LatencyHistogram::default();
    (0..100).for_each(|i| histogram.record(40 + i * 2));
    let histogram = hex(storage.layout, &histogram.encode());
    let sums = |period: i16, width: Duration, checks: i64| {
        let width = width.num_milliseconds();
        let last = floor(
            DateTime::from_timestamp_millis(folded).unwrap(),
            Duration::milliseconds(width),
        );
        let last = last.timestamp_millis();
        let down = 60_000;
        format!(
            "INSERT INTO check_rollups (service_seq, period, start, up_ms, degraded_ms, down_ms, maintenance_ms,
                checks, failed, max_response_time_ms, latency)
             SELECT s.seq, {period}, {last} - g.value * {width}, {width} - (g.value % 2) * {down}, 0,
                (g.value % 2) * {down}, 0, {checks}, g.value % 2, 240, {histogram}
             FROM {services} CROSS JOIN {}",
            storage.series(0, DAYS * DAY.num_milliseconds() / width)
        )
    };
    let progress = format!(
        "INSERT INTO rollup_progress (service_seq, slot, interval_seconds, status)
         SELECT seq, {folded} + seq, 600, 0 FROM {services}"
    );
    vec![checks, sums(0, HOUR, 6), sums(1, DAY, 144), progress]
}

fn hex(layout: Layout, bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if layout == Layout::Postgres {
        format!("'\\x{digits}'::bytea")
    } else {
        format!("x'{digits}'")
    }
}
