//! Bulk mutations: their effect on each service, their cost, and that ids of strangers are ignored.

use crate::api::{Api, Person, now};
use backend::use_cases::bulk::MAX_IDS;
use backend::use_cases::pause::UNDO_WINDOW;
use chrono::TimeDelta;
use entity::column::Status;
use entity::{incident, incident_event, service, service_state};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use testkit::builders::a_service;
use testkit::database::TestDatabase;
use testkit::on_each_database;
use uuid::Uuid;

const PAUSE: &str = "mutation($ids: [UUID!]!) { pauseServices(ids: $ids) { id paused } }";
const RESUME: &str = "mutation($ids: [UUID!]!) { resumeServices(ids: $ids) { id paused } }";
const UNDO: &str = "mutation($ids: [UUID!]!) { undoPauseServices(ids: $ids) { id paused } }";
const MOVE: &str = "mutation($ids: [UUID!]!, $to: String) { recategoriseServices(ids: $ids, category: $to) { id category } }";
const DELETE: &str = "mutation($ids: [UUID!]!) { deleteServices(ids: $ids) }";
const CHANGES: &str = "subscription { serviceChanges { change serviceId } }";

/// Inserts services, every other one of them down.
async fn services(api: &Api, owner: &Person<'_>, count: usize) -> Vec<Uuid> {
    let mut ids = Vec::new();
    for number in 0..count {
        let service = a_service(&api.use_cases.db, &owner.user)
            .name(&format!("S{number}"))
            .create()
            .await;
        if number % 2 == 0 {
            api.is_down(&service).await;
        }
        ids.push(service.id);
    }
    ids
}

