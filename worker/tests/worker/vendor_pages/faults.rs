//! Pages that respond with anything but what they should, or not at all: their last reading counts for a
//! while, then the status is unknown, and neither an outage nor a recovery follows.

use super::{now, page};
use crate::script::{Script, up};
use crate::stage::{Stage, eventually, on_each_stage};
use coordination::Coordination;
use domain::Status;
use domain::uptime::{Sample, tally};
use entity::{check, column};
use net::{Fetcher, FetcherSettings};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use testkit::vendor::{Page, Reply, SUMMARY};
use testkit::{PostgresServer, Vendor};
use tokio_util::sync::CancellationToken;
use worker::{Settings, Worker};

/// Unreadable responses, each with its message.
fn bad_answers(vendor: &Vendor) -> Vec<(Reply, &'static str)> {
    let summary = |body: &str| Reply::ok(body.as_bytes());
    let mut invalid =
        br#"{"page": {"id": "p"}, "status": {"indicator": "none"}, "components": []}"#.to_vec();
    invalid[12] = 0xff;
    let other =
        r#"{"status": [{"system": "Apps", "status": "green"}], "incidents": [], "scheduled": []}"#;
    vendor.serve("/api/v4/current-status", summary(other));
    let elsewhere = vendor.url_at("v1.test", "/api/v4/current-status");
    vec![
        (
            Reply::redirect(&elsewhere),
            "it lists none of the components it had",
        ),
        (
            summary("<!DOCTYPE html><html><body>All systems operational</body></html>"),
            "the answer is a web page, not status data",
        ),
        (
            summary(r#"{"status": "ok"}"#),
            "the answer has no known shape",
        ),
        (
            summary(
                r#"{"page": {"id": "p"}, "status": {"indicator": "none"}, "components": [{"id": "api", "na"#,
            ),
            "the answer is no valid JSON",
        ),
        (
            Reply::ok(&[b"[".as_slice(), &vec![b'0'; 30 << 20]].concat()),
            "the answer is larger than 8388608 bytes (8 MiB)",
        ),
        (
            Reply::of("200 OK", "content-encoding: br\r\n", BOMB),
            "the answer is larger than 8388608 bytes (8 MiB)",
        ),
        (
            Reply::redirect("http://169.254.169.254/latest/meta-data/"),
            "169.254.169.254 is a private or reserved address",
        ),
        (
            Reply::redirect("http://unknown.test/"),
            "name does not resolve: unknown.test",
        ),
        (Reply::ok(&invalid), "the answer is no valid text"),
        (summary(other), "it lists none of the components it had"),
        (
            summary(r#"{"page": {"id": "p"}, "status": {"indicator": "none"}, "components": []}"#),
            "it lists no components any more",
        ),
        (summary(""), "the answer is empty"),
        (
            Reply::of("500 Internal Server Error", "", b"oops"),
            "answered 500",
        ),
        (Reply::of("404 Not Found", "", b""), "answered 404"),
        (
            Reply::Whole(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec()),
            "connection broke off",
        ),
        (
            Reply::Whole(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
            "not valid HTTP",
        ),
    ]
}

/// 30 MB of spaces, compressed by Brotli.
const BOMB: &[u8] =
    b"\xcf\xff\xff\x7f\xf8\x25\x40\xe2\xb1\x40\x20\xf7\xfe\x3f\xff\xff\xbf\xf1\x4b\x00\xc4\x61\x01\x80\xee\xfd\x37";

on_each_stage! {
    async fn no_bad_answer_is_an_outage_or_a_recovery(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("operational", "major_outage"));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let (well, ill) = (stage.follower(&row, &["api"]).await, stage.follower(&row, &["web"]).await);
        stage.ask(&row).await;
        for (reply, sentence) in bad_answers(&vendor) {
            vendor.serve(SUMMARY, reply);
            let failed = stage.poll(&row).await;
            let message = failed.message.unwrap();
            assert!(message.contains(sentence), "{message:?} instead of {sentence:?}");
            assert_eq!(failed.failures, 1);
            assert_eq!((stage.state(&well).await.status, stage.state(&ill).await.status), (column::Status::Up, column::Status::Down));
            vendor.shows(&page("operational", "major_outage"));
            let read = stage.poll(&row).await;
            assert_eq!((read.failures, read.message), (0, None));
        }
        let [incident] = stage.incidents(&ill).await.try_into().unwrap();
        assert_eq!((incident.resolved_at, stage.incidents(&well).await), (None, vec![]));
        assert_eq!(stage.timeline(&incident).await.len(), 1);
        let checks = stage.checks(&well).await;
        assert!(checks.iter().all(|check| check.status == column::Status::Up && check.message.is_none()), "{checks:?}");
        let remembered = stage.remembered(&well).await;
        assert_eq!(remembered, [("api".into(), "API".into(), false)], "nothing was taken for gone");
        worker.stop().await;
    }

    async fn odd_but_readable_responses_are_read_literally(stage: Stage) {
        let vendor = Vendor::start().await;
        let odd = r#"{"page": {"id": 7, "name": "V\u0000"}, "status": {"indicator": "none"}, "components": [
            {"id": 1, "name": "One", "status": "operational"}, {"id": "two", "name": "Two", "status": "operational"},
            {"id": "two", "name": "Two", "status": "major_outage"}, {"id": "three", "name": "Three", "status": "wobbly"}],
            "incidents": [{"id": 9, "name": "Trouble\u0000", "status": "identified", "started_at": "2026-03-02T09:00:00", "components": [{"id": 1}],
                "incident_updates": [{"body": "<script>alert(1)</script>\u0000", "display_at": "yesterday"}]}]}"#;
        vendor.serve(SUMMARY, Reply::ok(odd.as_bytes()));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let (one, two, three) =
            (stage.follower(&row, &["1"]).await, stage.follower(&row, &["1", "two"]).await, stage.follower(&row, &["three"]).await);
        stage.ask(&row).await;
        stage.is(&one, Status::Up).await;
        let state = stage.state(&two).await;
        assert_eq!((state.status, state.message.unwrap()), (column::Status::Unknown, "Two: \"operational / major outage\", a status that is not known; Trouble".into()));
        let state = stage.state(&three).await;
        assert_eq!(state.message.unwrap(), "Three: \"wobbly\", a status that is not known");
        let [incident] = stage.vendor_incidents(&row).await.try_into().unwrap();
        assert_eq!((incident.started_at, incident.name.as_str()), (None, "Trouble"));
        assert_eq!(incident.updates[0]["at"], serde_json::Value::Null);
        // The same reading again changes nothing.
        stage.poll(&row).await;
        assert_eq!(stage.vendor_incidents(&row).await[0].updated_at, incident.updated_at);
        worker.stop().await;
    }

    async fn maintenance_ends_no_incident_while_another_component_is_unknown(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("major_outage", "operational"));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let service = stage.follower(&row, &["api", "web"]).await;
        stage.ask(&row).await;
        stage.is(&service, Status::Down).await;
        vendor.shows(&page("wobbly", "under_maintenance"));
        stage.poll(&row).await;
        stage.is(&service, Status::Maintenance).await;
        assert_eq!(stage.incidents(&service).await[0].resolved_at, None, "nobody knows whether the API recovered");
        vendor.shows(&page("operational", "under_maintenance"));
        stage.poll(&row).await;
        eventually("it is over", async || stage.incidents(&service).await[0].resolved_at).await;
        assert_eq!(stage.incidents(&service).await.len(), 1);
        worker.stop().await;
    }

    async fn a_list_that_is_null_ends_nothing(stage: Stage) {
        let vendor = Vendor::start().await;
        let summary = |incidents: &str| {
            let body = format!(
                r#"{{"page": {{"id": "p"}}, "status": {{"indicator": "none"}}, "components": [{{"id": "api", "name": "API", "status": "operational"}}],
                    "incidents": {incidents}, "scheduled_maintenances": []}}"#
            );
            Reply::ok(body.as_bytes())
        };
        vendor.serve(SUMMARY, summary(r#"[{"id": "i", "name": "Trouble", "status": "identified", "components": [{"id": "api"}]}]"#));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        vendor.serve(SUMMARY, summary("null"));
        stage.poll(&row).await;
        assert_eq!(stage.vendor_incidents(&row).await[0].resolved_at, None);
        vendor.serve(SUMMARY, summary("[]"));
        stage.poll(&row).await;
        assert!(stage.vendor_incidents(&row).await[0].resolved_at.is_some());
        worker.stop().await;
    }

    async fn a_page_that_alternates_between_two_shapes_keeps_the_first(stage: Stage) {
        let vendor = Vendor::start().await;
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        vendor.shows(&page("operational", "operational"));
        let service = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        for round in 0..3 {
            let heroku = r#"{"status": [{"system": "Apps", "status": "red"}], "incidents": [], "scheduled": []}"#;
            vendor.serve(SUMMARY, Reply::ok(heroku.as_bytes()));
            stage.poll(&row).await;
            vendor.shows(&page("operational", "operational"));
            stage.poll(&row).await;
            let checks = stage.has_checks(&service, round + 2).await;
            assert!(checks.iter().all(|check| check.status == column::Status::Up));
        }
        assert_eq!(stage.remembered(&service).await, [("api".into(), "API".into(), false)]);
        assert_eq!(worker.stats.pages.detections.load(SeqCst), 0);
        worker.stop().await;
    }

    async fn a_failing_page_is_stale_after_five_minutes_then_unknown(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("operational", "major_outage"));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let (well, ill) = (stage.follower(&row, &["api"]).await, stage.follower(&row, &["web"]).await);
        stage.ask(&row).await;
        vendor.serve(SUMMARY, Reply::of("503 Service Unavailable", "", b""));
        // Four minutes: nothing changes.
        for _ in 0..4 {
            stage.poll(&row).await;
        }
        assert_eq!((stage.checks(&well).await.len(), stage.state(&well).await.message), (1, None));

        // Five: the reading counts, and is shown as stale.
        stage.poll(&row).await;
        let checks = stage.has_checks(&well, 2).await;
        assert_eq!(checks[1].status, column::Status::Unknown, "nothing is known of this time");
        let state = stage.state(&well).await;
        assert_eq!(state.status, column::Status::Up);
        let message = state.message.unwrap();
        assert!(message.starts_with("stale: the vendor page could not be read since 20") && message.ends_with(" UTC: answered 503"), "{message}");
        stage.is_told(&well, |latest| (latest.current.status, latest.current.message.as_ref()) == (Status::Up, Some(&message))).await;
        assert_eq!(stage.is(&ill, Status::Down).await.failing_checks, 1);

        // Fifteen: unknown.
        stage.passes(&row, 540).await;
        let row_then = stage.poll(&row).await;
        assert_eq!(row_then.failures, 6);
        for service in [&well, &ill] {
            let state = stage.is(service, Status::Unknown).await;
            let message = state.message.unwrap();
            assert!(message.starts_with("not checked: the vendor page could not be read since 20"), "{message}");
        }
        let [incident] = stage.incidents(&ill).await.try_into().unwrap();
        assert_eq!((incident.resolved_at, incident.checks_failed), (None, 1), "unknown is no recovery");
        assert_eq!(stage.incidents(&well).await, [], "and no outage");
        // None of it counts as up or down.
        let covered = tally(stage.checks(&well).await.iter().map(sample).skip(1), row.created_at, now(), now());
        assert_eq!(covered.covered_ms(), 0);

        vendor.shows(&page("operational", "operational"));
        stage.poll(&row).await;
        for service in [&well, &ill] {
            let state = stage.is(service, Status::Up).await;
            assert_eq!(state.message, None);
        }
        assert!(stage.incidents(&ill).await[0].resolved_at.is_some());
        assert_eq!(worker.stats.pages.unreachable.load(SeqCst), 6);
        worker.stop().await;
    }

    async fn a_page_that_was_never_read_is_unknown_and_says_why(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.serve(SUMMARY, Reply::of("403 Forbidden", "", b""));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let service = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        let state = eventually("the failure is shown", async || {
            let state = stage.state(&service).await;
            state.message.is_some().then_some(state)
        })
        .await;
        assert_eq!((state.status, state.message.unwrap()), (column::Status::Unknown, "not checked: the vendor page could not be read: answered 403".into()));
        // A new follower gets the same without a fetch.
        let late = stage.follower(&row, &["api"]).await;
        stage.due(&row).await;
        stage.has_checks(&late, 1).await;
        assert_eq!(vendor.requests(), 1);
        worker.stop().await;
    }

    async fn no_page_leads_past_the_guard(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("operational", "operational"));
        let row = stage.page_at(&[vendor.url(SUMMARY)]).await;
        let service = stage.follower(&row, &["api"]).await;
        let shutdown = CancellationToken::new();
        let worker = Worker {
            db: stage.db.clone(),
            writer: stage.writer.clone(),
            live: stage.live.clone(),
            prober: Arc::new(Script::finds(|_, _| up())),
            fetcher: Fetcher::new(FetcherSettings::default()).unwrap(),
            sealer: crate::stage::sealer(),
            settings: Settings::default(),
        };
        let running = tokio::spawn(worker::run(worker, shutdown.clone()));
        let [check] = stage.has_checks(&service, 1).await.try_into().unwrap();
        assert_eq!(check.status, column::Status::Unknown);
        assert!(check.message.unwrap().contains("127.0.0.1 is a private or reserved address"));
        assert_eq!(vendor.requests(), 0);
        shutdown.cancel();
        running.await.unwrap().unwrap();
    }

    async fn a_hundred_renames_and_a_long_list_are_recorded(stage: Stage) {
        let vendor = Vendor::start().await;
        let names: Vec<[String; 2]> = (0..400).map(|i| [format!("c{i}"), format!("Component {i}")]).collect();
        let shown = |prefix: &str| {
            let named: Vec<_> = names.iter().map(|[id, name]| (id.as_str(), format!("{prefix}{name}"), "operational")).collect();
            Page::new("Vendor", &named.iter().map(|(id, name, word)| (*id, name.as_str(), *word)).collect::<Vec<_>>())
        };
        vendor.shows(&shown(""));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let service = stage.follower(&row, &names.iter().take(100).map(|[id, _]| id.as_str()).collect::<Vec<_>>()).await;
        stage.ask(&row).await;
        stage.is(&service, Status::Up).await;
        assert_eq!(stage.components(&row).await.len(), 400);
        vendor.shows(&shown("New "));
        stage.poll(&row).await;
        let remembered = stage.remembered(&service).await;
        assert!(remembered.iter().all(|(_, name, missing)| name.starts_with("New ") && !missing));
        let checks = stage.has_checks(&service, 2).await;
        assert!(checks[1].message.as_deref().unwrap().chars().count() <= 500);
        worker.stop().await;
    }
}

