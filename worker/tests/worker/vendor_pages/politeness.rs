//! How often servers are requested, and with which headers.

use super::{now, page};
use crate::script::{Script, up};
use crate::stage::{Stage, eventually, on_each_stage};
use chrono::{DateTime, TimeDelta, Utc};
use domain::Status;
use sea_orm::{ActiveModelTrait, Set};
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};
use testkit::Vendor;
use testkit::vendor::{Reply, SUMMARY};
use worker::Settings;

/// A page whose API has this status, with an `ETag`.
fn tagged(etag: &str, api: &str) -> Reply {
    let body = format!(
        r#"{{"page": {{"id": "p"}}, "status": {{"indicator": "none"}}, "components": [{{"id": "api", "name": "API", "status": "{api}"}}]}}"#
    );
    Reply::Tagged {
        etag: etag.into(),
        body: body.into_bytes(),
    }
}

/// A page with maintenance whose end alone says when it is over, always with the same `ETag`.
fn working_until(end: DateTime<Utc>) -> Reply {
    let body = format!(
        r#"{{"status_page": {{"name": "V"}}, "services": [{{"id": 1, "name": "API", "current_incident_type": null}}], "incidents": [],
            "maintenances": [{{"id": 7, "title": "Work", "type": "scheduled", "starts_at": "2026-01-01T00:00:00", "ends_at": "{}", "service_ids": [1]}}]}}"#,
        end.format("%Y-%m-%dT%H:%M:%S")
    );
    Reply::Tagged {
        etag: "\"v1\"".into(),
        body: body.into_bytes(),
    }
}

