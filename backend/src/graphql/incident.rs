//! Incidents: the objects, their pages, and the queries for them; what people add to them is in a module of its own.

mod note;

use super::check::Check;
use super::limits::page;
use super::page::PageInfo;
use super::scalar::{Id, Time};
use super::scope::{Scope, scope};
use super::service::Service;
use crate::use_cases::incident::{Filter, place};
use crate::use_cases::page::{self as pages, Page, Place};
use crate::use_cases::{Error, Result as OpsResult};
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chrono::{SubsecRound, TimeDelta};
use entity::incident;
pub(crate) use note::IncidentMutation;
use note::IncidentNote;
use std::sync::Arc;
use uuid::Uuid;

/// The worst that an incident has come to.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::IncidentType")]
pub(crate) enum IncidentType {
    /// The service was down at some time of the incident.
    Downtime,
    /// It was never worse than degraded.
    Degraded,
}

/// Whether an incident is over.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IncidentState {
    /// It lasts.
    Open,
    /// It is over.
    Resolved,
}

/// An incident; read from the database only when more than the id is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Incident {
    id: Uuid,
    known: Option<Arc<incident::Model>>,
}

impl Incident {
    pub(super) const fn by_id(id: Uuid) -> Self {
        Self { id, known: None }
    }

    async fn row(&self, ctx: &Context<'_>) -> OpsResult<Arc<incident::Model>> {
        match &self.known {
            Some(known) => Ok(known.clone()),
            None => scope(ctx)
                .loaders
                .incident
                .load(self.id)
                .await?
                .ok_or(Error::NotFound("incident")),
        }
    }
}

impl From<Arc<incident::Model>> for Incident {
    fn from(row: Arc<incident::Model>) -> Self {
        Self {
            id: row.id,
            known: Some(row),
        }
    }
}

/// A confirmed failure of a service, from its first failed check to the recovery. At most one of a service is open.
#[Object]
impl Incident {
    /// Unchanging.
    async fn id(&self) -> Id {
        self.id.into()
    }

    /// The worst that it has come to.
    async fn r#type(&self, ctx: &Context<'_>) -> Result<IncidentType> {
        Ok(domain::IncidentType::from(self.row(ctx).await?.incident_type).into())
    }

    /// Whether it is over.
    async fn state(&self, ctx: &Context<'_>) -> Result<IncidentState> {
        let open = self.row(ctx).await?.resolved_at.is_none();
        Ok(if open {
            IncidentState::Open
        } else {
            IncidentState::Resolved
        })
    }

    /// The time of the first failed check.
    async fn started_at(&self, ctx: &Context<'_>) -> Result<Time> {
        Ok(self.row(ctx).await?.started_at.into())
    }

    /// The time of the recovery, or of the pause that ended it; null while it is open.
    async fn resolved_at(&self, ctx: &Context<'_>) -> Result<Option<Time>> {
        Ok(self.row(ctx).await?.resolved_at.map(Time))
    }

    /// How many checks failed in it.
    async fn checks_failed(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(self.row(ctx).await?.checks_failed)
    }

    /// What the check that made it worst said.
    async fn cause(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.row(ctx).await?.cause.clone())
    }

    /// The service that failed.
    async fn service(&self, ctx: &Context<'_>) -> Result<Service> {
        Ok(Service::by_id(self.row(ctx).await?.service_id))
    }

    /// What happened in it, oldest first.
    #[graphql(complexity = "page(5, child_complexity)")]
    async fn events(&self, ctx: &Context<'_>) -> Result<Vec<IncidentEvent>> {
        // Whose it is was made sure of by reading the incident.
        let id = self.row(ctx).await?.id;
        let events = scope(ctx)
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

    /// The service's checks around the beginning, oldest first: up to 6 before it and 14 from then on, as far as they are
    /// kept, and none that is farther away than 20 intervals and an hour. Of at most 50 incidents at a time.
    #[graphql(complexity = "page(20, child_complexity)")]
    async fn checks_around(&self, ctx: &Context<'_>) -> Result<Vec<Check>> {
        let row = self.row(ctx).await?;
        let loaders = &scope(ctx).loaders;
        let service = loaders
            .service
            .load(row.service_id)
            .await?
            .ok_or(Error::NotFound("service"))?;
        // Of a gap, or of what is kept no longer, what came long after tells nothing.
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

    /// Since when somebody has seen it and cares for it; null while nobody does.
    async fn acknowledged_at(&self, ctx: &Context<'_>) -> Result<Option<Time>> {
        let id = self.row(ctx).await?.id;
        Ok(scope(ctx)
            .loaders
            .acknowledged
            .load(id)
            .await?
            .map(|seen| seen.at.into()))
    }

    /// How many notes it has.
    async fn note_count(&self, ctx: &Context<'_>) -> Result<i64> {
        let id = self.row(ctx).await?.id;
        Ok(scope(ctx)
            .loaders
            .note_count
            .load(id)
            .await?
            .unwrap_or_default())
    }

    /// What was written down about it, oldest first. Of at most 50 incidents at a time.
    #[graphql(complexity = "page(10, child_complexity)")]
    async fn notes(&self, ctx: &Context<'_>) -> Result<Vec<IncidentNote>> {
        let id = self.row(ctx).await?.id;
        let notes = scope(ctx).loaders.notes.load(id).await?.unwrap_or_default();
        Ok(notes.into_iter().map(IncidentNote::from).collect())
    }
}

/// One entry of an incident's timeline.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct IncidentEvent {
    /// When it happened.
    at: Time,
    /// What happened: `opened`, `escalated`, `eased`, `worsened`, `resolved` or `paused`.
    kind: String,
    /// The same in a sentence for people.
    message: String,
}

