//! Builds the parts of a worker, runs them, and ends them in order.

use crate::announcer::{self, Announcement, Announcer};
use crate::catch_up::CatchUpSpreader;
use crate::changes;
use crate::check_threads::CheckThreads;
use crate::clock::Clock;
use crate::heartbeat;
use crate::history;
use crate::host_limit::HostLimit;
use crate::poll_stagger::PollStagger;
use crate::presence;
use crate::process_pause::PauseDetector;
use crate::reconcile;
use crate::recorder::{RecordQueue, RecordSender, Recorder};
use crate::runner::{Probe, Runner};
use crate::scheduler::Scheduler;
use crate::scheduler_stats::SchedulerStatsWriter;
use crate::services::Services;
use crate::stats::Stats;
use crate::vendor_pages::{self, Poller, PollerParts};
use crate::worker::{Settings, Worker};
use coordination::Coordination;
use futures::future::BoxFuture;
use net::Fetcher;
use sea_orm::DatabaseConnection;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

// Limits of the phases of a shutdown. Together with 1.5 s for a claim under way and 0.5 s for aborted
// checks they stay below ten seconds.

/// How long running checks may take to finish.
const CHECKS_GRACE: Duration = Duration::from_secs(4);
/// How long the last results may take to be recorded.
const RECORDING_GRACE: Duration = Duration::from_millis(1500);
/// How long the recorder may take to give up what it could not record.
const GIVING_UP_GRACE: Duration = Duration::from_millis(500);
/// How long the last announcements and statistics may take.
const CLOSING_GRACE: Duration = Duration::from_secs(1);

/// Runs until `shutdown` is cancelled, then finishes or gives back what it has begun within ten
/// seconds. If the future is dropped instead, claims end with their leases.
///
/// # Errors
/// If a part of the worker ends unexpectedly. Failures of the database, of Redis or of a target are
/// retried and are no errors.
pub fn run(worker: Worker, shutdown: CancellationToken) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(run_parts(worker, shutdown))
}

async fn run_parts(worker: Worker, shutdown: CancellationToken) -> anyhow::Result<()> {
    let shared = Shared::new(
        &worker,
        CheckThreads::shared()?,
        PauseDetector::shared()?,
        shutdown.clone(),
    );
    let mut tasks = spawn_parts(worker, &shared);
    let ended_early = tokio::select! {
        () = shutdown.cancelled() => false,
        () = tasks.any_ended() => true,
    };
    anyhow::ensure!(
        !ended_early || shutdown.is_cancelled(),
        "a part of the worker ended by a fault of its own; see the log"
    );
    tasks.shut_down(&shared).await;
    Ok(())
}

/// What several parts use.
struct Shared {
    id: Uuid,
    db: DatabaseConnection,
    writer: DatabaseConnection,
    live: Coordination,
    clock: Clock,
    services: Services,
    stats: Arc<Stats>,
    stagger: PollStagger,
    threads: &'static CheckThreads,
    pauses: &'static PauseDetector,
    /// Wakes the scheduler.
    wake: Arc<Notify>,
    /// Asks for a reconciliation of the due queue.
    rebuild: Arc<Notify>,
    shutdown: CancellationToken,
    /// Cancelled when results that cannot be recorded are dropped.
    giving_up: CancellationToken,
    /// Cancelled when everything is recorded.
    closing: CancellationToken,
}

impl Shared {
    fn new(
        worker: &Worker,
        threads: &'static CheckThreads,
        pauses: &'static PauseDetector,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            id: Uuid::now_v7(),
            db: worker.db.clone(),
            writer: worker.writer.clone(),
            live: worker.live.clone(),
            clock: Clock::new(worker.settings.machine_clock),
            services: Services::new(worker.db.clone(), Arc::clone(&worker.sealer)),
            stats: Arc::clone(&worker.settings.stats),
            stagger: PollStagger::alone(),
            threads,
            pauses,
            wake: Arc::default(),
            rebuild: Arc::default(),
            shutdown,
            giving_up: CancellationToken::new(),
            closing: CancellationToken::new(),
        }
    }
}

/// The tasks of a worker, in the order in which they end. Aborted when this is dropped.
struct Tasks {
    scheduling: JoinSet<()>,
    /// Ends as soon as no check is running.
    background: JoinSet<()>,
    recording: JoinSet<()>,
    announcing: JoinSet<()>,
    /// Presence and statistics, which report the last check too.
    closing: JoinSet<()>,
}

fn spawn_parts(worker: Worker, shared: &Shared) -> Tasks {
    let Worker {
        prober,
        fetcher,
        settings,
        ..
    } = worker;
    let (announcer, announcements) = Announcer::new();
    let recorder = Arc::new(Recorder::new(
        shared.writer.clone(),
        announcer.clone(),
        shared.clock.clone(),
        Arc::clone(&shared.stats),
    ));
    let (record_queue, results, accepting) = RecordQueue::new(
        Arc::clone(&recorder),
        shared.services.clone(),
        shared.clock.clone(),
        Arc::clone(&shared.stats),
        settings.keep_unrecorded,
        shared.giving_up.clone(),
    );
    let concurrency = settings.page_concurrency;
    let poller = build_poller(shared, fetcher, concurrency, announcer.clone(), recorder);
    let runner = build_runner(shared, prober, settings.lease, announcer, results);
    let scheduler = build_scheduler(shared, runner, poller, accepting, &settings);

    let mut tasks = Tasks {
        scheduling: JoinSet::new(),
        background: spawn_background(shared, &settings),
        recording: JoinSet::new(),
        announcing: spawn_announcing(shared, announcements),
        closing: spawn_closing(shared, &settings),
    };
    // On the thread that runs most checks, so that handing them out wakes no other thread.
    let first = shared.threads.first();
    tasks.recording.spawn_on(record_queue.run(), first);
    let scheduling = scheduler.run(shared.shutdown.clone(), CHECKS_GRACE);
    tasks.scheduling.spawn_on(scheduling, first);
    tasks
}

