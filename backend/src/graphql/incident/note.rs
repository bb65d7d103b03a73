//! What people add to incidents.

use super::Incident;
use crate::graphql::scalar::{Id, Time};
use crate::graphql::scope::scope;
use async_graphql::{Context, Object, Result, SimpleObject};
use entity::incident_note;

/// What somebody wrote down about an incident.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct IncidentNote {
    /// Unchanging.
    id: Id,
    /// When it was written.
    at: Time,
    /// What was written, in any number of lines.
    text: String,
}

impl From<incident_note::Model> for IncidentNote {
    fn from(row: incident_note::Model) -> Self {
        Self {
            id: row.id.into(),
            at: row.at.into(),
            text: row.text,
        }
    }
}

#[derive(Default)]
pub(crate) struct IncidentMutation;

#[Object]
impl IncidentMutation {
    /// Tells everybody that you have seen an incident and care for it.
    async fn acknowledge_incident(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The incident's id.")] id: Id,
    ) -> Result<Incident> {
        let scope = scope(ctx);
        Ok(scope.ops.acknowledge(&scope.viewer()?, id.0).await?.into())
    }

    /// Takes that back.
    async fn unacknowledge_incident(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The incident's id.")] id: Id,
    ) -> Result<Incident> {
        let scope = scope(ctx);
        Ok(scope
            .ops
            .unacknowledge(&scope.viewer()?, id.0)
            .await?
            .into())
    }

    /// Adds a note to an incident, which may have up to 100 of them.
    async fn add_incident_note(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The incident's id.")] incident_id: Id,
        #[graphql(desc = "What to write down, up to 5000 characters.")] text: String,
    ) -> Result<IncidentNote> {
        let scope = scope(ctx);
        Ok(scope
            .ops
            .add_note(&scope.viewer()?, incident_id.0, &text)
            .await?
            .into())
    }

    /// Deletes a note that you wrote, and returns its id.
    async fn delete_incident_note(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The note's id.")] id: Id,
    ) -> Result<Id> {
        let scope = scope(ctx);
        Ok(scope.ops.delete_note(&scope.viewer()?, id.0).await?.into())
    }
}
