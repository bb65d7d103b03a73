//! Finding a page from whatever address somebody has.

use crate::fixture;
use crate::site::{Site, answer, fetcher, guarded, ok, redirect, zipped};
use net::{Guard, Refused};
use vendor_pages::{Discovery, DiscoveryError, discover, rediscover, validate_urls};

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

/// Answers by `host/path`, with `{port}` for the server's port; everything else is a 404.
async fn hosts(answers: &'static [(&'static str, &'static str, &'static str)]) -> Site {
    let port = std::sync::Arc::new(std::sync::OnceLock::<u16>::new());
    let known = std::sync::Arc::clone(&port);
    let site = Site::new(move |asked| {
        let port = known.get().unwrap().to_string();
        let name = format!("{}{}", asked.host, asked.path);
        let whole_host = format!("{}/*", asked.host);
        let found = answers
            .iter()
            .find(|(of, ..)| *of == name || *of == whole_host);
        match found {
            Some((_, "200 OK", file)) => ok("", &fixture(file)),
            Some((_, status, location)) if status.starts_with('3') => {
                let location = location
                    .replace("{port}", &port)
                    .replace("{path}", &asked.path);
                answer(status, &format!("location: {location}\r\n"), b"")
            }
            Some((_, status, rest)) => {
                let (headers, body) = rest.split_once("\r\n\r\n").unwrap_or(("", rest));
                let headers = if headers.is_empty() {
                    String::new()
                } else {
                    format!("{headers}\r\n")
                };
                answer(status, &headers, body.as_bytes())
            }
            None => answer("404 Not Found", "", b""),
        }
    })
    .await;
    port.set(site.address.port()).unwrap();
    site
}

#[tokio::test]
async fn a_page_is_found_behind_a_redirect_to_another_host() {
    const SUMMARY: (&str, &str, &str) = (
        "acmestatus.test/api/v2/summary.json",
        "200 OK",
        "atlassian-summary.json",
    );
    for answers in [
        &[
            (
                "www.acme.test/status",
                "302 Found",
                "http://acmestatus.test:{port}/",
            ),
            SUMMARY,
        ] as &'static [_],
        // To a page for people, to an address deep inside, and by way of a third host.
        &[
            (
                "www.acme.test/status",
                "301 Moved",
                "http://acmestatus.test:{port}/history",
            ),
            (
                "acmestatus.test/history",
                "200 Fine",
                "<!doctype html><html>Before",
            ),
            SUMMARY,
        ],
        &[
            (
                "www.acme.test/status",
                "307 Temporary",
                "http://third.test:{port}/x",
            ),
            (
                "third.test/x",
                "308 Permanent",
                "http://acmestatus.test:{port}/",
            ),
            SUMMARY,
        ],
        // All paths of the old host lead to the root of the new one.
        &[
            (
                "www.acme.test/*",
                "301 Moved",
                "http://acmestatus.test:{port}/",
            ),
            SUMMARY,
        ],
        // Only the usual host of the status page redirects.
        &[
            (
                "status.acme.test/*",
                "302 Found",
                "http://acmestatus.test:{port}/",
            ),
            SUMMARY,
        ],
    ] {
        let site = hosts(answers).await;
        let names = [
            "www.acme.test",
            "status.acme.test",
            "acmestatus.test",
            "third.test",
        ];
        let found = discover(&fetcher(&names), &site.url("www.acme.test", "/status")).await;
        let found = found.unwrap_or_else(|error| panic!("{answers:?}: {error}"));
        assert_eq!(
            found.api_urls,
            [site.url("acmestatus.test", "/api/v2/summary.json")],
            "{answers:?}"
        );
    }
}

#[tokio::test]
async fn a_page_that_moved_is_looked_for_behind_permanent_redirects_only() {
    for (status, is_found) in [
        ("301 Moved", true),
        ("308 Moved", true),
        ("302 Found", false),
        ("307 Temporary", false),
    ] {
        let answers: &'static [_] = vec![
            ("old.test/*", status, "http://new.test:{port}/"),
            (
                "new.test/api/v2/summary.json",
                "200 OK",
                "atlassian-summary.json",
            ),
        ]
        .leak();
        let site = hosts(answers).await;
        let address = site.url("old.test", "/api/v2/summary.json");
        let fetcher = fetcher(&["old.test", "new.test"]);
        assert_eq!(
            rediscover(&fetcher, &address).await.is_ok(),
            is_found,
            "{status}"
        );
        assert!(discover(&fetcher, &address).await.is_ok(), "{status}");
    }
}

