//! Exports the viewer's account and the data of their workspaces as a stream of JSON, so that a long
//! history is never in memory as a whole. Contains no secret, not even as a hash.

use crate::auth::Viewer;
use crate::use_cases::workspace::WorkspaceMembership;
use crate::use_cases::{Error, Result, UseCases};
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use entity::column::RollupPeriod;
use entity::sql::in_ids;
use entity::{
    calendar_feed, check, check_rollup, incident, incident_acknowledgement, incident_event,
    incident_note, service, service_component, service_state, service_tag, user, vendor_page,
};
use futures::stream::{self, Stream, StreamExt as _, TryStreamExt as _};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, ExprTrait as _, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Number of checks, or of rollups, read at a time.
const EXPORT_BATCH: u64 = 5_000;

impl UseCases {
    /// Streams `{"exportedAt", "account", "workspaces", "services": [...], "complete": true}`, each
    /// service with its workspace, state, incidents, summaries and checks. If the database fails in
    /// between, the stream ends with an error and without `complete`. A token exports only its own
    /// workspace.
    ///
    /// # Errors
    /// When the database fails, or [`Error::Unauthenticated`] when the account is gone.
    pub async fn export(
        &self,
        viewer: &Viewer,
        now: DateTime<Utc>,
    ) -> Result<impl Stream<Item = std::result::Result<Bytes, DbErr>> + Send + use<>> {
        let workspaces = self.workspaces(viewer).await?;
        let head = self.head(viewer, &workspaces, now).await?;
        let ids = workspaces.iter().map(|membership| membership.workspace.id);
        let services = service::Entity::find()
            .filter(service::Column::WorkspaceId.is_in(ids))
            .order_by_asc(service::Column::WorkspaceId)
            .order_by_asc(service::Column::Id)
            .all(&self.db)
            .await?;
        let use_cases = self.clone();
        let services = services.into_iter().enumerate();
        let services = stream::iter(services)
            .flat_map(move |(index, service)| use_cases.clone().service_parts(index, service));
        let first = stream::iter([Ok(Bytes::from(head))]);
        let last = stream::iter([Ok(Bytes::from_static(b"],\"complete\":true}\n"))]);
        Ok(first.chain(services).chain(last))
    }

    async fn head(
        &self,
        viewer: &Viewer,
        workspaces: &[WorkspaceMembership],
        now: DateTime<Utc>,
    ) -> Result<String> {
        let user = user::Entity::find_by_id(viewer.user_id)
            .one(&self.db)
            .await?
            .ok_or(Error::Unauthenticated)?;
        let identities = self.identities(viewer).await?.into_iter().map(|identity| {
            json!({
                "provider": identity.provider, "subject": identity.subject, "email": identity.email,
                "emailVerified": identity.email_verified, "createdAt": time(identity.created_at),
                "lastUsedAt": time(identity.last_used_at),
            })
        });
        let sessions = self.sessions(viewer).await?.into_iter().map(|session| {
            json!({
                "id": session.id, "userAgent": session.user_agent, "address": session.address,
                "createdAt": time(session.created_at), "lastUsedAt": time(session.last_used_at),
                "expiresAt": time(session.expires_at),
            })
        });
        let tokens = self.tokens(viewer).await?.into_iter().map(|(token, workspace)| {
            json!({
                "id": token.id, "name": token.name, "workspaceId": workspace.id, "readOnly": token.read_only, "createdAt": time(token.created_at),
                "lastUsedAt": token.last_used_at.map(time), "expiresAt": token.expires_at.map(time),
            })
        });
        let ids = workspaces.iter().map(|membership| membership.workspace.id);
        let feeds: HashMap<_, _> = calendar_feed::Entity::find()
            .filter(calendar_feed::Column::WorkspaceId.is_in(ids))
            .all(&self.db)
            .await?
            .into_iter()
            .map(|feed| (feed.workspace_id, a_feed(&feed)))
            .collect();
        let workspaces = workspaces.iter().map(|WorkspaceMembership { workspace, role }| {
            json!({
                "id": workspace.id, "name": workspace.name, "personal": workspace.personal, "role": role,
                "createdAt": time(workspace.created_at), "calendarFeed": feeds.get(&workspace.id),
            })
        });
        let workspaces = Value::Array(workspaces.collect());
        let account = json!({
            "id": user.id, "email": user.email, "emailVerified": user.email_verified, "name": user.name,
            "avatarUrl": user.avatar_url, "createdAt": time(user.created_at),
            "identities": identities.collect::<Vec<_>>(), "sessions": sessions.collect::<Vec<_>>(),
            "apiTokens": tokens.collect::<Vec<_>>(),
        });
        Ok(format!(
            "{{\"exportedAt\":{},\"account\":{account},\"workspaces\":{workspaces},\"services\":[",
            json!(time(now))
        ))
    }

