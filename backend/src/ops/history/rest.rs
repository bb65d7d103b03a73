//! What the rollups do not hold: the checks since each service's last fold, in any statement's company.

use chrono::{DateTime, Utc};
use domain::uptime::{Sample, Tally, tally};
use entity::check::sample;
use entity::column::Status;
use entity::sql::Sql;
use sea_orm::{ActiveEnum, DbBackend, DbErr, QueryResult};

/// Begins a statement about services: `WITH given (number) AS (...)`.
pub(super) fn about(backend: DbBackend, services: &[i32]) -> Sql {
    let rows: Vec<[i64; 1]> = services.iter().map(|number| [i64::from(*number)]).collect();
    Sql::new(backend).text("WITH given AS (SELECT number FROM ").rows("g", ["number"], &rows).text(") ")
}

/// Selects, as rows of (`part`, service, slot, interval, status, 0, 0), the last folded check of each given service and
/// all after it.
pub(super) fn select_rest(sql: Sql, part: i64) -> Sql {
    let sql = sql
        .text("SELECT ")
        .value(part)
        .text(
            ", p.service_number, p.slot, CAST(p.interval_seconds AS bigint), CAST(p.status AS bigint),
                CAST(0 AS bigint), CAST(0 AS bigint)
            FROM given CROSS JOIN rollup_progress p WHERE p.service_number = given.number
            UNION ALL SELECT ",
        )
        .value(part);
    // Both databases are told to go from service to service: guessing, they would read all checks.
    sql.by_backend(
        ", c.service_number, c.slot, CAST(c.interval_seconds AS bigint), CAST(c.status AS bigint), 0, 0
        FROM given LEFT JOIN rollup_progress p ON p.service_number = given.number
        CROSS JOIN LATERAL (
            SELECT service_number, slot, interval_seconds, status FROM checks
            WHERE service_number = given.number AND slot > coalesce(p.slot, -1) OFFSET 0
        ) c",
        ", c.service_number, c.slot, c.interval_seconds, c.status, 0, 0
        FROM given CROSS JOIN checks c ON c.service_number = given.number AND c.slot > coalesce(
            (SELECT p.slot FROM rollup_progress p WHERE p.service_number = given.number), -1
        )",
    )
}

/// One row of such a statement.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) part: i64,
    pub(super) service_number: i32,
    pub(super) numbers: [i64; 5],
}

impl Row {
    pub(super) fn read(row: &QueryResult) -> Result<Self, DbErr> {
        let mut numbers = [0; 5];
        for (i, number) in numbers.iter_mut().enumerate() {
            *number = row.try_get_by_index(i + 2)?;
        }
        Ok(Self { part: row.try_get_by_index(0)?, service_number: row.try_get_by_index(1)?, numbers })
    }

    /// The check in a row that was selected as (slot, interval, status).
    pub(super) fn sample(&self) -> Result<Sample, DbErr> {
        let [slot, interval, status, ..] = self.numbers;
        let narrow = |error| DbErr::Type(format!("{error} in the check {self:?}"));
        let status = Status::try_from_value(&i16::try_from(status).map_err(narrow)?)?;
        Ok(sample(slot, i32::try_from(interval).map_err(narrow)?, status.into()))
    }
}

/// The checks of one service that the rollups do not hold, with the last one that they do.
#[derive(Debug, Default)]
pub(super) struct Rest {
    samples: Vec<Sample>,
}

impl Rest {
    pub(super) fn push(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    /// To be called when all are there.
    pub(super) fn sort(&mut self) {
        self.samples.sort_unstable_by_key(|sample| sample.slot);
    }

    /// Up to when the rollups hold everything, or when the first check was made; `None` for a service without checks.
    pub(super) fn begins(&self) -> Option<DateTime<Utc>> {
        self.samples.first().map(|sample| sample.slot)
    }

    pub(super) fn tally(&self, from: DateTime<Utc>, to: DateTime<Utc>, now: DateTime<Utc>) -> Tally {
        tally(self.samples.iter().copied(), from, to, now)
    }
}
