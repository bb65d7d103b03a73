//! Reads incidents and their timelines. Acknowledgements and notes are in `note`.

mod days;
mod note;

pub use note::{MAX_NOTES, MAX_TEXT};

use super::pagination::{Cursor, RowPage};
use super::{Result, UseCases};
use crate::auth::Viewer;
use chrono::{DateTime, Utc};
use domain::IncidentType;
use entity::sql::in_ids;
use entity::{incident, incident_event};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// Maximum number of events of a timeline; an incident that flaps for very long has more.
const MAX_EVENTS: usize = 500;

/// Selects incidents; a field that is `None` does not restrict.
#[derive(Debug, Clone, Default)]
pub struct IncidentCriteria {
    pub service_id: Option<Uuid>,
    pub kind: Option<IncidentType>,
    /// Whether it is open.
    pub open: Option<bool>,
    /// Not resolved before this time.
    pub from: Option<DateTime<Utc>>,
    /// Started at or before this time.
    pub to: Option<DateTime<Utc>>,
}

impl IncidentCriteria {
    fn condition(&self, viewer: &Viewer, now: DateTime<Utc>) -> Condition {
        use incident::Column::{IncidentType, ResolvedAt, ServiceId, StartedAt, WorkspaceId};
        let lasts_until = |from: DateTime<Utc>| {
            // An open incident has lasted until now; whether it lasts longer is not known.
            let over = Condition::any().add(ResolvedAt.gte(from));
            if from <= now {
                over.add(ResolvedAt.is_null())
            } else {
                over
            }
        };
        Condition::all()
            .add(WorkspaceId.eq(viewer.workspace_id))
            .add_option(self.service_id.map(|id| ServiceId.eq(id)))
            .add_option(
                self.kind
                    .map(|kind| IncidentType.eq(entity::column::IncidentType::from(kind))),
            )
            .add_option(self.open.map(|open| {
                if open {
                    ResolvedAt.is_null()
                } else {
                    ResolvedAt.is_not_null()
                }
            }))
            .add_option(self.from.map(lasts_until))
            .add_option(self.to.map(|to| StartedAt.lte(to)))
    }
}

#[derive(FromQueryResult)]
struct IncidentCount {
    service_id: Uuid,
    incidents: i64,
}

/// Returns the cursor of an incident in every list of incidents, which are ordered newest first.
#[must_use]
pub fn cursor(incident: &incident::Model) -> Cursor {
    Cursor {
        at: incident.started_at,
        id: incident.id,
    }
}

