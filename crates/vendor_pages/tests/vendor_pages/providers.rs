//! Each provider's answers, with an incident and maintenance.

use crate::{components, fixture, named, page, page_of};
use chrono::{DateTime, Utc};
use domain::Status::{Degraded, Down, Maintenance, Unknown, Up};
use vendor_pages::page::{Identity, Incident, ListCoverage, Page, Stage, WHOLE};

fn at(text: &str) -> Option<DateTime<Utc>> {
    Some(text.parse().unwrap())
}

fn linked(incident: &Incident) -> Vec<&str> {
    incident.component_ids.iter().map(String::as_str).collect()
}

fn open(page: &Page) -> Vec<&str> {
    page.incidents
        .iter()
        .filter(|incident| incident.open)
        .map(|incident| incident.name.as_str())
        .collect()
}

#[test]
fn atlassian() {
    let page = page_of("/api/v2/summary.json", "atlassian-summary.json");
    assert_eq!(
        (page.provider, page.name.as_deref()),
        ("Atlassian Statuspage", Some("Harbour Cloud"))
    );
    assert_eq!(page.url.as_deref(), Some("https://status.harbour.example/"));
    assert_eq!(
        components(&page),
        named(&[
            ("Europe > Database", Maintenance),
            ("Europe > API", Down),
            // A group that dangles is none; a word that is new is unknown, and so is one that is absent.
            ("API", Up),
            ("Website", Up),
            ("Bare", Unknown),
            ("Mail", Unknown),
        ])
    );
    assert_eq!(
        page.components
            .iter()
            .map(|component| component.position)
            .collect::<Vec<_>>(),
        [0, 1, 2, 3, 4, 5]
    );
    assert_eq!(page.components[5].vendor_status, "slightly_sad");
    let [incident, past] = &page.incidents[..] else {
        panic!("{:?}", page.incidents)
    };
    assert_eq!(
        (
            incident.status.as_str(),
            incident.impact.as_str(),
            incident.open
        ),
        ("monitoring", "major", true)
    );
    // It was reopened: it has ended once, and goes on.
    assert_eq!(
        (incident.started_at, incident.resolved_at),
        (at("2026-03-02T08:00:00Z"), None)
    );
    assert_eq!(linked(incident), ["c-api-eu"]);
    assert_eq!(
        incident
            .updates
            .iter()
            .map(|update| update.body.as_str())
            .collect::<Vec<_>>(),
        ["Fixed, we think.", "We are looking."]
    );
    // It ended before it started, as what is written down afterwards may.
    assert_eq!(
        (past.started_at, past.resolved_at),
        (at("2026-03-01T11:00:00Z"), at("2026-03-01T11:00:00Z"))
    );
    assert_eq!(linked(past), ["c-web"]);
    let [work] = &page.maintenances[..] else {
        panic!("{:?}", page.maintenances)
    };
    assert_eq!(
        (work.stage, work.scheduled_for, work.scheduled_until),
        (
            Some(Stage::InProgress),
            at("2026-03-02T07:00:00Z"),
            at("2026-03-02T11:00:00Z")
        )
    );
    assert_eq!(work.component_ids, ["c-db-eu"]);
}

#[test]
fn incident_io() {
    let page = page_of("/proxy/status.quill.example", "incidentio-proxy.json");
    assert_eq!(
        (page.provider, page.name.as_deref()),
        ("incident.io", Some("Quill"))
    );
    assert_eq!(
        components(&page),
        named(&[
            ("Apps > Editor", Up),
            ("Apps > Sync", Down),
            ("Billing", Maintenance)
        ])
    );
    assert_eq!(page.components[1].vendor_status, "full_outage");
    let [incident] = &page.incidents[..] else {
        panic!("{:?}", page.incidents)
    };
    assert_eq!(
        (linked(incident), incident.open, incident.resolved_at),
        (vec!["01B"], true, None)
    );
    assert_eq!(
        incident.url.as_deref(),
        Some("https://status.quill.example/incidents/01I")
    );
    assert_eq!(incident.updates[0].body, "A disk is full.");
    let [work] = &page.maintenances[..] else {
        panic!("{:?}", page.maintenances)
    };
    assert_eq!(
        (work.stage, work.scheduled_for, work.scheduled_until),
        (
            Some(Stage::InProgress),
            at("2026-03-02T08:00:00Z"),
            at("2026-03-02T11:00:00Z")
        )
    );
    assert_eq!(work.component_ids, ["01C"]);
}

