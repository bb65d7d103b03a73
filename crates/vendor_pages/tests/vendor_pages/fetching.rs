//! Fetching a page: politely, within bounds, and never past the guard.

use crate::site::{Site, answer, fetcher, guarded, ok, redirect, zipped};
use domain::Cause;
use net::fetch::{RetryAfter, Validators};
use net::{FetchError, Fetched, Guard, Redirects, Refused};
use std::time::Duration;
use tokio::net::TcpListener;

const HOST: &str = "vendor.test";

async fn get(site: &Site, path: &str) -> Result<Fetched, FetchError> {
    fetcher(&[HOST])
        .get(
            &site.url(HOST, path).parse().unwrap(),
            &Validators::default(),
        )
        .await
}

#[tokio::test]
async fn what_is_unchanged_is_not_sent_again() {
    let site = Site::new(|asked| {
        let known = asked.head.contains("if-none-match: \"v1\"")
            && asked
                .head
                .contains("if-modified-since: Mon, 02 Mar 2026 08:00:00 GMT");
        if known {
            answer("304 Not Modified", "etag: \"v2\"\r\n", b"")
        } else {
            ok(
                "etag: \"v1\"\r\nlast-modified: Mon, 02 Mar 2026 08:00:00 GMT\r\n",
                b"body",
            )
        }
    })
    .await;
    let first = get(&site, "/").await.unwrap();
    assert_eq!(first.body.as_deref(), Some(b"body".as_slice()));
    let fetcher = fetcher(&[HOST]);
    let second = fetcher.get(&first.url, &first.validators).await.unwrap();
    assert_eq!(second.body, None);
    // What was not given anew still holds.
    assert_eq!(
        second.validators,
        Validators {
            etag: Some("\"v2\"".into()),
            last_modified: first.validators.last_modified
        }
    );
    let sent = &site.asked()[0].head;
    assert!(
        sent.contains("user-agent: PulseCheck/")
            && sent.contains("accept: application/json")
            && !sent.contains("if-none-match"),
        "{sent}"
    );
}

#[tokio::test]
async fn an_unasked_for_304_is_no_answer() {
    let site = Site::new(|_| answer("304 Not Modified", "", b"")).await;
    assert_eq!(
        get(&site, "/").await,
        Err(FetchError::Status {
            code: 304,
            retry_after: None
        })
    );
}

#[tokio::test]
async fn the_servers_wish_to_be_left_alone_is_told() {
    let site = Site::new(|_| {
        answer(
            "429 Too Many Requests",
            "retry-after: 120\r\n",
            b"slow down",
        )
    })
    .await;
    assert_eq!(
        get(&site, "/").await,
        Err(FetchError::Status {
            code: 429,
            retry_after: Some(RetryAfter::Seconds(120))
        })
    );
}

#[tokio::test]
async fn compressed_answers_are_read() {
    let site = Site::new(|_| ok("content-encoding: gzip\r\n", &zipped(b"[1, 2, 3]"))).await;
    assert_eq!(
        get(&site, "/").await.unwrap().body.as_deref(),
        Some(b"[1, 2, 3]".as_slice())
    );
    assert!(site.asked()[0].head.contains("gzip") && site.asked()[0].head.contains("br"));
}

#[tokio::test]
async fn a_gzip_bomb_goes_off_outside() {
    let bomb = zipped(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 100_000);
    let site = Site::new(move |_| ok("content-encoding: gzip\r\n", &bomb)).await;
    assert_eq!(get(&site, "/").await, Err(FetchError::TooLarge(1 << 20)));
}

