//! Sessions: refreshing, replay, signing out, and access tokens that must not work.

use super::app::{App, Browser, SECRET, code, set_cookie};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use entity::session;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::StatusCode;
use reqwest::header::{COOKIE, ORIGIN};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::database::{self, TestDatabase};
use testkit::on_each_database;

const REFRESH: &str = "/api/auth/refresh";
const LOGOUT: &str = "/api/auth/logout";
/// Where browsers send the refresh cookie too.
const LOGOUT_BELOW: &str = "/api/auth/refresh/logout";

/// Refreshes with a given token and no other cookie.
async fn refresh_with(app: &App, token: &str) -> reqwest::Response {
    let request = app
        .browser()
        .http
        .post(app.url(REFRESH))
        .header(ORIGIN, &app.base);
    request
        .header(
            COOKIE,
            format!("{}={token}", app.named("pulsecheck_refresh")),
        )
        .send()
        .await
        .unwrap()
}

/// As if every session had been refreshed that much earlier.
async fn move_back(app: &App, column: session::Column, by: Duration) {
    let rows = session::Entity::find().all(&app.db).await.unwrap();
    for row in rows {
        let moved = match column {
            session::Column::RotatedAt => row.rotated_at - by,
            _ => row.expires_at - by,
        };
        let update = session::Entity::update_many().col_expr(column, Expr::value(moved));
        update
            .filter(session::Column::Id.eq(row.id))
            .exec(&app.db)
            .await
            .unwrap();
    }
}

fn refresh_token(browser: &Browser) -> String {
    browser.cookie(REFRESH, "pulsecheck_refresh")
}

