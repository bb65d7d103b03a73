//! How many checks a second the due queue in Redis carries: claims and completions in batches, by one and by several
//! workers, with the processor time that both sides spend on each.
//!
//! `cargo run --release -p coordination --example claim_throughput`
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]

use chrono::{TimeDelta, Utc};
use coordination::Coordination;
use std::time::{Duration, Instant};
use testkit::RedisServer;
use testkit::processor::worked;
use uuid::Uuid;

const SERVICES: usize = 20_000;
const BATCH: usize = 200;
const SECONDS: u64 = 5;

#[tokio::main]
async fn main() {
    let redis = RedisServer::start().await;
    println!("{SERVICES} services, batches of {BATCH}, {SECONDS} s each");
    println!(
        "{:>8} {:>12} {:>16} {:>16} {:>14}",
        "workers", "checks/s", "us of client", "us of redis", "ms a batch"
    );
    for workers in [1, 2, 4] {
        let coordination = Coordination::connect(&redis.url()).await.unwrap();
        let now = Utc::now();
        let dues: Vec<_> = (0..SERVICES)
            .map(|_| (Uuid::now_v7(), now - TimeDelta::hours(1)))
            .collect();
        coordination.schedule(&dues).await.unwrap();

        let (client_before, redis_before, started) = (
            worked("self").as_secs_f64(),
            redis_cpu(&redis).await,
            Instant::now(),
        );
        let tasks: Vec<_> = (0..workers)
            .map(|_| {
                let url = redis.url();
                tokio::spawn(async move { work(&Coordination::connect(&url).await.unwrap()).await })
            })
            .collect();
        let (mut checks, mut batches) = (0, 0);
        for task in tasks {
            let (more_checks, more_batches) = task.await.unwrap();
            (checks, batches) = (checks + more_checks, batches + more_batches);
        }
        let seconds = started.elapsed().as_secs_f64();
        let per_check = |cpu: f64| cpu * 1e6 / checks as f64;
        println!(
            "{workers:>8} {:>12.0} {:>16.2} {:>16.2} {:>14.2}",
            checks as f64 / seconds,
            per_check(worked("self").as_secs_f64() - client_before),
            per_check(redis_cpu(&redis).await - redis_before),
            seconds * 1000.0 * f64::from(workers) / batches as f64,
        );
        redis.flush().await;
    }
}

/// Claims and completes until the time is over; each service is due again at once.
async fn work(coordination: &Coordination) -> (u64, u64) {
    let end = Instant::now() + Duration::from_secs(SECONDS);
    let (mut checks, mut batches) = (0, 0);
    while Instant::now() < end {
        let claimed = coordination
            .claim(BATCH, Duration::from_secs(60))
            .await
            .unwrap();
        let next: Vec<_> = claimed
            .claims
            .iter()
            .map(|claim| (*claim, claimed.now))
            .collect();
        checks += coordination.complete(&next).await.unwrap() as u64;
        batches += 1;
    }
    (checks, batches)
}

async fn redis_cpu(redis: &RedisServer) -> f64 {
    let info = redis.command("INFO cpu").await;
    let field = |name| {
        info.lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap()
            .trim()
            .parse::<f64>()
            .unwrap()
    };
    field("used_cpu_sys:") + field("used_cpu_user:")
}