#[test]
fn instatus() {
    let (summary, list) = (
        fixture("instatus-summary.json"),
        fixture("instatus-components.json"),
    );
    let page = page(&[("/summary.json", &summary), ("/v3/components.json", &list)]);
    assert_eq!(
        (page.provider, page.name.as_deref()),
        ("Instatus", Some("Pebble"))
    );
    assert_eq!(
        components(&page),
        named(&[
            ("Website", Maintenance),
            ("Platform > API", Degraded),
            ("Platform > Search", Down)
        ])
    );
    let [incident] = &page.incidents[..] else {
        panic!("{:?}", page.incidents)
    };
    assert_eq!(
        (linked(incident), incident.open, incident.started_at),
        (vec!["cs"], true, at("2026-03-02T09:00:00Z"))
    );
    let windows: Vec<_> = page
        .maintenances
        .iter()
        .map(|work| (work.stage, work.scheduled_until))
        .collect();
    assert_eq!(
        windows,
        [
            (Some(Stage::Scheduled), at("2026-03-03T02:30:00Z")),
            (Some(Stage::InProgress), at("2026-03-02T11:00:00Z"))
        ]
    );
}

#[test]
fn better_stack() {
    let page = page_of("/index.json", "betterstack-index.json");
    assert_eq!(
        (page.provider, page.name.as_deref()),
        ("Better Stack", Some("Lumen"))
    );
    assert_eq!(
        components(&page),
        named(&[
            ("Core > Web", Up),
            ("Core > API", Down),
            ("Extras > Docs", Maintenance),
            ("Extras > Uploads", Unknown)
        ])
    );
    assert_eq!(open(&page), ["API is down"]);
    assert_eq!(linked(&page.incidents[0]), ["21"]);
    assert_eq!(
        page.incidents[0]
            .updates
            .iter()
            .map(|update| update.body.as_str())
            .collect::<Vec<_>>(),
        ["We found it.", "We are looking."]
    );
    let [work] = &page.maintenances[..] else {
        panic!("{:?}", page.maintenances)
    };
    // Only its window says how far it is.
    let stages = [
        "2026-03-02T07:59:59Z",
        "2026-03-02T08:00:00Z",
        "2026-03-02T12:00:00Z",
    ]
    .map(|now| work.stage_at(now.parse().unwrap()));
    assert_eq!(
        stages,
        [Stage::Scheduled, Stage::InProgress, Stage::Completed]
    );
}

#[test]
fn status_io() {
    let page = page_of(
        "/1.0/status/5b36dc6502d06804c08349f7",
        "statusio-status.json",
    );
    assert_eq!(page.provider, "Status.io");
    // A matter of security says nothing about whether it works.
    assert_eq!(
        components(&page),
        named(&[
            ("Registry", Down),
            ("Builds", Maintenance),
            ("Sign-in", Unknown),
            ("Website", Up),
            ("Search", Degraded)
        ])
    );
    let [incident] = &page.incidents[..] else {
        panic!("{:?}", page.incidents)
    };
    assert_eq!(
        (linked(incident), incident.open, incident.status.as_str()),
        (vec!["s1"], true, "identified")
    );
    assert_eq!(incident.updates[0].body, "Found it.");
    let works: Vec<_> = page
        .maintenances
        .iter()
        .map(|work| (work.name.as_str(), work.stage, work.scheduled_for))
        .collect();
    assert_eq!(
        works,
        [
            (
                "Build hosts",
                Some(Stage::InProgress),
                at("2026-03-02T08:00:00Z")
            ),
            (
                "Website move",
                Some(Stage::Scheduled),
                at("2026-04-02T08:00:00Z")
            )
        ]
    );
}

