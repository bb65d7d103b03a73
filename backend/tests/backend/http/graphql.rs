//! `POST /api/graphql`, as far as HTTP goes.

use super::app::{App, Browser, code};
use crate::services_page::amplifying_document;
use futures::StreamExt as _;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, CONTENT_TYPE, ORIGIN};
use sea_orm::EntityTrait as _;
use serde_json::{Value, json};
use testkit::builders;

async fn post(
    app: &App,
    content_type: &str,
    body: impl Into<reqwest::Body>,
) -> (StatusCode, Value) {
    post_by(app, &app.browser(), content_type, body).await
}

async fn post_by(
    app: &App,
    browser: &Browser,
    content_type: &str,
    body: impl Into<reqwest::Body>,
) -> (StatusCode, Value) {
    let request = browser
        .http
        .post(app.url("/api/graphql"))
        .header(CONTENT_TYPE, content_type);
    let answer = request
        .header(ORIGIN, &app.base)
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn strangers_learn_that_they_are_strangers() {
    let app = App::start().await;
    let browser = app.browser();
    assert_eq!(
        browser.graphql("{ me { id } }").await,
        json!({ "data": { "me": null } })
    );
    for query in [
        "{ services { id } }",
        "mutation { pauseService(id: \"00000000-0000-0000-0000-000000000000\") { id } }",
    ] {
        assert_eq!(
            code(&browser.graphql(query).await),
            "UNAUTHENTICATED",
            "{query}"
        );
    }
}

#[tokio::test]
async fn what_is_no_request_is_refused_with_what_is_wrong() {
    let app = App::start().await;
    for (body, sentence) in [
        (
            "{\"query\": \"{ me",
            "the request is not valid JSON: EOF while parsing a string at line 1 column 15",
        ),
        (
            "",
            "the request is empty; send {\"query\": \"...\"} as JSON",
        ),
        ("{}", "`query` is missing"),
        ("[]", "the batch is empty"),
    ] {
        let (status, answer) = post(&app, "application/json", body).await;
        assert_eq!(
            (status, code(&answer)),
            (StatusCode::BAD_REQUEST, "BAD_INPUT"),
            "{body}"
        );
        assert_eq!(answer["errors"][0]["message"], sentence);
        assert_eq!(answer["data"], Value::Null);
    }
}

#[tokio::test]
async fn only_json_is_taken_because_forms_need_no_permission_of_the_browser() {
    let app = App::start().await;
    let body = r#"{"query": "{ __typename }"}"#;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/jsonx",
    ] {
        let (status, answer) = post(&app, content_type, body).await;
        assert_eq!(
            (status, code(&answer)),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "BAD_INPUT"),
            "{content_type}"
        );
    }
    for content_type in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/graphql-response+json",
    ] {
        let (status, answer) = post(&app, content_type, body).await;
        assert_eq!(
            (status, answer),
            (StatusCode::OK, json!({ "data": { "__typename": "Query" } })),
            "{content_type}"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_also_when_it_says_no_length() {
    let app = App::start().await;
    let body =
        json!({ "query": "{ __typename }", "variables": { "x": "x".repeat(2 << 20) } }).to_string();
    let chunks = futures::stream::iter(
        body.clone()
            .into_bytes()
            .chunks(10_000)
            .map(<[u8]>::to_vec)
            .collect::<Vec<_>>(),
    );
    let stream = reqwest::Body::wrap_stream(chunks.map(Ok::<_, std::io::Error>));
    let browser = app.signed_in().await;
    for body in [body.into(), stream, "x".repeat(20 << 20).into()] {
        let (status, answer) = post_by(&app, &browser, "application/json", body).await;
        assert_eq!(
            (status, code(&answer)),
            (StatusCode::PAYLOAD_TOO_LARGE, "BAD_INPUT")
        );
        assert_eq!(
            answer["errors"][0]["message"],
            "the request is larger than 1536 KiB"
        );
    }
}

#[tokio::test]
async fn a_stranger_may_send_64_kib_and_no_more() {
    let app = App::start().await;
    let query = r#"{"query": "{ __typename }"}"#;
    let of = |length: usize| format!("{query}{}", " ".repeat(length - query.len()));
    let (status, _) = post(&app, "application/json", of(64 << 10)).await;
    assert_eq!(status, StatusCode::OK);
    for length in [(64 << 10) + 1, 1 << 20] {
        let (status, answer) = post(&app, "application/json", of(length)).await;
        assert_eq!(
            (status, code(&answer)),
            (StatusCode::PAYLOAD_TOO_LARGE, "BAD_INPUT"),
            "{length}"
        );
        assert_eq!(
            answer["errors"][0]["message"],
            "the request is larger than 64 KiB"
        );
    }
    let (status, _) = post_by(
        &app,
        &app.signed_in().await,
        "application/json",
        of(1 << 20),
    )
    .await;
    assert_eq!(status, StatusCode::OK, "who has signed in may send more");
}

#[tokio::test]
async fn a_text_of_a_megabyte_is_refused_by_its_field() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let query = "mutation ($name: String!) { createService(input: { name: $name, monitor: { http: { url: \"https://example.test\" } } }) { id } }";
    let request = browser
        .http
        .post(app.url("/api/graphql"))
        .header(ORIGIN, &app.base);
    let request =
        request.json(&json!({ "query": query, "variables": { "name": "x".repeat(1 << 20) } }));
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (code(&answer), &answer["errors"][0]["extensions"]["field"]),
        ("BAD_INPUT", &json!("name"))
    );
}

