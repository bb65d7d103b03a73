//! The dashboard's files.

use super::app::App;
use super::host::raw;
use backend::Assets;
use reqwest::StatusCode;
use reqwest::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};

const SCRIPT: &str = "/assets/start-ABCDEFGH.js";

async fn app() -> App {
    let file = |path: &str, content: &'static str| (path.to_owned(), content.into());
    App::with_assets(Assets::new([
        file("index.html", "<title>dashboard</title>"),
        file("index.html.br", "brotli of index"),
        file("graphiql/index.html", "<title>playground</title>"),
        file("graphiql/assets/graphiql-ABCDEFGH.css", "css"),
        file("assets/start-ABCDEFGH.js", "plain script"),
        file("assets/start-ABCDEFGH.js.br", "brotli"),
        file("assets/start-ABCDEFGH.js.gz", "gzip of it"),
        file("assets/ui-ABCDEFGH.wasm", "module"),
        file("favicon.svg", "<svg/>"),
    ]))
    .await
}

#[tokio::test]
async fn each_browser_gets_the_copy_it_wants() {
    let app = app().await;
    let mut etags = Vec::new();
    for (accepts, encoding, content) in [
        ("gzip, deflate, br, zstd", Some("br"), "brotli"),
        ("gzip, br;q=0.5", Some("gzip"), "gzip of it"),
        ("br;q=0, *", Some("gzip"), "gzip of it"),
        ("identity", None, "plain script"),
        ("zstd", None, "plain script"),
    ] {
        let answer = app
            .browser()
            .http
            .get(app.url(SCRIPT))
            .header(ACCEPT_ENCODING, accepts)
            .send()
            .await
            .unwrap();
        let headers = answer.headers().clone();
        assert_eq!(
            headers
                .get(CONTENT_ENCODING)
                .map(|value| value.to_str().unwrap()),
            encoding,
            "{accepts}"
        );
        assert_eq!(headers[CONTENT_TYPE], "text/javascript; charset=utf-8");
        assert_eq!(headers[VARY], "accept-encoding");
        assert_eq!(answer.text().await.unwrap(), content, "{accepts}");
        etags.push((content, headers[ETAG].clone()));
    }
    for (content, etag) in &etags {
        for (other, other_etag) in &etags {
            assert_eq!(
                content == other,
                etag == other_etag,
                "each copy has an ETag of its own"
            );
        }
    }
}

#[tokio::test]
async fn files_with_a_hash_are_kept_for_ever_and_others_asked_for_again() {
    let app = app().await;
    let (ever, again) = ("public, max-age=31536000, immutable", "no-cache");
    for (path, caching, content_type) in [
        (SCRIPT, ever, "text/javascript; charset=utf-8"),
        ("/assets/ui-ABCDEFGH.wasm", ever, "application/wasm"),
        (
            "/graphiql/assets/graphiql-ABCDEFGH.css",
            ever,
            "text/css; charset=utf-8",
        ),
        ("/", again, "text/html; charset=utf-8"),
        ("/index.html", again, "text/html; charset=utf-8"),
        ("/favicon.svg", again, "image/svg+xml"),
    ] {
        let answer = app.browser().get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(
            (
                &answer.headers()[CACHE_CONTROL],
                &answer.headers()[CONTENT_TYPE]
            ),
            (&caching.parse().unwrap(), &content_type.parse().unwrap()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_the_browser_still_has_is_not_sent_again() {
    let app = app().await;
    let browser = app.browser();
    let first = browser.get("/").await;
    let etag = first.headers()[ETAG].to_str().unwrap().to_owned();
    for known in [etag.clone(), format!("\"other\", W/{etag}"), "*".into()] {
        let answer = browser
            .http
            .get(app.url("/"))
            .header(IF_NONE_MATCH, &known)
            .send()
            .await
            .unwrap();
        assert_eq!(
            (answer.status(), answer.headers()[ETAG].to_str().unwrap()),
            (StatusCode::NOT_MODIFIED, etag.as_str()),
            "{known}"
        );
        assert_eq!(answer.text().await.unwrap(), "");
    }
    let changed = browser
        .http
        .get(app.url("/"))
        .header(IF_NONE_MATCH, "\"other\"")
        .send()
        .await
        .unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
}

#[tokio::test]
async fn addresses_of_the_dashboard_get_its_page_and_missing_files_do_not() {
    let app = app().await;
    let browser = app.browser();
    for path in [
        "/",
        "/services",
        "/services/0190b3c5-0000-7000-8000-000000000000",
        "/sign-in?error=x",
        "/a/b/c/",
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(
            answer.text().await.unwrap(),
            "<title>dashboard</title>",
            "{path}"
        );
    }
    for path in [
        "/missing.js",
        "/assets/start-OTHER.js",
        "/favicon.ico",
        "/index.html.br",
        "/.env",
    ] {
        assert_eq!(
            browser.get(path).await.status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
        assert_eq!(
            browser
                .http
                .post(app.url(path))
                .send()
                .await
                .unwrap()
                .status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let posted = browser.http.post(app.url("/")).send().await.unwrap();
    assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn head_tells_the_length_and_sends_nothing() {
    let app = app().await;
    let answer = app
        .browser()
        .http
        .head(app.url("/favicon.svg"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()[CONTENT_LENGTH]),
        (StatusCode::OK, &"6".parse().unwrap())
    );
    assert_eq!(answer.text().await.unwrap(), "");
}

#[tokio::test]
async fn no_path_leads_out_of_the_dashboard() {
    let app = app().await;
    for path in [
        "/../Cargo.toml",
        "/assets/../../Cargo.toml",
        "/..%2f..%2fCargo.toml",
        "//etc/os-release",
        "/%2e%2e/Cargo.toml",
        "/assets/..\\..\\Cargo.toml",
    ] {
        let answer = raw(
            &app,
            &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
        )
        .await;
        assert!(
            !answer.contains("[package]") && !answer.contains("VERSION_ID"),
            "{answer}"
        );
        assert!(
            answer.starts_with("HTTP/1.1 404") || answer.contains("<title>dashboard</title>"),
            "{path}: {answer}"
        );
    }
}

#[tokio::test]
async fn each_page_has_the_policy_that_it_needs_and_no_wider_one() {
    let app = app().await;
    let policy = async |path: &str| {
        app.browser().get(path).await.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    let dashboard = policy("/").await;
    assert!(
        dashboard.contains("script-src 'self' 'wasm-unsafe-eval'")
            && !dashboard.contains("unsafe-inline"),
        "{dashboard}"
    );
    let playground = policy("/api/graphql").await;
    assert!(
        playground.contains("script-src 'self';")
            && playground.contains("style-src 'self' 'unsafe-inline'"),
        "{playground}"
    );
    let api = policy("/api/health").await;
    assert_eq!(api, "default-src 'none'; frame-ancestors 'none'");
    assert_eq!(
        app.browser()
            .get("/api/graphql")
            .await
            .text()
            .await
            .unwrap(),
        "<title>playground</title>"
    );
}

#[tokio::test]
async fn a_program_without_dashboard_says_how_to_build_one() {
    let app = App::start().await;
    for path in ["/", "/services", "/api/graphql"] {
        let answer = app.browser().get(path).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(
            answer.text().await.unwrap().contains("make build"),
            "{path}"
        );
    }
}