#[test]
fn statuspal() {
    let page = page_of(
        "/api/v2/status_pages/alpine/summary",
        "statuspal-summary.json",
    );
    assert_eq!(
        (page.provider, page.url.as_deref()),
        ("Statuspal", Some("https://alpine.example/"))
    );
    assert_eq!(
        components(&page),
        named(&[
            ("Zone A > Compute", Down),
            ("Zone A / Storage > Block", Maintenance),
            ("Zone A / Storage > Objects", Up),
            ("Portal", Unknown),
            ("Silent", Unknown),
        ])
    );
    assert_eq!(page.components[0].id, "2");
    let [incident] = &page.incidents[..] else {
        panic!("{:?}", page.incidents)
    };
    assert_eq!(
        (linked(incident), incident.open, incident.started_at),
        (vec!["1", "2"], true, at("2026-03-02T08:00:00Z"))
    );
    assert_eq!(
        (incident.status.as_str(), incident.updates[0].body.as_str()),
        ("monitoring", "Back soon.")
    );
    assert_eq!(page.maintenances.len(), 2);
    assert_eq!(
        page.maintenances[0].stage_at("2026-03-02T08:00:00Z".parse().unwrap()),
        Stage::InProgress
    );
}

#[test]
fn cachet_2() {
    let files = [
        "cachet2-components.json",
        "cachet2-incidents.json",
        "cachet2-schedules.json",
    ]
    .map(fixture);
    let page = page(&[
        ("/api/v1/components", &files[0]),
        ("/api/v1/incidents", &files[1]),
        ("/api/v1/schedules", &files[2]),
    ]);
    assert_eq!(page.provider, "Cachet 2");
    assert_eq!(
        components(&page),
        named(&[
            ("API", Down),
            ("Docs", Up),
            ("Search", Degraded),
            ("Odd", Unknown)
        ])
    );
    assert_eq!(page.components[0].vendor_status, "Major Outage");
    assert_eq!(open(&page), ["API is out"]);
    // Its time has no zone, so nobody knows when it was.
    assert_eq!(
        (linked(&page.incidents[0]), page.incidents[0].started_at),
        (vec!["1"], None)
    );
    assert_eq!(page.incidents[1].resolved_at, at("2026-03-01T09:00:00Z"));
    assert_eq!(
        (
            page.maintenances[0].stage,
            &page.maintenances[0].component_ids
        ),
        (Some(Stage::Scheduled), &vec!["1".to_owned()])
    );
}

#[test]
fn cachet_3() {
    let files = [
        "cachet3-components.json",
        "cachet3-incidents.json",
        "cachet3-schedules.json",
    ]
    .map(fixture);
    let page = page(&[
        ("/api/components", &files[0]),
        ("/api/incidents", &files[1]),
        ("/api/schedules", &files[2]),
    ]);
    assert_eq!(page.provider, "Cachet 3");
    assert_eq!(
        components(&page),
        named(&[
            ("Core > API", Down),
            ("Docs", Maintenance),
            ("Blog", Unknown)
        ])
    );
    assert_eq!(open(&page), ["Half of the API"]);
    assert_eq!(
        (linked(&page.incidents[0]), page.incidents[0].started_at),
        (vec!["1"], at("2026-03-02T08:00:00Z"))
    );
    assert_eq!(
        page.incidents[0].url.as_deref(),
        Some("https://status.vendor.example/incidents/0a1b")
    );
    assert_eq!(
        (
            page.maintenances[0].stage,
            &page.maintenances[0].component_ids
        ),
        (Some(Stage::InProgress), &vec!["2".to_owned()])
    );
}

#[test]
fn empty_lists_of_cachet_are_told_apart_by_their_address() {
    let empty = br#"{"meta": {"pagination": {"total": 0, "count": 0}}, "data": []}"#;
    let list = fixture("cachet2-components.json");
    let page = page(&[
        ("/api/v1/components?per_page=1000", &list),
        ("/api/v1/incidents?sort=id", empty),
    ]);
    assert_eq!((page.components.len(), page.incidents.len()), (4, 0));
    assert!(crate::read("https://a.example/api/v1/whatever", empty).is_err());
}

