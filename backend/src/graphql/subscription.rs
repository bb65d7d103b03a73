//! What is pushed to open pages: only the viewer's own events, each read from the database no further than its
//! selection asks.

use super::incident::Incident;
use super::scalar::Id;
use super::service::Service;
use super::status::{CurrentStatus, Status};
use crate::auth::Viewer;
use crate::metrics;
use crate::use_cases::service::SERVICE;
use crate::use_cases::{Error, Ops};
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

    /// The confirmed status before; null when this was the first check.
    async fn previous(&self) -> Option<Status> {
        self.previous.map(Status::from)
    }

    /// What is known now.
    async fn current(&self) -> CurrentStatus {
        CurrentStatus::of(self.service_id, self.current.clone())
    }

    /// Whether the confirmed status is another than before.
    async fn changed(&self) -> bool {
        self.changed
    }
}

/// What was done to a service.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "coordination::ServiceChange")]
pub(crate) enum ServiceChangeKind {
    /// It was added.
    Created,
    /// Its definition was changed.
    Updated,
    /// Checking was stopped.
    Paused,
    /// Checking goes on.
    Resumed,
    /// It is gone.
    Deleted,
}

/// A service was added, changed, paused, resumed or deleted.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct ServiceChange {
    /// What was done.
    change: ServiceChangeKind,
    /// The id of the service.
    service_id: Id,
    /// The service as it is now; null when it was deleted.
    service: Option<Service>,
}

type Updates<T> = BoxStream<'static, Result<T>>;

/// What is pushed. Everything is the viewer's own.
pub struct Subscription;

/// Events as they happen, yours only. When some were missed on the way, because the receiver was slow or the connection
/// between PulseCheck's processes broke, a subscription ends with an error of the code UPSTREAM: fetch anew what is
/// shown, and subscribe again.
#[Subscription]
impl Subscription {
    /// Every check that is recorded of your services.
    async fn status_updates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of this service only; NOT_FOUND when there is none with this id.")]
        service_id: Option<Id>,
        #[graphql(
            desc = "Only when the confirmed status changes.",
            default_with = "Some(false)"
        )]
        changes_only: Option<bool>,
    ) -> Result<Updates<StatusUpdate>> {
        let (ops, viewer) = listener(ctx)?;
        let events = ops.live.subscribe_to(viewer.workspace_id);
        if let Some(Id(id)) = service_id {
            ops.service(&viewer, id)
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

    /// Your incidents, each time that one is opened, escalates, eases, ends, fails another check, is acknowledged, or gets or
    /// loses a note.
    async fn incident_updates(&self, ctx: &Context<'_>) -> Result<Updates<Incident>> {
        let (ops, viewer) = listener(ctx)?;
        Ok(updates(
            ops.live.subscribe_to(viewer.workspace_id),
            |event| match event {
                Event::IncidentChanged { incident_id, .. } => Some(Incident::by_id(*incident_id)),
                _ => None,
            },
        ))
    }

    /// Your services, each time that one is added, changed, paused, resumed or deleted, here or elsewhere.
    async fn service_changes(&self, ctx: &Context<'_>) -> Result<Updates<ServiceChange>> {
        let (ops, viewer) = listener(ctx)?;
        Ok(updates(
            ops.live.subscribe_to(viewer.workspace_id),
            |event| match event {
                Event::ServiceChanged {
                    service_id, change, ..
                } => {
                    let there = *change != coordination::ServiceChange::Deleted;
                    Some(ServiceChange {
                        change: (*change).into(),
                        service_id: (*service_id).into(),
                        service: there.then(|| Service::by_id(*service_id)),
                    })
                }
                _ => None,
            },
        ))
    }
}

/// Streams are set up before there is a scope: each of their events gets its own.
fn listener<'a>(ctx: &Context<'a>) -> Result<(&'a Arc<Ops>, Viewer)> {
    let viewer = ctx
        .data_opt::<Option<Viewer>>()
        .copied()
        .flatten()
        .ok_or(Error::Unauthenticated)?;
    Ok((ctx.data_unchecked::<Arc<Ops>>(), viewer))
}

fn updates<T: Send + 'static>(
    events: Events,
    wanted: impl Fn(&Event) -> Option<T> + Send + 'static,
) -> Updates<T> {
    until_missed(
        events.filter_map(move |event| ready(event.map(|event| wanted(&event)).transpose())),
    )
    .boxed()
}

/// Ends behind the first error.
fn until_missed<T, E>(
    events: impl Stream<Item = std::result::Result<T, E>>,
) -> impl Stream<Item = Result<T>> {
    events.scan(false, |missed, event| {
        let event = (!*missed).then_some(event);
        *missed = matches!(event, Some(Err(_)));
        let missed = || {
            metrics::missed();
            Error::Upstream(
                "updates were missed: fetch anew what is shown, and subscribe again".into(),
            )
        };
        ready(event.map(|event| event.map_err(|_| missed().into())))
    })
}
