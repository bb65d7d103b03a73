//! Many checks at once, and misbehaving ones.

use crate::script::{Script, up};
use crate::stage::{Stage, eventually, on_each_stage};
use chrono::TimeDelta;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use worker::Settings;

on_each_stage! {
    async fn many_results_share_one_transaction(stage: Stage) {
        let worker = stage.worker_with(Script::finds(|_, _| up()), Settings::default()).await;
        let mut services = Vec::new();
        for i in 0..200 {
            services.push(stage.service(format!("http://s{i}.test/")).create().await);
        }
        stage.check_now(&services.iter().collect::<Vec<_>>()).await;
        let recorded = &worker.stats.recorded;
        eventually("all are recorded", async || (recorded.load(SeqCst) == 200).then_some(())).await;
        let batches = worker.stats.batches.load(SeqCst);
        assert!(batches <= 20, "{batches} transactions for 200 checks");
        for service in &services {
            assert_eq!(stage.checks(service).await.len(), 1);
        }
        worker.stop().await;
    }

    async fn checks_that_change_nothing_wait_for_others(stage: Stage) {
        let mut services = Vec::new();
        for i in 0..60 {
            services.push(stage.service(format!("http://s{i}.test/")).interval(1).create().await);
        }
        let worker = stage.worker_with(Script::finds(|_, _| up()), Settings::default()).await;
        for service in &services {
            stage.has_checks(service, 2).await;
        }
        let recorded = worker.stats.recorded.load(SeqCst);
        let batches = worker.stats.batches.load(SeqCst);
        eventually("three checks of each", async || {
            (worker.stats.recorded.load(SeqCst) >= recorded + 180).then_some(())
        }).await;
        let batches = worker.stats.batches.load(SeqCst) - batches;
        assert!(batches <= 60, "{batches} transactions for 180 checks");
        worker.stop().await;
    }

    async fn a_probe_that_panics_harms_nothing_else(stage: Stage) {
        let script = Script::finds(|_, host| if host == "panics.test" { panic!("scripted") } else { up() });
        let worker = stage.worker_with(script, Settings { concurrency: 2, ..Settings::default() }).await;
        let panics = stage.service("http://panics.test/").create().await;
        for _ in 0..4 {
            stage.check_now(&[&panics]).await;
            stage.is_due_at_its_next_slot(&panics).await;
        }
        assert_eq!(worker.stats.panics.load(SeqCst), 4);
        assert_eq!(stage.checks(&panics).await, []);
        let well = stage.service("http://up.test/").create().await;
        stage.check_now(&[&well]).await;
        stage.has_checks(&well, 1).await;
        worker.stop().await;
    }

    async fn a_slow_host_holds_up_nobody_else(stage: Stage) {
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let script = {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            Script::new(move |host| {
                let (running, most) = (Arc::clone(&running), Arc::clone(&most));
                async move {
                    if host == "slow.test" {
                        most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                        tokio::time::sleep(Duration::from_millis(200)).await;
                        running.fetch_sub(1, SeqCst);
                    }
                    up()
                }
            })
        };
        let settings = Settings { concurrency: 8, concurrency_per_host: 3, ..Settings::default() };
        let worker = stage.worker_with(script, settings).await;
        let (mut slow, mut quick) = (Vec::new(), Vec::new());
        for i in 0..30 {
            slow.push(stage.service(format!("http://slow.test/{i}")).create().await);
            quick.push(stage.service(format!("http://q{i}.test/")).create().await);
        }
        stage.check_now(&slow.iter().collect::<Vec<_>>()).await;
        eventually("the slow host is busy", async || (running.load(SeqCst) == 3).then_some(())).await;
        let begun = Instant::now();
        stage.check_now(&quick.iter().collect::<Vec<_>>()).await;
        for service in &quick {
            stage.has_checks(service, 1).await;
        }
        assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
        for service in &slow {
            stage.has_checks(service, 1).await;
        }
        assert_eq!(most.load(SeqCst), 3);
        assert!(worker.stats.deferred.load(SeqCst) >= 27);
        // Three begin at once, three after 200 ms, and so on to 1800 ms: some 27 s in all.
        let late = worker.stats.lateness_ms.load(SeqCst);
        assert!(late >= 20_000, "checks that were put off are late since they were due at first: {late} ms");
        worker.stop().await;
    }

    async fn checks_missed_in_a_stall_are_spread_until_their_next_slots(stage: Stage) {
        let mut services = Vec::new();
        for i in 0..300 {
            services.push(stage.service(format!("http://s{i}.test/")).interval(60).create().await);
        }
        stage.services_are_new().await;
        // The worker was stopped for an hour, and its queue was kept.
        let stopped = stage.live.now().await.unwrap() - TimeDelta::hours(1);
        stage.live.schedule(&services.iter().map(|service| (service.id, stopped)).collect::<Vec<_>>()).await.unwrap();
        stage.live.mark_built().await.unwrap();
        let started = stage.live.now().await.unwrap().timestamp_millis();
        let worker = stage.worker_with(Script::finds(|_, _| up()), Settings::default()).await;
        let mut slots = Vec::new();
        for service in &services {
            slots.push(stage.has_checks(service, 1).await[0].slot);
        }
        worker.stop().await;
        slots.sort_unstable();
        assert!(slots.iter().all(|slot| *slot < started + 60_000), "none waits for longer than its interval");
        // One each millisecond, and the few whose slots fall into that time by themselves.
        let together = slots.windows(30).filter(|slots| slots[29] - slots[0] < 20).count();
        assert_eq!(together, 0, "{slots:?}");
    }

    async fn the_heartbeat_is_written_again_and_again(stage: Stage) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("heartbeat");
        let settings = Settings {
            heartbeat_file: Some(file.clone()),
            heartbeat_every: Duration::from_millis(150),
            ..Settings::default()
        };
        let worker = stage.worker_with(Script::finds(|_, _| up()), settings).await;
        for _ in 0..2 {
            eventually("a heartbeat", async || file.exists().then_some(())).await;
            std::fs::remove_file(&file).unwrap();
        }
        worker.stop().await;
    }
}
