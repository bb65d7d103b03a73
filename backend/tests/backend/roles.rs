//! What each role may do, and that no operation reaches into another workspace. The operations are
//! compared with the schema, so that a new field cannot be forgotten.

use crate::api::{Answer, Api, Person};
use crate::isolation::{Owned, rows_of};
use crate::schema::fields_of;
use crate::subscriptions::checked;
use backend::auth::Viewer;
use coordination::{Event, ServiceChange};
use entity::column::Role;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::builders::a_workspace;
use testkit::database::TestDatabase;
use testkit::on_each_database;
use uuid::Uuid;

/// A root field, the lowest role that may use it, and a document with the ids of [`Owned`].
struct Operation {
    root: &'static str,
    field: &'static str,
    least: Role,
    document: &'static str,
}

const fn query(field: &'static str, document: &'static str) -> Operation {
    let root = "Query";
    Operation {
        root,
        field,
        least: Role::Viewer,
        document,
    }
}

/// A mutation that needs [`Role::Editor`].
const fn edit(field: &'static str, document: &'static str) -> Operation {
    let root = "Mutation";
    Operation {
        root,
        field,
        least: Role::Editor,
        document,
    }
}

/// A mutation of the viewer's own account.
const fn account(field: &'static str, document: &'static str) -> Operation {
    let root = "Mutation";
    Operation {
        root,
        field,
        least: Role::Viewer,
        document,
    }
}

const fn subscription(field: &'static str, document: &'static str) -> Operation {
    let root = "Subscription";
    Operation {
        root,
        field,
        least: Role::Viewer,
        document,
    }
}

const OPERATIONS: [Operation; 41] = [
    query("me", "{ me { id operator workspaces { role workspace { id name personal } } apiTokens { id workspace { id } }
        sessions { id } identities { provider } } }"),
    query("limits", "{ limits { minIntervalSeconds maxServices } }"),
    query("services", "{ services { id name target current { status } components { id } openIncident { id } } }"),
    query("services", "{ services(filter: { tag: \"prod\" }) { id tags settings { name value } secretsSet } }"),
    query("servicesPage", "{ servicesPage { totalCount edges { cursor node { id name } } } }"),
    query("monitorKinds", "{ monitorKinds { kind fields { name } } }"),
    query("service", "query($service: UUID!) { service(id: $service) { id checks { edges { cursor } } } }"),
    query("incidents", "{ incidents { totalCount edges { node { id cause } } } }"),
    query("incident", "query($incident: UUID!) { incident(id: $incident) { id notes { text } acknowledgedAt } }"),
    query("vendorPageCatalogue", "{ vendorPageCatalogue(search: \"git\") { name } }"),
    query("calendarFeed", "{ calendarFeed { createdAt lastReadAt } }"),
    query("signInOptions", "{ signInOptions { local } }"),
    query("system", "{ system { version } }"),
    edit("createService", "mutation { createService(input: { name: \"new\", monitor: { http: { url: \"https://a.test\" } } }) { id } }"),
    edit("updateService", "mutation($service: UUID!) { updateService(id: $service, input: { name: \"renamed\" }) { id } }"),
    edit("deleteService", "mutation($service: UUID!) { deleteService(id: $service) }"),
    edit("pauseService", "mutation($service: UUID!) { pauseService(id: $service) { id } }"),
    edit("resumeService", "mutation($service: UUID!) { resumeService(id: $service) { id } }"),
    edit("checkService", "mutation($service: UUID!) { checkService(id: $service) { id } }"),
    edit("testService", "mutation { testService(input: { name: \"x\", monitor: { http: { url: \"no address\" } } }) { status } }"),
    edit("pauseServices", "mutation($service: UUID!) { pauseServices(ids: [$service]) { id } }"),
    edit("undoPauseServices", "mutation($service: UUID!) { undoPauseServices(ids: [$service]) { id } }"),
    edit("resumeServices", "mutation($service: UUID!) { resumeServices(ids: [$service]) { id } }"),
    edit(
        "recategoriseServices",
        "mutation($service: UUID!) { recategoriseServices(ids: [$service], category: \"c\") { id } }",
    ),
    edit("deleteServices", "mutation($service: UUID!) { deleteServices(ids: [$service]) }"),
    edit("acknowledgeIncident", "mutation($incident: UUID!) { acknowledgeIncident(id: $incident) { id } }"),
    edit("unacknowledgeIncident", "mutation($incident: UUID!) { unacknowledgeIncident(id: $incident) { id } }"),
    edit("addIncidentNote", "mutation($incident: UUID!) { addIncidentNote(incidentId: $incident, text: \"t\") { id } }"),
    edit("deleteIncidentNote", "mutation($note: UUID!) { deleteIncidentNote(id: $note) }"),
    edit("discoverVendorPage", "mutation { discoverVendorPage(url: \"no address\") { pageName } }"),
    edit("validateVendorPageUrls", "mutation { validateVendorPageUrls(urls: []) { pageName } }"),
    edit("createCalendarFeed", "mutation { createCalendarFeed { feed { createdAt } } }"),
    edit("revokeCalendarFeed", "mutation { revokeCalendarFeed }"),
    edit("createApiToken", "mutation { createApiToken(input: { name: \"new\" }) { apiToken { id } } }"),
    edit("revokeApiToken", "mutation($token: UUID!) { revokeApiToken(id: $token) }"),
    account("endSession", "mutation($session: UUID!) { endSession(id: $session) }"),
    account("endOtherSessions", "mutation { endOtherSessions }"),
    account("deleteAccount", "mutation { deleteAccount(email: \"somebody@else.test\") }"),
    subscription("statusUpdates", "subscription { statusUpdates { service { id } } }"),
    subscription("incidentUpdates", "subscription { incidentUpdates { service { id } } }"),
    subscription("serviceChanges", "subscription { serviceChanges { service { id } } }"),
];

