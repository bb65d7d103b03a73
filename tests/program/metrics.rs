//! What Prometheus reads of a running program, and that alerts and dashboard name nothing else.

use crate::client::{self, Client};
use crate::journey::{Single, sign_in};
use crate::process::SOON;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::target::{Behaviour, Target};
use testkit::vendor::{Page, Vendor};
use tokio::time::{Instant, timeout};

const CREATE: &str =
    "mutation ($input: CreateServiceInput!) { createService(input: $input) { id } }";

struct Scraped(String);

impl Scraped {
    async fn from(url: &str) -> Self {
        let answer = client::http()
            .build()
            .unwrap()
            .get(url)
            .send()
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
        assert!(
            answer.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/plain; version=0.0.4")
        );
        Self(answer.text().await.unwrap())
    }

    /// The sum of a metric's series whose text contains `labels`.
    fn value(&self, name: &str, labels: &str) -> f64 {
        let lines = self
            .0
            .lines()
            .filter(|line| !line.starts_with('#') && line.contains(labels));
        let values = lines.filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            (series.split('{').next()? == name).then(|| value.parse::<f64>().unwrap())
        });
        values.sum()
    }

    fn names(&self) -> BTreeSet<&str> {
        let samples = self
            .0
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty());
        samples
            .filter_map(|line| line.split(['{', ' ']).next())
            .collect()
    }
}

/// Scrapes until `holds`.
async fn eventually(url: &str, what: &str, holds: impl Fn(&Scraped) -> bool) -> Scraped {
    let deadline = Instant::now() + SOON;
    loop {
        let scraped = Scraped::from(url).await;
        if holds(&scraped) {
            return scraped;
        }
        assert!(
            Instant::now() < deadline,
            "{what}: it never came to that\n{}",
            scraped.0
        );
        tokio::task::yield_now().await;
    }
}

async fn create(client: &Client, input: Value) {
    client
        .data(
            CREATE,
            json!({ "input": testkit::input::new_service(input) }),
        )
        .await;
}

/// The names of metrics in a file that is made for Prometheus or Grafana.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words
        .filter(|word| word.starts_with("pulsecheck_") || word.starts_with("process_"))
        .collect()
}

#[tokio::test]
async fn what_happens_shows_in_the_metrics_and_alerts_and_dashboard_name_only_those() {
    let mut single = Single::start_with(&[("PULSECHECK_METRICS_LISTEN", "127.0.0.1:0")]);
    let url = single.process.announced("Metrics on ").await;
    let client = sign_in(&mut single.process).await;
    let before = Scraped::from(&url).await;
    let checks = |scraped: &Scraped, status: &str| {
        scraped.value(
            "pulsecheck_checks_total",
            &format!("kind=\"http\",status=\"{status}\""),
        )
    };
    assert_eq!((checks(&before, "up"), checks(&before, "down")), (0.0, 0.0));
    assert_eq!(before.value("pulsecheck_queue_services", ""), 0.0);
    assert_eq!(before.value("pulsecheck_worker_accepting", ""), 1.0);

    let target = Target::start().await;
    create(&client, json!({ "name": "A", "url": target.url(), "checkIntervalSeconds": 1, "timeoutMs": 900, "degradedThresholdMs": 800,
        "confirmations": 1 })).await;
    // One is counted after the other.
    let counted = |scraped: &Scraped| {
        checks(scraped, "up") >= 1.0
            && scraped.value("pulsecheck_last_record_timestamp_seconds", "") > 1e9
    };
    let up = eventually(&url, "a check is counted", counted).await;
    assert_eq!(up.value("pulsecheck_queue_services", ""), 1.0);
    assert!(up.value("pulsecheck_graphql_operations_total", "code=\"ok\"") >= 1.0);
    target.behave(Behaviour::code(503)).await;
    // Somebody who looks in between finds one of the two counted.
    let opened = |scraped: &Scraped| {
        scraped.value("pulsecheck_incidents_total", "event=\"opened\"") >= 1.0
            && checks(scraped, "down") >= 1.0
    };
    eventually(
        &url,
        "a check that fails and an incident are counted",
        opened,
    )
    .await;

    let refused = client
        .graphql("{ service(id: \"x\") { id } }", json!({}))
        .await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_INPUT");
    let vendor = Vendor::start().await;
    vendor.shows(&Page::new(
        "Harbour Cloud",
        &[("api", "API", "operational")],
    ));
    let discover = "mutation ($url: String!) { discoverVendorPage(url: $url) { apiUrls } }";
    let found = client
        .data(discover, json!({ "url": vendor.url("/") }))
        .await["discoverVendorPage"]
        .clone();
    let input = json!({ "name": "V", "apiUrls": found["apiUrls"], "componentIds": ["api"] });
    create(&client, input).await;
    let _subscription = client
        .subscribe("subscription { statusUpdates { changed } }")
        .await;
    let read = |scraped: &Scraped| {
        scraped.value("pulsecheck_page_fetches_total", "result=\"read\"") >= 1.0
            && scraped.value("pulsecheck_page_fetch_seconds_count", "") >= 1.0
            && scraped.value("pulsecheck_subscriptions", "") >= 1.0
    };
    let all = eventually(&url, "a page was read", read).await;
    assert_eq!(all.value("pulsecheck_websockets", ""), 1.0);
    assert!(all.value("pulsecheck_graphql_operations_total", "code=\"BAD_INPUT\"") >= 1.0);
    for kind in ["query", "mutation", "subscription"] {
        let labels = format!("kind=\"{kind}\"");
        assert!(
            all.value("pulsecheck_graphql_operations_total", &labels) >= 1.0,
            "{kind}"
        );
    }
    for kind in ["query", "mutation"] {
        assert!(
            all.value(
                "pulsecheck_graphql_operation_seconds_count",
                &format!("kind=\"{kind}\"")
            ) >= 1.0,
            "{kind}"
        );
    }
    assert!(
        all.value(
            "pulsecheck_page_fetches_total",
            "provider=\"Atlassian Statuspage\",result=\"read\""
        ) >= 1.0,
        "{}",
        all.0
    );

    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/helm/pulsecheck/monitoring/");
    for file in ["alerts.yaml", "dashboard.json"] {
        let text = std::fs::read_to_string(format!("{chart}{file}")).unwrap();
        let (named, exposed) = (named(&text), all.names());
        assert!(named.len() > 10, "{file}: {named:?}");
        let unknown: Vec<_> = named.difference(&exposed).collect();
        assert!(
            unknown.is_empty(),
            "{file} names what the program does not expose: {unknown:?}\n{}",
            all.0
        );
    }
    assert!(
        timeout(SOON, single.process.terminate())
            .await
            .is_ok_and(|code| code == Some(0))
    );
}
