//! Announcements that name no component, or only green ones, and those whose window has ended.

use super::{now, page};
use crate::stage::{Stage, on_each_stage};
use chrono::TimeDelta;
use domain::Status;
use sea_orm::{ActiveModelTrait, Set};
use serde_json::json;
use std::sync::atomic::Ordering::SeqCst;
use testkit::Vendor;
use testkit::vendor::{Page, Reply, SUMMARY};

/// A page with maintenance in this window, in hours from now, always with the same `ETag`.
fn working(page: Page, from: i64, until: i64) -> Page {
    let at = |hours| (now() + TimeDelta::hours(hours)).to_rfc3339();
    page.maintenance("m", "Upgrade", &["api"], &at(from), &at(until))
}

on_each_stage! {
    async fn what_names_nothing_or_only_green_components_is_kept(stage: Stage) {
        let vendor = Vendor::start().await;
        let announced = page("operational", "operational")
            .incident("of-all", "Everything", &["api", "web"])
            .incident("of-none", "Nothing", &[])
            .incident("of-gone", "Gone", &["gone"]);
        vendor.shows(&working(announced, -1, 1));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let service = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        let state = stage.is(&service, Status::Up).await;
        assert_eq!((state.message, stage.incidents(&service).await), (None, vec![]), "no status follows from it");
        let links: Vec<_> =
            stage.vendor_incidents(&row).await.into_iter().map(|row| (row.incident_id, row.component_ids)).collect();
        assert_eq!(
            links,
            [("of-all".into(), json!(["api", "web"])), ("of-gone".into(), json!([])), ("of-none".into(), json!([]))]
        );
        let [work] = stage.maintenances(&row).await.try_into().unwrap();
        assert_eq!(work.component_ids, json!(["api"]), "it is under way, and the component is green");

        // A component fails: what names nothing is mentioned, and what names it is the cause.
        let failing = page("major_outage", "operational").incident("a-of-none", "Nothing", &[]);
        vendor.shows(&failing);
        stage.poll(&row).await;
        let state = stage.is(&service, Status::Down).await;
        let message = "API: major outage; Nothing: https://status.vendor.example/incidents/a-of-none";
        assert_eq!(state.message.as_deref(), Some(message));
        vendor.shows(&failing.incident("of-api", "The API is down", &["api"]));
        stage.poll(&row).await;
        let [incident] = stage.incidents(&service).await.try_into().unwrap();
        let cause = "The API is down: https://status.vendor.example/incidents/of-api";
        assert_eq!(incident.cause.as_deref(), Some(cause));
        worker.stop().await;
    }

    async fn maintenance_whose_window_ended_long_ago_is_not_kept(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&working(page("operational", "operational"), -192, -190));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        assert_eq!(stage.maintenances(&row).await, []);
        // Overdue for an hour.
        vendor.shows(&working(page("operational", "operational"), -3, -1));
        stage.poll(&row).await;
        let [work] = stage.maintenances(&row).await.try_into().unwrap();
        assert_eq!(work.status, "scheduled");
        worker.stop().await;
    }

    async fn overdue_maintenance_goes_although_the_page_says_304(stage: Stage) {
        let vendor = Vendor::start().await;
        let tagged = |page: Page| Reply::Tagged { etag: "\"v1\"".into(), body: page.to_string().into_bytes() };
        vendor.serve(SUMMARY, tagged(working(page("operational", "operational"), -25, -23)));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        let [work] = stage.maintenances(&row).await.try_into().unwrap();
        // Since the last reading, it has been overdue for a day.
        let ended = now() - TimeDelta::hours(24) - TimeDelta::seconds(30);
        let moved = entity::vendor_maintenance::ActiveModel { scheduled_until: Set(Some(ended)), ..work.into() };
        moved.update(&stage.db).await.unwrap();
        vendor.serve(SUMMARY, tagged(working(page("operational", "operational"), -26, -25)));
        stage.poll(&row).await;
        assert_eq!((stage.maintenances(&row).await, worker.stats.pages.unchanged.load(SeqCst)), (vec![], 0));
        worker.stop().await;
    }

    async fn a_page_in_parts_is_read_whole_on_each_poll(stage: Stage) {
        let vendor = Vendor::start().await;
        let part = |number: u32, status: u32| {
            let next = if number == 1 { r#""/api/v1/components?page=2""# } else { "null" };
            let json = format!(
                r#"{{"meta": {{"pagination": {{"total": 2, "current_page": {number}, "links": {{"next_page": {next}}}}}}},
                    "data": [{{"id": {number}, "name": "C{number}", "status": {status}, "group_id": 0}}]}}"#
            );
            Reply::Tagged { etag: "\"v1\"".into(), body: json.into_bytes() }
        };
        vendor.serve("/api/v1/components", part(1, 1));
        vendor.serve("/api/v1/components?page=2", part(2, 1));
        let worker = stage.worker().await;
        let row = stage.page_at(&[vendor.url_at("vendor.test", "/api/v1/components")]).await;
        let service = stage.follower(&row, &["2"]).await;
        stage.ask(&row).await;
        stage.is(&service, Status::Up).await;
        // The first part is unchanged.
        vendor.serve("/api/v1/components?page=2", part(2, 4));
        stage.poll(&row).await;
        stage.is(&service, Status::Down).await;
        worker.stop().await;
    }
}
