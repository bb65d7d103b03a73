//! Subscriptions: each receives the events of its own workspace only.

use crate::api::{Api, Subscribed, now};
use coordination::{CurrentStatus, Event};
use entity::column::IncidentType;
use entity::incident;
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde_json::{Value, json};
use testkit::builders::a_service;
use testkit::database::TestDatabase;
use testkit::on_each_database;
use uuid::Uuid;

const STATUS: &str = "subscription($id: UUID, $only: Boolean) { statusUpdates(serviceId: $id, changesOnly: $only) {
    previous changed current { status message checkedAt } service { id name current { status } } } }";

/// The event of a check that was just recorded.
pub(crate) fn checked(
    workspace_id: Uuid,
    service_id: Uuid,
    status: domain::Status,
    changed: bool,
) -> Event {
    let current = CurrentStatus {
        status,
        since: now(),
        checked_at: now(),
        response_time_ms: Some(5),
        status_code: Some(200),
        message: None,
    };
    Event::StatusChecked {
        workspace_id,
        service_id,
        slot: now(),
        previous: Some(domain::Status::Down),
        current,
        changed,
    }
}

on_each_database! {
    async fn checks_are_heard_by_their_owner_as_asked_for(database: TestDatabase) {
        let api = Api::on(database).await;
        let (ada, eve) = (api.somebody().await, api.somebody().await);
        let first = a_service(&api.use_cases.db, &ada.user).name("first").create().await;
        let second = a_service(&api.use_cases.db, &ada.user).name("second").create().await;
        let foreign = a_service(&api.use_cases.db, &eve.user).name("foreign").create().await;
        let mut all = ada.subscribes(STATUS, json!({}));
        let mut one = ada.subscribes(STATUS, json!({ "id": second.id }));
        let mut changes = ada.subscribes(STATUS, json!({ "only": true }));
        for subscribed in [&mut all, &mut one, &mut changes] {
            subscribed.begins();
        }
        use domain::Status::{Degraded, Up};
        let events = [
            checked(eve.user.id, foreign.id, Up, true),
            checked(ada.user.id, first.id, Up, false),
            checked(ada.user.id, second.id, Degraded, true),
        ];
        api.use_cases.live.publish(&events).await.unwrap();

        let update = all.next().await.unwrap().data()["statusUpdates"].clone();
        assert_eq!(update["service"], json!({ "id": first.id, "name": "first", "current": { "status": "UP" } }));
        assert_eq!((&update["previous"], &update["changed"]), (&json!("DOWN"), &json!(false)));
        for subscribed in [&mut all, &mut one, &mut changes] {
            let update = subscribed.next().await.unwrap().data()["statusUpdates"].clone();
            assert_eq!(update["service"]["name"], "second");
            assert_eq!((&update["current"]["status"], &update["changed"]), (&json!("DEGRADED"), &json!(true)));
        }
        for subscribed in [&mut all, &mut one, &mut changes] {
            subscribed.begins();
        }
    }

    async fn incidents_and_changes_of_services_are_heard_by_their_owner(database: TestDatabase) {
        let api = Api::on(database).await;
        let (ada, eve) = (api.somebody().await, api.somebody().await);
        let incidents = "subscription { incidentUpdates { id cause service { name } } }";
        let services = "subscription { serviceChanges { change serviceId service { name paused } } }";
        let mut heard = [ada.subscribes(incidents, json!({})), ada.subscribes(services, json!({}))];
        let mut not_heard = [eve.subscribes(incidents, json!({})), eve.subscribes(services, json!({}))];
        heard.iter_mut().chain(&mut not_heard).for_each(Subscribed::begins);
        let [incidents, services] = &mut heard;

        let id = ada.adds("Shop").await;
        let expect = async |change: Value, service: Value, services: &mut Subscribed| {
            let heard = services.next().await.unwrap().data()["serviceChanges"].clone();
            assert_eq!(heard, json!({ "change": change, "serviceId": id, "service": service }));
        };
        expect(json!("CREATED"), json!({ "name": "Shop", "paused": false }), services).await;
        let mutation = |what: &str| format!("mutation($id: UUID!) {{ {what}(id: $id) {{ id }} }}");
        let rename = "mutation($id: UUID!) { updateService(id: $id, input: { name: \"Store\" }) { id } }";
        ada.data(rename, json!({ "id": id })).await;
        expect(json!("UPDATED"), json!({ "name": "Store", "paused": false }), services).await;

        let row = incident::Model {
            id: Uuid::now_v7(),
            service_id: id.parse().unwrap(),
            workspace_id: ada.user.id,
            incident_type: IncidentType::Downtime,
            started_at: now(),
            resolved_at: None,
            checks_failed: 2,
            cause: Some("connection refused".into()),
        };
        let row = row.into_active_model().insert(&api.use_cases.db).await.unwrap();
        let event = Event::IncidentChanged { workspace_id: ada.user.id, service_id: row.service_id, incident_id: row.id };
        api.use_cases.live.publish(&[event]).await.unwrap();
        let update = incidents.next().await.unwrap().data()["incidentUpdates"].clone();
        assert_eq!(update, json!({ "id": row.id, "cause": "connection refused", "service": { "name": "Store" } }));

        ada.data(&mutation("pauseService"), json!({ "id": id })).await;
        expect(json!("PAUSED"), json!({ "name": "Store", "paused": true }), services).await;
        ada.data(&mutation("resumeService"), json!({ "id": id })).await;
        expect(json!("RESUMED"), json!({ "name": "Store", "paused": false }), services).await;
        ada.data("mutation($id: UUID!) { deleteService(id: $id) }", json!({ "id": id })).await;
        expect(json!("DELETED"), Value::Null, services).await;
        not_heard.iter_mut().for_each(Subscribed::begins);
    }
}

#[tokio::test]
async fn whoever_missed_something_is_told_and_the_subscription_ends() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let service = a_service(&api.use_cases.db, &ada.user).create().await;
    let mut updates = ada.subscribes("subscription { statusUpdates { changed } }", json!({}));
    updates.begins();
    let flood: Vec<_> = (0..20_000)
        .map(|_| checked(ada.user.id, service.id, domain::Status::Up, false))
        .collect();
    api.use_cases.live.publish(&flood).await.unwrap();
    let mut last = None;
    while let Some(answer) = updates.next().await {
        last = Some(answer);
    }
    let error = last.unwrap().error();
    assert_eq!(error["extensions"]["code"], "UPSTREAM");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .starts_with("updates were lost"),
        "{error}"
    );
}

#[tokio::test]
async fn an_update_of_a_deleted_object_is_an_error_of_that_update() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let there = a_service(&api.use_cases.db, &ada.user)
        .name("there")
        .create()
        .await;
    let mut updates = ada.subscribes(
        "subscription { statusUpdates { service { name } } }",
        json!({}),
    );
    updates.begins();
    let events = [
        checked(ada.user.id, Uuid::now_v7(), domain::Status::Up, false),
        checked(ada.user.id, there.id, domain::Status::Up, false),
    ];
    api.use_cases.live.publish(&events).await.unwrap();
    assert_eq!(updates.next().await.unwrap().code(), "NOT_FOUND");
    assert_eq!(
        updates.next().await.unwrap().data()["statusUpdates"]["service"]["name"],
        "there"
    );
}
