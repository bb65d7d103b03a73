//! The recorder's statements: reading what is known under a lock, and writing what follows. Decides nothing.

use super::judgement::{Judgement, Known};
use crate::multi_row::MultiRow;
use chrono::{DateTime, Utc};
use domain::transition::{Failing, State};
use entity::column::{IncidentType, Status};
use entity::incident;
use sea_orm::sea_query::ArrayType;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, QueryResult,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value,
};
use std::collections::HashMap;
use uuid::Uuid;

const CHECKS: [&str; 8] = [
    "service_seq",
    "slot",
    "lateness_ms",
    "interval_seconds",
    "response_time_ms",
    "status",
    "status_code",
    "message",
];

const INCIDENTS: [&str; 8] = [
    "id",
    "service_id",
    "workspace_id",
    "type",
    "started_at",
    "resolved_at",
    "checks_failed",
    "cause",
];

const TIMELINE: [&str; 5] = ["id", "incident_id", "at", "kind", "message"];

const STATES: [&str; 19] = [
    "service_id",
    "status",
    "status_since",
    "last_slot",
    "checked_at",
    "status_code",
    "response_time_ms",
    "dns_ms",
    "connect_ms",
    "tls_ms",
    "first_byte_ms",
    "certificate_expires_at",
    "message",
    "failing_checks",
    "failing_since",
    "down_checks",
    "down_since",
    "open_incident_id",
    "open_incident_type",
];

/// A service cannot be deleted while its key is shared, and its state is nobody else's. Always the service first, as a
/// deletion does, and in the order of the ids, so that nobody waits in a circle.
const LOCK: &str = "SELECT s.seq FROM services s JOIN service_state st ON st.service_id = s.id WHERE s.seq = ANY($1) \
     ORDER BY s.id FOR KEY SHARE OF s FOR NO KEY UPDATE OF st";

const READ: &str = "SELECT s.seq, s.paused, s.updated_at, st.status, COALESCE(st.status_since, s.created_at), \
     st.last_slot, COALESCE(st.failing_checks, 0), st.failing_since, COALESCE(st.down_checks, 0), st.down_since, \
     i.id, i.type, i.started_at, i.checks_failed, i.cause, s.id, s.workspace_id \
     FROM services s LEFT JOIN service_state st ON st.service_id = s.id \
     LEFT JOIN incidents i ON i.id = st.open_incident_id AND i.resolved_at IS NULL WHERE s.seq ";

/// The tables that recording touches.
#[derive(Debug)]
pub(crate) struct Store {
    db: DatabaseConnection,
    backend: DbBackend,
    read: String,
    checks: MultiRow,
    incidents: MultiRow,
    timeline: MultiRow,
    states: MultiRow,
}

impl Store {
    pub(crate) fn new(db: DatabaseConnection) -> Self {
        let backend = db.get_database_backend();
        let numbers = match backend {
            DbBackend::Postgres => "= ANY($1)",
            _ => "IN (SELECT value FROM json_each(?))",
        };
        Self {
            db,
            backend,
            read: format!("{READ}{numbers}"),
            checks: MultiRow::new(backend, "checks", &CHECKS, "ON CONFLICT DO NOTHING"),
            incidents: MultiRow::new(
                backend,
                "incidents",
                &INCIDENTS,
                &upsert("id", &INCIDENTS[3..]),
            ),
            timeline: MultiRow::new(backend, "incident_events", &TIMELINE, ""),
            states: MultiRow::new(
                backend,
                "service_state",
                &STATES,
                &upsert("service_id", &STATES[1..]),
            ),
        }
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), DbErr> {
        self.db.ping().await
    }

