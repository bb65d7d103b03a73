//! Pausing and resuming, of one service or of many: the one place where the API changes what is known about a service.

use super::bulk::{bounded, locked, told};
use super::service::{SERVICE, never_checked};
use super::{Error, Ops, Result, now};
use crate::auth::Viewer;
use chrono::{DateTime, Utc};
use coordination::{Event, ServiceChange};
use domain::State;
use domain::transition::Effect;
use entity::column::Status;
use entity::sql::among;
use entity::{incident, incident_event, service, service_state};
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// The kind of the timeline's entry that ends an incident because nobody looks any more.
pub const PAUSED: &str = "paused";

impl Ops {
    /// Stops checking services; their open incidents end by that. Returns those of `ids` that are the viewer's, all of
    /// them paused now.
    ///
    /// # Errors
    /// More than [`MAX_IDS`](super::bulk::MAX_IDS) ids.
    pub async fn pause_services(
        &self,
        viewer: &Viewer,
        ids: &[Uuid],
    ) -> Result<Vec<Arc<service::Model>>> {
        bounded(ids)?;
        let transaction = self.begin().await?;
        let mut services = locked(&transaction, viewer, ids).await?;
        let running: Vec<Uuid> = services
            .iter()
            .filter(|service| !service.paused)
            .map(|service| service.id)
            .collect();
        if running.is_empty() {
            return Ok(services.into_iter().map(Arc::new).collect());
        }
        let ended = forget_what_is_known(&transaction, &services, &running).await?;
        set_paused(&transaction, &mut services, &running, true).await?;
        transaction.commit().await?;

        self.withdraw(&running).await;
        let mut events = told(&services, &running, ServiceChange::Paused);
        events.extend(ended.into_iter().map(|incident| Event::IncidentChanged {
            workspace_id: viewer.workspace_id,
            service_id: incident.service_id,
            incident_id: incident.id,
        }));
        self.publish(&events).await;
        Ok(services.into_iter().map(Arc::new).collect())
    }

    /// Checks services again, the first time at once. Returns those of `ids` that are the viewer's, none of them paused
    /// now.
    ///
    /// # Errors
    /// More than [`MAX_IDS`](super::bulk::MAX_IDS) ids.
    pub async fn resume_services(
        &self,
        viewer: &Viewer,
        ids: &[Uuid],
    ) -> Result<Vec<Arc<service::Model>>> {
        bounded(ids)?;
        let transaction = self.begin().await?;
        let mut services = locked(&transaction, viewer, ids).await?;
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
        self.publish(&told(&services, &paused, ServiceChange::Resumed))
            .await;
        Ok(services.into_iter().map(Arc::new).collect())
    }

    /// [`Ops::pause_services`] for one.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn pause_service(&self, viewer: &Viewer, id: Uuid) -> Result<Arc<service::Model>> {
        self.pause_services(viewer, &[id])
            .await?
            .pop()
            .ok_or(Error::NotFound(SERVICE))
    }

    /// [`Ops::resume_services`] for one.
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
        .filter(among(db, service::Column::Id, ids.iter().copied()))
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

/// Brings the states of `ids` to those of paused services, and returns the incidents that ended by it.
async fn forget_what_is_known(
    db: &impl ConnectionTrait,
    services: &[service::Model],
    ids: &[Uuid],
) -> Result<Vec<incident::Model>> {
    use service_state::Column;
    let rows = service_state::Entity::find()
        .filter(among(db, Column::ServiceId, ids.iter().copied()))
        .order_by_asc(Column::ServiceId)
        .lock(LockType::NoKeyUpdate)
        .all(db)
        .await?;
    let open = incident::Entity::find()
        .filter(among(
            db,
            incident::Column::Id,
            rows.iter().filter_map(|row| row.open_incident_id),
        ))
        .all(db)
        .await?;
    // One instant for all of them: never before any of their incidents began, even if another machine's clock is ahead.
    let begun = open
        .iter()
        .map(|open| open.started_at)
        .chain(rows.iter().map(|row| row.status_since))
        .max();
    let at = begun.map_or_else(now, |begun| begun.max(now()));

    let (mut news, mut resolved) = (Vec::new(), BTreeSet::new());
    for row in &rows {
        let (paused, effects) = known(row).paused(at);
        if paused.since != row.status_since {
            news.push(row.service_id);
        }
        if effects
            .iter()
            .any(|effect| matches!(effect, Effect::Resolved { .. }))
        {
            resolved.extend(row.open_incident_id);
        }
    }
    let ended: Vec<incident::Model> = open
        .into_iter()
        .filter(|open| resolved.contains(&open.id))
        .collect();
    let nothing = |column: Column| (column, Expr::value(Option::<DateTime<Utc>>::None));
    let (failing, down) = (nothing(Column::FailingSince), nothing(Column::DownSince));
    service_state::Entity::update_many()
        .col_expr(Column::Status, Expr::value(Status::Unknown))
        .col_expr(Column::Message, Expr::value(Option::<String>::None))
        .col_expr(Column::FailingChecks, Expr::value(0))
        .col_expr(failing.0, failing.1)
        .col_expr(Column::DownChecks, Expr::value(0))
        .col_expr(down.0, down.1)
        .col_expr(Column::OpenIncidentId, Expr::value(Option::<Uuid>::None))
        .col_expr(
            Column::OpenIncidentType,
            Expr::value(Option::<entity::column::IncidentType>::None),
        )
        .filter(among(db, Column::ServiceId, ids.iter().copied()))
        .exec(db)
        .await?;
    service_state::Entity::update_many()
        .col_expr(Column::StatusSince, Expr::value(at))
        .filter(among(db, Column::ServiceId, news))
        .exec(db)
        .await?;
    let had: BTreeSet<&Uuid> = rows.iter().map(|row| &row.service_id).collect();
    let wanting: BTreeSet<&Uuid> = ids.iter().filter(|id| !had.contains(id)).collect();
    let wanting: Vec<_> = services
        .iter()
        .filter(|one| wanting.contains(&one.id))
        .map(never_checked)
        .collect();
    if !wanting.is_empty() {
        service_state::Entity::insert_many(wanting)
            .exec_without_returning(db)
            .await?;
    }
    end(db, &ended, at).await?;
    Ok(ended)
}

fn known(row: &service_state::Model) -> State {
    State {
        status: row.status.into(),
        since: row.status_since,
        last_slot: row.last_slot,
        failing: None,
        incident: row.open_incident_type.map(Into::into),
    }
}

async fn end(
    db: &impl ConnectionTrait,
    ended: &[incident::Model],
    at: DateTime<Utc>,
) -> Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    incident::Entity::update_many()
        .col_expr(incident::Column::ResolvedAt, Expr::value(at))
        .filter(among(
            db,
            incident::Column::Id,
            ended.iter().map(|incident| incident.id),
        ))
        .exec(db)
        .await?;
    let events = ended.iter().map(|incident| incident_event::ActiveModel {
        id: Set(Uuid::now_v7()),
        incident_id: Set(incident.id),
        at: Set(at),
        kind: Set(PAUSED.into()),
        message: Set("checking was paused: the end was not seen".into()),
    });
    incident_event::Entity::insert_many(events)
        .exec_without_returning(db)
        .await?;
    Ok(())
}
