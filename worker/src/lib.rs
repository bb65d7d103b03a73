//! Schedule, run, record, roll up, retain.
//!
//! The `scheduler` claims a due service from the live state, the `runner` probes it, the `recorder` commits the result
//! with what follows from it, and the `announcer` tells the live state. Vendor pages that services follow stand
//! in the same queue, and `pages` sees to them. Any number of workers share the work
//! through the due queue alone; the database is the truth, and its locks decide what counts.
//!
//! Knows nothing of the API, and reads no environment.

mod announcer;
mod changes;
mod check;
mod clock;
mod heartbeat;
pub mod history;
mod host_limit;
mod ledger;
pub mod metrics;
mod multi_row;
mod outage;
mod partitions;
mod presence;
mod reconcile;
mod recorder;
mod retention;
mod rollup;
mod runner;
mod scheduler;
mod services;
mod spread;
mod stats;
mod turns;
mod vendor_pages;

pub use runner::Probe;
pub use stats::{LATENESS_BOUNDS_MS, PageStats, Stats};

use announcer::Announcer;
use chrono::{DateTime, Utc};
use clock::Clock;
use coordination::Coordination;
use host_limit::HostLimit;
use ledger::Ledger;
use recorder::Recorder;
use runner::Runner;
use scheduler::Scheduler;
use sea_orm::DatabaseConnection;
use services::Services;
use spread::AfterPause;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use turns::Turns;
use uuid::Uuid;
use vendor_pages::Poller;

/// How long the end may take in its parts: running checks, the last results, giving up on those, and what is to be told.
/// A second and a half for a claim under way, and half a second for aborted checks, come on top.
const GRACE: [Duration; 4] = [
    Duration::from_secs(4),
    Duration::from_millis(1500),
    Duration::from_millis(500),
    Duration::from_secs(1),
];

/// What a worker needs.
#[derive(Debug)]
pub struct Worker<P = monitors::Prober> {
    /// The database, migrated.
    pub db: DatabaseConnection,
    /// The same, for those parts of the worker that write, with what they read. A connection to a SQLite file keeps what it
    /// has read until another one writes, so there it should be one connection: one writes at a time in any case.
    pub writer: DatabaseConnection,
    /// The due queue, latest statuses and events.
    pub live: Coordination,
    /// What looks at targets.
    pub prober: P,
    /// What reads vendor pages.
    pub fetcher: net::Fetcher,
    /// How.
    pub settings: Settings,
}

/// How a worker works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The most checks at once.
    pub concurrency: usize,
    /// The most checks at once against one host.
    pub concurrency_per_host: usize,
    /// The most vendor pages that are read at once, besides checks.
    pub page_concurrency: usize,
    /// How long a claim lasts before another worker may take it over.
    pub lease: Duration,
    /// How long a result is kept while the database is away.
    pub keep_unrecorded: Duration,
    /// How often the due queue is compared with the database.
    pub reconcile_every: Duration,
    /// What its machine or container is called, for people.
    pub host: String,
    /// The file that is written while all is well.
    pub heartbeat_file: Option<PathBuf>,
    /// How often that is done, and the live state told that this worker is at work.
    pub heartbeat_every: Duration,
    /// What this machine takes for the time. Slots go by the live state's, by which it is set right.
    pub machine_clock: fn() -> DateTime<Utc>,
    /// What becomes of checks later.
    pub history: history::Settings,
    /// Where the worker counts what it does.
    pub stats: Arc<Stats>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 256,
            concurrency_per_host: 32,
            page_concurrency: 32,
            lease: Duration::from_secs(20),
            keep_unrecorded: Duration::from_secs(300),
            reconcile_every: Duration::from_secs(30),
            host: String::new(),
            heartbeat_file: None,
            heartbeat_every: Duration::from_secs(5),
            machine_clock: Utc::now,
            history: history::Settings::default(),
            stats: Arc::default(),
        }
    }
}

