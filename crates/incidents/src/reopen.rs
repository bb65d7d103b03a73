//! Opens incidents again that a pause had closed.

use crate::event_kind::EventKind;
use chrono::{DateTime, Utc};
use entity::sql::in_ids;
use entity::{incident, incident_event};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter};
use uuid::Uuid;

/// Reverts [`close_on_pause`](crate::close_on_pause): the incidents are open again, and their
/// timelines no longer mention the pause.
///
/// The caller must have locked the states of the services, and know that no other incident of them
/// has opened since.
///
/// # Errors
/// Whatever the database reports.
pub async fn reopen_after_pause(
    transaction: &DatabaseTransaction,
    incident_ids: &[Uuid],
) -> Result<(), DbErr> {
    if incident_ids.is_empty() {
        return Ok(());
    }
    let ids = || incident_ids.iter().copied();
    incident::Entity::update_many()
        .col_expr(
            incident::Column::ResolvedAt,
            Expr::value(Option::<DateTime<Utc>>::None),
        )
        .filter(in_ids(transaction, incident::Column::Id, ids()))
        .exec(transaction)
        .await?;
    // A service is paused once while an incident is open, so there is one such event.
    incident_event::Entity::delete_many()
        .filter(in_ids(
            transaction,
            incident_event::Column::IncidentId,
            ids(),
        ))
        .filter(incident_event::Column::Kind.eq(EventKind::Paused.as_str()))
        .exec(transaction)
        .await?;
    Ok(())
}
