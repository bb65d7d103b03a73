//! The states of paused services: resets them, keeps what they were for an undo, and restores that.

use crate::use_cases::service::initial_state;
use crate::use_cases::{Result, now};
use chrono::{DateTime, Utc};
use domain::State;
use domain::transition::Effect;
use entity::column::{IncidentType, Status};
use entity::sql::in_ids;
use entity::{incident, service, service_state};
use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, Iterable, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The place of [`BeforePause`] in the details of a state. The next recorded check replaces the
/// details, so that nothing of it is left then.
const BEFORE_PAUSE: &str = "beforePause";

/// Maximum number of rows of a statement: their parameters stay below SQLite's limit of 32,766.
const MAX_ROWS: usize = 1500;

/// What a pause resets, as it was before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BeforePause {
    paused_at: DateTime<Utc>,
    status: Status,
    status_since: DateTime<Utc>,
    message: Option<String>,
    failing_checks: i32,
    failing_since: Option<DateTime<Utc>>,
    down_checks: i32,
    down_since: Option<DateTime<Utc>>,
    recovering_checks: i32,
    recovering_since: Option<DateTime<Utc>>,
    open_incident_id: Option<Uuid>,
    open_incident_type: Option<IncidentType>,
}

impl BeforePause {
    fn of(row: &service_state::Model, paused_at: DateTime<Utc>) -> Self {
        Self {
            paused_at,
            status: row.status,
            status_since: row.status_since,
            message: row.message.clone(),
            failing_checks: row.failing_checks,
            failing_since: row.failing_since,
            down_checks: row.down_checks,
            down_since: row.down_since,
            recovering_checks: row.recovering_checks,
            recovering_since: row.recovering_since,
            open_incident_id: row.open_incident_id,
            open_incident_type: row.open_incident_type,
        }
    }

    /// Reads it from the details of a state; `None` if the state was not reset by a pause.
    fn read(details: &serde_json::Value) -> Option<Self> {
        Self::deserialize(details.get(BEFORE_PAUSE)?).ok()
    }

    fn restore(self, mut row: service_state::Model) -> service_state::Model {
        if let Some(details) = row.details.as_object_mut() {
            details.remove(BEFORE_PAUSE);
        }
        service_state::Model {
            status: self.status,
            status_since: self.status_since,
            message: self.message,
            failing_checks: self.failing_checks,
            failing_since: self.failing_since,
            down_checks: self.down_checks,
            down_since: self.down_since,
            recovering_checks: self.recovering_checks,
            recovering_since: self.recovering_since,
            open_incident_id: self.open_incident_id,
            open_incident_type: self.open_incident_type,
            ..row
        }
    }
}

/// Resets the states of the services `ids` to unknown, and returns the incidents that this closed.
pub(super) async fn reset_states(
    transaction: &DatabaseTransaction,
    services: &[service::Model],
    ids: &[Uuid],
) -> Result<Vec<incident::Model>> {
    let rows = lock_states(transaction, ids).await?;
    let open = incident::Entity::find()
        .filter(in_ids(
            transaction,
            incident::Column::Id,
            rows.iter().filter_map(|row| row.open_incident_id),
        ))
        .all(transaction)
        .await?;
    // One instant for all, and not before any of their incidents began: the clock of the worker that
    // opened them may be ahead.
    let latest_start = open
        .iter()
        .map(|open| open.started_at)
        .chain(rows.iter().map(|row| row.status_since))
        .max();
    let at = latest_start.map_or_else(now, |start| start.max(now()));

    let with_state: BTreeSet<Uuid> = rows.iter().map(|row| row.service_id).collect();
    let mut resolved = BTreeSet::new();
    let mut reset = Vec::with_capacity(rows.len());
    for row in rows {
        let (paused, effects) = stored_state(&row).paused(at);
        if effects
            .iter()
            .any(|effect| matches!(effect, Effect::Resolved { .. }))
        {
            resolved.extend(row.open_incident_id);
        }
        reset.push(reset_state(row, paused.since, at));
    }
    write_states(transaction, &reset).await?;
    let missing_states: Vec<_> = services
        .iter()
        .filter(|service| ids.contains(&service.id) && !with_state.contains(&service.id))
        .map(initial_state)
        .collect();
    if !missing_states.is_empty() {
        service_state::Entity::insert_many(missing_states)
            .exec_without_returning(transaction)
            .await?;
    }
    let ended: Vec<incident::Model> = open
        .into_iter()
        .filter(|open| resolved.contains(&open.id))
        .collect();
    incidents::close_on_pause(transaction, &ended, at).await?;
    Ok(ended)
}

