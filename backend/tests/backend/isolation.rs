//! Nobody learns of what is another's: every field that takes an id answers for a stranger's object exactly as for one
//! that does not exist. The list is checked against the schema, so a new field cannot be forgotten.

use crate::api::{Api, Person, now};
use crate::schema::what_takes_an_id;
use entity::column::IncidentType;
use entity::{api_token, incident, incident_event, service};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::builders::a_service;
use testkit::database::TestDatabase;
use testkit::on_each_database;
use uuid::Uuid;

/// What an id belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Service,
    Incident,
    Token,
}

/// (root, field, the argument that takes the id, whose id, the document with `$id`).
const CASES: [(&str, &str, &str, Kind, &str); 11] = [
    (
        "Query",
        "service",
        "id",
        Kind::Service,
        "query($id: UUID!) { service(id: $id) {
        id name url current { status } uptime(window: DAY) { percent } checks { edges { cursor } }
        incidents { totalCount } openIncident { id } uptimeDays { date } latency(window: DAY) { at } } }",
    ),
    (
        "Query",
        "incident",
        "id",
        Kind::Incident,
        "query($id: UUID!) { incident(id: $id) { id cause service { name } events { kind } } }",
    ),
    (
        "Query",
        "incidents",
        "filter.serviceId",
        Kind::Service,
        "query($id: UUID!) { incidents(filter: { serviceId: $id }) { totalCount pageInfo { hasNextPage endCursor } edges { node { id } } } }",
    ),
    (
        "Mutation",
        "updateService",
        "id",
        Kind::Service,
        "mutation($id: UUID!) { updateService(id: $id, input: { name: \"mine now\" }) { id name } }",
    ),
    ("Mutation", "deleteService", "id", Kind::Service, "mutation($id: UUID!) { deleteService(id: $id) }"),
    ("Mutation", "pauseService", "id", Kind::Service, "mutation($id: UUID!) { pauseService(id: $id) { id } }"),
    ("Mutation", "resumeService", "id", Kind::Service, "mutation($id: UUID!) { resumeService(id: $id) { id } }"),
    ("Mutation", "checkService", "id", Kind::Service, "mutation($id: UUID!) { checkService(id: $id) { id } }"),
    ("Mutation", "revokeApiToken", "id", Kind::Token, "mutation($id: UUID!) { revokeApiToken(id: $id) }"),
    (
        "Subscription",
        "statusUpdates",
        "serviceId",
        Kind::Service,
        "subscription($id: UUID!) { statusUpdates(serviceId: $id) { changed } }",
    ),
    // Wrong input does not tell either: what is absent is said first.
    (
        "Mutation",
        "updateService",
        "id",
        Kind::Service,
        "mutation($id: UUID!) { updateService(id: $id, input: { name: \"\" }) { id } }",
    ),
];

#[test]
fn every_field_that_takes_an_id_has_a_case() {
    let covered: BTreeSet<_> = CASES.iter().map(|(root, field, argument, ..)| (*root, *field, *argument)).collect();
    let found = what_takes_an_id();
    let found: BTreeSet<_> =
        found.iter().map(|(root, field, arg)| (root.as_str(), field.as_str(), arg.as_str())).collect();
    assert_eq!(found, covered, "left: what the schema has; right: what the cases cover");
}

on_each_database! {
    async fn anothers_object_answers_exactly_as_an_absent_one(database: TestDatabase) {
        let api = Api::on(database).await;
        let (owner, stranger) = (api.somebody().await, api.somebody().await);
        let owned = Owned::by(&owner).await;
        // The stranger has something of the same kind, so that an answer for "nothing of yours" would differ.
        Owned::by(&stranger).await;
        let before = everything(&api).await;
        for (root, field, _, kind, document) in CASES {
            let foreign = ask(&stranger, root, document, owned.id(kind)).await;
            let absent = ask(&stranger, root, document, Uuid::now_v7()).await;
            assert_eq!(foreign, absent, "{root}.{field}");
            let refused = foreign["errors"][0]["extensions"]["code"] == "NOT_FOUND";
            let empty = foreign["data"][field].is_null() || foreign["data"][field]["totalCount"] == 0;
            assert!(refused || (root == "Query" && empty), "{root}.{field}: {foreign}");
        }
        assert_eq!(everything(&api).await, before, "a stranger changed something");
        // The owner is answered otherwise, so the documents do ask for something.
        for (root, field, _, kind, document) in CASES.into_iter().filter(|case| case.0 == "Query") {
            let mine = ask(&owner, root, document, owned.id(kind)).await;
            assert_ne!(mine, ask(&owner, root, document, Uuid::now_v7()).await, "{field}");
        }
    }

    async fn no_list_and_no_object_leads_to_anothers(database: TestDatabase) {
        let api = Api::on(database).await;
        let (owner, stranger) = (api.somebody().await, api.somebody().await);
        Owned::by(&owner).await;
        let seen = stranger
            .data(
                "{ services { id } incidents { totalCount edges { node { id } } } me { apiTokens { id } }
                   search: services(filter: { search: \"a\" }) { id } }",
                json!({}),
            )
            .await;
        let nothing = json!({
            "services": [], "incidents": { "totalCount": 0, "edges": [] }, "me": { "apiTokens": [] }, "search": []
        });
        assert_eq!(seen, nothing);
    }
}

/// One of each kind of thing.
struct Owned {
    service: Uuid,
    incident: Uuid,
    token: Uuid,
}

impl Owned {
    async fn by(person: &Person<'_>) -> Self {
        let db = &person.api.ops.db;
        let service = a_service(db, &person.user).name("alpha").create().await;
        let incident = incident::Model {
            id: Uuid::now_v7(),
            service_id: service.id,
            user_id: person.user.id,
            kind: IncidentType::Downtime,
            started_at: now(),
            resolved_at: None,
            checks_failed: 2,
            cause: Some("connection refused".into()),
        };
        let incident = incident.into_active_model().insert(db).await.unwrap();
        let create = "mutation { createApiToken(input: { name: \"x\" }) { apiToken { id } } }";
        let token = person.data(create, json!({})).await["createApiToken"]["apiToken"]["id"].clone();
        let token = token.as_str().unwrap().parse().unwrap();
        Self { service: service.id, incident: incident.id, token }
    }

    const fn id(&self, kind: Kind) -> Uuid {
        match kind {
            Kind::Service => self.service,
            Kind::Incident => self.incident,
            Kind::Token => self.token,
        }
    }
}

async fn ask(person: &Person<'_>, root: &str, document: &str, id: Uuid) -> Value {
    let variables = json!({ "id": id });
    if root == "Subscription" {
        let mut subscribed = person.subscribes(document, variables);
        let first = subscribed.next().await.expect("an answer").0;
        assert!(subscribed.next().await.is_none(), "it goes on");
        return first;
    }
    person.asks(document, variables).await.0
}

/// All rows that a stranger could change.
async fn everything(api: &Api) -> String {
    let db = &api.ops.db;
    let services = service::Entity::find().all(db).await.unwrap();
    let incidents = incident::Entity::find().all(db).await.unwrap();
    let events = incident_event::Entity::find().all(db).await.unwrap();
    let tokens = api_token::Entity::find().all(db).await.unwrap();
    format!("{services:?}{incidents:?}{events:?}{tokens:?}")
}