    /// A transaction that may write from the start.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let sqlite_transaction_mode =
            (self.backend == DbBackend::Sqlite).then_some(SqliteTransactionMode::Immediate);
        self.db
            .begin_with_options(TransactionOptions {
                sqlite_transaction_mode,
                ..Default::default()
            })
            .await
    }

    /// What is known about the services with these numbers, which nobody else changes until the transaction ends.
    /// Those that are gone are absent.
    pub(crate) async fn read(
        &self,
        transaction: &DatabaseTransaction,
        numbers: &[i32],
    ) -> Result<HashMap<i32, Known>, DbErr> {
        if self.backend == DbBackend::Postgres {
            // Two statements, because the second sees what was committed while the first waited.
            let lock = Statement::from_sql_and_values(self.backend, LOCK, [self.list(numbers)]);
            transaction.execute_raw(lock).await?;
        }
        let read = Statement::from_sql_and_values(self.backend, &self.read, [self.list(numbers)]);
        let rows = transaction.query_all_raw(read).await?;
        rows.iter()
            .map(|row| Ok((row.try_get_by_index(0)?, known(row)?)))
            .collect()
    }

    /// Writes everything that follows from a batch.
    pub(crate) async fn write(
        &self,
        transaction: &DatabaseTransaction,
        judgement: &Judgement<'_>,
    ) -> Result<(), DbErr> {
        self.checks
            .write(transaction, judgement.check_values())
            .await?;
        self.incidents
            .write(transaction, judgement.incident_values())
            .await?;
        self.timeline
            .write(transaction, judgement.timeline_values())
            .await?;
        self.states
            .write(transaction, judgement.state_values())
            .await
    }

    fn list(&self, numbers: &[i32]) -> Value {
        match self.backend {
            DbBackend::Postgres => {
                let numbers = numbers.iter().map(|number| (*number).into()).collect();
                Value::Array(ArrayType::Int, Some(Box::new(numbers)))
            }
            _ => serde_json::to_string(numbers)
                .expect("a list of numbers is valid JSON")
                .into(),
        }
    }
}

fn upsert(key: &str, columns: &[&str]) -> String {
    let set: Vec<_> = columns
        .iter()
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    format!("ON CONFLICT ({key}) DO UPDATE SET {}", set.join(", "))
}

fn known(row: &QueryResult) -> Result<Known, DbErr> {
    // Absent only when the service has lost its row; the next write makes it anew.
    let status: Option<Status> = row.try_get_by_index(3)?;
    let incident: Option<Uuid> = row.try_get_by_index(10)?;
    let incident = incident.map(|id| open_incident(id, row)).transpose()?;
    Ok(Known {
        paused: row.try_get_by_index(1)?,
        updated_at: row.try_get_by_index(2)?,
        state: State {
            status: status.map_or(domain::Status::Unknown, Into::into),
            since: row.try_get_by_index(4)?,
            last_slot: row.try_get_by_index(5)?,
            failing: failing(row)?,
            incident: incident
                .as_ref()
                .map(|incident| incident.incident_type.into()),
        },
        incident,
        last: None,
    })
}

fn failing(row: &QueryResult) -> Result<Option<Failing>, DbErr> {
    let since: Option<DateTime<Utc>> = row.try_get_by_index(7)?;
    let (checks, down_checks): (i32, i32) = (row.try_get_by_index(6)?, row.try_get_by_index(8)?);
    let down_since: Option<DateTime<Utc>> = row.try_get_by_index(9)?;
    let count = |n: i32| u32::try_from(n).unwrap_or(0);
    Ok(since.filter(|_| checks > 0).map(|since| Failing {
        checks: count(checks),
        since,
        down_checks: count(down_checks),
        down_since: down_since.unwrap_or(since),
    }))
}

fn open_incident(id: Uuid, row: &QueryResult) -> Result<incident::Model, DbErr> {
    Ok(incident::Model {
        id,
        service_id: row.try_get_by_index(15)?,
        workspace_id: row.try_get_by_index(16)?,
        incident_type: row.try_get_by_index::<IncidentType>(11)?,
        started_at: row.try_get_by_index(12)?,
        resolved_at: None,
        checks_failed: row.try_get_by_index(13)?,
        cause: row.try_get_by_index(14)?,
    })
}
