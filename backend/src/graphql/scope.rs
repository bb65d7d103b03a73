//! What one execution works with: the operations, the viewer, one time for everything, and loaders whose memory ends
//! with it. Every event of a subscription is an execution of its own.

use super::loader::{Loader, Queue};
use super::plain::Chosen;
use crate::auth::Viewer;
use crate::use_cases::current::Details;
use crate::use_cases::history::{self, Answer, LatencyPoint, Question, Stretch};
use crate::use_cases::page::{Page, Place};
use crate::use_cases::vendor::{Followed, Notices, PageView, Shown};
use crate::use_cases::{self, Error, Ops, Result};
use async_graphql::{ContextBase, Data};
use chrono::{DateTime, Utc};
use coordination::CurrentStatus;
use entity::{check, incident, incident_acknowledgement, incident_event, incident_note, service};
use monitors::Monitor;
use std::any::TypeId;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use uuid::Uuid;

/// Of how many services response times are read at a time: those of a day are read check by check.
const MAX_CHARTS: usize = 50;

/// Of how many services the hours of a day are read at a time: each is a histogram.
const MAX_SPARKLINES: usize = 200;

/// How many rows the pages of all services may come to at a time: what a query costs is judged before anybody knows how
/// many services there are.
const MAX_ROWS: u64 = 20_000;

/// Of how many incidents what happened in them is read at a time.
const MAX_TIMELINES: usize = 5000;

/// Of how many incidents the checks around them, or the notes on them, are read at a time.
const MAX_DETAILS: usize = 50;

/// See the module.
pub(super) struct Scope {
    pub(super) ops: Arc<Ops>,
    viewer: Option<Viewer>,
    pub(super) now: DateTime<Utc>,
    pub(super) loaders: Loaders,
    pub(super) chosen: Chosen,
}

impl Scope {
    pub(super) fn new(ops: &Arc<Ops>, viewer: Option<Viewer>, queue: &Queue) -> Self {
        let now = use_cases::now();
        Self {
            ops: ops.clone(),
            viewer,
            now,
            loaders: Loaders::new(ops, viewer, now, queue),
            chosen: Chosen::default(),
        }
    }

    /// Who asks.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in.
    pub(super) fn viewer(&self) -> Result<Viewer> {
        self.viewer.ok_or(Error::Unauthenticated)
    }

    /// Who asks, if anybody.
    pub(super) const fn visitor(&self) -> Option<Viewer> {
        self.viewer
    }
}

/// The scope of this execution.
pub(super) fn scope<'a, T>(ctx: &ContextBase<'a, T>) -> &'a Scope {
    ctx.data_unchecked::<Scope>()
}

/// The viewer among what the server put into a request.
pub(super) fn viewer_in(data: &Data) -> Option<Viewer> {
    *data
        .get(&TypeId::of::<Option<Viewer>>())?
        .downcast_ref::<Option<Viewer>>()?
}

/// A service as a key: the same when its id is.
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

/// A page of each service's own list: how long, and after which place.
type PageOf<K, P> = (K, (u32, Option<P>));