on_each_database! {
    async fn every_refresh_gives_a_new_pair_of_tokens(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let browser = app.signed_in().await;
        let mut seen = vec![refresh_token(&browser)];
        for _ in 0..3 {
            let answer = browser.post(REFRESH).await;
            assert_eq!(answer.status(), StatusCode::OK);
            let (_, attributes) = set_cookie(answer.headers(), &app.named("pulsecheck_refresh")).unwrap();
            assert_eq!(attributes, ["HttpOnly", "Max-Age=604800", "Path=/api/auth/refresh", "SameSite=Lax"]);
            assert!(set_cookie(answer.headers(), &app.named("pulsecheck_access")).is_some());
            let until: DateTime<Utc> = answer.json::<Value>().await.unwrap()["expiresAt"].as_str().unwrap().parse().unwrap();
            let lifetime = until - Utc::now();
            assert!(lifetime > Duration::minutes(59) && lifetime <= Duration::minutes(60), "{lifetime}");
            let token = refresh_token(&browser);
            assert!(!seen.contains(&token));
            seen.push(token);
            assert!(browser.is_signed_in().await);
        }
        assert_eq!(session::Entity::find().count(&app.db).await.unwrap(), 1);
    }

    async fn a_replayed_token_ends_the_session_for_everybody(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let browser = app.signed_in().await;
        let stolen = refresh_token(&browser);
        assert_eq!(browser.post(REFRESH).await.status(), StatusCode::OK);
        move_back(&app, session::Column::RotatedAt, Duration::seconds(11)).await;

        let thief = refresh_with(&app, &stolen).await;
        assert_eq!(thief.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(set_cookie(thief.headers(), &app.named("pulsecheck_access")).unwrap().0, "");
        assert_eq!(code(&thief.json().await.unwrap()), "UNAUTHENTICATED");
        assert!(!browser.is_signed_in().await, "its access token stops working at once");
        assert_eq!(browser.post(REFRESH).await.status(), StatusCode::UNAUTHORIZED);
    }

    async fn a_token_older_than_the_previous_one_is_a_replay_at_any_time(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let browser = app.signed_in().await;
        let stolen = refresh_token(&browser);
        browser.post(REFRESH).await;
        browser.post(REFRESH).await;
        assert_eq!(refresh_with(&app, &stolen).await.status(), StatusCode::UNAUTHORIZED);
        assert!(!browser.is_signed_in().await);
    }

    async fn tabs_that_refresh_at_once_all_stay_signed_in(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let browser = app.signed_in().await;
        let token = refresh_token(&browser);
        let answers = futures::future::join_all((0..5).map(|_| refresh_with(&app, &token))).await;
        let mut next = Vec::new();
        for answer in &answers {
            assert_eq!(answer.status(), StatusCode::OK);
            assert!(set_cookie(answer.headers(), &app.named("pulsecheck_access")).is_some());
            next.extend(set_cookie(answer.headers(), &app.named("pulsecheck_refresh")));
        }
        assert!(next.len() == 5 && next.iter().all(|token| *token == next[0]), "all get the one next token: {next:?}");
        assert_eq!(refresh_with(&app, &next[0].0).await.status(), StatusCode::OK);
    }

    async fn who_lost_the_answer_to_a_refresh_gets_it_again_for_a_moment(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let browser = app.signed_in().await;
        let token = refresh_token(&browser);
        refresh_with(&app, &token).await;
        let again = refresh_with(&app, &token).await;
        let (next, _) = set_cookie(again.headers(), &app.named("pulsecheck_refresh")).expect("a usable token");
        move_back(&app, session::Column::RotatedAt, Duration::seconds(11)).await;
        assert_eq!(refresh_with(&app, &next).await.status(), StatusCode::OK, "it works later as well");
        assert!(browser.is_signed_in().await);
        // Once the next one has been used, the answer is not given again, however soon.
        assert_eq!(refresh_with(&app, &token).await.status(), StatusCode::UNAUTHORIZED);
        assert!(!browser.is_signed_in().await);
    }

    async fn what_was_never_issued_for_a_session_does_not_end_it(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let browser = app.signed_in().await;
        let issued = BASE64_URL_SAFE_NO_PAD.decode(refresh_token(&browser)).unwrap();
        for random in [[0; 32], [7; 32], [255; 32]] {
            let made_up = BASE64_URL_SAFE_NO_PAD.encode([&issued[..16], &random[..]].concat());
            assert_eq!(refresh_with(&app, &made_up).await.status(), StatusCode::UNAUTHORIZED);
            let out = app.browser().http.post(app.url(LOGOUT_BELOW)).header(ORIGIN, &app.base);
            let cookie = format!("{}={made_up}", app.named("pulsecheck_refresh"));
            assert_eq!(out.header(COOKIE, cookie).send().await.unwrap().status(), StatusCode::NO_CONTENT);
            assert!(browser.is_signed_in().await);
        }
        assert_eq!(browser.post(REFRESH).await.status(), StatusCode::OK);
        move_back(&app, session::Column::RotatedAt, Duration::seconds(11)).await;
        let old = BASE64_URL_SAFE_NO_PAD.encode(&issued);
        assert_eq!(refresh_with(&app, &old).await.status(), StatusCode::UNAUTHORIZED);
        assert!(!browser.is_signed_in().await, "one that was issued ends it");
    }

    async fn an_expired_session_cannot_be_refreshed(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let browser = app.signed_in().await;
        move_back(&app, session::Column::ExpiresAt, Duration::days(7)).await;
        assert_eq!(browser.post(REFRESH).await.status(), StatusCode::UNAUTHORIZED);
        assert!(!browser.is_signed_in().await);
    }

    async fn signing_out_ends_the_session_at_once(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let (browser, other) = (app.signed_in().await, app.signed_in().await);
        let (access, refresh) = (browser.cookie("/", "pulsecheck_access"), refresh_token(&browser));
        let answer = browser.post(LOGOUT).await;
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        for (name, path) in [("pulsecheck_access", "Path=/"), ("pulsecheck_refresh", "Path=/api/auth/refresh")] {
            let (value, attributes) = set_cookie(answer.headers(), &app.named(name)).unwrap();
            assert_eq!((value.as_str(), attributes.contains(&"Max-Age=0".to_owned())), ("", true));
            assert!(attributes.contains(&path.to_owned()));
        }
        // Copies that somebody kept.
        browser.set_cookie(&format!("{}={access}", app.named("pulsecheck_access")));
        assert!(!browser.is_signed_in().await);
        assert_eq!(refresh_with(&app, &refresh).await.status(), StatusCode::UNAUTHORIZED);
        assert!(other.is_signed_in().await, "other sessions go on");
    }
}

#[tokio::test]
async fn what_is_no_refresh_token_is_refused_and_ends_nothing() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let access = browser.cookie("/", "pulsecheck_access");
    let foreign = BASE64_URL_SAFE_NO_PAD.encode([7; 48]);
    for token in [
        "",
        "x",
        "////",
        access.as_str(),
        foreign.as_str(),
        &"A".repeat(100_000 / 4),
    ] {
        assert_eq!(
            refresh_with(&app, token).await.status(),
            StatusCode::UNAUTHORIZED,
            "{token}"
        );
    }
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn another_sites_page_can_neither_refresh_nor_sign_out() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    for path in [REFRESH, LOGOUT, LOGOUT_BELOW] {
        for origin in [Some("https://evil.example"), Some("null"), None] {
            let request = browser.http.post(app.url(path));
            let request = origin
                .into_iter()
                .fold(request, |request, origin| request.header(ORIGIN, origin));
            let answer = request.send().await.unwrap();
            assert_eq!(
                (answer.status(), answer.headers().get("set-cookie")),
                (StatusCode::FORBIDDEN, None),
                "{origin:?}"
            );
        }
    }
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a_refresh_token_that_another_host_put_into_the_browser_does_not_count() {
    let app = App::start().await;
    let (mine, theirs) = (app.signed_in().await, app.signed_in().await);
    let name = app.named("pulsecheck_refresh");
    let ask = async |cookies: String| {
        let request = app
            .browser()
            .http
            .post(app.url(REFRESH))
            .header(ORIGIN, &app.base);
        let answer = request.header(COOKIE, cookies).send().await.unwrap();
        (answer.status(), answer.headers().contains_key("set-cookie"))
    };
    let access = |token: &str| format!("{}={token}", app.named("pulsecheck_access"));
    let (own, foreign) = (refresh_token(&mine), refresh_token(&theirs));
    let token = mine.cookie("/", "pulsecheck_access");
    let refused = (StatusCode::UNAUTHORIZED, false);
    assert_eq!(
        ask(format!("{}; {name}={foreign}", access(&token))).await,
        refused,
        "another session's"
    );
    let expired = altered(&mine, |_, claims| {
        claims["exp"] = json!(Utc::now().timestamp() - 3600);
    });
    assert_eq!(
        ask(format!("{}; {name}={foreign}", access(&expired))).await,
        refused,
        "though the access token expired"
    );
    for both in [[&foreign, &own], [&own, &foreign]] {
        let cookies = format!("{}; {name}={}; {name}={}", access(&token), both[0], both[1]);
        assert_eq!(
            ask(cookies).await,
            refused,
            "nobody can tell which is whose"
        );
    }
    assert!(
        mine.is_signed_in().await && theirs.is_signed_in().await,
        "no session ends by it"
    );
    assert_eq!(
        ask(format!("{}; {name}={own}", access(&expired))).await.0,
        StatusCode::OK
    );
    assert_eq!(
        ask(format!("{}; {name}={foreign}", access("x"))).await.0,
        StatusCode::OK,
        "what cannot be read says nothing"
    );
}

#[tokio::test]
async fn whoever_is_not_signed_in_can_sign_out_without_harm() {
    let app = App::start().await;
    assert_eq!(
        app.browser().post(LOGOUT).await.status(),
        StatusCode::NO_CONTENT
    );
}

/// The header of a token that the app issues, and its claims.
fn parts(token: &str) -> (Header, Value) {
    let payload = token.split('.').nth(1).unwrap();
    let claims = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    (jsonwebtoken::decode_header(token).unwrap(), claims)
}

/// The key that signs access tokens, as anybody who knows the secret can derive it.
fn signing_key(secret: &str) -> EncodingKey {
    use sha2::{Digest as _, Sha256};
    let key = Sha256::new_with_prefix("pulsecheck access token key\0")
        .chain_update(secret)
        .finalize();
    EncodingKey::from_secret(&key)
}

/// A token like the browser's own but for `change`, signed with the right key.
fn altered(browser: &Browser, change: impl FnOnce(&mut Header, &mut Value)) -> String {
    let (mut header, mut claims) = parts(&browser.cookie("/", "pulsecheck_access"));
    change(&mut header, &mut claims);
    jsonwebtoken::encode(&header, &claims, &signing_key(SECRET)).unwrap()
}

async fn signs_in(app: &App, token: &str) -> bool {
    let browser = app.browser();
    browser.set_cookie(&format!("{}={token}", app.named("pulsecheck_access")));
    browser.is_signed_in().await
}

#[tokio::test]
async fn an_access_token_holds_what_it_should_and_no_more() {
    let app = App::start().await;
    let (header, claims) = parts(&app.signed_in().await.cookie("/", "pulsecheck_access"));
    assert_eq!(header.alg, Algorithm::HS256);
    assert_eq!(
        (claims["iss"].as_str().unwrap(), &claims["aud"]),
        (app.base.as_str(), &json!("pulsecheck"))
    );
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        3600
    );
    let mut names: Vec<_> = claims.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["aud", "exp", "iat", "iss", "sid", "sub"]);
}

