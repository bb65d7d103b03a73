//! Pausing and resuming: the one place where the API changes what is known about a service.

use super::service::{changed, locked, never_checked};
use super::{Ops, Result, now};
use crate::auth::Viewer;
use domain::State;
use domain::transition::Effect;
use entity::{incident, incident_event, service, service_state};
use live::{Event, ServiceChange};
use sea_orm::sea_query::LockType;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QuerySelect, Set};
use std::sync::Arc;
use uuid::Uuid;

/// The kind of the timeline's entry that ends an incident because nobody looks any more.
pub const PAUSED: &str = "paused";

impl Ops {
    /// Stops checking a service. An open incident is over by that: nobody would see its end. Pausing what is paused
    /// changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound).
    pub async fn pause_service(&self, viewer: &Viewer, id: Uuid) -> Result<Arc<service::Model>> {
        let transaction = self.begin().await?;
        let service = locked(&transaction, viewer, id).await?;
        if service.paused {
            return Ok(Arc::new(service));
        }
        let incident = forget_what_is_known(&transaction, &service).await?;
        let service = set_paused(&transaction, service, true).await?;
        transaction.commit().await?;

        self.withdraw(id).await;
        let mut events = vec![changed(&service, ServiceChange::Paused)];
        events.extend(incident.map(|incident_id| Event::IncidentChanged {
            user_id: service.user_id,
            service_id: id,
            incident_id,
        }));
        self.publish(&events).await;
        Ok(Arc::new(service))
    }

    /// Checks a service again, the first time at once. Resuming what is not paused changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound).
    pub async fn resume_service(&self, viewer: &Viewer, id: Uuid) -> Result<Arc<service::Model>> {
        let transaction = self.begin().await?;
        let service = locked(&transaction, viewer, id).await?;
        if !service.paused {
            return Ok(Arc::new(service));
        }
        let service = set_paused(&transaction, service, false).await?;
        transaction.commit().await?;

        self.make_due(&service).await;
        self.publish(&[changed(&service, ServiceChange::Resumed)]).await;
        Ok(Arc::new(service))
    }
}

async fn set_paused(db: &impl ConnectionTrait, service: service::Model, paused: bool) -> Result<service::Model> {
    let mut service = service.into_active_model();
    service.paused = Set(paused);
    service.updated_at = Set(now());
    Ok(service.update(db).await?)
}

/// Brings the state to that of a paused service, and returns the incident that ended by it.
async fn forget_what_is_known(db: &impl ConnectionTrait, service: &service::Model) -> Result<Option<Uuid>> {
    let row = service_state::Entity::find_by_id(service.id).lock(LockType::NoKeyUpdate).one(db).await?;
    let Some(row) = row else {
        never_checked(service).insert(db).await?;
        return Ok(None);
    };
    let known = State {
        status: row.status.into(),
        since: row.since,
        last_slot: row.last_slot,
        failing: None,
        incident: row.open_incident_type.map(Into::into),
    };
    let open = match row.open_incident_id {
        Some(id) => incident::Entity::find_by_id(id).one(db).await?,
        None => None,
    };
    // Never before the incident began, even if another machine's clock is ahead.
    let at = open.as_ref().map_or(row.since, |open| open.started_at).max(now());
    let (paused, effects) = known.paused(at);
    let ended = effects.iter().any(|effect| matches!(effect, Effect::Resolved { .. }));
    let incident = open.map(|open| open.id).filter(|_| ended);

    let mut row = row.into_active_model();
    row.status = Set(paused.status.into());
    row.since = Set(paused.since);
    row.message = Set(None);
    row.failing_checks = Set(0);
    row.failing_since = Set(None);
    row.down_checks = Set(0);
    row.down_since = Set(None);
    row.open_incident_id = Set(None);
    row.open_incident_type = Set(None);
    row.update(db).await?;
    if let Some(id) = incident {
        let resolved = incident::ActiveModel { id: Set(id), resolved_at: Set(Some(at)), ..Default::default() };
        resolved.update(db).await?;
        let event = incident_event::ActiveModel {
            id: Set(Uuid::now_v7()),
            incident_id: Set(id),
            at: Set(at),
            kind: Set(PAUSED.into()),
            message: Set("checking was paused: the end was not seen".into()),
        };
        event.insert(db).await?;
    }
    Ok(incident)
}
