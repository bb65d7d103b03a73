//! Recorded answers of real pages.

use crate::{fixture, read};
use domain::Status;
use std::collections::BTreeMap;
use vendor_pages::page::following::{incidents, maintenances, status};
use vendor_pages::page::{self, Page, WHOLE};

fn page(url: &str, file: &str) -> Page {
    let reading = read(url, &fixture(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    page::assemble(vec![reading]).unwrap()
}

/// How many components have each of the vendor's words, but for those that are up.
fn troubled(page: &Page) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for component in page
        .components
        .iter()
        .filter(|component| component.status != Status::Up)
    {
        *counts.entry(component.vendor_status.as_str()).or_default() += 1;
    }
    counts
}

/// One line of the manifest: leaves, groups with members, words that are not operational, incidents, maintenance.
type Line = (
    &'static str,
    usize,
    usize,
    &'static [(&'static str, usize)],
    usize,
    usize,
);

#[test]
fn every_page_in_statuspages_shape_has_the_counts_of_the_manifest() {
    let lines: &[Line] = &[
        ("atlassian-anthropic-operational.json", 6, 0, &[], 0, 0),
        (
            "atlassian-anthropic-outage.json",
            6,
            0,
            &[("major_outage", 4)],
            1,
            0,
        ),
        (
            "atlassian-asana-no-incident.json",
            30,
            5,
            &[("major_outage", 1)],
            0,
            0,
        ),
        (
            "atlassian-bexio-partial.json",
            10,
            1,
            &[("partial_outage", 2)],
            1,
            0,
        ),
        (
            "atlassian-cloudflare-maintenances.json",
            467,
            8,
            &[
                ("degraded_performance", 1),
                ("partial_outage", 28),
                ("under_maintenance", 17),
            ],
            1,
            13,
        ),
        ("atlassian-cloudgov-groups.json", 36, 7, &[], 0, 0),
        (
            "atlassian-discord-outage.json",
            30,
            3,
            &[("major_outage", 1)],
            1,
            0,
        ),
        (
            "atlassian-github-2023-incident.json",
            11,
            0,
            &[("partial_outage", 8)],
            1,
            0,
        ),
        ("atlassian-github-operational.json", 12, 0, &[], 0, 0),
        ("atlassian-knowbe4-disagreeing.json", 42, 6, &[], 1, 0),
        ("atlassian-ssa-maintenance.json", 2, 0, &[], 0, 1),
        ("atlassian-zoom-duplicate-names.json", 283, 33, &[], 0, 13),
        ("incidentio-openai-operational.json", 25, 0, &[], 0, 0),
        ("incidentio-hashicorp-incidents.json", 25, 0, &[], 2, 0),
    ];
    for (file, leaves, groups, words, incidents, works) in lines {
        let page = page("https://status.vendor.example/api/v2/summary.json", file);
        assert_eq!(page.provider, "Atlassian Statuspage", "{file}");
        assert_eq!(page.components.len(), *leaves, "{file}");
        let mut found: Vec<_> = page
            .components
            .iter()
            .filter_map(|component| component.group.as_deref())
            .collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), *groups, "{file}: {found:?}");
        assert_eq!(troubled(&page), words.iter().copied().collect(), "{file}");
        assert!(
            page.components
                .iter()
                .all(|component| component.status != Status::Unknown),
            "{file}"
        );
        assert_eq!(
            (page.incidents.len(), page.maintenances.len()),
            (*incidents, *works),
            "{file}"
        );
        assert!(page.name.is_some() && page.url.is_some(), "{file}");
    }
}

/// The page in Statuspage's shape, which component by name, its status, the open incidents and maintenance that touch it.
type Expectation = (
    &'static str,
    &'static str,
    Status,
    &'static [&'static str],
    usize,
);

