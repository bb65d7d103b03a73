//! Pauses and resumes services. The only place where the API changes the state of a service.

use super::bulk::{change_events, check_count, lock_services};
use super::service::{SERVICE, initial_state};
use super::{Error, Result, UseCases, now};
use crate::auth::Viewer;
use chrono::{DateTime, Utc};
use coordination::{Event, ServiceChange};
use domain::State;
use domain::transition::Effect;
use entity::column::Status;
use entity::sql::in_ids;
use entity::{incident, service, service_state};
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

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

/// Resets the states of the services `ids` to unknown, and returns the incidents that this closed.
async fn reset_states(
    transaction: &DatabaseTransaction,
    services: &[service::Model],
    ids: &[Uuid],
) -> Result<Vec<incident::Model>> {
    use service_state::Column;
    let rows = service_state::Entity::find()
        .filter(in_ids(transaction, Column::ServiceId, ids.iter().copied()))
        .order_by_asc(Column::ServiceId)
        .lock(LockType::NoKeyUpdate)
        .all(transaction)
        .await?;
    let open = incident::Entity::find()
        .filter(in_ids(
            transaction,
            incident::Column::Id,
            rows.iter().filter_map(|row| row.open_incident_id),
        ))
        .all(transaction)
        .await?;
    // One instant for all, and not before any of their incidents began: the clock of the worker that
    // opened them may be ahead.
    let latest_start = open
        .iter()
        .map(|open| open.started_at)
        .chain(rows.iter().map(|row| row.status_since))
        .max();
    let at = latest_start.map_or_else(now, |start| start.max(now()));

    let mut changed = Vec::new();
    let mut resolved = BTreeSet::new();
    for row in &rows {
        let (paused, effects) = stored_state(row).paused(at);
        if paused.since != row.status_since {
            changed.push(row.service_id);
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
    let no_time = || Expr::value(Option::<DateTime<Utc>>::None);
    service_state::Entity::update_many()
        .col_expr(Column::Status, Expr::value(Status::Unknown))
        .col_expr(Column::Message, Expr::value(Option::<String>::None))
        .col_expr(Column::FailingChecks, Expr::value(0))
        .col_expr(Column::FailingSince, no_time())
        .col_expr(Column::DownChecks, Expr::value(0))
        .col_expr(Column::DownSince, no_time())
        .col_expr(Column::RecoveringChecks, Expr::value(0))
        .col_expr(Column::RecoveringSince, no_time())
        .col_expr(Column::OpenIncidentId, Expr::value(Option::<Uuid>::None))
        .col_expr(
            Column::OpenIncidentType,
            Expr::value(Option::<entity::column::IncidentType>::None),
        )
        .filter(in_ids(transaction, Column::ServiceId, ids.iter().copied()))
        .exec(transaction)
        .await?;
    service_state::Entity::update_many()
        .col_expr(Column::StatusSince, Expr::value(at))
        .filter(in_ids(transaction, Column::ServiceId, changed))
        .exec(transaction)
        .await?;
    let with_state: BTreeSet<&Uuid> = rows.iter().map(|row| &row.service_id).collect();
    let without_state: BTreeSet<&Uuid> = ids.iter().filter(|id| !with_state.contains(id)).collect();
    let missing_states: Vec<_> = services
        .iter()
        .filter(|service| without_state.contains(&service.id))
        .map(initial_state)
        .collect();
    if !missing_states.is_empty() {
        service_state::Entity::insert_many(missing_states)
            .exec_without_returning(transaction)
            .await?;
    }
    incidents::close_on_pause(transaction, &ended, at).await?;
    Ok(ended)
}

fn stored_state(row: &service_state::Model) -> State {
    State {
        status: row.status.into(),
        since: row.status_since,
        last_slot: row.last_slot,
        failing: None,
        recovering: None,
        incident: row.open_incident_type.map(Into::into),
    }
}
