//! The contract of `Coordination`, the same over memory and over a real Redis.
#![allow(clippy::unwrap_used)]

mod agreement;
mod connecting;
mod events;
mod faults;
mod outages;
mod queue;
mod refusals;
mod sentinel;
mod status_cache;
mod workers;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use coordination::Coordination;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use testkit::RedisServer;
use uuid::Uuid;

/// Declares each test twice: over memory and over Redis.
macro_rules! over_both {
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
    };
}
pub(crate) use over_both;

/// One coordination as two processes see it.
struct Two {
    a: Coordination,
    b: Coordination,
}

impl Two {
    fn in_memory() -> Self {
        let a = Coordination::memory();
        Self { b: a.clone(), a }
    }

    async fn in_redis() -> Self {
        Self::at(&RedisServer::shared().await.url()).await
    }

    async fn at(url: &str) -> Self {
        let prefix = unused_prefix();
        let connect = || Coordination::connect_with_prefix(url, &prefix);
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
