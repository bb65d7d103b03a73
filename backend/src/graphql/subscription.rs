//! Subscriptions: only the viewer's own events, each loaded from the database only as far as its
//! selection needs.

use super::node::{Incident, Service};
use super::scalar::Id;
use super::status::{CurrentStatus, Status};
use crate::auth::Viewer;
use crate::metrics;
use crate::use_cases::service::SERVICE;
use crate::use_cases::{Error, UseCases};
use async_graphql::{Context, Enum, Object, Result, SimpleObject, Subscription};
use coordination::{Event, Events};
use futures::future::ready;
use futures::stream::{BoxStream, Stream, StreamExt};
use std::sync::Arc;
use uuid::Uuid;

/// A check was recorded.
#[derive(Debug, Clone)]
pub(crate) struct StatusUpdate {
    service_id: Uuid,
    previous: Option<domain::Status>,
    current: coordination::CurrentStatus,
    changed: bool,
}

/// A check was recorded.
#[Object]
impl StatusUpdate {
    /// The service that was checked.
    async fn service(&self) -> Service {
        Service::after_check(self.service_id, self.current.clone())
    }

    /// Confirmed status before; null if this was the first check.
    async fn previous(&self) -> Option<Status> {
        self.previous.map(Status::from)
    }

    /// Current status.
    async fn current(&self) -> CurrentStatus {
        CurrentStatus::of(self.service_id, self.current.clone())
    }

    /// Whether the confirmed status has changed.
    async fn changed(&self) -> bool {
        self.changed
    }
}

/// Kind of change to a service.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "coordination::ServiceChange")]
pub(crate) enum ServiceChangeKind {
    /// The service was created.
    Created,
    /// Its definition was updated.
    Updated,
    /// It was paused.
    Paused,
    /// It was resumed.
    Resumed,
    /// It was deleted.
    Deleted,
}

/// A service was created, updated, paused, resumed or deleted.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct ServiceChange {
    /// Kind of change.
    change: ServiceChangeKind,
    /// Id of the service.
    service_id: Id,
    /// The service as it is now; null if it was deleted.
    service: Option<Service>,
}

type Updates<T> = BoxStream<'static, Result<T>>;

/// The root of all subscriptions.
pub struct Subscription;

/// Your events as they happen. If events were lost, because the client reads too slowly or the
/// connection between PulseCheck's processes failed, a subscription ends with an error of the code
/// UPSTREAM: reload the data and subscribe again.
#[Subscription]
impl Subscription {
    /// Every recorded check of your services.
    async fn status_updates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only checks of this service; NOT_FOUND if none has this id.")]
        service_id: Option<Id>,
        #[graphql(
            desc = "Only checks that change the confirmed status.",
            default_with = "Some(false)"
        )]
        changes_only: Option<bool>,
    ) -> Result<Updates<StatusUpdate>> {
        let (use_cases, viewer) = subscriber(ctx)?;
        let events = use_cases.live.subscribe_to(viewer.workspace_id);
        if let Some(Id(id)) = service_id {
            use_cases
                .service(&viewer, id)
                .await?
                .ok_or(Error::NotFound(SERVICE))?;
        }
        let (only, changes_only) = (service_id.map(|id| id.0), changes_only.unwrap_or(false));
        Ok(updates(events, move |event| match event {
            Event::StatusChecked {
                service_id,
                previous,
                current,
                changed,
                ..
            } if only.is_none_or(|only| only == *service_id) && (*changed || !changes_only) => {
                let (service_id, current) = (*service_id, current.clone());
                Some(StatusUpdate {
                    service_id,
                    previous: *previous,
                    current,
                    changed: *changed,
                })
            }
            _ => None,
        }))
    }

    /// Your incidents whenever one opens, changes, fails another check, is resolved or
    /// acknowledged, or a note is added or deleted.
    async fn incident_updates(&self, ctx: &Context<'_>) -> Result<Updates<Incident>> {
        let (use_cases, viewer) = subscriber(ctx)?;
        Ok(updates(
            use_cases.live.subscribe_to(viewer.workspace_id),
            |event| match event {
                Event::IncidentChanged { incident_id, .. } => Some(Incident::by_id(*incident_id)),
                _ => None,
            },
        ))
    }

    /// Your services whenever one is created, updated, paused, resumed or deleted.
    async fn service_changes(&self, ctx: &Context<'_>) -> Result<Updates<ServiceChange>> {
        let (use_cases, viewer) = subscriber(ctx)?;
        Ok(updates(
            use_cases.live.subscribe_to(viewer.workspace_id),
            |event| match event {
                Event::ServiceChanged {
                    service_id, change, ..
                } => {
                    let exists = *change != coordination::ServiceChange::Deleted;
                    Some(ServiceChange {
                        change: (*change).into(),
                        service_id: (*service_id).into(),
                        service: exists.then(|| Service::by_id(*service_id)),
                    })
                }
                _ => None,
            },
        ))
    }
}

/// The use cases and the viewer of a subscription. It starts before there is a request context:
/// each of its events gets one of its own.
fn subscriber<'a>(ctx: &Context<'a>) -> Result<(&'a Arc<UseCases>, Viewer)> {
    let viewer = ctx
        .data_opt::<Option<Viewer>>()
        .copied()
        .flatten()
        .ok_or(Error::Unauthenticated)?;
    Ok((ctx.data_unchecked::<Arc<UseCases>>(), viewer))
}

/// The events that `select` maps to an update.
fn updates<T: Send + 'static>(
    events: Events,
    select: impl Fn(&Event) -> Option<T> + Send + 'static,
) -> Updates<T> {
    end_after_error(
        events.filter_map(move |event| ready(event.map(|event| select(&event)).transpose())),
    )
    .boxed()
}

/// Ends the stream after its first error.
fn end_after_error<T, E>(
    events: impl Stream<Item = std::result::Result<T, E>>,
) -> impl Stream<Item = Result<T>> {
    events.scan(false, |ended, event| {
        let event = (!*ended).then_some(event);
        *ended = matches!(event, Some(Err(_)));
        let lost = || {
            metrics::record_lost_events();
            Error::Upstream("updates were lost: reload the data and subscribe again".into())
        };
        ready(event.map(|event| event.map_err(|_| lost().into())))
    })
}
