//! Acknowledgements of incidents, and notes on them.

use crate::auth::Viewer;
use crate::use_cases::{Error, Result, UseCases, now};
use coordination::Event;
use domain::is_hidden;
use entity::sql::in_ids;
use entity::{incident, incident_acknowledgement, incident_note};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, FromQueryResult, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// Maximum number of notes on an incident.
pub const MAX_NOTES: u64 = 100;
/// Maximum length of a note, in characters.
pub const MAX_TEXT: usize = 5_000;

const INCIDENT: &str = "incident";
const NOTE: &str = "note";

impl UseCases {
    /// Acknowledges an incident. The first acknowledgement is kept.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn acknowledge(&self, viewer: &Viewer, id: Uuid) -> Result<Arc<incident::Model>> {
        let incident = self
            .incident(viewer, id)
            .await?
            .ok_or(Error::NotFound(INCIDENT))?;
        let row = incident_acknowledgement::Model {
            incident_id: id,
            user_id: viewer.user_id,
            at: now(),
        };
        let added = incident_acknowledgement::Entity::insert(row.into_active_model())
            .on_conflict_do_nothing_on([incident_acknowledgement::Column::IncidentId])
            .exec_without_returning(&self.db)
            .await?;
        if matches!(added, sea_orm::TryInsertResult::Inserted(1..)) {
            self.publish(&[change_event(&incident)]).await;
        }
        Ok(incident)
    }

    /// Removes the acknowledgement of an incident.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn unacknowledge(&self, viewer: &Viewer, id: Uuid) -> Result<Arc<incident::Model>> {
        let incident = self
            .incident(viewer, id)
            .await?
            .ok_or(Error::NotFound(INCIDENT))?;
        let gone = incident_acknowledgement::Entity::delete_by_id(id)
            .exec(&self.db)
            .await?;
        if gone.rows_affected > 0 {
            self.publish(&[change_event(&incident)]).await;
        }
        Ok(incident)
    }

    /// Adds a note to an incident.
    ///
    /// # Errors
    /// Returns [`Error::NotFound`], [`Error::BadInput`] for an invalid text, or [`Error::Conflict`] if the
    /// incident has [`MAX_NOTES`] notes.
    pub async fn add_note(
        &self,
        viewer: &Viewer,
        id: Uuid,
        text: &str,
    ) -> Result<incident_note::Model> {
        let transaction = self.begin().await?;
        // Locks the incident, so that two concurrent notes cannot both be the last one allowed.
        let incident = incident::Entity::find_by_id(id)
            .filter(incident::Column::WorkspaceId.eq(viewer.workspace_id))
            .lock(LockType::NoKeyUpdate)
            .one(&transaction)
            .await?
            .ok_or(Error::NotFound(INCIDENT))?;
        let text = validate(text)?;
        let of_incident =
            incident_note::Entity::find().filter(incident_note::Column::IncidentId.eq(id));
        if of_incident.count(&transaction).await? >= MAX_NOTES {
            return Err(Error::Conflict(format!(
                "the incident has {MAX_NOTES} notes, the maximum: delete one first"
            )));
        }
        let note = incident_note::Model {
            id: Uuid::now_v7(),
            incident_id: id,
            user_id: viewer.user_id,
            at: now(),
            text,
        };
        let note = note.into_active_model().insert(&transaction).await?;
        transaction.commit().await?;
        self.publish(&[change_event(&incident)]).await;
        Ok(note)
    }

    /// Deletes a note that the viewer wrote in this workspace, and returns its id.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_note(&self, viewer: &Viewer, id: Uuid) -> Result<Uuid> {
        let note = incident_note::Entity::find_by_id(id)
            .filter(incident_note::Column::UserId.eq(viewer.user_id))
            .find_also_related(incident::Entity)
            .filter(incident::Column::WorkspaceId.eq(viewer.workspace_id))
            .one(&self.db)
            .await?;
        let incident = note
            .and_then(|(_, incident)| incident)
            .ok_or(Error::NotFound(NOTE))?;
        incident_note::Entity::delete_by_id(id)
            .exec(&self.db)
            .await?;
        self.publish(&[change_event(&incident)]).await;
        Ok(id)
    }

    /// Returns the acknowledgements of these incidents.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn acknowledgements(
        &self,
        incidents: &[Uuid],
    ) -> Result<HashMap<Uuid, incident_acknowledgement::Model>> {
        let found = incident_acknowledgement::Entity::find()
            .filter(in_ids(
                &self.db,
                incident_acknowledgement::Column::IncidentId,
                incidents.iter().copied(),
            ))
            .all(&self.db)
            .await?;
        Ok(found
            .into_iter()
            .map(|row| (row.incident_id, row))
            .collect())
    }

    /// Counts the notes on each incident; those without any are missing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_notes(&self, incidents: &[Uuid]) -> Result<HashMap<Uuid, i64>> {
        let counts: Vec<NoteCount> = incident_note::Entity::find()
            .select_only()
            .column(incident_note::Column::IncidentId)
            .column_as(incident_note::Column::Id.count(), "notes")
            .filter(in_ids(
                &self.db,
                incident_note::Column::IncidentId,
                incidents.iter().copied(),
            ))
            .group_by(incident_note::Column::IncidentId)
            .into_model()
            .all(&self.db)
            .await?;
        Ok(counts
            .into_iter()
            .map(|row| (row.incident_id, row.notes))
            .collect())
    }

    /// Returns the notes on each incident, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notes(
        &self,
        incidents: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<incident_note::Model>>> {
        let notes = incident_note::Entity::find()
            .filter(in_ids(
                &self.db,
                incident_note::Column::IncidentId,
                incidents.iter().copied(),
            ))
            .order_by_asc(incident_note::Column::At)
            .order_by_asc(incident_note::Column::Id)
            .all(&self.db)
            .await?;
        let mut notes_by_incident: HashMap<Uuid, Vec<_>> = HashMap::new();
        for note in notes {
            notes_by_incident
                .entry(note.incident_id)
                .or_default()
                .push(note);
        }
        Ok(notes_by_incident)
    }
}

#[derive(FromQueryResult)]
struct NoteCount {
    incident_id: Uuid,
    notes: i64,
}

const fn change_event(incident: &incident::Model) -> Event {
    Event::IncidentChanged {
        workspace_id: incident.workspace_id,
        service_id: incident.service_id,
        incident_id: incident.id,
    }
}

/// Validates and normalizes the text.
fn validate(text: &str) -> Result<String> {
    let text = text.trim().replace("\r\n", "\n");
    let length = text.chars().count();
    if text.is_empty() {
        Err(Error::field("text", "must not be empty"))
    } else if length > MAX_TEXT {
        Err(Error::field(
            "text",
            format!("must have at most {MAX_TEXT} characters, got {length}"),
        ))
    } else if text
        .chars()
        .any(|c| is_hidden(c) && !matches!(c, '\n' | '\t'))
    {
        Err(Error::field(
            "text",
            "must not contain characters that cannot be seen",
        ))
    } else {
        Ok(text)
    }
}
