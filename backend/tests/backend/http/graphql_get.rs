//! Queries over `GET /api/graphql`, and the playground at the same path.

use super::app::{App, Browser, code};
use super::host::raw;
use crate::services_page::amplifying_document;
use backend::Assets;
use reqwest::header::{
    ACCEPT, ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap,
    HeaderName, HeaderValue, ORIGIN, REFERER, RETRY_AFTER, VARY,
};
use reqwest::{Response, StatusCode};
use sea_orm::EntityTrait as _;
use serde_json::{Value, json};
use std::num::NonZeroU32;
use testkit::builders;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

async fn get(
    browser: &Browser,
    app: &App,
    params: &[(&str, &str)],
    headers: &[(HeaderName, &str)],
) -> Response {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
        .collect();
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(params)
        .finish();
    browser
        .http
        .get(app.url(&format!("/api/graphql?{query}")))
        .headers(headers)
        .send()
        .await
        .unwrap()
}

/// Sends a query as a page of this server does.
async fn query(browser: &Browser, app: &App, document: &str) -> Value {
    let own = [(SEC_FETCH_SITE, "same-origin")];
    let answer = get(browser, app, &[("query", document)], &own).await;
    answer.json().await.unwrap()
}

#[tokio::test]
async fn a_query_by_get_is_answered() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let params = [
        (
            "query",
            "query A { a: __typename } query B($name: String!) { __type(name: $name) { name } }",
        ),
        ("operationName", "B"),
        ("variables", r#"{"name":"Service"}"#),
        ("extensions", "{}"),
    ];
    for (accept, media_type) in [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
    ] {
        let headers = [(SEC_FETCH_SITE, "same-origin"), (ACCEPT, accept)];
        let answer = get(&browser, &app, &params, &headers).await;
        assert_eq!(answer.status(), StatusCode::OK, "{accept}");
        assert_eq!(answer.headers()[CONTENT_TYPE], media_type, "{accept}");
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store", "{accept}");
        assert_eq!(
            answer.json::<Value>().await.unwrap(),
            json!({ "data": { "__type": { "name": "Service" } } }),
            "{accept}"
        );
    }
}

#[tokio::test]
async fn a_refused_query_has_the_status_that_it_has_by_post() {
    let app = App::start().await;
    for (document, expected_code, expected_status) in [
        ("{", "BAD_INPUT", 400),
        ("{ me { nothing } }", "BAD_INPUT", 400),
        (
            "subscription { statusUpdates { changed } }",
            "UNAUTHENTICATED",
            401,
        ),
        ("{ services { id } }", "UNAUTHENTICATED", 401),
    ] {
        for (accept, status) in [
            (GRAPHQL_RESPONSE, expected_status),
            ("application/json", 200),
        ] {
            let params = [("query", document)];
            let answer = get(&app.browser(), &app, &params, &[(ACCEPT, accept)]).await;
            assert_eq!(answer.status(), status, "{document} {accept}");
            let answer: Value = answer.json().await.unwrap();
            assert_eq!(code(&answer), expected_code, "{document} {accept}");
            assert!(answer.get("data").is_none(), "{document}: {answer}");
        }
    }
}

#[tokio::test]
async fn invalid_parameters_are_refused_with_the_reason() {
    let app = App::start().await;
    for (params, sentence) in [
        (
            &[("query", "{ __typename }"), ("variables", "{")][..],
            "`variables` is not valid JSON: EOF while parsing an object at line 1 column 1",
        ),
        (
            &[("query", "{ __typename }"), ("variables", "[]")],
            "`variables` must be an object",
        ),
        (
            &[("query", "{ __typename }"), ("query", "{ me { id } }")],
            "a parameter of the URL occurs twice, at most once is allowed",
        ),
    ] {
        let answer = get(&app.browser(), &app, params, &[]).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{sentence}");
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store", "{sentence}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(code(&answer), "BAD_INPUT", "{sentence}");
        assert_eq!(answer["errors"][0]["message"], sentence);
    }
}

