//! Followers that are paused, resumed and deleted, pages that vanish or move, and several workers.

use super::page;
use crate::script::{Script, up};
use crate::stage::{Stage, another_redis, eventually, on_each_stage};
use chrono::TimeDelta;
use coordination::ServiceChange;
use domain::Status;
use entity::{column, service, vendor_incident, vendor_page};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, ModelTrait, Set};
use std::sync::atomic::Ordering::SeqCst;
use testkit::vendor::{Page, Reply, SUMMARY};
use testkit::{RedisServer, Vendor, database};
use worker::Settings;

async fn set_paused(stage: &Stage, service: &service::Model, paused: bool) {
    stage
        .edit(service, |service| service.paused = Set(paused))
        .await;
    stage
        .tell(
            service,
            if paused {
                ServiceChange::Paused
            } else {
                ServiceChange::Resumed
            },
        )
        .await;
}

async fn leaves_the_queue(stage: &Stage) {
    eventually("the page leaves the queue", async || {
        (stage.live.queue_len().await.unwrap() == 0).then_some(())
    })
    .await;
}

/// The vendor of `row` moves to where `there` is read, and `row` is polled until it is looked for anew.
async fn moves(
    stage: &Stage,
    row: &vendor_page::Model,
    old: &Vendor,
    there: &vendor_page::Model,
    new: &Vendor,
) {
    let html = format!(
        r#"<html><body><a href="{}">Status</a></body></html>"#,
        new.url_at("status.moved.test", "/")
    );
    old.serve(SUMMARY, Reply::of("410 Gone", "", b""));
    old.serve("/", Reply::ok(html.as_bytes()));
    for _ in 0..2 {
        stage.poll(row).await;
    }
    stage.passes(there, 61).await;
    stage.passes(row, 61).await;
    stage.due(row).await;
}