#[tokio::test]
async fn no_redirect_of_a_search_leads_past_the_guard() {
    let site = hosts(&[("evil.test/*", "301 Moved", "http://169.254.169.254/")]).await;
    assert!(matches!(
        fails(&site, "evil.test", "/").await,
        DiscoveryError::Refused(_)
    ));
}

#[tokio::test]
async fn what_nobody_may_read_is_blocked_and_says_where_and_what_to_do() {
    const CHALLENGE: &str = "<!DOCTYPE html><html><title>Just a moment...</title>";
    for (answers, message, advice) in [
        (
            &[("v.test/*", "403 Forbidden", CHALLENGE)] as &'static [_],
            "answered 403 (bot protection: \"Just a moment...\")",
            "the vendor lets only browsers in",
        ),
        (
            &[("v.test/*", "503 Service Unavailable", "")],
            "answered 503",
            "try again later",
        ),
        (
            &[(
                "v.test/*",
                "429 Too Many Requests",
                "retry-after: 120\r\n\r\nslow down",
            )],
            "answered 429",
            "it asks to wait for 120 s",
        ),
        (
            &[("v.test/*", "429 Too Many Requests", "")],
            "answered 429",
            "try again in a few minutes",
        ),
        (
            &[("v.test/*", "401 Unauthorized", "")],
            "answered 401",
            "check that the page is public",
        ),
        // The page for people can be read, and only the API is protected.
        (
            &[
                ("v.test/", "200 OK", "page.html"),
                ("v.test/api/v2/summary.json", "403 Forbidden", CHALLENGE),
            ],
            "/api/v2/summary.json answered 403 (bot protection: \"Just a moment...\")",
            "the vendor lets only browsers in",
        ),
        // The page that the address redirects to.
        (
            &[
                ("v.test/", "302 Found", "http://elsewhere.test:{port}/"),
                ("elsewhere.test/*", "403 Forbidden", ""),
            ],
            "answered 403",
            "check that the page is public",
        ),
        // The usual host of the status page.
        (
            &[
                ("v.test/", "200 OK", "page.html"),
                ("status.v.test/*", "503 Service Unavailable", ""),
            ],
            "answered 503",
            "try again later",
        ),
    ] {
        let answers: &'static [_] = answers
            .iter()
            .map(|(of, status, rest)| {
                // A page without any reference.
                if *rest == "page.html" {
                    (*of, "200 Fine", "<!doctype html><html>Welcome")
                } else {
                    (*of, *status, *rest)
                }
            })
            .collect::<Vec<_>>()
            .leak();
        let site = hosts(answers).await;
        let names = ["v.test", "status.v.test", "elsewhere.test"];
        let error = discover(&fetcher(&names), &site.url("v.test", "/"))
            .await
            .unwrap_err();
        let DiscoveryError::Blocked(refusals) = &error else {
            panic!("{answers:?}: {error}");
        };
        assert!(error.to_string().contains(message), "{answers:?}: {error}");
        assert!(error.to_string().contains("http://"), "{error}");
        assert!(refusals.advice().contains(advice), "{}", refusals.advice());
    }
}

#[tokio::test]
async fn a_challenge_with_status_200_is_a_refusal_too() {
    let page = "<!DOCTYPE html><html><title>Just a moment...</title>";
    let site = Site::new(move |_| ok("", page.as_bytes())).await;
    let error = fails(&site, "v.test", "/").await;
    assert!(matches!(error, DiscoveryError::Blocked(_)), "{error}");
    assert!(error.to_string().contains("Just a moment..."), "{error}");
}

#[tokio::test]
async fn a_search_reads_a_bounded_number_of_bytes() {
    // Each response is below the limit of one.
    let site = Site::new(|_| ok("", &vec![b'{'; 1_000_000])).await;
    let error = fails(&site, "v.test", "/").await;
    assert!(
        matches!(error, DiscoveryError::Unreadable { .. }),
        "{error}"
    );
    let site = Site::new(|_| ok("", &vec![b' '; 1_000_000])).await;
    let fetcher = fetcher(&["v.test", "status.v.test"]);
    let error = discover(&fetcher, &site.url("v.test", "/")).await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("together larger than 25165824 bytes"),
        "{error}"
    );
}
