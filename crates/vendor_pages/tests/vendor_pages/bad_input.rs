//! What pages send that is no status: each is an error with a reason, or unknown, and never an outage or a recovery.

use crate::{components, fixture, named, page, read};
use domain::Status::{Down, Unknown, Up};
use vendor_pages::page::following::{ComponentPresence, Followed, sight, status, successors};
use vendor_pages::page::{Component, Unreadable};

const SUMMARY: &str = "https://status.vendor.example/api/v2/summary.json";

fn reason(bytes: &[u8]) -> String {
    read(SUMMARY, bytes).unwrap_err().to_string()
}

#[test]
fn a_web_page_with_code_200() {
    for html in [
        "<!DOCTYPE html><html><head><title>All good</title></head></html>",
        "\n<html><body>operational",
        "<!doctype HTML>\n<p>x",
    ] {
        assert_eq!(
            read(SUMMARY, html.as_bytes()),
            Err(Unreadable::Html),
            "{html}"
        );
    }
}

#[test]
fn json_of_another_shape() {
    for json in [
        "{}",
        "[]",
        "null",
        "42",
        "\"operational\"",
        "[[]]",
        "[{}]",
        r#"{"error": "not found"}"#,
        r#"{"status": "ok"}"#,
        r#"{"components": "none"}"#,
        r#"{"page": {"id": "x"}}"#,
        r#"{"data": [], "meta": {}}"#,
        r#"{"data": [{"id": 1}]}"#,
        r#"{"services": []}"#,
        r#"{"result": {"status": []}}"#,
        r#"{"summary": {}}"#,
        r#"{"components": [{"name": "x", "status": "odd"}]}"#,
    ] {
        assert_eq!(
            read(SUMMARY, json.as_bytes()),
            Err(Unreadable::Shape),
            "{json}"
        );
    }
    assert_eq!(
        reason(br#"{"page": {}, "status": {"indicator": "none"}, "components": {"a": 1}}"#),
        "\"components\" in the answer is no list"
    );
    assert_eq!(
        reason(br#"{"success": false, "data": {}}"#),
        "the vendor page says that it could not answer"
    );
}

#[test]
fn json_that_is_cut_off() {
    let whole = fixture("atlassian-summary.json");
    for end in (0..whole.trim_ascii_end().len()).step_by(7) {
        assert!(read(SUMMARY, &whole[..end]).is_err(), "cut at {end}");
    }
    assert!(reason(&whole[..500]).starts_with("the answer is no valid JSON: EOF"));
}

#[test]
fn thirty_megabytes_of_json() {
    // The fetcher does not even read as much. If it came this far, it would take little time and memory.
    let many = format!(
        "{{\"page\": {{}}, \"components\": [{}0]}}",
        "0,".repeat(15 << 20)
    );
    assert!(reason(many.as_bytes()).contains("more values than any vendor page has"));
    let deep = "[".repeat(30 << 20);
    assert!(reason(deep.as_bytes()).contains("recursion limit"));
}

#[test]
fn a_page_that_alternates_between_two_shapes() {
    let one = page(&[("/api/v2/summary.json", &fixture("atlassian-summary.json"))]);
    let other = page(&[(
        "/api/v2/summary.json",
        &fixture("heroku-current-status.json"),
    )]);
    // Each is read as what it is. What was followed in one is missing in the other: unknown, whatever it says there.
    assert_eq!(status(&one, ["c-web"]), Up);
    assert_eq!(
        (sight(&other, "c-web"), status(&other, ["c-web"])),
        (ComponentPresence::Missing, Unknown)
    );
    assert_eq!(status(&one, ["Apps"]), Unknown);
}

#[test]
fn bytes_that_are_no_text() {
    let mut bytes = fixture("atlassian-summary.json");
    bytes[40] = 0xff;
    assert_eq!(read(SUMMARY, &bytes), Err(Unreadable::NotText));
    assert_eq!(read(SUMMARY, b"\xfe\xff\0"), Err(Unreadable::NotText));
    assert_eq!(read(SUMMARY, b"\xfe\xff\xd8\0"), Err(Unreadable::NotText));
    assert_eq!(read(SUMMARY, b""), Err(Unreadable::Empty));
    assert_eq!(read(SUMMARY, b"\xef\xbb\xbf \n"), Err(Unreadable::Empty));
}

#[test]
fn a_byte_order_mark_is_no_matter() {
    let plain = fixture("atlassian-summary.json");
    let marked = [b"\xef\xbb\xbf".as_slice(), &plain].concat();
    assert_eq!(read(SUMMARY, &marked), read(SUMMARY, &plain));
}

#[test]
fn times_without_a_zone() {
    let json = br#"{"page": {"id": "p"}, "status": {"indicator": "minor"}, "components": [{"id": "a", "name": "A", "status": "major_outage"}],
        "incidents": [{"id": "i", "name": "I", "status": "investigating", "started_at": "2026-03-02T09:00:00", "created_at": "yesterday", "components": [{"id": "a"}],
            "incident_updates": [{"status": "investigating", "body": "x", "display_at": "2026-03-02 09:00"}]}]}"#;
    let page = page(&[("/api/v2/summary.json", json)]);
    assert_eq!(
        (
            page.incidents[0].started_at,
            page.incidents[0].updates[0].at
        ),
        (None, None)
    );
    assert_eq!((page.incidents[0].open, status(&page, ["a"])), (true, Down));
}

#[test]
fn ids_that_are_numbers() {
    let json = br#"{"page": {"id": 7}, "status": {"indicator": "none"}, "components": [{"id": 1, "name": "A", "status": "operational", "group_id": 2},
        {"id": 2, "name": "G", "group": true}, {"id": 3.5, "name": "no id", "status": "operational"}, {"id": {"x": 1}, "name": "no id", "status": "operational"}],
        "incidents": [{"id": 9, "name": "I", "status": "identified", "components": [{"id": 1}]}]}"#;
    let page = page(&[("/api/v2/summary.json", json)]);
    assert_eq!(components(&page), named(&[("G > A", Up)]));
    assert_eq!(
        (
            page.components[0].id.as_str(),
            &page.incidents[0].component_ids
        ),
        ("1", &vec!["1".to_owned()])
    );
}

