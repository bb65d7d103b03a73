//! Following components of a vendor page: the page's row, which all its followers share, and the components that
//! a service chose. Every word of the row comes from what this server read.

use super::{Error, Result};
use chrono::{DateTime, Utc};
use entity::column::Listing;
use entity::{service, service_component, vendor_page, vendor_page_component};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;
use vendor_pages::Discovery;

/// How many pages one workspace may follow: each is asked every minute for as long as anybody does.
const MAX_PAGES: u64 = 200;

/// How many components one statement adds: each has nine values, and databases take some tens of thousands.
const CHUNK: usize = 1_000;

/// The field that holds the choice.
const COMPONENTS: &str = "componentIds";

/// Each id once, in the order in which they were chosen.
fn distinct(ids: &[String]) -> Vec<&str> {
    let mut seen = HashSet::new();
    ids.iter()
        .map(String::as_str)
        .filter(|id| seen.insert(*id))
        .collect()
}

/// A component as it is remembered with a service.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    id: String,
    name: String,
    group: Option<String>,
    missing: bool,
}

/// The components with these ids on a page that was just read.
///
/// # Errors
/// Under `componentIds`, when any is not on it.
pub(super) fn choose(page: &vendor_pages::page::Page, ids: &[String]) -> Result<Vec<Choice>> {
    let known: HashMap<&str, _> = page
        .components
        .iter()
        .map(|one| (one.id.as_str(), one))
        .collect();
    let choice = |id: &str| {
        let component = known.get(id)?;
        let (name, group) = (component.name.clone(), component.group.clone());
        Some(Choice {
            id: id.to_owned(),
            name,
            group,
            missing: false,
        })
    };
    found(ids, choice)
}

fn found(ids: &[String], choice: impl Fn(&str) -> Option<Choice>) -> Result<Vec<Choice>> {
    let chosen: Vec<_> = distinct(ids)
        .into_iter()
        .map(|id| choice(id).ok_or(id))
        .collect();
    let absent: Vec<_> = chosen
        .iter()
        .filter_map(|one| one.as_ref().err().copied())
        .collect();
    if let Some(first) = absent.first() {
        let others = if absent.len() > 1 {
            format!(", nor {} others", absent.len() - 1)
        } else {
            String::new()
        };
        let shown: String = first.chars().take(100).collect();
        let message = format!(
            "the page has no component with the id \"{shown}\"{others}: choose among those that it has"
        );
        return Err(Error::field(COMPONENTS, message));
    }
    Ok(chosen.into_iter().flatten().collect())
}

/// The row of the page that was read: found, or made with its components, so that they are shown before the worker has
/// read it. Whoever takes a row also holds it, so that it is not removed meanwhile.
///
/// A page whose addresses anybody discovered may be looked for again when it moves; one that was only ever given by hand
/// stays as it was given.
pub(super) async fn bind(
    db: &impl ConnectionTrait,
    found: &Discovery,
    by_hand: bool,
    now: DateTime<Utc>,
) -> Result<Uuid> {
    let row = vendor_page::ActiveModel {
        id: Set(Uuid::now_v7()),
        key: Set(found.key()),
        url: Set(found.page.url.clone()),
        name: Set(found.page.name.clone()),
        provider: Set(Some(found.page.provider.to_owned())),
        api_urls: Set(serde_json::json!(found.api_urls)),
        user_defined: Set(by_hand),
        fetched_at: Set(None),
        attempted_at: Set(None),
        failures: Set(0),
        message: Set(None),
        listing: Set(match found.page.listing {
            vendor_pages::page::Listing::All => Listing::All,
            vendor_pages::page::Listing::Mentioned => Listing::Mentioned,
        }),
        not_before: Set(None),
        validators: Set(None),
        detected_at: Set(None),
        created_at: Set(now),
    };
    let mut there = OnConflict::column(vendor_page::Column::Key);
    there.update_column(vendor_page::Column::Key);
    if !by_hand {
        there.update_column(vendor_page::Column::UserDefined);
    }
    let page = vendor_page::Entity::insert(row)
        .on_conflict(there)
        .exec_with_returning(db)
        .await?;

    // Of a page that nobody followed for a while, what the row has may be old: what is new is added, what changed is for
    // the worker.
    let rows: Vec<_> = found
        .page
        .components
        .iter()
        .map(|component| shown(page.id, component, now))
        .collect();
    let mut known = OnConflict::columns([
        vendor_page_component::Column::VendorPageId,
        vendor_page_component::Column::ComponentId,
    ]);
    known.do_nothing();
    for some in rows.chunks(CHUNK) {
        let some = some.iter().cloned().map(IntoActiveModel::into_active_model);
        let adding = vendor_page_component::Entity::insert_many(some).on_conflict(known.clone());
        adding.exec_without_returning(db).await?;
    }
    Ok(page.id)
}

