//! Limits of documents: hostile ones are refused quickly and without internal errors, and those of
//! ordinary clients pass.

pub(crate) mod hostile;

use crate::api::Api;
use hostile::hostile;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::builders::a_service;
use testkit::processor::worked;

/// Maximum time of a refusal. An optimised build is bounded by 100 ms; a test build is about ten
/// times slower.
const LONG: Duration = Duration::from_secs(1);

/// The introspection query of GraphiQL and code generators.
const INTROSPECTION: &str = include_str!("introspection.graphql");

/// A dashboard's query for all fields of a row.
const DASHBOARD: &str = "query { services { ...Row } incidents(filter: { state: OPEN }) { totalCount edges { node { ...Open } } }
    limits { minIntervalSeconds maxServices } me { id name email } }
    fragment Row on Service { id name category kind paused createdAt target vendorPageUrl checkIntervalSeconds timeoutMs
        degradedThresholdMs confirmations
        current { status since checkedAt responseTimeMs statusCode message phases { dnsMs connectMs tlsMs firstByteMs } }
        day: uptime(window: DAY) { ...Share } week: uptime(window: WEEK) { ...Share }
        month: uptime(window: MONTH) { ...Share } quarter: uptime(window: QUARTER) { ...Share }
        uptimeDays(days: 90) { date status percent coveragePercent }
        openIncident { ...Open } components { id name groupName status vendorStatus missing }
        vendorIncidents { id name impact status startedAt url components updates { at status body } }
        maintenances { id name status scheduledFor scheduledUntil url components } }
    fragment Share on Uptime { percent degradedPercent coveragePercent }
    fragment Open on Incident { id type state startedAt resolvedAt checksFailed cause events { at kind message }
        service { id name } }";

#[tokio::test]
async fn two_hundred_hostile_documents_are_refused_quickly() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    ada.adds("Shop").await;
    let documents = hostile();
    assert!(documents.len() >= 200, "{}", documents.len());
    let (mut slowest, count) = ((Duration::ZERO, String::new()), documents.len());
    for (what, document) in documents {
        let shown: String = document.chars().take(120).collect();
        let started = worked("thread-self");
        let answer = ada.asks(&document, json!({})).await;
        let took = worked("thread-self") - started;
        let size = answer.0.to_string().len();
        for error in answer.0["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("{what} is accepted: {shown}"))
        {
            assert_eq!(error["extensions"]["code"], "BAD_INPUT", "{what}: {error}");
        }
        assert!(took < LONG, "{what} took {took:?}: {shown}");
        if took > slowest.0 {
            slowest = (took, what.clone());
        }
        assert!(
            size < 32 * 1024,
            "{what} is answered by {size} bytes: {shown}"
        );
    }
    println!("{count} documents, the slowest took {slowest:?}");
}

#[tokio::test]
async fn hostile_variables_are_refused_quickly_and_none_is_our_fault() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let create = "mutation($input: CreateServiceInput!) { createService(input: $input) { id } }";
    let search = "query($filter: ServiceFilter) { services(filter: $filter) { id } }";
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    for (query, variables) in [
        (create, json!({})),
        (create, json!({ "input": null })),
        (create, json!({ "input": [] })),
        (create, json!({ "input": "text" })),
        (
            create,
            json!({ "input": { "name": "x", "monitor": { "vendorPage": { "componentIds": vec!["c"; 50_000] } } } }),
        ),
        (
            create,
            json!({ "input": { "name": "x", "monitor": { "vendorPage": { "userDefinedUrls": vec![1; 50_000] } } } }),
        ),
        (create, json!({ "input": { "name": vec!["n"; 50_000] } })),
        (
            create,
            json!({ "input": { "name": { "deep": deep.clone() } } }),
        ),
        (
            create,
            json!({ "input": { "name": "x", "monitor": { "http": { "url": "https://".to_owned() + &"a.".repeat(500_000) } } } }),
        ),
        (
            create,
            json!({ "input": { "name": "x", "monitor": { "http": { "url": "https://x.test", "expectedStatus": "1,".repeat(500_000) } } } }),
        ),
        (
            create,
            json!({ "input": { "name": "x", "monitor": { "http": { "url": "https://x.test" } }, "timeoutMs": 1e300 } }),
        ),
        (
            create,
            json!({ "input": { "name": "x", "monitor": { "http": { "url": "https://x.test" } }, "nothing": 1 } }),
        ),
        (
            search,
            json!({ "filter": { "status": "x".repeat(1_000_000) } }),
        ),
        (search, json!({ "filter": deep })),
        (search, json!({ "filter": { "kind": 1 } })),
    ] {
        let started = worked("thread-self");
        let error = ada.error(query, variables).await;
        assert_eq!(error["extensions"]["code"], "BAD_INPUT", "{error}");
        assert!(worked("thread-self") - started < LONG, "{error}");
        assert!(error.to_string().len() < 4096);
    }
    let long = json!({ "filter": { "search": "x".repeat(1_000_000), "category": "\u{0}" } });
    assert_eq!(ada.data(search, long).await["services"], json!([]));
}

