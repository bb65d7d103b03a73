//! The recorder's statements: reads the services of a batch under a lock, and writes what follows
//! from the batch. Decides nothing.

use super::batch::{BatchTransition, StoredService};
use chrono::{DateTime, Utc};
use domain::transition::{Failing, Recovering, State};
use entity::column::{IncidentType, Status};
use entity::incident;
use entity::multi_row::{MultiRowInsert, on_conflict_update};
use entity::sql::Sql;
use incidents::{IncidentProgress, IncidentWriter};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, QueryResult,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use std::collections::HashMap;
use uuid::Uuid;

const CHECK_COLUMNS: [&str; 8] = [
    "service_seq",
    "slot",
    "lateness_ms",
    "interval_seconds",
    "response_time_ms",
    "status",
    "status_code",
    "message",
];

const STATE_COLUMNS: [&str; 17] = [
    "service_id",
    "status",
    "status_since",
    "last_slot",
    "checked_at",
    "status_code",
    "response_time_ms",
    "details",
    "message",
    "failing_checks",
    "failing_since",
    "down_checks",
    "down_since",
    "recovering_checks",
    "recovering_since",
    "open_incident_id",
    "open_incident_type",
];

/// Locks services, so that they cannot be deleted, and their states. Always the service first, as a
/// deletion does, and in the order of their ids, so that no two transactions wait for each other.
const LOCK: &str = "SELECT s.seq FROM services s JOIN service_state st ON st.service_id = s.id \
     WHERE s.seq = ANY(";
const LOCK_ORDER: &str = ") ORDER BY s.id FOR KEY SHARE OF s FOR NO KEY UPDATE OF st";

const READ: &str = "SELECT s.seq, s.id AS service_id, s.workspace_id, s.paused, s.updated_at, st.status, \
     COALESCE(st.status_since, s.created_at) AS status_since, st.last_slot, \
     COALESCE(st.failing_checks, 0) AS failing_checks, st.failing_since, \
     COALESCE(st.down_checks, 0) AS down_checks, st.down_since, \
     COALESCE(st.recovering_checks, 0) AS recovering_checks, st.recovering_since, \
     i.id AS incident_id, i.type AS incident_type, i.started_at, i.checks_failed, i.cause, \
     (SELECT count(*) FROM incident_events e WHERE e.incident_id = i.id AND e.kind = 'cause_changed') \
     AS cause_changes, \
     (SELECT max(e.at) FROM incident_events e WHERE e.incident_id = i.id AND e.kind = 'cause_changed') \
     AS cause_changed_at, \
     (SELECT count(*) FROM incident_events e WHERE e.incident_id = i.id AND e.kind = 'definition_changed') \
     AS definition_changes \
     FROM services s LEFT JOIN service_state st ON st.service_id = s.id \
     LEFT JOIN incidents i ON i.id = st.open_incident_id AND i.resolved_at IS NULL WHERE s.seq";

/// The tables that recording touches.
#[derive(Debug)]
pub(crate) struct Store {
    db: DatabaseConnection,
    backend: DbBackend,
    checks: MultiRowInsert,
    states: MultiRowInsert,
    incidents: IncidentWriter,
}

impl Store {
    pub(crate) fn new(db: DatabaseConnection) -> Self {
        let backend = db.get_database_backend();
        let update_state = on_conflict_update(&["service_id"], &STATE_COLUMNS[1..]);
        Self {
            db,
            backend,
            checks: MultiRowInsert::new(
                backend,
                "checks",
                &CHECK_COLUMNS,
                "ON CONFLICT DO NOTHING",
            ),
            states: MultiRowInsert::new(backend, "service_state", &STATE_COLUMNS, &update_state),
            incidents: IncidentWriter::new(backend),
        }
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), DbErr> {
        self.db.ping().await
    }

    /// Begins a transaction that may write from the start.
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

