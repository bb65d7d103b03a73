//! The statement of uptime queries: rollups, and the checks after them, of many services.

use chrono::{DateTime, Duration, Utc};
use domain::rollup::{DAY, HOUR};
use domain::service::MAX_INTERVAL_SECONDS;
use domain::slot::coverage_window;
use domain::uptime::{Sample, Tally};
use entity::check::{instant, sample};
use entity::column::{RollupPeriod, Status};
use entity::sql::Sql;
use sea_orm::{ActiveEnum, DatabaseConnection, DbBackend, DbErr, FromQueryResult, QueryResult};
use std::fmt::Display;

const LAST_ROLLED_UP: i32 = 0;
const UNROLLED_CHECK: i32 = 1;
const DAY_ROLLUP: i32 = 2;
const SETTLED_DAYS: i32 = 3;
const RECENT_DAYS: i32 = 4;
const HOURS: i32 = 5;
const FIRST_HOUR: i32 = 6;
const FIRST_HOUR_CHECK: i32 = 7;

/// A row of the statement.
pub(super) struct Row {
    pub(super) service_seq: i32,
    pub(super) part: HistoryRow,
}

/// What a row holds. A number says which of several windows it belongs to.
#[derive(Clone, Copy)]
pub(super) enum HistoryRow {
    /// The last check that is in the rollups.
    LastRolledUp(Sample),
    /// A check after that one.
    UnrolledCheck(Sample),
    /// The rollup of the day that begins then.
    Day(DateTime<Utc>, Tally),
    /// The sum of days before the one of the last check in the rollups: they change no more.
    SettledDays(usize, Tally),
    /// The sum of the other days.
    RecentDays(usize, Tally),
    /// The sum of the hours before the first whole day.
    Hours(usize, Tally),
    /// The rollup of the hour in which the window begins.
    FirstHour(usize, Tally),
    /// A check of that hour, or next to it.
    FirstHourCheck(usize, Sample),
}

impl FromQueryResult for Row {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let at = || row.try_get(prefix, "at").map(instant);
        let window = || -> Result<usize, DbErr> {
            let index: i32 = row.try_get(prefix, "window_index")?;
            usize::try_from(index).map_err(|error| DbErr::Type(error.to_string()))
        };
        let tally = || -> Result<Tally, DbErr> {
            Ok(Tally {
                up_ms: row.try_get(prefix, "up_ms")?,
                degraded_ms: row.try_get(prefix, "degraded_ms")?,
                down_ms: row.try_get(prefix, "down_ms")?,
                maintenance_ms: row.try_get(prefix, "maintenance_ms")?,
            })
        };
        let check = || -> Result<Sample, DbErr> {
            let status: Status = row.try_get(prefix, "status")?;
            let interval_seconds = row.try_get(prefix, "interval_seconds")?;
            Ok(sample(
                row.try_get(prefix, "at")?,
                interval_seconds,
                status.into(),
            ))
        };
        let part = match row.try_get(prefix, "part")? {
            LAST_ROLLED_UP => HistoryRow::LastRolledUp(check()?),
            UNROLLED_CHECK => HistoryRow::UnrolledCheck(check()?),
            DAY_ROLLUP => HistoryRow::Day(at()?, tally()?),
            SETTLED_DAYS => HistoryRow::SettledDays(window()?, tally()?),
            RECENT_DAYS => HistoryRow::RecentDays(window()?, tally()?),
            HOURS => HistoryRow::Hours(window()?, tally()?),
            FIRST_HOUR => HistoryRow::FirstHour(window()?, tally()?),
            FIRST_HOUR_CHECK => HistoryRow::FirstHourCheck(window()?, check()?),
            other => return Err(DbErr::Type(format!("no part of history: {other}"))),
        };
        Ok(Self {
            service_seq: row.try_get(prefix, "service_seq")?,
            part,
        })
    }
}

/// Begins a statement about services: `WITH given (seq) AS (...)`.
pub(super) fn with_services(backend: DbBackend, services: &[i32]) -> Sql {
    let rows: Vec<[i64; 1]> = services.iter().map(|seq| [i64::from(*seq)]).collect();
    Sql::new(backend)
        .text("WITH given AS (SELECT seq FROM ")
        .values_table("services", ["seq"], &rows)
        .text(")")
}

/// Builds the statement, part by part.
pub(super) struct HistoryStatement(Sql);

impl HistoryStatement {
    /// Selects the unrolled checks of each service, and the last check in its rollups.
    pub(super) fn new(backend: DbBackend, services: &[i32]) -> Self {
        Self(with_services(backend, services))
            .select_checks(LAST_ROLLED_UP, 0, "p")
            .text(" FROM given CROSS JOIN rollup_progress p WHERE p.service_seq = given.seq")
            .union_all()
            .select_checks(UNROLLED_CHECK, 0, "c")
            .text(" FROM given LEFT JOIN rollup_progress p ON p.service_seq = given.seq")
            .map(|sql| {
                sql.join_each("checks", "c", |sql| {
                    sql.text("c.service_seq = given.seq AND c.slot > coalesce(p.slot, -1)")
                })
            })
    }

    /// Adds the rollup of each day from `first` on.
    pub(super) fn days(self, first: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        self.union_all()
            .select_tally(DAY_ROLLUP, 0, "r.start", |column| format!("r.{column}"))
            .text(" FROM given")
            .join_rollups(RollupPeriod::Day, first, now)
    }

