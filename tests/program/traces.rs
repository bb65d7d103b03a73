//! Traces, as an OpenTelemetry collector receives them.

use crate::client::http;
use crate::journey::{Single, sign_in};
use crate::process::SOON;
use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::json;
use std::sync::{Arc, Mutex};
use testkit::target::Target;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

/// What was received: the protobuf of each request.
type Received = Arc<Mutex<Vec<Bytes>>>;

async fn collector() -> (String, Received) {
    let received = Received::default();
    let kept = Arc::clone(&received);
    let take = async move |headers: HeaderMap, body: Bytes| {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        kept.lock().unwrap().push(body);
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        axum::serve(listener, Router::new().route("/v1/traces", post(take))).await
    });
    (address, received)
}

/// Returns whether the bytes contain `text` as a protobuf string, which starts with its length.
fn has(received: &Received, text: &str) -> bool {
    let field: Vec<u8> = [u8::try_from(text.len()).unwrap()]
        .into_iter()
        .chain(text.bytes())
        .collect();
    received
        .lock()
        .unwrap()
        .iter()
        .any(|body| body.windows(field.len()).any(|window| window == field))
}

#[tokio::test]
async fn a_collector_is_told_of_requests_operations_checks_and_what_follows_from_them() {
    let (endpoint, received) = collector().await;
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
    ];
    let mut single = Single::start_with(&settings);
    let client = sign_in(&mut single.process).await;
    let target = Target::start().await;
    let create =
        "mutation AddOne($input: CreateServiceInput!) { createService(input: $input) { id } }";
    client
        .data(
            create,
            json!({ "input": testkit::input::new_service(json!({ "name": "A", "url": target.url() })) }),
        )
        .await;
    let deadline = Instant::now() + SOON;
    for name in [
        "pulsecheck",
        "request",
        "/api/graphql",
        "graphql",
        "mutation",
        "check",
        "record",
        "upkeep",
    ] {
        while !has(&received, name) {
            assert!(Instant::now() < deadline, "no span says {name}");
            sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    assert!(!has(&received, "sqlx::query"), "nothing else is exported");
    assert_eq!(single.process.terminate().await, Some(0));
}

#[tokio::test]
async fn a_collector_that_is_away_harms_nothing() {
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ];
    let mut single = Single::start_with(&settings);
    let base = single.process.announced("Listening on ").await;
    let deadline = Instant::now() + SOON;
    while !single.process.log().contains("cannot export traces") {
        let answer = http()
            .build()
            .unwrap()
            .get(format!("{base}/api/ready"))
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success());
        assert!(
            Instant::now() < deadline,
            "the failure was not logged:\n{}",
            single.process.log()
        );
        sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(single.process.terminate().await, Some(0));
}