#[test]
fn ids_that_stand_twice() {
    let json = br#"{"page": {"id": "p"}, "status": {"indicator": "none"}, "components": [{"id": "a", "name": "A", "status": "operational"},
        {"id": "b", "name": "B", "status": "operational"}, {"id": "a", "name": "A2", "status": "major_outage"}, {"id": "b", "name": "B2", "status": "operational"}],
        "incidents": [{"id": "i", "name": "I", "status": "identified"}, {"id": "i", "name": "I again", "status": "resolved"}]}"#;
    let page = page(&[("/api/v2/summary.json", json)]);
    // Two that do not agree: nobody knows. Two that do: one.
    assert_eq!(components(&page), named(&[("A", Unknown), ("B", Up)]));
    assert_eq!(
        page.components[0].vendor_status,
        "operational / major_outage"
    );
    assert_eq!(
        page.incidents
            .iter()
            .map(|incident| incident.name.as_str())
            .collect::<Vec<_>>(),
        ["I"]
    );
}

#[test]
fn an_empty_list_after_a_full_one() {
    for empty in ["[]", "null"] {
        let json = format!(
            r#"{{"page": {{"id": "p"}}, "status": {{"indicator": "none"}}, "components": {empty}, "incidents": []}}"#
        );
        let page = page(&[("/api/v2/summary.json", json.as_bytes())]);
        assert_eq!(
            (sight(&page, "a"), status(&page, ["a"])),
            (ComponentPresence::Missing, Unknown)
        );
    }
    // Pages that list only affected components still have the component of the whole product.
    let mut page = page(&[(
        "/api/v2.0.0/current",
        br#"{"status": "ok", "active_incidents": []}"#,
    )]);
    assert_eq!(sight(&page, "Files"), ComponentPresence::Unmentioned);
    page.components.clear();
    assert_eq!(sight(&page, "Files"), ComponentPresence::Missing);
}

#[test]
fn a_component_that_is_gone_is_missing_and_its_namesakes_are_offered() {
    let page = page(&[("/api/v2/summary.json", &fixture("atlassian-summary.json"))]);
    let gone = Followed {
        id: "c-old".into(),
        name: "api".into(),
        group: Some("Europe".into()),
    };
    assert_eq!(
        (sight(&page, &gone.id), status(&page, [gone.id.as_str()])),
        (ComponentPresence::Missing, Unknown)
    );
    let offered: Vec<_> = successors(&page, &gone)
        .into_iter()
        .map(|component: &Component| component.id.as_str())
        .collect();
    assert_eq!(offered, ["c-api-eu", "c-api-us"]);
}

