//! The list of services, written as JSON at once: a dashboard asks twenty fields of each of a thousand services, and
//! resolving each of them by itself takes several times as long as finding out what they are. Fields that are not known
//! here are resolved by the library, and a selection that this does not understand as a whole.

use super::{Service, checked};
use crate::graphql::history::{Uptime, UptimeDay};
use crate::graphql::plain::{Write, put, put_key, put_list, put_object, raw, selected, writers};
use crate::graphql::scalar::Time;
use crate::graphql::scope::{ByService, Scope, scope};
use crate::graphql::status::{CurrentStatus, Window};
use crate::use_cases::history::{self, Answer, Question};
use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::{ContainerType as _, resolve_list};
use async_graphql::{
    Context, ContextSelectionSet, InputType as _, OutputType, Positioned, ServerResult, Value,
};
use entity::service;
use futures::future::join_all;
use std::borrow::Cow;
use std::sync::Arc;
use uuid::Uuid;

/// A list of services that were read.
pub(crate) struct Services(pub(super) Vec<Arc<service::Model>>);

impl OutputType for Services {
    fn type_name() -> Cow<'static, str> {
        Vec::<Service>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<Service>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<Service>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let Some(fields) = selected(field, ctx.query_env) else {
            return resolve_list(
                ctx,
                field,
                self.0.iter().cloned().map(Service::from),
                Some(self.0.len()),
            )
            .await;
        };
        // All at once, so that what they need of one kind is one statement.
        let columns = join_all(fields.iter().map(|field| column(ctx, &self.0, field))).await;
        let mut json = Vec::with_capacity(2 + self.0.len() * 256);
        put_list(
            &mut json,
            self.0.iter().enumerate(),
            |json, (row, service)| {
                json.push(b'{');
                let mut before = 0;
                for (field, column) in fields.iter().zip(&columns) {
                    let key = &field.node.response_key().node;
                    match column {
                        Column::Row(write) => {
                            put_key(json, before, key);
                            write(service, json);
                        }
                        Column::Written(values) => {
                            // One that failed stands among the errors.
                            let Some(value) = &values[row] else { continue };
                            put_key(json, before, key);
                            json.extend_from_slice(value);
                        }
                    }
                    before += 1;
                }
                json.push(b'}');
            },
        );
        Ok(raw(json))
    }
}

/// The values of one field of all services.
enum Column {
    /// It stands in the row.
    Row(fn(&service::Model, &mut Vec<u8>)),
    /// As JSON, one for each service; `None` where it failed.
    Written(Vec<Option<Vec<u8>>>),
}

async fn column<'a>(
    ctx: &ContextSelectionSet<'a>,
    services: &[Arc<service::Model>],
    field: &'a Positioned<Field>,
) -> Column {
    if let Some(write) = of_row(&field.node.name.node) {
        return Column::Row(write);
    }
    if let Some(values) = known(ctx, services, field).await {
        return Column::Written(values.into_iter().map(Some).collect());
    }
    let resolved = services.iter().enumerate().map(async |(row, service)| {
        let ctx = ctx.with_index(row);
        let value = Service::from(service.clone())
            .resolve_field(&ctx.with_field(field))
            .await;
        let value = value.map_err(|error| ctx.add_error(error)).ok()?;
        Some(written(|json| put(json, &value)))
    });
    Column::Written(join_all(resolved).await)
}

fn of_row(field: &str) -> Option<fn(&service::Model, &mut Vec<u8>)> {
    Some(match field {
        "__typename" => |_, json| put(json, &"Service"),
        "id" => |row, json| put(json, &row.id),
        "name" => |row, json| put(json, &row.name),
        "category" => |row, json| put(json, &row.category),
        "description" => |row, json| put(json, &row.description),
        "target" => |row, json| put(json, &crate::use_cases::target(row)),
        "paused" => |row, json| put(json, &row.paused),
        "createdAt" => |row, json| put(json, &Time(row.created_at).to_value()),
        "vendorPageUrl" => |row, json| put(json, &row.vendor_page_url),
        "checkIntervalSeconds" => |row, json| put(json, &row.check_interval_seconds),
        "timeoutMs" => |row, json| put(json, &row.timeout_ms),
        "degradedThresholdMs" => |row, json| put(json, &row.degraded_threshold_ms),
        "confirmations" => |row, json| put(json, &row.confirmations),
        "recoveries" => |row, json| put(json, &row.recoveries),
        _ => return None,
    })
}

