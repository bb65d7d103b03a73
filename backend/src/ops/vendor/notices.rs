//! Which of a vendor's incidents and maintenance touch what a service follows: by the ids of the components alone. What is
//! linked to nothing touches nothing that anybody follows, and a link to everything says nothing by itself.

use super::{Followed, Shown};
use crate::ops::{Ops, Result};
use chrono::{DateTime, Utc};
use domain::Status;
use entity::{service, vendor_incident, vendor_maintenance};
use probe::status_page::Stage;
use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// The vendors' words for maintenance that is over, in lower case.
const OVER: [&str; 8] =
    ["completed", "complete", "maintenance_complete", "resolved", "postmortem", "cancelled", "canceled", "finished"];
/// Their words for maintenance that goes on.
const UNDER_WAY: [&str; 7] =
    ["in_progress", "verifying", "maintenance_in_progress", "inprogress", "in progress", "open", "active"];
/// Their words for maintenance that is announced.
const ANNOUNCED: [&str; 5] = ["scheduled", "maintenance_scheduled", "notstartedyet", "upcoming", "planned"];

/// What the page of one service says that touches the followed components.
#[derive(Debug, Clone, Default)]
pub struct Notices {
    /// Incidents that are not over, newest first.
    pub incidents: Vec<Arc<vendor_incident::Model>>,
    /// Maintenance that is scheduled or in progress, soonest first.
    pub maintenances: Vec<Arc<vendor_maintenance::Model>>,
    /// The page's names for its components, by their ids.
    pub names: Arc<HashMap<String, String>>,
}

impl Ops {
    /// The notices that touch what each service follows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notices(
        &self,
        services: &[Arc<service::Model>],
        now: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, Notices>> {
        let views = self.pages(services).await?;
        if views.is_empty() {
            return Ok(HashMap::new());
        }
        let shown = self.shown(services).await?;
        let followed = super::join(self.chosen(&views).await?, &views, &shown, now);
        let pages: HashSet<Uuid> = views.values().map(|view| view.row.id).collect();
        let incidents = self.open_vendor_incidents(&pages).await?;
        let maintenances = self.maintenances_to_come(&pages, now).await?;
        let listed: HashMap<Uuid, Listed> = shown.iter().map(|(page, list)| (*page, Listed::of(list))).collect();
        let notices = services.iter().filter_map(|service| {
            let page = service.status_page_id?;
            let (follows, listed) = (followed.get(&service.id)?, listed.get(&page)?);
            let touches = |ids: &serde_json::Value, strict| listed.touches(ids, follows, strict);
            let own = incidents.get(&page).map(Vec::as_slice).unwrap_or_default();
            let incidents = own.iter().filter(|one| touches(&one.component_ids, true)).cloned().collect();
            let own = maintenances.get(&page).map(Vec::as_slice).unwrap_or_default();
            // What is still to come cannot show in the components.
            let held = |one: &vendor_maintenance::Model| stage(one, now) == Stage::InProgress;
            let maintenances = own.iter().filter(|one| touches(&one.component_ids, held(one))).cloned().collect();
            Some((service.id, Notices { incidents, maintenances, names: Arc::clone(&listed.names) }))
        });
        Ok(notices.collect())
    }

    async fn open_vendor_incidents(
        &self,
        pages: &HashSet<Uuid>,
    ) -> Result<HashMap<Uuid, Vec<Arc<vendor_incident::Model>>>> {
        let mut rows = vendor_incident::Entity::find()
            .filter(vendor_incident::Column::StatusPageId.is_in(pages.iter().copied()))
            .filter(vendor_incident::Column::ResolvedAt.is_null())
            .all(&self.db)
            .await?;
        rows.sort_by_cached_key(|row| (Reverse(row.started_at), row.incident_id.clone()));
        Ok(by_page(rows, |row| row.status_page_id))
    }

