//! How a request selects a workspace: by a header, or in the first message of a WebSocket.

use super::app::{App, Browser, code};
use super::websocket::{Socket, TRANSPORT};
use chrono::{SubsecRound as _, Utc};
use coordination::{Event, ServiceChange};
use entity::column::Role;
use entity::{api_token, identity, membership, user};
use reqwest::header::{AUTHORIZATION, ORIGIN};
use reqwest::{RequestBuilder, StatusCode};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Set};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::builders::{a_service, a_user, a_workspace, join};
use uuid::Uuid;

const HEADER: &str = "X-PulseCheck-Workspace";
const TOKEN: &str = "pck_dGhpcyBpcyBhIHRva2VuIGZvciB0ZXN0cyBvbmx5ISE";
const SERVICES: &str = "{ services { name } }";

/// A signed-in member of a team, with one service in each of their workspaces.
struct Member {
    app: App,
    browser: Browser,
    user: user::Model,
    team: entity::workspace::Model,
    service_of_team: Uuid,
}

impl Member {
    async fn with(role: Role) -> Self {
        let app = App::start().await;
        let browser = app.signed_in().await;
        let identity = identity::Entity::find().one(&app.db).await.unwrap();
        let user = user::Entity::find_by_id(identity.unwrap().user_id);
        let user = user.one(&app.db).await.unwrap().unwrap();
        let team = a_workspace(&app.db).await;
        join(&app.db, &team, &user, role).await;
        a_service(&app.db, &user).name("personal").create().await;
        let of_team = a_service(&app.db, &user)
            .in_workspace(team.id)
            .name("team")
            .create()
            .await;
        Self {
            app,
            browser,
            user,
            team,
            service_of_team: of_team.id,
        }
    }

    fn request(&self, query: &str) -> RequestBuilder {
        self.browser
            .http
            .post(self.app.url("/api/graphql"))
            .header(ORIGIN, &self.app.base)
            .json(&json!({ "query": query }))
    }
}

async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

fn names(answer: &Value) -> Value {
    answer["data"]["services"].clone()
}

#[tokio::test]
async fn a_header_selects_one_of_the_users_workspaces() {
    let member = Member::with(Role::Viewer).await;
    let team = member.team.id.to_string();
    let (_, personal) = answer(member.request(SERVICES)).await;
    assert_eq!(names(&personal), json!([{ "name": "personal" }]));
    let (_, of_team) = answer(member.request(SERVICES).header(HEADER, &team)).await;
    assert_eq!(names(&of_team), json!([{ "name": "team" }]));

    let create = "mutation { createService(input: { name: \"x\", monitor: { http: { url: \"https://a.test\" } } }) { id } }";
    let (_, refused) = answer(member.request(create).header(HEADER, &team)).await;
    assert_eq!(code(&refused), "FORBIDDEN");
    let (_, created) = answer(member.request(create)).await;
    assert_eq!(created.get("errors"), None, "{created}");
}

#[tokio::test]
async fn a_foreign_workspace_is_not_found_like_an_absent_one() {
    let member = Member::with(Role::Owner).await;
    let foreign = a_workspace(&member.app.db).await;
    let stranger = a_user(&member.app.db).await;
    let mut messages = Vec::new();
    let ids = [foreign.id, stranger.id, Uuid::now_v7()].map(|id| id.to_string());
    for id in ids.into_iter().chain(["no id".into(), String::new()]) {
        let (status, refused) = answer(member.request(SERVICES).header(HEADER, &id)).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{id}");
        assert_eq!(code(&refused), "NOT_FOUND", "{id}");
        messages.push(refused["errors"][0]["message"].clone());
    }
    messages.dedup();
    assert_eq!(messages.len(), 1, "{messages:?}");
}

#[tokio::test]
async fn a_member_who_is_removed_finds_the_workspace_no_more() {
    let member = Member::with(Role::Editor).await;
    let team = member.team.id.to_string();
    membership::Entity::delete_by_id((member.team.id, member.user.id))
        .exec(&member.app.db)
        .await
        .unwrap();
    let (status, _) = answer(member.request(SERVICES).header(HEADER, &team)).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_token_stays_in_its_workspace_whatever_the_header_says() {
    let member = Member::with(Role::Editor).await;
    let token = api_token::ActiveModel {
        id: Set(Uuid::now_v7()),
        workspace_id: Set(member.team.id),
        user_id: Set(member.user.id),
        name: Set("script".into()),
        token_hash: Set(Sha256::digest(TOKEN).to_vec()),
        read_only: Set(false),
        created_at: Set(Utc::now().trunc_subsecs(3)),
        last_used_at: Set(None),
        expires_at: Set(None),
    };
    token.insert(&member.app.db).await.unwrap();
    let personal = member.user.id.to_string();
    for id in [personal, Uuid::now_v7().to_string(), "no id".into()] {
        let request = member
            .app
            .browser()
            .http
            .post(member.app.url("/api/graphql"));
        let request = request
            .header(AUTHORIZATION, format!("Bearer {TOKEN}"))
            .header(HEADER, &id)
            .json(&json!({ "query": SERVICES }));
        let (_, seen) = answer(request).await;
        assert_eq!(names(&seen), json!([{ "name": "team" }]), "{id}");
    }

    let demoted = membership::Model {
        workspace_id: member.team.id,
        user_id: member.user.id,
        role: Role::Viewer,
    };
    let demoted = demoted.into_active_model().reset_all();
    demoted.update(&member.app.db).await.unwrap();
    // Another process, which has not cached the token.
    let next = App::on(member.app.database(), |_| {}).await;
    let create = "mutation { createService(input: { name: \"x\", monitor: { http: { url: \"https://a.test\" } } }) { id } }";
    let request = next.browser().http.post(next.url("/api/graphql"));
    let request = request
        .header(AUTHORIZATION, format!("Bearer {TOKEN}"))
        .json(&json!({ "query": create }));
    let (_, refused) = answer(request).await;
    assert_eq!(
        code(&refused),
        "FORBIDDEN",
        "it never exceeds its user's role"
    );
}

#[tokio::test]
async fn the_first_message_of_a_websocket_selects_a_workspace() {
    let member = Member::with(Role::Viewer).await;
    let cookie = member.browser.cookie_header("/");
    let headers = [("cookie", cookie.as_str()), ("origin", &member.app.base)];
    let open = async || {
        Socket::open(&member.app, TRANSPORT, &headers)
            .await
            .unwrap()
    };
    let mut socket = open().await;
    socket.init(json!({ "workspace": member.team.id })).await;
    socket
        .ask("1", "subscription { serviceChanges { service { name } } }")
        .await;
    socket.settle().await;
    let change = |workspace_id, service_id| Event::ServiceChanged {
        workspace_id,
        service_id,
        change: ServiceChange::Updated,
    };
    let events = [
        change(member.user.id, Uuid::now_v7()),
        change(member.team.id, member.service_of_team),
    ];
    member.app.live.publish(&events).await.unwrap();
    let received = socket.receive().await;
    let service = &received["payload"]["data"]["serviceChanges"]["service"];
    assert_eq!(service["name"], "team", "{received}");

    for unknown in [json!(Uuid::now_v7()), json!("no id"), json!(7)] {
        let mut socket = open().await;
        socket.first(json!({ "workspace": unknown })).await;
        let closed = socket.receive().await;
        assert_eq!(closed["closed"], 4404, "{unknown}: {closed}");
    }
}
