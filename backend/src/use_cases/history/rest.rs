//! The form of the statements about history, and what every one of them asks for: the checks that the rollups do not hold
//! yet.
//!
//! Rows are (part, service, numbers): which part of the statement it is, and any number of whole numbers. The database puts
//! all rows of a part into one text, with spaces between numbers and commas between services: handing over a row for each
//! check or day, or only for each service, costs more than everything else.

use chrono::{DateTime, Utc};
use domain::uptime::{Sample, Tally, tally};
use entity::check::sample;
use entity::column::Status;
use entity::sql::Sql;
use sea_orm::{ActiveEnum, ConnectionTrait, DatabaseConnection, DbBackend, DbErr};

/// Begins a statement about services: `WITH given (number) AS (...)`.
pub(super) fn about(backend: DbBackend, services: &[i32]) -> Sql {
    let rows: Vec<[i64; 1]> = services.iter().map(|seq| [i64::from(*seq)]).collect();
    Sql::new(backend)
        .text("WITH given AS (SELECT seq FROM ")
        .rows("g", ["seq"], &rows)
        .text(") ")
}

/// Goes on, behind `given`, with what the parts are; [`read`] ends it.
pub(super) fn parts(sql: Sql) -> Sql {
    sql.text(", parts (part, service_seq, numbers) AS (")
}

/// Begins a part: the numbers of one row of the table `table` for each service.
pub(super) fn select_one(sql: Sql, part: i64, table: &str, columns: &[&str]) -> Sql {
    let numbers = columns.join(" || ' ' || ");
    sql.text("SELECT ")
        .value(part)
        .text(&format!(", {table}.service_seq, {numbers}"))
}

/// Begins a part: the numbers of all rows of the table `table` for each service, to be grouped by it.
pub(super) fn select_all(sql: Sql, part: i64, table: &str, columns: &[&str]) -> Sql {
    let numbers = columns.join(" || ' ' || ");
    sql.text("SELECT ")
        .value(part)
        .text(&format!(", {table}.service_seq, "))
        .by_backend("string_agg(", "group_concat(")
        .text(&format!("{numbers}, ' ')"))
}

/// What [`Row::samples`] reads, in this order.
pub(super) const CHECK: [&str; 3] = ["c.slot", "c.interval_seconds", "c.status"];

/// Selects the last folded check of each given service.
pub(super) fn select_folded(sql: Sql, part: i64) -> Sql {
    select_one(sql, part, "c", &CHECK)
        .text(" FROM given CROSS JOIN rollup_progress c WHERE c.service_seq = given.seq")
}

/// Where the checks after the last folded ones begin, as far as that is remembered: with a bound that it knows beforehand,
/// PostgreSQL opens the last days' partitions and no others.
#[derive(Debug, Clone, Copy)]
pub(super) enum Begin {
    /// Nothing is remembered.
    Unknown,
    /// After this slot for all services.
    After(i64),
    /// After this slot for the services with a 1 in the column `recent` of `given`.
    AfterIfRecent(i64),
}

/// Selects all checks of each given service after the last folded one.
pub(super) fn select_rest(sql: Sql, part: i64, begin: Begin) -> Sql {
    const LAST_FOLDED: Last = Last {
        postgres: " FROM given LEFT JOIN rollup_progress p ON p.service_seq = given.seq",
        postgres_slot: "coalesce(p.slot, -1)",
        sqlite: " FROM given",
        sqlite_slot: "coalesce(
                (SELECT p.slot FROM rollup_progress p WHERE p.service_seq = given.seq), -1
            )",
    };
    select_after(sql, part, &LAST_FOLDED, begin)
}

/// Selects all checks after the slot of each row of `known (number, slot, recent)`.
pub(super) fn select_later(sql: Sql, part: i64, begin: Begin) -> Sql {
    const LAST_KNOWN: Last = Last {
        postgres: " FROM known given",
        postgres_slot: "given.slot",
        sqlite: " FROM known given",
        sqlite_slot: "given.slot",
    };
    select_after(sql, part, &LAST_KNOWN, begin)
}

/// After which slot of each service: a table called `given`, and its slot in it.
struct Last {
    postgres: &'static str,
    postgres_slot: &'static str,
    sqlite: &'static str,
    sqlite_slot: &'static str,
}