    /// Adds the sums of a window's days: of each service (by its number) from its own start on.
    pub(super) fn window_days(
        self,
        index: usize,
        starts: &[(i32, DateTime<Utc>)],
        now: DateTime<Utc>,
    ) -> Self {
        let starts: Vec<[i64; 2]> = starts
            .iter()
            .map(|(service, start)| [(*service).into(), start.timestamp_millis()])
            .collect();
        let day_ms = DAY.num_milliseconds();
        let part = format!(
            "CASE WHEN r.start < p.slot - p.slot % {day_ms} THEN {SETTLED_DAYS} ELSE {RECENT_DAYS} END"
        );
        self.union_all()
            .select_tally(part, index, "min(r.start)", sum)
            .text(" FROM ")
            .map(|sql| sql.values_table("starts", ["seq", "start"], &starts))
            .text(" LEFT JOIN rollup_progress p ON p.service_seq = starts.seq")
            .map(|sql| {
                sql.join_each("check_rollups", "r", |sql| {
                    sql.text("r.service_seq = starts.seq AND r.period = ")
                        .value(RollupPeriod::Day.into_value())
                        .text(" AND r.start >= starts.start AND r.start < ")
                        .value(now.timestamp_millis())
                })
            })
            .text(" GROUP BY r.service_seq, 1")
    }

    /// Adds the sum of a window's hours from `from` to the first whole day.
    pub(super) fn window_hours(
        self,
        index: usize,
        services: &[i32],
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Self {
        let services: Vec<[i64; 1]> = services.iter().map(|seq| [i64::from(*seq)]).collect();
        self.union_all()
            .select_tally(HOURS, index, "min(r.start)", sum)
            .text(" FROM ")
            .map(|sql| sql.values_table("given", ["seq"], &services))
            .join_rollups(RollupPeriod::Hour, from, to)
            .text(" GROUP BY r.service_seq")
    }

    /// Adds the rollup of the hour that `from` lies in and that ends at `to`, and its checks: from
    /// the last one before `from`, which reaches into the window, to the first one after the hour,
    /// which ends what the check before it covers.
    pub(super) fn first_hour(self, index: usize, from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        let max_reach = coverage_window(Duration::seconds(MAX_INTERVAL_SECONDS.into()));
        let [before, from_ms, to_ms, after] =
            [from - max_reach, from, to, to + max_reach].map(|at| at.timestamp_millis());
        self.union_all()
            .select_tally(FIRST_HOUR, index, "r.start", |column| format!("r.{column}"))
            .text(" FROM given")
            .join_rollups(RollupPeriod::Hour, to - HOUR, to)
            .union_all()
            .select_checks(FIRST_HOUR_CHECK, index, "c")
            .text(" FROM given")
            .map(|sql| {
                sql.join_each("checks", "c", |sql| {
                    sql.text("c.service_seq = given.seq AND c.slot >= coalesce((SELECT max(k.slot)")
                        .text(" FROM checks k WHERE k.service_seq = given.seq AND k.slot >= ")
                        .value(before)
                        .text(" AND k.slot < ")
                        .value(from_ms)
                        .text("), ")
                        .value(from_ms)
                        .text(") AND c.slot <= coalesce((SELECT min(k.slot)")
                        .text(" FROM checks k WHERE k.service_seq = given.seq AND k.slot >= ")
                        .value(to_ms)
                        .text(" AND k.slot < ")
                        .value(after)
                        .text("), ")
                        .value(to_ms)
                        .text(") AND c.slot >= ")
                        .value(before)
                        .text(" AND c.slot < ")
                        .value(after)
                })
            })
    }

    /// Runs the statement.
    pub(super) async fn rows(self, db: &DatabaseConnection) -> Result<Vec<Row>, DbErr> {
        Row::find_by_statement(self.0.finish()).all(db).await
    }

    /// Joins the rollups of each service that begin in a range.
    fn join_rollups(self, period: RollupPeriod, from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        self.map(|sql| {
            sql.join_each("check_rollups", "r", |sql| {
                sql.text("r.service_seq = given.seq AND r.period = ")
                    .value(period.into_value())
                    .text(" AND r.start >= ")
                    .value(from.timestamp_millis())
                    .text(" AND r.start < ")
                    .value(to.timestamp_millis())
            })
        })
    }

    /// Selects the columns of a check from the table named `table`.
    fn select_checks(self, part: i32, index: usize, table: &str) -> Self {
        self.text(&format!(
            " SELECT {part} AS part, {index} AS window_index, {table}.service_seq, \
             {table}.slot AS at, {table}.interval_seconds, {table}.status, \
             CAST(NULL AS bigint) AS up_ms, CAST(NULL AS bigint) AS degraded_ms, \
             CAST(NULL AS bigint) AS down_ms, CAST(NULL AS bigint) AS maintenance_ms"
        ))
    }

    /// Selects the columns of a rollup `r`, each as `expression` says.
    fn select_tally(
        self,
        part: impl Display,
        index: usize,
        at: &str,
        expression: impl Fn(&str) -> String,
    ) -> Self {
        let [up, degraded, down, maintenance] =
            ["up_ms", "degraded_ms", "down_ms", "maintenance_ms"].map(expression);
        self.text(&format!(
            " SELECT {part}, {index}, r.service_seq, {at}, CAST(NULL AS integer), \
             CAST(NULL AS smallint), {up}, {degraded}, {down}, {maintenance}"
        ))
    }

    fn union_all(self) -> Self {
        self.text(" UNION ALL")
    }

    fn text(self, text: &str) -> Self {
        self.map(|sql| sql.text(text))
    }

    fn map(self, append: impl FnOnce(Sql) -> Sql) -> Self {
        Self(append(self.0))
    }
}

/// Sums a column of the rollups. PostgreSQL's sum of `bigint` is `numeric`.
fn sum(column: &str) -> String {
    format!("CAST(sum(r.{column}) AS bigint)")
}