/// The values of a field that is loaded for all services at once; `None` for another one, and for one that fails, which the
/// library then says in its own way.
async fn known<'a>(
    ctx: &ContextSelectionSet<'a>,
    services: &[Arc<service::Model>],
    field: &'a Positioned<Field>,
) -> Option<Vec<Vec<u8>>> {
    let (Scope { loaders, .. }, argument) = (scope(ctx), ctx.with_field(field));
    let set = &field.node.selection_set.node;
    let keys = || -> Vec<_> { services.iter().cloned().map(ByService).collect() };
    match field.node.name.node.as_str() {
        "current" => {
            let writers = writers::<CurrentStatus>(set, ctx.query_env)?;
            let take = |ByService(row): &ByService, known: Option<&coordination::CurrentStatus>| {
                let Some(known) = known else {
                    return b"null".to_vec();
                };
                written(|json| {
                    put_object(json, &CurrentStatus::of(row.id, known.clone()), &writers)
                })
            };
            loaders.current.load_all(&keys(), take).await.ok()
        }
        "uptime" => {
            let writers = writers::<Uptime>(set, ctx.query_env)?;
            let (_, window) = argument.param_value::<Window>("window", None).ok()?;
            let take = |answer: Option<&Answer>| match answer {
                Some(Answer::Uptime(uptime)) => Some(written(|json| {
                    put_object(json, &(*uptime).into(), &writers)
                })),
                _ => None,
            };
            ask(ctx, services, Question::Uptime(window.into()), take).await
        }
        "uptimeDays" => {
            let writers = writers::<UptimeDay>(set, ctx.query_env)?;
            let days = days(&argument)?;
            let mut alike = Alike::default();
            let take = |answer: Option<&Answer>| match answer {
                Some(Answer::Days(days)) => {
                    Some(written(|json| alike.put(json, days.iter(), &writers)))
                }
                _ => None,
            };
            ask(ctx, services, Question::Days(days), take).await
        }
        "incidentDays" => {
            let days = days(&argument)?;
            let keys: Vec<_> = services.iter().map(|row| (row.id, days)).collect();
            let none = vec![0; days as usize];
            let take = |_: &(Uuid, u32), counts: Option<&Vec<u32>>| {
                written(|json| put(json, counts.unwrap_or(&none)))
            };
            loaders.incident_days.load_all(&keys, take).await.ok()
        }
        "openIncident" => {
            let ids: Vec<_> = services.iter().map(|row| row.id).collect();
            let open = loaders
                .open_incident
                .load_all(&ids, |_, incident| incident.is_some())
                .await
                .ok()?;
            // There are few, and everything may be asked of them.
            let resolved =
                open.into_iter()
                    .zip(services)
                    .enumerate()
                    .map(async |(row, (open, service))| {
                        if !open {
                            return Some(b"null".to_vec());
                        }
                        let ctx = ctx.with_index(row);
                        let value = Service::from(service.clone())
                            .resolve_field(&ctx.with_field(field))
                            .await
                            .ok()?;
                        Some(written(|json| put(json, &value)))
                    });
            join_all(resolved).await.into_iter().collect()
        }
        _ => None,
    }
}

/// The answers about all services, as JSON.
async fn ask(
    ctx: &ContextSelectionSet<'_>,
    services: &[Arc<service::Model>],
    question: Question,
    mut take: impl FnMut(Option<&Answer>) -> Option<Vec<u8>>,
) -> Option<Vec<Vec<u8>>> {
    let keys: Vec<_> = services
        .iter()
        .map(|row| (ByService(row.clone()), question))
        .collect();
    let taken = scope(ctx)
        .loaders
        .uptime
        .load_all(&keys, |_, answer| take(answer))
        .await
        .ok()?;
    taken.into_iter().collect()
}

/// The days of services, each written once and copied for as long as the next service has the same one: most services were
/// up all day.
#[derive(Default)]
struct Alike(Vec<(history::UptimeDay, Vec<u8>)>);

impl Alike {
    fn put(
        &mut self,
        json: &mut Vec<u8>,
        days: impl Iterator<Item = history::UptimeDay>,
        writers: &[(&str, Write<UptimeDay>)],
    ) {
        json.reserve(2 + self.0.iter().map(|(_, json)| json.len() + 1).sum::<usize>());
        put_list(json, days.enumerate(), |json, (place, day)| {
            let write = || written(|json| put_object(json, &UptimeDay(day), writers));
            match self.0.get_mut(place) {
                Some((like, _)) if *like == day => {}
                Some(other) => *other = (day, write()),
                None => self.0.push((day, write())),
            }
            json.extend_from_slice(&self.0[place].1);
        });
    }
}

/// The argument of fields that tell of days, if it is one.
fn days(ctx: &Context<'_>) -> Option<u32> {
    let (_, days) = ctx
        .param_value::<Option<i32>>("days", Some(|| Some(30)))
        .ok()?;
    checked(days).ok()
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut json = Vec::new();
    write(&mut json);
    json
}
