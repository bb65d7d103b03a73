//! What Prometheus reads: the numbers of all parts of the program in its text format, on a listener of their own that is
//! not for the public, with [`Health`] beside them. Where none is set, nothing is collected.

use crate::health::Health;
use anyhow::Context as _;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use coordination::Coordination;
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use sea_orm::{DatabaseConnection, DbBackend};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const STATEMENT_TIME: &str = "pulsecheck_statement_seconds";
const STATEMENT_FAILURES: &str = "pulsecheck_statement_failures_total";
const CONNECTIONS: &str = "pulsecheck_database_connections";
const QUEUED: &str = "pulsecheck_queue_services";
const OVERDUE: &str = "pulsecheck_queue_overdue_seconds";
const LIVE_UP: &str = "pulsecheck_coordination_up";
const BUILD: &str = "pulsecheck_build_info";

/// Upper bounds of what takes time, in seconds: from a statement in memory to a request that is given up.
const SECONDS: [f64; 16] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0,
];
/// Upper bounds of how much is done at once.
const SIZES: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 25.0, 100.0, 250.0, 500.0];

/// How often what was observed is summed up, whether anybody reads it or not.
const SUM_EVERY: Duration = Duration::from_secs(5);
/// How long the live state may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// What this process has to tell.
pub(crate) struct Sources {
    pub(crate) db: DatabaseConnection,
    pub(crate) live: Coordination,
    /// Whether the API runs here.
    pub(crate) api: bool,
    /// What the worker counts, where checks are made here.
    pub(crate) worker: Option<Arc<worker::Stats>>,
}

/// A listener that waits for something to tell.
pub(crate) struct Metrics {
    listener: TcpListener,
    handle: PrometheusHandle,
}

impl Metrics {
    /// Binds the address, if one is set, and begins to collect. Once a process, before anything is counted.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub(crate) async fn listen(address: Option<SocketAddr>) -> anyhow::Result<Option<Self>> {
        let Some(address) = address else {
            return Ok(None);
        };
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("cannot listen on {address}: stop what uses it, or set PULSECHECK_METRICS_LISTEN to another port")
        })?;
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)?
            .set_buckets_for_metric(Matcher::Full(worker::metrics::BATCH_SIZE.into()), &SIZES)?;
        let handle = builder
            .install_recorder()
            .context("metrics cannot be collected")?;
        Ok(Some(Self { listener, handle }))
    }

    /// Answers until `shutdown` is cancelled.
    ///
    /// # Errors
    /// When the listener has no address.
    #[allow(
        clippy::print_stdout,
        reason = "standard output is for people and for what starts the program"
    )]
    pub(crate) fn serve(self, sources: Sources, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Self { listener, handle } = self;
        println!("Metrics on http://{}/metrics", listener.local_addr()?);
        let of_process = metrics_process::Collector::default();
        of_process.describe();
        sources.describe();
        let health = Health::new(
            sources.db.clone(),
            sources.live.clone(),
            sources.worker.clone(),
        );
        let (sources, summed) = (Arc::new(sources), handle.clone());
        let text = async move || {
            of_process.collect();
            sources.publish().await;
            (
                [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
                handle.render(),
            )
        };
        let app = health.routes().route("/metrics", get(text));
        let ended = shutdown.clone().cancelled_owned();
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app)
                .with_graceful_shutdown(ended)
                .await
            {
                tracing::error!(%error, "metrics can no longer be read");
            }
        });
        tokio::spawn(shutdown.run_until_cancelled_owned(async move {
            let mut sum = tokio::time::interval(SUM_EVERY);
            loop {
                sum.tick().await;
                summed.run_upkeep();
            }
        }));
        Ok(())
    }
}

/// Has the statements of `db` counted. Before it is handed to anybody.
pub(crate) fn watch(db: &mut DatabaseConnection) {
    db.set_metric_callback(|info| {
        histogram!(STATEMENT_TIME, "kind" => kind(&info.statement.sql)).record(info.elapsed);
        if info.failed {
            counter!(STATEMENT_FAILURES).increment(1);
        }
    });
}

fn kind(sql: &str) -> &'static str {
    const KINDS: [&str; 4] = ["select", "insert", "update", "delete"];
    let first = sql.split_whitespace().next().unwrap_or_default();
    KINDS
        .into_iter()
        .find(|kind| first.eq_ignore_ascii_case(kind))
        .unwrap_or("other")
}

impl Sources {
    fn describe(&self) {
        describe_histogram!(
            STATEMENT_TIME,
            Unit::Seconds,
            "Duration of one statement, by its first word"
        );
        describe_counter!(STATEMENT_FAILURES, "Statements that failed");
        describe_gauge!(
            CONNECTIONS,
            "Connections to the database, by whether they are in use; with SQLite a worker has another one"
        );
        describe_gauge!(LIVE_UP, "1 while the live state answers");
        describe_gauge!(BUILD, "1, with the version of the program");
        counter!(STATEMENT_FAILURES).increment(0);
        gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        if self.api {
            backend::metrics::describe();
        }
        if self.worker.is_some() {
            describe_gauge!(QUEUED, "Services and vendor pages in the due queue");
            describe_gauge!(
                OVERDUE,
                Unit::Seconds,
                "For how long the first of the due queue has been due"
            );
            worker::metrics::describe();
        }
    }

    /// Brings up to date what is only looked at when somebody asks.
    async fn publish(&self) {
        let (open, idle) = match self.db.get_database_backend() {
            DbBackend::Postgres => {
                let pool = self.db.get_postgres_connection_pool();
                (pool.size(), pool.num_idle())
            }
            _ => {
                let pool = self.db.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle())
            }
        };
        let idle = u32::try_from(idle).unwrap_or(u32::MAX);
        gauge!(CONNECTIONS, "state" => "idle").set(idle);
        gauge!(CONNECTIONS, "state" => "used").set(open.saturating_sub(idle));
        let up = match &self.worker {
            None => timeout(PATIENCE, self.live.ping())
                .await
                .is_ok_and(|answer| answer.is_ok()),
            Some(stats) => {
                stats.publish();
                timeout(PATIENCE, self.publish_queue())
                    .await
                    .is_ok_and(|answer| answer.is_ok())
            }
        };
        gauge!(LIVE_UP).set(if up { 1.0 } else { 0.0 });
    }

    #[allow(clippy::cast_precision_loss, reason = "nobody has so many services")]
    async fn publish_queue(&self) -> Result<(), coordination::CoordinationError> {
        gauge!(QUEUED).set(self.live.queue_len().await? as f64);
        let looked = self.live.claim(0, PATIENCE).await?;
        let overdue = looked
            .next_due
            .map_or(0, |due| (looked.now - due).num_milliseconds().max(0));
        gauge!(OVERDUE).set(overdue as f64 / 1000.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_known_by_its_first_word() {
        assert_eq!(kind("SELECT 1"), "select");
        assert_eq!(kind("  insert INTO x VALUES (1)"), "insert");
        assert_eq!(kind("WITH x AS (SELECT 1) DELETE FROM y"), "other");
        assert_eq!(kind(""), "other");
    }
}