#[tokio::test]
async fn thirty_megabytes_are_not_read_whether_they_are_announced_or_not() {
    let announced =
        Site::new(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 31457280\r\n\r\n[0".to_vec()).await;
    assert_eq!(
        get(&announced, "/").await,
        Err(FetchError::TooLarge(1 << 20))
    );
    let unannounced = Site::new(|_| {
        [
            b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".as_slice(),
            &vec![b'0'; 30 << 20],
        ]
        .concat()
    })
    .await;
    assert_eq!(
        get(&unannounced, "/").await,
        Err(FetchError::TooLarge(1 << 20))
    );
}

#[tokio::test]
async fn a_body_that_only_claims_to_be_compressed_is_a_fault_of_the_server() {
    let site = Site::new(|_| ok("content-encoding: gzip\r\n", b"not at all")).await;
    assert!(matches!(
        get(&site, "/").await,
        Err(FetchError::Failed(Cause::NotHttp { .. }))
    ));
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_none() {
    let site = Site::new(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec()).await;
    assert_eq!(
        get(&site, "/").await,
        Err(FetchError::Failed(Cause::AnswerCutOff))
    );
}

#[tokio::test]
async fn redirects_are_followed_as_far_as_ten() {
    let site = Site::new(|asked| match asked.path.trim_start_matches('/').parse() {
        Ok(0_u32) => ok("", b"here"),
        Ok(left) => redirect(&format!("/{}", left - 1)),
        Err(_) => redirect("/1"),
    })
    .await;
    let found = get(&site, "/10").await.unwrap();
    assert_eq!(
        (found.url.path(), found.body.as_deref()),
        ("/0", Some(b"here".as_slice()))
    );
    assert_eq!(
        get(&site, "/11").await,
        Err(FetchError::Failed(Cause::TooManyRedirects {
            limit: 10,
            last: format!("http://vendor.test:{}/0", site.address.port()),
        }))
    );
}

#[tokio::test]
async fn cookies_live_for_one_fetch() {
    let site = Site::new(|asked| {
        if asked.head.contains("cookie: sid=1\r\n") {
            ok("", b"here")
        } else {
            b"HTTP/1.1 302 x\r\nset-cookie: sid=1; Path=/\r\nlocation: /\r\ncontent-length: 0\r\n\r\n".to_vec()
        }
    })
    .await;
    for _ in 0..2 {
        let found = get(&site, "/").await.unwrap();
        assert_eq!(found.body.as_deref(), Some(b"here".as_slice()));
    }
    let sent = site.asked();
    let with_cookie: Vec<_> = sent
        .iter()
        .map(|asked| asked.head.contains("cookie:"))
        .collect();
    assert_eq!(with_cookie, [false, true, false, true]);
}

#[tokio::test]
async fn no_redirect_leads_past_the_guard() {
    for (to, refused) in [
        (
            "http://169.254.169.254/latest/meta-data/",
            Refused::Address("169.254.169.254".parse().unwrap()),
        ),
        (
            "http://[::ffff:169.254.169.254]/",
            Refused::Address("::ffff:169.254.169.254".parse().unwrap()),
        ),
        (
            "http://metadata.test/",
            Refused::Name("metadata.test".into()),
        ),
    ] {
        let site = Site::new(move |_| redirect(to)).await;
        assert_eq!(
            get(&site, "/").await,
            Err(FetchError::Refused(refused)),
            "{to}"
        );
    }
    let site = Site::new(|_| redirect("file:///etc/passwd")).await;
    assert_eq!(
        get(&site, "/").await,
        Err(FetchError::Failed(Cause::BadRedirect {
            location: "file:///etc/passwd".into()
        }))
    );
}

#[tokio::test]
async fn where_only_the_public_internet_is_allowed_nothing_is_sent_here() {
    let site = Site::new(|_| ok("", b"secret")).await;
    let fetcher = guarded(Guard::PublicOnly, &[HOST]);
    let get = async |url: String| {
        fetcher
            .get(&url.parse().unwrap(), &Validators::default())
            .await
    };
    assert_eq!(
        get(site.url(HOST, "/")).await,
        Err(FetchError::Refused(Refused::Name(HOST.into())))
    );
    assert_eq!(
        get(site.url("127.0.0.1", "/")).await,
        Err(FetchError::Refused(Refused::Address(
            "127.0.0.1".parse().unwrap()
        )))
    );
    assert!(site.asked().is_empty());
}

#[tokio::test]
async fn a_server_that_never_answers_takes_no_longer_than_allowed() {
    // Connections are accepted by the system, and nobody reads them.
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{HOST}:{}/", listener.local_addr().unwrap().port())
        .parse()
        .unwrap();
    let timeout = Duration::from_millis(50);
    let error = fetcher(&[HOST])
        .within(timeout)
        .get(&url, &Validators::default())
        .await
        .unwrap_err();
    assert_eq!(error, FetchError::Timeout(timeout));
}

#[tokio::test]
async fn a_failure_says_where_the_redirects_led_and_what_was_shown_there() {
    let site = Site::new(|asked| match asked.path.as_str() {
        "/moved" => redirect("/temporarily"),
        "/temporarily" => answer("302 Found", "location: /challenge\r\n", b""),
        "/challenge" => answer(
            "403 Forbidden",
            "",
            b"<!DOCTYPE html><html><head><title>Just a moment...</title></head>",
        ),
        "/forever" => redirect("/gone"),
        "/marked" => answer(
            "503 Service Unavailable",
            "cf-mitigated: challenge\r\n",
            b"",
        ),
        _ => answer("410 Gone", "", b"<title>Nothing here</title>"),
    })
    .await;
    let fetcher = fetcher(&[HOST]);
    let fails = async |path: &str| {
        let url = site.url(HOST, path).parse().unwrap();
        *fetcher
            .fetch(&url, &Validators::default())
            .await
            .unwrap_err()
    };
    let challenge = fails("/moved").await;
    assert_eq!(challenge.url.path(), "/challenge");
    assert_eq!(challenge.redirects, Redirects::Temporary);
    assert!(challenge.is_challenge);
    assert_eq!(
        challenge.to_string(),
        "answered 403 (bot protection: \"Just a moment...\")"
    );
    let gone = fails("/forever").await;
    assert_eq!(gone.redirects, Redirects::Permanent);
    assert_eq!(gone.title.as_deref(), Some("Nothing here"));
    assert_eq!(gone.to_string(), "answered 410");
    assert_eq!(
        fails("/marked").await.to_string(),
        "answered 503 (bot protection)"
    );
    assert_eq!(fails("/").await.redirects, Redirects::None);
}

#[tokio::test]
async fn an_endless_error_page_is_read_no_further_than_its_beginning() {
    let page = [
        b"<title>Just a moment...</title>".as_slice(),
        &vec![b'x'; 4 << 20],
    ]
    .concat();
    let site = Site::new(move |_| answer("403 Forbidden", "", &page)).await;
    let url = site.url(HOST, "/").parse().unwrap();
    let failure = fetcher(&[HOST]).fetch(&url, &Validators::default()).await;
    assert!(failure.unwrap_err().is_challenge);
}

#[tokio::test]
async fn requests_that_share_a_budget_read_no_more_together() {
    let site = Site::new(|_| ok("", &vec![b' '; 600 << 10])).await;
    let fetcher = fetcher(&[HOST]).with_budget(1 << 20);
    let url = site.url(HOST, "/").parse().unwrap();
    assert!(fetcher.get(&url, &Validators::default()).await.is_ok());
    assert_eq!(
        fetcher.get(&url, &Validators::default()).await,
        Err(FetchError::OverBudget(1 << 20))
    );
}
