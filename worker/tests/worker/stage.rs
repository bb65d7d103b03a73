//! The fixture of the worker's tests: a database, a coordination state and a user with services.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use coordination::{CachedStatus, Coordination, Event, ServiceChange};
use entity::{check, incident, incident_event, service, service_state, user};
use monitors::Prober;
use net::{ClientSettings, Fetcher, FetcherSettings, Guard, LookupSource};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseConnection, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, Set,
};
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::builders::{ServiceBuilder, a_service, a_user};
use testkit::{RedisServer, TestDatabase, database};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use worker::{Probe, Settings, Stats, Worker};

/// Deadline of every awaited condition.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) struct Stage {
    pub(crate) db: DatabaseConnection,
    pub(crate) writer: DatabaseConnection,
    pub(crate) live: Coordination,
    pub(crate) user: user::Model,
    _database: Option<TestDatabase>,
}

/// A worker that runs until it is stopped, or killed by being dropped.
pub(crate) struct Running {
    pub(crate) stats: Arc<Stats>,
    shutdown: CancellationToken,
    ended: JoinHandle<anyhow::Result<()>>,
}

/// One test body as two tests: over SQLite and memory, and over PostgreSQL and Redis.
macro_rules! on_each_stage {
    ($($(#[$attribute:meta])* async fn $name:ident($stage:ident: $type:ty) $body:block)+) => { $(
        $(#[$attribute])*
        mod $name {
            use super::*;

            async fn body($stage: $type) $body

            #[tokio::test]
            async fn sqlite_and_memory() {
                Box::pin(body(crate::stage::Stage::small().await)).await;
            }

            #[tokio::test]
            async fn postgres_and_redis() {
                Box::pin(body(crate::stage::Stage::big().await)).await;
            }
        }
    )+ };
}
pub(crate) use on_each_stage;

impl Stage {
    pub(crate) async fn small() -> Self {
        Self::of(database::sqlite().await, Coordination::memory()).await
    }

    pub(crate) async fn big() -> Self {
        let live = another_redis(RedisServer::shared().await).await;
        Self::of(database::postgres().await, live).await
    }

    /// A stage on servers that the test may stop.
    pub(crate) async fn on(db: DatabaseConnection, live: Coordination) -> Self {
        let user = a_user(&db).await;
        Self {
            writer: db.clone(),
            db,
            live,
            user,
            _database: None,
        }
    }

    async fn of(database: TestDatabase, live: Coordination) -> Self {
        let user = a_user(&database.db).await;
        let (db, writer) = (database.db.clone(), database.writer().await);
        Self {
            db,
            writer,
            live,
            user,
            _database: Some(database),
        }
    }

    /// A service that is checked only when the test asks for it: its next slot is hours away.
    pub(crate) fn service(&self, url: impl Into<String>) -> ServiceBuilder<'_, DatabaseConnection> {
        let (day, now) = (TimeDelta::days(1), Utc::now());
        let id = loop {
            let id = Uuid::now_v7();
            if domain::slot::next_slot(id, day, now) - now > TimeDelta::hours(2) {
                break id;
            }
        };
        a_service(&self.db, &self.user)
            .id(id)
            .url(url)
            .interval(86_400)
    }

    /// Makes services due now, as the API does when somebody asks for a check.
    pub(crate) async fn check_now(&self, services: &[&service::Model]) {
        let now = self.live.now().await.unwrap();
        let dues: Vec<_> = services.iter().map(|service| (service.id, now)).collect();
        self.live.schedule(&dues).await.unwrap();
    }

    /// Makes all services new, however long it took to add them.
    pub(crate) async fn services_are_new(&self) {
        let now = Expr::value(Utc::now().trunc_subsecs(3));
        service::Entity::update_many()
            .col_expr(service::Column::UpdatedAt, now)
            .exec(&self.db)
            .await
            .unwrap();
    }

    /// Changes a service as the API does.
    pub(crate) async fn edit(
        &self,
        service: &service::Model,
        edit: impl FnOnce(&mut service::ActiveModel),
    ) {
        let mut changed = service.clone().into_active_model();
        changed.updated_at = Set(Utc::now().trunc_subsecs(3));
        edit(&mut changed);
        changed.update(&self.db).await.unwrap();
        self.tell(service, ServiceChange::Updated).await;
    }

    pub(crate) async fn tell(&self, service: &service::Model, change: ServiceChange) {
        let event = Event::ServiceChanged {
            workspace_id: service.workspace_id,
            service_id: service.id,
            change,
        };
        self.live.publish(&[event]).await.unwrap();
        // Lets subscribers of this process handle the event first.
        tokio::task::yield_now().await;
    }

    pub(crate) async fn worker(&self) -> Running {
        self.worker_with(prober(), Settings::default()).await
    }

    /// A worker that has queued what is to be checked at its start.
    pub(crate) async fn worker_with<P: Probe>(&self, prober: P, settings: Settings) -> Running {
        let worker = start(self, prober, settings);
        eventually("the queue is built", async || {
            let claimed = self.live.claim(0, Duration::from_secs(1)).await;
            claimed.is_ok_and(|claimed| claimed.built).then_some(())
        })
        .await;
        worker
    }

    pub(crate) async fn state(&self, service: &service::Model) -> service_state::Model {
        let state = service_state::Entity::find_by_id(service.id);
        answer(async || state.clone().one(&self.db).await)
            .await
            .unwrap()
    }

    /// In the order of their slots.
    pub(crate) async fn checks(&self, service: &service::Model) -> Vec<check::Model> {
        let checks = check::Entity::find().filter(check::Column::ServiceSeq.eq(service.seq));
        let checks = checks.order_by_asc(check::Column::Slot);
        answer(async || checks.clone().all(&self.db).await).await
    }

    /// In the order in which they began.
    pub(crate) async fn incidents(&self, service: &service::Model) -> Vec<incident::Model> {
        let incidents = incident::Entity::find().filter(incident::Column::ServiceId.eq(service.id));
        let incidents = incidents.order_by_asc(incident::Column::StartedAt);
        answer(async || incidents.clone().all(&self.db).await).await
    }

    /// An incident's timeline as (kind, time, sentence).
    pub(crate) async fn timeline(
        &self,
        incident: &incident::Model,
    ) -> Vec<(String, DateTime<Utc>, String)> {
        let events = incident_event::Entity::find()
            .filter(incident_event::Column::IncidentId.eq(incident.id));
        let events = events
            .order_by_asc(incident_event::Column::Id)
            .all(&self.db)
            .await
            .unwrap();
        events
            .into_iter()
            .map(|event| (event.kind, event.at, event.message))
            .collect()
    }

    /// Waits until `count` checks of `service` are recorded, and returns them.
    pub(crate) async fn has_checks(
        &self,
        service: &service::Model,
        count: usize,
    ) -> Vec<check::Model> {
        eventually(&format!("{count} checks"), async || {
            let checks = self.checks(service).await;
            (checks.len() >= count).then_some(checks)
        })
        .await
    }

    /// Waits until `service` has this status.
    pub(crate) async fn is(
        &self,
        service: &service::Model,
        status: domain::Status,
    ) -> service_state::Model {
        eventually(&format!("{status:?}"), async || {
            let state = self.state(service).await;
            (domain::Status::from(state.status) == status).then_some(state)
        })
        .await
    }

    /// Waits until the published latest status of `service` is as wanted.
    pub(crate) async fn is_told(
        &self,
        service: &service::Model,
        wanted: impl Fn(&CachedStatus) -> bool,
    ) {
        eventually("the live state is updated", async || {
            let latest = self
                .live
                .cached_statuses(&[service.id])
                .await
                .unwrap()
                .remove(0);
            latest.is_some_and(|latest| wanted(&latest)).then_some(())
        })
        .await;
    }

    /// When the queue has something due next.
    pub(crate) async fn next_due(&self) -> Option<DateTime<Utc>> {
        self.live
            .claim(0, Duration::from_secs(1))
            .await
            .unwrap()
            .next_due
    }

    /// Waits until no claim is out: the only queued service is due at its next slot.
    pub(crate) async fn is_due_at_its_next_slot(&self, service: &service::Model) {
        let interval = TimeDelta::seconds(service.check_interval_seconds.into());
        eventually("the service is due at its next slot", async || {
            let next =
                domain::slot::next_slot(service.id, interval, self.live.now().await.unwrap());
            (self.next_due().await == Some(next)).then_some(())
        })
        .await;
    }
}

impl Running {
    /// Stops the worker gracefully.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(10), &mut self.ended).await;
        ended
            .expect("a worker ends within ten seconds")
            .unwrap()
            .unwrap();
    }

    /// Ends the worker as a crash would.
    pub(crate) async fn kill(mut self) {
        self.ended.abort();
        assert!((&mut self.ended).await.unwrap_err().is_cancelled());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ended.abort();
    }
}

