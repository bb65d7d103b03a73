//! The calendar of vendors' maintenance: its secret address, and what stands in it.

use super::vendor::Notices;
use super::{Error, Ops, Result};
use crate::auth::{Viewer, calendar as secrets};
use chrono::{DateTime, Datelike, Duration, Utc};
use entity::{calendar_feed, service, vendor_maintenance};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, Set};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// The most that stands in one calendar, soonest first.
const MAX_EVENTS: usize = 1_000;

/// How many components an entry names, and how many services.
const MAX_NAMES: usize = 20;

/// How many services are read at a time: whatever each of them follows, together it is never too much.
const SERVICES: usize = 100;

/// `last_read_at` is only written when it is older than this: calendars read often.
const READING_IS_NOTED_EVERY: Duration = Duration::hours(1);

/// Maintenance of components that a user follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Stays the same for as long as the vendor keeps its id.
    pub id: String,
    /// The user's services that it touches, by name.
    pub services: BTreeSet<String>,
    /// How many more services it touches.
    pub more_services: usize,
    /// The vendor's title.
    pub name: String,
    /// The vendor's word for how far they are.
    pub status: String,
    /// The components that it touches, by name.
    pub components: Vec<String>,
    /// When it begins.
    pub from: DateTime<Utc>,
    /// When it ends, as far as the vendor says so; later than it begins.
    pub until: Option<DateTime<Utc>>,
    /// The vendor's page about it.
    pub url: Option<String>,
    /// When anything of it last changed that its owner could know.
    pub updated_at: DateTime<Utc>,
}

impl Ops {
    /// What is known of the viewer's feed; `None` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn calendar_feed(&self, viewer: &Viewer) -> Result<Option<calendar_feed::Model>> {
        Ok(calendar_feed::Entity::find_by_id(viewer.workspace_id)
            .one(&self.db)
            .await?)
    }

    /// Makes a new secret address, in place of the one that there was. The path is returned this once and kept nowhere.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without a session: the address would outlive a token, its end and its revocation.
    pub async fn create_calendar_feed(
        &self,
        viewer: &Viewer,
        now: DateTime<Utc>,
    ) -> Result<(String, calendar_feed::Model)> {
        if viewer.session.is_none() {
            let message = "a token cannot make a calendar's address: sign in with a browser and make it there";
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

    /// Makes the viewer's address worthless; `false` when there was none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_calendar_feed(&self, viewer: &Viewer) -> Result<bool> {
        let revoked = calendar_feed::Entity::delete_by_id(viewer.workspace_id)
            .exec(&self.db)
            .await?;
        Ok(revoked.rows_affected > 0)
    }

    /// What stands in the calendar with this secret at `now`, soonest first; `None` when there is no such one.
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
        self.note_reading(&feed, now).await;
        let services = service::Entity::find()
            .filter(service::Column::WorkspaceId.eq(feed.workspace_id))
            .filter(service::Column::VendorPageId.is_not_null())
            .filter(service::Column::Paused.eq(false))
            .order_by_asc(service::Column::Id)
            .all(&self.db)
            .await?;
        let services: Vec<_> = services.into_iter().map(Arc::new).collect();
        let mut events = HashMap::new();
        for some in services.chunks(SERVICES) {
            add(&mut events, some, &self.maintenances(some, now).await?);
        }
        Ok(Some(soonest(events)))
    }

    /// Writes down that a calendar reads the feed, so that its owner sees whether anybody does.
    async fn note_reading(&self, feed: &calendar_feed::Model, now: DateTime<Utc>) {
        if feed
            .last_read_at
            .is_some_and(|last| now < last + READING_IS_NOTED_EVERY)
        {
            return;
        }
        let long_ago = Condition::any()
            .add(calendar_feed::Column::LastReadAt.is_null())
            .add(calendar_feed::Column::LastReadAt.lte(now - READING_IS_NOTED_EVERY));
        let noted = calendar_feed::Entity::update_many()
            .col_expr(calendar_feed::Column::LastReadAt, Expr::value(now))
            .filter(calendar_feed::Column::WorkspaceId.eq(feed.workspace_id))
            .filter(calendar_feed::Column::SecretHash.eq(feed.secret_hash.clone()))
            .filter(long_ago)
            .exec(&self.db)
            .await;
        if let Err(error) = noted {
            tracing::warn!(%error, "that a calendar was read could not be written down");
        }
    }
}

/// Each maintenance once, however many services it touches.
fn add(
    events: &mut HashMap<String, Event>,
    services: &[Arc<service::Model>],
    notices: &HashMap<Uuid, Notices>,
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

/// One without a beginning has no place in a calendar.
fn event(
    id: String,
    service: &str,
    row: &vendor_maintenance::Model,
    notices: &Notices,
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

/// Unchanging, and telling nothing about the page's row.
fn id_of(row: &vendor_maintenance::Model) -> String {
    let mut hash = Sha256::new();
    hash.update(row.vendor_page_id.as_bytes());
    hash.update(row.maintenance_id.as_bytes());
    hex::encode(&hash.finalize()[..16])
}
