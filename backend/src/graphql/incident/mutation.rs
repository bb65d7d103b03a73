//! Mutations of incidents: acknowledgements and notes.

use super::object::IncidentNote;
use crate::graphql::node::Incident;
use crate::graphql::request_context::request_context;
use crate::graphql::scalar::Id;
use async_graphql::{Context, Object, Result};

#[derive(Default)]
pub(crate) struct IncidentMutation;

#[Object]
impl IncidentMutation {
    /// Acknowledges an incident: shows that somebody is working on it.
    async fn acknowledge_incident(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The incident's id.")] id: Id,
    ) -> Result<Incident> {
        let context = request_context(ctx);
        Ok(context
            .use_cases
            .acknowledge(&context.viewer()?, id.0)
            .await?
            .into())
    }

    /// Withdraws the acknowledgement of an incident.
    async fn unacknowledge_incident(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The incident's id.")] id: Id,
    ) -> Result<Incident> {
        let context = request_context(ctx);
        Ok(context
            .use_cases
            .unacknowledge(&context.viewer()?, id.0)
            .await?
            .into())
    }

    /// Adds a note to an incident, which may have up to 100 notes.
    async fn add_incident_note(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The incident's id.")] incident_id: Id,
        #[graphql(desc = "Text of the note, up to 5000 characters.")] text: String,
    ) -> Result<IncidentNote> {
        let context = request_context(ctx);
        Ok(context
            .use_cases
            .add_note(&context.viewer()?, incident_id.0, &text)
            .await?
            .into())
    }

    /// Deletes a note that you wrote, and returns its id.
    async fn delete_incident_note(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The note's id.")] id: Id,
    ) -> Result<Id> {
        let context = request_context(ctx);
        Ok(context
            .use_cases
            .delete_note(&context.viewer()?, id.0)
            .await?
            .into())
    }
}
