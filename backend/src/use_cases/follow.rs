//! Stores which components of a vendor page a service follows, and the page itself, whose row all its
//! followers share. Only what this server read is written to that row, never what a client sent.

use super::{Error, Result};
use chrono::{DateTime, Utc};
use entity::column::ListCoverage;
use entity::{service, service_component, vendor_page, vendor_page_component};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;
use vendor_pages::Discovery;

/// Maximum number of vendor pages that a workspace follows: each is fetched every minute.
const MAX_PAGES_PER_WORKSPACE: u64 = 200;

/// Maximum number of components that one statement inserts: each has nine values, and databases
/// accept a few ten thousand per statement.
const INSERT_BATCH: usize = 1_000;

/// The input field with the ids of the components.
const COMPONENTS_FIELD: &str = "componentIds";

/// Removes duplicates and keeps the order.
fn distinct(ids: &[String]) -> Vec<&str> {
    let mut seen = HashSet::new();
    ids.iter()
        .map(String::as_str)
        .filter(|id| seen.insert(*id))
        .collect()
}

/// A component that a service follows, as it is stored with the service.
#[derive(Debug, Clone)]
pub(super) struct ChosenComponent {
    id: String,
    name: String,
    group: Option<String>,
    missing: bool,
}

/// Finds the components with these ids on a page that was just read.
///
/// # Errors
/// Returns [`Error::BadInput`] for `componentIds`, if one of them is not on the page.
pub(super) fn choose_components(
    page: &vendor_pages::page::Page,
    ids: &[String],
) -> Result<Vec<ChosenComponent>> {
    let known: HashMap<&str, _> = page
        .components
        .iter()
        .map(|one| (one.id.as_str(), one))
        .collect();
    let choice = |id: &str| {
        let component = known.get(id)?;
        let (name, group) = (component.name.clone(), component.group.clone());
        Some(ChosenComponent {
            id: id.to_owned(),
            name,
            group,
            missing: false,
        })
    };
    find_all(ids, choice)
}

fn find_all(
    ids: &[String],
    choice: impl Fn(&str) -> Option<ChosenComponent>,
) -> Result<Vec<ChosenComponent>> {
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
        return Err(Error::field(COMPONENTS_FIELD, message));
    }
    Ok(chosen.into_iter().flatten().collect())
}

/// Finds or inserts the row of a page that was just read, and returns its id. New components are
/// inserted too, so that they are shown before the worker fetches the page. The row stays locked
/// until the transaction ends, so that the worker cannot remove it meanwhile.
///
/// A page that somebody discovered may be discovered again when it moves. One whose addresses were
/// only given by hand keeps them.
pub(super) async fn upsert_page(
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
            vendor_pages::page::ListCoverage::All => ListCoverage::All,
            vendor_pages::page::ListCoverage::Mentioned => ListCoverage::Mentioned,
        }),
        not_before: Set(None),
        validators: Set(None),
        detected_at: Set(None),
        created_at: Set(now),
    };
    let mut on_conflict = OnConflict::column(vendor_page::Column::Key);
    on_conflict.update_column(vendor_page::Column::Key);
    if !by_hand {
        on_conflict.update_column(vendor_page::Column::UserDefined);
    }
    let page = vendor_page::Entity::insert(row)
        .on_conflict(on_conflict)
        .exec_with_returning(db)
        .await?;

    // The row may be old, if nobody has followed the page for a while. New components are inserted
    // here; the worker updates the changed ones.
    let rows: Vec<_> = found
        .page
        .components
        .iter()
        .map(|component| component_row(page.id, component, now))
        .collect();
    let mut skip_existing = OnConflict::columns([
        vendor_page_component::Column::VendorPageId,
        vendor_page_component::Column::ComponentId,
    ]);
    skip_existing.do_nothing();
    for some in rows.chunks(INSERT_BATCH) {
        let some = some.iter().cloned().map(IntoActiveModel::into_active_model);
        let adding =
            vendor_page_component::Entity::insert_many(some).on_conflict(skip_existing.clone());
        adding.exec_without_returning(db).await?;
    }
    Ok(page.id)
}

/// Converts a component of a page into its row.
pub(super) fn component_row(
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

/// Checks that the workspace may follow `page`: it follows the page already, or fewer than
/// [`MAX_PAGES_PER_WORKSPACE`] others.
///
/// # Errors
/// Returns [`Error::Conflict`] otherwise.
pub(super) async fn check_page_quota(
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
    if others.count(db).await? < MAX_PAGES_PER_WORKSPACE || already.count(db).await? > 0 {
        return Ok(());
    }
    let message = format!(
        "this workspace follows {MAX_PAGES_PER_WORKSPACE} vendor pages, as many as this server allows: delete the services of one first"
    );
    Err(Error::Conflict(message))
}

/// Inserts the components that a service follows.
pub(super) async fn insert_followed(
    db: &impl ConnectionTrait,
    service: Uuid,
    chosen: Vec<ChosenComponent>,
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

/// Replaces the components that a service follows, and returns whether they differ from before.
/// Allowed are components of its page, and those that it follows already: one of these may be
/// missing from the page only for a while.
///
/// # Errors
/// Returns [`Error::BadInput`] for `componentIds`, or [`Error::Conflict`] if the service has no page
/// any more.
pub(super) async fn replace_followed(
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
    let mut known: HashMap<String, ChosenComponent> = HashMap::new();
    for one in before {
        let choice = ChosenComponent {
            id: one.component_id,
            name: one.name,
            group: one.group_name,
            missing: one.missing,
        };
        known.insert(choice.id.clone(), choice);
    }
    for one in on_page {
        // A component that is followed already keeps what the worker stored of it.
        let new = ChosenComponent {
            id: one.component_id,
            name: one.name,
            group: one.group_name,
            missing: false,
        };
        known.entry(new.id.clone()).or_insert(new);
    }
    let chosen = find_all(ids, |id| known.get(id).cloned())?;
    service_component::Entity::delete_many()
        .filter(service_component::Column::ServiceId.eq(service.id))
        .exec(db)
        .await?;
    insert_followed(db, service.id, chosen).await?;
    Ok(true)
}