#[test]
fn every_page_means_what_it_says() {
    let lines: &[Expectation] = &[
        (
            "atlassian-anthropic-operational.json",
            "claude.ai",
            Status::Up,
            &[],
            0,
        ),
        (
            "atlassian-anthropic-outage.json",
            "claude.ai",
            Status::Down,
            &["Elevated errors across all models"],
            0,
        ),
        (
            "atlassian-anthropic-outage.json",
            "Claude for Government",
            Status::Up,
            &[],
            0,
        ),
        (
            "atlassian-asana-no-incident.json",
            "App",
            Status::Up,
            &[],
            0,
        ),
        (
            "atlassian-bexio-partial.json",
            "bexio Website",
            Status::Up,
            &[],
            0,
        ),
        (
            "atlassian-bexio-partial.json",
            "bLink / https://status.blink.six-group.com/#/service-providers",
            Status::Down,
            &["BCV interface currently unavailable"],
            0,
        ),
        // Linked, and operational: an incident on two of many is no incident on everything.
        (
            "atlassian-cloudflare-maintenances.json",
            "Dallas, TX, United States - (DFW)",
            Status::Up,
            &["WARP connectivity"],
            0,
        ),
        (
            "atlassian-cloudflare-maintenances.json",
            "St. Louis, MO, United States - (STL)",
            Status::Up,
            &[],
            1,
        ),
        // Under way, and it does not show.
        (
            "atlassian-cloudflare-maintenances.json",
            "Seattle, WA, United States - (SEA)",
            Status::Up,
            &[],
            1,
        ),
        (
            "atlassian-cloudgov-groups.json",
            "Dashboard",
            Status::Up,
            &[],
            0,
        ),
        (
            "atlassian-discord-outage.json",
            "API",
            Status::Down,
            &["Messaging failures"],
            0,
        ),
        (
            "atlassian-github-2023-incident.json",
            "Git Operations",
            Status::Down,
            &[
                "Incident with Actions, API Requests, Codespaces, Git Operations, Issues, Pages, Pull Requests and Webhooks",
            ],
            0,
        ),
        (
            "atlassian-github-2023-incident.json",
            "Packages",
            Status::Up,
            &[],
            0,
        ),
        (
            "atlassian-github-operational.json",
            "Git Operations",
            Status::Up,
            &[],
            0,
        ),
        (
            "atlassian-knowbe4-disagreeing.json",
            "KnowBe4 Website",
            Status::Up,
            &["Protect blank purchasing page on store.knowbe4.com"],
            0,
        ),
        (
            "atlassian-ssa-maintenance.json",
            "my Social Security Webapp Health",
            Status::Up,
            &[],
            1,
        ),
        (
            "atlassian-ssa-maintenance.json",
            "SSA.gov System Health",
            Status::Up,
            &[],
            0,
        ),
        (
            "atlassian-zoom-duplicate-names.json",
            "Download Center & Clients",
            Status::Up,
            &[],
            1,
        ),
        (
            "incidentio-openai-operational.json",
            "Images",
            Status::Up,
            &[],
            0,
        ),
        // Its incidents name no component, so they concern the page.
        (
            "incidentio-hashicorp-incidents.json",
            "Azure-Canada Central",
            Status::Up,
            &[
                "Hashicorp GPG Key Rotation",
                "Intermittent connection resets during azure resource management or external provider downloads",
            ],
            0,
        ),
    ];
    for (file, name, expected, touching, works) in lines {
        let page = page("https://status.vendor.example/api/v2/summary.json", file);
        let component = page
            .components
            .iter()
            .find(|component| component.name == *name);
        let id = component
            .unwrap_or_else(|| panic!("{file} has no {name}"))
            .id
            .as_str();
        assert_eq!(status(&page, [id]), *expected, "{file}: {name}");
        let found: Vec<_> = incidents(&page, &[id])
            .into_iter()
            .map(|incident| incident.name.as_str())
            .collect();
        assert_eq!(found, *touching, "{file}: {name}");
        let now = "2026-04-21T11:00:00Z".parse().unwrap();
        assert_eq!(
            maintenances(&page, &[id], now).len(),
            *works,
            "{file}: {name}"
        );
    }
}

#[test]
fn updates_come_newest_first_and_times_in_utc() {
    let page = page(
        "https://discordstatus.com/api/v2/summary.json",
        "atlassian-discord-outage.json",
    );
    let incident = &page.incidents[0];
    assert_eq!(
        (incident.status.as_str(), incident.impact.as_str()),
        ("monitoring", "critical")
    );
    assert_eq!(
        incident.started_at,
        Some("2026-08-04T18:49:50Z".parse().unwrap())
    );
    assert_eq!(incident.updates.len(), 5);
    assert!(
        incident
            .updates
            .is_sorted_by_key(|update| std::cmp::Reverse(update.at.unwrap()))
    );
    assert_eq!(
        incident.url.as_deref(),
        Some("https://stspg.io/wlryy8d8r7wf")
    );
}

