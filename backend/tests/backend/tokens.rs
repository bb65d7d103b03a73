//! API tokens, the viewer, and refusals for anonymous requests and read-only tokens.

use crate::api::{Api, json_of};
use backend::auth::{TokenScope, Viewer};
use backend::use_cases::Quotas;
use chrono::{DateTime, Duration, Utc};
use entity::{api_token, user, workspace};
use sea_orm::{EntityTrait, ModelTrait};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testkit::database::{self, TestDatabase};
use testkit::on_each_database;

const CREATE: &str = "mutation($input: CreateApiTokenInput!) { createApiToken(input: $input) {
    token apiToken { id name readOnly createdAt lastUsedAt expiresAt }
} }";
const REVOKE: &str = "mutation($id: UUID!) { revokeApiToken(id: $id) }";
const MINE: &str = "{ me { id email name avatarUrl apiTokens { id name readOnly expiresAt } } }";

on_each_database! {
    async fn a_token_is_shown_once_kept_as_a_hash_and_can_be_revoked(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let wanted = json!({ "input": { "name": " CI  runner ", "readOnly": true, "expiresInDays": 30 } });
        let made = ada.data(CREATE, wanted).await["createApiToken"].clone();
        let secret = made["token"].as_str().unwrap();
        assert!(secret.starts_with("pck_") && secret.len() == 4 + 43, "{secret}");
        assert_eq!((&made["apiToken"]["name"], &made["apiToken"]["readOnly"]), (&json!("CI runner"), &json!(true)));
        let time = |field: &str| made["apiToken"][field].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        assert_eq!(time("expiresAt") - time("createdAt"), Duration::days(30));
        assert!(made["apiToken"]["lastUsedAt"].is_null());

        let row = api_token::Entity::find().one(&api.use_cases.db).await.unwrap().unwrap();
        assert_eq!(row.token_hash, Sha256::digest(secret).to_vec());
        assert_eq!(row.token_hash.len(), 32);

        let usual = ada.data(CREATE, json!({ "input": { "name": "second" } })).await["createApiToken"].clone();
        assert_eq!((&usual["apiToken"]["readOnly"], &usual["apiToken"]["expiresAt"]), (&json!(false), &Value::Null));
        let me = ada.data(MINE, json!({})).await["me"].clone();
        let names: Vec<_> = me["apiTokens"].as_array().unwrap().iter().map(|token| token["name"].clone()).collect();
        assert_eq!(names, ["second", "CI runner"]);

        let id = made["apiToken"]["id"].clone();
        assert_eq!(ada.data(REVOKE, json!({ "id": id })).await["revokeApiToken"], id);
        assert_eq!(ada.error(REVOKE, json!({ "id": id })).await["extensions"]["code"], "NOT_FOUND");
        assert_eq!(ada.data(MINE, json!({})).await["me"]["apiTokens"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_wrong_token_names_each_wrong_field() {
    let api = Api::within(
        database::sqlite().await,
        Quotas {
            max_tokens: 1,
            ..Quotas::default()
        },
    )
    .await;
    let ada = api.somebody().await;
    for (input, field) in [
        (json!({ "name": "  " }), "name"),
        (json!({ "name": "n".repeat(101) }), "name"),
        (json!({ "name": "a\u{0}" }), "name"),
        (json!({ "name": "x", "expiresInDays": 0 }), "expiresInDays"),
        (
            json!({ "name": "x", "expiresInDays": 3651 }),
            "expiresInDays",
        ),
        (
            json!({ "name": "x", "expiresInDays": "soon" }),
            "expiresInDays",
        ),
    ] {
        let error = ada.error(CREATE, json!({ "input": input })).await;
        assert_eq!(
            (&error["extensions"]["code"], &error["extensions"]["field"]),
            (&json!("BAD_INPUT"), &json!(field))
        );
    }
    let error = ada
        .error(
            CREATE,
            json!({ "input": { "name": "", "expiresInDays": 0 } }),
        )
        .await;
    assert_eq!(error["extensions"]["fields"].as_array().unwrap().len(), 2);
    ada.data(CREATE, json!({ "input": { "name": "the only one" } }))
        .await;
    assert_eq!(
        ada.error(CREATE, json!({ "input": { "name": "x" } })).await["extensions"]["code"],
        "CONFLICT"
    );
}

#[tokio::test]
async fn a_visitor_is_told_to_sign_in_by_everything_but_me() {
    let api = Api::sqlite().await;
    assert_eq!(
        api.visitor("{ me { id apiTokens { id } } }").await.data(),
        json!({ "me": null })
    );
    assert_eq!(
        api.visitor("{ __typename me { id } }").await.data()["me"],
        Value::Null
    );
    for query in [
        "{ services { id } }",
        "{ me { id } services { id } }",
        "{ limits { maxServices } }",
        "{ ...on Query { incidents { totalCount } } }",
        "{ ...f } fragment f on Query { service(id: \"0198c7a2-7c1e-7d3a-9a77-3f4f0f6a5b1e\") { id } }",
        "{ __schema { types { name } } }",
        "{ __type(name: \"Query\") { name } }",
        "mutation { createApiToken(input: { name: \"x\" }) { token } }",
        "mutation { createService(input: { name: \"\", monitor: { http: {} } }) { id } }",
        "subscription { incidentUpdates { id } }",
    ] {
        assert_eq!(
            api.visitor(query).await.code(),
            "UNAUTHENTICATED",
            "{query}"
        );
    }
}

#[tokio::test]
async fn somebody_whose_account_is_gone_is_a_visitor() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    workspace::Entity::delete_by_id(ada.viewer.as_ref().unwrap().workspace_id)
        .exec(&api.use_cases.db)
        .await
        .unwrap();
    ada.user.clone().delete(&api.use_cases.db).await.unwrap();
    assert_eq!(
        ada.data("{ me { id } }", json!({})).await["me"],
        Value::Null
    );
    let create = "mutation { createService(input: { name: \"x\", monitor: { http: { url: \"https://x.test\" } } }) { id } }";
    assert_eq!(
        ada.error(create, json!({})).await["extensions"]["code"],
        "UNAUTHENTICATED"
    );
    assert_eq!(
        ada.error(CREATE, json!({ "input": { "name": "x" } })).await["extensions"]["code"],
        "UNAUTHENTICATED"
    );
    assert!(
        user::Entity::find()
            .all(&api.use_cases.db)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_token_that_may_only_read_changes_nothing() {
    let api = Api::sqlite().await;
    let mut ada = api.somebody().await;
    let id = ada.adds("Shop").await;
    ada.viewer = Some(Viewer {
        scope: TokenScope::ReadOnly,
        ..ada.viewer()
    });
    assert_eq!(
        ada.data("{ services { name } }", json!({})).await["services"],
        json!([{ "name": "Shop" }])
    );
    let mutations = crate::schema::fields_of("Mutation");
    assert!(mutations.len() >= 9);
    for field in mutations {
        // Invalid input is refused for the same reason, before it is validated.
        let error = ada
            .error(&format!("mutation {{ {field} }}"), json!({}))
            .await;
        assert_eq!(error["extensions"]["code"], "FORBIDDEN", "{field}");
    }
    let two = "query Q { me { id } } mutation M($id: UUID!) { deleteService(id: $id) }";
    let request = async_graphql::Request::new(two)
        .operation_name("M")
        .variables(async_graphql::Variables::from_json(json!({ "id": id })))
        .data(ada.viewer);
    let answer = json_of(&api.schema.execute(request).await);
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert_eq!(
        ada.data("{ services { name } }", json!({})).await["services"],
        json!([{ "name": "Shop" }])
    );
}

#[tokio::test]
async fn a_token_makes_no_tokens() {
    let api = Api::sqlite().await;
    let mut ada = api.somebody().await;
    ada.viewer = Some(Viewer {
        session: None,
        token: Some(uuid::Uuid::now_v7()),
        ..ada.viewer()
    });
    ada.adds("What a token that may write is for").await;
    let error = ada.error(CREATE, json!({ "input": { "name": "x" } })).await;
    assert_eq!(error["extensions"]["code"], "FORBIDDEN");
    assert_eq!(
        error["message"],
        "a token cannot create tokens: sign in with a browser and create it there"
    );
    assert!(
        api_token::Entity::find()
            .all(&api.use_cases.db)
            .await
            .unwrap()
            .is_empty()
    );
}