/// Restores the states of those of the services `ids` that were paused at `earliest` or later, and
/// opens their incidents again. Returns the ids of these services and incidents.
pub(super) async fn restore_states(
    transaction: &DatabaseTransaction,
    ids: &[Uuid],
    earliest: DateTime<Utc>,
) -> Result<Vec<(Uuid, Uuid)>> {
    let rows = lock_states(transaction, ids).await?.into_iter();
    let restored: Vec<service_state::Model> = rows
        .filter_map(|row| {
            let before = BeforePause::read(&row.details)?;
            (before.paused_at >= earliest).then(|| before.restore(row))
        })
        .collect();
    let reopened: Vec<(Uuid, Uuid)> = restored
        .iter()
        .filter_map(|row| Some((row.service_id, row.open_incident_id?)))
        .collect();
    let incident_ids: Vec<Uuid> = reopened.iter().map(|(_, incident)| *incident).collect();
    incidents::reopen_after_pause(transaction, &incident_ids).await?;
    write_states(transaction, &restored).await?;
    Ok(reopened)
}

/// Reads the states of services, and locks them until the transaction ends.
async fn lock_states(
    transaction: &DatabaseTransaction,
    ids: &[Uuid],
) -> Result<Vec<service_state::Model>> {
    use service_state::Column::ServiceId;
    Ok(service_state::Entity::find()
        .filter(in_ids(transaction, ServiceId, ids.iter().copied()))
        .order_by_asc(ServiceId)
        .lock(LockType::NoKeyUpdate)
        .all(transaction)
        .await?)
}

/// Overwrites states, in a number of statements that hardly depends on how many there are.
async fn write_states(
    transaction: &DatabaseTransaction,
    rows: &[service_state::Model],
) -> Result<()> {
    use service_state::Column;
    let changeable = Column::iter().filter(|column| !matches!(column, Column::ServiceId));
    let overwrite = OnConflict::column(Column::ServiceId)
        .update_columns(changeable)
        .to_owned();
    for rows in rows.chunks(MAX_ROWS) {
        // Reset, because an active model made of a row inserts only what was changed in it.
        let rows = rows
            .iter()
            .map(|row| row.clone().into_active_model().reset_all());
        service_state::Entity::insert_many(rows)
            .on_conflict(overwrite.clone())
            .exec_without_returning(transaction)
            .await?;
    }
    Ok(())
}

fn reset_state(
    row: service_state::Model,
    since: DateTime<Utc>,
    paused_at: DateTime<Utc>,
) -> service_state::Model {
    let before = BeforePause::of(&row, paused_at);
    let mut details = match row.details {
        serde_json::Value::Object(details) => details,
        _ => serde_json::Map::new(),
    };
    let before = serde_json::to_value(before).expect("it holds only texts, numbers and times");
    details.insert(BEFORE_PAUSE.to_owned(), before);
    service_state::Model {
        status: Status::Unknown,
        status_since: since,
        details: details.into(),
        message: None,
        failing_checks: 0,
        failing_since: None,
        down_checks: 0,
        down_since: None,
        recovering_checks: 0,
        recovering_since: None,
        open_incident_id: None,
        open_incident_type: None,
        ..row
    }
}

fn stored_state(row: &service_state::Model) -> State {
    State {
        status: row.status.into(),
        since: row.status_since,
        last_slot: row.last_slot,
        failing: None,
        recovering: None,
        incident: row.open_incident_type.map(Into::into),
    }
}