#[test]
fn words_of_other_cases_and_kinds_are_unknown() {
    let words = [
        "Operational",
        "OPERATIONAL",
        "up",
        "",
        "operational!",
        "major outage",
    ];
    let list: Vec<_> = words
        .iter()
        .enumerate()
        .map(|(id, word)| format!(r#"{{"id": {id}, "name": "n", "status": "{word}"}}"#))
        .collect();
    let extra = r#"{"id": "t", "name": "n", "status": true}, {"id": "o", "name": "n", "status": {"a": 1}}, {"id": "x", "name": "n"}"#;
    let json = format!(
        r#"{{"page": {{"id": "p"}}, "status": {{"indicator": "none"}}, "components": [{}, {extra}]}}"#,
        list.join(",")
    );
    let page = page(&[("/api/v2/summary.json", json.as_bytes())]);
    assert_eq!(page.components.len(), words.len() + 3);
    assert!(
        page.components
            .iter()
            .all(|component| component.status == Unknown),
        "{:?}",
        page.components
    );
}

#[test]
fn a_feed_that_is_none_or_is_cut_off() {
    let feed = String::from_utf8(fixture("azure-feed-incident.xml")).unwrap();
    let end = feed.trim_end().len();
    for cut in (1..end)
        .step_by(5)
        .filter(|cut| feed.is_char_boundary(*cut))
    {
        assert!(
            read("https://azure.example/feed/", &feed.as_bytes()[..cut]).is_err(),
            "cut at {cut}: {}",
            &feed[..cut]
        );
    }
    for other in [
        "<rss></rss>",
        "<rss><channel></channel></rss>",
        "<rss><channel><title>Some blog</title></channel></rss>",
        "<feed><title>Azure Status</title></feed>",
        "<rss><channel><title>Azure Status</title></rss></channel>",
        "<title>Azure Status</title>",
        "<rss><title>Azure Status</title></rss>",
    ] {
        assert!(
            read("https://azure.example/feed/", other.as_bytes()).is_err(),
            "{other}"
        );
    }
    let doctype = r#"<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><rss><channel><title>Azure Status &b;</title></channel></rss>"#;
    // Entities of its own are not expanded.
    assert!(
        read("https://azure.example/feed/", doctype.as_bytes())
            .is_ok_and(|reading| reading.name.as_deref() == Some("Microsoft Azure"))
    );
}

#[test]
fn part_of_a_list_is_no_list() {
    let json = br#"{"meta": {"pagination": {"total": 40, "count": 1}}, "data": [{"id": 1, "name": "API", "status": 1, "group_id": 0}]}"#;
    assert_eq!(
        read("https://a.example/api/v1/components", json)
            .unwrap_err()
            .to_string(),
        "the answer holds only a part of the components"
    );
}

#[test]
fn texts_are_bounded_and_links_lead_to_the_web() {
    let long = "x".repeat(1 << 20);
    let json = format!(
        r#"{{"page": {{"id": "p", "name": "{long}", "url": "javascript:alert(1)"}}, "status": {{"indicator": "none"}},
        "components": [{{"id": "a", "name": "{long}\u0000", "status": "{long}"}}, {{"id": "{long}", "name": "b", "status": "operational"}}],
        "incidents": [{{"id": "i", "name": "<script>\u0007", "status": "identified", "shortlink": "data:text/html,x", "incident_updates": [{{"body": "{long}"}}]}}]}}"#
    );
    let page = page(&[("/api/v2/summary.json", json.as_bytes())]);
    assert_eq!((page.components.len(), page.url.as_deref()), (1, None));
    assert!(
        page.components[0].name.chars().count() <= 301
            && page.components[0].vendor_status.chars().count() <= 301
    );
    assert_eq!(
        (
            page.incidents[0].name.as_str(),
            page.incidents[0].url.as_deref()
        ),
        ("<script>", None)
    );
    assert!(page.incidents[0].updates[0].body.chars().count() <= 8_001);
}

