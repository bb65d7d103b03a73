//! Isolation of workspaces: every field that takes an id answers for an object of another workspace
//! exactly as for one that does not exist, by the same statements, so that timing reveals nothing
//! either. The list is compared with the schema, so that a new field cannot be forgotten.

use crate::api::{Api, Person, now};
use crate::schema::what_takes_an_id;
use entity::column::IncidentType;
use entity::{
    api_token, calendar_feed, incident, incident_acknowledgement, incident_event, incident_note,
    service, service_tag, session, workspace,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use testkit::builders::a_service;
use testkit::database::TestDatabase;
use testkit::on_each_database;
use uuid::Uuid;

/// The kind of object that an id belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Service,
    Incident,
    Note,
    Token,
    Session,
}

/// Root type, field, argument that takes the id, kind of object, and document with `$id`.
const CASES: [(&str, &str, &str, Kind, &str); 24] = [
    (
        "Query",
        "service",
        "id",
        Kind::Service,
        "query($id: UUID!) { service(id: $id) {
        id name target monitor { __typename } settings { name } secretsSet tags current { status } uptime(window: DAY) { percent } checks { edges { cursor } }
        incidents { totalCount } openIncident { id } uptimeDays { date } incidentDays hourlyP50Ms latency(window: DAY) { at }
        latencyBetween(from: \"2026-11-22T10:00:00Z\", to: \"2026-11-22T11:00:00Z\") { at } } }",
    ),
    (
        "Query",
        "incident",
        "id",
        Kind::Incident,
        "query($id: UUID!) { incident(id: $id) {
        id cause service { name } events { kind } acknowledgedAt noteCount notes { text } checksAround { slot } } }",
    ),
    (
        "Query",
        "incidents",
        "filter.serviceId",
        Kind::Service,
        "query($id: UUID!) { incidents(filter: { serviceId: $id }) { totalCount pageInfo { hasNextPage endCursor } edges { node { id } } } }",
    ),
    (
        "Query",
        "services",
        "filter.ids",
        Kind::Service,
        "query($id: UUID!) { services(filter: { ids: [$id] }) { id name current { status } } }",
    ),
    (
        "Query",
        "servicesPage",
        "filter.ids",
        Kind::Service,
        "query($id: UUID!) { servicesPage(filter: { ids: [$id] }) { totalCount edges { node { id name } } } }",
    ),
    (
        "Mutation",
        "updateService",
        "id",
        Kind::Service,
        "mutation($id: UUID!) { updateService(id: $id, input: { name: \"mine now\" }) { id name } }",
    ),
    ("Mutation", "pauseServices", "ids", Kind::Service, "mutation($id: UUID!) { pauseServices(ids: [$id]) { id } }"),
    ("Mutation", "undoPauseServices", "ids", Kind::Service, "mutation($id: UUID!) { undoPauseServices(ids: [$id]) { id } }"),
    ("Mutation", "resumeServices", "ids", Kind::Service, "mutation($id: UUID!) { resumeServices(ids: [$id]) { id } }"),
    (
        "Mutation",
        "recategoriseServices",
        "ids",
        Kind::Service,
        "mutation($id: UUID!) { recategoriseServices(ids: [$id], category: \"mine\") { id category } }",
    ),
    ("Mutation", "deleteServices", "ids", Kind::Service, "mutation($id: UUID!) { deleteServices(ids: [$id]) }"),
    ("Mutation", "deleteService", "id", Kind::Service, "mutation($id: UUID!) { deleteService(id: $id) }"),
    ("Mutation", "pauseService", "id", Kind::Service, "mutation($id: UUID!) { pauseService(id: $id) { id } }"),
    ("Mutation", "resumeService", "id", Kind::Service, "mutation($id: UUID!) { resumeService(id: $id) { id } }"),
    ("Mutation", "checkService", "id", Kind::Service, "mutation($id: UUID!) { checkService(id: $id) { id } }"),
    (
        "Mutation",
        "acknowledgeIncident",
        "id",
        Kind::Incident,
        "mutation($id: UUID!) { acknowledgeIncident(id: $id) { id } }",
    ),
    (
        "Mutation",
        "unacknowledgeIncident",
        "id",
        Kind::Incident,
        "mutation($id: UUID!) { unacknowledgeIncident(id: $id) { id } }",
    ),
    (
        "Mutation",
        "addIncidentNote",
        "incidentId",
        Kind::Incident,
        "mutation($id: UUID!) { addIncidentNote(incidentId: $id, text: \"mine\") { id } }",
    ),
    ("Mutation", "deleteIncidentNote", "id", Kind::Note, "mutation($id: UUID!) { deleteIncidentNote(id: $id) }"),
    ("Mutation", "endSession", "id", Kind::Session, "mutation($id: UUID!) { endSession(id: $id) }"),
    ("Mutation", "revokeApiToken", "id", Kind::Token, "mutation($id: UUID!) { revokeApiToken(id: $id) }"),
    (
        "Subscription",
        "statusUpdates",
        "serviceId",
        Kind::Service,
        "subscription($id: UUID!) { statusUpdates(serviceId: $id) { changed } }",
    ),
    // Invalid input reveals nothing either: a missing object is reported first.
    (
        "Mutation",
        "updateService",
        "id",
        Kind::Service,
        "mutation($id: UUID!) { updateService(id: $id, input: { name: \"\" }) { id } }",
    ),
    (
        "Mutation",
        "addIncidentNote",
        "incidentId",
        Kind::Incident,
        "mutation($id: UUID!) { addIncidentNote(incidentId: $id, text: \"\") { id } }",
    ),
];

