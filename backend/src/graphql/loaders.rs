//! The loaders of one execution, and bounds on what they load at a time.

use super::batch_queue::BatchQueue;
use super::batched::Batched;
use crate::auth::Viewer;
use crate::use_cases::history::{self, LatencyBucket, LatencyWindow, UptimeQuery, UptimeResult};
use crate::use_cases::pagination::{Cursor, RowPage};
use crate::use_cases::vendor::{Followed, PageComponent, PageView, VendorAnnouncements};
use crate::use_cases::{Error, Result, UseCases};
use chrono::{DateTime, Utc};
use coordination::CurrentStatus;
use domain::Details;
use entity::{check, incident, incident_acknowledgement, incident_event, incident_note, service};
use monitors::Monitor;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use uuid::Uuid;

/// Maximum number of services whose latency is read at a time: that of a day is read check by
/// check.
const MAX_CHARTS: usize = 50;

/// Maximum number of services whose hourly medians are read at a time: each is a histogram.
const MAX_SPARKLINES: usize = 200;

/// Maximum number of rows that the pages of all services may add up to. The complexity of a query
/// is computed before anybody knows how many services there are.
const MAX_PAGED_ROWS: u64 = 20_000;

/// Maximum number of incidents whose events are read at a time.
const MAX_TIMELINES: usize = 5000;

/// Maximum number of incidents whose surrounding checks or notes are read at a time.
const MAX_INCIDENT_DETAILS: usize = 50;

/// A service as a key, compared by id.
#[derive(Debug, Clone)]
pub(super) struct ByService(pub(super) Arc<service::Model>);

