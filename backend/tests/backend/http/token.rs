//! API tokens of programs.

use super::app::{App, Browser};
use super::websocket::{Socket, TRANSPORT};
use chrono::{DateTime, Duration, SubsecRound as _, Utc};
use entity::{api_token, session};
use reqwest::header::{AUTHORIZATION, COOKIE};
use sea_orm::{ActiveModelTrait, EntityTrait, Set};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use testkit::database::TestDatabase;
use testkit::{builders, on_each_database};
use uuid::Uuid;

const TOKEN: &str = "pck_dGhpcyBpcyBhIHRva2VuIGZvciB0ZXN0cyBvbmx5ISE";

async fn a_token(app: &App, expires_at: Option<DateTime<Utc>>) -> Uuid {
    let user = builders::a_user(&app.db).await;
    let row = api_token::ActiveModel {
        id: Set(Uuid::now_v7()),
        workspace_id: Set(user.id),
        user_id: Set(user.id),
        name: Set("script".into()),
        token_hash: Set(Sha256::digest(TOKEN).to_vec()),
        read_only: Set(false),
        created_at: Set(user.created_at),
        last_used_at: Set(None),
        expires_at: Set(expires_at),
    };
    row.insert(&app.db).await.unwrap().id
}

/// Whether the API knows who sends this `Authorization`.
async fn known(app: &App, authorization: &str) -> bool {
    let request = app
        .browser()
        .http
        .post(app.url("/api/graphql"))
        .header(AUTHORIZATION, authorization);
    let answer: Value = request
        .json(&json!({ "query": "{ me { id } }" }))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(answer.get("errors"), None, "{answer}");
    !answer["data"]["me"].is_null()
}

async fn last_used(app: &App, id: Uuid) -> Option<DateTime<Utc>> {
    api_token::Entity::find_by_id(id)
        .one(&app.db)
        .await
        .unwrap()
        .unwrap()
        .last_used_at
}

/// The first use that is written down.
async fn used_after(app: &App, id: Uuid, earlier: Option<DateTime<Utc>>) -> DateTime<Utc> {
    let noted = async {
        loop {
            if let Some(used) = last_used(app, id)
                .await
                .filter(|used| Some(*used) != earlier)
            {
                return used;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), noted)
        .await
        .expect("the use is noted")
}

on_each_database! {
    async fn a_token_works_without_origin_or_cookie_and_its_use_is_noted(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let before = Utc::now().trunc_subsecs(3);
        let id = a_token(&app, None).await;
        assert!(known(&app, &format!("Bearer {TOKEN}")).await);
        assert!(known(&app, &format!("bearer  {TOKEN} ")).await);
        assert!(used_after(&app, id, None).await >= before);
    }
}

#[tokio::test]
async fn the_use_of_a_token_is_noted_once_a_minute_at_most() {
    let app = App::start().await;
    let id = a_token(&app, None).await;
    let (fresh, stale) = (
        Utc::now().trunc_subsecs(3),
        Utc::now().trunc_subsecs(3) - Duration::seconds(61),
    );
    for (earlier, noted_again) in [(fresh, false), (stale, true)] {
        let row = api_token::ActiveModel {
            id: Set(id),
            last_used_at: Set(Some(earlier)),
            ..Default::default()
        };
        row.update(&app.db).await.unwrap();
        // Another process, which has not seen the token lately.
        let other = App::on(app.database(), |_| {}).await;
        assert!(known(&other, &format!("Bearer {TOKEN}")).await);
        if noted_again {
            assert!(used_after(&app, id, Some(earlier)).await > earlier);
        } else {
            assert_eq!(last_used(&app, id).await, Some(earlier));
        }
    }
}

#[tokio::test]
async fn what_is_no_token_that_works_makes_a_stranger_even_with_good_cookies() {
    let app = App::start().await;
    a_token(&app, None).await;
    let browser: Browser = app.signed_in().await;
    let cookies = browser.cookie_header("/");
    for authorization in [
        "Bearer pck_unknown",
        "Bearer ",
        "Bearer",
        TOKEN,
        &format!("Basic {TOKEN}"),
        &format!("Bearer {TOKEN}x"),
        &format!("Bearer {}", &TOKEN[4..]),
        &format!("Bearer {}", browser.cookie("/", "pulsecheck_access")),
        &format!("Bearer pck_{}", "A".repeat(20_000)),
    ] {
        let request = app
            .browser()
            .http
            .post(app.url("/api/graphql"))
            .header(AUTHORIZATION, authorization);
        let request = request
            .header(COOKIE, &cookies)
            .json(&json!({ "query": "{ me { id } }" }));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["data"], json!({ "me": null }), "{authorization}");
    }
    assert_eq!(session::Entity::find().all(&app.db).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_expired_token_does_not_work() {
    let app = App::start().await;
    a_token(&app, Some(Utc::now().trunc_subsecs(3))).await;
    assert!(!known(&app, &format!("Bearer {TOKEN}")).await);
}

#[tokio::test]
async fn a_token_that_was_made_over_the_api_works_until_it_is_revoked() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let made = browser
        .graphql(
            "mutation { createApiToken(input: { name: \"script\" }) { token apiToken { id } } }",
        )
        .await;
    let made = &made["data"]["createApiToken"];
    let authorization = format!("Bearer {}", made["token"].as_str().unwrap());
    assert!(known(&app, &authorization).await);
    let mut socket = Socket::open(&app, TRANSPORT, &[]).await.unwrap();
    socket.init(json!({ "Authorization": authorization })).await;
    let revoked = browser
        .graphql(&format!(
            "mutation {{ revokeApiToken(id: {}) }}",
            made["apiToken"]["id"]
        ))
        .await;
    assert_eq!(revoked["data"]["revokeApiToken"], made["apiToken"]["id"]);
    assert!(!known(&app, &authorization).await, "at once");
    assert_eq!(socket.receive().await["closed"], 4401);
}

#[tokio::test]
async fn a_token_revoked_elsewhere_stops_working_within_seconds() {
    // It asks as fast as it can.
    let app = App::with(|settings| settings.rates.operations = std::num::NonZeroU32::MAX).await;
    let id = a_token(&app, None).await;
    assert!(known(&app, &format!("Bearer {TOKEN}")).await);
    api_token::Entity::delete_by_id(id)
        .exec(&app.db)
        .await
        .unwrap();
    let refused = async { while known(&app, &format!("Bearer {TOKEN}")).await {} };
    tokio::time::timeout(std::time::Duration::from_secs(8), refused)
        .await
        .expect("refused after 5 s");
}