#[test]
fn names_that_stand_in_several_groups_keep_their_own_ids() {
    let page = page(
        "https://www.zoomstatus.com/api/v2/summary.json",
        "atlassian-zoom-duplicate-names.json",
    );
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for component in &page.components {
        *counts.entry(component.name.as_str()).or_default() += 1;
    }
    assert_eq!(counts.values().filter(|count| **count > 1).count(), 31);
    let mut ids: Vec<_> = page
        .components
        .iter()
        .map(|component| component.id.as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 283);
}

#[test]
fn instatus_perplexity() {
    let page = page(
        "https://status.perplexity.com/v3/components.json",
        "instatus-perplexity.json",
    );
    assert_eq!(
        (page.provider, page.name.as_deref()),
        ("Instatus", Some("Perplexity"))
    );
    let names: Vec<_> = page
        .components
        .iter()
        .map(|component| (component.name.as_str(), component.status))
        .collect();
    assert_eq!(
        names,
        [
            ("Website", Status::Up),
            ("API", Status::Up),
            ("Computer", Status::Up)
        ]
    );
}

#[test]
fn statuspal_exoscale() {
    let url = "https://exoscalestatus.com/api/v2/status_pages/exoscalestatus/summary";
    let page = page(url, "statuspal-exoscale-degraded.json");
    assert_eq!((page.provider, page.components.len()), ("Statuspal", 74));
    assert_eq!(troubled(&page), BTreeMap::from([("performance", 1)]));
    let slow = page
        .components
        .iter()
        .find(|component| component.id == "27451")
        .unwrap();
    assert_eq!(
        (slow.group.as_deref(), slow.status),
        (Some("CH-DK-2"), Status::Degraded)
    );
    let touching = incidents(&page, &["27451"]);
    assert_eq!(touching.len(), 1);
    assert_eq!(
        touching[0].started_at,
        Some("2025-07-18T08:18:26Z".parse().unwrap())
    );
    assert_eq!(touching[0].updates[0].status, "monitoring");
    assert!(incidents(&page, &["27450"]).is_empty());
}

#[test]
fn status_io_gitlab() {
    let url = "https://api.status.io/1.0/status/5b36dc6502d06804c08349f7";
    let page = page(url, "statusio-gitlab.json");
    assert_eq!((page.provider, page.components.len()), ("Status.io", 23));
    assert!(
        troubled(&page).is_empty() && page.incidents.is_empty() && page.maintenances.is_empty()
    );
    assert_eq!(
        (
            page.components[0].name.as_str(),
            page.components[0].vendor_status.as_str()
        ),
        ("Website", "Operational")
    );
}

#[test]
fn slack_now_and_before() {
    let now = page(
        "https://slack-status.com/api/v2.0.0/current",
        "slack-current-ok.json",
    );
    assert_eq!(
        (
            now.provider,
            status(&now, [WHOLE]),
            status(&now, ["Messaging"])
        ),
        ("Slack", Status::Up, Status::Up)
    );
    let before = page(
        "https://slack-status.com/api/v2.0.0/history",
        "slack-history.json",
    );
    assert!(before.components.is_empty() && !before.incidents.is_empty());
    assert!(
        before
            .incidents
            .iter()
            .all(|incident| !incident.open && incident.started_at <= incident.resolved_at)
    );
    let newest = &before.incidents[0];
    assert_eq!(
        newest.name,
        "Chat functionality unavailable on Slack Help page"
    );
    assert!(
        newest.updates[0]
            .body
            .starts_with("We've resolved the issue")
            && !newest.updates[0].body.contains("<p>")
    );
}

#[test]
fn google_workspace() {
    let url = "https://www.google.com/appsstatus/dashboard/incidents.json";
    let page = page(url, "google-workspace-incidents.json");
    assert_eq!(
        (page.provider, page.name.as_deref()),
        ("Google", Some("Google Workspace"))
    );
    assert_eq!((page.incidents.len(), page.components.len()), (8, 12));
    assert!(troubled(&page).is_empty() && page.incidents.iter().all(|incident| !incident.open));
    assert_eq!(
        page.incidents[0].name,
        "Inbound emails from customers to Google Support are experiencing issues."
    );
    let link = "https://www.google.com/appsstatus/dashboard/incidents/AWyE1SfEzpe8Qed49Rog";
    assert_eq!(page.incidents[0].url.as_deref(), Some(link));
}

