//! Where somebody is signed in, what they take along, and leaving.

use super::app::{App, Browser, code};
use super::websocket::{Socket, TRANSPORT, opened_by};
use chrono::{Duration, SubsecRound as _, Utc};
use coordination::{CachedStatus, CurrentStatus};
use entity::column::{IncidentType, RollupPeriod};
use entity::{
    account_removal, api_token, calendar_feed, check, check_rollup, identity, incident,
    incident_acknowledgement, incident_event, incident_note, service, service_component,
    service_state, session, user,
};
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, PaginatorTrait};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::builders::{a_check, a_service, a_user, insert_checks};
use testkit::database::TestDatabase;
use testkit::on_each_database;
use uuid::Uuid;

const SESSIONS: &str = "{ me { sessions { id browser current createdAt lastUsedAt expiresAt } } }";

async fn sessions(browser: &Browser) -> Vec<Value> {
    browser.graphql(SESSIONS).await["data"]["me"]["sessions"]
        .as_array()
        .unwrap()
        .clone()
}

fn id(session: &Value) -> &str {
    session["id"].as_str().unwrap()
}

/// A token of the machine's own user, made in a browser.
async fn a_token(browser: &Browser) -> String {
    let made = browser
        .graphql("mutation { createApiToken(input: { name: \"x\" }) { token } }")
        .await;
    made["data"]["createApiToken"]["token"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn by_token(app: &App, token: &str, query: &str) -> Value {
    let request = app
        .browser()
        .http
        .post(app.url("/api/graphql"))
        .header(AUTHORIZATION, format!("Bearer {token}"));
    request
        .json(&json!({ "query": query }))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

/// A service with one of everything that can be recorded of it, and more checks than are read or removed at a time.
async fn a_history(app: &App, owner: &user::Model, checks: i64) -> service::Model {
    let service = a_service(&app.db, owner)
        .name("Shop")
        .category("Ours")
        .create()
        .await;
    let now = Utc::now().trunc_subsecs(3);
    let rows: Vec<_> = (0..checks)
        .map(|n| a_check(&service, now - Duration::seconds(30 * n)))
        .collect();
    insert_checks(&app.db, &rows).await;
    let incident = incident::Model {
        id: Uuid::now_v7(),
        service_id: service.id,
        workspace_id: owner.id,
        incident_type: IncidentType::Downtime,
        started_at: now,
        resolved_at: None,
        checks_failed: 2,
        cause: Some("answered 503".into()),
    };
    let event = incident_event::Model {
        id: Uuid::now_v7(),
        incident_id: incident.id,
        at: now,
        kind: "opened".into(),
        message: "it is down".into(),
    };
    let seen = incident_acknowledgement::Model {
        incident_id: incident.id,
        user_id: owner.id,
        at: now,
    };
    let note = incident_note::Model {
        id: Uuid::now_v7(),
        incident_id: incident.id,
        user_id: owner.id,
        at: now,
        text: "the disk is full".into(),
    };
    incident.into_active_model().insert(&app.db).await.unwrap();
    event.into_active_model().insert(&app.db).await.unwrap();
    seen.into_active_model().insert(&app.db).await.unwrap();
    note.into_active_model().insert(&app.db).await.unwrap();
    let sum = domain::rollup::Sum::default();
    let rollup = check_rollup::Model::of(service.seq, RollupPeriod::Day, now, &sum);
    rollup.into_active_model().insert(&app.db).await.unwrap();
    let component = service_component::Model {
        service_id: service.id,
        component_id: "api".into(),
        name: "API".into(),
        group_name: None,
        position: 0,
        missing: false,
    };
    component.into_active_model().insert(&app.db).await.unwrap();
    let feed = calendar_feed::Model {
        workspace_id: owner.id,
        secret_hash: owner.id.as_bytes().repeat(2),
        created_at: now,
        last_read_at: None,
    };
    feed.into_active_model().insert(&app.db).await.unwrap();
    app.live
        .schedule(&[(service.id, now + Duration::hours(1))])
        .await
        .unwrap();
    let current = CurrentStatus {
        status: domain::Status::Down,
        since: now,
        checked_at: now,
        response_time_ms: None,
        status_code: Some(503),
        message: None,
    };
    app.live
        .cache_statuses(&[CachedStatus {
            service_id: service.id,
            slot: now,
            current,
        }])
        .await
        .unwrap();
    service
}

async fn owner_of(app: &App) -> user::Model {
    let identity = identity::Entity::find()
        .one(&app.db)
        .await
        .unwrap()
        .unwrap();
    user::Entity::find_by_id(identity.user_id)
        .one(&app.db)
        .await
        .unwrap()
        .unwrap()
}

on_each_database! {
    async fn somebody_sees_where_they_are_signed_in_and_ends_it_there(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let (laptop, phone, desk) = (app.signed_in().await, app.signed_in().await, app.signed_in().await);
        let mut on_phone = opened_by(&app, &phone).await;
        let mut on_laptop = opened_by(&app, &laptop).await;
        let listed = sessions(&laptop).await;
        assert_eq!(listed.len(), 3);
        assert_eq!(listed.iter().filter(|session| session["current"] == true).count(), 1);
        let own = |listed: &[Value]| listed.iter().find(|session| session["current"] == true).unwrap().clone();
        let on_the_phone = own(&sessions(&phone).await);

        let end = |id: &str| format!("mutation {{ endSession(id: \"{id}\") }}");
        let ended = laptop.graphql(&end(id(&on_the_phone))).await;
        assert_eq!(ended["data"]["endSession"], on_the_phone["id"]);
        assert!(!phone.is_signed_in().await, "at once");
        assert_eq!(on_phone.receive().await, json!({ "closed": 4401, "reason": "The session has ended" }));
        assert_eq!(code(&laptop.graphql(&end(id(&on_the_phone))).await), "NOT_FOUND", "it is over");

        assert_eq!(laptop.graphql("mutation { endOtherSessions }").await["data"]["endOtherSessions"], 1);
        assert!(laptop.is_signed_in().await && !desk.is_signed_in().await);
        on_laptop.settle().await;
        assert_eq!(sessions(&laptop).await.len(), 1);
        assert_eq!(laptop.graphql("mutation { endOtherSessions }").await["data"]["endOtherSessions"], 0);
    }

    async fn an_account_goes_with_everything_and_everybody_in_it(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let (browser, other) = (app.signed_in().await, app.signed_in().await);
        let token = a_token(&browser).await;
        let owner = owner_of(&app).await;
        let somebody_else = a_user(&app.db).await;
        let kept = a_history(&app, &somebody_else, 3).await;
        let states_of_others = service_state::Entity::find().count(&app.db).await.unwrap();
        let lost = a_history(&app, &owner, 12_000).await;
        a_service(&app.db, &owner).create().await;
        let mut sockets = [opened_by(&app, &other).await, Socket::open(&app, TRANSPORT, &[]).await.unwrap()];
        sockets[1].init(json!({ "Authorization": format!("Bearer {token}") })).await;

        let delete = |email: &str| format!("mutation {{ deleteAccount(email: \"{email}\") }}");
        let mistaken = browser.graphql(&delete("somebody@else.test")).await;
        assert_eq!((code(&mistaken), &mistaken["errors"][0]["extensions"]["field"]), ("BAD_INPUT", &json!("email")));
        assert!(browser.is_signed_in().await);
        let deleted = browser.graphql(&delete(&owner.email)).await;
        assert_eq!(deleted["data"]["deleteAccount"], owner.id.to_string(), "{deleted}");

        assert!(!browser.is_signed_in().await && !other.is_signed_in().await);
        assert_eq!(by_token(&app, &token, "{ me { id } }").await["data"]["me"], Value::Null);
        for socket in &mut sockets {
            assert_eq!(socket.receive().await["closed"], 4401);
        }
        assert_eq!(browser.post("/api/auth/refresh").await.status(), StatusCode::UNAUTHORIZED);
        let users = user::Entity::find().all(&app.db).await.unwrap();
        assert_eq!(users, [somebody_else]);
        assert_eq!(app.live.queue_len().await.unwrap(), 1, "in the queue too");
        let latest = app.live.cached_statuses(&[lost.id, kept.id]).await.unwrap();
        assert_eq!(latest.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
        assert_eq!(service::Entity::find().all(&app.db).await.unwrap(), [kept]);
        assert_eq!(service_component::Entity::find().count(&app.db).await.unwrap(), 1);
        assert_eq!(service_state::Entity::find().count(&app.db).await.unwrap(), states_of_others);
        assert_eq!(calendar_feed::Entity::find().count(&app.db).await.unwrap(), 1);
        assert_eq!(check::Entity::find().count(&app.db).await.unwrap(), 3);
        assert_eq!(check_rollup::Entity::find().count(&app.db).await.unwrap(), 1);
        assert_eq!(incident::Entity::find().count(&app.db).await.unwrap(), 1);
        assert_eq!(incident_event::Entity::find().count(&app.db).await.unwrap(), 1);
        assert_eq!(incident_acknowledgement::Entity::find().count(&app.db).await.unwrap(), 1);
        assert_eq!(incident_note::Entity::find().count(&app.db).await.unwrap(), 1);
        for left in [
            session::Entity::find().count(&app.db).await.unwrap(),
            api_token::Entity::find().count(&app.db).await.unwrap(),
            identity::Entity::find().count(&app.db).await.unwrap(),
            account_removal::Entity::find().count(&app.db).await.unwrap(),
        ] {
            assert_eq!(left, 0);
        }
        let again = app.signed_in().await;
        assert_ne!(owner_of(&app).await.id, owner.id, "who comes back begins anew");
        assert!(again.is_signed_in().await);
    }

    async fn an_export_holds_everything_of_ones_own_and_nothing_else(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let browser = app.signed_in().await;
        let token = a_token(&browser).await;
        let (owner, somebody_else) = (owner_of(&app).await, a_user(&app.db).await);
        let service = a_history(&app, &owner, 5_001).await;
        a_service(&app.db, &owner).name("Second").create().await;
        a_history(&app, &somebody_else, 2).await;

        let answer = browser.http.get(app.url("/api/account/export")).header("sec-fetch-site", "same-origin");
        let answer = answer.send().await.unwrap();
        assert_eq!((answer.status(), &answer.headers()[CONTENT_TYPE]), (StatusCode::OK, &"application/json".parse().unwrap()));
        let name = answer.headers()[CONTENT_DISPOSITION].to_str().unwrap();
        assert!(name.starts_with("attachment; filename=\"pulsecheck-20") && name.ends_with(".json\""), "{name}");
        let text = answer.text().await.unwrap();
        let all: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(all["account"]["email"], owner.email);
        assert_eq!(all["account"]["identities"][0]["provider"], "local");
        assert_eq!(all["account"]["sessions"].as_array().unwrap().len(), 1);
        assert_eq!(all["account"]["apiTokens"][0]["name"], "x");
        let services = all["services"].as_array().unwrap();
        let names: Vec<_> = services.iter().map(|service| service["name"].clone()).collect();
        assert_eq!(names, ["Shop", "Second"]);
        let shop = &services[0];
        assert_eq!((&shop["id"], &shop["category"]), (&json!(service.id), &json!("Ours")));
        assert_eq!(shop["checks"].as_array().unwrap().len(), 5_001);
        assert_eq!(shop["checks"][0]["responseTimeMs"], 100);
        assert_eq!(shop["summaries"].as_array().unwrap().len(), 1);
        assert_eq!(all["complete"], true);
        let workspaces = all["workspaces"].as_array().unwrap();
        assert_eq!(workspaces.len(), 1);
        assert_eq!((&workspaces[0]["personal"], &workspaces[0]["role"]), (&json!(true), &json!("OWNER")));
        assert_eq!(workspaces[0]["calendarFeed"]["lastReadAt"], Value::Null);
        assert!(workspaces[0]["calendarFeed"]["createdAt"].is_string());
        assert_eq!(all["account"]["apiTokens"][0]["workspaceId"], workspaces[0]["id"]);
        assert_eq!(shop["workspaceId"], workspaces[0]["id"]);
        assert_eq!(shop["state"]["status"], "UNKNOWN", "as it was never checked");
        assert_eq!(shop["incidents"][0]["cause"], "answered 503");
        assert_eq!(shop["incidents"][0]["events"][0]["message"], "it is down");
        assert_eq!(shop["incidents"][0]["notes"][0]["text"], "the disk is full");
        assert_eq!(shop["incidents"][0]["acknowledgedAt"], shop["incidents"][0]["notes"][0]["at"]);
        assert_eq!(services[1]["checks"], json!([]));
        let secret = api_token::Entity::find().one(&app.db).await.unwrap().unwrap().token_hash;
        assert!(!text.contains(&token) && !text.contains(&hex::encode(secret)) && !text.contains("ash\""));

        let by_token = app.browser().http.get(app.url("/api/account/export")).header(AUTHORIZATION, format!("Bearer {token}"));
        assert_eq!(by_token.send().await.unwrap().json::<Value>().await.unwrap()["services"], all["services"]);
        let stranger = app.browser().get("/api/account/export").await;
        assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
        let lured = browser.http.get(app.url("/api/account/export")).header("sec-fetch-site", "cross-site").send();
        assert_eq!(lured.await.unwrap().status(), StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn an_account_is_over_at_once_though_the_one_who_deleted_it_has_gone_away() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let token = a_token(&browser).await;
    let owner = owner_of(&app).await;
    a_history(&app, &owner, 30_000).await;
    let deletion = format!("mutation {{ deleteAccount(email: \"{}\") }}", owner.email);
    let request = browser
        .http
        .post(app.url("/api/graphql"))
        .header("origin", &app.base);
    // The token is believed for five seconds from here, unless the process learns that it is over.
    assert!(by_token(&app, &token, "{ me { id } }").await["data"]["me"].is_object());
    let asking = tokio::spawn(request.json(&json!({ "query": deletion })).send());
    let deleted = async {
        while session::Entity::find().count(&app.db).await.unwrap() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), deleted)
        .await
        .expect("it is deleted");
    asking.abort();
    let over =
        async { while by_token(&app, &token, "{ me { id } }").await["data"]["me"].is_object() {} };
    tokio::time::timeout(std::time::Duration::from_secs(3), over)
        .await
        .expect("it stops working at once");
}

#[tokio::test]
async fn a_token_can_neither_sign_anybody_out_nor_delete_the_account() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let token = a_token(&browser).await;
    let own = sessions(&browser).await[0]["id"].clone();
    for mutation in [
        format!("endSession(id: {own})"),
        "endOtherSessions".into(),
        "deleteAccount(email: \"owner@localhost\")".into(),
    ] {
        let answer = by_token(&app, &token, &format!("mutation {{ {mutation} }}")).await;
        assert_eq!(code(&answer), "FORBIDDEN", "{mutation}");
    }
    assert!(browser.is_signed_in().await);
    let seen = by_token(&app, &token, "{ me { sessions { current } } }").await;
    assert_eq!(
        seen["data"]["me"]["sessions"],
        json!([{ "current": false }])
    );
}

#[tokio::test]
async fn what_a_process_left_of_a_deleted_account_is_removed_by_the_next() {
    let app = App::start().await;
    let gone = a_user(&app.db).await;
    a_history(&app, &gone, 10).await;
    let removal = account_removal::Model {
        user_id: gone.id,
        requested_at: Utc::now().trunc_subsecs(3),
    };
    removal.into_active_model().insert(&app.db).await.unwrap();
    let _next = App::on(app.database(), |_| {}).await;
    let removed = async {
        while user::Entity::find().count(&app.db).await.unwrap() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), removed)
        .await
        .expect("it is removed at start");
    assert_eq!(check::Entity::find().count(&app.db).await.unwrap(), 0);
}

#[tokio::test]
async fn a_user_has_a_hundred_sessions_at_most() {
    let app = App::with(|settings| settings.rates.sign_ins = std::num::NonZeroU32::MAX).await;
    let first = app.signed_in().await;
    for _ in 0..100 {
        app.signed_in().await;
    }
    assert_eq!(session::Entity::find().count(&app.db).await.unwrap(), 100);
    assert_eq!(
        first.post("/api/auth/refresh").await.status(),
        StatusCode::UNAUTHORIZED
    );
}
