//! Lists of incidents and checks: order, pages, cursors, filters.

use crate::api::{Api, Person, now};
use chrono::{DateTime, Duration, SubsecRound, Utc};
use entity::column::IncidentType;
use entity::{incident, service};
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde_json::{Value, json};
use testkit::builders::{a_check, a_service, insert_checks};
use testkit::database::TestDatabase;
use testkit::on_each_database;
use uuid::Uuid;

const PAGE: &str = "query($filter: IncidentFilter, $first: Int, $after: String) {
    incidents(filter: $filter, first: $first, after: $after) {
        totalCount edges { cursor node { id cause } } pageInfo { hasNextPage endCursor } } }";
const OF_SERVICE: &str = "query($id: UUID!, $first: Int, $after: String) { service(id: $id) {
    incidents(first: $first, after: $after) {
        totalCount edges { cursor node { id cause } } pageInfo { hasNextPage endCursor } } } }";
const CHECKS: &str = "query($id: UUID!, $first: Int, $after: String) { service(id: $id) {
    checks(first: $first, after: $after) {
        edges { cursor node { slot checkedAt status statusCode responseTimeMs message } }
        pageInfo { hasNextPage endCursor } } } }";

async fn an_incident(
    person: &Person<'_>,
    service: &service::Model,
    name: &str,
    started_at: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
) {
    let kind = if name.starts_with("slow") {
        IncidentType::Degraded
    } else {
        IncidentType::Downtime
    };
    let incident = incident::Model {
        id: Uuid::now_v7(),
        service_id: service.id,
        workspace_id: person.user.id,
        incident_type: kind,
        started_at,
        resolved_at,
        checks_failed: 2,
        cause: Some(name.into()),
    };
    incident
        .into_active_model()
        .insert(&person.api.use_cases.db)
        .await
        .unwrap();
}

fn causes(connection: &Value) -> Vec<String> {
    let edges = connection["edges"].as_array().unwrap();
    edges
        .iter()
        .map(|edge| edge["node"]["cause"].as_str().unwrap().to_owned())
        .collect()
}

