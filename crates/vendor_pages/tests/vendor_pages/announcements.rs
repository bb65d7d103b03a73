//! Which announcements followers are shown: those that name nothing, those of green components, and
//! none that is over.

use crate::{fixture, page, page_of, read};
use chrono::{DateTime, TimeDelta, Utc};
use domain::Status;
use vendor_pages::page::following::{incidents, maintenances, status};
use vendor_pages::page::{Page, Stage};

const SUMMARY: &str = "/api/v2/summary.json";

/// Responses, each with its path.
type Responses = &'static [(&'static str, &'static str)];

/// The announcement `[EVENT]` of a provider in its responses.
struct Case {
    provider: &'static str,
    responses: Responses,
    /// The announcement without any component, and with components that the page does not have.
    events: &'static [&'static str],
    /// Components of the page, with their statuses.
    components: &'static [(&'static str, Status)],
    is_maintenance: bool,
}

impl Case {
    fn page(&self, event: &str) -> Page {
        let read = |(path, body): &(&str, &str)| {
            let url = format!("https://status.vendor.example{path}");
            let body = body.replace("[EVENT]", event);
            read(&url, body.as_bytes())
                .unwrap_or_else(|error| panic!("{} {path}: {error}", self.provider))
        };
        page::assemble(self.responses.iter().map(read).collect()).unwrap()
    }
}