/// Which incidents are wanted; what is not given does not matter.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct IncidentFilter {
    /// Those of this service.
    service_id: Option<Id>,
    /// Those that came to this at worst.
    r#type: Option<IncidentType>,
    /// Those that are open, or those that are over.
    state: Option<IncidentState>,
    /// Those that were not over before this time.
    from: Option<Time>,
    /// Those that had begun by this time.
    to: Option<Time>,
}

impl IncidentFilter {
    fn checked(self) -> OpsResult<Filter> {
        // Recorded times have no finer parts, and SQLite compares them as text.
        let (from, to) = (
            self.from.map(|time| time.0.trunc_subsecs(3)),
            self.to.map(|time| time.0.trunc_subsecs(3)),
        );
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            return Err(Error::field("from", "lies after `to`: nothing can match"));
        }
        Ok(Filter {
            service_id: self.service_id.map(|id| id.0),
            kind: self.r#type.map(Into::into),
            open: self.state.map(|state| state == IncidentState::Open),
            from,
            to,
        })
    }
}

/// A page of incidents, newest first.
#[derive(Debug)]
pub(crate) struct IncidentConnection {
    page: Page<Arc<incident::Model>>,
    of: Of,
}

/// What the page is one of.
#[derive(Debug)]
enum Of {
    Filtered(Filter),
    Service(Uuid),
}

/// A page of incidents, newest first.
#[Object]
impl IncidentConnection {
    /// The incidents, each with its cursor.
    async fn edges(&self) -> Vec<IncidentEdge> {
        let edge = |row: &Arc<incident::Model>| IncidentEdge {
            cursor: place(row).encode(),
            node: Incident::from(row.clone()),
        };
        self.page.rows.iter().map(edge).collect()
    }

    /// Where the page ends.
    async fn page_info(&self) -> PageInfo {
        let end_cursor = self.page.rows.last().map(|row| place(row).encode());
        PageInfo {
            has_next_page: self.page.more,
            end_cursor,
        }
    }

    /// How many there are on all pages together.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<u64> {
        let scope = scope(ctx);
        Ok(match &self.of {
            Of::Filtered(filter) => {
                scope
                    .ops
                    .count_incidents(&scope.viewer()?, filter, scope.now)
                    .await?
            }
            Of::Service(id) => scope
                .loaders
                .incident_count
                .load(*id)
                .await?
                .unwrap_or_default(),
        })
    }
}

/// An incident on a page.
#[derive(SimpleObject, Debug)]
pub(crate) struct IncidentEdge {
    /// Its place, for the argument `after`.
    cursor: String,
    /// The incident.
    node: Incident,
}

/// A page of the incidents of one service, which is the viewer's.
pub(super) async fn of_service(
    scope: &Scope,
    id: Uuid,
    first: i32,
    after: Option<&str>,
) -> OpsResult<IncidentConnection> {
    let asked = (pages::size(first)?, after.map(Place::decode).transpose()?);
    let page = scope
        .loaders
        .incidents
        .load((id, asked))
        .await?
        .unwrap_or_default();
    Ok(IncidentConnection {
        page,
        of: Of::Service(id),
    })
}

#[derive(Default)]
pub(crate) struct IncidentQuery;

#[Object]
impl IncidentQuery {
    /// Your incidents, newest first.
    #[graphql(complexity = "page(first.unwrap_or(50), child_complexity)")]
    async fn incidents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all by default.")] filter: Option<IncidentFilter>,
        #[graphql(desc = "How many, 1 to 500.", default_with = "Some(50)")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
    ) -> Result<IncidentConnection> {
        let scope = scope(ctx);
        let viewer = scope.viewer()?;
        let filter = filter.unwrap_or_default().checked()?;
        let (first, after) = (
            pages::size(first.unwrap_or(50))?,
            after.as_deref().map(Place::decode).transpose()?,
        );
        let page = scope
            .ops
            .incidents(&viewer, &filter, first, after, scope.now)
            .await?;
        Ok(IncidentConnection {
            page,
            of: Of::Filtered(filter),
        })
    }

    /// One of your incidents; null when there is none with this id.
    async fn incident(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The incident's id.")] id: Id,
    ) -> Result<Option<Incident>> {
        let scope = scope(ctx);
        scope.viewer()?;
        Ok(scope.loaders.incident.load(id.0).await?.map(Incident::from))
    }
}
