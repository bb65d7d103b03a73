//! Hostile documents: none is our own fault, none takes long, and what honest clients send passes.

use crate::api::Api;
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::{Duration, Instant};
use testkit::builders::a_service;

/// Built without optimisation everything is some ten times slower than it is in service, where 100 ms is the bound.
const LONG: Duration = Duration::from_secs(1);

/// As GraphiQL and code generators send it.
const INTROSPECTION: &str = include_str!("introspection.graphql");

/// A dashboard that asks for everything that a row may show.
const DASHBOARD: &str = "query { services { ...Row } incidents(filter: { state: OPEN }) { totalCount edges { node { ...Open } } }
    limits { minIntervalSeconds maxServices } me { id name email } }
    fragment Row on Service { id name category kind paused createdAt url statusPageUrl checkIntervalSeconds timeoutMs
        degradedThresholdMs expectedStatus confirmations
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

/// Documents that are refused, by what they try.
fn hostile() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    let mut add = |what: &str, document: String| all.push((what.to_owned(), document));
    for depth in [13, 16, 25, 40, 100, 1000, 20_000] {
        let open = "incidents { edges { node { service { ".repeat(depth);
        add("depth", format!("{{ services {{ {open} id {} }} }}", " } } } }".repeat(depth)));
        add("unbalanced", format!("{{ services {{ {open}"));
    }
    for n in [21, 100, 300, 1001, 5000, 60_000] {
        let aliases = (0..n).fold(String::new(), |mut all, i| {
            write!(all, "a{i}: services {{ id }} ").unwrap();
            all
        });
        add("aliases", format!("{{ {aliases} }}"));
        add("repetition", format!("{{ {} }}", "services { id } ".repeat(n)));
        add("aliases inside", format!("{{ services {{ {} }} }}", aliases.replace("services { id }", "name")));
        add("mutations", format!("mutation {{ {} }}", aliases.replace("services { id }", "deleteService(id: \"x\")")));
        add("unknown fields", format!("{{ services {{ {} }} }}", "x ".repeat(n)));
        add("directives", format!("{{ services {{ id {} }} }}", "@skip(if: false) ".repeat(n)));
        add("unknown directives", format!("{{ services {{ id {} }} }}", "@x ".repeat(n)));
        let directives = "id @include(if: true) ".repeat(n);
        add("many directives", format!("{{ services {{ {directives} }} }}"));
        add(
            "variables",
            format!(
                "query({}) {{ services {{ id }} }}",
                (0..n).fold(String::new(), |mut all, i| {
                    write!(all, "$v{i}: Int ").unwrap();
                    all
                })
            ),
        );
        add(
            "operations",
            (0..n).fold(String::new(), |mut all, i| {
                write!(all, "query q{i} {{ services {{ id }} }} ").unwrap();
                all
            }),
        );
        add(
            "fragments",
            (0..n).fold("{ ...f0 } ".to_owned(), |mut all, i| {
                write!(all, "fragment f{i} on Query {{ ...f{} }} ", i + 1).unwrap();
                all
            }),
        );
        add("list as a literal", format!("{{ services(filter: {{ search: [{}] }}) {{ id }} }}", "1,".repeat(n)));
        add("nested lists", format!("{{ services(filter: {}1{}) {{ id }} }}", "[".repeat(n), "]".repeat(n)));
        add("nested objects", format!("{{ services(filter: {}1{}) {{ id }} }}", "{a:".repeat(n), "}".repeat(n)));
        add("parentheses", format!("{{ services{}", "(".repeat(n)));
        add("type brackets", format!("query($v: {}Int{}) {{ services {{ id }} }}", "[".repeat(n), "]".repeat(n)));
        add(
            "introspection aliases",
            format!("{{ {} }}", aliases.replace("services { id }", "__schema { types { name } }")),
        );
    }
    // Texts that end elsewhere than they seem to: deep enough to overflow a parser's stack, if it got there.
    for n in [60, 300, 20_000] {
        let deep = format!("{}1{}", "{a:".repeat(n), "}".repeat(n));
        add("nesting behind a block text without an end", format!("{{me{{id(x:[\"\"\"abc\" {deep}])}}}}"));
        add("nesting behind a backslash", format!("{{me{{id(x:\"\"\"\\\\\"\"\"y\"\"\" z:{deep})}}}}"));
        add("nesting behind a text of two lines", format!("{{me{{id(x:[\"a\n\" {deep}])}}}}"));
    }
    add("a long text", format!("{{ services(filter: {{ search: \"{}\" }}) {{ id }} }}", "x".repeat(1_100_000)));
    for n in [4, 8, 20, 40, 60, 99] {
        let doubling = (0..n).fold("{ ...f0 } ".to_owned(), |mut all, i| {
            let next = i + 1;
            write!(all, "fragment f{i} on Query {{ ...f{next} ...f{next} }} ").unwrap();
            all
        });
        add(
            "fragments that double",
            format!("{doubling} fragment f{n} on Query {{ {} }}", "services { id } ".repeat(6)),
        );
        add("fragments in a circle", format!("{doubling} fragment f{n} on Query {{ ...f0 }}"));
        let deep = (0..n).fold("{ services { ...f0 } } ".to_owned(), |mut all, i| {
            write!(all, "fragment f{i} on Service {{ openIncident {{ service {{ ...f{} }} }} }} ", i + 1).unwrap();
            all
        });
        add(
            "depth by fragments",
            format!(
                "{deep} fragment f{n} on Service {{ openIncident {{ service {{ {}id{} }} }} }}",
                "openIncident { service { ".repeat(5),
                " } }".repeat(5)
            ),
        );
    }
    add("circle", "{ ...a } fragment a on Query { ...a }".into());
    add("circle of two", "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }".into());
    add("circle inside", "{ services { ...a } } fragment a on Service { openIncident { service { ...a } } }".into());
    add("unused circle", "{ me { id } } fragment a on Query { ...a }".into());
    add("costly", "{ services { checks(first: 500) { edges { node { slot status } } } } }".into());
    add(
        "costly by nesting",
        "{ incidents(first: 500) { edges { node { service { incidents(first: 500) { edges { node { id } } } } } } } }"
            .into(),
    );
    add(
        "costly by variables",
        "query($n: Int = 500) { services { checks(first: $n) { edges { node { slot status } } } } }".into(),
    );
    for step in ["fields { type", "interfaces", "possibleTypes", "inputFields { type"] {
        let close = if step.contains('{') { "} }" } else { "}" };
        let bomb = |n: usize| {
            format!("{{ __schema {{ types {{ {} name {} }} }} }}", format!("{step} {{ ").repeat(n), close.repeat(n))
        };
        add("introspection bomb", bomb(2));
        add("introspection bomb", bomb(6));
    }
    add("introspection twice", "{ __schema { types { name } types { fields { name } } } }".into());
    add("two introspections", "{ a: __schema { types { name } } b: __schema { types { name } } }".into());
    add("ofType", format!("{{ __schema {{ types {{ {} name {} }} }} }}", "ofType { ".repeat(30), "}".repeat(30)));
    add("two subscriptions", "subscription { a: incidentUpdates { id } b: incidentUpdates { id } }".into());
    add("a subscription as a query", "subscription { incidentUpdates { id } }".into());
    for (what, document) in [
        ("empty", ""),
        ("blank", "   \n"),
        ("comment", "# nothing"),
        ("nonsense", "{{{{"),
        ("not closed", "{ me { id }"),
        ("text not closed", "{ services(filter: { search: \"abc }) { id } }"),
        ("nul", "{ \u{0} }"),
        ("bom", "\u{feff}{"),
        ("block text not closed", "{ services(filter: { search: \"\"\"abc }) { id } }"),
        ("escape", "{ a(b: \"\\u00\") }"),
        ("no fields", "{ services }"),
        ("empty selection", "{ services { } }"),
        ("fields of a scalar", "{ me { id { x } } }"),
        ("unknown type", "{ ...on Nothing { id } }"),
        ("impossible fragment", "{ services { ...on User { id } } }"),
        ("unknown fragment", "{ ...nothing }"),
        ("undefined variable", "{ service(id: $id) { id } }"),
        ("unused variable", "query($id: UUID!) { me { id } }"),
        ("variable of no type", "query($v: Nothing) { me { id } }"),
        ("wrong id", "{ service(id: \"1\") { id } }"),
        ("number as id", "{ service(id: 1) { id } }"),
        ("null as id", "{ service(id: null) { id } }"),
        ("no id", "{ service { id } }"),
        ("object as id", "{ service(id: {a: 1}) { id } }"),
        ("unknown argument", "{ service(id: \"x\", nr: 1) { id } }"),
        ("unknown enum", "{ services(filter: { status: SIDEWAYS }) { id } }"),
        ("enum as text", "{ services(filter: { status: \"SIDEWAYS\" }) { id } }"),
        ("wrong time", "{ incidents(filter: { from: \"yesterday\" }) { totalCount } }"),
        ("time too late", "{ incidents(filter: { from: \"+262142-12-31T23:59:59Z\" }) { totalCount } }"),
        ("time too early", "{ incidents(filter: { to: \"-262142-01-01T00:00:00Z\" }) { totalCount } }"),
        (
            "from after to",
            "{ incidents(filter: { from: \"2026-01-02T00:00:00Z\", to: \"2026-01-01T00:00:00Z\" }) { totalCount } }",
        ),
        ("page of none", "{ incidents(first: 0) { totalCount } }"),
        ("page too long", "{ incidents(first: 501) { totalCount } }"),
        ("page backwards", "{ incidents(first: -1) { totalCount } }"),
        ("page beyond numbers", "{ incidents(first: 99999999999) { totalCount } }"),
        ("page of a fraction", "{ incidents(first: 1.5) { totalCount } }"),
        ("wrong cursor", "{ incidents(after: \"x\") { totalCount } }"),
        ("no days", "{ services { uptimeDays(days: 0) { date } } }"),
        ("unknown operation", "mutation { dropTables }"),
        ("two anonymous", "{ me { id } } { me { id } }"),
        ("two of a name", "query a { me { id } } query a { me { id } }"),
        ("no operation", "fragment a on Query { me { id } }"),
        ("which one", "query a { me { id } } query b { me { id } }"),
        ("conflict", "{ me { x: id x: name } }"),
        ("type system", "type Query { a: Int }"),
        ("typename of a subscription", "subscription { __typename }"),
    ] {
        add(what, document.to_owned());
    }
    all
}