#[tokio::test]
async fn a_batch_is_answered_in_its_order_up_to_a_limit() {
    let app = App::start().await;
    let batch = |n: usize| {
        (0..n)
            .map(|i| json!({ "query": format!("{{ a{i}: __typename }}") }))
            .collect::<Vec<_>>()
    };
    let (status, answer) = post(&app, "application/json", json!(batch(10)).to_string()).await;
    assert_eq!(
        (status, answer.as_array().unwrap().len()),
        (StatusCode::OK, 10)
    );
    assert_eq!(answer[9], json!({ "data": { "a9": "Query" } }));
    let (status, answer) = post(&app, "application/json", json!(batch(11)).to_string()).await;
    assert_eq!(
        (status, code(&answer)),
        (StatusCode::BAD_REQUEST, "BAD_INPUT")
    );
    assert_eq!(
        answer["errors"][0]["message"],
        "the batch holds 11 requests, at most 10 are allowed"
    );
}

#[tokio::test]
async fn a_page_of_another_site_cannot_use_the_cookies() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let body = json!({ "query": "{ me { id } }" });
    let request = || browser.http.post(app.url("/api/graphql")).json(&body);
    for (what, request) in [
        ("foreign", request().header(ORIGIN, "https://evil.example")),
        (
            "foreign that claims to be same-origin",
            request()
                .header(ORIGIN, "https://evil.example")
                .header("sec-fetch-site", "same-origin"),
        ),
        (
            "another port of this machine",
            request().header(ORIGIN, "http://127.0.0.1:1"),
        ),
        ("sandboxed", request().header(ORIGIN, "null")),
        (
            "cross-site without origin",
            request().header("sec-fetch-site", "cross-site"),
        ),
        (
            "same-site without origin",
            request().header("sec-fetch-site", "same-site"),
        ),
        ("nothing at all", request()),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{what}");
        assert_eq!(code(&answer.json().await.unwrap()), "FORBIDDEN");
    }
    for (what, request) in [
        ("its own", request().header(ORIGIN, &app.base)),
        (
            "its own without origin",
            request().header("sec-fetch-site", "same-origin"),
        ),
        ("typed in", request().header("sec-fetch-site", "none")),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{what}");
    }
}

#[tokio::test]
async fn there_is_nothing_at_other_addresses_or_by_other_methods() {
    let app = App::start().await;
    let browser = app.browser();
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/auth/gitlab/callback",
        "/api/graphql/",
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(code(&answer.json().await.unwrap()), "NOT_FOUND");
    }
    for (method, path, allowed) in [
        ("PUT", "/api/graphql", "GET,HEAD,POST"),
        ("GET", "/api/auth/refresh", "POST"),
        ("GET", "/api/auth/logout", "POST"),
        ("POST", "/api/health", "GET,HEAD"),
    ] {
        let answer = browser
            .http
            .request(method.parse().unwrap(), app.url(path))
            .send()
            .await
            .unwrap();
        assert_eq!(
            answer.status(),
            StatusCode::METHOD_NOT_ALLOWED,
            "{method} {path}"
        );
        assert_eq!(answer.headers()["allow"], allowed, "{method} {path}");
        assert_eq!(code(&answer.json().await.unwrap()), "BAD_INPUT");
    }
}

