//! Number of statements of a query: it depends on the selected fields, not on the number of services.

use crate::api::{Api, now};
use chrono::{Duration, Timelike};
use entity::column::IncidentType;
use entity::{check, incident, incident_event};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use testkit::builders::{a_check, a_service, a_user, insert_checks};
use testkit::database::TestDatabase;
use testkit::on_each_database;
use uuid::Uuid;

/// All fields of a list of services.
const BOARD: &str = "{ services { id name
    current { status phases { dnsMs } certificateExpiresAt }
    day: uptime(window: DAY) { percent } month: uptime(window: MONTH) { percent }
    uptimeDays(days: 30) { date percent }
    checks(first: 3) { edges { node { slot } } pageInfo { hasNextPage } }
    incidents(first: 2) { totalCount edges { node { id events { kind } service { name } } } }
    openIncident { id cause }
    components { id } vendorIncidents { id } maintenances { id }
} }";

/// The query that the dashboard sends when it is opened.
const DASHBOARD: &str = "{ services { id name category kind paused target
    current { status since checkedAt responseTimeMs statusCode message }
    uptime(window: MONTH) { percent degradedPercent coveragePercent }
    uptimeDays(days: 30) { date status percent coveragePercent }
    openIncident { id type state startedAt cause }
} incidents(filter: { state: OPEN }) { totalCount edges { node { id type startedAt cause service { id } } } } }";

/// Documents that the dashboard sends about many services, with their variables and the maximum
/// number of statements. `IDS` is replaced by the ids of up to 100 services.
const DOCUMENTS: [(&str, &str, usize); 5] = [
    (
        include_str!("../../../ui/documents/ListServices.graphql"),
        "{}",
        4,
    ),
    (
        include_str!("../../../ui/documents/ListUptimes.graphql"),
        "{}",
        2,
    ),
    (
        include_str!("../../../ui/documents/ListHistories.graphql"),
        r#"{ "filter": { "ids": IDS } }"#,
        4,
    ),
    (
        include_str!("../../../ui/documents/ListVendorAnnouncements.graphql"),
        "{}",
        3,
    ),
    (
        include_str!("../../../ui/documents/ListIncidents.graphql"),
        r#"{ "filter": {}, "first": 50 }"#,
        6,
    ),
];