#[tokio::test]
async fn a_mutation_by_get_is_refused_and_not_executed() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let create = "mutation Create { createApiToken(input: { name: \"x\" }) { token } }";
    let both = format!("query Read {{ me {{ id }} }} {create}");
    for params in [
        &[("query", create)][..],
        &[("query", create), ("operationName", "Create")],
        &[("query", &both), ("operationName", "Create")],
        &[("query", "mutation { __typename }")],
    ] {
        for accept in ["*/*", GRAPHQL_RESPONSE] {
            let own = [(SEC_FETCH_SITE, "same-origin"), (ACCEPT, accept)];
            let answer = get(&browser, &app, params, &own).await;
            assert_eq!(
                answer.status(),
                StatusCode::METHOD_NOT_ALLOWED,
                "{params:?}"
            );
            assert_eq!(answer.headers()[ALLOW], "POST", "{params:?}");
            assert_eq!(answer.headers()[CACHE_CONTROL], "no-store", "{params:?}");
            let answer: Value = answer.json().await.unwrap();
            assert_eq!(code(&answer), "BAD_INPUT", "{params:?}");
        }
    }
    let ambiguous = query(&browser, &app, &both).await;
    assert_eq!(code(&ambiguous), "BAD_INPUT", "no operation is selected");
    let tokens = entity::api_token::Entity::find().all(&app.db).await;
    assert_eq!(tokens.unwrap(), [], "nothing was executed");
    let params = [("query", both.as_str()), ("operationName", "Read")];
    let answer = get(&browser, &app, &params, &[(SEC_FETCH_SITE, "same-origin")]).await;
    assert_eq!(
        answer.status(),
        StatusCode::OK,
        "the query beside it is allowed"
    );
}

#[tokio::test]
async fn a_page_of_another_site_cannot_use_the_cookies_by_get() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let params = [("query", "{ me { id } }")];
    for (what, headers) in [
        ("foreign", &[(ORIGIN, "https://evil.example")][..]),
        ("sandboxed", &[(ORIGIN, "null")]),
        (
            "foreign that claims to be same-origin",
            &[
                (ORIGIN, "https://evil.example"),
                (SEC_FETCH_SITE, "same-origin"),
            ],
        ),
        ("another port", &[(ORIGIN, "http://127.0.0.1:1")]),
        ("cross-site", &[(SEC_FETCH_SITE, "cross-site")]),
        ("same-site", &[(SEC_FETCH_SITE, "same-site")]),
        ("a foreign link", &[(REFERER, "https://evil.example/")]),
        ("nothing at all", &[]),
    ] {
        let answer = get(&browser, &app, &params, headers).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{what}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(code(&answer), "FORBIDDEN", "{what}");
        assert!(answer.get("data").is_none(), "{what}");
    }
    for (what, headers) in [
        ("its own origin", (ORIGIN, app.base.as_str())),
        ("its own page", (SEC_FETCH_SITE, "same-origin")),
        ("its own page over plain http", (REFERER, &app.base)),
    ] {
        let answer = get(&browser, &app, &params, &[headers]).await;
        assert_eq!(answer.status(), StatusCode::OK, "{what}");
        let answer: Value = answer.json().await.unwrap();
        assert!(answer["data"]["me"]["id"].is_string(), "{what}");
    }
}

#[tokio::test]
async fn without_cookies_only_pages_of_other_sites_are_refused() {
    let app = App::start().await;
    let made = app
        .signed_in()
        .await
        .graphql("mutation { createApiToken(input: { name: \"script\" }) { token } }")
        .await;
    let token = made["data"]["createApiToken"]["token"].as_str().unwrap();
    let bearer = format!("Bearer {token}");
    let (browser, params) = (app.browser(), [("query", "{ me { name } }")]);

    let by_token = get(&browser, &app, &params, &[(AUTHORIZATION, &bearer)]).await;
    let by_token: Value = by_token.json().await.unwrap();
    assert_eq!(by_token, json!({ "data": { "me": { "name": "Owner" } } }));
    let anonymous = get(&browser, &app, &params, &[]).await;
    let anonymous: Value = anonymous.json().await.unwrap();
    assert_eq!(anonymous, json!({ "data": { "me": null } }));
    for foreign in [
        (ORIGIN, "https://evil.example"),
        (SEC_FETCH_SITE, "cross-site"),
    ] {
        let answer = get(&browser, &app, &params, std::slice::from_ref(&foreign)).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{foreign:?}");
    }
}