/// The component as its page shows it.
pub(super) fn shown(
    page: Uuid,
    component: &vendor_pages::page::Component,
    now: DateTime<Utc>,
) -> vendor_page_component::Model {
    vendor_page_component::Model {
        vendor_page_id: page,
        component_id: component.id.clone(),
        name: component.name.clone(),
        group_name: component.group.clone(),
        position: i32::try_from(component.position).unwrap_or(i32::MAX),
        status: component.status.into(),
        vendor_status: component.vendor_status.clone(),
        missing: false,
        updated_at: now,
    }
}

/// Refuses a page more than one workspace may follow; `page` is one of those that it does, or a new
/// one.
///
/// # Errors
/// [`Error::Conflict`].
pub(super) async fn within_budget(
    db: &impl ConnectionTrait,
    workspace: Uuid,
    page: Uuid,
) -> Result<()> {
    let others = service::Entity::find()
        .select_only()
        .column(service::Column::VendorPageId)
        .distinct()
        .filter(service::Column::WorkspaceId.eq(workspace))
        .filter(service::Column::VendorPageId.is_not_null())
        .filter(service::Column::VendorPageId.ne(page));
    let already = service::Entity::find()
        .filter(service::Column::WorkspaceId.eq(workspace))
        .filter(service::Column::VendorPageId.eq(page));
    if others.count(db).await? < MAX_PAGES || already.count(db).await? > 0 {
        return Ok(());
    }
    let message = format!(
        "this workspace follows {MAX_PAGES} vendor pages, as many as this server allows: delete the services of one first"
    );
    Err(Error::Conflict(message))
}

/// Remembers what a new service follows.
pub(super) async fn follow(
    db: &impl ConnectionTrait,
    service: Uuid,
    chosen: Vec<Choice>,
) -> Result<()> {
    let rows = (0..)
        .zip(chosen)
        .map(|(position, choice)| service_component::ActiveModel {
            service_id: Set(service),
            component_id: Set(choice.id),
            name: Set(choice.name),
            group_name: Set(choice.group),
            position: Set(position),
            missing: Set(choice.missing),
        });
    service_component::Entity::insert_many(rows)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Follows other components of the same page, and says whether they are others: those that the page has, and those that
/// were followed before, which may be missing for a while only.
///
/// # Errors
/// Under `componentIds`, when the choice is wrong; [`Error::Conflict`] when the service has no page any more.
pub(super) async fn follow_others(
    db: &impl ConnectionTrait,
    service: &service::Model,
    ids: &[String],
) -> Result<bool> {
    let gone = || {
        Error::Conflict(
            "the vendor page of this service is gone: delete the service and add it again".into(),
        )
    };
    let page = service.vendor_page_id.ok_or_else(gone)?;
    let before = service_component::Entity::find()
        .filter(service_component::Column::ServiceId.eq(service.id))
        .order_by_asc(service_component::Column::Position)
        .all(db)
        .await?;
    let wanted = distinct(ids);
    if before
        .iter()
        .map(|one| one.component_id.as_str())
        .eq(wanted.iter().copied())
    {
        return Ok(false);
    }
    let on_page = vendor_page_component::Entity::find()
        .filter(vendor_page_component::Column::VendorPageId.eq(page))
        .filter(vendor_page_component::Column::Missing.eq(false))
        .filter(vendor_page_component::Column::ComponentId.is_in(wanted))
        .all(db)
        .await?;
    let mut known: HashMap<String, Choice> = HashMap::new();
    for one in before {
        let choice = Choice {
            id: one.component_id,
            name: one.name,
            group: one.group_name,
            missing: one.missing,
        };
        known.insert(choice.id.clone(), choice);
    }
    for one in on_page {
        // What the worker last said of a followed one stands until it looks again.
        let new = Choice {
            id: one.component_id,
            name: one.name,
            group: one.group_name,
            missing: false,
        };
        known.entry(new.id.clone()).or_insert(new);
    }
    let chosen = found(ids, |id| known.get(id).cloned())?;
    service_component::Entity::delete_many()
        .filter(service_component::Column::ServiceId.eq(service.id))
        .exec(db)
        .await?;
    follow(db, service.id, chosen).await?;
    Ok(true)
}
