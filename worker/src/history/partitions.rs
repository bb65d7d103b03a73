//! Manages the partitions of checks in PostgreSQL: one for each day of UTC, so that an old day is
//! dropped instead of deleted row by row. Does nothing in SQLite, which has no partitions.
//!
//! Creating and dropping needs locks that recording would have to queue behind, so attempts time out
//! quickly and are repeated.
//!
//! Checks come in the order of time and are indexed by service, which leaves a third of a day's index
//! empty. Once the day is over, its index is rebuilt without gaps.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use domain::rollup::DAY;
use entity::sql::{self, Sql};
use sea_orm::sqlx::{self, Connection as _};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, RuntimeErr, TransactionTrait,
};
use std::sync::Arc;
use std::time::Duration;

/// Number of days after today for which there are partitions.
const DAYS_AHEAD: u64 = 3;

/// Number of retries for a lock, and the pause between them.
const LOCK_RETRIES: u32 = 10;
const LOCK_RETRY_PAUSE: Duration = Duration::from_millis(300);

/// Creates the missing partitions of today and the next days. Moves rows of such a day from the
/// default partition.
pub(crate) async fn create_ahead(db: &DatabaseConnection, now: DateTime<Utc>) -> Result<(), DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let existing = days(db).await?;
    for day in
        (0..=DAYS_AHEAD).filter_map(|ahead| now.date_naive().checked_add_days(Days::new(ahead)))
    {
        if !existing.contains(&day) {
            with_lock_timeout(db, &create_statements(day)).await?;
            tracing::info!(%day, "created the partition of checks for a day");
        }
    }
    Ok(())
}

/// Drops the partitions of all days before `day`. Returns how many there were.
pub(crate) async fn drop_before(db: &DatabaseConnection, day: NaiveDate) -> Result<u64, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(0);
    }
    let mut dropped = 0;
    for old in days(db)
        .await?
        .into_iter()
        .filter(|existing| *existing < day)
    {
        with_lock_timeout(db, &format!("DROP TABLE {}", name(old))).await?;
        tracing::info!(day = %old, "dropped the partition of checks for an old day");
        dropped += 1;
    }
    Ok(dropped)
}

/// Rebuilds the index of the oldest past day that has a bloated one. Reading and recording go on
/// meanwhile. Returns whether there was such a day.
pub(crate) async fn compact_one(
    db: &DatabaseConnection,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(false);
    }
    // Left behind by an interrupted rebuild.
    for index in indexes(db, "NOT x.indisvalid AND k.relname LIKE '%\\_ccnew%'").await? {
        with_lock_timeout(db, &format!("DROP INDEX {index}")).await?;
    }
    let Some(day) = indexes(db, BLOATED).await?.iter().find_map(|index| {
        let day = day(index.strip_suffix(PRIMARY_KEY_SUFFIX)?)?;
        // Workers with slow clocks may still write a day later.
        (day + Days::new(1) < now.date_naive()).then_some(day)
    }) else {
        return Ok(false);
    };
    let name = name(day);
    // Needs a connection of its own, because it may take minutes and must not run in a transaction.
    let mut connection = db
        .get_postgres_connection_pool()
        .acquire()
        .await
        .map_err(exec_error)?
        .detach();
    for statement in [
        "SET statement_timeout = 0".to_owned(),
        format!("ALTER INDEX {name}{PRIMARY_KEY_SUFFIX} SET (fillfactor = 100)"),
        format!("REINDEX INDEX CONCURRENTLY {name}{PRIMARY_KEY_SUFFIX}"),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .map_err(exec_error)?;
    }
    connection.close().await.map_err(exec_error)?;
    tracing::info!(%day, "rebuilt the index of checks for a day");
    Ok(true)
}

/// What PostgreSQL appends to the name of a table for the index of its primary key.
const PRIMARY_KEY_SUFFIX: &str = "_pkey";

/// Condition for an index with more than a quarter of gaps. An entry takes 28 bytes: a header and a
/// pointer of 12, a `seq` of 4 and a slot of 8, aligned to 8. Also true if the rows were never counted.
const BLOATED: &str =
    "x.indisprimary AND pg_relation_size(k.oid) > 65536 + 1.25 * 28 * k.reltuples";

/// Returns the names of the partitions' indexes for which `condition` holds; it may use `k`, the row of
/// `pg_class`, and `x`, that of `pg_index`.
async fn indexes(db: &DatabaseConnection, condition: &str) -> Result<Vec<String>, DbErr> {
    let sql = format!(
        "SELECT k.relname::text AS name FROM pg_inherits i JOIN pg_index x ON x.indrelid = i.inhrelid
            JOIN pg_class k ON k.oid = x.indexrelid
        WHERE i.inhparent = 'checks'::regclass AND {condition} ORDER BY 1"
    );
    let rows = db
        .query_all_raw(Sql::new(DbBackend::Postgres).text(&sql).finish())
        .await?;
    rows.iter().map(|row| row.try_get("", "name")).collect()
}

fn exec_error(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}

/// Returns the days that have a partition.
async fn days(db: &DatabaseConnection) -> Result<Vec<NaiveDate>, DbErr> {
    let sql =
        "SELECT c.relname::text AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'checks'::regclass ORDER BY 1";
    let rows = db
        .query_all_raw(Sql::new(DbBackend::Postgres).text(sql).finish())
        .await?;
    let names: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get("", "name")).collect();
    Ok(names?.iter().filter_map(|name| day(name)).collect())
}

fn name(day: NaiveDate) -> String {
    day.format("checks_%Y%m%d").to_string()
}

fn day(name: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(name, "checks_%Y%m%d").ok()
}

/// Returns the statements that create the partition of a day. It is created as a table and then
/// attached, because recording goes on while a partition is attached. Locks are taken in the order in
/// which the deletion of a service takes them.
fn create_statements(day: NaiveDate) -> String {
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

/// Runs statements in a transaction that waits for a lock no longer than recording may be delayed.
async fn with_lock_timeout(db: &DatabaseConnection, statements: &str) -> Result<(), DbErr> {
    let mut retries = 0;
    loop {
        let tx = db.begin().await?;
        tx.execute_unprepared("SET LOCAL lock_timeout = '150ms'")
            .await?;
        match tx.execute_unprepared(statements).await {
            Ok(_) => return tx.commit().await,
            Err(error) if retries < LOCK_RETRIES && is_lock_timeout(&error) => {
                tx.rollback().await?;
            }
            Err(error) => return Err(error),
        }
        retries += 1;
        tokio::time::sleep(LOCK_RETRY_PAUSE).await;
    }
}

/// SQLSTATE 55P03, `lock_not_available`.
fn is_lock_timeout(error: &DbErr) -> bool {
    sql::code(error).is_some_and(|code| code == "55P03")
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
