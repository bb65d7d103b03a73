//! Notes on incidents and their acknowledgement, and the days and checks of an incident.

use crate::api::{Api, Person, now};
use chrono::{Duration, SubsecRound};
use entity::column::IncidentType;
use entity::{incident, incident_note, service};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use testkit::builders::{a_check, a_service, insert_checks};
use testkit::database::TestDatabase;
use testkit::on_each_database;
use uuid::Uuid;

const INCIDENT: &str =
    "query($id: UUID!) { incident(id: $id) { acknowledgedAt noteCount notes { id at text } } }";
const ADD: &str = "mutation($id: UUID!, $text: String!) { addIncidentNote(incidentId: $id, text: $text) { id text } }";
const DELETE: &str = "mutation($id: UUID!) { deleteIncidentNote(id: $id) }";
const ACKNOWLEDGE: &str =
    "mutation($id: UUID!) { acknowledgeIncident(id: $id) { id acknowledgedAt } }";
const UNACKNOWLEDGE: &str =
    "mutation($id: UUID!) { unacknowledgeIncident(id: $id) { id acknowledgedAt } }";
const HEARD: &str = "subscription { incidentUpdates { id acknowledgedAt noteCount } }";

async fn incident(person: &Person<'_>, id: Uuid) -> Value {
    person.data(INCIDENT, json!({ "id": id })).await["incident"].clone()
}

async fn an_incident(
    service: &service::Model,
    person: &Person<'_>,
    ago: [Option<Duration>; 2],
) -> Uuid {
    let incident = incident::Model {
        id: Uuid::now_v7(),
        service_id: service.id,
        workspace_id: service.workspace_id,
        incident_type: IncidentType::Downtime,
        started_at: now() - ago[0].unwrap_or_default(),
        resolved_at: ago[1].map(|ago| now() - ago),
        checks_failed: 2,
        cause: None,
    };
    incident
        .into_active_model()
        .insert(&person.api.use_cases.db)
        .await
        .unwrap()
        .id
}