#[test]
fn every_field_that_takes_an_id_has_a_case() {
    let covered: BTreeSet<_> = CASES
        .iter()
        .map(|(root, field, argument, ..)| (*root, *field, *argument))
        .collect();
    let found = what_takes_an_id();
    let found: BTreeSet<_> = found
        .iter()
        .map(|(root, field, arg)| (root.as_str(), field.as_str(), arg.as_str()))
        .collect();
    assert_eq!(
        found, covered,
        "left: what the schema has; right: what the cases cover"
    );
    let all =
        ["Query", "Mutation", "Subscription"].map(|root| crate::schema::fields_of(root).len());
    println!(
        "{} of {} operations take an id, and {} cases cover them",
        covered.len(),
        all.iter().sum::<usize>(),
        CASES.len()
    );
}

on_each_database! {
    async fn anothers_object_answers_exactly_as_an_absent_one(database: TestDatabase) {
        let mut database = database;
        let statements: Arc<Mutex<Vec<String>>> = Arc::default();
        let sent = Arc::clone(&statements);
        database.db.set_metric_callback(move |statement| sent.lock().unwrap().push(statement.statement.sql.clone()));
        let statements = || std::mem::take(&mut *statements.lock().unwrap());
        let api = Api::on(database).await;
        let (owner, stranger) = (api.somebody().await, api.somebody().await);
        let owned = Owned::by(&owner).await;
        // The stranger has an object of the same kind, so that an empty workspace is not the reason.
        Owned::by(&stranger).await;
        let before = everything(&api).await;
        for (root, field, argument, kind, document) in CASES {
            statements();
            let foreign = ask(&stranger, root, document, owned.id(kind)).await;
            let for_foreign = statements();
            let absent = ask(&stranger, root, document, Uuid::now_v7()).await;
            assert_eq!(foreign.to_string(), absent.to_string(), "{root}.{field}");
            assert_eq!(for_foreign, statements(), "{root}.{field}: what is done tells one from the other");
            let refused = foreign["errors"][0]["extensions"]["code"] == "NOT_FOUND";
            let answer = &foreign["data"][field];
            let empty = answer.is_null() || answer["totalCount"] == 0;
            // Fields that take many ids skip those that do not exist.
            let none = argument.contains("ids") && *answer == json!([]);
            assert!(refused || none || (root == "Query" && empty), "{root}.{field}: {foreign}");
        }
        assert_eq!(everything(&api).await, before, "a stranger changed something");
        // The owner gets another answer, so the documents do select something.
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

/// One object of each kind.
pub(crate) struct Owned {
    pub(crate) service: Uuid,
    pub(crate) incident: Uuid,
    pub(crate) note: Uuid,
    pub(crate) token: Uuid,
    pub(crate) session: Uuid,
}

impl Owned {
    /// Inserts them into the person's workspace.
    pub(crate) async fn by(person: &Person<'_>) -> Self {
        let db = &person.api.use_cases.db;
        let workspace_id = person.viewer().workspace_id;
        let service = a_service(db, &person.user)
            .in_workspace(workspace_id)
            .name("alpha")
            .create()
            .await;
        let tag = service_tag::Model {
            workspace_id,
            service_id: service.id,
            tag: "prod".into(),
        };
        tag.into_active_model().insert(db).await.unwrap();
        let incident = incident::Model {
            id: Uuid::now_v7(),
            service_id: service.id,
            workspace_id,
            incident_type: IncidentType::Downtime,
            started_at: now(),
            resolved_at: None,
            checks_failed: 2,
            cause: Some("connection refused".into()),
        };
        let incident = incident.into_active_model().insert(db).await.unwrap();
        let seen = incident_acknowledgement::Model {
            incident_id: incident.id,
            user_id: person.user.id,
            at: now(),
        };
        seen.into_active_model().insert(db).await.unwrap();
        let note = incident_note::Model {
            id: Uuid::now_v7(),
            incident_id: incident.id,
            user_id: person.user.id,
            at: now(),
            text: "the switch was unplugged".into(),
        };
        let note = note.into_active_model().insert(db).await.unwrap();
        let token = api_token::Model {
            id: Uuid::now_v7(),
            workspace_id,
            user_id: person.user.id,
            name: "x".into(),
            token_hash: Uuid::now_v7().as_bytes().to_vec(),
            read_only: false,
            created_at: now(),
            last_used_at: None,
            expires_at: None,
        };
        let token = token.into_active_model().insert(db).await.unwrap();
        let session = session::Model {
            id: Uuid::now_v7(),
            user_id: person.user.id,
            token_hash: Uuid::now_v7().as_bytes().to_vec(),
            previous_token_hash: None,
            rotated_at: now(),
            created_at: now(),
            last_used_at: now(),
            expires_at: now() + chrono::Duration::days(7),
            user_agent: None,
            address: None,
        };
        let session = session.into_active_model().insert(db).await.unwrap();
        Self {
            service: service.id,
            incident: incident.id,
            note: note.id,
            token: token.id,
            session: session.id,
        }
    }

    /// Ids that do not exist.
    pub(crate) fn nowhere() -> Self {
        let [service, incident, note, token, session] = [(); 5].map(|()| Uuid::now_v7());
        Self {
            service,
            incident,
            note,
            token,
            session,
        }
    }

    /// Returns the ids as variables of a document.
    pub(crate) fn variables(&self) -> Value {
        json!({
            "service": self.service,
            "incident": self.incident,
            "note": self.note,
            "token": self.token,
            "session": self.session,
        })
    }

    const fn id(&self, kind: Kind) -> Uuid {
        match kind {
            Kind::Service => self.service,
            Kind::Incident => self.incident,
            Kind::Note => self.note,
            Kind::Token => self.token,
            Kind::Session => self.session,
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

/// Returns all rows of a workspace, as text.
pub(crate) async fn rows_of(api: &Api, workspace: Uuid) -> String {
    let db = &api.use_cases.db;
    let row = workspace::Entity::find_by_id(workspace);
    let row = row.one(db).await.unwrap();
    let services = service::Entity::find().filter(service::Column::WorkspaceId.eq(workspace));
    let services = services.order_by_asc(service::Column::Id);
    let services = services.all(db).await.unwrap();
    let tags = service_tag::Entity::find()
        .filter(service_tag::Column::WorkspaceId.eq(workspace))
        .order_by_asc(service_tag::Column::ServiceId);
    let tags = tags.all(db).await.unwrap();
    let incidents = incident::Entity::find().filter(incident::Column::WorkspaceId.eq(workspace));
    let incidents = incidents.order_by_asc(incident::Column::Id);
    let incidents = incidents.all(db).await.unwrap();
    let ids: Vec<Uuid> = incidents.iter().map(|incident| incident.id).collect();
    let events = incident_event::Entity::find()
        .filter(incident_event::Column::IncidentId.is_in(ids.iter().copied()))
        .order_by_asc(incident_event::Column::Id);
    let events = events.all(db).await.unwrap();
    let seen = incident_acknowledgement::Entity::find()
        .filter(incident_acknowledgement::Column::IncidentId.is_in(ids.iter().copied()))
        .order_by_asc(incident_acknowledgement::Column::IncidentId);
    let seen = seen.all(db).await.unwrap();
    let notes = incident_note::Entity::find()
        .filter(incident_note::Column::IncidentId.is_in(ids))
        .order_by_asc(incident_note::Column::Id);
    let notes = notes.all(db).await.unwrap();
    let tokens = api_token::Entity::find().filter(api_token::Column::WorkspaceId.eq(workspace));
    let tokens = tokens.order_by_asc(api_token::Column::Id);
    let tokens = tokens.all(db).await.unwrap();
    let feed = calendar_feed::Entity::find_by_id(workspace);
    let feed = feed.one(db).await.unwrap();
    format!("{row:?}{services:?}{tags:?}{incidents:?}{events:?}{seen:?}{notes:?}{tokens:?}{feed:?}")
}

/// Returns all rows that a stranger could change.
async fn everything(api: &Api) -> String {
    let db = &api.use_cases.db;
    let services = service::Entity::find().all(db).await.unwrap();
    let tags = service_tag::Entity::find().all(db).await.unwrap();
    let incidents = incident::Entity::find().all(db).await.unwrap();
    let events = incident_event::Entity::find().all(db).await.unwrap();
    let seen = incident_acknowledgement::Entity::find()
        .all(db)
        .await
        .unwrap();
    let notes = incident_note::Entity::find().all(db).await.unwrap();
    let tokens = api_token::Entity::find().all(db).await.unwrap();
    let sessions = session::Entity::find().all(db).await.unwrap();
    format!("{services:?}{tags:?}{incidents:?}{events:?}{seen:?}{notes:?}{tokens:?}{sessions:?}")
}
