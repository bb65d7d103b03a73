//! Workspaces: tokens, quotas, and what is deleted with an account.

use crate::api::Api;
use crate::isolation::{Owned, rows_of};
use backend::auth::Viewer;
use backend::use_cases::Quotas;
use entity::column::Role;
use entity::{api_token, membership, service, user, workspace};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use testkit::builders::{a_workspace, join};
use testkit::database::TestDatabase;
use testkit::on_each_database;

const WORKSPACES: &str = "{ me { workspaces { role workspace { id name personal } } } }";

on_each_database! {
    async fn a_session_sees_all_workspaces_and_a_token_its_own(database: TestDatabase) {
        let api = Api::on(database).await;
        let team = a_workspace(&api.use_cases.db).await;
        let mut ada = api.member(&team, Role::Editor).await;
        Owned::by(&ada).await;
        let personal = json!({ "role": "OWNER", "workspace": { "id": ada.user.id, "name": "Ada", "personal": true } });
        let of_team = json!({ "role": "EDITOR", "workspace": { "id": team.id, "name": "Team", "personal": false } });
        let seen = ada.data(WORKSPACES, json!({})).await;
        assert_eq!(seen["me"]["workspaces"], json!([personal, of_team]));
        let tokens = "{ me { apiTokens { workspace { id } } } }";
        let seen = ada.data(tokens, json!({})).await;
        assert_eq!(seen["me"]["apiTokens"], json!([{ "workspace": { "id": team.id } }]));

        let of_a_token = Viewer { session: None, token: Some(uuid::Uuid::now_v7()), ..ada.viewer() };
        ada.viewer = Some(of_a_token);
        let seen = ada.data(WORKSPACES, json!({})).await;
        assert_eq!(seen["me"]["workspaces"], json!([of_team]));
        ada.viewer = Some(Viewer { workspace_id: ada.user.id, role: Role::Owner, ..of_a_token });
        let seen = ada.data(WORKSPACES, json!({})).await;
        assert_eq!(seen["me"]["workspaces"], json!([personal]));
        let seen = ada.data(tokens, json!({})).await;
        assert_eq!(seen["me"]["apiTokens"], json!([]), "the token of the team is none of its business");
    }

    async fn the_quota_of_services_is_that_of_the_workspace(database: TestDatabase) {
        let api = Api::within(database, Quotas { max_services: 1, ..Quotas::default() }).await;
        let team = a_workspace(&api.use_cases.db).await;
        let (ada, ben) = (api.member(&team, Role::Editor).await, api.member(&team, Role::Editor).await);
        ada.adds("first").await;
        let create = "mutation { createService(input: { name: \"second\", monitor: { http: { url: \"https://a.test\" } } }) { id } }";
        let refused = ben.error(create, json!({})).await;
        assert_eq!(refused["extensions"]["code"], "CONFLICT");
        assert_eq!(
            refused["message"],
            "this workspace has 1 services, as many as this server allows: delete one first"
        );
        api.somebody().await.adds("in a workspace of its own").await;
    }

    async fn an_account_takes_along_the_workspaces_without_another_owner(database: TestDatabase) {
        let api = Api::on(database).await;
        let db = &api.use_cases.db;
        let (alone, shared) = (a_workspace(db).await, a_workspace(db).await);
        let ada = api.member(&alone, Role::Owner).await;
        join(db, &shared, &ada.user, Role::Owner).await;
        let (editor, owner) = (api.member(&alone, Role::Editor).await, api.member(&shared, Role::Owner).await);
        for person in [&ada, &editor, &owner] {
            Owned::by(person).await;
        }
        let kept = rows_of(&api, shared.id).await;

        let deleted = api.use_cases.delete_account(&ada.viewer(), &ada.user.email).await.unwrap();
        let mut gone = deleted.workspaces;
        gone.sort();
        let mut expected = [ada.user.id, alone.id];
        expected.sort();
        assert_eq!(gone, expected);
        // The others lose access at once, with their tokens.
        let of_editor = membership::Entity::find_by_id((alone.id, editor.user.id)).one(db).await.unwrap();
        assert_eq!(of_editor, None);
        let tokens = api_token::Entity::find().filter(api_token::Column::WorkspaceId.eq(alone.id));
        assert_eq!(tokens.count(db).await.unwrap(), 0);

        api.use_cases.remove_account(deleted.user).await;
        assert_eq!(user::Entity::find_by_id(ada.user.id).one(db).await.unwrap(), None);
        for id in expected {
            assert_eq!(workspace::Entity::find_by_id(id).one(db).await.unwrap(), None);
        }
        let services = service::Entity::find().filter(service::Column::WorkspaceId.eq(alone.id));
        assert_eq!(services.count(db).await.unwrap(), 0);
        let left = membership::Entity::find_by_id((shared.id, ada.user.id)).one(db).await.unwrap();
        assert_eq!(left, None);
        assert_eq!(rows_of(&api, shared.id).await, kept, "the workspace of another owner is as it was");
        assert!(user::Entity::find_by_id(editor.user.id).one(db).await.unwrap().is_some());
    }

    async fn of_two_owners_who_leave_at_once_the_last_deletes_the_workspace(database: TestDatabase) {
        let api = Api::on(database).await;
        let team = a_workspace(&api.use_cases.db).await;
        let (ada, ben) = (api.member(&team, Role::Owner).await, api.member(&team, Role::Owner).await);
        let (ada_viewer, ben_viewer) = (ada.viewer(), ben.viewer());
        let (one, other) = tokio::join!(
            api.use_cases.delete_account(&ada_viewer, &ada.user.email),
            api.use_cases.delete_account(&ben_viewer, &ben.user.email),
        );
        let deleted = [one.unwrap(), other.unwrap()];
        let taken = deleted.iter().filter(|deleted| deleted.workspaces.contains(&team.id)).count();
        assert_eq!(taken, 1);
    }
}
