//! Readings of pages, and the checks of followers.

use super::page;
use crate::stage::{Stage, eventually, on_each_stage};
use coordination::Event;
use domain::Status;
use entity::column::{self, IncidentType};
use futures::StreamExt;
use serde_json::json;
use std::sync::atomic::Ordering::SeqCst;
use testkit::Vendor;
use testkit::builders::a_user;
use testkit::vendor::{Page, Reply};

const CAUSE: &str = "Elevated errors: https://status.vendor.example/incidents/i1";

on_each_stage! {
    async fn one_fetch_serves_all_followers_within_a_second(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("operational", "operational"));
        let worker = stage.worker().await;
        let (row, other) = (stage.page_of(&vendor).await, a_user(&stage.db).await);
        let mine = stage.follower(&row, &["api", "web"]).await;
        let theirs = stage.follower_of(&other, &row, &["web"]).await;
        stage.due(&row).await;
        stage.is(&mine, Status::Up).await;
        let state = stage.is(&theirs, Status::Up).await;
        assert_eq!((vendor.requests(), state.message), (1, None));
        let [check] = stage.checks(&mine).await.try_into().unwrap();
        assert_eq!((check.interval_seconds, check.status, check.message), (76, column::Status::Up, None));

        let mut events = stage.live.subscribe();
        vendor.shows(&page("major_outage", "operational").incident("i1", "Elevated errors", &["api"]));
        stage.passes(&row, 61).await;
        stage.due(&row).await;
        let current = loop {
            let event = events.next().await.unwrap().unwrap();
            if let Event::StatusChecked { service_id, previous, current, changed: true, .. } = &*event
                && current.status == Status::Down
            {
                assert_eq!((*service_id, *previous), (mine.id, Some(Status::Up)));
                break current.clone();
            }
        };
        assert_eq!(vendor.requests(), 2, "the first reading that shows it is enough");
        assert_eq!(current.status, Status::Down);
        assert_eq!(current.message.unwrap(), format!("API: major outage; {CAUSE}"));
        let [incident] = stage.incidents(&mine).await.try_into().unwrap();
        assert_eq!((incident.incident_type, incident.cause.as_deref(), incident.resolved_at), (IncidentType::Downtime, Some(CAUSE), None));
        assert_eq!(stage.timeline(&incident).await[0].2, format!("went down: API: major outage; {CAUSE}"));
        let checks = stage.has_checks(&theirs, 2).await;
        assert_eq!(checks[1].status, column::Status::Up, "what does not touch it leaves it up");
        let [vendors] = stage.vendor_incidents(&row).await.try_into().unwrap();
        assert_eq!((vendors.name.as_str(), vendors.resolved_at, vendors.component_ids), ("Elevated errors", None, json!(["api"])));
        assert_eq!(vendors.updates[0]["body"], "We are looking into it.");

        vendor.shows(&page("operational", "operational"));
        stage.poll(&row).await;
        stage.is(&mine, Status::Up).await;
        let [incident] = stage.incidents(&mine).await.try_into().unwrap();
        assert!(incident.resolved_at.is_some());
        assert!(stage.vendor_incidents(&row).await[0].resolved_at.is_some(), "what vanished is over");
        assert_eq!((vendor.requests(), worker.stats.pages.requests.load(SeqCst)), (3, 3));
        stage.is_told(&mine, |latest| latest.current.status == Status::Up).await;
        worker.stop().await;
    }

    async fn an_incident_published_later_becomes_the_cause(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("degraded_performance", "operational"));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let service = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        let [incident] = stage.incidents(&service).await.try_into().unwrap();
        assert_eq!((incident.incident_type, incident.cause.as_deref()), (IncidentType::Degraded, Some("API: degraded performance")));

        vendor.shows(&page("partial_outage", "operational").incident("i1", "Elevated errors", &["api"]));
        stage.poll(&row).await;
        stage.is(&service, Status::Down).await;
        // A second incident changes nothing while the first is open.
        vendor.shows(&page("partial_outage", "operational").incident("i1", "Elevated errors", &["api"]).incident("i0", "More", &["api"]));
        stage.poll(&row).await;
        let [incident] = stage.incidents(&service).await.try_into().unwrap();
        assert_eq!((incident.incident_type, incident.cause.as_deref(), incident.checks_failed), (IncidentType::Downtime, Some(CAUSE), 3));
        let kinds: Vec<_> = stage.timeline(&incident).await.into_iter().map(|entry| entry.0).collect();
        assert_eq!(kinds, ["opened", "escalated"], "the cause came with the escalation");

        vendor.shows(&page("partial_outage", "operational").incident("i2", "Another", &["api"]));
        stage.poll(&row).await;
        let [incident] = stage.incidents(&service).await.try_into().unwrap();
        let cause = "Another: https://status.vendor.example/incidents/i2";
        assert_eq!(incident.cause.as_deref(), Some(cause));
        let last = stage.timeline(&incident).await.pop().unwrap();
        assert_eq!((last.0.as_str(), last.2), ("reported", format!("the vendor reports: {cause}")));
        worker.stop().await;
    }

    async fn a_rename_follows_along_and_is_noted(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("operational", "operational"));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let service = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        vendor.shows(&Page::new("Vendor", &[("api", "Core API", "operational"), ("web", "Website", "operational")]));
        stage.poll(&row).await;
        assert_eq!(stage.remembered(&service).await, [("api".into(), "Core API".into(), false)]);
        let checks = stage.checks(&service).await;
        assert_eq!((checks.len(), checks[1].status), (2, column::Status::Up));
        assert_eq!(checks[1].message.as_deref(), Some("the vendor renamed \"API\" to \"Core API\""));
        assert_eq!(stage.components(&row).await[0].name, "Core API");

        vendor.shows(&Page::new("Vendor", &[("api", "Core API", "major_outage"), ("web", "Website", "operational")]));
        stage.poll(&row).await;
        vendor.shows(&Page::new("Vendor", &[("api", "Gateway", "major_outage"), ("web", "Website", "operational")]));
        stage.poll(&row).await;
        let [incident] = stage.incidents(&service).await.try_into().unwrap();
        let last = stage.timeline(&incident).await.pop().unwrap();
        assert_eq!((last.0.as_str(), last.2.as_str()), ("renamed", "the vendor renamed \"Core API\" to \"Gateway\""));
        // Reported once.
        stage.poll(&row).await;
        assert_eq!(stage.timeline(&incident).await.len(), 2);
        worker.stop().await;
    }

    async fn a_removed_component_is_missing_and_unknown(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("operational", "operational"));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let (one, both) = (stage.follower(&row, &["api"]).await, stage.follower(&row, &["api", "web"]).await);
        stage.ask(&row).await;
        let without = |web| Page::new("Vendor", &[("web", "Website", web), ("new", "API", "operational")]);
        vendor.shows(&without("operational"));
        stage.poll(&row).await;
        let sentence = "\"API\" is no longer on the vendor page: choose the components again";
        for service in [&one, &both] {
            let state = stage.is(service, Status::Unknown).await;
            assert_eq!(state.message.as_deref(), Some(sentence));
            assert_eq!(stage.remembered(service).await[0], ("api".into(), "API".into(), true));
            assert_eq!(stage.incidents(service).await, []);
        }
        let [api, ..] = &stage.components(&row).await[..] else { panic!("it is kept, because it is followed") };
        assert_eq!((api.component_id.as_str(), api.missing, api.status), ("api", true, column::Status::Unknown));
        // The other components are still reported.
        vendor.shows(&without("major_outage"));
        stage.poll(&row).await;
        let state = stage.is(&both, Status::Down).await;
        assert_eq!(state.message.unwrap(), format!("Website: major outage; {sentence}"));
        assert_eq!(stage.state(&one).await.status, column::Status::Unknown);

        vendor.shows(&page("operational", "operational"));
        stage.poll(&row).await;
        for service in [&one, &both] {
            stage.is(service, Status::Up).await;
            assert_eq!(stage.remembered(service).await[0], ("api".into(), "API".into(), false));
        }
        let ids: Vec<_> = stage.components(&row).await.into_iter().map(|row| (row.component_id, row.missing)).collect();
        assert_eq!(ids, [("api".into(), false), ("web".into(), false)], "what nobody follows is not kept");
        worker.stop().await;
    }

    async fn notices_are_linked_to_what_they_affect_and_end(stage: Stage) {
        let vendor = Vendor::start().await;
        let (from, until) = ("2126-01-01T00:00:00Z", "2126-01-01T02:00:00Z");
        let announced = page("operational", "under_maintenance")
            .incident("of-all", "Everything", &["api", "web"])
            .incident("of-none", "Nothing", &[])
            .maintenance("of-all", "Upgrade", &["api", "web"], from, until)
            .maintenance("past", "Done", &["web"], "2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z");
        vendor.shows(&announced);
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let (api, web) = (stage.follower(&row, &["api"]).await, stage.follower(&row, &["web"]).await);
        stage.ask(&row).await;
        stage.is(&api, Status::Up).await;
        let state = stage.is(&web, Status::Maintenance).await;
        assert_eq!(state.message.unwrap(), "Website: under maintenance; Everything: https://status.vendor.example/incidents/of-all");
        let links = |rows: Vec<entity::vendor_incident::Model>| -> Vec<_> {
            rows.into_iter().map(|row| (row.incident_id, row.component_ids)).collect()
        };
        let incidents = links(stage.vendor_incidents(&row).await);
        assert_eq!(incidents, [("of-all".into(), json!(["api", "web"])), ("of-none".into(), json!([]))]);
        let works: Vec<_> =
            stage.maintenances(&row).await.into_iter().map(|row| (row.maintenance_id, row.component_ids)).collect();
        // The vendor still calls the other one "scheduled", long after its window.
        assert_eq!(works, [("of-all".into(), json!(["api", "web"]))]);

        vendor.shows(&page("degraded_performance", "operational").incident("of-all", "Everything", &["api", "web"]));
        stage.poll(&row).await;
        let incidents = links(stage.vendor_incidents(&row).await);
        assert_eq!(incidents[0], ("of-all".into(), json!(["api", "web"])), "whatever their statuses are");
        assert_eq!(stage.maintenances(&row).await, []);
        worker.stop().await;
    }

    async fn components_that_an_event_list_does_not_mention_are_up(stage: Stage) {
        let vendor = Vendor::start().await;
        let path = "/api/v2.0.0/current";
        let active = r#"{"status": "active", "active_incidents": [{"id": 1, "title": "Trouble with files", "type": "incident",
            "status": "active", "url": "https://vendor.test/i/1", "services": ["Files"], "notes": []}]}"#;
        vendor.serve(path, Reply::ok(active.as_bytes()));
        let worker = stage.worker().await;
        let row = stage.page_at(&[vendor.url_at("vendor.test", path)]).await;
        let (files, calls) = (stage.follower(&row, &["Files"]).await, stage.follower(&row, &["Calls"]).await);
        stage.ask(&row).await;
        let state = stage.is(&calls, Status::Up).await;
        assert_eq!(state.message, None);
        assert_ne!(stage.state(&files).await.status, column::Status::Up);
        vendor.serve(path, Reply::ok(br#"{"status": "ok", "active_incidents": []}"#));
        stage.poll(&row).await;
        stage.is(&files, Status::Up).await;
        assert_eq!(stage.remembered(&files).await, [("Files".into(), "Files".into(), false)]);
        let rows = stage.components(&row).await;
        let files = rows.iter().find(|row| row.component_id == "Files").unwrap();
        assert_eq!((files.status, files.missing), (column::Status::Up, false), "it is still shown");
        // The same for a new follower, without a fetch.
        let late = stage.follower(&row, &["Search"]).await;
        stage.due(&row).await;
        stage.is(&late, Status::Up).await;
        assert_eq!(vendor.asked(path), 2);
        worker.stop().await;
    }

    async fn a_page_with_two_addresses_is_put_together_of_both(stage: Stage) {
        let vendor = Vendor::start().await;
        let components = |status: u8| {
            Reply::Tagged {
                etag: format!("\"c{status}\""),
                body: format!(
                    r#"{{"meta": {{"pagination": {{"total": 1, "count": 1}}}}, "data": [{{"id": 1, "name": "API", "status": {status}, "group_id": 0}}]}}"#
                )
                .into_bytes(),
            }
        };
        vendor.serve("/api/v1/components", components(1));
        let incidents = r#"{"meta": {"pagination": {"total": 1, "count": 1}}, "data": [{"id": 5, "component_id": 1, "name": "Slow",
            "status": 2, "message": "x", "created_at": "2026-11-22 08:00:00", "updated_at": "2026-11-22 08:00:00"}]}"#;
        vendor.serve("/api/v1/incidents", Reply::Tagged { etag: "\"i\"".into(), body: incidents.into() });
        let worker = stage.worker().await;
        let urls = ["/api/v1/components", "/api/v1/incidents"].map(|path| vendor.url_at("vendor.test", path));
        let row = stage.page_at(&urls).await;
        let service = stage.follower(&row, &["1"]).await;
        stage.ask(&row).await;
        stage.is(&service, Status::Up).await;
        assert_eq!(stage.vendor_incidents(&row).await.len(), 1);

        // One address has something new and the other answers 304.
        vendor.serve("/api/v1/components", components(4));
        stage.poll(&row).await;
        stage.is(&service, Status::Down).await;
        assert!(vendor.heads("/api/v1/incidents")[1].contains("if-none-match: \"i\""));
        assert_eq!(stage.vendor_incidents(&row).await[0].resolved_at, None, "an incident missing from a partial answer stays open");

        // One address fails: nothing is assembled, and nothing is missing.
        vendor.serve("/api/v1/incidents", Reply::of("503 Service Unavailable", "", b""));
        vendor.serve("/api/v1/components", components(1));
        let row = stage.poll(&row).await;
        assert_eq!(row.message, Some(format!("{}: answered 503", urls[1])));
        assert_eq!(stage.state(&service).await.status, column::Status::Down);
        assert_eq!(stage.vendor_incidents(&row).await[0].resolved_at, None);
        worker.stop().await;
    }

    async fn changed_components_count_at_once_without_a_fetch(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("operational", "major_outage"));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let first = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        stage.is(&first, Status::Up).await;
        let second = stage.follower(&row, &["web"]).await;
        stage.due(&row).await;
        let state = stage.is(&second, Status::Down).await;
        assert_eq!(state.message.as_deref(), Some("Website: major outage"));
        // A requested check is made.
        let checks = stage.has_checks(&first, 2).await;
        assert_eq!(checks[1].status, column::Status::Up);
        eventually("the page is due when it may be asked again", async || {
            let wait = stage.next_due().await? - stage.live.now().await.unwrap();
            (50..67).contains(&wait.num_seconds()).then_some(())
        })
        .await;
        assert_eq!(vendor.requests(), 1);
        worker.stop().await;
    }
}
