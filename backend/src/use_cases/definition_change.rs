//! Which fields of a definition a change concerns, and the entry about it in the timeline of an open
//! incident.

use super::service::Definition;
use super::{Result, now};
use domain::field::FieldInfo;
use domain::service::ServiceDraft;
use entity::service_state;
use sea_orm::sea_query::LockType;
use sea_orm::{DatabaseTransaction, EntityTrait, QuerySelect};
use uuid::Uuid;

/// Reads a number of a definition.
type Number = fn(&ServiceDraft) -> i32;

/// Returns the names for people of the fields that differ and that checks depend on. `others` tells
/// that components of a vendor page were exchanged.
pub(super) fn changed_fields(old: &Definition, new: &Definition, others: bool) -> Vec<String> {
    let (before, after) = (old.monitor.settings(), new.monitor.settings());
    let fields = new.monitor.kind().info().fields.iter();
    let mut changed: Vec<String> = fields
        .filter(|field| before.get(field.name) != after.get(field.name))
        .map(|field: &FieldInfo| field.label.to_lowercase())
        .collect();
    if others && changed.is_empty() {
        changed.push("components".into());
    }
    if let (true, Some(target)) = (
        old.monitor.target() != new.monitor.target(),
        new.monitor.target(),
    ) && let Some(first) = changed.first_mut()
    {
        first.push_str(&format!(" (now {target})"));
    }
    let numbers: [(&str, Number); 5] = [
        ("interval", |draft| draft.check_interval_seconds),
        ("timeout", |draft| draft.timeout_ms),
        ("degraded threshold", |draft| draft.degraded_threshold_ms),
        ("confirmations", |draft| draft.confirmations),
        ("recoveries", |draft| draft.recoveries),
    ];
    let numbers = numbers
        .into_iter()
        .filter(|(_, number)| number(&old.draft) != number(&new.draft));
    changed.extend(numbers.map(|(name, _)| name.to_owned()));
    changed
}

/// Adds an entry to the timeline of the service's open incident, if there is one and anything was
/// changed. Returns the incident's id.
pub(super) async fn record_on_open_incident(
    transaction: &DatabaseTransaction,
    service_id: Uuid,
    changed: &[String],
) -> Result<Option<Uuid>> {
    if changed.is_empty() {
        return Ok(None);
    }
    // Locked, so that no recorder closes the incident before the entry is written.
    let state = service_state::Entity::find_by_id(service_id)
        .lock(LockType::NoKeyUpdate)
        .one(transaction)
        .await?;
    let open = state.and_then(|state| state.open_incident_id);
    if let Some(incident_id) = open {
        incidents::record_edit(transaction, incident_id, now(), changed).await?;
    }
    Ok(open)
}