on_each_database! {
    async fn many_services_are_paused_and_their_incidents_end(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let ids = services(&api, &ada, 4).await;
        let mut changes = ada.subscribes(CHANGES, json!({}));
        changes.begins();
        let paused = ada.data(PAUSE, json!({ "ids": ids })).await["pauseServices"].clone();
        assert_eq!(paused, ids.iter().map(|id| json!({ "id": id, "paused": true })).collect::<Value>());
        for id in &ids {
            let change = changes.next().await.unwrap().data()["serviceChanges"].clone();
            assert_eq!(change, json!({ "change": "PAUSED", "serviceId": id }));
        }
        let states = service_state::Entity::find().all(&api.use_cases.db).await.unwrap();
        assert_eq!(states.len(), 4);
        for state in states {
            assert_eq!((state.status, state.open_incident_id, state.message), (Status::Unknown, None, None));
            assert_eq!((state.failing_checks, state.failing_since), (0, None));
        }
        let incidents = incident::Entity::find().all(&api.use_cases.db).await.unwrap();
        assert_eq!(incidents.len(), 2);
        assert!(incidents.iter().all(|incident| incident.resolved_at.is_some_and(|end| end > incident.started_at)));
        let ends = incident_event::Entity::find().filter(incident_event::Column::Kind.eq("paused"));
        assert_eq!(ends.all(&api.use_cases.db).await.unwrap().len(), 2);
        // Repeating it changes nothing, and resuming makes them due one after the other.
        ada.data(PAUSE, json!({ "ids": ids })).await;
        let resumed = ada.data(RESUME, json!({ "ids": ids })).await["resumeServices"].clone();
        assert_eq!(resumed, ids.iter().map(|id| json!({ "id": id, "paused": false })).collect::<Value>());
        let mut dues = Vec::new();
        while dues.len() < 4 {
            let due = api.use_cases.live.claim(100, std::time::Duration::from_secs(60)).await.unwrap();
            assert!(due.next_due.is_some_and(|next| next - due.now < TimeDelta::seconds(61)), "all are due by then");
            dues.extend(due.claims.into_iter().map(|claim| claim.due));
        }
        assert!(dues.windows(2).all(|two| two[1] - two[0] == TimeDelta::milliseconds(1)), "{dues:?}");
        assert_eq!(incident::Entity::find().all(&api.use_cases.db).await.unwrap(), incidents);
    }

    async fn an_undone_pause_leaves_no_trace(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let ids = services(&api, &ada, 4).await;
        let rows = async || {
            let db = &api.use_cases.db;
            let states = service_state::Entity::find().order_by_asc(service_state::Column::ServiceId).all(db).await.unwrap();
            let incidents = incident::Entity::find().order_by_asc(incident::Column::Id).all(db).await.unwrap();
            let events = incident_event::Entity::find().order_by_asc(incident_event::Column::Id).all(db).await.unwrap();
            (states, incidents, events)
        };
        let before = rows().await;
        assert_eq!(before.1.iter().filter(|incident| incident.resolved_at.is_none()).count(), 2);
        ada.data(PAUSE, json!({ "ids": ids })).await;
        assert!(rows().await.1.iter().all(|incident| incident.resolved_at.is_some()));

        let mut updates = ada.subscribes("subscription { incidentUpdates { id state resolvedAt } }", json!({}));
        updates.begins();
        let undone = ada.data(UNDO, json!({ "ids": ids })).await["undoPauseServices"].clone();
        assert_eq!(undone, ids.iter().map(|id| json!({ "id": id, "paused": false })).collect::<Value>());
        assert_eq!(rows().await, before);
        for _ in 0..2 {
            let update = updates.next().await.unwrap().data()["incidentUpdates"].clone();
            assert_eq!((&update["state"], &update["resolvedAt"]), (&json!("OPEN"), &Value::Null));
        }
        assert_eq!(api.use_cases.live.queue_len().await.unwrap(), 4, "they are checked again");
        let services = ada.data("{ services { current { status since } openIncident { id } } }", json!({})).await;
        let down: Vec<_> = services["services"].as_array().unwrap().iter().filter(|service| !service["openIncident"].is_null()).collect();
        assert_eq!(down.len(), 2);
        assert!(down.iter().all(|service| service["current"]["status"] == "DOWN"), "{down:?}");
        // Undoing it again changes nothing.
        ada.data(UNDO, json!({ "ids": ids })).await;
        assert_eq!(rows().await, before);
    }

    async fn an_old_pause_is_not_undone_but_ended(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let ids = services(&api, &ada, 1).await;
        ada.data(PAUSE, json!({ "ids": ids })).await;
        let db = &api.use_cases.db;
        let mut state = service_state::Entity::find_by_id(ids[0]).one(db).await.unwrap().unwrap();
        let long_ago = now() - UNDO_WINDOW - TimeDelta::seconds(1);
        state.details["beforePause"]["pausedAt"] = json!(long_ago);
        let details = service_state::ActiveModel {
            service_id: Set(ids[0]),
            details: Set(state.details),
            ..Default::default()
        };
        details.update(db).await.unwrap();
        let undone = ada.data(UNDO, json!({ "ids": ids })).await["undoPauseServices"].clone();
        assert_eq!(undone, json!([{ "id": ids[0], "paused": false }]));
        let state = service_state::Entity::find_by_id(ids[0]).one(db).await.unwrap().unwrap();
        assert_eq!((state.status, state.open_incident_id), (Status::Unknown, None));
        let incident = incident::Entity::find().one(db).await.unwrap().unwrap();
        assert!(incident.resolved_at.is_some(), "nobody saw how it was in between");
    }

    async fn strangers_and_absent_ids_are_passed_over_alike(database: TestDatabase) {
        let api = Api::on(database).await;
        let (ada, eve) = (api.somebody().await, api.somebody().await);
        let (hers, eves) = (services(&api, &ada, 1).await[0], services(&api, &eve, 1).await[0]);
        for (mutation, name) in
            [(PAUSE, "pauseServices"), (UNDO, "undoPauseServices"), (RESUME, "resumeServices"), (MOVE, "recategoriseServices"), (DELETE, "deleteServices")]
        {
            let of = async |ids: Value| ada.data(mutation, json!({ "ids": ids, "to": "Work" })).await[name].clone();
            assert_eq!(of(json!([eves])).await, json!([]), "{name}");
            assert_eq!(of(json!([Uuid::now_v7()])).await, json!([]), "{name}");
            assert_eq!(of(json!([])).await, json!([]), "{name}");
            assert_eq!(of(json!([eves, hers, hers])).await.as_array().unwrap().len(), 1, "{name}");
        }
        let left = service::Entity::find().all(&api.use_cases.db).await.unwrap();
        let left: Vec<_> = left.iter().map(|service| (service.id, service.paused, service.category.clone())).collect();
        assert_eq!(left, [(eves, false, None)]);
        assert_eq!(incident::Entity::find().all(&api.use_cases.db).await.unwrap().len(), 1);
    }

    async fn as_many_statements_for_two_as_for_fifty(database: TestDatabase) {
        let mut api = Api::on(database).await;
        let statements = api.count_statements();
        let mut costs = Vec::new();
        for count in [2, 50] {
            let ada = api.somebody().await;
            let ids = services(&api, &ada, count).await;
            let mut cost = Vec::new();
            for mutation in [PAUSE, UNDO, PAUSE, RESUME, MOVE, DELETE] {
                let before = statements.load(Ordering::Relaxed);
                ada.data(mutation, json!({ "ids": ids, "to": "Work" })).await;
                cost.push(statements.load(Ordering::Relaxed) - before);
            }
            costs.push(cost);
        }
        assert_eq!(costs[0], costs[1]);
        assert!(costs[0].iter().all(|cost| (1..=10).contains(cost)), "{costs:?}");
    }
}

