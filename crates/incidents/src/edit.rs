//! Records in the timeline that people changed what is checked.

use crate::event_kind::EventKind;
use crate::text::clean_message;
use crate::timeline;
use chrono::{DateTime, Utc};
use entity::incident_event;
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait, Set};
use uuid::Uuid;

/// Adds an entry about a changed definition to the timeline of an open incident. `fields` names what
/// was changed, for people.
///
/// The caller must have locked the state of the service, so that no recorder closes the incident
/// meanwhile.
///
/// # Errors
/// Whatever the database reports.
pub async fn record_edit(
    transaction: &DatabaseTransaction,
    incident_id: Uuid,
    at: DateTime<Utc>,
    fields: &[String],
) -> Result<(), DbErr> {
    let event = incident_event::ActiveModel {
        id: Set(Uuid::now_v7()),
        incident_id: Set(incident_id),
        at: Set(at),
        kind: Set(EventKind::DefinitionChanged.as_str().to_owned()),
        message: Set(clean_message(&timeline::definition_changed(fields))),
    };
    incident_event::Entity::insert(event)
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}
