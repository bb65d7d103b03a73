//! Ends incidents because of what people do to services.

use crate::event_kind::EventKind;
use chrono::{DateTime, Utc};
use entity::sql::among;
use entity::{incident, incident_event};
use sea_orm::sea_query::Expr;
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

/// Closes open incidents at `at` because their services were paused: nobody would see their end.
///
/// # Errors
/// Whatever the database reports.
pub async fn close_on_pause(
    transaction: &DatabaseTransaction,
    open: &[incident::Model],
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    if open.is_empty() {
        return Ok(());
    }
    let ids = open.iter().map(|incident| incident.id);
    incident::Entity::update_many()
        .col_expr(incident::Column::ResolvedAt, Expr::value(at))
        .filter(among(transaction, incident::Column::Id, ids))
        .exec(transaction)
        .await?;
    let events = open.iter().map(|incident| incident_event::ActiveModel {
        id: Set(Uuid::now_v7()),
        incident_id: Set(incident.id),
        at: Set(at),
        kind: Set(EventKind::Paused.as_str().to_owned()),
        message: Set("checking was paused: the end was not seen".to_owned()),
    });
    incident_event::Entity::insert_many(events)
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}

/// Deletes all incidents of services that are about to be deleted, with their timelines.
///
/// The caller must have locked the services: a recorder locks a service first and its incidents
/// after it.
///
/// # Errors
/// Whatever the database reports.
pub async fn delete_of_services(
    transaction: &DatabaseTransaction,
    service_ids: &[Uuid],
) -> Result<(), DbErr> {
    let of_services = among(
        transaction,
        incident::Column::ServiceId,
        service_ids.iter().copied(),
    );
    incident::Entity::delete_many()
        .filter(of_services)
        .exec(transaction)
        .await?;
    Ok(())
}