fn sample(check: &check::Model) -> Sample {
    check.sample()
}

#[tokio::test]
async fn a_reading_during_an_outage_is_recorded_after_it() {
    let mut server = PostgresServer::start().await;
    let url = server.create_database().await;
    let db = migration::connect(&url, &migration::Pool::default())
        .await
        .unwrap();
    migration::run(&db).await.unwrap();
    let stage = Stage::on(db, Coordination::memory()).await;
    let vendor = Vendor::start().await;
    vendor.shows(&page("operational", "operational"));
    let worker = stage.worker().await;
    let row = stage.page_of(&vendor).await;
    let service = stage.follower(&row, &["api"]).await;
    stage.ask(&row).await;
    stage.is(&service, Status::Up).await;
    stage.passes(&row, 61).await;
    vendor.serve(SUMMARY, Reply::Silence);
    stage.due(&row).await;
    vendor.was_asked(SUMMARY, 2).await;
    // The response comes while the database is away.
    server.stop().await;
    vendor.shows(&page("major_outage", "operational"));
    let stats = Arc::clone(&worker.stats);
    eventually("it was read", async || {
        (stats.pages.read.load(SeqCst) == 2).then_some(())
    })
    .await;
    server.start_again().await;
    stage.is(&service, Status::Down).await;
    assert_eq!(vendor.requests(), 2);
    worker.stop().await;
}