fn build_poller(
    shared: &Shared,
    fetcher: Fetcher,
    concurrency: usize,
    announcer: Announcer,
    recorder: Arc<Recorder>,
) -> Poller {
    Poller::new(PollerParts {
        db: shared.writer.clone(),
        live: shared.live.clone(),
        services: shared.services.clone(),
        clock: shared.clock.clone(),
        announcer,
        recorder,
        stats: Arc::clone(&shared.stats),
        fetcher,
        concurrency,
        stopping: shared.shutdown.clone(),
    })
}

fn build_runner(
    shared: &Shared,
    probe: Arc<dyn Probe>,
    lease: Duration,
    announcer: Announcer,
    results: RecordSender,
) -> Runner {
    Runner {
        probe,
        live: shared.live.clone(),
        clock: shared.clock.clone(),
        results,
        announcer,
        stats: Arc::clone(&shared.stats),
        pauses: shared.pauses,
        margin: lease / 2,
        stopping: shared.shutdown.clone(),
        aborting: CancellationToken::new(),
    }
}

fn build_scheduler(
    shared: &Shared,
    runner: Runner,
    poller: Poller,
    accepting: watch::Receiver<bool>,
    settings: &Settings,
) -> Scheduler {
    Scheduler {
        live: shared.live.clone(),
        services: shared.services.clone(),
        runner: Arc::new(runner),
        poller: Arc::new(poller),
        clock: shared.clock.clone(),
        stats: Arc::clone(&shared.stats),
        permits: Arc::new(Semaphore::new(settings.concurrency.max(1))),
        hosts: HostLimit::new(settings.concurrency_per_host),
        threads: shared.threads,
        deferred: HashMap::new(),
        catch_up: CatchUpSpreader::new(),
        stagger: shared.stagger.clone(),
        lease: settings.lease,
        accepting,
        wake: Arc::clone(&shared.wake),
        rebuild: Arc::clone(&shared.rebuild),
    }
}

fn spawn_background(shared: &Shared, settings: &Settings) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(changes::run(
        shared.live.clone(),
        shared.services.clone(),
        Arc::clone(&shared.wake),
        Arc::clone(&shared.rebuild),
    ));
    tasks.spawn(reconcile::run(
        shared.db.clone(),
        shared.live.clone(),
        shared.clock.clone(),
        Arc::clone(&shared.rebuild),
        settings.reconcile_every,
    ));
    tasks.spawn(vendor_pages::run_upkeep(
        shared.writer.clone(),
        shared.clock.clone(),
    ));
    let clock = shared.clock.clone();
    tasks.spawn(history::run(
        shared.writer.clone(),
        settings.history,
        move || clock.now(),
        shared.shutdown.clone(),
    ));
    if let Some(file) = settings.heartbeat_file.clone() {
        let db = shared.db.clone();
        let stats = Arc::clone(&shared.stats);
        let every = settings.heartbeat_every;
        tasks.spawn(async move { heartbeat::run(db, stats, &file, every).await });
    }
    tasks
}

fn spawn_announcing(shared: &Shared, announcements: mpsc::Receiver<Announcement>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn_on(
        announcer::run(shared.live.clone(), announcements),
        shared.threads.first(),
    );
    tasks
}

fn spawn_closing(shared: &Shared, settings: &Settings) -> JoinSet<()> {
    let statistics = SchedulerStatsWriter::new(
        shared.writer.clone(),
        Arc::clone(&shared.stats),
        shared.clock.clone(),
        shared.id,
    );
    let mut tasks = JoinSet::new();
    tasks.spawn(statistics.run(shared.closing.clone()));
    tasks.spawn(presence::run(
        shared.live.clone(),
        shared.id,
        settings.host.clone(),
        shared.stagger.clone(),
        settings.heartbeat_every,
        shared.closing.clone(),
    ));
    tasks
}

impl Tasks {
    /// Waits until a task ends, which none should before the shutdown.
    async fn any_ended(&mut self) {
        tokio::select! {
            _ = self.scheduling.join_next() => {}
            _ = self.background.join_next() => {}
            _ = self.recording.join_next() => {}
            _ = self.announcing.join_next() => {}
            _ = self.closing.join_next() => {}
        }
    }

    /// Ends the tasks one after another. Each ends by itself once those before it, which send to it,
    /// are gone.
    async fn shut_down(mut self, shared: &Shared) {
        self.scheduling.join_next().await;
        self.background.shutdown().await;
        self.finish_recording(&shared.giving_up).await;
        shared.closing.cancel();
        self.finish_announcing().await;
    }

    async fn finish_recording(&mut self, giving_up: &CancellationToken) {
        if timeout(RECORDING_GRACE, self.recording.join_next())
            .await
            .is_ok()
        {
            return;
        }
        tracing::warn!("failed to record the last results, their services are checked again");
        giving_up.cancel();
        let _ = timeout(GIVING_UP_GRACE, self.recording.join_next()).await;
        self.recording.shutdown().await;
    }

    async fn finish_announcing(&mut self) {
        let announced = timeout(CLOSING_GRACE, self.announcing.join_next());
        let closed = timeout(CLOSING_GRACE, async {
            while self.closing.join_next().await.is_some() {}
        });
        if let (Err(_), _) = tokio::join!(announced, closed) {
            tracing::warn!("failed to publish the last results, the next ones make up for it");
        }
    }
}