/// Mutations that are sent with invalid input, because they would send requests to other servers or
/// delete the account of the test.
const BAD_INPUT: [&str; 4] = [
    "testService",
    "discoverVendorPage",
    "validateVendorPageUrls",
    "deleteAccount",
];

fn operations_of(root: &'static str) -> impl Iterator<Item = &'static Operation> {
    OPERATIONS
        .iter()
        .filter(move |operation| operation.root == root)
}

async fn execute(person: &Person<'_>, operation: &Operation, owned: &Owned) -> Value {
    person.asks(operation.document, owned.variables()).await.0
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_default()
}

/// Returns the same person in another of their workspaces.
fn working_in<'a>(person: &Person<'a>, workspace_id: Uuid, role: Role) -> Person<'a> {
    let viewer = Viewer {
        workspace_id,
        role,
        ..person.viewer()
    };
    Person {
        api: person.api,
        user: person.user.clone(),
        viewer: Some(viewer),
    }
}

#[test]
fn every_field_of_the_schema_is_walked() {
    for root in ["Query", "Mutation", "Subscription"] {
        let walked: BTreeSet<String> = operations_of(root)
            .map(|operation| operation.field.to_owned())
            .collect();
        let schema: BTreeSet<String> = fields_of(root).into_iter().collect();
        assert_eq!(
            walked, schema,
            "{root}: left what is walked, right the schema"
        );
    }
}

