//! Monitor kinds in the API: fields of forms, settings without secrets, tags, and defaults.

use crate::api::Api;
use entity::service;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Set};
use secrets::Sealer;
use serde_json::{Value, json};
use testkit::builders::a_service;
use testkit::database::TestDatabase;
use testkit::input::new_service;
use testkit::on_each_database;

const CREATE: &str = "mutation($input: CreateServiceInput!) { createService(input: $input) {
    id tags description recoveries timeoutMs degradedThresholdMs } }";
const UPDATE: &str =
    "mutation($id: UUID!, $input: UpdateServiceInput!) { updateService(id: $id, input: $input) {
    id tags description recoveries timeoutMs degradedThresholdMs settings { name value } } }";

on_each_database! {
    async fn tags_are_stored_in_their_normal_form_and_filter_the_list(database: TestDatabase) {
        let api = Api::on(database).await;
        let (ada, bob) = (api.somebody().await, api.somebody().await);
        let create = async |name: &str, tags: Value| {
            let input = json!({ "name": name, "url": "a.test", "tags": tags });
            ada.data(CREATE, json!({ "input": new_service(input) })).await["createService"].clone()
        };
        let shop = create("Shop", json!([" Env:Prod ", "API", "api"])).await;
        assert_eq!(shop["tags"], json!(["api", "env:prod"]));
        create("Blog", json!(["api"])).await;
        create("Mail", Value::Null).await;
        let named = async |tag: &str| {
            let data = ada.data("query($tag: String) { services(filter: { tag: $tag }) { name tags } }", json!({ "tag": tag })).await;
            data["services"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(named(" API ").await, ["Blog", "Shop"]);
        assert_eq!(named("env:prod").await, ["Shop"]);
        assert_eq!(named("none").await, [] as [&str; 0]);
        let theirs = bob.data("{ services(filter: { tag: \"api\" }) { name } }", json!({})).await;
        assert_eq!(theirs["services"], json!([]));

        let change = json!({ "id": shop["id"], "input": { "tags": ["web"], "description": " Sells. " } });
        let changed = ada.data(UPDATE, change).await["updateService"].clone();
        assert_eq!((&changed["tags"], &changed["description"]), (&json!(["web"]), &json!("Sells.")));
        let kept = ada.data(UPDATE, json!({ "id": shop["id"], "input": { "name": "Store" } })).await["updateService"].clone();
        assert_eq!(kept["tags"], json!(["web"]), "what is not given stays");
        let cleared = json!({ "id": shop["id"], "input": { "tags": null, "description": null } });
        let cleared = ada.data(UPDATE, cleared).await["updateService"].clone();
        assert_eq!((&cleared["tags"], &cleared["description"]), (&json!([]), &Value::Null));
    }

    async fn a_change_of_settings_keeps_the_fields_that_are_absent(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let input = json!({ "name": "Shop", "url": "a.test", "expectedStatus": "200-299,301" });
        let id = ada.data(CREATE, json!({ "input": new_service(input) })).await["createService"]["id"].clone();
        let change = json!({ "id": id, "input": { "monitor": { "http": { "url": "b.test" } } } });
        let changed = ada.data(UPDATE, change).await["updateService"]["settings"].clone();
        assert_eq!(changed, json!([
            { "name": "expectedStatus", "value": "\"200-299,301\"" },
            { "name": "url", "value": "\"https://b.test/\"" },
        ]));
    }

    async fn secrets_are_never_given_back_and_survive_other_changes(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let service = a_service(&api.use_cases.db, &ada.user).create().await;
        let sealed = api.use_cases.sealer.seal(&monitors::secret_context(service.id), b"{\"password\":\"hunter2\"}");
        let mut row = service.clone().into_active_model();
        row.secrets = Set(Some(sealed.clone()));
        row.update(&api.use_cases.db).await.unwrap();
        let query = "query($id: UUID!) { service(id: $id) { target settings { name value } secretsSet monitor { __typename } } }";
        let seen = ada.data(query, json!({ "id": service.id })).await["service"].clone();
        assert!(!seen.to_string().contains("hunter2"), "{seen}");
        let change = json!({ "id": service.id, "input": { "name": "New", "timeoutMs": 4000 } });
        ada.data(UPDATE, change).await;
        let stored = service::Entity::find_by_id(service.id).one(&api.use_cases.db).await.unwrap().unwrap();
        assert_eq!(stored.secrets, Some(sealed), "sealed secrets stay as they are");

        // Sealed with an unknown key: everything else works.
        let lost = Sealer::new("another key that nobody has any more", None);
        let mut row = stored.into_active_model();
        let unreadable = lost.seal(&monitors::secret_context(service.id), b"{}");
        row.secrets = Set(Some(unreadable.clone()));
        row.update(&api.use_cases.db).await.unwrap();
        let seen = ada.data(query, json!({ "id": service.id })).await["service"].clone();
        assert_eq!((&seen["target"], &seen["secretsSet"]), (&json!("https://example.test/"), &json!([])));
        let change = json!({ "monitor": { "http": { "url": "https://other.test/" } } });
        ada.data(UPDATE, json!({ "id": service.id, "input": change })).await;
        let stored = service::Entity::find_by_id(service.id).one(&api.use_cases.db).await.unwrap().unwrap();
        assert_eq!(stored.settings["url"], "https://other.test/");
        assert_eq!(stored.secrets, Some(unreadable), "a key that is missing deletes nothing");
    }
}

#[tokio::test]
async fn a_default_follows_what_it_depends_on() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let input = json!({ "name": "Shop", "url": "a.test", "timeoutMs": 900 });
    let made = ada
        .data(CREATE, json!({ "input": new_service(input) }))
        .await["createService"]
        .clone();
    assert_eq!(
        (&made["timeoutMs"], &made["degradedThresholdMs"]),
        (&json!(900), &json!(900))
    );
    assert_eq!(made["recoveries"], 1);
    let update = async |input: Value| {
        let changed = ada
            .data(UPDATE, json!({ "id": made["id"], "input": input }))
            .await;
        let of = |field: &str| changed["updateService"][field].as_i64().unwrap();
        (of("timeoutMs"), of("degradedThresholdMs"))
    };
    assert_eq!(update(json!({ "timeoutMs": 5000 })).await, (5000, 1000));
    assert_eq!(update(json!({ "timeoutMs": 500 })).await, (500, 500));
    assert_eq!(
        update(json!({ "timeoutMs": 5000, "degradedThresholdMs": 700 })).await,
        (5000, 700)
    );
    assert_eq!(
        update(json!({ "timeoutMs": 4000 })).await,
        (4000, 700),
        "a chosen value stays"
    );
}

#[tokio::test]
async fn every_kind_describes_itself_and_its_input() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let query = "{ monitorKinds { kind inputName name description schedule confirmations
        fields { name label help type required secret default options } } }";
    let kinds = ada.data(query, json!({})).await["monitorKinds"].clone();
    let kinds = kinds.as_array().unwrap();
    assert_eq!(kinds.len(), monitors::MonitorKind::ALL.len());
    let inputs =
        "{ __type(name: \"MonitorInput\") { isOneOf inputFields { name type { name } } } }";
    let fields = "query($type: String!) { __type(name: $type) { inputFields { name } } }";
    let input = ada.data(inputs, json!({})).await["__type"].clone();
    assert_eq!(input["isOneOf"], true);
    let names = |list: &Value| {
        let names = list.as_array().unwrap().iter();
        names
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for (kind, input) in kinds.iter().zip(input["inputFields"].as_array().unwrap()) {
        assert_eq!(kind["inputName"], input["name"]);
        let fields = ada
            .data(fields, json!({ "type": input["type"]["name"] }))
            .await;
        assert_eq!(
            names(&kind["fields"]),
            names(&fields["__type"]["inputFields"])
        );
        assert!(
            kind["description"].as_str().unwrap().ends_with('.'),
            "{kind}"
        );
    }
    let url = &kinds[0]["fields"][0];
    assert_eq!(
        (&url["type"], &url["required"], &url["secret"]),
        (&json!("url"), &json!(true), &json!(false))
    );
}