/// One loader for each kind of thing that many objects of a query may want.
pub(super) struct Loaders {
    pub(super) service: Loader<Uuid, Arc<service::Model>>,
    pub(super) monitor: Loader<ByService, Monitor>,
    pub(super) tags: Loader<Uuid, Vec<String>>,
    pub(super) current: Loader<ByService, CurrentStatus>,
    pub(super) details: Loader<Uuid, Details>,
    pub(super) uptime: Loader<(ByService, Question), Answer>,
    pub(super) latency: Loader<(ByService, Stretch), Vec<LatencyPoint>>,
    pub(super) hourly_medians: Loader<ByService, Vec<Option<f64>>>,
    pub(super) checks: Loader<PageOf<ByService, i64>, Page<check::Model>>,
    pub(super) incident: Loader<Uuid, Arc<incident::Model>>,
    pub(super) incidents: Loader<PageOf<Uuid, Place>, Page<Arc<incident::Model>>>,
    pub(super) incident_count: Loader<Uuid, u64>,
    pub(super) open_incident: Loader<Uuid, Arc<incident::Model>>,
    pub(super) incident_days: Loader<(Uuid, u32), Vec<u32>>,
    pub(super) events: Loader<Uuid, Vec<incident_event::Model>>,
    pub(super) around: Loader<history::Moment, Vec<check::Model>>,
    pub(super) acknowledged: Loader<Uuid, incident_acknowledgement::Model>,
    pub(super) note_count: Loader<Uuid, i64>,
    pub(super) notes: Loader<Uuid, Vec<incident_note::Model>>,
    pub(super) followed: Loader<ByService, Vec<Followed>>,
    pub(super) notices: Loader<ByService, Notices>,
    pub(super) page: Loader<ByService, PageView>,
    pub(super) page_components: Loader<ByService, Arc<Vec<Shown>>>,
}

/// A loader that calls an operation with its keys.
macro_rules! loader {
    ($queue:expr, $ops:expr, |$o:ident, $keys:ident| $fetch:expr) => {{
        let ops = $ops.clone();
        Loader::new($queue, move |$keys: Vec<_>| {
            let $o = ops.clone();
            async move { $fetch }
        })
    }};
}

