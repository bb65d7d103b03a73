#![no_main]
//! Any bytes are an answer or an error, and what an answer says keeps its promises.

use chrono::{DateTime, Utc};
use libfuzzer_sys::fuzz_target;
use vendor_pages::page::{self, Page, Update, following};
use std::collections::HashSet;
use std::sync::LazyLock;
use url::Url;

/// Addresses that say by their end what an empty list is a list of, and one that says nothing.
static ADDRESSES: LazyLock<Vec<Url>> = LazyLock::new(|| {
    [
        "https://a.example/api/v1/components",
        "https://health.a.example/public/currentevents",
        "https://status.a.google.com/incidents.json",
    ]
    .iter()
    .map(|url| url.parse().expect("a valid address"))
    .collect()
});

fuzz_target!(|bytes: &[u8]| {
    let mut readings = Vec::new();
    for address in &*ADDRESSES {
        if let Ok(reading) = page::read(address, bytes) {
            readings.push(reading);
        }
    }
    if let Ok(page) = page::assemble(readings) {
        keeps_its_promises(&page);
    }
});

fn keeps_its_promises(page: &Page) {
    let ids: Vec<&str> = page
        .components
        .iter()
        .map(|component| component.id.as_str())
        .collect();
    unique(&ids);
    unique(
        &page
            .incidents
            .iter()
            .map(|incident| incident.id.as_str())
            .collect::<Vec<_>>(),
    );
    unique(
        &page
            .maintenances
            .iter()
            .map(|work| work.id.as_str())
            .collect::<Vec<_>>(),
    );
    for (place, component) in page.components.iter().enumerate() {
        assert_eq!(component.position as usize, place);
        [&component.id, &component.name, &component.vendor_status]
            .into_iter()
            .chain(&component.group)
            .for_each(|text| line(text));
    }
    for incident in &page.incidents {
        assert!(!(incident.open && incident.resolved_at.is_some()));
        assert!(
            incident
                .resolved_at
                .is_none_or(|end| incident.started_at.is_none_or(|start| start <= end))
        );
        [
            &incident.id,
            &incident.name,
            &incident.status,
            &incident.impact,
        ]
        .into_iter()
        .for_each(|text| line(text));
        link(incident.url.as_ref());
        updates(&incident.updates);
    }
    let now: DateTime<Utc> = DateTime::UNIX_EPOCH;
    for work in &page.maintenances {
        assert!(
            work.scheduled_until
                .is_none_or(|end| work.scheduled_for.is_none_or(|start| start <= end))
        );
        let _ = work.stage_at(now);
        link(work.url.as_ref());
        updates(&work.updates);
    }
    link(page.url.as_ref());
    let followed: Vec<&str> = ids.iter().copied().take(5).collect();
    let _ = following::status(page, followed.iter().copied());
    let _ = following::incidents(page, &followed);
    let _ = following::maintenances(page, &followed, now);
}

fn unique(ids: &[&str]) {
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
}

/// Bounded, without what databases and terminals choke on.
fn line(text: &str) {
    assert!(
        text.chars().count() <= 700 && !text.chars().any(char::is_control),
        "{text:?}"
    );
}

fn link(url: Option<&String>) {
    assert!(
        url.is_none_or(|url| url.starts_with("https://") || url.starts_with("http://")),
        "{url:?}"
    );
}

fn updates(updates: &[Update]) {
    assert!(updates.len() <= 100);
    for update in updates {
        line(&update.status);
        assert!(update.body.chars().count() <= 8_001 && !update.body.contains('\0'));
    }
}