    /// Streams one service: its definition as an object that stays open, then summaries and checks.
    fn service_parts(
        self,
        index: usize,
        service: service::Model,
    ) -> impl Stream<Item = std::result::Result<Bytes, DbErr>> + Send {
        let number = service.seq;
        let (use_cases, db) = (self.clone(), self.db.clone());
        let comma = if index == 0 { "" } else { "," };
        let begin = stream::once(async move {
            let mut object = use_cases.definition(&service).await?.to_string();
            object.truncate(object.len() - 1);
            Ok(Bytes::from(format!("\n{comma}{object},\"summaries\":[")))
        });
        let summaries = paged(move |after: Option<(RollupPeriod, i64)>| {
            let db = db.clone();
            async move {
                use check_rollup::Column::{Period, ServiceSeq, Start};
                let mut query = check_rollup::Entity::find().filter(ServiceSeq.eq(number));
                if let Some((period, start)) = after {
                    query =
                        query.filter(Period.gt(period).or(Period.eq(period).and(Start.gt(start))));
                }
                let rows = query
                    .order_by_asc(Period)
                    .order_by_asc(Start)
                    .limit(EXPORT_BATCH)
                    .all(&db)
                    .await?;
                let last = rows.last().map(|row| (row.period, row.start));
                Ok((rows.iter().map(summary).collect(), last))
            }
        });
        let db = self.db.clone();
        let between = stream::iter([Ok(Bytes::from_static(b"],\"checks\":["))]);
        let checks = paged(move |after: Option<i64>| {
            let db = db.clone();
            async move {
                use check::Column::{ServiceSeq, Slot};
                let mut query = check::Entity::find().filter(ServiceSeq.eq(number));
                if let Some(slot) = after {
                    query = query.filter(Slot.gt(slot));
                }
                let rows = query
                    .order_by_asc(Slot)
                    .limit(EXPORT_BATCH)
                    .all(&db)
                    .await?;
                let last = rows.last().map(|row| row.slot);
                Ok((rows.iter().map(a_check).collect(), last))
            }
        });
        let end = stream::iter([Ok(Bytes::from_static(b"]}"))]);
        begin
            .chain(summaries)
            .chain(between)
            .chain(checks)
            .chain(end)
    }

    /// Reads a service's definition, state and incidents.
    async fn definition(&self, service: &service::Model) -> std::result::Result<Value, DbErr> {
        let page = match service.vendor_page_id {
            Some(id) => vendor_page::Entity::find_by_id(id).one(&self.db).await?,
            None => None,
        };
        let tags = service_tag::Entity::find()
            .filter(service_tag::Column::ServiceId.eq(service.id))
            .order_by_asc(service_tag::Column::Tag)
            .all(&self.db)
            .await?;
        let tags: Vec<_> = tags.into_iter().map(|row| row.tag).collect();
        let components = service_component::Entity::find()
            .filter(service_component::Column::ServiceId.eq(service.id))
            .order_by_asc(service_component::Column::Position)
            .all(&self.db)
            .await?;
        let components = components
            .into_iter()
            .map(|component| json!({ "id": component.component_id, "name": component.name, "groupName": component.group_name }));
        let state = service_state::Entity::find_by_id(service.id)
            .one(&self.db)
            .await?;
        let incidents = incident::Entity::find()
            .filter(incident::Column::ServiceId.eq(service.id))
            .order_by_asc(incident::Column::StartedAt)
            .all(&self.db)
            .await?;
        let mut events: HashMap<_, Vec<_>> = HashMap::new();
        let (mut acknowledged, mut notes) = (HashMap::new(), HashMap::<_, Vec<_>>::new());
        for some in incidents.chunks(1000) {
            let ids: Vec<_> = some.iter().map(|incident| incident.id).collect();
            let of_these = incident_event::Entity::find()
                .filter(in_ids(
                    &self.db,
                    incident_event::Column::IncidentId,
                    ids.iter().copied(),
                ))
                .order_by_asc(incident_event::Column::At)
                .order_by_asc(incident_event::Column::Id);
            for event in of_these.all(&self.db).await? {
                let entry =
                    json!({ "at": time(event.at), "kind": event.kind, "message": event.message });
                events.entry(event.incident_id).or_default().push(entry);
            }
            let seen = incident_acknowledgement::Entity::find().filter(in_ids(
                &self.db,
                incident_acknowledgement::Column::IncidentId,
                ids.iter().copied(),
            ));
            acknowledged.extend(
                seen.all(&self.db)
                    .await?
                    .into_iter()
                    .map(|seen| (seen.incident_id, time(seen.at))),
            );
            let written = incident_note::Entity::find()
                .filter(in_ids(&self.db, incident_note::Column::IncidentId, ids))
                .order_by_asc(incident_note::Column::At)
                .order_by_asc(incident_note::Column::Id);
            for note in written.all(&self.db).await? {
                notes
                    .entry(note.incident_id)
                    .or_default()
                    .push(json!({ "at": time(note.at), "text": note.text }));
            }
        }
        let incidents = incidents.into_iter().map(|incident| {
            let events = events.remove(&incident.id).unwrap_or_default();
            let notes = notes.remove(&incident.id).unwrap_or_default();
            json!({
                "id": incident.id, "type": domain::IncidentType::from(incident.incident_type), "startedAt": time(incident.started_at),
                "resolvedAt": incident.resolved_at.map(time), "checksFailed": incident.checks_failed,
                "cause": incident.cause, "acknowledgedAt": acknowledged.get(&incident.id),
                "events": events, "notes": notes,
            })
        });
        Ok(json!({
            "id": service.id, "workspaceId": service.workspace_id, "name": service.name, "category": service.category,
            "description": service.description, "tags": tags,
            "kind": service.kind.to_uppercase(), "settings": service.settings, "paused": service.paused,
            "vendorPageUrl": service.vendor_page_url, "vendorPageApiUrls": page.map(|page| page.api_urls),
            "components": components.collect::<Vec<_>>(), "checkIntervalSeconds": service.check_interval_seconds,
            "timeoutMs": service.timeout_ms, "degradedThresholdMs": service.degraded_threshold_ms,
            "confirmations": service.confirmations, "recoveries": service.recoveries,
            "createdAt": time(service.created_at), "state": state.as_ref().map(a_state), "incidents": incidents.collect::<Vec<_>>(),
        }))
    }
}

