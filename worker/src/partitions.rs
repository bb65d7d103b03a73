//! PostgreSQL keeps checks in one partition a day of UTC, because a day that has become too old is then dropped instead
//! of deleted row by row. SQLite has none: everything here does nothing there.
//!
//! Making and dropping needs locks for which recording would have to wait, behind whomever this waits for. So it gives up
//! quickly and tries again.
//!
//! Checks come in the order of time and are kept by service, which leaves a third of a day's index empty. Once the day is
//! over, its index is built anew without gaps.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use domain::rollup::DAY;
use entity::sql::{self, Sql};
use sea_orm::sqlx::{self, Connection as _};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, RuntimeErr, TransactionTrait,
};
use std::sync::Arc;
use std::time::Duration;

/// Days after today for which there are partitions.
const AHEAD: u64 = 3;

/// How often a lock is tried for, and the pause between.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(300);

/// Makes the partitions of today and the next days where they are missing. Rows of such a day that went to the default
/// partition move over.
///
/// # Errors
/// What the database said, also when a lock could not be had.
pub(crate) async fn make_ahead(db: &DatabaseConnection, now: DateTime<Utc>) -> Result<(), DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let there = days(db).await?;
    for day in (0..=AHEAD).filter_map(|ahead| now.date_naive().checked_add_days(Days::new(ahead))) {
        if !there.contains(&day) {
            patiently(db, &making(day)).await?;
            tracing::info!(%day, "made the partition of checks for a day");
        }
    }
    Ok(())
}

/// Drops the partitions of all days before `day`. Returns how many there were.
///
/// # Errors
/// What the database said, also when a lock could not be had.
pub(crate) async fn drop_before(db: &DatabaseConnection, day: NaiveDate) -> Result<u64, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(0);
    }
    let mut dropped = 0;
    for old in days(db).await?.into_iter().filter(|there| *there < day) {
        patiently(db, &format!("DROP TABLE {}", name(old))).await?;
        tracing::info!(day = %old, "dropped the partition of checks for a day that is over its time");
        dropped += 1;
    }
    Ok(dropped)
}

/// Builds the index of one day anew whose checks were all made, if it takes more room than it has to; the oldest day that
/// there is first. Reading and recording go on meanwhile. Returns whether there was such a day.
///
/// # Errors
/// What the database said. What was there before is still there.
pub(crate) async fn compact_one(
    db: &DatabaseConnection,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(false);
    }
    // Left behind by whoever was ended in the middle of it.
    for index in indexes(db, "NOT x.indisvalid AND k.relname LIKE '%\\_ccnew%'").await? {
        patiently(db, &format!("DROP INDEX {index}")).await?;
    }
    let Some(day) = indexes(db, LOOSE).await?.iter().find_map(|index| {
        let day = day(index.strip_suffix(PRIMARY)?)?;
        // Until a day later there may be somebody whose clock is slow.
        (day + Days::new(1) < now.date_naive()).then_some(day)
    }) else {
        return Ok(false);
    };
    let name = name(day);
    // A connection of its own, because this may take minutes and is possible outside of transactions only.
    let mut connection = db
        .get_postgres_connection_pool()
        .acquire()
        .await
        .map_err(sent)?
        .detach();
    for statement in [
        "SET statement_timeout = 0".to_owned(),
        format!("ALTER INDEX {name}{PRIMARY} SET (fillfactor = 100)"),
        format!("REINDEX INDEX CONCURRENTLY {name}{PRIMARY}"),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .map_err(sent)?;
    }
    connection.close().await.map_err(sent)?;
    tracing::info!(%day, "built the index of checks for a day without gaps");
    Ok(true)
}

/// What PostgreSQL calls the index of a primary key behind the name of its table.
const PRIMARY: &str = "_pkey";

/// An entry takes 28 bytes: a head and a pointer of 12, a number of 4 and a slot of 8, to the next multiple of 8. A full
/// index has next to nothing besides; with a quarter more, or of a size that nobody has counted, it is loose.
const LOOSE: &str = "x.indisprimary AND pg_relation_size(k.oid) > 65536 + 1.25 * 28 * k.reltuples";

/// The indexes of the days' partitions for which `condition` holds, by name; `k` is the index, `x` what is special in it.
async fn indexes(db: &DatabaseConnection, condition: &str) -> Result<Vec<String>, DbErr> {
    let sql = format!(
        "SELECT k.relname::text FROM pg_inherits i JOIN pg_index x ON x.indrelid = i.inhrelid
            JOIN pg_class k ON k.oid = x.indexrelid
        WHERE i.inhparent = 'checks'::regclass AND {condition} ORDER BY 1"
    );
    let rows = db
        .query_all_raw(Sql::new(DbBackend::Postgres).text(&sql).finish())
        .await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

fn sent(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}

/// The days that have a partition.
async fn days(db: &DatabaseConnection) -> Result<Vec<NaiveDate>, DbErr> {
    let sql = "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'checks'::regclass ORDER BY 1";
    let rows = db
        .query_all_raw(Sql::new(DbBackend::Postgres).text(sql).finish())
        .await?;
    let names: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
    Ok(names?.iter().filter_map(|name| day(name)).collect())
}

fn name(day: NaiveDate) -> String {
    day.format("checks_%Y%m%d").to_string()
}

fn day(name: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(name, "checks_%Y%m%d").ok()
}

/// Attached rather than made in place, because recording goes on while a partition is attached. The locks come in the
/// order in which others take them: a service that is being deleted reaches for its checks.
fn making(day: NaiveDate) -> String {
    let name = name(day);
    let from = day.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
    let to = from + DAY.num_milliseconds();
    format!(
        "LOCK TABLE services IN SHARE ROW EXCLUSIVE MODE;
        LOCK TABLE ONLY checks IN SHARE UPDATE EXCLUSIVE MODE;
        LOCK TABLE checks_default IN ACCESS EXCLUSIVE MODE;
        CREATE TABLE {name} (LIKE checks INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
        WITH moved AS (DELETE FROM checks_default WHERE slot >= {from} AND slot < {to} RETURNING *)
            INSERT INTO {name} SELECT * FROM moved;
        ALTER TABLE checks ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({to});"
    )
}

/// Runs statements in one transaction that waits for no lock longer than recording may be held up.
async fn patiently(db: &DatabaseConnection, statements: &str) -> Result<(), DbErr> {
    let mut tries = 0;
    loop {
        let tx = db.begin().await?;
        tx.execute_unprepared("SET LOCAL lock_timeout = '150ms'")
            .await?;
        match tx.execute_unprepared(statements).await {
            Ok(_) => return tx.commit().await,
            Err(error) if tries < TRIES && is_lock_timeout(&error) => tx.rollback().await?,
            Err(error) => return Err(error),
        }
        tries += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

/// SQLSTATE 55P03, `lock_not_available`.
fn is_lock_timeout(error: &DbErr) -> bool {
    sql::error_code(error).is_some_and(|code| code == "55P03")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_days_are_days() {
        let date = NaiveDate::from_ymd_opt(2026, 2, 3).unwrap();
        assert_eq!(
            (name(date).as_str(), day("checks_20260203")),
            ("checks_20260203", Some(date))
        );
        for other in ["checks_default", "checks_2026", "checks_20261301", "checks"] {
            assert_eq!(day(other), None, "{other}");
        }
    }
}