impl UseCases {
    /// Returns a page of the viewer's incidents, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incidents(
        &self,
        viewer: &Viewer,
        filter: &IncidentCriteria,
        first: u32,
        after: Option<Cursor>,
        now: DateTime<Utc>,
    ) -> Result<RowPage<Arc<incident::Model>>> {
        let query = incident::Entity::find().filter(filter.condition(viewer, now));
        let rows = newest_first(query, after)
            .limit(u64::from(first) + 1)
            .all(&self.db)
            .await?;
        Ok(RowPage::of(rows.into_iter().map(Arc::new).collect(), first))
    }

    /// Counts the incidents that match.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_incidents(
        &self,
        viewer: &Viewer,
        filter: &IncidentCriteria,
        now: DateTime<Utc>,
    ) -> Result<u64> {
        Ok(incident::Entity::find()
            .filter(filter.condition(viewer, now))
            .count(&self.db)
            .await?)
    }

    /// Returns one of the viewer's incidents.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incident(
        &self,
        viewer: &Viewer,
        id: Uuid,
    ) -> Result<Option<Arc<incident::Model>>> {
        Ok(self.incidents_by_id(viewer, &[id]).await?.remove(&id))
    }

    /// Returns those of `ids` that are the viewer's incidents.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incidents_by_id(
        &self,
        viewer: &Viewer,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Arc<incident::Model>>> {
        let found = incident::Entity::find()
            .filter(in_ids(&self.db, incident::Column::Id, ids.iter().copied()))
            .filter(incident::Column::WorkspaceId.eq(viewer.workspace_id))
            .all(&self.db)
            .await?;
        Ok(found
            .into_iter()
            .map(|incident| (incident.id, Arc::new(incident)))
            .collect())
    }

    /// Returns a page of each service's incidents, newest first, in one statement. The pages of all
    /// services start after the same cursor.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incidents_of_each(
        &self,
        services: &[Uuid],
        first: u32,
        after: Option<Cursor>,
    ) -> Result<HashMap<Uuid, RowPage<Arc<incident::Model>>>> {
        let (all, rank) = (Alias::new("ranked"), Alias::new("place"));
        let of_these = incident::Entity::find().filter(in_ids(
            &self.db,
            incident::Column::ServiceId,
            services.iter().copied(),
        ));
        let ranked = newest_first(of_these, after).expr_as(
            Expr::cust(
                "row_number() OVER (PARTITION BY service_id ORDER BY started_at DESC, id DESC)",
            ),
            "place",
        );
        let ranked = sea_orm::QueryTrait::into_query(ranked);
        let first_ones = Query::select()
            .expr(Expr::cust("*"))
            .from_subquery(ranked, all)
            .and_where(Expr::col(rank.clone()).lte(i64::from(first) + 1))
            .order_by(rank, sea_orm::Order::Asc)
            .to_owned();
        let statement = self.db.get_database_backend().build(&first_ones);
        let rows = incident::Model::find_by_statement(statement)
            .all(&self.db)
            .await?;
        let mut of_each: HashMap<Uuid, Vec<Arc<incident::Model>>> = HashMap::new();
        for row in rows {
            of_each
                .entry(row.service_id)
                .or_default()
                .push(Arc::new(row));
        }
        Ok(of_each
            .into_iter()
            .map(|(service, rows)| (service, RowPage::of(rows, first)))
            .collect())
    }

    /// Counts the incidents of each service; those without any are missing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_incidents_of_each(&self, services: &[Uuid]) -> Result<HashMap<Uuid, u64>> {
        let counts: Vec<IncidentCount> = incident::Entity::find()
            .select_only()
            .column(incident::Column::ServiceId)
            .column_as(incident::Column::Id.count(), "incidents")
            .filter(in_ids(
                &self.db,
                incident::Column::ServiceId,
                services.iter().copied(),
            ))
            .group_by(incident::Column::ServiceId)
            .into_model()
            .all(&self.db)
            .await?;
        Ok(counts
            .into_iter()
            .map(|row| {
                (
                    row.service_id,
                    u64::try_from(row.incidents).unwrap_or_default(),
                )
            })
            .collect())
    }

    /// Returns the open incident of each of these services, and perhaps of others of the viewer's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_incidents(
        &self,
        viewer: &Viewer,
        services: &[Uuid],
    ) -> Result<HashMap<Uuid, Arc<incident::Model>>> {
        // Looking up many services costs more than reading all open incidents, which are few.
        const MAX_LOOKUPS: usize = 20;
        let of_these = (services.len() <= MAX_LOOKUPS).then(|| {
            in_ids(
                &self.db,
                incident::Column::ServiceId,
                services.iter().copied(),
            )
        });
        let open = incident::Entity::find()
            .filter(incident::Column::WorkspaceId.eq(viewer.workspace_id))
            .filter(incident::Column::ResolvedAt.is_null())
            .filter(Condition::all().add_option(of_these))
            .all(&self.db)
            .await?;
        Ok(open
            .into_iter()
            .map(|incident| (incident.service_id, Arc::new(incident)))
            .collect())
    }

    /// Returns the timeline of each incident, oldest event first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incident_events(
        &self,
        incidents: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<incident_event::Model>>> {
        let events = incident_event::Entity::find()
            .filter(in_ids(
                &self.db,
                incident_event::Column::IncidentId,
                incidents.iter().copied(),
            ))
            .order_by_asc(incident_event::Column::At)
            .order_by_asc(incident_event::Column::Id)
            .all(&self.db)
            .await?;
        let mut of_each: HashMap<Uuid, Vec<_>> = HashMap::new();
        for event in events {
            let timeline = of_each.entry(event.incident_id).or_default();
            if timeline.len() < MAX_EVENTS {
                timeline.push(event);
            }
        }
        Ok(of_each)
    }
}

fn newest_first(
    query: Select<incident::Entity>,
    after: Option<Cursor>,
) -> Select<incident::Entity> {
    use incident::Column::{Id, StartedAt};
    let older = after.map(|after| {
        let same_time = Condition::all()
            .add(StartedAt.eq(after.at))
            .add(Id.lt(after.id));
        Condition::any().add(StartedAt.lt(after.at)).add(same_time)
    });
    let query = match older {
        Some(older) => query.filter(older),
        None => query,
    };
    query.order_by_desc(StartedAt).order_by_desc(Id)
}