#[tokio::test]
async fn long_answers_are_compressed_and_short_ones_are_not() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let ask = async |query: &str, accepted: &str| {
        let request = browser
            .http
            .post(app.url("/api/graphql"))
            .header(ORIGIN, &app.base);
        let request = request.header("accept-encoding", accepted);
        let answer = request
            .json(&json!({ "query": query }))
            .send()
            .await
            .unwrap();
        answer
            .headers()
            .get("content-encoding")
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let long = "{ __schema { types { name description } } }";
    for (accepted, chosen) in [
        ("gzip", "gzip"),
        ("gzip, deflate, br", "br"),
        ("gzip, deflate, br, zstd", "zstd"),
    ] {
        assert_eq!(
            ask(long, accepted).await.as_deref(),
            Some(chosen),
            "{accepted}"
        );
        assert_eq!(ask("{ __typename }", accepted).await, None, "{accepted}");
    }
    assert_eq!(ask(long, "identity").await, None);
}

/// GraphQL over HTTP, "Media Types": the newer type for who asks for it, JSON for who was written before it.
#[tokio::test]
async fn an_answer_has_the_media_type_that_the_client_accepts() {
    let app = App::start().await;
    for (accept, expected) in [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (
            "application/graphql-response+json; charset=utf-8, application/json;q=0.9",
            "application/graphql-response+json",
        ),
    ] {
        let request = app
            .browser()
            .http
            .post(app.url("/api/graphql"))
            .header(CONTENT_TYPE, "application/json");
        let answer = request
            .header(ACCEPT, accept)
            .body(r#"{"query":"{ __typename }"}"#)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.headers()[CONTENT_TYPE], expected, "{accept}");
        assert_eq!(
            answer.json::<Value>().await.unwrap(),
            json!({ "data": { "__typename": "Query" } })
        );
    }
}

#[tokio::test]
async fn a_refused_operation_has_a_status_for_clients_that_accept_one() {
    let app = App::start().await;
    let asks = async |accept: &str, query: &str| {
        let request = app
            .browser()
            .http
            .post(app.url("/api/graphql"))
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, accept);
        let body = json!({ "query": query }).to_string();
        let answer = request.body(body).send().await.unwrap();
        let status = answer.status();
        (status, answer.json::<Value>().await.unwrap())
    };
    for (query, expected_code, expected_status) in [
        ("{", "BAD_INPUT", 400),
        ("{ me { nothing } }", "BAD_INPUT", 400),
        ("{ services { id } }", "UNAUTHENTICATED", 401),
        ("mutation { endOtherSessions }", "UNAUTHENTICATED", 401),
    ] {
        let (status, answer) = asks("application/graphql-response+json", query).await;
        assert_eq!(status, expected_status, "{query}");
        assert_eq!(code(&answer), expected_code, "{query}");
        assert!(answer.get("data").is_none(), "{query}: {answer}");
        let (status, answer) = asks("application/json", query).await;
        assert_eq!(status, 200, "{query}");
        assert_eq!(code(&answer), expected_code, "{query}");
        assert!(answer.get("data").is_none(), "{query}: {answer}");
    }
}

#[tokio::test]
async fn the_responses_of_a_batch_share_one_budget() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let owner = entity::user::Entity::find().one(&app.db).await.unwrap();
    for _ in 0..10 {
        let url = format!("https://example.test/{}", "x".repeat(40_000));
        let service = builders::a_service(&app.db, owner.as_ref().unwrap()).url(url);
        service.create().await;
    }
    // Each operation has a response of about 8 MB.
    let batch = vec![json!({ "query": amplifying_document(20) }); 3];
    let request = browser
        .http
        .post(app.url("/api/graphql"))
        .header(ORIGIN, &app.base);
    let answer: Value = request
        .json(&batch)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(answer[0]["errors"].is_null(), "8 MB are allowed");
    let refused = &answer[2]["errors"][0];
    assert_eq!(refused["extensions"]["code"], "BAD_INPUT");
    assert!(refused["message"].as_str().unwrap().contains("16 MiB"));
}