#[test]
fn what_cannot_be_told_is_not_in_order() {
    let why = |url: &str, json: &str| read(url, json.as_bytes()).unwrap_err().to_string();
    // incident.io: only who is affected has a status.
    let proxy = |affected: &str| {
        format!(
            r#"{{"summary": {{"components": [{{"id": "a", "name": "A"}}, {{"id": "b", "name": "B"}}]{affected},
            "structure": {{"items": [{{"component": {{"component_id": "a"}}}}, {{"component": {{"component_id": "b"}}}}]}}}}}}"#
        )
    };
    let url = "https://status.vendor.example/proxy/status.vendor.example";
    for affected in [
        "",
        r#", "affected_components": null"#,
        r#", "affected_components": {"a": "full_outage"}"#,
    ] {
        assert_eq!(
            why(url, &proxy(affected)),
            "the answer has no list of the affected components"
        );
    }
    let odd = r#", "affected_components": [{"component_id": "a", "status": "full_outage"}, {"component": "b"}]"#;
    let one = page(&[("/proxy/status.vendor.example", proxy(odd).as_bytes())]);
    assert_eq!(components(&one), named(&[("A", Down), ("B", Unknown)]));
    let well = page(&[(
        "/proxy/status.vendor.example",
        proxy(r#", "affected_components": []"#).as_bytes(),
    )]);
    assert_eq!(components(&well), named(&[("A", Up), ("B", Up)]));

    // Slack, AWS and Google: what no entry names is up.
    let slack = "https://slack-status.com/api/v2.0.0/current";
    for json in [
        r#"{"status": "broken", "active_incidents": []}"#,
        r#"{"status": "active", "active_incidents": []}"#,
        r#"{"status": "active", "active_incidents": [{"id": 1, "title": "T", "type": "outage"}]}"#,
        r#"{"status": "active", "active_incidents": [{"id": 1, "title": "T", "type": "outage", "services": [{"name": "Files"}]}]}"#,
    ] {
        assert!(read(slack, json.as_bytes()).is_err(), "{json}");
    }
    let event = r#"{"service": "s3-x", "service_name": "S3", "region_name": "X", "status": "1", "arn": "a"}"#;
    let aws = "https://health.aws.amazon.com/public/currentevents";
    assert!(read(aws, format!("[{event}]").as_bytes()).is_ok());
    for odd in [
        r#"{"affected": ["ec2-x"], "severity": 3}"#,
        r#"{"service": null, "region_name": "X", "status": "3"}"#,
        r#"{"service": "ec2-x", "service_name": "EC2", "region_name": "X", "status": "3", "impacted_services": ["a"]}"#,
        r#"{"service": "ec2-x", "service_name": "EC2", "region_name": "X", "status": "3", "impacted_services": {"a": {}}}"#,
    ] {
        let json = format!("[{event}, {odd}]");
        assert_eq!(
            why(aws, &json),
            "an event in the answer does not say what it is about",
            "{odd}"
        );
    }
    let google = "https://status.cloud.google.com/incidents.json";
    let open = r#"{"id": "1", "begin": "2026-03-02T09:00:00Z", "status_impact": "SERVICE_OUTAGE", "affected_products": [{"id": "p", "title": "P"}]}"#;
    assert!(read(google, format!("[{open}]").as_bytes()).is_ok());
    for odd in [
        r#"{"id": "2"}"#,
        &open.replace(r#"{"id": "p", "title": "P"}"#, r#""p""#),
    ] {
        let json = format!("[{open}, {odd}]");
        assert_eq!(
            why(google, &json),
            "an incident in the answer does not say what it is about",
            "{odd}"
        );
    }
}

#[test]
fn a_list_that_is_null_is_not_spoken_of() {
    let spoken = |url: &str, json: &str| {
        let reading = read(url, json.as_bytes()).unwrap();
        (reading.incidents.is_some(), reading.maintenances.is_some())
    };
    let atlassian = |lists: &str| {
        format!(
            r#"{{"page": {{}}, "status": {{"indicator": "none"}}, "components": [{{"id": "a", "name": "A", "status": "operational"}}]{lists}}}"#
        )
    };
    assert_eq!(
        spoken(
            SUMMARY,
            &atlassian(r#", "incidents": null, "scheduled_maintenances": null"#)
        ),
        (false, false)
    );
    // incident.io leaves out what it has none of.
    assert_eq!(spoken(SUMMARY, &atlassian("")), (true, true));
    let heroku = "https://status.heroku.com/api/v4/current-status";
    assert_eq!(
        spoken(
            heroku,
            r#"{"status": [], "incidents": null, "scheduled": []}"#
        ),
        (false, true)
    );
    let io = "https://api.status.io/1.0/status/1";
    assert_eq!(
        spoken(io, r#"{"result": {"status_overall": {}, "status": []}}"#),
        (false, false)
    );
    assert_eq!(
        spoken(
            io,
            r#"{"result": {"status_overall": {}, "status": [], "incidents": [], "maintenance": {"active": [], "upcoming": []}}}"#
        ),
        (true, true)
    );
    let pal = "https://vendor.example/api/v2/status_pages/a/summary";
    assert_eq!(
        spoken(
            pal,
            r#"{"status_page": {}, "services": [], "incidents": null, "maintenances": []}"#
        ),
        (false, true)
    );
}
