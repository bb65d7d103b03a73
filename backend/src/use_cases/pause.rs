//! Pauses and resumes services, and undoes a pause. The only place where the API changes the state of
//! a service.

mod state;

use super::bulk::{change_events, check_count, lock_services};
use super::service::SERVICE;
use super::{Error, Result, UseCases, now};
use crate::auth::Viewer;
use chrono::TimeDelta;
use coordination::{Event, ServiceChange};
use entity::service;
use entity::sql::in_ids;
use sea_orm::sea_query::Expr;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter};
use state::{reset_states, restore_states};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// How long a pause can be undone. Shorter than the time without a check that a status survives, so
/// that the first check afterwards goes on from the restored one.
pub const UNDO_WINDOW: TimeDelta = TimeDelta::seconds(20);

impl UseCases {
    /// Stops checking services and closes their open incidents. Returns those of `ids` that are the
    /// viewer's; all of them are paused then.
    ///
    /// # Errors
    /// More than [`MAX_IDS`](super::bulk::MAX_IDS) ids.
    pub async fn pause_services(
        &self,
        viewer: &Viewer,
        ids: &[Uuid],
    ) -> Result<Vec<Arc<service::Model>>> {
        check_count(ids)?;
        let transaction = self.begin().await?;
        let mut services = lock_services(&transaction, viewer, ids).await?;
        let running: Vec<Uuid> = services
            .iter()
            .filter(|service| !service.paused)
            .map(|service| service.id)
            .collect();
        if running.is_empty() {
            return Ok(services.into_iter().map(Arc::new).collect());
        }
        let ended = reset_states(&transaction, &services, &running).await?;
        set_paused(&transaction, &mut services, &running, true).await?;
        transaction.commit().await?;

        self.withdraw(&running).await;
        let mut events = change_events(&services, &running, ServiceChange::Paused);
        events.extend(ended.into_iter().map(|incident| Event::IncidentChanged {
            workspace_id: viewer.workspace_id,
            service_id: incident.service_id,
            incident_id: incident.id,
        }));
        self.publish(&events).await;
        Ok(services.into_iter().map(Arc::new).collect())
    }

    /// Resumes checking services, the first check at once. Returns those of `ids` that are the
    /// viewer's; none of them is paused then.
    ///
    /// # Errors
    /// More than [`MAX_IDS`](super::bulk::MAX_IDS) ids.
    pub async fn resume_services(
        &self,
        viewer: &Viewer,
        ids: &[Uuid],
    ) -> Result<Vec<Arc<service::Model>>> {
        check_count(ids)?;
        let transaction = self.begin().await?;
        let mut services = lock_services(&transaction, viewer, ids).await?;
        let paused: Vec<Uuid> = services
            .iter()
            .filter(|service| service.paused)
            .map(|service| service.id)
            .collect();
        if paused.is_empty() {
            return Ok(services.into_iter().map(Arc::new).collect());
        }
        set_paused(&transaction, &mut services, &paused, false).await?;
        transaction.commit().await?;

        let resumed: BTreeSet<Uuid> = paused.iter().copied().collect();
        self.make_due(
            services
                .iter()
                .filter(|service| resumed.contains(&service.id)),
        )
        .await;
        self.publish(&change_events(&services, &paused, ServiceChange::Resumed))
            .await;
        Ok(services.into_iter().map(Arc::new).collect())
    }

    /// Undoes a pause of at most [`UNDO_WINDOW`] ago: each service has the status that it had, since
    /// when it had it, and the same incident is open again. Services that were paused earlier are
    /// resumed. Returns those of `ids` that are the viewer's; none of them is paused then.
    ///
    /// # Errors
    /// More than [`MAX_IDS`](super::bulk::MAX_IDS) ids.
    pub async fn undo_pause_services(
        &self,
        viewer: &Viewer,
        ids: &[Uuid],
    ) -> Result<Vec<Arc<service::Model>>> {
        check_count(ids)?;
        let transaction = self.begin().await?;
        let mut services = lock_services(&transaction, viewer, ids).await?;
        let paused: Vec<Uuid> = services
            .iter()
            .filter(|service| service.paused)
            .map(|service| service.id)
            .collect();
        if paused.is_empty() {
            return Ok(services.into_iter().map(Arc::new).collect());
        }
        let reopened = restore_states(&transaction, &paused, now() - UNDO_WINDOW).await?;
        set_paused(&transaction, &mut services, &paused, false).await?;
        transaction.commit().await?;

        let resumed: BTreeSet<Uuid> = paused.iter().copied().collect();
        self.make_due(
            services
                .iter()
                .filter(|service| resumed.contains(&service.id)),
        )
        .await;
        let mut events = change_events(&services, &paused, ServiceChange::Resumed);
        events.extend(reopened.into_iter().map(|(service_id, incident_id)| {
            Event::IncidentChanged {
                workspace_id: viewer.workspace_id,
                service_id,
                incident_id,
            }
        }));
        self.publish(&events).await;
        Ok(services.into_iter().map(Arc::new).collect())
    }

    /// [`UseCases::pause_services`] for one.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn pause_service(&self, viewer: &Viewer, id: Uuid) -> Result<Arc<service::Model>> {
        self.pause_services(viewer, &[id])
            .await?
            .pop()
            .ok_or(Error::NotFound(SERVICE))
    }

    /// [`UseCases::resume_services`] for one.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn resume_service(&self, viewer: &Viewer, id: Uuid) -> Result<Arc<service::Model>> {
        self.resume_services(viewer, &[id])
            .await?
            .pop()
            .ok_or(Error::NotFound(SERVICE))
    }
}

async fn set_paused(
    db: &impl ConnectionTrait,
    services: &mut [service::Model],
    ids: &[Uuid],
    paused: bool,
) -> Result<()> {
    let at = now();
    service::Entity::update_many()
        .col_expr(service::Column::Paused, Expr::value(paused))
        .col_expr(service::Column::UpdatedAt, Expr::value(at))
        .filter(in_ids(db, service::Column::Id, ids.iter().copied()))
        .exec(db)
        .await?;
    for service in services
        .iter_mut()
        .filter(|service| service.paused != paused)
    {
        service.paused = paused;
        service.updated_at = at;
    }
    Ok(())
}