#[tokio::test]
async fn no_page_may_read_a_response_across_origins() {
    let app = App::start().await;
    let params = [("query", "{ me { name } }")];
    let answer = get(&app.browser(), &app, &params, &[]).await;
    let headers = answer.headers();
    assert!(!headers.contains_key("access-control-allow-origin"));
    assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
    assert_eq!(headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn the_limits_of_documents_hold_by_get() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let nested = format!("{}{}", "{ a ".repeat(60), "}".repeat(60));
    let deep = format!("{}{}", "{ a ".repeat(20), "}".repeat(20));
    let expensive = "{ __schema { types { fields { type { fields { name } } } } } }";
    let many = format!("{{ {} }}", "me { id } ".repeat(25));
    for (document, reason) in [
        (nested.as_str(), "nested more than 50 levels deep"),
        (&deep, "nested more than 12 levels deep"),
        (&many, "occurs 25 times in one object"),
        (
            expensive,
            "may not ask for the fields of the types of fields",
        ),
    ] {
        let answer = query(&browser, &app, document).await;
        assert_eq!(code(&answer), "BAD_INPUT", "{reason}");
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(reason), "{message}");
    }
}

#[tokio::test]
async fn a_url_of_more_than_64_kib_is_refused() {
    let app = App::start().await;
    let long = "x".repeat(70_000);
    let answer = raw(
        &app,
        &format!("GET /api/graphql?query={long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[tokio::test]
async fn the_response_budget_holds_by_get() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let owner = entity::user::Entity::find().one(&app.db).await.unwrap();
    for _ in 0..10 {
        let url = format!("https://example.test/{}", "x".repeat(40_000));
        let service = builders::a_service(&app.db, owner.as_ref().unwrap()).url(url);
        service.create().await;
    }
    // Twenty copies are about 8 MB.
    let allowed = query(&browser, &app, &amplifying_document(20)).await;
    assert_eq!(allowed.get("errors"), None);
    let refused = query(&browser, &app, &amplifying_document(60)).await;
    assert_eq!(code(&refused), "BAD_INPUT");
    let message = refused["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("16 MiB"), "{message}");
}

#[tokio::test]
async fn queries_by_get_and_by_post_share_one_rate() {
    // A tenth of a minute's operations may come at once: two.
    let app = App::with(|settings| settings.rates.operations = NonZeroU32::new(20).unwrap()).await;
    let browser = app.signed_in().await;
    let own = [(SEC_FETCH_SITE, "same-origin")];
    let params = [("query", "{ me { id } }")];
    assert!(browser.is_signed_in().await);
    let second = get(&browser, &app, &params, &own).await;
    assert_eq!(second.status(), StatusCode::OK);
    let third = get(&browser, &app, &params, &own).await;
    assert_eq!(third.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(third.headers().contains_key(RETRY_AFTER));
    assert_eq!(code(&third.json().await.unwrap()), "RATE_LIMITED");
}

#[tokio::test]
async fn a_browser_that_opens_the_path_gets_the_playground() {
    let page = "<title>playground</title>";
    let app = App::with_assets(Assets::new([("graphiql/index.html".into(), page.into())])).await;
    let browser = app.browser();
    let html = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let opened = [("query", "{ __typename }")];
    for (params, accept) in [(&[][..], html), (&opened, html), (&[], "*/*")] {
        let answer = get(&browser, &app, params, &[(ACCEPT, accept)]).await;
        let vary: Vec<_> = answer.headers().get_all(VARY).iter().collect();
        assert_eq!(vary, ["accept, accept-encoding"]);
        assert_eq!(answer.status(), StatusCode::OK, "{params:?} {accept}");
        assert_eq!(answer.text().await.unwrap(), page, "{params:?} {accept}");
    }
}

#[tokio::test]
async fn long_responses_to_queries_by_get_are_compressed() {
    let app = App::start().await;
    let params = [("query", "{ __schema { types { name description } } }")];
    let browser = app.signed_in().await;
    let headers = [
        (SEC_FETCH_SITE, "same-origin"),
        (HeaderName::from_static("accept-encoding"), "zstd"),
    ];
    let answer = get(&browser, &app, &params, &headers).await;
    assert_eq!(answer.headers()[CONTENT_ENCODING], "zstd");
}
