//! Sends hostile documents as a signed-in user: none causes an internal error or takes long, and
//! memory does not grow. Runs in a process of its own, because it measures the process's memory.
#![allow(clippy::unwrap_used)]

#[path = "backend/limits/hostile.rs"]
mod documents;

use backend::auth::local::create_link;
use backend::{ApiDependencies, Assets, Settings};
use chrono::{Duration as Days, SubsecRound as _, Utc};
use coordination::Coordination;
use monitors::Prober;
use net::{ClientSettings, Fetcher, FetcherSettings};
use reqwest::header::{CONTENT_TYPE, ORIGIN};
use serde_json::{Value, json};
use std::num::NonZeroU32;
use std::time::Duration;
use testkit::processor::worked;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Maximum processor time of a request, which does not depend on how busy the machine is. An
/// optimised build is bounded by 100 ms; a test build is about ten times slower.
const LONG: Duration = if cfg!(debug_assertions) {
    Duration::from_secs(1)
} else {
    Duration::from_millis(100)
};

/// How much memory may differ between three rounds, in KiB: allocators keep some.
const FLAT: u64 = 8 * 1024;

/// Maximum number of rounds until memory stops growing. It may grow at first, because an allocator
/// keeps a buffer of the largest body for each thread that handled it. A leak never stops growing.
const ROUNDS: usize = 10;

/// Returns the resident memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Bodies that are not a single document.
fn bodies() -> Vec<(String, String)> {
    let one = json!({ "query": "{ me { id } }" });
    let costly =
        json!({ "query": "{ services { checks(first: 500) { edges { node { slot } } } } }" });
    let mut bodies: Vec<(String, String)> = documents::hostile()
        .into_iter()
        .map(|(what, document)| (what, json!({ "query": document }).to_string()))
        .collect();
    for (what, body) in [
        ("a batch of eleven", Value::Array(vec![one.clone(); 11]).to_string()),
        ("a batch of thousands", Value::Array(vec![one.clone(); 30_000]).to_string()),
        ("a batch of costly ones", Value::Array(vec![costly; 10]).to_string()),
        ("an empty batch", "[]".into()),
        ("a batch in a batch", "[[{}]]".into()),
        ("brackets", "[".repeat(1_000_000)),
        ("braces", "{\"a\":".repeat(200_000)),
        ("a name a million times", format!("{{\"query\":\"{{ me {{ id }} }}\",\"variables\":{{{}}}}}", "\"a\":1,".repeat(100_000) + "\"b\":1")),
        ("a number beyond numbers", format!("{{\"query\":\"query($n: Int) {{ incidents(first: $n) {{ totalCount }} }}\",\"variables\":{{\"n\":1{}}}}}", "0".repeat(300))),
        ("a huge list", json!({ "query": "mutation($ids: [UUID!]!) { pauseServices(ids: $ids) { id } }", "variables": { "ids": vec!["x"; 200_000] } }).to_string()),
        ("more ids than there may be", json!({ "query": "mutation($ids: [UUID!]!) { pauseServices(ids: $ids) { id } }", "variables": { "ids": vec![uuid::Uuid::nil(); 30_000] } }).to_string()),
        ("a name that is not there", json!({ "query": "query a { me { id } }", "operationName": "b" }).to_string()),
        ("no JSON", "\u{0}\u{0}".into()),
    ] {
        bodies.push((what.into(), body));
    }
    bodies
}

#[tokio::test]
async fn hostile_requests_are_refused_quickly_and_memory_stays_flat() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let database = testkit::database::sqlite().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let mut settings = Settings::new(
        base.parse().unwrap(),
        "0123456789abcdef0123456789abcdef".into(),
    );
    settings.local_login = true;
    settings.rates.operations = NonZeroU32::MAX;
    let backend = ApiDependencies {
        db: database.db.clone(),
        live: Coordination::memory(),
        prober: Prober::new(ClientSettings::default()).unwrap(),
        fetcher: Fetcher::new(FetcherSettings::default()).unwrap(),
        settings,
    };
    let stop = CancellationToken::new();
    let served = tokio::spawn(backend::serve_with_assets(
        backend,
        Assets::new([]),
        listener,
        stop.clone(),
    ));
    let token = create_link(&database.db, Utc::now().trunc_subsecs(3), Days::minutes(5))
        .await
        .unwrap();
    let http = reqwest::Client::builder()
        .no_proxy()
        .cookie_store(true)
        .redirect(reqwest::redirect::Policy::none());
    let http = http.build().unwrap();
    http.get(format!("{base}/api/auth/local?token={token}"))
        .send()
        .await
        .unwrap();
    let post = |body: String| {
        let request = http
            .post(format!("{base}/api/graphql"))
            .header(ORIGIN, &base);
        request
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .send()
    };

    let bodies = bodies();
    assert!(bodies.len() >= 200, "{}", bodies.len());
    let (mut slowest, mut kept) = ((Duration::ZERO, ""), Vec::<u64>::new());
    let settled = |kept: &[u64]| match kept {
        [.., first, second, third] => *second.max(third) <= first + FLAT,
        _ => false,
    };
    while !settled(&kept) && kept.len() < ROUNDS {
        for (what, body) in &bodies {
            let started = worked("self");
            let answer = post(body.clone()).await.unwrap();
            let (status, text) = (answer.status(), answer.text().await.unwrap());
            let took = worked("self") - started;
            assert!(
                status.is_success() || status.is_client_error(),
                "{what} is answered by {status}: {text}"
            );
            assert!(!text.contains("INTERNAL"), "{what}: {text}");
            assert!(took < LONG, "{what} took {took:?}");
            slowest = slowest.max((took, what.as_str()));
        }
        kept.push(resident());
    }
    println!(
        "{} requests in each round, the slowest took {slowest:?}; KiB in memory after each: {kept:?}",
        bodies.len()
    );
    assert!(settled(&kept), "memory grows: {kept:?}");

    let answer: Value = post(json!({ "query": "{ me { id } }" }).to_string())
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(
        answer["data"]["me"]["id"].is_string(),
        "an ordinary request is still answered: {answer}"
    );
    stop.cancel();
    served.await.unwrap().unwrap();
}
