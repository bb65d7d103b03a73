//! What a page means to those who follow some of its components.

use crate::{fixture, page, page_of};
use domain::Status::{self, Degraded, Down, Maintenance, Unknown, Up};
use vendor_pages::page::following::{
    Followed, incidents, maintenances, status, was_renamed, worst,
};
use vendor_pages::page::{Page, WHOLE};

#[test]
fn the_worst_known_status_counts_and_any_unknown_forbids_up() {
    for (all, expected) in [
        (&[Up, Up] as &[Status], Up),
        (&[Up, Degraded], Degraded),
        (&[Degraded, Down, Up], Down),
        (&[Up, Maintenance], Maintenance),
        (&[Maintenance, Degraded], Degraded),
        (&[Up, Unknown], Unknown),
        (&[Unknown, Down], Down),
        (&[Degraded, Unknown], Degraded),
        (&[Unknown, Maintenance], Maintenance),
        (&[Unknown], Unknown),
        (&[], Unknown),
    ] {
        assert_eq!(worst(all.iter().copied()), expected, "{all:?}");
    }
}

fn touched<'p>(page: &'p Page, ids: &[&str]) -> Vec<&'p str> {
    incidents(page, ids)
        .into_iter()
        .map(|incident| incident.id.as_str())
        .collect()
}

#[test]
fn incidents_touch_by_id_and_only_while_they_are_open() {
    let page = page_of("/api/v2/summary.json", "atlassian-summary.json");
    assert_eq!(touched(&page, &["c-api-eu"]), ["i1"]);
    // Of the same name, and another component.
    assert!(touched(&page, &["c-api-us"]).is_empty());
    // Its incident is over.
    assert!(touched(&page, &["c-web"]).is_empty());
    assert!(touched(&page, &[]).is_empty());
    assert_eq!(status(&page, ["c-web", "c-api-eu", "c-mail"]), Down);
    assert_eq!(status(&page, ["c-web", "c-mail"]), Unknown);
}

#[test]
fn announcements_of_everything_or_of_nothing_are_shown_to_everybody() {
    let json = br#"{"page": {"id": "p"}, "status": {"indicator": "none"},
        "components": [{"id": "a", "name": "A", "status": "operational"}, {"id": "b", "name": "B", "status": "degraded_performance"}],
        "incidents": [{"id": "all", "name": "I", "status": "identified", "components": [{"id": "a"}, {"id": "b"}]},
            {"id": "one", "name": "I", "status": "identified", "components": [{"id": "a"}]}, {"id": "none", "name": "I", "status": "identified"}],
        "scheduled_maintenances": [{"id": "soon", "name": "M", "status": "scheduled", "components": [{"id": "a"}, {"id": "b"}]},
            {"id": "now", "name": "M", "status": "in_progress", "components": [{"id": "a"}, {"id": "b"}]},
            {"id": "past", "name": "M", "status": "completed", "components": [{"id": "a"}]}]}"#;
    let page = page(&[("/api/v2/summary.json", json)]);
    assert_eq!(touched(&page, &["a"]), ["all", "one", "none"]);
    assert_eq!(touched(&page, &["b"]), ["all", "none"]);
    assert_eq!(touched(&page, &["a", "b"]), ["all", "one", "none"]);
    assert_eq!(touched(&page, &["gone"]), ["none"]);
    let now = "2026-03-02T09:00:00Z".parse().unwrap();
    let works = |ids: &[&str]| {
        maintenances(&page, ids, now)
            .into_iter()
            .map(|work| work.id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(works(&["a"]), ["soon", "now"]);
    assert_eq!(works(&["b"]), ["soon", "now"]);
}

#[test]
fn a_rename_is_noticed_and_follows_the_id() {
    let page = page_of("/api/v2/summary.json", "atlassian-summary.json");
    let component = page
        .components
        .iter()
        .find(|component| component.id == "c-api-eu")
        .unwrap();
    let remembered = |name: &str, group: Option<&str>| Followed {
        id: "c-api-eu".into(),
        name: name.into(),
        group: group.map(Into::into),
    };
    assert!(!was_renamed(&remembered("API", Some("Europe")), component));
    assert!(was_renamed(
        &remembered("Interface", Some("Europe")),
        component
    ));
    assert!(was_renamed(&remembered("API", None), component));
}

#[test]
fn what_a_vendor_of_events_alone_does_not_mention_is_up() {
    let page = page_of("/api/v2.0.0/current", "slack-current-active.json");
    assert_eq!(status(&page, ["Huddles"]), Up);
    assert_eq!(status(&page, ["Huddles", "Search"]), Degraded);
    assert_eq!(status(&page, [WHOLE]), Down);
    assert_eq!(touched(&page, &["Messaging"]), ["2002"]);
    assert_eq!(touched(&page, &[WHOLE]), ["2001", "2002", "2003"]);
}

#[test]
fn incidents_without_components_concern_the_page() {
    let mut json = String::from_utf8(fixture("instatus-summary.json")).unwrap();
    json = json.replace("\"components\"", "\"nothing\"");
    let page = page(&[
        ("/summary.json", json.as_bytes()),
        ("/v3/components.json", &fixture("instatus-components.json")),
    ]);
    assert_eq!(page.incidents.len(), 1);
    for id in ["cs", "ca", "cw"] {
        assert_eq!(touched(&page, &[id]), ["ci1"]);
    }
}