on_each_database! {
    async fn the_dashboards_documents_cost_the_same_for_three_and_for_three_hundred_services(database: TestDatabase) {
        let mut api = Api::on(database).await;
        let statements = api.count_statements();
        let mut costs = Vec::new();
        for services in [3, 300] {
            let ada = api.somebody().await;
            fill(&api, &ada.user, services).await;
            let all = ada.data("{ services { id } }", json!({})).await;
            let ids: Vec<_> = all["services"].as_array().unwrap().iter().take(100).map(|row| row["id"].clone()).collect();
            let mut cost_of_each = Vec::new();
            for (document, variables, bound) in DOCUMENTS {
                let variables = variables.replace("IDS", &json!(ids).to_string());
                let before = statements.load(Ordering::Relaxed);
                ada.data(document, serde_json::from_str(&variables).unwrap()).await;
                let cost = statements.load(Ordering::Relaxed) - before;
                assert!(cost <= bound, "{cost} statements for {services} services: {document}");
                cost_of_each.push(cost);
            }
            costs.push(cost_of_each);
        }
        assert_eq!(costs[0], costs[1], "statements for 3 and for 300 services");
    }

    async fn the_dashboard_takes_seven_statements_then_six_and_who_asks_one_more(database: TestDatabase) {
        let mut api = Api::on(database).await;
        let statements = api.count_statements();
        let ada = api.somebody().await;
        fill(&api, &ada.user, 40).await;
        // The second time with warm caches.
        for cost in [7, 6] {
            let before = statements.load(Ordering::Relaxed);
            let board = ada.data(DASHBOARD, json!({})).await;
            assert_eq!(statements.load(Ordering::Relaxed) - before, cost);
            assert_eq!(board["services"][39]["uptimeDays"][29]["status"], "UP");
            assert_eq!((&board["incidents"]["totalCount"], &board["services"][0]["openIncident"]["cause"]), (&json!(40), &json!("2")));
        }
    }

    async fn lists_of_days_are_the_same_however_they_are_selected(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        fill(&api, &ada.user, 2).await;
        let plain = "{ services { uptimeDays(days: 3) { date status percent coveragePercent }
            latency(window: DAY) { at p50Ms p95Ms maxMs checks } } }";
        let plain = ada.data(plain, json!({})).await;
        let day = &plain["services"][1]["uptimeDays"][2];
        assert_eq!(day["date"], now().date_naive().to_string());
        assert_eq!((&day["status"], &day["percent"]), (&json!("UP"), &json!(100.0)));
        assert!(plain["services"][0]["latency"][0]["p50Ms"].is_number(), "{plain}");
        // Resolved field by field by the library, because the same list is selected twice.
        let split = "{ services { uptimeDays(days: 3) { date status } uptimeDays(days: 3) { percent coveragePercent }
            latency(window: DAY) { at p50Ms } latency(window: DAY) { p95Ms maxMs checks } } }";
        assert_eq!(without_today(ada.data(split, json!({})).await), without_today(plain.clone()));
        let fragments = "query($all: Boolean!) { services { ...Days ... on Service { latency(window: DAY) { ...Point } } } }
            fragment Days on Service { uptimeDays(days: 3) { date ... on UptimeDay { status date } ...Rest @include(if: $all) } }
            fragment Rest on UptimeDay { percent coveragePercent }
            fragment Point on LatencyPoint { at p50Ms p95Ms maxMs checks }";
        let found = ada.data(fragments, json!({ "all": true })).await;
        assert_eq!(without_today(found), without_today(plain.clone()));
        let found = ada.data(fragments, json!({ "all": false })).await;
        assert_eq!(found["services"][1]["uptimeDays"][2], json!({ "date": day["date"], "status": "UP" }));
        let named = "{ services { uptimeDays(days: 1) { kind: __typename is: status } } }";
        let named = ada.data(named, json!({})).await;
        assert_eq!(named["services"][0]["uptimeDays"], json!([{ "kind": "UptimeDay", "is": "UP" }]));
    }

    async fn services_are_the_same_however_they_are_selected(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        fill(&api, &ada.user, 3).await;
        a_service(&api.use_cases.db, &ada.user).name("\"quoted\" \\ \u{1F600}").paused().create().await;
        a_service(&api.use_cases.db, &ada.user).name("never checked").create().await;
        api.is_down(&a_service(&api.use_cases.db, &ada.user).name("down").category("web").create().await).await;
        const FIELDS: &str = "__typename id name category kind paused createdAt target vendorPageUrl checkIntervalSeconds timeoutMs
            degradedThresholdMs confirmations
            current { status since checkedAt responseTimeMs statusCode message }
            day: uptime(window: DAY) { degradedPercent percent } week: uptime(window: $window) { percent }
            uptimeDays(days: 3) { date status percent coveragePercent } week_days: uptimeDays(days: $days) { percent }
            incidentDays(days: $days) openIncident { id type cause events { kind } service { name } }
            checks(first: 2) { edges { node { slot } } } incidents { totalCount } latency(window: DAY) { p50Ms } components { id }
            other: current { phases { dnsMs } }";
        let variables = json!({ "window": "WEEK", "days": 5 });
        let written = ada.data(&format!("query($window: Window!, $days: Int) {{ services {{ {FIELDS} }} }}"), variables.clone()).await;
        let resolved = format!("query($window: Window!, $days: Int) {{ services {{ {FIELDS} target @include(if: true) }} }}");
        let resolved = ada.data(&resolved, variables).await;
        assert_eq!(without_today(written.clone()), without_today(resolved));
        let services = written["services"].as_array().unwrap();
        assert_eq!(services.len(), 6);
        let down = services.iter().find(|service| service["name"] == "down").unwrap();
        assert_eq!((&down["current"]["status"], &down["openIncident"]["type"]), (&json!("DOWN"), &json!("DOWNTIME")));
        let keys: Vec<_> = services[0].as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), 25, "{keys:?}");

        // Errors have the same messages and locations.
        for wrong in ["uptimeDays(days: 0) { percent }", "incidentDays(days: 400)", "uptimeDays(days: 9999999999) { percent }"] {
            let written = ada.asks(&format!("{{ services {{ id {wrong} }} }}"), json!({})).await.0;
            let resolved = ada.asks(&format!("{{ services {{ id @include(if: true) {wrong} }} }}"), json!({})).await.0;
            assert_eq!(written.pointer("/data"), resolved.pointer("/data"), "{wrong}");
            let errors_of = |answer: &Value| -> Vec<(String, Value)> {
                let errors = answer["errors"].as_array().unwrap().iter();
                errors.map(|error| (error["message"].to_string(), error["path"].clone())).collect()
            };
            assert_eq!(errors_of(&written), errors_of(&resolved), "{wrong}");
            assert!(!errors_of(&written).is_empty());
        }
    }

    async fn a_dashboard_costs_the_same_for_three_and_for_three_hundred_services(database: TestDatabase) {
        let mut api = Api::on(database).await;
        let statements = api.count_statements();
        let mut costs = Vec::new();
        for services in [3, 300] {
            let ada = api.somebody().await;
            fill(&api, &ada.user, services).await;
            let before = statements.load(Ordering::Relaxed);
            let board = ada.data(BOARD, json!({})).await;
            costs.push(statements.load(Ordering::Relaxed) - before);
            let rows = board["services"].as_array().unwrap();
            assert_eq!(rows.len(), services);
            for row in rows {
                assert_eq!(row["checks"]["edges"].as_array().unwrap().len(), 3, "{row}");
                assert_eq!(row["checks"]["pageInfo"]["hasNextPage"], true);
                assert_eq!((&row["incidents"]["totalCount"], &row["openIncident"]["cause"]), (&json!(3), &json!("2")));
                let incidents = row["incidents"]["edges"].as_array().unwrap();
                assert_eq!(incidents.len(), 2);
                assert_eq!(incidents[0]["node"]["events"], json!([{ "kind": "opened" }]));
                assert_eq!(incidents[1]["node"]["service"]["name"], row["name"]);
            }
        }
        let (ada, hour) = (api.somebody().await, now().hour());
        for services in [3, 47] {
            fill(&api, &ada.user, services).await;
            let before = statements.load(Ordering::Relaxed);
            let charts = ada.data("{ services { latency(window: DAY) { p50Ms checks } } }", json!({})).await;
            assert_eq!(statements.load(Ordering::Relaxed) - before, 3);
            assert!(charts["services"].as_array().unwrap().iter().all(|row| row["latency"][0]["p50Ms"].is_number()));
        }
        fill(&api, &ada.user, 1).await;
        let error = ada.error("{ services { latency(window: DAY) { p50Ms } } }", json!({})).await;
        assert_eq!(error["extensions"]["field"], "latency");
        // The query for the services in the viewport.
        for more in [9, 140] {
            fill(&api, &ada.user, more).await;
            let before = statements.load(Ordering::Relaxed);
            let rows = ada.data("{ services { uptimeDays { date } hourlyP50Ms } }", json!({})).await;
            assert_eq!(statements.load(Ordering::Relaxed) - before, 4);
            // The current hour is the last one, unless it began after the first services were checked.
            let earliest = if now().hour() == hour { 23 } else { 22 };
            let checked = |row: &Value| (earliest..24).any(|hour| row["hourlyP50Ms"][hour] == 100.0);
            assert!(rows["services"].as_array().unwrap().iter().all(checked), "{rows}");
        }
        fill(&api, &ada.user, 1).await;
        let error = ada.error("{ services { hourlyP50Ms } }", json!({})).await;
        assert_eq!(error["extensions"]["field"], "hourlyP50Ms");
        assert!(costs[0] > 0);
        assert_eq!(costs[0], costs[1], "statements for 3 and for 300 services");
        assert!(costs[0] <= 15, "{costs:?}");

        // Services that each follow a page, with all fields of the page.
        let query = "{ services { components { id missing } vendorIncidents { id } maintenances { id }
            vendorPage { name components { id } } } }";
        let mut costs = Vec::new();
        for services in [2, 40] {
            let ada = api.somebody().await;
            follow(&api, &ada.user, services).await;
            let before = statements.load(Ordering::Relaxed);
            let board = ada.data(query, json!({})).await;
            costs.push(statements.load(Ordering::Relaxed) - before);
            let rows = board["services"].as_array().unwrap();
            assert_eq!(rows.len(), services);
            assert!(rows.iter().all(|row| row["components"][0]["id"] == "api" && row["vendorPage"]["name"] == "Vendor"));
        }
        assert_eq!(costs[0], costs[1], "statements for 2 and for 40 services that follow pages");
        assert!(costs[0] <= 11, "{costs:?}");
    }
}