    /// Reads the services with these keys, by key, and locks them until the transaction ends.
    /// Deleted services are absent.
    pub(crate) async fn read(
        &self,
        transaction: &DatabaseTransaction,
        seqs: &[i32],
    ) -> Result<HashMap<i32, StoredService>, DbErr> {
        if self.backend == DbBackend::Postgres {
            // Two statements, because the second one sees what was committed while the first waited.
            let lock = self.sql(LOCK).value(seqs.to_vec()).text(LOCK_ORDER);
            transaction.execute_raw(lock.finish()).await?;
        }
        let read = self.sql(READ);
        let read = match self.backend {
            DbBackend::Postgres => read.text(" = ANY(").value(seqs.to_vec()).text(")"),
            _ => read
                .text(" IN (SELECT value FROM json_each(")
                .value(json_list(seqs))
                .text("))"),
        };
        let rows = transaction.query_all_raw(read.finish()).await?;
        rows.iter()
            .map(|row| Ok((row.try_get("", "seq")?, stored_service(row)?)))
            .collect()
    }

    /// Writes everything that follows from a batch.
    pub(crate) async fn write(
        &self,
        transaction: &DatabaseTransaction,
        batch: &BatchTransition<'_>,
    ) -> Result<(), DbErr> {
        self.checks.write(transaction, batch.check_values()).await?;
        self.incidents.write(transaction, &batch.incidents).await?;
        self.states.write(transaction, batch.state_values()).await
    }

    fn sql(&self, text: &str) -> Sql {
        Sql::new(self.backend).text(text)
    }
}

fn json_list(numbers: &[i32]) -> String {
    serde_json::to_string(numbers).expect("a list of numbers is valid JSON")
}

fn stored_service(row: &QueryResult) -> Result<StoredService, DbErr> {
    // A service without a state row gets one by the next write.
    let status: Option<Status> = row.try_get("", "status")?;
    let incident = open_incident(row)?;
    Ok(StoredService {
        paused: row.try_get("", "paused")?,
        updated_at: row.try_get("", "updated_at")?,
        state: State {
            status: status.map_or(domain::Status::Unknown, Into::into),
            since: row.try_get("", "status_since")?,
            last_slot: row.try_get("", "last_slot")?,
            failing: failing(row)?,
            recovering: recovering(row)?,
            incident: incident
                .as_ref()
                .map(|incident| incident.incident_type.into()),
        },
        progress: progress(row)?,
        incident,
        last_check: None,
    })
}

fn failing(row: &QueryResult) -> Result<Option<Failing>, DbErr> {
    let since: Option<DateTime<Utc>> = row.try_get("", "failing_since")?;
    let checks: i32 = row.try_get("", "failing_checks")?;
    let down_checks: i32 = row.try_get("", "down_checks")?;
    let down_since: Option<DateTime<Utc>> = row.try_get("", "down_since")?;
    let count = |n: i32| u32::try_from(n).unwrap_or(0);
    Ok(since.filter(|_| checks > 0).map(|since| Failing {
        checks: count(checks),
        since,
        down_checks: count(down_checks),
        down_since: down_since.unwrap_or(since),
    }))
}

fn recovering(row: &QueryResult) -> Result<Option<Recovering>, DbErr> {
    let checks: i32 = row.try_get("", "recovering_checks")?;
    let since: Option<DateTime<Utc>> = row.try_get("", "recovering_since")?;
    let checks = u32::try_from(checks).unwrap_or(0);
    Ok(since
        .filter(|_| checks > 0)
        .map(|since| Recovering { checks, since }))
}

fn progress(row: &QueryResult) -> Result<IncidentProgress, DbErr> {
    let changes: i64 = row.try_get("", "cause_changes")?;
    let definition_changes: i64 = row.try_get("", "definition_changes")?;
    Ok(IncidentProgress {
        cause_changes: u32::try_from(changes).unwrap_or(u32::MAX),
        cause_changed_at: row.try_get("", "cause_changed_at")?,
        has_changed_definition: definition_changes > 0,
    })
}

fn open_incident(row: &QueryResult) -> Result<Option<incident::Model>, DbErr> {
    let Some(id) = row.try_get::<Option<Uuid>>("", "incident_id")? else {
        return Ok(None);
    };
    Ok(Some(incident::Model {
        id,
        service_id: row.try_get("", "service_id")?,
        workspace_id: row.try_get("", "workspace_id")?,
        incident_type: row.try_get::<IncidentType>("", "incident_type")?,
        started_at: row.try_get("", "started_at")?,
        resolved_at: None,
        checks_failed: row.try_get("", "checks_failed")?,
        cause: row.try_get("", "cause")?,
    }))
}
