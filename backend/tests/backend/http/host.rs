//! What every answer carries, and names that are not this server's.

use super::app::{App, code};
use reqwest::StatusCode;
use reqwest::header::HOST;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The raw answer to raw bytes.
pub(crate) async fn raw(app: &App, request: &str) -> String {
    let mut stream = TcpStream::connect(app.base.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(
        std::time::Duration::from_secs(10),
        stream.read_to_end(&mut answer),
    )
    .await;
    read.expect("an answer within the deadline").unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn on_loopback_a_foreign_name_is_refused_whatever_is_asked_for() {
    let app = App::start().await;
    for path in [
        "/",
        "/api/health",
        "/api/auth/local?token=x",
        "/api/graphql",
    ] {
        for host in [
            "evil.example",
            "evil.example:80",
            "10.0.0.1",
            "localhost.evil.example",
        ] {
            let answer = app
                .browser()
                .http
                .get(app.url(path))
                .header(HOST, host)
                .send()
                .await
                .unwrap();
            assert_eq!(
                answer.status(),
                StatusCode::MISDIRECTED_REQUEST,
                "{host}{path}"
            );
            let answer = answer.json().await.unwrap();
            assert_eq!(code(&answer), "FORBIDDEN");
            let sentence = answer["errors"][0]["message"].as_str().unwrap();
            assert!(
                sentence.contains(&app.base) && sentence.contains("PULSECHECK_PUBLIC_URL"),
                "{sentence}"
            );
        }
    }
    for host in ["localhost:1", "[::1]", "127.0.0.1", "pulse.localhost"] {
        let answer = app
            .browser()
            .http
            .get(app.url("/api/health"))
            .header(HOST, host)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{host}");
    }
}

#[tokio::test]
async fn a_reverse_proxy_on_the_same_machine_may_pass_the_public_name_on() {
    let app =
        App::with(|settings| settings.public_url = "https://pulse.example.com".parse().unwrap())
            .await;
    let answer = app
        .browser()
        .http
        .get(app.url("/api/health"))
        .header(HOST, "pulse.example.com")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_request_for_no_host_or_two_or_with_endless_headers_is_refused() {
    let app = App::start().await;
    let answer = raw(
        &app,
        "GET /api/health HTTP/1.1\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let two = "GET /api/health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = raw(&app, two).await;
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("more than one Host"),
        "{answer}"
    );
    let endless = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: {}\r\n\r\n",
        "x".repeat(300_000)
    );
    let answer = raw(&app, &endless).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn every_answer_tells_the_browser_what_it_must_not_do() {
    let app = App::start().await;
    for path in [
        "/",
        "/missing.js",
        "/api/health",
        "/api/nothing",
        "/api/graphql",
        "/api/auth/local",
    ] {
        let answer = app.browser().get(path).await;
        let headers = answer.headers();
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(headers[name], value, "{path}");
        }
        assert!(
            headers["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(
            headers["permissions-policy"]
                .to_str()
                .unwrap()
                .contains("camera=()"),
            "{path}"
        );
        assert_eq!(
            headers.get("strict-transport-security"),
            None,
            "the public URL is not https"
        );
        assert_eq!(
            headers["x-request-id"].to_str().unwrap().len(),
            16,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_request_gets_an_id_of_its_own_whatever_it_brings() {
    let app = App::start().await;
    let ask = || {
        app.browser()
            .http
            .get(app.url("/api/nothing"))
            .header("x-request-id", "mine")
            .send()
    };
    let (first, second) = (ask().await.unwrap(), ask().await.unwrap());
    let (first_id, second_id) = (
        first.headers()["x-request-id"].clone(),
        second.headers()["x-request-id"].clone(),
    );
    assert!(first_id != "mine" && first_id != second_id);
    let answer: serde_json::Value = first.json().await.unwrap();
    assert_eq!(
        answer["errors"][0]["extensions"]["requestId"],
        first_id.to_str().unwrap()
    );
}
