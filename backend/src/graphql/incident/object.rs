//! The `Incident` object, its events and notes.

use crate::graphql::check::Check;
use crate::graphql::limits::page;
use crate::graphql::node::{Incident, Service};
use crate::graphql::request_context::request_context;
use crate::graphql::scalar::{Id, Time};
use crate::use_cases::Error;
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chrono::TimeDelta;
use entity::incident_note;

/// Worst status that an incident has reached.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::IncidentType")]
pub(crate) enum IncidentType {
    /// The service was down at some point of the incident.
    Downtime,
    /// The service was never worse than degraded.
    Degraded,
}

/// Whether an incident is resolved.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IncidentState {
    /// The incident continues.
    Open,
    /// The incident has ended.
    Resolved,
}

/// A confirmed failure of a service, from its first failed check to its recovery. A service has at
/// most one open incident.
#[Object]
impl Incident {
    /// Unique id; it never changes.
    async fn id(&self) -> Id {
        self.id.into()
    }

    /// Worst status that it has reached.
    async fn r#type(&self, ctx: &Context<'_>) -> Result<IncidentType> {
        Ok(domain::IncidentType::from(self.row(ctx).await?.incident_type).into())
    }

    /// Whether it is resolved.
    async fn state(&self, ctx: &Context<'_>) -> Result<IncidentState> {
        let open = self.row(ctx).await?.resolved_at.is_none();
        Ok(if open {
            IncidentState::Open
        } else {
            IncidentState::Resolved
        })
    }

    /// Time of the first failed check.
    async fn started_at(&self, ctx: &Context<'_>) -> Result<Time> {
        Ok(self.row(ctx).await?.started_at.into())
    }

    /// Time of the recovery, or of the pause that ended it; null while it is open.
    async fn resolved_at(&self, ctx: &Context<'_>) -> Result<Option<Time>> {
        Ok(self.row(ctx).await?.resolved_at.map(Time))
    }

    /// Number of failed checks.
    async fn checks_failed(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(self.row(ctx).await?.checks_failed)
    }

    /// Why the service fails, as the last check reported it that found the worst status of this
    /// incident.
    async fn cause(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.row(ctx).await?.cause.clone())
    }

    /// The service that failed.
    async fn service(&self, ctx: &Context<'_>) -> Result<Service> {
        Ok(Service::by_id(self.row(ctx).await?.service_id))
    }

    /// Timeline, oldest event first.
    #[graphql(complexity = "page(5, child_complexity)")]
    async fn events(&self, ctx: &Context<'_>) -> Result<Vec<IncidentEvent>> {
        let id = self.row(ctx).await?.id;
        let events = request_context(ctx)
            .loaders
            .events
            .load(id)
            .await?
            .unwrap_or_default();
        Ok(events
            .into_iter()
            .map(|event| IncidentEvent {
                at: event.at.into(),
                kind: event.kind,
                message: event.message,
            })
            .collect())
    }

    /// The service's checks around the start of the incident, oldest first: up to 6 before it and
    /// 14 from then on, if they are still stored and within 20 check intervals or an hour of it.
    /// For at most 50 incidents per request.
    #[graphql(complexity = "page(20, child_complexity)")]
    async fn checks_around(&self, ctx: &Context<'_>) -> Result<Vec<Check>> {
        let row = self.row(ctx).await?;
        let loaders = &request_context(ctx).loaders;
        let service = loaders
            .service
            .load(row.service_id)
            .await?
            .ok_or(Error::NotFound("service"))?;
        // Checks from after a long gap say nothing about how the incident began.
        let reach = TimeDelta::hours(1).max(TimeDelta::seconds(
            (20 * service.check_interval_seconds).into(),
        ));
        let around = (
            service.seq,
            row.started_at.timestamp_millis(),
            reach.num_milliseconds(),
        );
        Ok(loaders
            .around
            .load(around)
            .await?
            .unwrap_or_default()
            .iter()
            .map(Check::from)
            .collect())
    }

    /// When somebody acknowledged it; null if nobody has.
    async fn acknowledged_at(&self, ctx: &Context<'_>) -> Result<Option<Time>> {
        let id = self.row(ctx).await?.id;
        Ok(request_context(ctx)
            .loaders
            .acknowledged
            .load(id)
            .await?
            .map(|seen| seen.at.into()))
    }

    /// Number of notes.
    async fn note_count(&self, ctx: &Context<'_>) -> Result<i64> {
        let id = self.row(ctx).await?.id;
        Ok(request_context(ctx)
            .loaders
            .note_count
            .load(id)
            .await?
            .unwrap_or_default())
    }

    /// Notes, oldest first. For at most 50 incidents per request.
    #[graphql(complexity = "page(10, child_complexity)")]
    async fn notes(&self, ctx: &Context<'_>) -> Result<Vec<IncidentNote>> {
        let id = self.row(ctx).await?.id;
        let notes = request_context(ctx)
            .loaders
            .notes
            .load(id)
            .await?
            .unwrap_or_default();
        Ok(notes.into_iter().map(IncidentNote::from).collect())
    }
}

/// An event in an incident's timeline.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct IncidentEvent {
    /// When it happened.
    at: Time,
    /// Kind of event: `opened`, `escalated`, `eased`, `worsened`, `cause_changed`,
    /// `definition_changed`, `reported`, `renamed`, `resolved` or `paused`.
    kind: String,
    /// Description in one sentence.
    message: String,
}

/// A note about an incident.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct IncidentNote {
    /// Unique id; it never changes.
    id: Id,
    /// When it was written.
    at: Time,
    /// Text of any number of lines.
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