#[test]
fn slack() {
    let page = page_of("/api/v2.0.0/current", "slack-current-active.json");
    assert_eq!(
        (page.provider, page.identity, page.listing),
        ("Slack", Identity::Name, ListCoverage::Mentioned)
    );
    // The worst of what touches a feature counts; an announcement is no matter of health.
    assert_eq!(
        components(&page),
        named(&[
            ("Slack", Down),
            ("Calls", Up),
            ("Files", Down),
            ("Messaging", Down),
            ("Search", Degraded)
        ])
    );
    assert_eq!(linked(&page.incidents[0]), ["Files", "Search", WHOLE]);
    assert_eq!(page.incidents[0].started_at, at("2026-03-02T16:00:00Z"));
    assert_eq!(
        page.incidents[0]
            .updates
            .iter()
            .map(|update| update.body.as_str())
            .collect::<Vec<_>>(),
        ["We're on it.", "We see it."]
    );
}

#[test]
fn slack_at_work() {
    let page = page_of("/api/v2.0.0/current", "slack-current-maintenance.json");
    // What is only announced changes nothing yet, and how far the work on files is, nobody can tell.
    assert_eq!(
        components(&page),
        named(&[
            ("Slack", Degraded),
            ("Calls", Up),
            ("Files", Unknown),
            ("Messaging", Degraded),
            ("Search", Maintenance)
        ])
    );
    assert_eq!(open(&page), ["Messages are late"]);
    let works: Vec<_> = page
        .maintenances
        .iter()
        .map(|work| (work.id.as_str(), work.stage))
        .collect();
    assert_eq!(
        works,
        [
            ("2010", Some(Stage::InProgress)),
            ("2011", Some(Stage::Scheduled)),
            ("2013", None)
        ]
    );
    let work = &page.maintenances[0];
    assert_eq!(
        (work.name.as_str(), work.scheduled_for, work.scheduled_until),
        ("Search is rebuilt", None, None)
    );
    assert_eq!(
        (&work.component_ids[..], work.updates[0].body.as_str()),
        (&["Search", WHOLE].map(String::from)[..], "We began.")
    );
}

#[test]
fn google() {
    let page = page_of("/incidents.json", "google-incidents-open.json");
    assert_eq!(
        (page.provider, page.listing),
        ("Google", ListCoverage::Mentioned)
    );
    assert_eq!(
        components(&page),
        named(&[
            ("Google", Down),
            ("BigQuery", Down),
            ("Cloud Run", Up),
            ("Cloud Storage", Down),
            ("Pub/Sub", Up)
        ])
    );
    assert_eq!(
        open(&page),
        ["Storage in Europe fails", "A word about Pub/Sub"]
    );
    assert_eq!(linked(&page.incidents[0]), [WHOLE, "p-bq", "p-gcs"]);
    assert_eq!(
        page.incidents[0].url.as_deref(),
        Some("https://status.vendor.example/incidents/g1")
    );
    assert_eq!(page.incidents[0].updates[0].body, "Found.");
    assert_eq!(page.incidents[2].resolved_at, at("2026-02-01T08:00:00Z"));
}

#[test]
fn aws_in_either_utf_16() {
    let text = String::from_utf8(fixture("aws-currentevents.json")).unwrap();
    let big: Vec<u8> = [0xfe, 0xff]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_be_bytes))
        .collect();
    let little: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let page = page(&[("/public/currentevents", &big)]);
    assert_eq!(page, crate::page(&[("/public/currentevents", &little)]));
    assert_eq!(
        (page.provider, page.listing),
        ("AWS", ListCoverage::Mentioned)
    );
    assert_eq!(
        components(&page),
        named(&[
            ("AWS, any service in any region", Down),
            ("Nowhere > Amazon S3", Degraded),
            ("Nowhere > AWS Lambda", Degraded),
            // Named by two events: the worse one counts. It belongs to no region.
            ("Amazon Route 53", Down),
            ("Elsewhere > Multiple services", Down),
        ])
    );
    assert_eq!(page.incidents[0].name, "Amazon S3: Nowhere: Slow requests");
    assert_eq!(page.incidents[0].started_at, at("2026-03-02T08:00:00Z"));
    assert_eq!(
        linked(&page.incidents[0]),
        [WHOLE, "lambda-eu-west-9", "route53", "s3-eu-west-9"]
    );
    assert_eq!(page.incidents[0].updates[0].body, "We found it.");
}