/// Works until `shutdown` is cancelled; then finishes or gives back what it has begun, within ten seconds. Dropping the
/// future instead leaves claims to end with their leases.
///
/// # Errors
/// When a part of the worker ends that should not; failures of the database, the live state or a target are none.
pub async fn run<P: Probe>(worker: Worker<P>, shutdown: CancellationToken) -> anyhow::Result<()> {
    let Worker {
        db,
        writer,
        live,
        prober,
        fetcher,
        settings,
    } = worker;
    let (stats, clock, services) = (
        Arc::clone(&settings.stats),
        Clock::new(settings.machine_clock),
        Services::new(db.clone()),
    );
    let (wake, rebuild, turns) = (
        Arc::new(Notify::new()),
        Arc::new(Notify::new()),
        Turns::alone(),
    );

    let (announcer, announcements) = Announcer::new();
    let giving_up = CancellationToken::new();
    let (recorder, findings, able) = Recorder::new(
        writer.clone(),
        services.clone(),
        announcer.clone(),
        clock.clone(),
        Arc::clone(&stats),
        settings.keep_unrecorded,
        giving_up.clone(),
    );
    let poller = Poller::new(vendor_pages::Parts {
        db: writer.clone(),
        live: live.clone(),
        services: services.clone(),
        clock: clock.clone(),
        announcer: announcer.clone(),
        stats: Arc::clone(&stats),
        fetcher,
        concurrency: settings.page_concurrency,
        stopping: shutdown.clone(),
    });
    let runner = Runner {
        probe: prober,
        live: live.clone(),
        clock: clock.clone(),
        findings,
        announcer,
        stats: Arc::clone(&stats),
        margin: settings.lease / 2,
        stopping: shutdown.clone(),
        aborting: CancellationToken::new(),
    };
    let scheduler = Scheduler {
        live: live.clone(),
        services: services.clone(),
        runner: Arc::new(runner),
        poller: Arc::new(poller),
        clock: clock.clone(),
        stats: Arc::clone(&stats),
        places: Arc::new(Semaphore::new(settings.concurrency.max(1))),
        hosts: HostLimit::new(settings.concurrency_per_host),
        put_off: HashMap::new(),
        after_pause: AfterPause::new(),
        turns: turns.clone(),
        lease: settings.lease,
        able,
        wake: Arc::clone(&wake),
        rebuild: Arc::clone(&rebuild),
    };

    // Aborted with this future, each in a set of its own, because they end one after the other.
    let (mut beside, mut scheduling, mut recording, mut announcing, mut closing_last) = (
        JoinSet::new(),
        JoinSet::new(),
        JoinSet::new(),
        JoinSet::new(),
        JoinSet::new(),
    );
    let (id, closing) = (Uuid::now_v7(), CancellationToken::new());
    closing_last.spawn(
        Ledger::new(writer.clone(), Arc::clone(&stats), clock.clone(), id).run(closing.clone()),
    );
    let (host, every) = (settings.host, settings.heartbeat_every);
    closing_last.spawn(presence::run(
        live.clone(),
        id,
        host,
        turns,
        every,
        closing.clone(),
    ));
    announcing.spawn(announcer::run(live.clone(), announcements));
    recording.spawn(recorder.run());
    beside.spawn(changes::run(
        live.clone(),
        services,
        wake,
        Arc::clone(&rebuild),
    ));
    beside.spawn(reconcile::run(
        db.clone(),
        live.clone(),
        clock.clone(),
        rebuild,
        settings.reconcile_every,
    ));
    beside.spawn(vendor_pages::run_upkeep(writer.clone(), clock.clone()));
    beside.spawn(history::run(
        writer,
        settings.history,
        move || clock.now(),
        shutdown.clone(),
    ));
    if let Some(file) = settings.heartbeat_file {
        let (db, stats, every) = (db.clone(), Arc::clone(&stats), settings.heartbeat_every);
        beside.spawn(async move { heartbeat::run(db, stats, &file, every).await });
    }
    scheduling.spawn(scheduler.run(shutdown.clone(), GRACE[0]));

    let ended_early = tokio::select! {
        () = shutdown.cancelled() => false,
        _ = recording.join_next() => true,
        _ = announcing.join_next() => true,
        _ = scheduling.join_next() => true,
        _ = beside.join_next() => true,
        _ = closing_last.join_next() => true,
    };
    anyhow::ensure!(
        !ended_early || shutdown.is_cancelled(),
        "a part of the worker ended by a fault of its own; see the log"
    );

    // Each part ends when those before it have gone, and has said all by then.
    scheduling.join_next().await;
    beside.shutdown().await;
    if timeout(GRACE[1], recording.join_next()).await.is_err() {
        tracing::warn!("the last results could not be recorded; their services are checked again");
        giving_up.cancel();
        let _ = timeout(GRACE[2], recording.join_next()).await;
        recording.shutdown().await;
    }
    closing.cancel();
    let told = timeout(GRACE[3], announcing.join_next());
    let closed = timeout(GRACE[3], async {
        while closing_last.join_next().await.is_some() {}
    });
    if let (Err(_), _) = tokio::join!(told, closed) {
        tracing::warn!(
            "the live state could not be told of the last results; it learns from the next ones"
        );
    }
    Ok(())
}