impl Loaders {
    fn new(ops: &Arc<Ops>, viewer: Option<Viewer>, now: DateTime<Utc>, queue: &Queue) -> Self {
        let viewer = move || viewer.ok_or(Error::Unauthenticated);
        Self {
            service: loader!(queue, ops, |o, ids| o
                .services_by_id(&viewer()?, &ids)
                .await),
            monitor: loader!(queue, ops, |o, keys| by_service(
                o.monitors(&services(keys.iter())).await?,
                keys
            )),
            tags: loader!(queue, ops, |o, ids| o.tags(&ids).await),
            current: loader!(queue, ops, |o, keys| by_service(
                o.current(&services(keys.iter()), now).await?,
                keys
            )),
            details: loader!(queue, ops, |o, ids| o.details(&ids).await),
            uptime: loader!(queue, ops, |o, keys| {
                let asked: Vec<_> = keys
                    .iter()
                    .map(|(key, question): &(ByService, _)| (key.0.seq, *question))
                    .collect();
                let mut answers = history::ask(&o.db, &o.past, &asked, now).await?;
                let answered = keys.into_iter().zip(asked);
                Ok(answered
                    .filter_map(|(key, asked)| Some((key, answers.remove(&asked)?)))
                    .collect())
            }),
            latency: loader!(queue, ops, |o, keys| {
                let latency = |keys: Vec<ByService>, stretch| {
                    let o = o.clone();
                    async move {
                        if keys.len() > MAX_CHARTS {
                            let message =
                                format!("can be drawn for at most {MAX_CHARTS} services at a time");
                            return Err(Error::field("latency", message));
                        }
                        Ok(by_number(
                            history::latency(&o.db, &o.past, &numbers(&keys), stretch).await?,
                            keys,
                        ))
                    }
                };
                grouped(keys, latency).await
            }),
            hourly_medians: loader!(queue, ops, |o, keys| {
                if keys.len() > MAX_SPARKLINES {
                    let message =
                        format!("can be read of at most {MAX_SPARKLINES} services at a time");
                    return Err(Error::field(
                        "hourlyP50Ms",
                        message + ": choose them with a filter",
                    ));
                }
                Ok(by_number(
                    history::hourly_medians(&o.db, &o.past, &numbers(&keys), now).await?,
                    keys,
                ))
            }),
            checks: loader!(queue, ops, |o, keys| {
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
            incident: loader!(queue, ops, |o, ids| o
                .incidents_by_id(&viewer()?, &ids)
                .await),
            incidents: loader!(queue, ops, |o, keys| {
                check_pages("incidents", &keys)?;
                let pages = |ids: Vec<Uuid>, (first, after)| {
                    let o = o.clone();
                    async move { o.incidents_of_each(&ids, first, after).await }
                };
                grouped(keys, pages).await
            }),
            incident_count: loader!(queue, ops, |o, ids| o.count_incidents_of_each(&ids).await),
            open_incident: loader!(queue, ops, |o, ids| o
                .open_incidents(&viewer()?, &ids)
                .await),
            incident_days: loader!(queue, ops, |o, keys| {
                let counts = |ids: Vec<Uuid>, days| {
                    let o = o.clone();
                    async move { o.incident_days(&ids, days, now).await }
                };
                grouped(keys, counts).await
            }),
            events: loader!(queue, ops, |o, ids| {
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
            around: loader!(queue, ops, |o, moments| {
                few("checksAround", &moments)?;
                history::around(&o.db, &moments).await
            }),
            acknowledged: loader!(queue, ops, |o, ids| o.acknowledgements(&ids).await),
            note_count: loader!(queue, ops, |o, ids| o.count_notes(&ids).await),
            notes: loader!(queue, ops, |o, ids| {
                few("notes", &ids)?;
                o.notes(&ids).await
            }),
            followed: loader!(queue, ops, |o, keys| by_service(
                o.followed(&services(keys.iter()), now).await?,
                keys
            )),
            notices: loader!(queue, ops, |o, keys| by_service(
                o.notices(&services(keys.iter()), now).await?,
                keys
            )),
            page: loader!(queue, ops, |o, keys| by_service(
                o.pages(&services(keys.iter())).await?,
                keys
            )),
            page_components: loader!(queue, ops, |o, keys| {
                by_service(o.components_of_pages(&services(keys.iter())).await?, keys)
            }),
        }
    }
}

/// Refuses what is much of each incident, for more than some of them.
fn few<K>(field: &str, incidents: &[K]) -> Result<()> {
    if incidents.len() <= MAX_DETAILS {
        return Ok(());
    }
    let message = format!(
        "can be read of at most {MAX_DETAILS} incidents at a time: ask for fewer incidents"
    );
    Err(Error::field(field, message))
}

/// Refuses pages that together may come to more than one answer should hold.
fn check_pages<K, P>(what: &str, pages: &[PageOf<K, P>]) -> Result<()> {
    let rows: u64 = pages.iter().map(|(_, (first, _))| u64::from(*first)).sum();
    if rows <= MAX_ROWS {
        return Ok(());
    }
    let lists = u64::try_from(pages.len()).unwrap_or(u64::MAX);
    let each = MAX_ROWS / lists;
    let advice = if each == 0 {
        String::new()
    } else {
        format!("ask for at most {each} of each, or ")
    };
    let message = format!(
        "comes to {rows} {what} in {lists} lists, at most {MAX_ROWS} are allowed at a time: {advice}ask for fewer \
         services, with a filter or one by one"
    );
    Err(Error::field("first", message))
}

fn services<'a>(keys: impl Iterator<Item = &'a ByService>) -> Vec<Arc<service::Model>> {
    keys.map(|key| key.0.clone()).collect()
}

/// From values by id back to the keys that asked.
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

/// From values by number back to the keys that asked.
fn by_number<V>(mut values: HashMap<i32, V>, keys: Vec<ByService>) -> HashMap<ByService, V> {
    keys.into_iter()
        .filter_map(|key| values.remove(&key.0.seq).map(|value| (key, value)))
        .collect()
}

/// One call for each thing that is asked of any number of keys.
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
    for (key, asked) in keys {
        groups.entry(asked).or_default().push(key);
    }
    let fetched = groups.into_iter().map(|(asked, keys)| {
        let values = fetch(keys, asked);
        async move {
            Ok::<_, Error>(
                values
                    .await?
                    .into_iter()
                    .map(move |(key, value)| ((key, asked), value)),
            )
        }
    });
    Ok(futures::future::try_join_all(fetched)
        .await?
        .into_iter()
        .flatten()
        .collect())
}