on_each_database! {
    async fn pages_of_incidents_hold_every_one_once_newest_first(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let service = a_service(&api.use_cases.db, &ada.user).create().await;
        // Three at each time, whole seconds and fractions: only the id distinguishes them.
        let start = now().trunc_subsecs(0) - Duration::hours(1);
        for i in 0..12i64 {
            let at = start + Duration::milliseconds(500 * (i / 3));
            an_incident(&ada, &service, &format!("{i:02}"), at, Some(at + Duration::minutes(1))).await;
        }
        let expected: Vec<_> = (0..12).rev().map(|i| format!("{i:02}")).collect();
        let elsewhere = api.somebody().await;
        let foreign = a_service(&api.use_cases.db, &elsewhere.user).create().await;
        let mut total = 12;
        for (query, list) in [(PAGE, "/incidents"), (OF_SERVICE, "/service/incidents")] {
            let (mut seen, mut after, mut pages) = (Vec::new(), Value::Null, 0);
            loop {
                let variables = json!({ "id": service.id, "first": 5, "after": after });
                let variables = if list == "/incidents" { json!({ "first": 5, "after": after }) } else { variables };
                let page = ada.data(query, variables).await.pointer(list).unwrap().clone();
                assert_eq!(page["totalCount"], total);
                seen.extend(causes(&page));
                pages += 1;
                after = page["pageInfo"]["endCursor"].clone();
                assert_eq!(after, page["edges"].as_array().unwrap().last().unwrap()["cursor"]);
                if page["pageInfo"]["hasNextPage"] == false {
                    break;
                }
                // New incidents come before the page and do not shift it.
                an_incident(&elsewhere, &foreign, "late", now(), Some(now())).await;
                if list != "/incidents" {
                    an_incident(&ada, &service, "late", now(), Some(now())).await;
                    total += 1;
                }
            }
            assert_eq!((seen, pages), (expected.clone(), 3));
        }
    }

    async fn a_filter_of_incidents_finds_what_touched_the_time(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let web = a_service(&api.use_cases.db, &ada.user).create().await;
        let mail = a_service(&api.use_cases.db, &ada.user).create().await;
        let asked = now().trunc_subsecs(0);
        let hour = |h: i64| asked - Duration::hours(h);
        an_incident(&ada, &web, "old", hour(10), Some(hour(8))).await;
        an_incident(&ada, &web, "slow", hour(6), Some(hour(4))).await;
        an_incident(&ada, &mail, "open", hour(2), None).await;
        let future = now() + Duration::hours(1);
        for (filter, expected) in [
            (json!(null), vec!["open", "slow", "old"]),
            (json!({ "serviceId": web.id }), vec!["slow", "old"]),
            (json!({ "type": "DEGRADED" }), vec!["slow"]),
            (json!({ "state": "OPEN" }), vec!["open"]),
            (json!({ "state": "RESOLVED", "type": "DOWNTIME" }), vec!["old"]),
            (json!({ "from": hour(9) }), vec!["open", "slow", "old"]),
            (json!({ "from": hour(8) }), vec!["open", "slow", "old"]),
            (json!({ "from": hour(7) }), vec!["open", "slow"]),
            (json!({ "from": hour(1) }), vec!["open"]),
            (json!({ "from": future }), vec![]),
            (json!({ "to": hour(6) }), vec!["slow", "old"]),
            (json!({ "to": hour(11) }), vec![]),
            (json!({ "from": hour(5), "to": hour(3) }), vec!["slow"]),
            (json!({ "from": hour(7), "to": hour(7) }), vec![]),
        ] {
            let page = ada.data(PAGE, json!({ "filter": filter })).await["incidents"].clone();
            assert_eq!(causes(&page), expected, "{filter}");
            assert_eq!(page["totalCount"], expected.len(), "{filter}");
        }
    }

    async fn pages_of_checks_hold_every_one_once_newest_first(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let service = a_service(&api.use_cases.db, &ada.user).create().await;
        let other = a_service(&api.use_cases.db, &ada.user).create().await;
        let start = now() - Duration::minutes(10);
        let mut checks: Vec<_> = (0..12).map(|i| a_check(&service, start + Duration::seconds(30 * i))).collect();
        checks.push(a_check(&other, start));
        checks[3].lateness_ms = 250;
        insert_checks(&api.use_cases.db, &checks).await;
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        loop {
            let variables = json!({ "id": service.id, "first": 5, "after": after });
            let page = ada.data(CHECKS, variables).await["service"]["checks"].clone();
            seen.extend(page["edges"].as_array().unwrap().iter().map(|edge| edge["node"].clone()));
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(seen.len(), 12);
        let time = |check: &Value, field: &str| check[field].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        assert!(seen.iter().zip(0..).all(|(check, i)| time(check, "slot") == start + Duration::seconds(30 * (11 - i))));
        assert_eq!(time(&seen[8], "checkedAt") - time(&seen[8], "slot"), Duration::milliseconds(250));
        assert_eq!((&seen[0]["status"], &seen[0]["statusCode"]), (&json!("UP"), &json!(200)));
        let none = ada.data(CHECKS, json!({ "id": other.id, "first": 1 })).await["service"]["checks"].clone();
        assert_eq!(none["pageInfo"]["hasNextPage"], false);
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused_and_so_is_a_page_too_long() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let service = a_service(&api.use_cases.db, &ada.user).create().await;
    an_incident(&ada, &service, "one", now(), None).await;
    insert_checks(&api.use_cases.db, &[a_check(&service, now())]).await;
    let id = json!(service.id);
    let of_incidents =
        ada.data(PAGE, json!({})).await["incidents"]["pageInfo"]["endCursor"].clone();
    let checks = ada.data(CHECKS, json!({ "id": id })).await;
    let of_checks = checks["service"]["checks"]["pageInfo"]["endCursor"].clone();
    for (query, variables, field) in [
        (PAGE, json!({ "after": of_checks }), "after"),
        (OF_SERVICE, json!({ "id": id, "after": of_checks }), "after"),
        (CHECKS, json!({ "id": id, "after": of_incidents }), "after"),
        (CHECKS, json!({ "id": id, "after": "" }), "after"),
        (
            CHECKS,
            json!({ "id": id, "after": "////////////////" }),
            "after",
        ),
        (
            CHECKS,
            json!({ "id": id, "after": "é".repeat(100_000) }),
            "after",
        ),
        (PAGE, json!({ "first": 0 }), "first"),
        (OF_SERVICE, json!({ "id": id, "first": 501 }), "first"),
        (CHECKS, json!({ "id": id, "first": -1 }), "first"),
    ] {
        let error = ada.error(query, variables).await;
        assert_eq!(
            (&error["extensions"]["code"], &error["extensions"]["field"]),
            (&json!("BAD_INPUT"), &json!(field))
        );
    }
    assert_eq!(
        ada.data(PAGE, json!({ "first": null })).await["incidents"]["totalCount"],
        1
    );
    let empty = ada.data(PAGE, json!({ "after": of_incidents })).await["incidents"].clone();
    assert_eq!(
        empty["pageInfo"],
        json!({ "hasNextPage": false, "endCursor": null })
    );
}