on_each_database! {
    async fn each_role_may_do_what_it_is_for_and_no_more(database: TestDatabase) {
        let api = Api::on(database).await;
        for role in [Role::Viewer, Role::Editor, Role::Owner] {
            let team = a_workspace(&api.use_cases.db).await;
            let person = api.member(&team, role).await;
            for operation in operations_of("Query").chain(operations_of("Mutation")) {
                let owned = Owned::by(&person).await;
                let before = rows_of(&api, team.id).await;
                let answer = execute(&person, operation, &owned).await;
                let field = operation.field;
                if role < operation.least {
                    assert_eq!(code(&answer), "FORBIDDEN", "{role:?} {field}: {answer}");
                    let message = answer["errors"][0]["message"].as_str().unwrap();
                    assert!(message.contains("role in this workspace is VIEWER"), "{message}");
                    assert_eq!(rows_of(&api, team.id).await, before, "{role:?} {field} changed something");
                } else if BAD_INPUT.contains(&field) {
                    assert_eq!(code(&answer), "BAD_INPUT", "{role:?} {field}: {answer}");
                } else {
                    assert_eq!(answer.get("errors"), None, "{role:?} {field}: {answer}");
                }
            }
        }
    }

    async fn a_viewer_sees_the_workspace_as_its_owner_does(database: TestDatabase) {
        let api = Api::on(database).await;
        let team = a_workspace(&api.use_cases.db).await;
        let (owner, viewer) = (api.member(&team, Role::Owner).await, api.member(&team, Role::Viewer).await);
        let owned = Owned::by(&owner).await;
        for operation in operations_of("Query").filter(|operation| operation.field != "me") {
            let seen = execute(&viewer, operation, &owned).await;
            assert_eq!(seen, execute(&owner, operation, &owned).await, "{}", operation.field);
        }
        let services = viewer.data("{ services { id } }", json!({})).await;
        assert_eq!(services["services"][0]["id"], json!(owned.service));
    }

    async fn no_query_shows_anything_of_another_workspace(database: TestDatabase) {
        let api = Api::on(database).await;
        let team = a_workspace(&api.use_cases.db).await;
        let owner = api.member(&team, Role::Owner).await;
        // Neither for a stranger nor for a member who uses another workspace.
        let (stranger, member) = (api.somebody().await, working_in(&owner, owner.user.id, Role::Owner));
        let nothing = Owned::nowhere();
        let mut before = Vec::new();
        for person in [&stranger, &member] {
            for operation in operations_of("Query") {
                before.push(execute(person, operation, &nothing).await);
            }
        }
        let owned = Owned::by(&owner).await;
        let mut before = before.into_iter();
        for (who, person) in [("stranger", &stranger), ("member", &member)] {
            for operation in operations_of("Query") {
                let mut expected = before.next().unwrap();
                let mut seen = execute(person, operation, &owned).await;
                if who == "member" && operation.field == "me" {
                    // The account is the same one in every workspace.
                    for own in ["apiTokens", "sessions"] {
                        expected["data"]["me"][own].take();
                        seen["data"]["me"][own].take();
                    }
                }
                assert_eq!(seen, expected, "{who}: {}", operation.field);
            }
        }
    }

    async fn no_mutation_changes_anything_of_another_workspace(database: TestDatabase) {
        let api = Api::on(database).await;
        let team = a_workspace(&api.use_cases.db).await;
        let owner = api.member(&team, Role::Owner).await;
        let owned = Owned::by(&owner).await;
        let (stranger, member) = (api.somebody().await, working_in(&owner, owner.user.id, Role::Owner));
        // Both have an object of the same kind in their workspace.
        Owned::by(&stranger).await;
        Owned::by(&member).await;
        let before = rows_of(&api, team.id).await;
        for (who, person) in [("stranger", &stranger), ("member", &member)] {
            for operation in operations_of("Mutation") {
                // One's own tokens and sessions are revoked from any workspace.
                if who == "member" && ["revokeApiToken", "endSession"].contains(&operation.field) {
                    continue;
                }
                execute(person, operation, &owned).await;
                assert_eq!(rows_of(&api, team.id).await, before, "{who}: {}", operation.field);
            }
        }
    }

    async fn every_subscription_hears_its_own_workspace_only(database: TestDatabase) {
        let api = Api::on(database).await;
        let team = a_workspace(&api.use_cases.db).await;
        let owner = api.member(&team, Role::Owner).await;
        let member = working_in(&owner, owner.user.id, Role::Owner);
        let (viewer, stranger) = (api.member(&team, Role::Viewer).await, api.somebody().await);
        let of_team = Owned::by(&owner).await;
        for operation in operations_of("Subscription") {
            for outsider in [&member, &stranger] {
                let own = Owned::by(outsider).await;
                let subscribe = |person: &Person<'_>| {
                    let mut updates = person.subscribes(operation.document, json!({}));
                    updates.begins();
                    updates
                };
                let (mut inside, mut outside) = (subscribe(&viewer), subscribe(outsider));
                let events = [(team.id, &of_team), (outsider.user.id, &own)]
                    .map(|(workspace, owned)| event_for(operation.field, workspace, owned));
                api.use_cases.live.publish(&events).await.unwrap();
                let service = |answer: Answer| answer.data()[operation.field]["service"]["id"].clone();
                assert_eq!(service(inside.next().await.unwrap()), json!(of_team.service), "{}", operation.field);
                assert_eq!(service(outside.next().await.unwrap()), json!(own.service), "{}", operation.field);
            }
        }
    }

    async fn only_an_owner_revokes_the_tokens_of_others(database: TestDatabase) {
        let api = Api::on(database).await;
        let team = a_workspace(&api.use_cases.db).await;
        let (owner, editor) = (api.member(&team, Role::Owner).await, api.member(&team, Role::Editor).await);
        let (owners, editors) = (Owned::by(&owner).await, Owned::by(&editor).await);
        let revoke = "mutation($token: UUID!) { revokeApiToken(id: $token) }";
        let refused = editor.asks(revoke, owners.variables()).await;
        assert_eq!(refused.code(), "NOT_FOUND");
        let revoked = owner.data(revoke, editors.variables()).await;
        assert_eq!(revoked["revokeApiToken"], json!(editors.token));
        // The owner of one workspace has no rights in another.
        let personal = Owned::by(&working_in(&editor, editor.user.id, Role::Owner)).await;
        let refused = owner.asks(revoke, personal.variables()).await;
        assert_eq!(refused.code(), "NOT_FOUND");
    }
}

fn event_for(field: &str, workspace_id: Uuid, owned: &Owned) -> Event {
    match field {
        "statusUpdates" => checked(workspace_id, owned.service, domain::Status::Up, true),
        "incidentUpdates" => Event::IncidentChanged {
            workspace_id,
            service_id: owned.service,
            incident_id: owned.incident,
        },
        "serviceChanges" => Event::ServiceChanged {
            workspace_id,
            service_id: owned.service,
            change: ServiceChange::Updated,
        },
        other => panic!("no event for {other}"),
    }
}