#[test]
fn nothing_going_on_at_aws_is_good_news() {
    let page = page(&[("/public/currentevents", b"\xfe\xff\0[\0]")]);
    assert_eq!(
        components(&page),
        named(&[("AWS, any service in any region", Up)])
    );
}

#[test]
fn azure() {
    let page = page_of("/en-us/status/feed/", "azure-feed-incident.xml");
    assert_eq!(
        (page.provider, page.listing),
        ("Azure", ListCoverage::Mentioned)
    );
    assert_eq!(components(&page), named(&[("Microsoft Azure", Degraded)]));
    let [incident] = &page.incidents[..] else {
        panic!("{:?}", page.incidents)
    };
    assert_eq!(
        (incident.id.as_str(), incident.name.as_str()),
        ("azure-1", "Active - Storage & Compute - West Europe")
    );
    assert_eq!(
        (incident.started_at, linked(incident)),
        (at("2026-03-02T08:30:00Z"), vec![WHOLE])
    );
    assert_eq!(
        incident.updates[0].body,
        "Impact Statement: Some requests fail."
    );
    let page = page_of("/en-us/status/feed/", "azure-feed-healthy.xml");
    assert_eq!(
        (components(&page), page.incidents.len()),
        (named(&[("Microsoft Azure", Up)]), 0)
    );
}

#[test]
fn status_iq() {
    let page = page_of("/rss", "statusiq-feed.xml");
    assert_eq!(
        (page.provider, page.name.as_deref(), page.identity),
        ("StatusIQ", Some("Library"), Identity::Name)
    );
    assert_eq!(
        components(&page),
        named(&[
            ("Catalogue", Down),
            ("Loans", Maintenance),
            ("Inter - Library - Loans", Up),
            ("Reading room", Unknown)
        ])
    );
}

#[test]
fn heroku() {
    let page = page_of("/api/v4/current-status", "heroku-current-status.json");
    assert_eq!((page.provider, page.identity), ("Heroku", Identity::Name));
    assert_eq!(
        components(&page),
        named(&[
            ("Apps", Down),
            ("Data", Degraded),
            ("Tools", Up),
            ("New", Unknown)
        ])
    );
    assert_eq!(
        (open(&page), linked(&page.incidents[0])),
        (vec!["Apps do not start"], vec!["Apps"])
    );
    assert_eq!(
        (
            page.maintenances[0].stage,
            page.maintenances[0].scheduled_for
        ),
        (Some(Stage::Scheduled), at("2026-04-02T08:00:00Z"))
    );
}

#[test]
fn an_envelope_is_opened() {
    let inner = String::from_utf8(fixture("atlassian-summary.json")).unwrap();
    let bare = page_of("/api/v2/summary.json", "atlassian-summary.json");
    for key in ["data", "result"] {
        let wrapped = format!("{{\"success\": true, \"{key}\": {inner}}}");
        assert_eq!(page(&[("/api/v2/summary.json", wrapped.as_bytes())]), bare);
    }
}

#[test]
fn components_come_from_their_own_list_where_a_summary_is_cut_short() {
    let summary = br#"{"page": {"id": "p", "name": "Short"}, "components": [{"id": "a", "name": "A", "status": "operational"}],
        "incidents": [{"id": "i", "name": "I", "status": "investigating", "components": [{"id": "b"}]}], "scheduled_maintenances": [], "status": {"indicator": "none"}}"#;
    let list = br#"{"page": {"id": "p", "name": "Short"}, "components": [{"id": "b", "name": "B", "status": "major_outage"}, {"id": "a", "name": "A", "status": "degraded_performance"}]}"#;
    let page = page(&[
        ("/api/v2/summary.json", summary),
        ("/api/v2/components.json", list),
    ]);
    assert_eq!(components(&page), named(&[("B", Down), ("A", Degraded)]));
    assert_eq!(page.incidents.len(), 1);
}