/// The elements of a JSON array, read page by page; `read` says where the next page begins.
fn paged<K, F>(
    read: impl Fn(Option<K>) -> F + Send + 'static,
) -> impl Stream<Item = std::result::Result<Bytes, DbErr>> + Send
where
    K: Send + 'static,
    F: Future<Output = std::result::Result<(Vec<Value>, Option<K>), DbErr>> + Send,
{
    stream::try_unfold(
        (read, None, true, false),
        |(read, after, first, done)| async move {
            if done {
                return Ok(None);
            }
            let (rows, last) = read(after).await?;
            let mut text = String::new();
            for (index, row) in rows.iter().enumerate() {
                text.push_str(if first && index == 0 { "\n" } else { ",\n" });
                text.push_str(&row.to_string());
            }
            let full = u64::try_from(rows.len()).is_ok_and(|rows| rows >= EXPORT_BATCH);
            Ok(Some((
                Bytes::from(text),
                (read, last, first && rows.is_empty(), !full),
            )))
        },
    )
    .try_filter(|part| futures::future::ready(!part.is_empty()))
}

fn summary(row: &check_rollup::Model) -> Value {
    json!({
        "period": match row.period {
            RollupPeriod::Hour => "hour",
            RollupPeriod::Day => "day",
        },
        "start": millis(row.start), "upMs": row.up_ms, "degradedMs": row.degraded_ms, "downMs": row.down_ms,
        "maintenanceMs": row.maintenance_ms, "checks": row.checks, "failed": row.failed,
        "maxResponseTimeMs": row.max_response_time_ms,
    })
}

fn a_state(row: &service_state::Model) -> Value {
    json!({
        "status": domain::Status::from(row.status), "since": time(row.status_since), "checkedAt": row.checked_at.map(time),
        "statusCode": row.status_code, "responseTimeMs": row.response_time_ms,
        "details": row.details, "message": row.message,
        "failingChecks": row.failing_checks, "failingSince": row.failing_since.map(time),
        "openIncidentId": row.open_incident_id,
    })
}

fn a_feed(row: &calendar_feed::Model) -> Value {
    json!({ "createdAt": time(row.created_at), "lastReadAt": row.last_read_at.map(time) })
}

fn a_check(row: &check::Model) -> Value {
    json!({
        "slot": millis(row.slot), "delayMs": row.lateness_ms, "status": domain::Status::from(row.status),
        "statusCode": row.status_code, "responseTimeMs": row.response_time_ms, "message": row.message,
    })
}

fn millis(at: i64) -> Option<String> {
    DateTime::from_timestamp_millis(at).map(time)
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
