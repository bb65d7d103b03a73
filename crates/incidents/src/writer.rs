//! The statements that write collected changes.

use crate::changes::IncidentChanges;
use entity::multi_row::{MultiRowInsert, on_conflict_update};
use sea_orm::{DatabaseTransaction, DbBackend, DbErr, Value};

const INCIDENT_COLUMNS: [&str; 8] = [
    "id",
    "service_id",
    "workspace_id",
    "type",
    "started_at",
    "resolved_at",
    "checks_failed",
    "cause",
];

const EVENT_COLUMNS: [&str; 5] = ["id", "incident_id", "at", "kind", "message"];

/// Writes changes of incidents. Keeps the texts of its statements, so that each is prepared once.
#[derive(Debug)]
pub struct IncidentWriter {
    incidents: MultiRowInsert,
    events: MultiRowInsert,
}

impl IncidentWriter {
    /// A writer for databases of this kind.
    #[must_use]
    pub fn new(backend: DbBackend) -> Self {
        // An incident never moves to another service.
        let changeable = &INCIDENT_COLUMNS[3..];
        Self {
            incidents: MultiRowInsert::new(
                backend,
                "incidents",
                &INCIDENT_COLUMNS,
                &on_conflict_update(&["id"], changeable),
            ),
            events: MultiRowInsert::new(backend, "incident_events", &EVENT_COLUMNS, ""),
        }
    }

    /// Inserts or updates the changed incidents and inserts their new timeline entries.
    /// Does nothing if nothing changed.
    ///
    /// # Errors
    /// Whatever the database reports; the caller rolls the transaction back.
    pub async fn write(
        &self,
        transaction: &DatabaseTransaction,
        changes: &IncidentChanges,
    ) -> Result<(), DbErr> {
        self.incidents
            .write(transaction, incident_values(changes))
            .await?;
        self.events.write(transaction, event_values(changes)).await
    }
}

fn incident_values(changes: &IncidentChanges) -> Vec<Value> {
    let values = changes.incidents().iter().flat_map(|incident| {
        [
            incident.id.into(),
            incident.service_id.into(),
            incident.workspace_id.into(),
            incident.incident_type.into(),
            incident.started_at.into(),
            incident.resolved_at.into(),
            incident.checks_failed.into(),
            incident.cause.clone().into(),
        ]
    });
    values.collect()
}

fn event_values(changes: &IncidentChanges) -> Vec<Value> {
    let values = changes.timeline().iter().flat_map(|event| {
        [
            event.id.into(),
            event.incident_id.into(),
            event.at.into(),
            event.kind.clone().into(),
            event.message.clone().into(),
        ]
    });
    values.collect()
}
