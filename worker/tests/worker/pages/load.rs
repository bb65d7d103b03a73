//! Many users who follow the same pages.

use crate::stage::{Stage, eventually, on_each_stage};
use futures::StreamExt;
use live::Event;
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
    let page = Page::new("Vendor", &[("api", "API", api), ("web", "Website", "operational")]);
    Reply::ok(page.to_string().as_bytes())
}

on_each_stage! {
    async fn a_thousand_services_of_a_hundred_users_on_fifty_pages_are_fifty_fetches_a_cycle(stage: Stage) {
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
            let now = stage.live.now().await.unwrap();
            let begun = Instant::now();
            stage.live.schedule(&pages.iter().map(|page| (page.id, now)).collect::<Vec<_>>()).await.unwrap();
            if cycle == 2 {
                vendor.was_asked(&path(7), 2).await;
                let asked = Instant::now();
                let mut told = HashSet::new();
                while told.len() < services.len() / PAGES {
                    let event = events.next().await.unwrap().unwrap();
                    if let Event::StatusChecked { service_id, changed: true, .. } = &*event {
                        told.insert(*service_id);
                    }
                }
                assert!(asked.elapsed() < Duration::from_secs(1), "{:?} until all subscribers knew", asked.elapsed());
                tracing::info!(subscribers = told.len(), after = ?asked.elapsed(), "a flip reached all");
            }
            eventually("all are judged", async || (recorded.load(SeqCst) == all * cycle as u64).then_some(())).await;
            tracing::info!(cycle, fetches = vendor.requests(), took = ?begun.elapsed(), "all were judged");
            assert_eq!(vendor.requests(), PAGES * cycle);
        }
        assert_eq!(worker.stats.pages.requests.load(SeqCst), 4 * PAGES as u64);
        assert_eq!(stage.incidents(&services[7]).await.len(), 1);
        worker.stop().await;
    }
}