on_each_stage! {
    async fn paused_followers_get_no_checks_and_do_not_cause_fetches(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("operational", "operational"));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let (one, other) = (stage.follower(&row, &["api"]).await, stage.follower(&row, &["api"]).await);
        stage.ask(&row).await;
        set_paused(&stage, &one, true).await;
        vendor.shows(&page("major_outage", "operational"));
        stage.poll(&row).await;
        stage.is(&other, Status::Down).await;
        assert_eq!((stage.checks(&one).await.len(), stage.incidents(&one).await), (1, vec![]));

        set_paused(&stage, &other, true).await;
        stage.passes(&row, 61).await;
        stage.due(&row).await;
        leaves_the_queue(&stage).await;
        assert_eq!(vendor.requests(), 2);

        // Resumed within a minute of the last fetch: its reading counts.
        stage.passes(&row, -30).await;
        set_paused(&stage, &one, false).await;
        stage.due(&row).await;
        stage.is(&one, Status::Down).await;
        assert_eq!((vendor.requests(), stage.live.queue_len().await.unwrap()), (2, 1));
        worker.stop().await;
    }

    async fn a_page_without_followers_is_deleted_after_a_day(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("operational", "operational").incident("i1", "Trouble", &["api"]));
        let (row, followed) = (stage.page_of(&vendor).await, stage.page_at(&[vendor.url("/other")]).await);
        let service = stage.follower(&row, &["api"]).await;
        let paused = stage.follower(&followed, &["api"]).await;
        set_paused(&stage, &paused, true).await;
        let worker = stage.worker().await;
        stage.is(&service, Status::Up).await;
        service.delete(&stage.db).await.unwrap();
        stage.due(&row).await;
        leaves_the_queue(&stage).await;
        worker.stop().await;
        assert!(vendor_page::Entity::find_by_id(row.id).one(&stage.db).await.unwrap().is_some(), "it may be followed again");

        stage.passes(&row, 86_401).await;
        let old = vendor_page::ActiveModel { created_at: Set(followed.created_at - TimeDelta::days(2)), ..followed.clone().into() };
        old.update(&stage.db).await.unwrap();
        let worker = stage.worker().await;
        eventually("it is deleted", async || {
            vendor_page::Entity::find_by_id(row.id).one(&stage.db).await.unwrap().is_none().then_some(())
        })
        .await;
        assert_eq!((stage.components(&row).await.len(), stage.vendor_incidents(&row).await.len()), (0, 0));
        assert!(vendor_page::Entity::find_by_id(followed.id).one(&stage.db).await.unwrap().is_some(), "it is followed");
        worker.stop().await;
    }

    async fn old_incidents_and_those_beyond_a_thousand_are_deleted(stage: Stage) {
        let row = stage.page_at(&["http://unknown.test/".to_owned()]).await;
        let ended = |id: String, days: Option<i64>| vendor_incident::Model {
            vendor_page_id: row.id,
            incident_id: id,
            name: "Trouble".into(),
            impact: String::new(),
            status: String::new(),
            started_at: None,
            resolved_at: days.map(|days| row.created_at - TimeDelta::days(days)),
            url: None,
            component_ids: serde_json::json!([]),
            updates: serde_json::json!([]),
            updated_at: row.created_at,
        };
        let mut rows = vec![ended("open".into(), None), ended("recent".into(), Some(1)), ended("old".into(), Some(61))];
        rows.extend((0..1003).map(|i| ended(format!("of many {i}"), Some(20))));
        for some in rows.chunks(500) {
            let some = some.iter().cloned().map(IntoActiveModel::into_active_model);
            vendor_incident::Entity::insert_many(some).exec_without_returning(&stage.db).await.unwrap();
        }
        let worker = stage.worker().await;
        eventually("a thousand are left", async || (stage.vendor_incidents(&row).await.len() == 1000).then_some(())).await;
        let left: Vec<_> = stage.vendor_incidents(&row).await.into_iter().map(|row| row.incident_id).collect();
        assert!(left.contains(&"open".to_owned()) && left.contains(&"recent".to_owned()) && !left.contains(&"old".to_owned()));
        worker.stop().await;
    }

    async fn a_page_that_is_deleted_while_it_is_polled_harms_nothing(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("operational", "operational"));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let service = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        stage.is(&service, Status::Up).await;
        row.clone().delete(&stage.db).await.unwrap();
        stage.due(&row).await;
        leaves_the_queue(&stage).await;
        assert_eq!((vendor.requests(), stage.checks(&service).await.len()), (1, 1));
        worker.stop().await;
    }

    async fn a_moved_page_is_rediscovered_at_most_once_a_day(stage: Stage) {
        let (old, new) = (Vendor::start().await, Vendor::start().await);
        old.shows(&page("operational", "operational"));
        let worker = stage.worker().await;
        let row = stage.page_of(&old).await;
        let service = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        stage.is(&service, Status::Up).await;

        // The address answers with a page for people, which refers to where the data is now; the ids are others.
        let html = format!(r#"<html><body><a href="{}">Status</a></body></html>"#, new.url_at("status.moved.test", "/"));
        old.serve(SUMMARY, Reply::ok(html.as_bytes()));
        old.serve("/", Reply::ok(html.as_bytes()));
        for _ in 0..2 {
            let row = stage.poll(&row).await;
            assert_eq!(row.message.as_deref(), Some("the answer is a web page, not status data"));
        }
        assert_eq!(worker.stats.pages.detections.load(SeqCst), 0);
        stage.poll(&row).await;
        eventually("it was looked for", async || (worker.stats.pages.detections.load(SeqCst) == 1).then_some(())).await;
        let looked = eventually("it was not found", async || {
            let row = stage.row(&row).await;
            row.detected_at.is_some().then_some(row)
        })
        .await;
        assert_eq!(looked.api_urls, row.api_urls);
        eventually("the search is over", async || {
            (stage.next_due().await? - stage.live.now().await.unwrap() > TimeDelta::seconds(60)).then_some(())
        })
        .await;

        new.shows(&Page::new("Vendor", &[("x1", "API", "operational"), ("x2", "Website", "operational")]));
        stage.poll(&row).await;
        assert_eq!(worker.stats.pages.detections.load(SeqCst), 1, "not twice a day");
        // The ids are others: whosever page that is, nothing is learned from it.
        stage.passes(&row, 86_400).await;
        stage.due(&row).await;
        let state = eventually("the user is asked to choose again", async || {
            let state = stage.state(&service).await;
            state.message.as_deref().is_some_and(|message| message.contains("choose the components again")).then_some(state)
        })
        .await;
        assert_eq!(state.status, column::Status::Unknown);
        assert!(state.message.unwrap().contains("moved or was replaced"));
        let kept = stage.row(&row).await;
        assert_eq!((kept.api_urls, kept.key), (row.api_urls.clone(), row.key.clone()));
        assert_eq!(stage.remembered(&service).await, [("api".into(), "API".into(), false)]);
        let again = stage.poll(&row).await;
        assert!(again.message.unwrap().contains("moved or was replaced"), "the message stays until the page is read again");

        new.shows(&page("operational", "major_outage"));
        stage.passes(&row, 86_401).await;
        stage.due(&row).await;
        let found = eventually("it is found", async || {
            let found = stage.row(&row).await;
            (found.api_urls != row.api_urls && found.failures == 0).then_some(found)
        })
        .await;
        assert_eq!(found.api_urls, serde_json::json!([new.url_at("status.moved.test", SUMMARY)]));
        assert_eq!(found.key, new.url_at("status.moved.test", SUMMARY));
        stage.is(&service, Status::Up).await;
        assert_eq!(stage.remembered(&service).await, [("api".into(), "API".into(), false)]);
        worker.stop().await;
    }

    async fn a_list_of_mentioned_components_does_not_revive_missing_ones(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&Page::new("Vendor", &[("all", "Slack", "operational"), ("web", "Website", "major_outage")]));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let service = stage.follower(&row, &["web"]).await;
        stage.ask(&row).await;
        stage.is(&service, Status::Down).await;
        vendor.serve(SUMMARY, Reply::ok(br#"{"status": "ok", "active_incidents": []}"#));
        for _ in 0..2 {
            stage.poll(&row).await;
            stage.is(&service, Status::Unknown).await;
            assert_eq!(stage.remembered(&service).await, [("web".into(), "Website".into(), true)]);
        }
        assert_eq!(stage.incidents(&service).await[0].resolved_at, None);
        worker.stop().await;
    }

    async fn followers_of_a_page_that_moved_to_another_follow_that_one(stage: Stage) {
        let (old, new) = (Vendor::start().await, Vendor::start().await);
        old.shows(&page("operational", "operational"));
        new.shows(&page("operational", "operational"));
        let worker = stage.worker().await;
        let there = stage.page_at(&[new.url_at("status.moved.test", SUMMARY)]).await;
        let (row, theirs) = (stage.page_of(&old).await, stage.follower(&there, &["web"]).await);
        let mine = stage.follower(&row, &["api"]).await;
        stage.ask(&there).await;
        stage.ask(&row).await;
        stage.is(&mine, Status::Up).await;
        new.shows(&page("major_outage", "operational"));
        moves(&stage, &row, &old, &there, &new).await;
        stage.is(&mine, Status::Down).await;
        let moved = service::Entity::find_by_id(mine.id).one(&stage.db).await.unwrap().unwrap();
        assert_eq!(moved.vendor_page_id, Some(there.id));
        eventually("the old page leaves the queue", async || (stage.live.queue_len().await.unwrap() == 1).then_some(())).await;
        assert_eq!((stage.state(&theirs).await.status, worker.stats.pages.detections.load(SeqCst)), (column::Status::Up, 1));
        worker.stop().await;
    }

    async fn components_that_the_new_place_does_not_list_are_missing(stage: Stage) {
        const CURRENT: &str = "/api/v2.0.0/current";
        let (old, new) = (Vendor::start().await, Vendor::start().await);
        old.shows(&Page::new("Vendor", &[("all", "Slack", "operational"), ("web", "Website", "operational")]));
        new.serve(CURRENT, Reply::ok(br#"{"status": "ok", "active_incidents": []}"#));
        let worker = stage.worker().await;
        let there = stage.page_at(&[new.url_at("status.moved.test", CURRENT)]).await;
        let theirs = stage.follower(&there, &["all"]).await;
        let row = stage.page_of(&old).await;
        let (mine, both) = (stage.follower(&row, &["web"]).await, stage.follower(&row, &["all", "web"]).await);
        stage.ask(&there).await;
        stage.is(&theirs, Status::Up).await;
        stage.ask(&row).await;
        stage.is(&mine, Status::Up).await;
        stage.is(&both, Status::Up).await;
        moves(&stage, &row, &old, &there, &new).await;
        stage.is(&mine, Status::Unknown).await;
        stage.is(&both, Status::Unknown).await;
        assert_eq!(stage.remembered(&mine).await, [("web".into(), "Website".into(), true)]);
        let missing: Vec<_> = stage.remembered(&both).await.into_iter().map(|(id, _, missing)| (id, missing)).collect();
        assert_eq!(missing, [("all".into(), false), ("web".into(), true)]);
        worker.stop().await;
    }

    async fn two_workers_ask_a_page_once(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("operational", "operational"));
        let (first, second) = (stage.worker().await, stage.worker().await);
        let row = stage.page_of(&vendor).await;
        let service = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        for round in 1..6 {
            stage.poll(&row).await;
            // While one asks, somebody begins to follow.
            stage.due(&row).await;
            stage.has_checks(&service, round + 1).await;
            assert_eq!(vendor.requests(), round + 1);
        }
        first.stop().await;
        second.stop().await;
    }

    async fn services_and_pages_are_told_apart_in_one_queue(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("operational", "operational"));
        let worker = stage.worker_with(Script::finds(|_, _| up()), Settings::default()).await;
        let row = stage.page_of(&vendor).await;
        let follower = stage.follower(&row, &["api"]).await;
        let requested = stage.service("http://up.test/").create().await;
        // A follower's own id does not belong there.
        stage.check_now(&[&follower, &requested]).await;
        stage.ask(&row).await;
        stage.is(&follower, Status::Up).await;
        stage.is(&requested, Status::Up).await;
        eventually("two are queued", async || (stage.live.queue_len().await.unwrap() == 2).then_some(())).await;
        assert_eq!((stage.checks(&follower).await.len(), worker.stats.started.load(SeqCst)), (1, 1));
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_flushed_redis_is_rebuilt_without_fetching_pages_sooner() {
    let server = RedisServer::start().await;
    let stage = Stage::on(database::postgres().await.db, another_redis(&server).await).await;
    let vendor = Vendor::start().await;
    vendor.shows(&page("major_outage", "operational"));
    let worker = stage.worker().await;
    let mut rows = Vec::new();
    for i in 0..5 {
        let row = stage
            .page_at(&[vendor.url_at(&format!("v{i}.test"), SUMMARY)])
            .await;
        let service = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        stage.is(&service, Status::Down).await;
        rows.push((row, service));
    }
    let idle = stage.page_at(&[vendor.url_at("v9.test", SUMMARY)]).await;
    server.flush().await;
    eventually("all are queued again", async || {
        (stage.live.queue_len().await.unwrap() == 5).then_some(())
    })
    .await;
    assert_eq!(vendor.requests(), 5, "less than a minute has passed");
    vendor.shows(&page("operational", "operational"));
    for (row, service) in &rows {
        stage.poll(row).await;
        stage.is(service, Status::Up).await;
        assert_eq!(stage.incidents(service).await.len(), 1);
    }
    assert_eq!(stage.row(&idle).await.attempted_at, None);
    worker.stop().await;
}