#[tokio::test]
async fn two_hundred_hostile_documents_are_refused_quickly_and_none_is_our_fault() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    ada.adds("Shop").await;
    let documents = hostile();
    assert!(documents.len() >= 200, "{}", documents.len());
    let (mut slowest, count) = ((Duration::ZERO, String::new()), documents.len());
    for (what, document) in documents {
        let shown: String = document.chars().take(120).collect();
        let started = Instant::now();
        let answer = ada.asks(&document, json!({})).await;
        let took = started.elapsed();
        let size = answer.0.to_string().len();
        for error in answer.0["errors"].as_array().unwrap_or_else(|| panic!("{what} is accepted: {shown}")) {
            assert_eq!(error["extensions"]["code"], "BAD_INPUT", "{what}: {error}");
        }
        assert!(took < LONG, "{what} took {took:?}: {shown}");
        if took > slowest.0 {
            slowest = (took, what.clone());
        }
        assert!(size < 32 * 1024, "{what} is answered by {size} bytes: {shown}");
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
        (create, json!({ "input": { "name": "x", "url": "https://x.test", "componentIds": vec!["c"; 50_000] } })),
        (create, json!({ "input": { "name": "x", "url": "https://x.test", "userDefinedUrls": vec![1; 50_000] } })),
        (create, json!({ "input": { "name": vec!["n"; 50_000] } })),
        (create, json!({ "input": { "name": { "deep": deep.clone() } } })),
        (create, json!({ "input": { "name": "x", "url": "https://".to_owned() + &"a.".repeat(500_000) } })),
        (create, json!({ "input": { "name": "x", "url": "https://x.test", "expectedStatus": "1,".repeat(500_000) } })),
        (create, json!({ "input": { "name": "x", "url": "https://x.test", "timeoutMs": 1e300 } })),
        (create, json!({ "input": { "name": "x", "url": "https://x.test", "nothing": 1 } })),
        (search, json!({ "filter": { "status": "x".repeat(1_000_000) } })),
        (search, json!({ "filter": deep })),
        (search, json!({ "filter": { "kind": 1 } })),
    ] {
        let started = Instant::now();
        let error = ada.error(query, variables).await;
        assert_eq!(error["extensions"]["code"], "BAD_INPUT", "{error}");
        assert!(started.elapsed() < LONG, "{error}");
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
    assert_eq!(board["services"][0]["uptimeDays"].as_array().unwrap().len(), 90);
    let schema = ada.data(INTROSPECTION, json!({})).await;
    assert!(schema["__schema"]["types"].as_array().unwrap().len() > 30);
    let long_text = format!("{{ services(filter: {{ search: \"{}\" }}) {{ id }} }}", "{[(#".repeat(100_000));
    assert_eq!(ada.data(&long_text, json!({})).await["services"], Value::Array(Vec::new()));
    let block = "{ services(filter: { search: \"\"\"a \\\"\"\" {{{ \"\"\" }) { id } } # {{{ \n";
    assert_eq!(ada.data(block, json!({})).await["services"], Value::Array(Vec::new()));
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
        a_service(&api.ops.db, &ada.user).create().await;
    }
    for list in ["checks", "incidents"] {
        let ask = |pages: &str| format!("{{ services {{ {pages} }} }}");
        let one = |first: u32| format!("{list}(first: {first}) {{ edges {{ cursor }} }}");
        assert_eq!(ada.data(&ask(&one(198)), json!({})).await["services"].as_array().unwrap().len(), 101);
        for pages in [one(199), format!("a: {} b: {}", one(100), one(101))] {
            let error = ada.error(&ask(&pages), json!({})).await;
            assert_eq!(error["extensions"]["code"], "BAD_INPUT", "{error}");
            assert_eq!(error["extensions"]["field"], "first", "{error}");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains("at most 20000") && message.contains("ask for at most"), "{message}");
        }
    }
}

