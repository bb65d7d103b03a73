//! The calendar feed of vendors' maintenance: its secret address and its events.

use super::vendor::VendorAnnouncements;
use super::{Error, Result, UseCases};
use crate::auth::{Viewer, calendar as secrets};
use chrono::{DateTime, Datelike, Duration, Utc};
use entity::{calendar_feed, service, vendor_maintenance};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, Set};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// Maximum number of events in a calendar; the soonest are kept.
const MAX_EVENTS: usize = 1_000;

/// Maximum number of components, and of services, that an event names.
const MAX_NAMES: usize = 20;

/// Number of services read at a time; what they follow together stays within the bounds of a query.
const SERVICE_BATCH: usize = 100;

/// `last_read_at` is written at most this often: calendar programs poll.
const LAST_READ_RESOLUTION: Duration = Duration::hours(1);

/// Maintenance of components that a user follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Stays the same for as long as the vendor keeps its id.
    pub id: String,
    /// The names of the user's services that it affects.
    pub services: BTreeSet<String>,
    /// How many more services it affects.
    pub more_services: usize,
    /// The vendor's title.
    pub name: String,
    /// The vendor's word for its progress.
    pub status: String,
    /// The names of the components that it affects.
    pub components: Vec<String>,
    pub from: DateTime<Utc>,
    /// When it ends, if the vendor says so; later than `from`.
    pub until: Option<DateTime<Utc>>,
    /// The vendor's page about it.
    pub url: Option<String>,
    /// When anything that its owner sees of it last changed.
    pub updated_at: DateTime<Utc>,
}

impl UseCases {
    /// Returns the viewer's feed, without its secret; `None` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn calendar_feed(&self, viewer: &Viewer) -> Result<Option<calendar_feed::Model>> {
        Ok(calendar_feed::Entity::find_by_id(viewer.workspace_id)
            .one(&self.db)
            .await?)
    }

    /// Creates a new secret address and revokes the previous one. The path is returned once and not
    /// stored.
    ///
    /// # Errors
    /// Returns [`Error::Forbidden`] without a session: the address would outlive the token that created
    /// it.
    pub async fn create_calendar_feed(
        &self,
        viewer: &Viewer,
        now: DateTime<Utc>,
    ) -> Result<(String, calendar_feed::Model)> {
        if viewer.session.is_none() {
            let message =
                "a token cannot create a calendar feed: sign in with a browser and create it there";
            return Err(Error::Forbidden(message.into()));
        }
        let (secret, hash) = secrets::generate();
        let row = calendar_feed::ActiveModel {
            workspace_id: Set(viewer.workspace_id),
            secret_hash: Set(hash),
            created_at: Set(now),
            last_read_at: Set(None),
        };
        let mut renewed = OnConflict::column(calendar_feed::Column::WorkspaceId);
        renewed.update_columns([
            calendar_feed::Column::SecretHash,
            calendar_feed::Column::CreatedAt,
            calendar_feed::Column::LastReadAt,
        ]);
        let row = calendar_feed::Entity::insert(row)
            .on_conflict(renewed)
            .exec_with_returning(&self.db)
            .await?;
        Ok((format!("/api/calendar/{secret}.ics"), row))
    }

    /// Revokes the viewer's address; returns whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_calendar_feed(&self, viewer: &Viewer) -> Result<bool> {
        let revoked = calendar_feed::Entity::delete_by_id(viewer.workspace_id)
            .exec(&self.db)
            .await?;
        Ok(revoked.rows_affected > 0)
    }

    /// Returns the events of the calendar with this secret at `now`, soonest first; `None` when there
    /// is no such calendar.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn calendar(&self, secret: &str, now: DateTime<Utc>) -> Result<Option<Vec<Event>>> {
        let Some(hash) = secrets::hash(secret) else {
            return Ok(None);
        };
        let by_hash = calendar_feed::Column::SecretHash.eq(hash.to_vec());
        let Some(feed) = calendar_feed::Entity::find()
            .filter(by_hash)
            .one(&self.db)
            .await?
        else {
            return Ok(None);
        };
        self.update_last_read(&feed, now).await;
        let services = service::Entity::find()
            .filter(service::Column::WorkspaceId.eq(feed.workspace_id))
            .filter(service::Column::VendorPageId.is_not_null())
            .filter(service::Column::Paused.eq(false))
            .order_by_asc(service::Column::Id)
            .all(&self.db)
            .await?;
        let services: Vec<_> = services.into_iter().map(Arc::new).collect();
        let mut events = HashMap::new();
        for some in services.chunks(SERVICE_BATCH) {
            add(&mut events, some, &self.maintenances(some, now).await?);
        }
        Ok(Some(soonest(events)))
    }

    /// Records that a calendar reads the feed, so that its owner sees whether it is in use.
    async fn update_last_read(&self, feed: &calendar_feed::Model, now: DateTime<Utc>) {
        if feed
            .last_read_at
            .is_some_and(|last| now < last + LAST_READ_RESOLUTION)
        {
            return;
        }
        let long_ago = Condition::any()
            .add(calendar_feed::Column::LastReadAt.is_null())
            .add(calendar_feed::Column::LastReadAt.lte(now - LAST_READ_RESOLUTION));
        let noted = calendar_feed::Entity::update_many()
            .col_expr(calendar_feed::Column::LastReadAt, Expr::value(now))
            .filter(calendar_feed::Column::WorkspaceId.eq(feed.workspace_id))
            .filter(calendar_feed::Column::SecretHash.eq(feed.secret_hash.clone()))
            .filter(long_ago)
            .exec(&self.db)
            .await;
        if let Err(error) = noted {
            tracing::warn!(%error, "failed to record that a calendar feed was read");
        }
    }
}

