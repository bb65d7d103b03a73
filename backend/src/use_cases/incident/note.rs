//! Acknowledgements of incidents, and notes on them.

use super::INCIDENT;
use crate::auth::Viewer;
use crate::use_cases::{Error, Ops, Result, now};
use coordination::Event;
use entity::sql::among;
use entity::{incident, incident_acknowledgement, incident_note};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// How many notes an incident may have.
pub const MAX_NOTES: u64 = 100;
/// How long a note may be, in characters.
pub const MAX_TEXT: usize = 5_000;

const NOTE: &str = "note";

impl Ops {
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
            self.publish(&[changed(&incident)]).await;
        }
        Ok(incident)
    }

    /// Withdraws the acknowledgement of an incident.
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
            self.publish(&[changed(&incident)]).await;
        }
        Ok(incident)
    }

    /// Adds a note to an incident.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a text that is empty, longer than [`MAX_TEXT`] or no text; [`MAX_NOTES`] notes already.
    pub async fn add_note(
        &self,
        viewer: &Viewer,
        id: Uuid,
        text: &str,
    ) -> Result<incident_note::Model> {
        let transaction = self.begin().await?;
        // Locked, so that two concurrent requests do not both add the last one.
        let incident = incident::Entity::find_by_id(id)
            .filter(incident::Column::WorkspaceId.eq(viewer.workspace_id))
            .lock(LockType::NoKeyUpdate)
            .one(&transaction)
            .await?
            .ok_or(Error::NotFound(INCIDENT))?;
        let text = valid(text)?;
        let of_incident =
            incident_note::Entity::find().filter(incident_note::Column::IncidentId.eq(id));
        if of_incident.count(&transaction).await? >= MAX_NOTES {
            return Err(Error::Conflict(format!(
                "the incident has {MAX_NOTES} notes, which is as many as it may have: delete one that is not needed"
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
        self.publish(&[changed(&incident)]).await;
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
        self.publish(&[changed(&incident)]).await;
        Ok(id)
    }

    /// Which of these incidents somebody has seen, and since when.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn acknowledgements(
        &self,
        incidents: &[Uuid],
    ) -> Result<HashMap<Uuid, incident_acknowledgement::Model>> {
        let found = incident_acknowledgement::Entity::find()
            .filter(among(
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

    /// How many notes each incident has; those without any are missing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_notes(&self, incidents: &[Uuid]) -> Result<HashMap<Uuid, i64>> {
        let counts: Vec<(Uuid, i64)> = incident_note::Entity::find()
            .select_only()
            .column(incident_note::Column::IncidentId)
            .column_as(incident_note::Column::Id.count(), "notes")
            .filter(among(
                &self.db,
                incident_note::Column::IncidentId,
                incidents.iter().copied(),
            ))
            .group_by(incident_note::Column::IncidentId)
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(counts.into_iter().collect())
    }

    /// The notes of each incident, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notes(
        &self,
        incidents: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<incident_note::Model>>> {
        let notes = incident_note::Entity::find()
            .filter(among(
                &self.db,
                incident_note::Column::IncidentId,
                incidents.iter().copied(),
            ))
            .order_by_asc(incident_note::Column::At)
            .order_by_asc(incident_note::Column::Id)
            .all(&self.db)
            .await?;
        let mut of_each: HashMap<Uuid, Vec<_>> = HashMap::new();
        for note in notes {
            of_each.entry(note.incident_id).or_default().push(note);
        }
        Ok(of_each)
    }
}

const fn changed(incident: &incident::Model) -> Event {
    Event::IncidentChanged {
        workspace_id: incident.workspace_id,
        service_id: incident.service_id,
        incident_id: incident.id,
    }
}

/// The text in its normal form.
fn valid(text: &str) -> Result<String> {
    let text = text.trim().replace("\r\n", "\n");
    let length = text.chars().count();
    if text.is_empty() {
        Err(Error::field("text", "is empty: write something down"))
    } else if length > MAX_TEXT {
        Err(Error::field(
            "text",
            format!("is {length} characters long, at most {MAX_TEXT} are allowed"),
        ))
    } else if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\t'))
    {
        Err(Error::field("text", "must not contain control characters"))
    } else {
        Ok(text)
    }
}
