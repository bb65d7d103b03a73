//! A vendor page, seen from outside: found, followed, and seen to fail and to recover, live.

use crate::client::{self, Client, Subscription};
use crate::journey::{Single, sign_in};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::vendor::{Page, SUMMARY, Vendor};
use tokio::time::timeout;

/// A page is asked once a minute at most, and a little later by chance.
const A_CYCLE: Duration = Duration::from_secs(100);

const EVENTS: &str = "subscription { statusUpdates(changesOnly: true) {
    service { id components { id status vendorStatus } vendorIncidents { id name url updates { body } } }
    previous current { status message }
} }";

fn page(api: &str) -> Page {
    let page = Page::new(
        "Harbour Cloud",
        &[("api", "API", api), ("web", "Website", "operational")],
    );
    page.maintenance(
        "m1",
        "Moving house",
        &["api"],
        "2040-03-01T10:00:00Z",
        "2040-03-01T12:00:00Z",
    )
}

#[tokio::test]
async fn a_vendors_page_is_found_followed_and_seen_to_fail_and_to_recover() {
    let mut single = Single::start();
    let client = sign_in(&mut single.process).await;
    let vendor = Vendor::start().await;
    vendor.shows(&page("operational"));
    let mut events = client.subscribe(EVENTS).await;

    let discover =
        "mutation ($url: String!) { discoverVendorPage(url: $url) { apiUrls components { id } } }";
    let found = client
        .data(discover, json!({ "url": vendor.url("/") }))
        .await["discoverVendorPage"]
        .clone();
    let id = follow(&client, &found).await;

    let up = becomes(&mut events, &id, "UP").await;
    assert_eq!(
        (&up["previous"], &up["service"]["vendorIncidents"]),
        (&json!("UNKNOWN"), &json!([]))
    );
    let asked = vendor.asked(SUMMARY);

    vendor.shows(&page("major_outage").incident("i1", "The API is down", &["api"]));
    let down = becomes(&mut events, &id, "DOWN").await;
    assert_eq!(
        (
            &down["previous"],
            &down["service"]["components"][0]["vendorStatus"]
        ),
        (&json!("UP"), &json!("major_outage"))
    );
    let notice = &down["service"]["vendorIncidents"][0];
    assert_eq!(
        (&notice["name"], &notice["updates"][0]["body"]),
        (&json!("The API is down"), &json!("We are looking into it."))
    );
    let incident = &incidents(&client, &id).await[0];
    let cause = incident["cause"].as_str().unwrap();
    assert!(
        cause.contains("The API is down")
            && cause.contains("https://status.vendor.example/incidents/i1"),
        "{cause}"
    );
    assert_eq!(
        (&incident["type"], &incident["state"]),
        (&json!("DOWNTIME"), &json!("OPEN"))
    );

    vendor.shows(&page("operational"));
    let recovered = becomes(&mut events, &id, "UP").await;
    assert_eq!(
        (
            &recovered["previous"],
            &recovered["service"]["vendorIncidents"]
        ),
        (&json!("DOWN"), &json!([]))
    );
    let over = incidents(&client, &id).await;
    assert_eq!(
        (over.len(), &over[0]["id"], &over[0]["state"]),
        (1, &incident["id"], &json!("RESOLVED"))
    );
    assert!(
        vendor.asked(SUMMARY) <= asked + 3,
        "asked {} times in some two minutes",
        vendor.asked(SUMMARY) - asked
    );

    let made = client
        .data("mutation { createCalendarFeed { url } }", json!({}))
        .await;
    let feed = client::http()
        .build()
        .unwrap()
        .get(made["createCalendarFeed"]["url"].as_str().unwrap());
    let calendar = feed
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        calendar.contains("SUMMARY:Harbour: Moving house\r\n"),
        "{calendar}"
    );
    assert!(
        calendar.contains("DTSTART:20400301T100000Z\r\n"),
        "{calendar}"
    );
    assert_eq!(single.process.terminate().await, Some(0));
}

/// Adds a service that follows the first component that was found, and returns its id.
async fn follow(client: &Client, found: &Value) -> String {
    let input = json!({ "name": "Harbour", "apiUrls": found["apiUrls"],
        "componentIds": [found["components"][0]["id"]] });
    let create = "mutation ($input: CreateServiceInput!) { createService(input: $input) { id vendorPageUrl } }";
    let created = client
        .data(
            create,
            json!({ "input": testkit::input::new_service(input) }),
        )
        .await["createService"]
        .clone();
    assert_eq!(created["vendorPageUrl"], "https://status.vendor.example/");
    created["id"].as_str().unwrap().to_owned()
}

/// Waits until the service has a status, and returns the event that reported it.
async fn becomes(events: &mut Subscription, id: &str, status: &str) -> Value {
    let change = async {
        loop {
            let update = events
                .next()
                .await
                .expect("no update is missed within one process")["statusUpdates"]
                .take();
            if update["service"]["id"] == id && update["current"]["status"] == status {
                return update;
            }
        }
    };
    timeout(A_CYCLE, change)
        .await
        .unwrap_or_else(|_| panic!("it never became {status}"))
}

async fn incidents(client: &Client, id: &str) -> Vec<Value> {
    let query = "query ($id: UUID!) { service(id: $id) { incidents { edges { node { id type state cause } } } } }";
    let found = client.data(query, json!({ "id": id })).await;
    let edges = found["service"]["incidents"]["edges"].as_array().unwrap();
    edges.iter().map(|edge| edge["node"].clone()).collect()
}