on_each_database! {
    async fn who_looks_after_an_incident_says_so_and_everybody_hears_it(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let service = a_service(&api.use_cases.db, &ada.user).create().await;
        let id = api.is_down(&service).await;
        let mut heard = ada.subscribes(HEARD, json!({}));
        heard.begins();
        assert_eq!(incident(&ada, id).await["acknowledgedAt"], Value::Null);
        let first = ada.data(ACKNOWLEDGE, json!({ "id": id })).await["acknowledgeIncident"]["acknowledgedAt"].clone();
        assert!(first.is_string());
        assert_eq!(heard.next().await.unwrap().data()["incidentUpdates"]["acknowledgedAt"], first);
        let again = ada.data(ACKNOWLEDGE, json!({ "id": id })).await["acknowledgeIncident"]["acknowledgedAt"].clone();
        assert_eq!(again, first, "the first acknowledgement is kept");
        let back = ada.data(UNACKNOWLEDGE, json!({ "id": id })).await;
        assert_eq!(back["unacknowledgeIncident"], json!({ "id": id, "acknowledgedAt": null }));
        // Nothing changed, so there is no event.
        let update = heard.next().await.unwrap().data()["incidentUpdates"].clone();
        assert_eq!(update, json!({ "id": id, "acknowledgedAt": null, "noteCount": 0 }));
        ada.data(UNACKNOWLEDGE, json!({ "id": id })).await;
        heard.begins();
    }

    async fn notes_are_kept_in_order_and_everybody_hears_of_them(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let service = a_service(&api.use_cases.db, &ada.user).create().await;
        let id = api.is_down(&service).await;
        let mut heard = ada.subscribes(HEARD, json!({}));
        heard.begins();
        let texts = ["<b>one</b> & \"two\"", "  first line\r\nsecond line\t- ü 🚀\n"];
        for (text, count) in texts.iter().zip(1..) {
            let added = ada.data(ADD, json!({ "id": id, "text": text })).await["addIncidentNote"].clone();
            assert_eq!(added["text"], text.trim().replace('\r', ""));
            assert_eq!(heard.next().await.unwrap().data()["incidentUpdates"]["noteCount"], count);
        }
        let notes = incident(&ada, id).await;
        assert_eq!(notes["noteCount"], 2);
        let written: Vec<_> = notes["notes"].as_array().unwrap().iter().map(|note| note["text"].clone()).collect();
        assert_eq!(written, ["<b>one</b> & \"two\"", "first line\nsecond line\t- ü 🚀"]);
        let note = &notes["notes"][0]["id"];
        assert_eq!(ada.data(DELETE, json!({ "id": note })).await["deleteIncidentNote"], *note);
        assert_eq!(heard.next().await.unwrap().data()["incidentUpdates"]["noteCount"], 1);
        let error = ada.error(DELETE, json!({ "id": note })).await;
        assert_eq!((&error["message"], &error["extensions"]["code"]), (&json!("there is no such note"), &json!("NOT_FOUND")));
        assert_eq!(incident(&ada, id).await["notes"].as_array().unwrap().len(), 1);
    }

    async fn notes_are_texts_of_some_length_and_of_some_number(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let service = a_service(&api.use_cases.db, &ada.user).create().await;
        let id = api.is_down(&service).await;
        for text in [String::new(), " \n ".into(), "ü".repeat(5001), "bell \u{7}".into(), "nul \0".into()] {
            let error = ada.error(ADD, json!({ "id": id, "text": text })).await;
            assert_eq!((&error["extensions"]["code"], &error["extensions"]["field"]), (&json!("BAD_INPUT"), &json!("text")));
        }
        ada.data(ADD, json!({ "id": id, "text": "ü".repeat(5000) })).await;
        let rows = (1..99).map(|number: i32| incident_note::Model {
            id: Uuid::now_v7(),
            incident_id: id,
            user_id: ada.user.id,
            at: now(),
            text: number.to_string(),
        });
        let rows = rows.map(IntoActiveModel::into_active_model);
        incident_note::Entity::insert_many(rows).exec_without_returning(&api.use_cases.db).await.unwrap();
        // Of two concurrent notes one is the hundredth, the other is refused.
        let add = || ada.asks(ADD, json!({ "id": id, "text": "last" }));
        let (one, other) = tokio::join!(add(), add());
        let refused: Vec<_> = [one.0, other.0].into_iter().filter(|answer| answer.get("errors").is_some()).collect();
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert_eq!(refused[0]["errors"][0]["extensions"]["code"], "CONFLICT");
        assert_eq!(incident(&ada, id).await["noteCount"], 100);
    }

    async fn an_incident_has_the_checks_around_its_start(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let service = a_service(&api.use_cases.db, &ada.user).create().await;
        let id = an_incident(&service, &ada, [Some(Duration::minutes(10)), Some(Duration::minutes(5))]).await;
        let quiet = an_incident(&service, &ada, [Some(Duration::days(40)), Some(Duration::days(40))]).await;
        let started = load_start(&ada, id).await;
        let checks: Vec<_> = (-10..20).map(|i| a_check(&service, started + Duration::seconds(15 * i))).collect();
        insert_checks(&api.use_cases.db, &checks).await;
        let query = "query($id: UUID!) { incident(id: $id) { checksAround { slot status } } }";
        let around = ada.data(query, json!({ "id": id })).await["incident"]["checksAround"].clone();
        let slots: Vec<_> = around.as_array().unwrap().iter().map(|check| check["slot"].clone()).collect();
        assert_eq!(slots.len(), 20);
        assert_eq!(slots[6].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap(), started);
        let around = ada.data(query, json!({ "id": quiet })).await["incident"]["checksAround"].clone();
        assert_eq!(around, json!([]), "checks of days later are not included");
        // Each at a time of its own.
        for i in 0..50 {
            let ago = Duration::hours(1) + Duration::seconds(i);
            an_incident(&service, &ada, [Some(ago), Some(ago)]).await;
        }
        for field in ["checksAround { slot }", "notes { id }"] {
            let all = |first| format!("{{ incidents(first: {first}) {{ edges {{ node {{ {field} }} }} }} }}");
            ada.data(&all(50), json!({})).await;
            let error = ada.error(&all(51), json!({})).await;
            assert_eq!(error["extensions"]["code"], "BAD_INPUT", "{error}");
        }
    }

    async fn each_day_tells_how_many_incidents_touched_it(database: TestDatabase) {
        let mut api = Api::on(database).await;
        let statements = api.count_statements();
        let ada = api.somebody().await;
        let (service, other) = (a_service(&api.use_cases.db, &ada.user).create().await, a_service(&api.use_cases.db, &ada.user).create().await);
        let midnight = now().date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
        let into_today = now() - midnight;
        let days = |days: i64| into_today + Duration::days(days) - Duration::hours(1);
        // Two of yesterday, one of which lasted into today; one from before the first day; one that is
        // long over; one that is open.
        an_incident(&service, &ada, [Some(days(1)), Some(days(1) - Duration::minutes(5))]).await;
        an_incident(&service, &ada, [Some(days(1)), Some(into_today.min(Duration::minutes(1)))]).await;
        an_incident(&service, &ada, [Some(days(9)), Some(days(3))]).await;
        an_incident(&service, &ada, [Some(days(9)), Some(days(8))]).await;
        an_incident(&other, &ada, [Some(days(2)), None]).await;
        let before = statements.load(std::sync::atomic::Ordering::Relaxed);
        let query = "{ services { id incidentDays(days: 5) none: incidentDays(days: 5) } }";
        let found = ada.data(query, json!({})).await;
        assert_eq!(statements.load(std::sync::atomic::Ordering::Relaxed) - before, 3);
        for row in found["services"].as_array().unwrap() {
            let expected = if row["id"] == json!(service.id) { json!([1, 1, 0, 2, 1]) } else { json!([0, 0, 1, 1, 1]) };
            assert_eq!(row["incidentDays"], expected, "{found}");
        }
        let new = a_service(&api.use_cases.db, &ada.user).create().await;
        let query = "query($id: UUID!) { service(id: $id) { incidentDays } }";
        let none = ada.data(query, json!({ "id": new.id })).await;
        assert_eq!(none["service"]["incidentDays"], json!(vec![0; 30]));
    }

    async fn response_times_are_selected_between_two_times(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let service = a_service(&api.use_cases.db, &ada.user).create().await;
        let start = now().trunc_subsecs(0) - Duration::hours(2);
        insert_checks(&api.use_cases.db, &[a_check(&service, start)]).await;
        let query = "query($id: UUID!, $from: DateTime!, $to: DateTime!) { service(id: $id) {
            latencyBetween(from: $from, to: $to) { at p50Ms checks } } }";
        let of = async |from: i64, to: i64| {
            let (from, to) = (start + Duration::minutes(from), start + Duration::minutes(to));
            ada.asks(query, json!({ "id": service.id, "from": from, "to": to })).await
        };
        let found = of(-10, 10).await.data()["service"]["latencyBetween"].clone();
        assert_eq!(found.as_array().unwrap().len(), 11, "one a minute");
        assert_eq!((&found[0]["p50Ms"], &found[0]["checks"]), (&json!(100.0), &json!(1)));
        assert_eq!(of(10, 20).await.data()["service"]["latencyBetween"], json!([]));
        assert_eq!(of(500, 600).await.data()["service"]["latencyBetween"], json!([]), "there are none in the future");
        for (from, to) in [(10, 9), (-181 * 1440, 0)] {
            let error = of(from, to).await.error();
            assert_eq!((&error["extensions"]["code"], &error["extensions"]["field"]), (&json!("BAD_INPUT"), &json!("from")));
        }
    }
}

async fn load_start(person: &Person<'_>, id: Uuid) -> chrono::DateTime<chrono::Utc> {
    let query = "query($id: UUID!) { incident(id: $id) { startedAt } }";
    person.data(query, json!({ "id": id })).await["incident"]["startedAt"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}
