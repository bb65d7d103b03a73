//! What the live state promises, the same over memory, over a real Redis and over a real Redis Cluster.
#![allow(clippy::unwrap_used)]

mod agreement;
mod cluster;
mod events;
mod faults;
mod latest;
mod queue;
mod workers;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use coordination::Live;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use testkit::{RedisCluster, RedisServer};
use uuid::Uuid;

/// Declares each test three times: over memory, over Redis and over a cluster.
macro_rules! over_all {
    ($($test:ident),* $(,)?) => {
        mod over_memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::Two::in_memory()).await;
            })*
        }
        mod over_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::Two::in_redis().await).await;
            })*
        }
        mod over_a_cluster {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::Two::in_a_cluster().await).await;
            })*
        }
    };
}
pub(crate) use over_all;

/// One live state as two processes see it.
struct Two {
    a: Live,
    b: Live,
}

impl Two {
    fn in_memory() -> Self {
        let a = Live::memory();
        Self { b: a.clone(), a }
    }

    async fn in_redis() -> Self {
        Self::at(&RedisServer::shared().await.url()).await
    }

    async fn in_a_cluster() -> Self {
        Self::at(&RedisCluster::shared().await.url()).await
    }

    async fn at(url: &str) -> Self {
        let prefix = unused_prefix();
        let connect = || Live::connect_with_prefix(url, &prefix);
        Self {
            a: connect().await.unwrap(),
            b: connect().await.unwrap(),
        }
    }
}

fn unused_prefix() -> String {
    static USED: AtomicU32 = AtomicU32::new(0);
    format!("test-{}:", USED.fetch_add(1, Ordering::Relaxed))
}

/// Awaits that `holds` becomes true.
async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(Instant::now() < deadline, "it never happens: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .expect("it happens in time")
}

fn seconds_from_now(seconds: i64) -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3) + TimeDelta::seconds(seconds)
}

fn service(number: u128) -> Uuid {
    // The upper bits make ids that are not valid UTF-8 and some that are.
    Uuid::from_u128((number % 251) << 120 | number)
}
