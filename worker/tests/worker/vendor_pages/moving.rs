//! Pages whose host redirects to another one, and hosts that let only browsers in.

use super::page;
use crate::stage::{Stage, eventually, on_each_stage};
use domain::Status;
use entity::column;
use serde_json::json;
use std::sync::atomic::Ordering::SeqCst;
use testkit::Vendor;
use testkit::vendor::{Page, Reply, SUMMARY};

/// Where the page of `new` answers.
fn there(new: &Vendor) -> String {
    new.url_at("status.moved.test", SUMMARY)
}

on_each_stage! {
    async fn a_page_is_followed_where_a_permanent_redirect_leads(stage: Stage) {
        let (old, new) = (Vendor::start().await, Vendor::start().await);
        old.shows(&page("operational", "operational"));
        let worker = stage.worker().await;
        let row = stage.page_of(&old).await;
        let service = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        stage.is(&service, Status::Up).await;

        new.shows(&page("major_outage", "operational"));
        old.serve(SUMMARY, Reply::redirect(&there(&new)));
        let moved = stage.poll(&row).await;
        stage.is(&service, Status::Down).await;
        assert_eq!(moved.id, row.id);
        assert_eq!((&moved.api_urls, moved.key.as_str()), (&json!([there(&new)]), there(&new).as_str()));
        let asked = old.requests();
        new.shows(&page("operational", "operational"));
        stage.poll(&row).await;
        stage.is(&service, Status::Up).await;
        assert_eq!(old.requests(), asked, "the old host is not asked any more");
        worker.stop().await;
    }

    async fn an_unchanged_page_moves_too(stage: Stage) {
        let (old, new) = (Vendor::start().await, Vendor::start().await);
        let tagged = || Reply::Tagged { etag: "\"v1\"".into(), body: page("operational", "operational").to_string().into_bytes() };
        old.serve(SUMMARY, tagged());
        new.serve(SUMMARY, tagged());
        let worker = stage.worker().await;
        let row = stage.page_of(&old).await;
        stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        old.serve(SUMMARY, Reply::redirect(&there(&new)));
        let moved = stage.poll(&row).await;
        assert_eq!(moved.api_urls, json!([there(&new)]));
        // Its validators are those of the new address.
        stage.poll(&row).await;
        assert_eq!(worker.stats.pages.unchanged.load(SeqCst), 1);
        worker.stop().await;
    }

    async fn a_page_stays_where_a_redirect_is_temporary_or_leads_to_another_vendor(stage: Stage) {
        let (old, new) = (Vendor::start().await, Vendor::start().await);
        old.shows(&page("operational", "operational"));
        let worker = stage.worker().await;
        let row = stage.page_of(&old).await;
        let service = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        stage.is(&service, Status::Up).await;

        // For the moment, it is read elsewhere.
        new.shows(&page("major_outage", "operational"));
        old.serve(SUMMARY, Reply::of("302 Found", &format!("location: {}\r\n", there(&new)), b""));
        let kept = stage.poll(&row).await;
        stage.is(&service, Status::Down).await;
        assert_eq!(kept.api_urls, row.api_urls);

        // The ids are others, and so is the vendor.
        new.shows(&Page::new("Other", &[("x1", "API", "operational")]));
        old.serve(SUMMARY, Reply::redirect(&there(&new)));
        let kept = stage.poll(&row).await;
        assert_eq!(kept.api_urls, row.api_urls);
        assert_eq!(kept.message.as_deref(), Some("it lists none of the components it had"));
        assert_eq!(stage.state(&service).await.status, column::Status::Down);
        worker.stop().await;
    }

    async fn a_page_whose_host_redirects_everything_to_the_root_of_a_new_one_is_found_there(stage: Stage) {
        let (old, new) = (Vendor::start().await, Vendor::start().await);
        old.shows(&page("operational", "operational"));
        let worker = stage.worker().await;
        let row = stage.page_of(&old).await;
        let service = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        stage.is(&service, Status::Up).await;

        new.shows(&page("major_outage", "operational"));
        new.serve("/", Reply::ok(b"<!doctype html><html>All systems"));
        let root = Reply::redirect(&new.url_at("status.moved.test", "/"));
        old.serve(SUMMARY, root.clone());
        old.serve("/", root);
        for _ in 0..2 {
            stage.poll(&row).await;
        }
        stage.passes(&row, 61).await;
        stage.due(&row).await;
        stage.is(&service, Status::Down).await;
        let moved = stage.row(&row).await;
        assert_eq!((moved.id, &moved.api_urls), (row.id, &json!([there(&new)])));
        worker.stop().await;
    }

    async fn followers_join_those_of_a_page_that_is_read_at_the_new_address_already(stage: Stage) {
        let (old, new) = (Vendor::start().await, Vendor::start().await);
        old.shows(&page("operational", "operational"));
        new.shows(&page("operational", "operational"));
        let worker = stage.worker().await;
        let known = stage.page_at(&[there(&new)]).await;
        let theirs = stage.follower(&known, &["web"]).await;
        stage.ask(&known).await;
        stage.is(&theirs, Status::Up).await;
        let row = stage.page_of(&old).await;
        let mine = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        stage.is(&mine, Status::Up).await;
        new.shows(&page("major_outage", "operational"));
        old.serve(SUMMARY, Reply::redirect(&there(&new)));
        stage.passes(&known, 61).await;
        stage.passes(&row, 61).await;
        stage.due(&row).await;
        stage.is(&mine, Status::Down).await;
        eventually("the old page leaves the queue", async || (stage.live.queue_len().await.unwrap() == 1).then_some(())).await;
        worker.stop().await;
    }

    async fn a_page_behind_a_bot_protection_is_not_looked_for_elsewhere(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("operational", "operational"));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        let service = stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        stage.is(&service, Status::Up).await;
        let challenge = b"<!DOCTYPE html><html><title>Just a moment...</title>";
        vendor.serve(SUMMARY, Reply::of("403 Forbidden", "", challenge));
        for _ in 0..4 {
            let row = stage.poll(&row).await;
            assert_eq!(row.message.as_deref(), Some("answered 403 (bot protection: \"Just a moment...\")"));
        }
        assert_eq!((worker.stats.pages.detections.load(SeqCst), vendor.requests()), (0, 5));
        worker.stop().await;
    }

    async fn a_server_that_asks_to_wait_is_not_searched(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.shows(&page("operational", "operational"));
        let worker = stage.worker().await;
        let row = stage.page_of(&vendor).await;
        stage.follower(&row, &["api"]).await;
        stage.ask(&row).await;
        vendor.serve(SUMMARY, Reply::of("403 Forbidden", "retry-after: 600\r\n", b""));
        for failures in 1..=4 {
            stage.passes(&row, 600).await;
            let failed = stage.poll(&row).await;
            assert_eq!(failed.failures, failures);
            let wait = failed.not_before.unwrap() - failed.attempted_at.unwrap();
            assert!((600..602).contains(&wait.num_seconds()), "{wait}");
        }
        assert_eq!((worker.stats.pages.detections.load(SeqCst), vendor.requests()), (0, 5));
        worker.stop().await;
    }
}