#[tokio::test]
async fn whatever_is_wrong_about_an_argument_is_said_of_its_field() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let create = "mutation($input: CreateServiceInput!) { createService(input: $input) { id } }";
    let by_name = "mutation($n: Int) { createService(input: { name: \"x\", url: \"x.test\", timeoutMs: $n }) { id } }";
    for (query, variables, field) in [
        (create, json!({ "input": { "url": "https://x.test" } }), "name"),
        (create, json!({ "input": { "name": "x", "nothing": 1 } }), "nothing"),
        (
            create,
            json!({ "input": { "name": "x", "checkIntervalSeconds": 99_999_999_999_u64 } }),
            "checkIntervalSeconds",
        ),
        (create, json!({ "input": { "name": "x", "timeoutMs": -99_999_999_999_i64 } }), "timeoutMs"),
        (create, json!({ "input": { "name": "x", "timeoutMs": u64::MAX } }), "timeoutMs"),
        (create, json!({ "input": { "name": "x", "timeoutMs": 1.5 } }), "timeoutMs"),
        (by_name, json!({ "n": 2_147_483_648_u32 }), "timeoutMs"),
        ("mutation { createService(input: { url: \"https://x.test\" }) { id } }", json!({}), "name"),
        ("{ incidents(first: 9999999999) { totalCount } }", json!({}), "first"),
        ("query($n: Int) { incidents(first: $n) { totalCount } }", json!({ "n": 9_999_999_999_u64 }), "first"),
        ("query($n: Int = 9999999999) { incidents(first: $n) { totalCount } }", json!({}), "n"),
        ("{ services { ...F } } fragment F on Service { uptimeDays(days: -2147483649) { date } }", json!({}), "days"),
        ("{ service { id } }", json!({}), "id"),
    ] {
        let error = ada.error(query, variables).await;
        assert_eq!(error["extensions"]["code"], "BAD_INPUT", "{query}: {error}");
        assert_eq!(error["extensions"]["field"], field, "{query}: {error}");
    }
    let name = "mutation($input: CreateServiceInput!) { createService(input: $input) { name } }";
    let digits = json!({ "input": { "name": "99999999999", "url": "https://x.test", "timeoutMs": 30_000 } });
    assert_eq!(ada.data(name, digits).await["createService"]["name"], "99999999999");
}