    async fn maintenances_to_come(
        &self,
        pages: &HashSet<Uuid>,
        now: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, Vec<Arc<vendor_maintenance::Model>>>> {
        let word = Func::lower(Expr::col(vendor_maintenance::Column::Status));
        let mut rows = vendor_maintenance::Entity::find()
            .filter(vendor_maintenance::Column::StatusPageId.is_in(pages.iter().copied()))
            .filter(Expr::expr(word).is_not_in(OVER))
            .all(&self.db)
            .await?;
        rows.retain(|row| stage(row, now) != Stage::Completed);
        rows.sort_by_cached_key(|row| (row.scheduled_for.is_none(), row.scheduled_for, row.maintenance_id.clone()));
        Ok(by_page(rows, |row| row.status_page_id))
    }
}

fn by_page<T>(rows: Vec<T>, page: impl Fn(&T) -> Uuid) -> HashMap<Uuid, Vec<Arc<T>>> {
    let mut of_each: HashMap<Uuid, Vec<Arc<T>>> = HashMap::new();
    for row in rows {
        of_each.entry(page(&row)).or_default().push(Arc::new(row));
    }
    of_each
}

/// How far maintenance is: by the vendor's word, or at `now` by its window where the word is not known.
pub(crate) fn stage(row: &vendor_maintenance::Model, now: DateTime<Utc>) -> Stage {
    let word = row.status.to_lowercase();
    let known = |words: &[&str]| words.contains(&word.as_str());
    match (row.scheduled_for, row.scheduled_until) {
        _ if known(&OVER) => Stage::Completed,
        _ if known(&UNDER_WAY) => Stage::InProgress,
        (_, Some(until)) if until <= now => Stage::Completed,
        _ if known(&ANNOUNCED) => Stage::Scheduled,
        (Some(from), _) if from <= now => Stage::InProgress,
        _ => Stage::Scheduled,
    }
}

/// What a page lists.
struct Listed {
    ids: HashSet<String>,
    names: Arc<HashMap<String, String>>,
}

impl Listed {
    fn of(components: &[Shown]) -> Self {
        let there = components.iter().filter(|one| !one.missing);
        let names = components.iter().map(|one| (one.component_id.clone(), one.name.clone())).collect();
        Self { ids: there.map(|one| one.component_id.clone()).collect(), names: Arc::new(names) }
    }

    /// Whether a notice that is linked to `linked` touches any of what is followed. Where it is linked to everything that
    /// the page has, and `strict`, the component itself must be other than up.
    fn touches(&self, linked: &serde_json::Value, follows: &[Followed], strict: bool) -> bool {
        let linked = linked.as_array().map(Vec::as_slice).unwrap_or_default();
        let linked: HashSet<&str> = linked.iter().filter_map(serde_json::Value::as_str).collect();
        let everything = strict && self.ids.len() > 1 && self.ids.iter().all(|id| linked.contains(id.as_str()));
        let touched = |one: &&Followed| linked.contains(one.chosen.component_id.as_str());
        follows.iter().filter(touched).any(|one| !everything || one.status != Status::Up)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(hour: u32) -> DateTime<Utc> {
        format!("2026-11-22T{hour:02}:00:00Z").parse().unwrap()
    }

    #[test]
    fn how_far_maintenance_is_is_told_by_the_vendors_word_and_else_by_its_window() {
        for (word, from, until, expected) in [
            ("scheduled", Some(1), Some(20), Stage::Scheduled),
            ("scheduled", Some(1), Some(2), Stage::Completed),
            ("in_progress", Some(1), Some(2), Stage::InProgress),
            ("in_progress", Some(20), Some(21), Stage::InProgress),
            ("INPROGRESS", None, None, Stage::InProgress),
            ("Complete", Some(20), None, Stage::Completed),
            ("maintenance_complete", Some(20), None, Stage::Completed),
            ("", Some(10), Some(14), Stage::InProgress),
            ("", Some(10), Some(12), Stage::Completed),
            ("wartung", Some(13), None, Stage::Scheduled),
            ("wartung", None, None, Stage::Scheduled),
        ] {
            let row = vendor_maintenance::Model {
                status_page_id: Uuid::nil(),
                maintenance_id: "m".into(),
                name: "M".into(),
                status: word.into(),
                scheduled_for: from.map(at),
                scheduled_until: until.map(at),
                url: None,
                component_ids: serde_json::json!([]),
                updated_at: at(0),
            };
            assert_eq!(stage(&row, at(12)), expected, "{word} {from:?} {until:?}");
        }
    }
}
