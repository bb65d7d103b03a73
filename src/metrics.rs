//! Serves Prometheus metrics and [`Health`] on a separate, non-public listener. Without a configured
//! address nothing is collected.

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
const COORDINATION_UP: &str = "pulsecheck_coordination_up";
const BUILD: &str = "pulsecheck_build_info";

/// Histogram buckets for durations, in seconds: from an in-memory statement to a request timeout.
const DURATION_BUCKETS: [f64; 16] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0,
];
/// Histogram buckets for batch sizes.
const BATCH_SIZE_BUCKETS: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 25.0, 100.0, 250.0, 500.0];

/// How often recorded samples are folded into the histograms, which bounds their memory.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);
/// Timeout for querying Redis when metrics are read.
const COORDINATION_TIMEOUT: Duration = Duration::from_secs(2);

/// What the metrics are read from.
pub(crate) struct Sources {
    pub(crate) db: DatabaseConnection,
    pub(crate) live: Coordination,
    /// Whether the API runs here.
    pub(crate) api: bool,
    /// Metrics of the worker, if it runs here.
    pub(crate) worker: Option<Arc<worker::Stats>>,
}

/// A bound metrics listener that does not serve yet.
pub(crate) struct Metrics {
    listener: TcpListener,
    handle: PrometheusHandle,
}

impl Metrics {
    /// Binds the address, if one is set, and installs the recorder. Call once, before any metric.
    ///
    /// # Errors
    /// Fails if the address cannot be bound.
    pub(crate) async fn listen(address: Option<SocketAddr>) -> anyhow::Result<Option<Self>> {
        let Some(address) = address else {
            return Ok(None);
        };
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("cannot listen on {address}: stop what uses it, or set PULSECHECK_METRICS_LISTEN to another port")
        })?;
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &DURATION_BUCKETS)?
            .set_buckets_for_metric(
                Matcher::Full(worker::metrics::BATCH_SIZE.into()),
                &BATCH_SIZE_BUCKETS,
            )?;
        let handle = builder
            .install_recorder()
            .context("metrics cannot be collected")?;
        Ok(Some(Self { listener, handle }))
    }

    /// Serves until `shutdown` is cancelled.
    ///
    /// # Errors
    /// Fails if the listener has no local address.
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
                tracing::error!(%error, "metrics server stopped");
            }
        });
        tokio::spawn(shutdown.run_until_cancelled_owned(async move {
            let mut sum = tokio::time::interval(UPKEEP_INTERVAL);
            loop {
                sum.tick().await;
                summed.run_upkeep();
            }
        }));
        Ok(())
    }
}

/// Records metrics for the statements of `db`. Call before the connection is cloned.
pub(crate) fn watch(db: &mut DatabaseConnection) {
    db.set_metric_callback(|info| {
        histogram!(STATEMENT_TIME, "kind" => statement_kind(&info.statement.sql))
            .record(info.elapsed);
        if info.failed {
            counter!(STATEMENT_FAILURES).increment(1);
        }
    });
}

fn statement_kind(sql: &str) -> &'static str {
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
        describe_gauge!(COORDINATION_UP, "1 while the live state answers");
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

    /// Updates the gauges that are computed on each scrape.
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
            None => timeout(COORDINATION_TIMEOUT, self.live.ping())
                .await
                .is_ok_and(|answer| answer.is_ok()),
            Some(stats) => {
                stats.publish();
                timeout(COORDINATION_TIMEOUT, self.publish_queue())
                    .await
                    .is_ok_and(|answer| answer.is_ok())
            }
        };
        gauge!(COORDINATION_UP).set(if up { 1.0 } else { 0.0 });
    }

    #[allow(clippy::cast_precision_loss, reason = "nobody has so many services")]
    async fn publish_queue(&self) -> Result<(), coordination::CoordinationError> {
        gauge!(QUEUED).set(self.live.queue_len().await? as f64);
        let looked = self.live.claim(0, COORDINATION_TIMEOUT).await?;
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
        assert_eq!(statement_kind("SELECT 1"), "select");
        assert_eq!(statement_kind("  insert INTO x VALUES (1)"), "insert");
        assert_eq!(
            statement_kind("WITH x AS (SELECT 1) DELETE FROM y"),
            "other"
        );
        assert_eq!(statement_kind(""), "other");
    }
}