const ATLASSIAN: Responses = &[(
    SUMMARY,
    r#"{"page": {"id": "p"}, "status": {"indicator": "none"}, "components": [
        {"id": "a", "name": "A", "status": "operational"}, {"id": "b", "name": "B", "status": "major_outage"}],
        "incidents": [[EVENT]], "scheduled_maintenances": []}"#,
)];

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case {
        provider: "Atlassian Statuspage",
        responses: ATLASSIAN,
        events: &[
            r#"{"id": "i", "name": "N", "status": "investigating", "impact": "major", "components": []}"#,
            r#"{"id": "i", "name": "N", "status": "investigating", "components": null}"#,
            r#"{"id": "i", "name": "N", "status": "investigating"}"#,
            r#"{"id": "i", "name": "N", "status": "investigating", "components": [{"id": "gone"}]}"#,
            r#"{"id": "i", "name": "N", "status": "identified", "incident_updates": [{"status": "identified", "body": "B", "affected_components": null}]}"#,
        ],
        components: &[("a", Status::Up), ("b", Status::Down)],
        is_maintenance: false,
    },
    Case {
        provider: "Atlassian Statuspage",
        responses: &[(
            SUMMARY,
            r#"{"page": {"id": "p"}, "status": {"indicator": "none"}, "components": [{"id": "a", "name": "A", "status": "operational"}],
                "incidents": [], "scheduled_maintenances": [[EVENT]]}"#,
        )],
        events: &[
            r#"{"id": "m", "name": "N", "status": "scheduled", "scheduled_for": "2026-03-02T10:00:00Z", "scheduled_until": "2026-03-02T11:00:00Z", "components": []}"#,
            r#"{"id": "m", "name": "N", "status": "in_progress", "components": [{"id": "gone"}]}"#,
            r#"{"id": "m", "name": "N", "status": "verifying"}"#,
        ],
        components: &[("a", Status::Up)],
        is_maintenance: true,
    },
    Case {
        provider: "incident.io",
        responses: &[(
            "/proxy/status.vendor.example",
            r#"{"summary": {"name": "V", "components": [{"id": "a", "name": "A"}], "affected_components": [], "ongoing_incidents": [[EVENT]]}}"#,
        )],
        events: &[
            r#"{"id": "i", "name": "N", "status": "investigating", "affected_components": []}"#,
            r#"{"id": "i", "name": "N", "status": "monitoring"}"#,
            r#"{"id": "i", "name": "N", "status": "monitoring", "affected_components": [{"component_id": "gone"}]}"#,
        ],
        components: &[("a", Status::Up)],
        is_maintenance: false,
    },
    Case {
        provider: "incident.io",
        responses: &[(
            "/proxy/status.vendor.example",
            r#"{"summary": {"name": "V", "components": [{"id": "a", "name": "A"}], "affected_components": [],
                "in_progress_maintenances": [[EVENT]], "scheduled_maintenances": []}}"#,
        )],
        events: &[r#"{"id": "m", "name": "N", "status": "maintenance_in_progress", "component_impacts": []}"#],
        components: &[("a", Status::Up)],
        is_maintenance: true,
    },
    Case {
        provider: "Instatus",
        responses: &[
            ("/summary.json", r#"{"page": {"name": "V", "status": "HASISSUES"}, "activeIncidents": [[EVENT]]}"#),
            ("/v3/components.json", r#"{"components": [{"id": "a", "name": "A", "status": "OPERATIONAL", "isParent": false}]}"#),
        ],
        events: &[
            r#"{"id": "i", "name": "N", "started": "2026-03-02T09:00:00Z", "status": "INVESTIGATING", "impact": "MAJOROUTAGE"}"#,
            r#"{"name": "N", "status": "IDENTIFIED", "url": "https://v.instatus.example/i"}"#,
            r#"{"id": "i", "name": "N", "status": "MONITORING", "components": [{"id": "gone"}]}"#,
        ],
        components: &[("a", Status::Up)],
        is_maintenance: false,
    },
    Case {
        provider: "Instatus",
        responses: &[
            ("/summary.json", r#"{"page": {"name": "V", "status": "UP"}, "activeMaintenances": [[EVENT]]}"#),
            ("/v3/components.json", r#"{"components": [{"id": "a", "name": "A", "status": "OPERATIONAL", "isParent": false}]}"#),
        ],
        events: &[r#"{"id": "m", "name": "N", "start": "2026-03-02T10:00:00Z", "status": "NOTSTARTEDYET", "duration": "90"}"#],
        components: &[("a", Status::Up)],
        is_maintenance: true,
    },
    Case {
        provider: "Better Stack",
        responses: &[(
            "/index.json",
            r#"{"data": {"type": "status_page", "attributes": {"company_name": "V"}}, "included": [
                {"id": "1", "type": "status_page_resource", "attributes": {"public_name": "A", "status": "operational"}}, [EVENT]]}"#,
        )],
        events: &[
            r#"{"id": "9", "type": "status_report", "attributes": {"title": "N", "report_type": "manual", "ends_at": null, "aggregate_state": "degraded", "affected_resources": []}}"#,
            r#"{"id": "9", "type": "status_report", "attributes": {"title": "N", "report_type": "manual"}}"#,
        ],
        components: &[("1", Status::Up)],
        is_maintenance: false,
    },
    Case {
        provider: "Status.io",
        responses: &[(
            "/1.0/status/5b36dc6502d06804c08349f7",
            r#"{"result": {"status_overall": {}, "status": [{"id": "a", "name": "A", "status": "Operational", "status_code": 100}], "incidents": [[EVENT]]}}"#,
        )],
        events: &[
            r#"{"_id": "i", "name": "N", "messages": [{"state": 100, "status": 300, "datetime": "2026-03-02T09:00:00Z"}], "components_affected": []}"#,
            r#"{"_id": "i", "name": "N", "messages": [], "components_affected": [{"_id": "gone"}]}"#,
        ],
        components: &[("a", Status::Up)],
        is_maintenance: false,
    },
    Case {
        provider: "Statuspal",
        responses: &[(
            "/api/v2/status_pages/v/summary",
            r#"{"status_page": {"name": "V"}, "services": [{"id": 1, "name": "A", "current_incident_type": null}], "incidents": [[EVENT]]}"#,
        )],
        events: &[
            r#"{"id": 7, "title": "N", "type": "minor", "ends_at": null, "service_ids": [], "updates": []}"#,
            r#"{"id": 7, "title": "N", "type": "minor", "service_ids": [99], "updates": [{"type": "issue", "description": "B"}]}"#,
        ],
        components: &[("1", Status::Up)],
        is_maintenance: false,
    },
    Case {
        provider: "Cachet 2",
        responses: &[
            ("/api/v1/components", r#"{"meta": {}, "data": [{"id": 1, "name": "A", "status": 1, "group_id": 0}]}"#),
            ("/api/v1/incidents", r#"{"meta": {}, "data": [[EVENT]]}"#),
        ],
        events: &[
            r#"{"id": 7, "component_id": 0, "name": "N", "status": 1, "message": "B"}"#,
            r#"{"id": 7, "component_id": null, "name": "N", "status": 2, "message": "B", "is_resolved": false}"#,
            r#"{"id": 7, "component_id": 99, "name": "N", "status": 3, "message": "B"}"#,
        ],
        components: &[("1", Status::Up)],
        is_maintenance: false,
    },
    Case {
        provider: "Cachet 2",
        responses: &[
            ("/api/v1/components", r#"{"meta": {}, "data": [{"id": 1, "name": "A", "status": 1, "group_id": 0}]}"#),
            ("/api/v1/incidents", r#"{"meta": {}, "data": [[EVENT]]}"#),
        ],
        // Before there were schedules.
        events: &[r#"{"id": 7, "component_id": 0, "name": "N", "status": 0, "message": "B", "scheduled_at": "2026-03-02T10:00:00Z"}"#],
        components: &[("1", Status::Up)],
        is_maintenance: true,
    },
    Case {
        provider: "Cachet 3",
        responses: &[
            ("/api/components", r#"{"data": [{"id": "1", "type": "components", "attributes": {"name": "A", "status": {"value": 1}}}], "links": {}, "meta": {}}"#),
            ("/api/incidents", r#"{"data": [[EVENT]], "links": {}, "meta": {}}"#),
        ],
        events: &[
            r#"{"id": "7", "type": "incidents", "attributes": {"name": "N", "message": "B", "status": {"value": 1}}, "relationships": {"components": {"data": []}}}"#,
            r#"{"id": "7", "type": "incidents", "attributes": {"name": "N", "message": "B", "status": {"value": 3}}}"#,
        ],
        components: &[("1", Status::Up)],
        is_maintenance: false,
    },
    Case {
        provider: "Slack",
        responses: &[(
            "/api/v2.0.0/current",
            r#"{"status": "active", "active_incidents": [
                {"id": 1, "title": "Files", "type": "incident", "status": "active", "services": ["Files"]}, [EVENT]]}"#,
        )],
        events: &[r#"{"id": 7, "title": "N", "type": "notice", "status": "active", "services": []}"#],
        components: &[("Files", Status::Degraded), ("Calls", Status::Up), ("all", Status::Degraded)],
        is_maintenance: false,
    },
    Case {
        provider: "Google",
        responses: &[(
            "/incidents.json",
            r#"[{"id": "1", "begin": "2026-03-02T08:00:00Z", "status_impact": "SERVICE_OUTAGE", "affected_products": [{"id": "p", "title": "P"}], "external_desc": "P fails"}, [EVENT]]"#,
        )],
        events: &[r#"{"id": "7", "begin": "2026-03-02T08:00:00Z", "status_impact": "SERVICE_INFORMATION", "affected_products": [], "external_desc": "N"}"#],
        components: &[("p", Status::Down), ("other", Status::Up), ("all", Status::Down)],
        is_maintenance: false,
    },
    Case {
        provider: "Heroku",
        responses: &[(
            "/api/v4/current-status",
            r#"{"status": [{"system": "Apps", "status": "green"}, {"system": "Data", "status": "yellow"}], "incidents": [[EVENT]], "scheduled": []}"#,
        )],
        events: &[
            r#"{"id": 7, "title": "N", "state": "open", "resolved": false, "resolved_at": null, "updates": []}"#,
            r#"{"id": 7, "title": "N", "resolved": false, "systems": []}"#,
            r#"{"id": 7, "title": "N", "systems": ["Gone"]}"#,
        ],
        components: &[("Apps", Status::Up), ("Data", Status::Degraded)],
        is_maintenance: false,
    },
];

fn now() -> DateTime<Utc> {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

#[test]
fn what_names_no_component_is_shown_to_every_follower() {
    for case in CASES {
        for event in case.events {
            let page = case.page(event);
            let name = case.provider;
            assert_eq!(page.provider, name, "{event}");
            for (id, expected) in case.components {
                assert_eq!(status(&page, [*id]), *expected, "{name} {id}: {event}");
                let names: Vec<_> = if case.is_maintenance {
                    let shown = maintenances(&page, &[id], now());
                    shown.iter().map(|one| one.name.clone()).collect()
                } else {
                    let shown = incidents(&page, &[id]);
                    shown.iter().map(|one| one.name.clone()).collect()
                };
                assert!(
                    names.contains(&"N".into()),
                    "{name} {id}: {event}: {names:?}"
                );
            }
        }
    }
}

#[test]
fn what_names_a_component_is_shown_to_its_followers_only() {
    let event = r#"{"id": "i", "name": "N", "status": "investigating", "components": [{"id": "b"}, {"id": "gone"}]}"#;
    let page = CASES[0].page(event);
    assert_eq!(incidents(&page, &["b"]).len(), 1);
    assert_eq!(incidents(&page, &["a"]), [] as [&page::Incident; 0]);
    // The list is empty, and the last update that names any component names one of them.
    let event = r#"{"id": "i", "name": "N", "status": "monitoring", "components": [], "incident_updates": [
        {"display_at": "2026-03-02T09:00:00Z", "affected_components": null},
        {"display_at": "2026-03-02T08:30:00Z", "affected_components": [{"code": "a", "name": "A"}]},
        {"display_at": "2026-03-02T08:00:00Z", "affected_components": [{"code": "b", "name": "B"}]}]}"#;
    let page = CASES[0].page(event);
    assert_eq!(incidents(&page, &["a"]).len(), 1);
    assert_eq!(incidents(&page, &["b"]), [] as [&page::Incident; 0]);
}

#[test]
fn nothing_is_hidden_because_components_are_green() {
    let linked = r#""components": [{"id": "a"}, {"id": "b"}, {"id": "c"}]"#;
    for (incident, work) in [("monitoring", "in_progress"), ("identified", "verifying")] {
        let json = format!(
            r#"{{"page": {{"id": "p"}}, "status": {{"indicator": "none"}}, "components": [
                {{"id": "a", "name": "A", "status": "operational"}}, {{"id": "b", "name": "B", "status": "operational"}},
                {{"id": "c", "name": "C", "status": "operational"}}],
                "incidents": [{{"id": "i", "name": "I", "impact": "critical", "status": "{incident}", {linked}}}],
                "scheduled_maintenances": [{{"id": "m", "name": "M", "status": "{work}", "scheduled_for": "2026-03-02T08:00:00Z",
                "scheduled_until": "2026-03-02T10:00:00Z", {linked}}}]}}"#
        );
        let page = page(&[(SUMMARY, json.as_bytes())]);
        for id in ["a", "b", "c"] {
            assert_eq!(status(&page, [id]), Status::Up);
            assert_eq!(incidents(&page, &[id]).len(), 1, "{id} {incident}");
            assert_eq!(maintenances(&page, &[id], now()).len(), 1, "{id} {work}");
        }
    }
}

#[test]
fn recorded_incidents_without_components_are_shown() {
    for (path, file, id, name, expected) in [
        (
            "/api/v4/current-status",
            "more-heroku-incident.json",
            "Tools",
            "Connection timeouts to applications and Heroku Postgres",
            Status::Degraded,
        ),
        (
            SUMMARY,
            "more-github-incident.json",
            "9397cnvk62zn",
            "Unplanned Database Outage",
            Status::Down,
        ),
        (
            SUMMARY,
            "incidentio-hashicorp-incidents.json",
            "",
            "",
            Status::Up,
        ),
    ] {
        let page = page_of(path, file);
        let id = if id.is_empty() {
            &page.components[0].id
        } else {
            id
        };
        assert_eq!(status(&page, [id]), expected, "{file}");
        let open = page.incidents.iter().filter(|incident| incident.open);
        assert_eq!(incidents(&page, &[id]).len(), open.count(), "{file}");
        if !name.is_empty() {
            assert_eq!(incidents(&page, &[id])[0].name, name);
        }
    }
}

/// An incident or maintenance that is over, in a response of each provider.
#[rustfmt::skip]
const OVER: &[(&str, &str)] = &[
    (SUMMARY, r#"{"page": {}, "status": {"indicator": "none"}, "components": [], "incidents": [{"id": "i", "name": "N", "status": "resolved"}]}"#),
    (SUMMARY, r#"{"page": {}, "status": {"indicator": "none"}, "components": [], "incidents": [{"id": "i", "name": "N", "status": "postmortem"}]}"#),
    (SUMMARY, r#"{"page": {}, "status": {"indicator": "none"}, "components": [], "incidents": [{"id": "i", "name": "N", "resolved_at": "2026-03-01T08:00:00Z"}]}"#),
    (SUMMARY, r#"{"page": {}, "components": [], "scheduled_maintenances": [{"id": "m", "name": "N", "status": "completed"}]}"#),
    (SUMMARY, r#"{"page": {}, "components": [], "scheduled_maintenances": [{"id": "m", "name": "N", "status": "Cancelled"}]}"#),
    ("/proxy/v", r#"{"summary": {"components": [], "affected_components": [], "ongoing_incidents": [{"id": "i", "name": "N", "status": "resolved"}]}}"#),
    ("/proxy/v", r#"{"summary": {"components": [], "affected_components": [], "scheduled_maintenances": [{"id": "m", "name": "N", "status": "maintenance_complete"}]}}"#),
    ("/proxy/v", r#"{"summary": {"components": [], "affected_components": [], "scheduled_maintenances": [{"id": "m", "name": "N", "status": "canceled"}]}}"#),
    ("/summary.json", r#"{"page": {"status": "UP"}, "activeIncidents": [{"id": "i", "name": "N", "status": "RESOLVED"}]}"#),
    ("/summary.json", r#"{"page": {"status": "UP"}, "activeIncidents": [{"id": "i", "name": "N", "resolved": "2026-03-01T08:00:00Z"}]}"#),
    ("/summary.json", r#"{"page": {"status": "UP"}, "activeMaintenances": [{"id": "m", "name": "N", "status": "COMPLETED"}]}"#),
    ("/index.json", r#"{"data": {"type": "status_page"}, "included": [{"id": "1", "type": "status_report", "attributes": {"title": "N", "aggregate_state": "resolved"}}]}"#),
    ("/index.json", r#"{"data": {"type": "status_page"}, "included": [{"id": "1", "type": "status_report", "attributes": {"title": "N", "aggregate_state": "downtime", "ends_at": "2026-03-01T08:00:00Z"}}]}"#),
    ("/index.json", r#"{"data": {"type": "status_page"}, "included": [{"id": "1", "type": "status_report", "attributes": {"title": "N", "report_type": "maintenance", "ends_at": "2026-03-01T08:00:00Z"}}]}"#),
    ("/1.0/status/1", r#"{"result": {"status_overall": {}, "status": [], "incidents": [{"_id": "i", "name": "N", "messages": [{"state": 400}]}]}}"#),
    ("/1.0/status/1", r#"{"result": {"status_overall": {}, "status": [], "incidents": [{"_id": "i", "name": "N", "datetime_resolved": "2026-03-01T08:00:00Z", "messages": []}]}}"#),
    ("/api/v2/status_pages/v/summary", r#"{"status_page": {}, "services": [], "incidents": [{"id": 1, "title": "N", "ends_at": "2026-03-01T08:00:00", "updates": [{"type": "monitoring"}]}]}"#),
    ("/api/v2/status_pages/v/summary", r#"{"status_page": {}, "services": [], "incidents": [{"id": 1, "title": "N", "updates": [{"type": "resolved"}]}]}"#),
    ("/api/v2/status_pages/v/summary", r#"{"status_page": {}, "services": [], "maintenances": [{"id": 1, "title": "N", "starts_at": "2026-03-01T07:00:00", "ends_at": "2026-03-01T08:00:00"}]}"#),
    ("/api/v2/status_pages/v/summary", r#"{"status_page": {}, "services": [], "maintenances": [{"id": 1, "title": "N", "updates": [{"type": "completed"}]}]}"#),
    ("/api/v1/incidents", r#"{"meta": {}, "data": [{"id": 1, "name": "N", "message": "M", "status": 4}]}"#),
    ("/api/v1/incidents", r#"{"meta": {}, "data": [{"id": 1, "name": "N", "message": "M", "status": 2, "is_resolved": true}]}"#),
    ("/api/v1/schedules", r#"{"meta": {}, "data": [{"id": 1, "name": "N", "status": 2, "scheduled_at": null, "completed_at": null}]}"#),
    ("/api/incidents", r#"{"data": [{"id": "1", "type": "incidents", "attributes": {"name": "N", "status": {"value": 4}}}], "links": {}, "meta": {}}"#),
    ("/api/schedules", r#"{"data": [{"id": "1", "type": "schedules", "attributes": {"name": "N", "status": {"value": 2}}}], "links": {}, "meta": {}}"#),
    ("/api/v2.0.0/current", r#"{"status": "ok", "active_incidents": [{"id": 1, "title": "N", "type": "incident", "status": "resolved", "services": ["A"]}]}"#),
    ("/api/v2.0.0/current", r#"{"status": "ok", "active_incidents": [{"id": 1, "title": "N", "type": "maintenance", "status": "cancelled", "services": ["A"]}]}"#),
    ("/incidents.json", r#"[{"id": "1", "begin": "2026-03-01T07:00:00Z", "end": "2026-03-01T08:00:00Z", "status_impact": "SERVICE_OUTAGE", "external_desc": "N", "affected_products": []}]"#),
    ("/public/currentevents", r#"[{"arn": "a", "service": "s", "service_name": "S", "region_name": "R", "status": "0", "summary": "N"}]"#),
    ("/api/v4/current-status", r#"{"status": [], "incidents": [{"id": 3, "title": "N", "resolved": true}], "scheduled": []}"#),
    ("/api/v4/current-status", r#"{"status": [], "incidents": [{"id": 3, "title": "N", "state": "resolved", "resolved": false}], "scheduled": []}"#),
    ("/api/v4/current-status", r#"{"status": [], "incidents": [], "scheduled": [{"id": 3, "title": "Data work", "resolved": true, "upcoming": false, "systems": ["Data"]}]}"#),
];

#[test]
fn what_is_over_is_over_however_a_provider_says_it() {
    for (path, json) in OVER {
        let page = page(&[(path, json.as_bytes())]);
        let incidents = page.incidents.iter().map(|one| one.open);
        let works = page.maintenances.iter();
        let works = works.map(|one| one.stage_at(now()) != Stage::Completed);
        let open: Vec<bool> = incidents.chain(works).collect();
        assert_eq!(open, [false], "{json}");
    }
}

fn work(status: &str, window: &str) -> page::Maintenance {
    let json = format!(
        r#"{{"page": {{}}, "components": [], "scheduled_maintenances": [{{"id": "m", "name": "N", "status": "{status}"{window}}}]}}"#
    );
    page(&[(SUMMARY, json.as_bytes())]).maintenances.remove(0)
}

#[test]
fn maintenance_whose_window_ended_is_overdue_and_then_gone() {
    const WINDOW: &str =
        r#", "scheduled_for": "2026-03-02T07:00:00Z", "scheduled_until": "2026-03-02T09:00:00Z""#;
    const START: &str = r#", "scheduled_for": "2026-03-02T09:00:00Z""#;
    // Status, window, minutes after 9:00, whether it is shown, and whether it is overdue.
    for (status, window, minutes, shown, overdue) in [
        ("scheduled", WINDOW, -1, true, false),
        ("scheduled", WINDOW, 0, true, true),
        ("scheduled", WINDOW, 24 * 60 - 1, true, true),
        ("scheduled", WINDOW, 24 * 60, false, false),
        ("scheduled", WINDOW, 190 * 60, false, false),
        ("in_progress", WINDOW, -1, true, false),
        ("in_progress", WINDOW, 24 * 60, true, true),
        ("in_progress", WINDOW, 7 * 24 * 60 - 1, true, true),
        ("in_progress", WINDOW, 190 * 60, false, false),
        ("verifying", WINDOW, 60, true, true),
        ("completed", WINDOW, -60, false, false),
        // A word that is not known: the window decides.
        ("pondered", WINDOW, -1, true, false),
        ("pondered", WINDOW, 0, false, false),
        ("scheduled", START, 24 * 60, true, false),
        ("scheduled", START, 190 * 60, false, false),
        ("in_progress", START, 190 * 60, true, false),
        ("scheduled", "", 190 * 60, true, false),
    ] {
        let work = work(status, window);
        let at = now() + TimeDelta::minutes(minutes);
        let label = format!("{status} {window} {minutes}");
        assert_eq!(work.stage_at(at) != Stage::Completed, shown, "{label}");
        assert_eq!(work.is_overdue_at(at), overdue, "{label}");
    }
}

#[test]
fn every_fixture_is_listed_as_recorded_or_made_up() {
    let manifest = String::from_utf8(fixture("README.md")).unwrap();
    let listed: Vec<(&str, &str)> = manifest
        .lines()
        .filter_map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            Some((cells.next()?.trim_matches('`'), cells.next()?))
        })
        .filter(|(_, origin)| matches!(*origin, "recorded" | "made up"))
        .collect();
    let folder = crate::fixtures();
    let mut files: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect();
    files.sort();
    let mut names: Vec<&str> = listed.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert_eq!(names, files, "the table in {}/README.md", folder.display());
}