fn select_after(sql: Sql, part: i64, last: &Last, begin: Begin) -> Sql {
    match begin {
        _ if sql.backend() == DbBackend::Sqlite => select_after_of(sql, part, last, "", None),
        Begin::Unknown => select_after_of(sql, part, last, "", None),
        Begin::After(slot) => select_after_of(sql, part, last, "", Some(slot)),
        Begin::AfterIfRecent(slot) => {
            let sql = select_after_of(sql, part, last, " AND given.recent = 1", Some(slot))
                .text(" UNION ALL ");
            select_after_of(sql, part, last, " AND given.recent = 0", None)
        }
    }
}

/// Both databases are told to go from service to service: guessing, they would read all checks.
fn select_after_of(sql: Sql, part: i64, last: &Last, which: &str, after: Option<i64>) -> Sql {
    let mut sql = select_all(sql, part, "c", &CHECK)
        .by_backend(last.postgres, last.sqlite)
        .by_backend(
            " CROSS JOIN LATERAL (
                SELECT service_seq, slot, interval_seconds, status FROM checks
                WHERE service_seq = given.seq AND slot > ",
            " CROSS JOIN checks c ON c.service_seq = given.seq AND c.slot > ",
        )
        .by_backend(last.postgres_slot, last.sqlite_slot);
    if let Some(after) = after {
        sql = sql.text(" AND slot > ").value(after);
    }
    sql.by_backend(" OFFSET 0) c", "")
        .text(" WHERE true")
        .text(which)
        .text(" GROUP BY c.service_seq")
}

/// One row of such a statement.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) part: i64,
    pub(super) service_seq: i32,
    pub(super) numbers: Vec<i64>,
}

/// Ends a statement of [`parts`], and reads its rows.
///
/// # Errors
/// What the database said.
pub(super) async fn read(db: &DatabaseConnection, sql: Sql) -> Result<Vec<Row>, DbErr> {
    let sql = sql
        .text(") SELECT part, ")
        .by_backend("string_agg(", "group_concat(");
    let sql = sql.text("service_seq || ' ' || numbers, ',') FROM parts GROUP BY part");
    let mut rows = Vec::new();
    for row in db.query_all_raw(sql.finish()).await? {
        let (part, text): (i64, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        for row in text.split(',') {
            let broken = || DbErr::Type(format!("not numbers in a row of history: {row:?}"));
            let (service_seq, numbers) = row.split_once(' ').ok_or_else(broken)?;
            let numbers = numbers
                .split(' ')
                .map(str::parse)
                .collect::<Result<_, _>>()
                .map_err(|_| broken())?;
            rows.push(Row {
                part,
                service_seq: service_seq.parse().map_err(|_| broken())?,
                numbers,
            });
        }
    }
    Ok(rows)
}

impl Row {
    /// The checks in a row of [`CHECK`]s.
    pub(super) fn samples(&self) -> impl Iterator<Item = Result<Sample, DbErr>> {
        self.numbers
            .as_chunks()
            .0
            .iter()
            .map(|[slot, interval, status]| {
                let narrow = |error| {
                    DbErr::Type(format!(
                        "{error} in a check of service {}",
                        self.service_seq
                    ))
                };
                let status = Status::try_from_value(&i16::try_from(*status).map_err(narrow)?)?;
                Ok(sample(
                    *slot,
                    i32::try_from(*interval).map_err(narrow)?,
                    status.into(),
                ))
            })
    }
}

/// Time by status from four numbers in the order of the columns.
pub(super) const fn tally_of([up_ms, degraded_ms, down_ms, maintenance_ms]: [i64; 4]) -> Tally {
    Tally {
        up_ms,
        degraded_ms,
        down_ms,
        maintenance_ms,
    }
}

/// The checks of one service that the rollups do not hold, with the last one that they do.
#[derive(Debug, Clone, Default)]
pub(super) struct Rest {
    samples: Vec<Sample>,
}

impl Rest {
    pub(super) fn add(&mut self, row: &Row) -> Result<(), DbErr> {
        row.samples().try_for_each(|sample| {
            self.samples.push(sample?);
            Ok(())
        })
    }

    /// To be called when all are there.
    pub(super) fn sort(&mut self) {
        self.samples.sort_unstable_by_key(|sample| sample.slot);
    }

    pub(super) fn in_order(mut self) -> impl Iterator<Item = Sample> {
        self.sort();
        self.samples.into_iter()
    }

    /// Up to when the rollups hold everything, or when the first check was made; `None` for a service without checks.
    pub(super) fn begins(&self) -> Option<DateTime<Utc>> {
        self.samples.first().map(|sample| sample.slot)
    }

    pub(super) fn tally(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Tally {
        tally(self.samples.iter().copied(), from, to, now)
    }
}
