//! Many users who follow the same pages.

use crate::stage::{Stage, eventually, on_each_stage};
use coordination::Event;
use domain::Status;
use futures::StreamExt;
use std::collections::HashSet;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};
use testkit::Vendor;
use testkit::builders::a_user;
use testkit::vendor::{Page, Reply};

const USERS: usize = 100;
const EACH: usize = 10;
const PAGES: usize = 50;

fn shown(api: &str) -> Reply {
    let page = Page::new(
        "Vendor",
        &[("api", "API", api), ("web", "Website", "operational")],
    );
    Reply::ok(page.to_string().as_bytes())
}

on_each_stage! {
    async fn a_thousand_followers_of_fifty_pages_are_fifty_fetches(stage: Stage) {
        let vendor = Vendor::start().await;
        let path = |i: usize| format!("/{i}/api/v2/summary.json");
        let mut pages = Vec::new();
        for i in 0..PAGES {
            vendor.serve(&path(i), shown("operational"));
            pages.push(stage.page_at(&[vendor.url_at(&format!("v{i}.test"), &path(i))]).await);
        }
        let mut services = Vec::new();
        for user in 0..USERS {
            let owner = a_user(&stage.db).await;
            for i in 0..EACH {
                let page = &pages[(user * EACH + i) % PAGES];
                services.push(stage.follower_of(&owner, page, &["api", "web"]).await);
            }
        }
        stage.services_are_new().await;
        let worker = stage.worker().await;
        let recorded = &worker.stats.recorded;
        let all = services.len() as u64;
        assert_eq!(all, 1000);
        eventually("all are judged", async || (recorded.load(SeqCst) == all).then_some(())).await;
        assert_eq!(vendor.requests(), PAGES, "the first cycle");

        let mut events = stage.live.subscribe();
        vendor.serve(&path(7), shown("major_outage"));
        for cycle in 2..5_usize {
            for page in &pages {
                stage.passes(page, 61).await;
            }
            let begun = Instant::now();
            stage.all_due(&pages).await;
            if cycle == 2 {
                let mut notified = HashSet::new();
                while notified.len() < services.len() / PAGES {
                    let event = events.next().await.unwrap().unwrap();
                    if let Event::StatusChecked { service_id, current, changed: true, .. } = &*event
                        && current.status == Status::Down
                    {
                        notified.insert(*service_id);
                    }
                }
                let after = vendor.last_asked(&path(7)).unwrap().elapsed();
                assert!(after < Duration::from_secs(1), "{after:?} until all subscribers knew");
                tracing::info!(subscribers = notified.len(), ?after, "a flip reached all");
            }
            eventually("all are judged", async || (recorded.load(SeqCst) == all * cycle as u64).then_some(())).await;
            tracing::info!(cycle, fetches = vendor.requests(), took = ?begun.elapsed(), "all were judged");
            assert_eq!(vendor.requests(), PAGES * cycle);
        }
        assert_eq!(worker.stats.pages.requests.load(SeqCst), 4 * PAGES as u64);
        assert_eq!(stage.incidents(&services[7]).await.len(), 1);
        worker.stop().await;
    }

    async fn more_followers_than_one_transaction_takes_are_all_checked(stage: Stage) {
        let vendor = Vendor::start().await;
        vendor.serve("/", shown("operational"));
        let page = stage.page_at(&[vendor.url_at("v0.test", "/")]).await;
        let mut services = Vec::new();
        for _ in 0..1010 {
            services.push(stage.follower(&page, &["api"]).await);
        }
        stage.services_are_new().await;
        let worker = stage.worker().await;
        let recorded = &worker.stats.recorded;
        eventually("all are judged", async || (recorded.load(SeqCst) == 1010).then_some(())).await;
        let renamed = Page::new("Vendor", &[("api", "Gateway", "major_outage"), ("web", "Website", "operational")]);
        vendor.serve("/", Reply::ok(renamed.to_string().as_bytes()));
        stage.poll(&page).await;
        eventually("all are judged", async || (recorded.load(SeqCst) == 2020).then_some(())).await;
        for service in [&services[0], &services[499], &services[500], &services[1009]] {
            assert_eq!(stage.state(service).await.status, entity::column::Status::Down);
            assert_eq!(stage.remembered(service).await[0].1, "Gateway");
            let [incident] = stage.incidents(service).await.try_into().unwrap();
            assert_eq!(stage.timeline(&incident).await.len(), 2, "opened, and the rename");
        }
        assert_eq!(vendor.requests(), 2);
        worker.stop().await;
    }
}