#[tokio::test]
async fn tampered_tokens_sign_nobody_in() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let own = browser.cookie("/", "pulsecheck_access");
    assert!(
        signs_in(&app, &altered(&browser, |_, _| {})).await,
        "the test's own key is the right one"
    );
    let (header, claims) = parts(&own);
    let (head, signature) = own.rsplit_once('.').unwrap();
    let none =
        BASE64_URL_SAFE_NO_PAD.encode(json!({ "alg": "none", "kid": header.kid }).to_string());
    let payload = head.split_once('.').unwrap().1;
    let foreign_key = signing_key("fedcba9876543210fedcba9876543210");
    for (what, token) in [
        ("alg none", format!("{none}.{payload}.")),
        (
            "alg none, signature kept",
            format!("{none}.{payload}.{signature}"),
        ),
        ("no signature", format!("{head}.")),
        (
            "another key",
            jsonwebtoken::encode(&header, &claims, &foreign_key).unwrap(),
        ),
        (
            "another algorithm",
            altered(&browser, |header, _| header.alg = Algorithm::HS384),
        ),
        (
            "another audience",
            altered(&browser, |_, claims| claims["aud"] = json!("other")),
        ),
        (
            "another issuer",
            altered(&browser, |_, claims| {
                claims["iss"] = json!("https://evil.example");
            }),
        ),
        (
            "expired",
            altered(&browser, |_, claims| {
                claims["exp"] = json!(Utc::now().timestamp());
            }),
        ),
        (
            "no expiry",
            altered(&browser, |_, claims| {
                drop(claims.as_object_mut().unwrap().remove("exp"));
            }),
        ),
        (
            "another user",
            altered(&browser, |_, claims| {
                claims["sub"] = json!(uuid::Uuid::now_v7());
            }),
        ),
        (
            "another session",
            altered(&browser, |_, claims| {
                claims["sid"] = json!(uuid::Uuid::now_v7());
            }),
        ),
        ("a refresh token", refresh_token(&browser)),
    ] {
        assert!(!signs_in(&app, &token).await, "{what}");
    }
}

