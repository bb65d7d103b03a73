//! Lists that are sent in parts.

use crate::site::{Site, answer, fetcher, ok, redirect};
use net::fetch::Validators;
use std::fmt::Write;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use vendor_pages::page::{MAX_PARTS, PartialPage};
use vendor_pages::reader::read_url;
use vendor_pages::{discover, validate_urls};

const HOST: &str = "cachet.test";
const COMPONENTS: &str = "/api/v1/components?per_page=1000";

/// Entries with these ids, made of a template in which `#` is the id.
fn entries(ids: impl Iterator<Item = usize>, template: &str) -> String {
    let mut list = String::new();
    for id in ids {
        let comma = if list.is_empty() { "" } else { "," };
        write!(list, "{comma}{}", template.replace('#', &id.to_string())).unwrap();
    }
    list
}

/// The part of a path: the value of `page`, 1 without one.
fn part(path: &str) -> usize {
    path.split_once("page=")
        .filter(|(before, _)| !before.ends_with("per_"))
        .or_else(|| path.split_once("&page="))
        .and_then(|(_, number)| number.parse().ok())
        .unwrap_or(1)
}

/// A part of a list of `total` entries, 20 in each part, however many were asked for.
fn cachet_2(path: &str, total: usize, template: &str) -> Vec<u8> {
    let (part, parts) = (part(path), total.div_ceil(20));
    let ids = (part - 1) * 20 + 1..=(part * 20).min(total);
    let count = ids.clone().count();
    let list = path.split('?').next().unwrap();
    let next = if part < parts {
        format!("\"http://{HOST}{list}?page={}\"", part + 1)
    } else {
        "null".into()
    };
    let data = entries(ids, template);
    let json = format!(
        r#"{{"meta": {{"pagination": {{"total": {total}, "count": {count}, "per_page": 20, "current_page": {part},
            "total_pages": {parts}, "links": {{"next_page": {next}, "previous_page": null}}}}}}, "data": [{data}]}}"#
    );
    ok("etag: \"1\"\r\n", json.as_bytes())
}

const COMPONENT: &str =
    r##"{"id": #, "name": "Component #", "status": 1, "order": 0, "group_id": 0}"##;

/// A Cachet 2 with this many components that ignores `per_page`.
async fn cachet(total: usize) -> Site {
    Site::new(move |asked| {
        if asked.path.starts_with("/api/v1/components") {
            cachet_2(&asked.path, total, COMPONENT)
        } else {
            answer("404 Not Found", "", b"")
        }
    })
    .await
}

async fn read(site: &Site, path: &str) -> Result<(PartialPage, Validators), String> {
    let url = site.url(HOST, path).parse().unwrap();
    let reading = read_url(&fetcher(&[HOST]), &url, &Validators::default()).await;
    let reading = reading.map_err(|error| error.to_string())?;
    Ok((reading.reading.unwrap(), reading.validators))
}

#[tokio::test]
async fn all_parts_of_a_list_are_read_that_ignores_per_page() {
    let site = cachet(52).await;
    let (reading, validators) = read(&site, COMPONENTS).await.unwrap();
    let ids: Vec<_> = reading
        .components
        .unwrap()
        .iter()
        .map(|component| component.id.parse::<usize>().unwrap())
        .collect();
    assert_eq!(ids, (1..=52).collect::<Vec<_>>());
    assert_eq!(site.asked().len(), 3);
    // An unchanged first part says nothing about the others.
    assert_eq!(validators, Validators::default());

    let found = discover(&fetcher(&[HOST]), &site.url(HOST, "/"))
        .await
        .unwrap();
    assert_eq!(found.page.components.len(), 52);
    assert_eq!(found.api_urls, [site.url(HOST, COMPONENTS)]);
    let (found, rejected) = validate_urls(&fetcher(&[HOST]), &found.api_urls).await;
    assert_eq!(
        (found.unwrap().page.components.len(), rejected.len()),
        (52, 0)
    );
}

#[tokio::test]
async fn a_list_in_one_part_is_requested_once() {
    let site = cachet(20).await;
    let (reading, validators) = read(&site, COMPONENTS).await.unwrap();
    assert_eq!(reading.components.unwrap().len(), 20);
    assert_eq!(validators.etag.as_deref(), Some("\"1\""));
    assert_eq!(site.asked().len(), 1);
}

#[tokio::test]
async fn a_list_of_components_with_too_many_parts_is_refused() {
    let site = cachet(20 * MAX_PARTS).await;
    let (reading, _) = read(&site, COMPONENTS).await.unwrap();
    assert_eq!(reading.components.unwrap().len(), 20 * MAX_PARTS);
    let site = cachet(20 * MAX_PARTS + 1).await;
    assert_eq!(
        read(&site, COMPONENTS).await.unwrap_err(),
        format!("the list has more than {MAX_PARTS} parts, and no more are read")
    );
    assert_eq!(site.asked().len(), MAX_PARTS);
}

