//! Health, readiness, and the end.

use super::app::App;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

#[tokio::test]
async fn it_is_ready_while_its_parts_answer_and_not_when_one_is_gone() {
    let app = App::start().await;
    let ready = app.browser().get("/api/ready").await;
    assert_eq!(ready.status(), StatusCode::OK);
    assert_eq!(
        ready.json::<Value>().await.unwrap(),
        json!({ "status": "ready", "database": "ok", "coordination": "ok" })
    );

    app.db.clone().close().await.unwrap();
    let not_ready = async {
        loop {
            let ready = app.browser().get("/api/ready").await;
            if ready.status() == StatusCode::SERVICE_UNAVAILABLE {
                return ready;
            }
        }
    };
    let ready = tokio::time::timeout(Duration::from_secs(10), not_ready)
        .await
        .expect("it is found within a second");
    let parts: Value = ready.json().await.unwrap();
    assert_eq!(
        parts,
        json!({ "status": "not ready", "database": "failing", "coordination": "ok" })
    );
    let health = app.browser().get("/api/health").await;
    assert_eq!(
        (
            health.status(),
            &health.json::<Value>().await.unwrap()["status"]
        ),
        (StatusCode::OK, &json!("ok"))
    );
}

#[tokio::test]
async fn without_its_database_a_signed_in_browser_is_told_to_try_again() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    app.db.clone().close().await.unwrap();
    let answer = browser.post("/api/auth/refresh").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        answer.headers().get("set-cookie"),
        None,
        "a session is not lost by it"
    );
}

#[tokio::test]
async fn it_stops_at_once_when_nothing_is_under_way_though_connections_are_open() {
    let app = App::start().await;
    let browser = app.browser();
    browser.get("/api/health").await.bytes().await.unwrap();
    let idle = TcpStream::connect(app.base.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    let asked = Instant::now();
    app.stop.cancel();
    app.served.await.unwrap().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(5));
    drop(idle);
    assert!(
        TcpStream::connect(app.base.strip_prefix("http://").unwrap())
            .await
            .is_err()
    );
}