#[tokio::test]
async fn signing_out_works_with_an_expired_access_token() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let refresh = refresh_token(&browser);
    let expired = altered(&browser, |_, claims| {
        claims["exp"] = json!(Utc::now().timestamp() - 3600);
    });
    browser.set_cookie(&format!("{}={expired}", app.named("pulsecheck_access")));
    assert!(!browser.is_signed_in().await);
    assert_eq!(browser.post(LOGOUT).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        refresh_with(&app, &refresh).await.status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn signing_out_works_by_the_refresh_token_when_the_access_token_cannot_be_read() {
    let app = App::start().await;
    for old in [false, true] {
        let browser = app.signed_in().await;
        let access = browser.cookie("/", "pulsecheck_access");
        let first = refresh_token(&browser);
        if old {
            assert_eq!(refresh_with(&app, &first).await.status(), StatusCode::OK);
        }
        browser.set_cookie(&format!("{}=unreadable", app.named("pulsecheck_access")));
        assert_eq!(
            browser.post(LOGOUT_BELOW).await.status(),
            StatusCode::NO_CONTENT
        );
        assert!(
            !signs_in(&app, &access).await,
            "an older refresh token: {old}"
        );
        assert_eq!(session::Entity::find().count(&app.db).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn after_the_key_was_changed_sessions_go_on_while_the_old_one_is_accepted() {
    let database = Arc::new(database::sqlite().await);
    let new = "fedcba9876543210fedcba9876543210";
    let public_url = || "http://localhost:8080".parse().unwrap();
    let before = App::on(Arc::clone(&database), |settings| {
        settings.public_url = public_url();
    })
    .await;
    let before = before.signed_in().await;
    let (token, refresh) = (
        before.cookie("/", "pulsecheck_access"),
        refresh_token(&before),
    );
    let rotated = App::on(Arc::clone(&database), |settings| {
        settings.public_url = public_url();
        settings.secret_key = new.into();
        settings.previous_secret_key = Some(SECRET.into());
    })
    .await;
    assert!(signs_in(&rotated, &token).await);
    let later = rotated.signed_in().await.cookie("/", "pulsecheck_access");
    let key_id = |token: &str| parts(token).0.kid.unwrap();
    assert_ne!(
        key_id(&later),
        key_id(&token),
        "who signs in now gets a token by the new key"
    );
    let refreshed = refresh_with(&rotated, &refresh).await;
    let (renewed, _) =
        set_cookie(refreshed.headers(), &rotated.named("pulsecheck_access")).unwrap();
    assert_eq!(
        key_id(&renewed),
        key_id(&later),
        "and who refreshes as well"
    );
    let long_after = App::on(database, |settings| {
        settings.public_url = public_url();
        settings.secret_key = new.into();
    })
    .await;
    assert!(!signs_in(&long_after, &token).await);
    assert!(signs_in(&long_after, &later).await && signs_in(&long_after, &renewed).await);
}