on_each_stage! {
    async fn an_unchanged_page_is_not_sent_again_and_still_counts(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.serve(SUMMARY, tagged("\"v1\"", "degraded_performance"));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let service = stage.follower(&row, &["api"]).await;
        let first = stage.ask(&row).await;
        stage.is(&service, Status::Degraded).await;
        let second = stage.poll(&row).await;
        let state = stage.is(&service, Status::Degraded).await;
        assert_eq!(state.message.as_deref(), Some("API: degraded performance"));
        assert_eq!(stage.checks(&service).await.len(), 2);
        assert!(second.fetched_at > first.fetched_at);
        let heads = vendor.heads(SUMMARY);
        assert!(!heads[0].contains("if-none-match") && heads[1].contains("if-none-match: \"v1\""), "{heads:?}");
        let pages = &worker.stats.pages;
        assert_eq!((pages.read.load(SeqCst), pages.unchanged.load(SeqCst)), (1, 1));
        worker.stop().await;

        // Another worker continues with the stored validators.
        let worker = stage.worker().await;
        stage.poll(&row).await;
        assert_eq!(worker.stats.pages.unchanged.load(SeqCst), 1);
        vendor.serve(SUMMARY, tagged("\"v2\"", "operational"));
        stage.poll(&row).await;
        stage.is(&service, Status::Up).await;
        worker.stop().await;
    }

    async fn retry_after_is_respected_whatever_asks_for_a_check(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("operational", "operational"));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let service = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        vendor.serve(SUMMARY, Reply::of("429 Too Many Requests", "retry-after: 600\r\n", b"slow down"));
        let limited = stage.poll(&row).await;
        let rest = limited.not_before.unwrap() - limited.attempted_at.unwrap();
        assert!((600..602).contains(&rest.num_seconds()), "{rest}");
        assert_eq!(worker.stats.pages.limited.load(SeqCst), 1);

        vendor.shows(&page("major_outage", "operational"));
        // Five minutes after the last answer the page is stale, and is still not asked.
        stage.passes(&row, 300).await;
        let polls = worker.polls();
        stage.due(&row).await;
        worker.has_polled(polls, 1).await;
        let checks = stage.has_checks(&service, 2).await;
        assert!(checks[1].message.as_deref().unwrap().ends_with("answered 429"), "{checks:?}");
        assert_eq!((stage.state(&service).await.status, vendor.requests()), (entity::column::Status::Up, 2));

        stage.passes(&row, 301).await;
        stage.ask(&row).await;
        stage.is(&service, Status::Down).await;
        assert_eq!(vendor.requests(), 3);
        worker.stop().await;
    }

    async fn whoever_asks_a_page_is_fetched_once_a_minute(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("operational", "operational"));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let service = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        let begun = Instant::now();
        for _ in 0..20 {
            let polls = worker.polls();
            stage.due(&row).await;
            worker.has_polled(polls, 1).await;
        }
        // The requested check is made, but not one for all followers on each request.
        let checks = stage.has_checks(&service, 3).await.len();
        let most = 2 + begun.elapsed().as_secs() / 2;
        assert!(checks as u64 <= most, "{checks} checks in {:?}", begun.elapsed());
        assert_eq!(vendor.requests(), 1);
        worker.stop().await;
    }

    async fn slow_pages_hold_up_neither_checks_nor_other_pages(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.serve("/silent", Reply::Silence);
        vendor.shows(&page("operational", "operational"));
        let settings = Settings { concurrency: 4, page_concurrency: 8, ..Settings::default() };
        let worker = stage.worker_with(Script::finds(|_, _| up()), settings).await;
        // Many addresses of one host, none of which ever answers.
        let mut silent = Vec::new();
        for i in 0..40 {
            silent.push(stage.page_at(&[vendor.url_at("v0.test", "/silent"), vendor.url_at("v0.test", &format!("/{i}"))]).await);
            stage.follower(&silent[i], &["api"]).await;
        }
        let mut requested = Vec::new();
        for i in 0..20 {
            requested.push(stage.service(format!("http://s{i}.test/")).create().await);
        }
        let row = stage.page_at(&[vendor.url_at("v1.test", SUMMARY)]).await;
        let follower = stage.follower(&row, &["api"]).await;
        stage.all_due(&silent).await;
        vendor.was_asked("/silent", 4).await;
        let begun = Instant::now();
        stage.check_now(&requested.iter().collect::<Vec<_>>()).await;
        stage.due(&row).await;
        stage.is(&follower, Status::Up).await;
        for service in &requested {
            stage.has_checks(service, 1).await;
        }
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        assert_eq!(vendor.asked("/silent"), 4, "so many of one host at once");
        worker.stop().await;
    }

    async fn silent_pages_of_many_names_do_not_starve_fast_ones(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.serve("/silent", Reply::Silence);
        vendor.shows(&page("operational", "operational"));
        let settings = Settings { page_concurrency: 8, ..Settings::default() };
        let worker = stage.worker_with(Script::finds(|_, _| up()), settings).await;
        let row = stage.page_of(&vendor).await;
        let follower = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        stage.is(&follower, Status::Up).await;
        let mut silent = Vec::new();
        for i in 0..40 {
            silent.push(stage.page_at(&[vendor.url_at(&format!("v{i}.test"), "/silent")]).await);
            stage.follower(&silent[i], &["api"]).await;
        }
        stage.all_due(&silent).await;
        vendor.was_asked("/silent", 6).await;
        vendor.shows(&page("major_outage", "operational"));
        let begun = Instant::now();
        stage.poll(&row).await;
        stage.is(&follower, Status::Down).await;
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        assert_eq!(vendor.asked("/silent"), 6, "the others of eight places are kept for those that answer");
        worker.stop().await;
    }

    async fn maintenance_ends_with_its_window_although_the_page_says_304(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.serve("/api/v2/status_pages/v/summary", working_until(now() + TimeDelta::seconds(900)));
        let worker = stage.worker().await;
        let row = stage.page_at(&[vendor.url_at("vendor.test", "/api/v2/status_pages/v/summary")]).await;
        stage.follower(&row, &["1"]).await;
        stage.ask(&row).await;
        assert_eq!(stage.maintenances(&row).await.len(), 1);
        stage.poll(&row).await;
        assert_eq!((stage.maintenances(&row).await.len(), worker.stats.pages.unchanged.load(SeqCst)), (1, 1));
        // Its end passes between two polls.
        let [work] = stage.maintenances(&row).await.try_into().unwrap();
        let ended = now() - TimeDelta::seconds(30);
        vendor.serve("/api/v2/status_pages/v/summary", working_until(ended));
        let window = entity::vendor_maintenance::ActiveModel { scheduled_until: Set(Some(ended)), ..work.into() };
        window.update(&stage.db).await.unwrap();
        stage.poll(&row).await;
        assert_eq!((stage.maintenances(&row).await, worker.stats.pages.unchanged.load(SeqCst)), (vec![], 1));
        worker.stop().await;
    }

    async fn a_silent_page_times_out_and_is_retried_with_backoff(stage: Stage) {
        let vendor = Vendor::start().await;
        let row = stage.page_at(&["http://unknown.test/api/v2/summary.json".to_owned()]).await;
        stage.follower(&row, &["api"]).await;
        let worker = stage.worker().await;
        for (failures, least) in [(1, 60), (2, 120), (3, 240), (4, 240)] {
            let row = eventually("it failed again", async || {
                let row = stage.row(&row).await;
                (row.failures == failures).then_some(row)
            })
            .await;
            let wait = eventually("it is due later", async || {
                let wait = stage.next_due().await? - stage.live.now().await.unwrap();
                (wait.num_seconds() > 30).then_some(wait)
            })
            .await;
            let wait = wait.num_seconds();
            assert!((least - 15..=least + least / 10).contains(&wait), "{wait} s after {failures} failures");
            if failures < 4 {
                stage.passes(&row, 61).await;
                stage.due(&row).await;
            }
        }
        assert_eq!(vendor.requests(), 0);
        worker.stop().await;
    }
}