#[tokio::test]
async fn services_move_into_a_category_and_out_of_it() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let ids = services(&api, &ada, 2).await;
    for (to, stored) in [
        (json!("  Work   place "), json!("Work place")),
        (json!(null), json!(null)),
        (json!(" "), json!(null)),
    ] {
        let moved =
            ada.data(MOVE, json!({ "ids": ids, "to": to })).await["recategoriseServices"].clone();
        assert_eq!(
            moved,
            ids.iter()
                .map(|id| json!({ "id": id, "category": stored }))
                .collect::<Value>()
        );
        let listed = ada.data("{ services { category } }", json!({})).await["services"].clone();
        assert_eq!(
            listed,
            json!([{ "category": stored }, { "category": stored }])
        );
    }
    let error = ada
        .error(MOVE, json!({ "ids": ids, "to": "x".repeat(61) }))
        .await;
    assert_eq!(error["extensions"]["field"], "category");
}

#[tokio::test]
async fn more_ids_than_allowed_are_refused_at_once() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let ids: Vec<Uuid> = (0..=MAX_IDS).map(|_| Uuid::now_v7()).collect();
    for mutation in [PAUSE, UNDO, PAUSE, RESUME, MOVE, DELETE] {
        let error = ada.error(mutation, json!({ "ids": ids })).await;
        assert_eq!(
            error["extensions"],
            json!({ "code": "BAD_INPUT", "field": "ids" })
        );
    }
    assert_eq!(
        ada.data(PAUSE, json!({ "ids": ids[1..] })).await["pauseServices"],
        json!([])
    );
}

#[tokio::test]
async fn a_list_can_be_asked_for_by_ids() {
    let api = Api::sqlite().await;
    let (ada, eve) = (api.somebody().await, api.somebody().await);
    let (hers, eves) = (services(&api, &ada, 3).await, services(&api, &eve, 1).await);
    let query = "query($ids: [UUID!]) { services(filter: { ids: $ids }) { id } }";
    let found = ada
        .data(query, json!({ "ids": [hers[2], eves[0], Uuid::now_v7()] }))
        .await["services"]
        .clone();
    assert_eq!(found, json!([{ "id": hers[2] }]));
    assert_eq!(
        ada.data(query, json!({ "ids": [] })).await["services"],
        json!([])
    );
    assert_eq!(
        ada.data(query, json!({})).await["services"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}