pub(crate) fn start(stage: &Stage, prober: impl Probe, settings: Settings) -> Running {
    // Shown when a test fails; the second worker of a process finds it set.
    let _ = tracing_subscriber::fmt().with_test_writer().try_init();
    let shutdown = CancellationToken::new();
    let stats = Arc::clone(&settings.stats);
    let (db, writer, live) = (stage.db.clone(), stage.writer.clone(), stage.live.clone());
    let worker = Worker {
        db,
        writer,
        live,
        prober: Arc::new(prober),
        fetcher: fetcher(),
        sealer: sealer(),
        settings,
    };
    let ended = tokio::spawn(worker::run(worker, shutdown.clone()));
    Running {
        stats,
        shutdown,
        ended,
    }
}

/// Opens what the API of this stage seals.
pub(crate) fn sealer() -> Arc<secrets::Sealer> {
    Arc::new(secrets::Sealer::new(
        "0123456789abcdef0123456789abcdef",
        None,
    ))
}

pub(crate) fn prober() -> Prober {
    Prober::new(ClientSettings {
        guard: Guard::AllowPrivate,
        ..ClientSettings::default()
    })
    .unwrap()
}

/// A fetcher to which `vendor.test`, `status.moved.test` and `v0.test` to `v99.test` are this machine, and no other name is known.
pub(crate) fn fetcher() -> Fetcher {
    let names = (0..100)
        .map(|i| format!("v{i}.test"))
        .chain(["vendor.test", "status.moved.test"].map(str::to_owned));
    let here = || Ok(vec!["127.0.0.1".parse().unwrap()]);
    let names = LookupSource::Table(Arc::new(names.map(|name| (name, here())).collect()));
    Fetcher::new(FetcherSettings {
        guard: Guard::AllowPrivate,
        names,
        ..FetcherSettings::default()
    })
    .unwrap()
}

/// A coordination state of its own on a shared Redis server.
pub(crate) async fn another_redis(server: &RedisServer) -> Coordination {
    Coordination::connect_with_prefix(&server.url(), &format!("{}:", Uuid::now_v7()))
        .await
        .unwrap()
}

/// Repeats `ask` until it returns something.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < WAIT_TIMEOUT, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Queries the database, with retries while it comes back.
async fn answer<T>(mut ask: impl AsyncFnMut() -> Result<T, DbErr>) -> T {
    eventually("the database answers", async || ask().await.ok()).await
}

/// When a check was really made.
pub(crate) fn made_at(check: &check::Model) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(check.slot + i64::from(check.lateness_ms)).unwrap()
}