impl PartialEq for ByService {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for ByService {}

impl Hash for ByService {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

/// Key of a page of one parent's list: the parent, the page's length, and the cursor before it.
type PageOf<K, P> = (K, (u32, Option<P>));

/// One loader for each kind of value that many objects of a query may need.
pub(super) struct Loaders {
    pub(super) service: Batched<Uuid, Arc<service::Model>>,
    pub(super) monitor: Batched<ByService, Monitor>,
    pub(super) tags: Batched<Uuid, Vec<String>>,
    pub(super) current: Batched<ByService, CurrentStatus>,
    pub(super) details: Batched<Uuid, Details>,
    pub(super) uptime: Batched<(ByService, UptimeQuery), UptimeResult>,
    pub(super) latency: Batched<(ByService, LatencyWindow), Vec<LatencyBucket>>,
    pub(super) hourly_medians: Batched<ByService, Vec<Option<f64>>>,
    pub(super) checks: Batched<PageOf<ByService, i64>, RowPage<check::Model>>,
    pub(super) incident: Batched<Uuid, Arc<incident::Model>>,
    pub(super) incidents: Batched<PageOf<Uuid, Cursor>, RowPage<Arc<incident::Model>>>,
    pub(super) incident_count: Batched<Uuid, u64>,
    pub(super) open_incident: Batched<Uuid, Arc<incident::Model>>,
    pub(super) incident_days: Batched<(Uuid, u32), Vec<u32>>,
    pub(super) events: Batched<Uuid, Vec<incident_event::Model>>,
    pub(super) around: Batched<history::NearbyCheckKey, Vec<check::Model>>,
    pub(super) acknowledged: Batched<Uuid, incident_acknowledgement::Model>,
    pub(super) note_count: Batched<Uuid, i64>,
    pub(super) notes: Batched<Uuid, Vec<incident_note::Model>>,
    pub(super) followed: Batched<ByService, Vec<Followed>>,
    pub(super) notices: Batched<ByService, VendorAnnouncements>,
    pub(super) page: Batched<ByService, PageView>,
    pub(super) page_components: Batched<ByService, Arc<Vec<PageComponent>>>,
}

/// Creates a loader that calls a use case with its keys.
macro_rules! loader {
    ($queue:expr, $use_cases:expr, |$o:ident, $keys:ident| $fetch:expr) => {{
        let use_cases = $use_cases.clone();
        Batched::new($queue, move |$keys: Vec<_>| {
            let $o = use_cases.clone();
            async move { $fetch }
        })
    }};
}

impl Loaders {
    pub(super) fn new(
        use_cases: &Arc<UseCases>,
        viewer: Option<Viewer>,
        now: DateTime<Utc>,
        queue: &BatchQueue,
    ) -> Self {
        let viewer = move || viewer.ok_or(Error::Unauthenticated);
        Self {
            service: loader!(queue, use_cases, |o, ids| o
                .services_by_id(&viewer()?, &ids)
                .await),
            monitor: loader!(queue, use_cases, |o, keys| by_service(
                o.monitors(&services(keys.iter())).await?,
                keys
            )),
            tags: loader!(queue, use_cases, |o, ids| o.tags(&ids).await),
            current: loader!(queue, use_cases, |o, keys| by_service(
                o.current(&services(keys.iter()), now).await?,
                keys
            )),
            details: loader!(queue, use_cases, |o, ids| o.details(&ids).await),
            uptime: loader!(queue, use_cases, |o, keys| {
                let questions: Vec<_> = keys
                    .iter()
                    .map(|(key, question): &(ByService, _)| (key.0.seq, *question))
                    .collect();
                let mut answers =
                    history::fetch(&o.db, &o.caches.aggregates, &questions, now).await?;
                let pairs = keys.into_iter().zip(questions);
                Ok(pairs
                    .filter_map(|(key, question)| Some((key, answers.remove(&question)?)))
                    .collect())
            }),
            latency: loader!(queue, use_cases, |o, keys| {
                let latency = |keys: Vec<ByService>, stretch| {
                    let o = o.clone();
                    async move {
                        if keys.len() > MAX_CHARTS {
                            let message =
                                format!("can be drawn for at most {MAX_CHARTS} services at a time");
                            return Err(Error::field("latency", message));
                        }
                        Ok(by_number(
                            history::latency(&o.db, &numbers(&keys), stretch).await?,
                            keys,
                        ))
                    }
                };
                grouped(keys, latency).await
            }),
            hourly_medians: loader!(queue, use_cases, |o, keys| {
                if keys.len() > MAX_SPARKLINES {
                    let message =
                        format!("can be read of at most {MAX_SPARKLINES} services at a time");
                    return Err(Error::field(
                        "hourlyP50Ms",
                        message + ": choose them with a filter",
                    ));
                }
                Ok(by_number(
                    history::hourly_medians(&o.db, &numbers(&keys), now).await?,
                    keys,
                ))
            }),
            checks: loader!(queue, use_cases, |o, keys| {
                check_pages("checks", &keys)?;
                let pages = |keys: Vec<ByService>, (first, after)| {
                    let o = o.clone();
                    async move {
                        Ok(by_number(
                            history::checks(&o.db, &numbers(&keys), first, after).await?,
                            keys,
                        ))
                    }
                };
                grouped(keys, pages).await
            }),
            incident: loader!(queue, use_cases, |o, ids| o
                .incidents_by_id(&viewer()?, &ids)
                .await),
            incidents: loader!(queue, use_cases, |o, keys| {
                check_pages("incidents", &keys)?;
                let pages = |ids: Vec<Uuid>, (first, after)| {
                    let o = o.clone();
                    async move { o.incidents_of_each(&ids, first, after).await }
                };
                grouped(keys, pages).await
            }),
            incident_count: loader!(queue, use_cases, |o, ids| o
                .count_incidents_of_each(&ids)
                .await),
            open_incident: loader!(queue, use_cases, |o, ids| o
                .open_incidents(&viewer()?, &ids)
                .await),
            incident_days: loader!(queue, use_cases, |o, keys| {
                let counts = |ids: Vec<Uuid>, days| {
                    let o = o.clone();
                    async move { o.incident_days(&ids, days, now).await }
                };
                grouped(keys, counts).await
            }),
            events: loader!(queue, use_cases, |o, ids| {
                if ids.len() > MAX_TIMELINES {
                    let message =
                        format!("can be read of at most {MAX_TIMELINES} incidents at a time");
                    return Err(Error::field(
                        "events",
                        message + ": ask for fewer incidents",
                    ));
                }
                o.incident_events(&ids).await
            }),
            around: loader!(queue, use_cases, |o, moments| {
                check_incident_count("checksAround", &moments)?;
                history::checks_near(&o.db, &moments).await
            }),
            acknowledged: loader!(queue, use_cases, |o, ids| o.acknowledgements(&ids).await),
            note_count: loader!(queue, use_cases, |o, ids| o.count_notes(&ids).await),
            notes: loader!(queue, use_cases, |o, ids| {
                check_incident_count("notes", &ids)?;
                o.notes(&ids).await
            }),
            followed: loader!(queue, use_cases, |o, keys| by_service(
                o.followed(&services(keys.iter()), now).await?,
                keys
            )),
            notices: loader!(queue, use_cases, |o, keys| by_service(
                o.notices(&services(keys.iter()), now).await?,
                keys
            )),
            page: loader!(queue, use_cases, |o, keys| by_service(
                o.pages(&services(keys.iter())).await?,
                keys
            )),
            page_components: loader!(queue, use_cases, |o, keys| {
                by_service(o.components_of_pages(&services(keys.iter())).await?, keys)
            }),
        }
    }
}

/// Refuses a field that is large for each incident, for more than a few incidents.
fn check_incident_count<K>(field: &str, incidents: &[K]) -> Result<()> {
    if incidents.len() <= MAX_INCIDENT_DETAILS {
        return Ok(());
    }
    let message = format!(
        "can be read of at most {MAX_INCIDENT_DETAILS} incidents at a time: ask for fewer incidents"
    );
    Err(Error::field(field, message))
}

/// Refuses pages that together may have more than [`MAX_PAGED_ROWS`] rows.
fn check_pages<K, P>(what: &str, pages: &[PageOf<K, P>]) -> Result<()> {
    let rows: u64 = pages.iter().map(|(_, (first, _))| u64::from(*first)).sum();
    if rows <= MAX_PAGED_ROWS {
        return Ok(());
    }
    let lists = u64::try_from(pages.len()).unwrap_or(u64::MAX);
    let each = MAX_PAGED_ROWS / lists;
    let advice = if each == 0 {
        String::new()
    } else {
        format!("ask for at most {each} of each, or ")
    };
    let message = format!(
        "comes to {rows} {what} in {lists} lists, at most {MAX_PAGED_ROWS} are allowed at a time: {advice}ask for fewer \
         services, with a filter or one by one"
    );
    Err(Error::field("first", message))
}

fn services<'a>(keys: impl Iterator<Item = &'a ByService>) -> Vec<Arc<service::Model>> {
    keys.map(|key| key.0.clone()).collect()
}

/// Maps values by service id to the keys that asked for them.
fn by_service<V>(
    mut values: HashMap<Uuid, V>,
    keys: Vec<ByService>,
) -> Result<HashMap<ByService, V>> {
    Ok(keys
        .into_iter()
        .filter_map(|key| values.remove(&key.0.id).map(|value| (key, value)))
        .collect())
}

fn numbers(keys: &[ByService]) -> Vec<i32> {
    keys.iter().map(|key| key.0.seq).collect()
}

/// Maps values by service number to the keys that asked for them.
fn by_number<V>(mut values: HashMap<i32, V>, keys: Vec<ByService>) -> HashMap<ByService, V> {
    keys.into_iter()
        .filter_map(|key| values.remove(&key.0.seq).map(|value| (key, value)))
        .collect()
}

/// Calls `fetch` once for each distinct argument, with all keys that have it.
async fn grouped<K, A, V, F>(
    keys: Vec<(K, A)>,
    fetch: impl Fn(Vec<K>, A) -> F,
) -> Result<HashMap<(K, A), V>>
where
    K: Eq + Hash,
    A: Copy + Eq + Hash,
    F: Future<Output = Result<HashMap<K, V>>>,
{
    let mut groups: HashMap<A, Vec<K>> = HashMap::new();
    for (key, argument) in keys {
        groups.entry(argument).or_default().push(key);
    }
    let fetched = groups.into_iter().map(|(argument, keys)| {
        let values = fetch(keys, argument);
        async move {
            Ok::<_, Error>(
                values
                    .await?
                    .into_iter()
                    .map(move |(key, value)| ((key, argument), value)),
            )
        }
    });
    Ok(futures::future::try_join_all(fetched)
        .await?
        .into_iter()
        .flatten()
        .collect())
}
