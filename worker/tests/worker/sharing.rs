//! Several workers that share a database and the coordination state, and how a worker ends.

use crate::script::{Script, down, up};
use crate::stage::{Stage, eventually, made_at, on_each_stage, start};
use chrono::{TimeDelta, Utc};
use entity::{check, service};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use worker::Settings;

/// A probe that never ends, and counts how many wait for it.
fn endless() -> (Script, Arc<AtomicUsize>) {
    let looking = Arc::new(AtomicUsize::new(0));
    let begun = Arc::clone(&looking);
    let script = Script::new(move |_| {
        begun.fetch_add(1, SeqCst);
        std::future::pending()
    });
    (script, looking)
}

async fn many(stage: &Stage, count: usize, interval: i32) -> Vec<service::Model> {
    let mut services = Vec::new();
    for i in 0..count {
        services.push(
            stage
                .service(format!("http://s{i}.test/"))
                .interval(interval)
                .timeout(500)
                .create()
                .await,
        );
    }
    services
}

on_each_stage! {
    async fn two_workers_share_the_checks_and_never_double_one(stage: Stage) {
        let services = many(&stage, 30, 1).await;
        let looks = Arc::new(Mutex::new(Vec::new()));
        let script = || {
            let looks = Arc::clone(&looks);
            Script::new(move |host| {
                looks.lock().unwrap().push(host);
                async {
                    tokio::time::sleep(Duration::from_millis(30)).await;
                    up()
                }
            })
        };
        let first = stage.worker_with(script(), Settings { concurrency: 8, ..Settings::default() }).await;
        let second = stage.worker_with(script(), Settings { concurrency: 8, ..Settings::default() }).await;
        for service in &services {
            stage.has_checks(service, 4).await;
        }
        let stats = [Arc::clone(&first.stats), Arc::clone(&second.stats)];
        first.stop().await;
        second.stop().await;
        let [first, second] = stats.map(|stats| {
            assert_eq!(stats.discarded.load(SeqCst), 0, "no slot was checked twice");
            stats.recorded.load(SeqCst)
        });
        assert!(first > 0 && second > 0, "{first} {second}");
        let mut recorded = 0;
        for service in &services {
            let checks = stage.checks(service).await;
            assert!(checks.windows(2).all(|two| two[1].slot - two[0].slot <= 2000), "{checks:?}");
            recorded += checks.len();
        }
        assert_eq!((recorded as u64, recorded), (first + second, looks.lock().unwrap().len()));
    }

    async fn workers_with_clocks_hours_apart_check_each_slot_once(stage: Stage) {
        let services = many(&stage, 20, 2).await;
        let script = || {
            Script::new(|_| async {
                tokio::time::sleep(Duration::from_millis(30)).await;
                up()
            })
        };
        let with = |machine_clock| Settings { concurrency: 8, machine_clock, ..Settings::default() };
        let begun = stage.live.now().await.unwrap();
        let ahead = stage.worker_with(script(), with(|| Utc::now() + TimeDelta::hours(2))).await;
        let behind = stage.worker_with(script(), with(|| Utc::now() - TimeDelta::minutes(40))).await;
        let right = stage.worker_with(script(), Settings { concurrency: 8, ..Settings::default() }).await;
        for service in &services {
            stage.has_checks(service, 5).await;
        }
        let stats = [&ahead, &behind, &right].map(|worker| Arc::clone(&worker.stats));
        ahead.stop().await;
        behind.stop().await;
        right.stop().await;
        for stats in stats {
            assert!(stats.recorded.load(SeqCst) > 0, "each has its share");
            assert_eq!((stats.discarded.load(SeqCst), stats.missed.load(SeqCst)), (0, 0), "discarded and missed");
        }
        let ended = stage.live.now().await.unwrap();
        for service in &services {
            let checks = stage.checks(service).await;
            let late = |check: &check::Model| made_at(check) < begun || made_at(check) > ended || check.lateness_ms > 1900;
            assert!(!checks.iter().any(late), "{checks:?}");
            // The first check was requested; the others are at their slots.
            assert!(checks[1..].windows(2).all(|two| two[1].slot - two[0].slot == 2000), "{checks:?}");
        }
    }

    async fn claims_of_a_killed_worker_end_with_their_leases(stage: Stage) {
        let lease = Duration::from_millis(1500);
        let settings = Settings { lease, ..Settings::default() };
        let services = many(&stage, 5, 86_400).await;
        let (script, looking) = endless();
        let killed = stage.worker_with(script, settings.clone()).await;
        eventually("all are claimed", async || (looking.load(SeqCst) == 5).then_some(())).await;
        let claimed_at = stage.live.now().await.unwrap();
        killed.kill().await;

        let heir = stage.worker_with(Script::finds(|_, _| up()), settings).await;
        for service in &services {
            let [check] = stage.has_checks(service, 1).await.try_into().unwrap();
            let late = made_at(&check) - claimed_at;
            assert!(late.to_std().unwrap_or_default() < lease + Duration::from_secs(1), "{late}");
        }
        heir.stop().await;
    }

    async fn a_stopped_worker_finishes_or_gives_back_its_checks(stage: Stage) {
        let services = many(&stage, 4, 86_400).await;
        let (begun, end) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let (begins, ends) = (Arc::clone(&begun), Arc::clone(&end));
        let script = Script::new(move |host| {
            let (begins, ends) = (Arc::clone(&begins), Arc::clone(&ends));
            async move {
                begins.fetch_add(1, SeqCst);
                if host == "s0.test" {
                    ends.notified().await;
                    return up();
                }
                std::future::pending().await
            }
        });
        let worker = stage.worker_with(script, Settings::default()).await;
        eventually("all are claimed", async || (begun.load(SeqCst) == 4).then_some(())).await;
        assert_eq!(stage.live.claim(10, Duration::from_secs(60)).await.unwrap().claims, []);
        // The shutdown comes before this result.
        let stopping = tokio::spawn(worker.stop());
        tokio::task::yield_now().await;
        end.notify_one();
        stopping.await.unwrap();
        assert_eq!(stage.checks(&services[0]).await.len(), 1);
        let claims = stage.live.claim(10, Duration::from_secs(60)).await.unwrap().claims;
        let mut back: Vec<_> = claims.into_iter().map(|claim| claim.service_id).collect();
        back.sort_unstable();
        assert_eq!(back, [services[1].id, services[2].id, services[3].id]);
    }

    async fn an_unconfirmed_failure_is_confirmed_by_the_next_worker(stage: Stage) {
        let service = stage.service("http://down.test/").timeout(500).create().await;
        // Fails once, and hangs when it is to be confirmed.
        let looks = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&looks);
        let script = Script::new(move |_| {
            let first = counted.fetch_add(1, SeqCst) == 0;
            async move { if first { down() } else { std::future::pending().await } }
        });
        let settings = Settings { lease: Duration::from_millis(1500), ..Settings::default() };
        let killed = stage.worker_with(script, settings.clone()).await;
        eventually("it is confirmed", async || (looks.load(SeqCst) == 2).then_some(())).await;
        killed.kill().await;
        assert_eq!(stage.incidents(&service).await, []);

        let heir = start(&stage, Script::finds(|_, _| down()), settings);
        stage.is(&service, domain::Status::Down).await;
        let checks = stage.checks(&service).await;
        let [incident] = stage.incidents(&service).await.try_into().unwrap();
        assert_eq!((checks.len(), incident.started_at), (2, made_at(&checks[0])));
        heir.stop().await;
    }

    async fn an_unconfirmed_failure_survives_the_loss_of_the_queue(stage: Stage) {
        let service = stage.service("http://down.test/").create().await;
        let looks = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&looks);
        let script = Script::new(move |_| {
            let first = counted.fetch_add(1, SeqCst) == 0;
            async move { if first { down() } else { std::future::pending().await } }
        });
        let killed = stage.worker_with(script, Settings::default()).await;
        eventually("it is confirmed", async || (looks.load(SeqCst) == 2).then_some(())).await;
        killed.kill().await;
        // The next worker finds a queue that holds nothing.
        stage.live.remove(&[service.id]).await.unwrap();
        let heir = start(&stage, Script::finds(|_, _| down()), Settings::default());
        stage.is(&service, domain::Status::Down).await;
        assert_eq!((stage.checks(&service).await.len(), stage.incidents(&service).await.len()), (2, 1));
        heir.stop().await;
    }
}