#[test]
fn aws_in_utf_16() {
    let url = "https://health.aws.amazon.com/public/currentevents";
    let page = page(url, "aws-currentevents.utf16be.json");
    assert_eq!(
        (page.provider, page.incidents.len(), status(&page, [WHOLE])),
        ("AWS", 2, Status::Down)
    );
    assert_eq!(status(&page, ["s3-me-central-1"]), Status::Down);
    assert_eq!(status(&page, ["s3-eu-west-1"]), Status::Up);
    let s3 = page
        .components
        .iter()
        .find(|component| component.id == "s3-me-central-1")
        .unwrap();
    assert_eq!(
        (s3.name.as_str(), s3.group.as_deref()),
        ("Amazon Simple Storage Service", Some("UAE"))
    );
    assert_eq!(incidents(&page, &["s3-me-central-1"]).len(), 1);
    assert_eq!(incidents(&page, &[WHOLE]).len(), 2);
    assert_eq!(
        (
            page.incidents[0].updates.len(),
            page.incidents[1].updates.len()
        ),
        (23, 13)
    );
}

#[test]
fn status_iq_library() {
    let page = page("https://status.kobv.de/rss", "statusiq-gvi-outage.xml");
    assert_eq!((page.provider, page.components.len()), ("StatusIQ", 9));
    assert_eq!(troubled(&page), BTreeMap::from([("Major Outage", 1)]));
    assert_eq!(status(&page, ["GVI via SRU"]), Status::Down);
    assert_eq!(status(&page, ["OPUS Uni Würzburg"]), Status::Up);
}

#[test]
fn heroku_incident() {
    let url = "https://status.heroku.com/api/v4/current-status";
    let page = page(url, "more-heroku-incident.json");
    assert_eq!((page.provider, page.components.len()), ("Heroku", 3));
    assert_eq!(troubled(&page), BTreeMap::from([("yellow", 3)]));
    let [incident] = &page.incidents[..] else {
        panic!("{:?}", page.incidents)
    };
    assert!(incident.open && incident.component_ids.is_empty());
    assert_eq!(
        incident.started_at,
        Some("2019-10-24T18:39:30.231Z".parse().unwrap())
    );
    let link = "https://status.heroku.com/incidents/1918";
    assert_eq!(incident.url.as_deref(), Some(link));
    assert_eq!(incident.updates[0].status, "issue");
    assert!(page.maintenances.is_empty());
}

#[test]
fn status_io_docker() {
    let url = "https://api.status.io/1.0/status/533c6539221ae15e3f000031";
    let page = page(url, "more-docker-partial.json");
    assert_eq!(page.provider, "Status.io");
    let [incident] = &page.incidents[..] else {
        panic!("{:?}", page.incidents)
    };
    assert!(incident.open);
    assert_eq!(incident.status, "investigating");
    let id = "5342bc9420974b775d000008";
    assert_eq!(incidents(&page, &[id]).len(), 1);
    assert_ne!(status(&page, [id]), Status::Up);
    let other = page
        .components
        .iter()
        .find(|component| component.status == Status::Up)
        .unwrap();
    assert!(incidents(&page, &[&other.id]).is_empty());
}

#[test]
fn statuspage_without_component_lists() {
    let url = "https://www.githubstatus.com/api/v2/summary.json";
    let page = page(url, "more-github-incident.json");
    let ids: Vec<&str> = page
        .components
        .iter()
        .map(|component| component.id.as_str())
        .collect();
    let now = "2014-05-14T20:36:00Z".parse().unwrap();
    for id in ids {
        assert_eq!(incidents(&page, &[id]).len(), 1, "{id}");
        assert_eq!(
            maintenances(&page, &[id], now).len(),
            page.maintenances.len()
        );
    }
    // Years later, all of it is gone.
    let now = "2026-03-02T09:00:00Z".parse().unwrap();
    assert!(maintenances(&page, &["b13yz5g2cw10"], now).is_empty());
}