#[tokio::test]
async fn a_list_without_links_is_followed_by_number_and_json_api_by_link() {
    let site = Site::new(|asked| {
        let part = part(&asked.path);
        let next = if part < 3 { format!("\"?page={}\"", part + 1) } else { "null".into() };
        let json = if asked.path.starts_with("/api/v1/") {
            format!(
                r#"{{"meta": {{"pagination": {{"total": 3, "current_page": {part}, "total_pages": 3}}}},
                    "data": [{{"id": {part}, "name": "C", "status": 1, "group_id": 0}}]}}"#
            )
        } else {
            format!(
                r#"{{"data": [{{"id": "{part}", "type": "components", "attributes": {{"name": "C", "status": {{"value": 1}}}}}}],
                    "links": {{"next": {next}}}, "meta": {{"current_page": {part}}}}}"#
            )
        };
        ok("", json.as_bytes())
    })
    .await;
    for path in [COMPONENTS, "/api/components?per_page=1000&include=group"] {
        let (reading, _) = read(&site, path).await.unwrap();
        assert_eq!(reading.components.unwrap().len(), 3, "{path}");
    }
}

#[tokio::test]
async fn past_incidents_are_not_requested_and_all_schedules_are() {
    let site = Site::new(|asked| {
        let over = r##"{"id": #, "component_id": 0, "name": "I", "status": 4, "message": "M"}"##;
        let schedule =
            r##"{"id": #, "name": "S", "status": 2, "scheduled_at": null, "completed_at": null}"##;
        if asked.path.starts_with("/api/v1/incidents") {
            cachet_2(&asked.path, 1_000, over)
        } else {
            cachet_2(&asked.path, 52, schedule)
        }
    })
    .await;
    let (reading, _) = read(&site, "/api/v1/incidents?sort=id&order=desc&per_page=50")
        .await
        .unwrap();
    assert_eq!(
        (reading.incidents.unwrap().len(), site.asked().len()),
        (20, 1)
    );
    let (reading, _) = read(&site, "/api/v1/schedules?per_page=50").await.unwrap();
    assert_eq!(
        (reading.maintenances.unwrap().len(), site.asked().len()),
        (52, 4)
    );
}

#[tokio::test]
async fn no_part_is_requested_elsewhere_or_missed() {
    // The link leads to another host, to itself, past the guard, or to a part that fails or has another shape.
    let first = |next: &str| {
        format!(
            r#"{{"meta": {{"pagination": {{"total": 2, "links": {{"next_page": {next}}}}}}},
                "data": [{{"id": 1, "name": "A", "status": 1, "group_id": 0}}]}}"#
        )
    };
    for (next, reason) in [
        (
            "\"http://elsewhere.test/api/v1/components?page=2\"",
            "only a part of the components",
        ),
        (
            "\"http://169.254.169.254/api/v1/components?page=2\"",
            "only a part of the components",
        ),
        ("\"?per_page=1000\"", "only a part of the components"),
        ("null", "only a part of the components"),
        ("\"/empty\"", "only a part of the components"),
        ("\"/gone\"", "answered 404"),
        ("\"/html\"", "a web page"),
        (
            "\"/away\"",
            "169.254.169.254 is a private or reserved address",
        ),
        ("\"/incidents\"", "no known shape"),
    ] {
        let first = first(next);
        let site = Site::new(move |asked| match asked.path.as_str() {
            COMPONENTS => ok("", first.as_bytes()),
            "/html" => ok("", b"<!doctype html><html>"),
            "/away" => redirect("http://169.254.169.254/"),
            "/empty" => ok(
                "",
                br#"{"meta": {}, "data": [{"id": 1, "name": "A", "status": 1, "group_id": 0}, 7]}"#,
            ),
            "/incidents" => ok(
                "",
                br#"{"meta": {}, "data": [{"id": 1, "name": "A", "status": 1, "message": "M"}]}"#,
            ),
            _ => answer("404 Not Found", "", b""),
        })
        .await;
        let failed = read(&site, COMPONENTS).await;
        if next == "\"/empty\"" {
            // As many entries as announced, of which one cannot be followed.
            assert_eq!(failed.unwrap().0.components.unwrap().len(), 1);
            continue;
        }
        let error = failed.unwrap_err();
        assert!(error.contains(reason), "{next}: {error}");
        assert!(site.asked().iter().all(|asked| asked.host == HOST));
    }
}

#[tokio::test]
async fn all_parts_together_are_as_small_as_one_response() {
    // Each part is just below the limit of one.
    let filler = "x".repeat(900 << 10);
    let site = Site::new(move |asked| {
        let part = part(&asked.path);
        let json = format!(
            r#"{{"meta": {{"current_page": {part}, "last_page": 20}}, "filler": "{filler}",
                "data": [{{"id": {part}, "name": "C", "status": 1, "group_id": 0}}]}}"#
        );
        ok("", json.as_bytes())
    })
    .await;
    assert_eq!(
        read(&site, COMPONENTS).await.unwrap_err(),
        "the answers are together larger than 8388608 bytes (8 MiB)"
    );
    assert!(site.asked().len() < 12, "{}", site.asked().len());
}

#[tokio::test]
async fn all_parts_together_take_no_longer_than_one_request() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // The first part is sent, and the second one never.
    let serving = tokio::spawn(async move {
        let json = r#"{"data": [{"id": 1, "name": "A", "status": 1, "group_id": 0}], "meta": {"next": "?page=2"}}"#;
        let (mut first, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            first.read_buf(&mut head).await.unwrap();
        }
        first.write_all(&ok("", json.as_bytes())).await.unwrap();
        first.shutdown().await.unwrap();
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    let url = format!("http://{HOST}:{port}{COMPONENTS}").parse().unwrap();
    let fetcher = fetcher(&[HOST]).within(Duration::from_millis(300));
    let error = read_url(&fetcher, &url, &Validators::default()).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "no complete answer within 0.3 seconds"
    );
    serving.abort();
}