/// Removes values that change from one query to the next, such as today's coverage.
fn without_today(mut data: Value) -> Value {
    for service in data["services"].as_array_mut().unwrap() {
        for day in service["uptimeDays"].as_array_mut().unwrap() {
            day["coveragePercent"] = json!(day["coveragePercent"].as_f64().is_some());
        }
        // Points move with time.
        let points = service["latency"].as_array_mut().unwrap();
        points.truncate(
            points
                .iter()
                .rposition(|point| !point["p50Ms"].is_null())
                .map_or(0, |last| last + 1),
        );
    }
    data
}

/// Inserts services that each follow a page of their own.
async fn follow(api: &Api, user: &entity::user::Model, services: usize) {
    for i in 0..services {
        let page = crate::vendor::page(
            &api.use_cases.db,
            &format!("https://status.test/{}/{i}", user.id),
        )
        .await;
        crate::vendor::follows(
            &api.use_cases.db,
            user,
            page,
            &format!("Follower {i:03}"),
            &["api"],
        )
        .await;
    }
}

/// Inserts services, each with five checks and three incidents, the last one open.
async fn fill(api: &Api, user: &entity::user::Model, services: usize) {
    let db = &api.use_cases.db;
    let (mut checks, mut incidents, mut events) =
        (Vec::<check::Model>::new(), Vec::new(), Vec::new());
    for i in 0..services {
        let service = a_service(db, user)
            .name(&format!("Service {i:03}"))
            .created_at(now() - Duration::hours(4))
            .create()
            .await;
        checks.extend((0..5).map(|k| a_check(&service, now() - Duration::seconds(30 * k))));
        for k in 0..3i64 {
            let started_at = now() - Duration::hours(3 - k);
            let incident = incident::Model {
                id: Uuid::now_v7(),
                service_id: service.id,
                workspace_id: user.id,
                incident_type: IncidentType::Downtime,
                started_at,
                resolved_at: (k < 2).then(|| started_at + Duration::minutes(5)),
                checks_failed: 2,
                cause: Some(k.to_string()),
            };
            events.push(incident_event::Model {
                id: Uuid::now_v7(),
                incident_id: incident.id,
                at: started_at,
                kind: "opened".into(),
                message: "went down".into(),
            });
            incidents.push(incident);
        }
    }
    insert_checks(db, &checks).await;
    let rows = incidents
        .into_iter()
        .map(IntoActiveModel::into_active_model);
    incident::Entity::insert_many(rows)
        .exec_without_returning(db)
        .await
        .unwrap();
    let rows = events.into_iter().map(IntoActiveModel::into_active_model);
    incident_event::Entity::insert_many(rows)
        .exec_without_returning(db)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_update_is_not_read_from_the_database_unless_more_than_it_holds_is_asked_for() {
    let mut api = Api::sqlite().await;
    let statements = api.count_statements();
    let ada = api.somebody().await;
    let service = a_service(&api.use_cases.db, &ada.user).create().await;
    let id = service.id;
    drop(a_user(&api.use_cases.db).await);
    for (query, reads) in [
        (
            "subscription { statusUpdates { previous changed service { id current { status since } } current { status message } } }",
            0,
        ),
        (
            "subscription { statusUpdates { service { id name target } } }",
            1,
        ),
    ] {
        let mut updates = ada.subscribes(query, json!({}));
        updates.begins();
        let before = statements.load(Ordering::Relaxed);
        api.use_cases
            .live
            .publish(&[crate::subscriptions::checked(
                ada.user.id,
                id,
                domain::Status::Up,
                true,
            )])
            .await
            .unwrap();
        let update = updates.next().await.unwrap().data();
        assert_eq!(update["statusUpdates"]["service"]["id"], json!(id));
        assert_eq!(
            statements.load(Ordering::Relaxed) - before,
            reads,
            "{query}"
        );
    }
    let row = service.into_active_model().delete(&api.use_cases.db).await;
    assert!(row.is_ok());
}