#[tokio::test]
async fn what_honest_clients_send_passes() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    ada.adds("Shop").await;
    let board = ada.data(DASHBOARD, json!({})).await;
    assert_eq!(board["services"][0]["name"], "Shop");
    assert_eq!(
        board["services"][0]["uptimeDays"].as_array().unwrap().len(),
        90
    );
    let schema = ada.data(INTROSPECTION, json!({})).await;
    assert!(schema["__schema"]["types"].as_array().unwrap().len() > 30);
    let long_text = format!(
        "{{ services(filter: {{ search: \"{}\" }}) {{ id }} }}",
        "{[(#".repeat(100_000)
    );
    assert_eq!(
        ada.data(&long_text, json!({})).await["services"],
        Value::Array(Vec::new())
    );
    let block = "{ services(filter: { search: \"\"\"a \\\"\"\" {{{ \"\"\" }) { id } } # {{{ \n";
    assert_eq!(
        ada.data(block, json!({})).await["services"],
        Value::Array(Vec::new())
    );
    let page = "query($id: UUID!) { service(id: $id) { checks(first: 500) { edges { cursor node {
        slot checkedAt status statusCode responseTimeMs message } } pageInfo { hasNextPage endCursor } }
        incidents(first: 500) { totalCount edges { node { id events { at kind message } } } } } }";
    ada.data(page, json!({ "id": uuid::Uuid::now_v7() })).await;
}

#[tokio::test]
async fn pages_of_all_services_together_are_bounded() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    for _ in 0..101 {
        a_service(&api.use_cases.db, &ada.user).create().await;
    }
    for list in ["checks", "incidents"] {
        let ask = |pages: &str| format!("{{ services {{ {pages} }} }}");
        let one = |first: u32| format!("{list}(first: {first}) {{ edges {{ cursor }} }}");
        assert_eq!(
            ada.data(&ask(&one(198)), json!({})).await["services"]
                .as_array()
                .unwrap()
                .len(),
            101
        );
        for pages in [one(199), format!("a: {} b: {}", one(100), one(101))] {
            let error = ada.error(&ask(&pages), json!({})).await;
            assert_eq!(error["extensions"]["code"], "BAD_INPUT", "{error}");
            assert_eq!(error["extensions"]["field"], "first", "{error}");
            let message = error["message"].as_str().unwrap();
            assert!(
                message.contains("at most 20000") && message.contains("ask for at most"),
                "{message}"
            );
        }
    }
}

#[tokio::test]
async fn whatever_is_wrong_about_an_argument_is_said_of_its_field() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let create = "mutation($input: CreateServiceInput!) { createService(input: $input) { id } }";
    let by_name = "mutation($n: Int) { createService(input: { name: \"x\", monitor: { http: { url: \"x.test\" } }, timeoutMs: $n }) { id } }";
    for (query, variables, field) in [
        (
            create,
            json!({ "input": { "monitor": { "http": { "url": "https://x.test" } } } }),
            "name",
        ),
        (
            create,
            json!({ "input": { "name": "x", "monitor": { "http": {} }, "nothing": 1 } }),
            "nothing",
        ),
        (
            create,
            json!({ "input": { "name": "x", "monitor": { "http": {} }, "checkIntervalSeconds": 99_999_999_999_u64 } }),
            "checkIntervalSeconds",
        ),
        (
            create,
            json!({ "input": { "name": "x", "monitor": { "http": {} }, "timeoutMs": -99_999_999_999_i64 } }),
            "timeoutMs",
        ),
        (
            create,
            json!({ "input": { "name": "x", "monitor": { "http": {} }, "timeoutMs": u64::MAX } }),
            "timeoutMs",
        ),
        (
            create,
            json!({ "input": { "name": "x", "monitor": { "http": {} }, "timeoutMs": 1.5 } }),
            "timeoutMs",
        ),
        (by_name, json!({ "n": 2_147_483_648_u32 }), "timeoutMs"),
        (
            "mutation { createService(input: { monitor: { http: { url: \"https://x.test\" } } }) { id } }",
            json!({}),
            "name",
        ),
        (
            "{ incidents(first: 9999999999) { totalCount } }",
            json!({}),
            "first",
        ),
        (
            "query($n: Int) { incidents(first: $n) { totalCount } }",
            json!({ "n": 9_999_999_999_u64 }),
            "first",
        ),
        (
            "query($n: Int = 9999999999) { incidents(first: $n) { totalCount } }",
            json!({}),
            "n",
        ),
        (
            "{ services { ...F } } fragment F on Service { uptimeDays(days: -2147483649) { date } }",
            json!({}),
            "days",
        ),
        ("{ service { id } }", json!({}), "id"),
    ] {
        let error = ada.error(query, variables).await;
        assert_eq!(error["extensions"]["code"], "BAD_INPUT", "{query}: {error}");
        assert_eq!(error["extensions"]["field"], field, "{query}: {error}");
    }
    let name = "mutation($input: CreateServiceInput!) { createService(input: $input) { name } }";
    let digits = json!({ "input": { "name": "99999999999", "monitor": { "http": { "url": "https://x.test" } }, "timeoutMs": 30_000 } });
    assert_eq!(
        ada.data(name, digits).await["createService"]["name"],
        "99999999999"
    );
}