/// Adds each maintenance once, however many services it affects.
fn add(
    events: &mut HashMap<String, Event>,
    services: &[Arc<service::Model>],
    notices: &HashMap<Uuid, VendorAnnouncements>,
) {
    for service in services {
        let Some(notices) = notices.get(&service.id) else {
            continue;
        };
        for maintenance in &notices.maintenances {
            let id = id_of(maintenance);
            let known_at = notices.known_at(maintenance.updated_at);
            if let Some(event) = events.get_mut(&id) {
                event.touches(&service.name);
                event.updated_at = event.updated_at.min(known_at);
            } else if let Some(event) = event(id.clone(), &service.name, maintenance, notices) {
                events.insert(id, event);
            }
        }
    }
}

impl Event {
    fn touches(&mut self, service: &str) {
        if self.services.insert(service.to_owned()) && self.services.len() > MAX_NAMES {
            self.services.pop_last();
            self.more_services += 1;
        }
    }
}

fn soonest(events: HashMap<String, Event>) -> Vec<Event> {
    let mut events: Vec<_> = events.into_values().collect();
    events.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
    events.truncate(MAX_EVENTS);
    events
}

/// Returns the event of a maintenance; `None` when its start is not known.
fn event(
    id: String,
    service: &str,
    row: &vendor_maintenance::Model,
    notices: &VendorAnnouncements,
) -> Option<Event> {
    let representable = |at: &DateTime<Utc>| (1..=9999).contains(&at.year());
    let from = row.scheduled_for.filter(representable)?;
    let ids = row
        .component_ids
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let names = ids
        .iter()
        .filter_map(|id| notices.names.get(id.as_str()?).cloned());
    let mut components: Vec<_> = names.clone().take(MAX_NAMES).collect();
    let more = names.skip(MAX_NAMES).count();
    if more > 0 {
        components.push(format!("and {more} more"));
    }
    Some(Event {
        id,
        services: BTreeSet::from([service.to_owned()]),
        more_services: 0,
        name: row.name.clone(),
        status: row.status.clone(),
        components,
        from,
        until: row
            .scheduled_until
            .filter(representable)
            .filter(|until| *until > from),
        url: row.url.clone(),
        updated_at: notices.known_at(row.updated_at),
    })
}

/// Returns a stable id that reveals nothing about the page's row.
fn id_of(row: &vendor_maintenance::Model) -> String {
    let mut hash = Sha256::new();
    hash.update(row.vendor_page_id.as_bytes());
    hash.update(row.maintenance_id.as_bytes());
    hex::encode(&hash.finalize()[..16])
}
