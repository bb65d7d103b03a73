//! Who asks too often is told to wait, and nobody else is.

use super::app::{App, Browser, code};
use super::websocket::opened_by;
use backend::Settings;
use reqwest::header::{ACCEPT, ORIGIN, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use std::num::NonZeroU32;

fn each_minute(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

/// Behind a proxy on this machine.
async fn behind_a_proxy(change: impl FnOnce(&mut Settings)) -> App {
    App::with(|settings| {
        settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        change(settings);
    })
    .await
}

/// A GET as the proxy passes it on.
async fn from(app: &App, address: &str, path: &str) -> Response {
    app.browser()
        .http
        .get(app.url(path))
        .header("x-forwarded-for", address)
        .send()
        .await
        .unwrap()
}

async fn is_limited(answer: Response) -> bool {
    if answer.status() != StatusCode::TOO_MANY_REQUESTS {
        return false;
    }
    let seconds: u64 = answer.headers()[RETRY_AFTER]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(code(&body), "RATE_LIMITED");
    assert_eq!(
        body["errors"][0]["extensions"]["retryAfterSeconds"],
        seconds
    );
    true
}

#[tokio::test]
async fn signing_in_is_limited_by_the_network_that_a_trusted_proxy_names() {
    let app = behind_a_proxy(|settings| settings.rates.sign_ins = each_minute(3)).await;
    let paths = [
        "/api/auth/local?token=x",
        "/api/auth/google",
        "/api/auth/github/callback?code=x",
    ];
    for path in paths {
        assert!(
            !is_limited(from(&app, "198.51.100.1", path).await).await,
            "{path}"
        );
    }
    for path in paths {
        assert!(
            is_limited(from(&app, "198.51.100.1", path).await).await,
            "{path}"
        );
    }
    assert!(
        !is_limited(from(&app, "198.51.100.2", paths[0]).await).await,
        "another address"
    );
    assert!(
        is_limited(from(&app, "1.2.3.4, 198.51.100.1", paths[0]).await).await,
        "what the client made up"
    );
    for _ in 0..3 {
        assert!(!is_limited(from(&app, "2001:db8::1", paths[0]).await).await);
    }
    assert!(
        is_limited(from(&app, "2001:db8::ffff:1", paths[0]).await).await,
        "the same network"
    );
    assert!(
        !is_limited(from(&app, "2001:db8:0:1::1", paths[0]).await).await,
        "another network"
    );
}

#[tokio::test]
async fn without_a_trusted_proxy_nobody_chooses_their_address() {
    let app = App::with(|settings| settings.rates.sign_ins = each_minute(2)).await;
    for n in 0..2 {
        assert!(
            !is_limited(from(&app, &format!("198.51.100.{n}"), "/api/auth/local?token=x").await)
                .await
        );
    }
    assert!(is_limited(from(&app, "198.51.100.9", "/api/auth/local?token=x").await).await);
}

#[tokio::test]
async fn a_person_who_signs_in_too_often_sees_a_page_that_leads_on() {
    let app = App::with(|settings| settings.rates.sign_ins = each_minute(1)).await;
    let ask = || {
        app.browser()
            .http
            .get(app.url("/api/auth/local?token=x"))
            .header(ACCEPT, "text/html,*/*")
            .send()
    };
    ask().await.unwrap();
    let answer = ask().await.unwrap();
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(
        answer.headers().contains_key(RETRY_AFTER) && !answer.headers().contains_key("set-cookie")
    );
    assert!(
        answer
            .text()
            .await
            .unwrap()
            .contains("content=\"0; url=/sign-in?error=rate_limited\"")
    );
}

#[tokio::test]
async fn the_session_is_kept_with_the_address_that_the_proxy_names() {
    let app = behind_a_proxy(|_| {}).await;
    let browser = app.browser();
    let link = app.link().await;
    browser
        .http
        .get(link)
        .header("x-forwarded-for", "2001:db8::7")
        .send()
        .await
        .unwrap();
    let sessions = browser.graphql("{ me { sessions { address } } }").await;
    assert_eq!(
        sessions["data"]["me"]["sessions"],
        json!([{ "address": "2001:db8::7" }])
    );
}

async fn post(app: &App, browser: &Browser, body: Value) -> Response {
    browser
        .http
        .post(app.url("/api/graphql"))
        .header(ORIGIN, &app.base)
        .json(&body)
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn the_api_is_limited_for_each_user_and_counts_each_operation_of_a_batch() {
    // A tenth of a minute's operations may come at once, and the next one three seconds later.
    let app = App::with(|settings| settings.rates.operations = each_minute(20)).await;
    let (ada, query) = (app.signed_in().await, json!({ "query": "{ me { id } }" }));
    let batch = |n: usize| Value::Array(vec![query.clone(); n]);
    assert_eq!(post(&app, &ada, batch(1)).await.status(), StatusCode::OK);
    assert!(
        is_limited(post(&app, &ada, batch(2)).await).await,
        "all of a batch or nothing of it"
    );
    assert_eq!(post(&app, &ada, batch(1)).await.status(), StatusCode::OK);
    assert!(is_limited(post(&app, &ada, query.clone()).await).await);

    let mut socket = opened_by(&app, &ada).await;
    socket.ask("1", "{ me { id } }").await;
    let answer = socket.receive().await;
    assert_eq!(
        (
            &answer["type"],
            code(&json!({ "errors": answer["payload"] }))
        ),
        (&json!("error"), "RATE_LIMITED")
    );
}

#[tokio::test]
async fn costly_operations_are_limited_however_they_are_spelled() {
    let app = App::with(|settings| settings.rates.checks = each_minute(5)).await;
    let ada = app.signed_in().await;
    let id = uuid::Uuid::now_v7();
    let checks = |n: usize| {
        let all: String = (0..n)
            .map(|i| format!("c{i}: checkService(id: \"{id}\") {{ id }} "))
            .collect();
        json!({ "query": format!("mutation {{ ...Checks }} fragment Checks on Mutation {{ {all} }}") })
    };
    let answer: Value = post(&app, &ada, checks(4)).await.json().await.unwrap();
    assert_eq!(code(&answer), "NOT_FOUND");
    let limited = post(&app, &ada, checks(2)).await;
    assert_eq!(limited.status(), StatusCode::OK);
    let seconds: u64 = limited.headers()[RETRY_AFTER]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let answer: Value = limited.json().await.unwrap();
    assert_eq!(
        (code(&answer), &answer["data"]),
        ("RATE_LIMITED", &Value::Null)
    );
    assert_eq!(
        answer["errors"][0]["extensions"]["retryAfterSeconds"],
        seconds
    );
    assert_eq!(
        answer["errors"][0]["message"],
        format!("too many requests: try again in {seconds} s")
    );
    let answer: Value = post(&app, &ada, checks(1)).await.json().await.unwrap();
    assert_eq!(code(&answer), "NOT_FOUND", "one is left");
    assert!(ada.is_signed_in().await, "and everything else is as it was");
}

#[tokio::test]
async fn looks_discoveries_and_exports_are_limited_for_each_user_by_themselves() {
    let app = App::with(|settings| {
        settings.rates.tests = each_minute(2);
        settings.rates.discoveries = each_minute(2);
        settings.rates.exports = each_minute(2);
    })
    .await;
    let ada = app.signed_in().await;
    // Refused as addresses, which costs what a real one does.
    let look = json!({ "query": "mutation { testService(input: { name: \"x\", url: \"ftp://a.test\" }) { status } }" });
    let discover =
        json!({ "query": "mutation { discoverVendorPage(url: \"ftp://a.test\") { apiUrls } }" });
    let validate = json!({ "query": "mutation { validateVendorPageUrls(urls: [\"ftp://a.test\"]) { apiUrls } }" });
    for twice in [[&look, &look], [&discover, &validate]] {
        for asked in twice {
            let answer: Value = post(&app, &ada, asked.clone()).await.json().await.unwrap();
            assert_ne!(code(&answer), "RATE_LIMITED", "{asked}");
        }
        for asked in twice {
            let answer = post(&app, &ada, asked.clone()).await;
            assert!(answer.headers().contains_key(RETRY_AFTER), "{asked}");
            let answer: Value = answer.json().await.unwrap();
            assert_eq!(code(&answer), "RATE_LIMITED", "{asked}");
        }
    }
    let export = || {
        ada.http
            .get(app.url("/api/account/export"))
            .header("sec-fetch-site", "same-origin")
            .send()
    };
    for _ in 0..2 {
        assert_eq!(export().await.unwrap().status(), StatusCode::OK);
    }
    assert!(is_limited(export().await.unwrap()).await);
    assert!(ada.is_signed_in().await, "and everything else is as it was");
}

#[tokio::test]
async fn an_open_dashboard_does_not_meet_the_limits() {
    let app = App::start().await;
    let ada = app.signed_in().await;
    for _ in 0..500 {
        assert!(ada.is_signed_in().await);
    }
}
