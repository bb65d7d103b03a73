//! Finding a page from whatever address somebody has.

use crate::fixture;
use crate::site::{Site, answer, fetcher, guarded, ok, redirect, zipped};
use net::{Guard, Refused};
use vendor_pages::{Discovery, DiscoveryError, discover, validate_urls};

/// A vendor with a site and a vendor page of Statuspage's shape on its own host.
async fn vendor() -> Site {
    Site::with(&[
        ("harbour.test/", b"<!doctype html><html>Buy our cloud".to_vec()),
        ("status.harbour.test/", b"<!doctype html><html>All systems".to_vec()),
        ("status.harbour.test/history", b"<!doctype html><html>Before".to_vec()),
        ("status.harbour.test/api/v2/summary.json", fixture("atlassian-summary.json")),
        (
            "status.harbour.test/api/v2/components.json",
            br#"{"page": {"id": "pg1"}, "components": [{"id": "c-web", "name": "Website", "status": "operational"}]}"#
                .to_vec(),
        ),
    ])
    .await
}

const NAMES: [&str; 3] = ["harbour.test", "www.harbour.test", "status.harbour.test"];

fn paths(found: &Discovery) -> Vec<String> {
    found
        .api_urls
        .iter()
        .map(|url| url.splitn(4, '/').last().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_page_is_found_from_itself_from_deep_inside_from_its_data_and_from_the_vendors_site() {
    let site = vendor().await;
    for (host, path) in [
        ("status.harbour.test", "/"),
        ("status.harbour.test", "/history?page=2#x"),
        ("status.harbour.test", "/history"),
        ("status.harbour.test", "/api/v2/summary.json"),
        ("status.harbour.test", "/api/v2/components.json"),
        ("harbour.test", "/pricing"),
        ("www.harbour.test", "/"),
    ] {
        let found = discover(&fetcher(&NAMES), &site.url(host, path))
            .await
            .unwrap_or_else(|error| panic!("{host}{path}: {error}"));
        // The list of components has nothing that the summary does not have: one request a cycle is enough.
        assert_eq!(
            found.api_urls,
            [site.url("status.harbour.test", "/api/v2/summary.json")],
            "{host}{path}"
        );
        assert_eq!(
            (found.page.name.as_deref(), found.page.components.len()),
            (Some("Harbour Cloud"), 6)
        );
    }
}

#[tokio::test]
async fn a_summary_that_is_cut_short_is_read_together_with_the_list_of_components() {
    let list = br#"{"page": {"id": "pg1"}, "components": [{"id": "c-web", "name": "Website", "status": "operational"}, {"id": "c-more", "name": "More", "status": "major_outage"}]}"#;
    let site = Site::with(&[
        (
            "status.harbour.test/api/v2/summary.json",
            fixture("atlassian-summary.json"),
        ),
        ("status.harbour.test/api/v2/components.json", list.to_vec()),
    ])
    .await;
    let found = discover(&fetcher(&NAMES), &site.url("status.harbour.test", "/"))
        .await
        .unwrap();
    assert_eq!(
        paths(&found),
        ["api/v2/summary.json", "api/v2/components.json"]
    );
    assert!(
        found
            .page
            .components
            .iter()
            .any(|component| component.id == "c-more")
    );
    assert_eq!(found.page.incidents.len(), 2);
}

#[tokio::test]
async fn the_richer_of_two_shapes_is_taken() {
    let site = Site::with(&[
        (
            "status.quill.test/proxy/status.quill.test",
            fixture("incidentio-proxy.json"),
        ),
        (
            "status.quill.test/api/v2/summary.json",
            fixture("atlassian-summary.json"),
        ),
    ])
    .await;
    let found = discover(
        &fetcher(&["status.quill.test"]),
        &site.url("status.quill.test", "/"),
    )
    .await
    .unwrap();
    assert_eq!(
        (found.page.provider, paths(&found)),
        ("incident.io", vec!["proxy/status.quill.test".to_owned()])
    );
}

#[tokio::test]
async fn a_page_of_several_answers_is_read_from_all_of_them() {
    let site = Site::with(&[
        (
            "cachet.test/api/v1/components?per_page=1000",
            fixture("cachet2-components.json"),
        ),
        (
            "cachet.test/api/v1/incidents?sort=id&order=desc&per_page=50",
            br#"{"meta": {"pagination": {"total": 0}}, "data": []}"#.to_vec(),
        ),
        (
            "cachet.test/api/v1/schedules?per_page=50",
            fixture("cachet2-schedules.json"),
        ),
    ])
    .await;
    let found = discover(&fetcher(&["cachet.test"]), &site.url("cachet.test", "/"))
        .await
        .unwrap();
    assert_eq!(
        (
            found.page.provider,
            found.api_urls.len(),
            found.page.maintenances.len()
        ),
        ("Cachet 2", 3, 1)
    );
}

#[tokio::test]
async fn the_vendors_site_may_say_where_its_vendor_page_is() {
    let port = std::sync::Arc::new(std::sync::OnceLock::<u16>::new());
    let known = std::sync::Arc::clone(&port);
    let site = Site::new(
        move |asked| match (asked.host.as_str(), asked.path.as_str()) {
            ("shop.test", "/") => ok(
                "",
                format!(
                    "<html><a href='/about'>x</a><a href=\"http://shopstatus.test:{}/\">Status</a>",
                    known.get().unwrap()
                )
                .as_bytes(),
            ),
            ("shopstatus.test", "/api/v2/summary.json") => {
                ok("", &fixture("atlassian-summary.json"))
            }
            _ => answer("404 Not Found", "", b""),
        },
    )
    .await;
    port.set(site.address.port()).unwrap();
    let found = discover(
        &fetcher(&["shop.test", "shopstatus.test"]),
        &site.url("shop.test", "/"),
    )
    .await
    .unwrap();
    assert_eq!(
        found.api_urls,
        [site.url("shopstatus.test", "/api/v2/summary.json")]
    );
}

#[tokio::test]
async fn a_page_that_moved_to_another_provider_is_found_where_it_is_now() {
    let port = std::sync::Arc::new(std::sync::OnceLock::<u16>::new());
    let known = std::sync::Arc::clone(&port);
    let site = Site::new(
        move |asked| match (asked.host.as_str(), asked.path.as_str()) {
            ("old.test", path) => {
                redirect(&format!("http://new.test:{}{path}", known.get().unwrap()))
            }
            ("new.test", "/index.json") => ok("", &fixture("betterstack-index.json")),
            _ => answer("404 Not Found", "", b""),
        },
    )
    .await;
    port.set(site.address.port()).unwrap();
    let found = discover(
        &fetcher(&["old.test", "new.test"]),
        &site.url("old.test", "/api/v2/summary.json"),
    )
    .await
    .unwrap();
    assert_eq!(
        (found.page.provider, found.api_urls),
        ("Better Stack", vec![site.url("new.test", "/index.json")])
    );
}

async fn fails(site: &Site, host: &str, path: &str) -> DiscoveryError {
    discover(&fetcher(&[host]), &site.url(host, path))
        .await
        .unwrap_err()
}

#[tokio::test]
async fn what_is_no_vendor_page_is_named_for_what_it_is() {
    let html = Site::new(|_| ok("", b"<!doctype html><html>Welcome")).await;
    assert_eq!(
        fails(&html, "blog.test", "/").await.to_string(),
        "no known kind of vendor page was found at blog.test or at addresses that it refers to"
    );
    let other = Site::with(&[(
        "data.test/api/v2/summary.json",
        br#"{"hello": "world"}"#.to_vec(),
    )])
    .await;
    assert!(
        fails(&other, "data.test", "/")
            .await
            .to_string()
            .ends_with("/api/v2/summary.json cannot be read: the answer has no known shape")
    );
    let cut = Site::with(&[(
        "cut.test/api/v2/summary.json",
        fixture("atlassian-summary.json")[..400].to_vec(),
    )])
    .await;
    assert!(matches!(
        fails(&cut, "cut.test", "/").await,
        DiscoveryError::Unreadable { .. }
    ));
    let empty = Site::with(&[(
        "empty.test/api/v2/summary.json",
        br#"{"page": {"id": "x"}, "status": {"indicator": "none"}, "components": []}"#.to_vec(),
    )])
    .await;
    assert!(matches!(
        fails(&empty, "empty.test", "/").await,
        DiscoveryError::NoComponents(_)
    ));
    let bomb = zipped(&vec![b'['; 64 << 20]);
    let bomb = Site::new(move |_| ok("content-encoding: gzip\r\n", &bomb)).await;
    assert!(
        fails(&bomb, "bomb.test", "/")
            .await
            .to_string()
            .contains("larger than")
    );
}

#[tokio::test]
async fn addresses_that_are_none_or_lead_nowhere_are_told_apart() {
    let nobody = discover(&fetcher(&[]), "https://nobody.test/")
        .await
        .unwrap_err();
    assert_eq!(
        nobody.to_string(),
        "nobody.test cannot be reached: name does not resolve: nobody.test"
    );
    assert!(matches!(
        discover(&fetcher(&[]), "ftp://a.test").await,
        Err(DiscoveryError::Address(_))
    ));
    let site = vendor().await;
    let fetcher = guarded(Guard::PublicOnly, &NAMES);
    let refused = discover(&fetcher, &site.url("status.harbour.test", "/"))
        .await
        .unwrap_err();
    assert_eq!(
        refused,
        DiscoveryError::Refused(Refused::Name("status.harbour.test".into()))
    );
    let refused = discover(&fetcher, "http://10.0.0.1/").await.unwrap_err();
    assert_eq!(
        refused,
        DiscoveryError::Refused(Refused::Address("10.0.0.1".parse().unwrap()))
    );
    assert!(site.asked().is_empty());
}

#[tokio::test]
async fn no_reference_leads_past_the_guard() {
    let site = Site::new(|asked| match asked.path.as_str() {
        "/" => ok("", b"<html><a href='http://169.254.169.254/status'>s</a><a href='http://status.metadata.test/'>s</a><a href='http://metadata.test/status'>"),
        _ => redirect("http://169.254.169.254/"),
    })
    .await;
    assert!(matches!(
        fails(&site, "evil.test", "/").await,
        DiscoveryError::NotFound(_)
    ));
}

#[tokio::test]
async fn addresses_given_by_hand_are_kept_if_they_contribute_and_named_if_they_do_not() {
    let site = Site::with(&[
        ("a.test/summary", fixture("instatus-summary.json")),
        ("a.test/parts", fixture("instatus-components.json")),
        ("a.test/html", b"<html>".to_vec()),
        ("a.test/shape", b"{}".to_vec()),
        (
            "a.test/nothing",
            br#"{"page": {"id": "x"}, "status": {"indicator": "none"}, "components": []}"#.to_vec(),
        ),
        ("a.test/broken", b"{\"page\":".to_vec()),
    ])
    .await;
    let paths = [
        "/summary", "/html", "/parts", "/shape", "/nothing", "/broken", "/gone", "/parts",
    ];
    let mut urls: Vec<String> = paths.iter().map(|path| site.url("a.test", path)).collect();
    urls.extend(["ftp://a.test/x".into(), "http://169.254.169.254/".into()]);
    let (found, rejected) = validate_urls(&fetcher(&["a.test"]), &urls).await;
    let found = found.unwrap();
    assert_eq!(found.api_urls, [urls[0].clone(), urls[2].clone()]);
    assert_eq!(
        (
            found.page.components.len(),
            found.page.incidents.len(),
            found.page.maintenances.len()
        ),
        (3, 1, 2)
    );
    let reason = |url: &str| {
        &rejected
            .iter()
            .find(|rejected| rejected.url == url)
            .unwrap_or_else(|| panic!("{url} was kept"))
            .reason
    };
    assert_eq!(
        reason(&urls[1]),
        "the answer is a web page, not status data"
    );
    assert_eq!(reason(&urls[3]), "the answer has no known shape");
    assert_eq!(
        reason(&urls[4]),
        "it has no components, incidents or maintenance"
    );
    assert!(reason(&urls[5]).starts_with("the answer is no valid JSON"));
    assert_eq!(reason(&urls[6]), "answered 404");
    assert_eq!(reason(&urls[7]), "it is given twice");
    assert!(reason(&urls[8]).contains("ftp"));
    assert_eq!(
        reason(&urls[9]),
        "169.254.169.254 is a private or reserved address"
    );
    assert_eq!(rejected.len(), 8);
}

#[tokio::test]
async fn of_addresses_that_all_fail_nothing_is_left() {
    let (found, rejected) =
        validate_urls(&fetcher(&[]), &["https://nobody.test/".into(), "  ".into()]).await;
    assert_eq!((found, rejected.len()), (None, 2));
}

#[tokio::test]
async fn two_users_who_find_one_page_in_two_ways_find_the_same_one() {
    let site = vendor().await;
    let one = discover(&fetcher(&NAMES), &site.url("status.harbour.test", "/"))
        .await
        .unwrap();
    let other = discover(&fetcher(&NAMES), &site.url("harbour.test", "/"))
        .await
        .unwrap();
    assert_eq!(one.key(), other.key());
}
