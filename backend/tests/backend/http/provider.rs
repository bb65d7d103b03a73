//! Signing in by a provider: the way there and back, everything that can go wrong on it, and which account it leads to.

use super::app::{App, Browser, SECRET, set_cookie};
use super::standin::{self, CLIENT, CLIENT_SECRET, Provider};
use backend::Settings;
use backend::auth::provider::{self, GitHubSettings, OpenIdSettings};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::Utc;
use entity::{identity, session, user};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Response, StatusCode};
use sea_orm::{ActiveModelTrait, EntityTrait, PaginatorTrait, Set};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;
use testkit::database::{self, TestDatabase};
use testkit::on_each_database;

fn open_id(provider: &Provider) -> OpenIdSettings {
    OpenIdSettings {
        name: "Single sign-on".into(),
        issuer: provider.base.clone(),
        client_id: CLIENT.into(),
        client_secret: Some(CLIENT_SECRET.into()),
    }
}

/// One provider in all three roles.
pub(super) fn everywhere(provider: &Provider) -> provider::ProviderSettings {
    provider::ProviderSettings {
        google: Some(open_id(provider)),
        oidc: Some(open_id(provider)),
        github: Some(GitHubSettings {
            client_id: CLIENT.into(),
            client_secret: CLIENT_SECRET.into(),
            url: provider.base.parse().unwrap(),
            api_url: format!("{}/api", provider.base).parse().unwrap(),
        }),
    }
}

async fn with(provider: &Provider) -> App {
    on(database::sqlite().await, provider).await
}

async fn on(database: TestDatabase, provider: &Provider) -> App {
    App::on(Arc::new(database), |settings: &mut Settings| {
        settings.providers = everywhere(provider);
        // Some tests try again and again.
        settings.rates.sign_ins = std::num::NonZeroU32::MAX;
    })
    .await
}

pub(super) fn location(answer: &Response) -> String {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// Sends a browser to a provider; where it was sent.
pub(super) async fn depart(browser: &Browser, id: &str) -> String {
    location(
        &browser
            .get(&format!("/api/auth/{id}?return=/incidents"))
            .await,
    )
}

/// The way back, as the provider lets it go.
fn back(provider: &Provider, id: &str, address: &str) -> String {
    format!("/api/auth/{id}/callback?{}", provider.agree(address))
}

/// There and back.
pub(super) async fn sign_in(browser: &Browser, provider: &Provider, id: &str) -> Response {
    let address = depart(browser, id).await;
    browser.get(&back(provider, id, &address)).await
}

pub(super) async fn signed_in_as(app: &App, provider: &Provider, id: &str) -> Value {
    let browser = app.browser();
    let answer = sign_in(&browser, provider, id).await;
    assert_eq!(location(&answer), "/incidents");
    browser.graphql("{ me { id email name avatarUrl } }").await["data"]["me"].clone()
}

/// The code of a refusal, which touches no cookie.
#[track_caller]
pub(super) fn refusal(answer: &Response) -> String {
    let location = location(answer);
    assert_eq!(answer.headers().get("set-cookie"), None, "{location}");
    let query = location
        .strip_prefix("/sign-in?error=")
        .unwrap_or_else(|| panic!("{location}"));
    query.split('&').next().unwrap().to_owned()
}

async fn nobody_is_in(app: &App, what: &str) {
    assert_eq!(
        session::Entity::find().count(&app.db).await.unwrap(),
        0,
        "{what}"
    );
}

#[tokio::test]
async fn the_providers_that_are_set_up_are_offered_to_strangers_and_no_others() {
    let provider = Provider::start().await;
    let ask = "{ signInOptions { local providers { id name url } } me { id } }";
    let offered = with(&provider).await.browser().graphql(ask).await;
    let expected = json!({ "me": null, "signInOptions": { "local": true, "providers": [
        { "id": "google", "name": "Single sign-on", "url": "/api/auth/google" },
        { "id": "github", "name": "GitHub", "url": "/api/auth/github" },
        { "id": "oidc", "name": "Single sign-on", "url": "/api/auth/oidc" },
    ] } });
    assert_eq!(offered["data"], expected);
    let app = App::with(|settings| settings.local_login = false).await;
    let offered = app.browser().graphql(ask).await;
    assert_eq!(
        offered["data"]["signInOptions"],
        json!({ "local": false, "providers": [] })
    );
    for id in ["google", "github", "oidc"] {
        for path in [
            format!("/api/auth/{id}"),
            format!("/api/auth/{id}/callback?code=a&state=b"),
        ] {
            assert_eq!(
                refusal(&app.browser().get(&path).await),
                "unknown_provider",
                "{path}"
            );
        }
    }
    assert_eq!(
        app.browser().get("/api/auth/gitlab").await.status(),
        StatusCode::NOT_FOUND
    );
}

on_each_database! {
    async fn somebody_signs_in_by_openid_connect_and_is_sent_back_to_where_they_were(database: TestDatabase) {
        let provider = Provider::start().await;
        let app = on(database, &provider).await;
        let browser = app.browser();
        let answer = browser.get("/api/auth/google?return=/incidents%3Fstate%3DOPEN").await;
        let (_, attributes) = set_cookie(answer.headers(), &app.named("pulsecheck_sign_in")).unwrap();
        assert_eq!(attributes, ["HttpOnly", "Max-Age=3600", "Path=/api/auth", "SameSite=Lax"]);
        let address: url::Url = location(&answer).parse().unwrap();
        assert_eq!(address.as_str().split('?').next().unwrap(), format!("{}/authorize", provider.base));
        let asked = |name: &str| address.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        assert_eq!(asked("response_type").unwrap(), "code");
        assert_eq!(asked("code_challenge_method").unwrap(), "S256");
        assert_eq!(asked("scope").unwrap(), "openid email profile");
        assert_eq!(asked("redirect_uri").unwrap(), app.url("/api/auth/google/callback"));
        assert!(asked("state").unwrap().len() >= 43 && asked("nonce").unwrap().len() >= 43);

        let answer = browser.get(&back(&provider, "google", address.as_str())).await;
        assert_eq!(location(&answer), "/incidents?state=OPEN");
        let attributes = |name: &str| set_cookie(answer.headers(), &app.named(name)).unwrap().1;
        assert_eq!(attributes("pulsecheck_access"), ["HttpOnly", "Max-Age=604800", "Path=/", "SameSite=Lax"]);
        let refresh = ["HttpOnly", "Max-Age=604800", "Path=/api/auth/refresh", "SameSite=Lax"];
        assert_eq!(attributes("pulsecheck_refresh"), refresh);
        assert_eq!(set_cookie(answer.headers(), &app.named("pulsecheck_sign_in")).unwrap().0, "");
        let me = browser.graphql("{ me { email name identities { provider name email emailVerified } sessions { current } } }").await;
        assert_eq!(me["data"]["me"], json!({ "email": "ada@example.test", "name": "Ada Lovelace",
            "identities": [{ "provider": "google", "name": "Single sign-on", "email": "ada@example.test", "emailVerified": true }],
            "sessions": [{ "current": true }] }));
    }

    async fn somebody_signs_in_by_github_with_the_verified_primary_address(database: TestDatabase) {
        let provider = Provider::start().await;
        let app = on(database, &provider).await;
        let me = signed_in_as(&app, &provider, "github").await;
        assert_eq!((&me["email"], &me["name"]), (&json!("ada@example.test"), &json!("Ada L.")));
        assert_eq!(me["avatarUrl"], "https://avatars.githubusercontent.com/u/7?v=4");
        provider.script().github_user = json!({ "id": 7, "login": "ada", "name": null, "avatar_url": "http://evil.test/a.png" });
        let again = signed_in_as(&app, &provider, "github").await;
        assert_eq!((&again["id"], &again["name"]), (&me["id"], &json!("ada")), "the name is refreshed");
        assert_eq!(again["avatarUrl"], me["avatarUrl"], "a picture that cannot be shown is not kept");
        for emails in [
            json!([{ "email": "a@b.test", "primary": true, "verified": false }]),
            json!([{ "email": "a@b.test", "primary": false, "verified": true }]),
            json!([]),
        ] {
            provider.script().github_emails = emails;
            assert_eq!(refusal(&sign_in(&app.browser(), &provider, "github").await), "unverified_email");
        }
    }

    async fn another_provider_joins_an_account_when_both_addresses_are_verified_and_not_otherwise(database: TestDatabase) {
        let provider = Provider::start().await;
        let app = on(database, &provider).await;
        let claims = |sub: &str, email: &str, verified: bool| json!({ "sub": sub, "email": email, "email_verified": verified, "name": sub });
        let say = |value: Value| {
            let mut script = provider.script();
            script.userinfo = value.clone();
            script.claims = value;
        };
        say(claims("verified", "ada@example.test", true));
        let ada = signed_in_as(&app, &provider, "google").await;
        assert_eq!(signed_in_as(&app, &provider, "github").await["id"], ada["id"], "both are verified");
        say(claims("other", "ADA@example.test", true));
        let same = signed_in_as(&app, &provider, "oidc").await;
        assert_eq!((&same["id"], &same["name"]), (&ada["id"], &json!("other")), "however it is capitalised");

        say(claims("unverified", "ada@example.test", false));
        assert_eq!(refusal(&sign_in(&app.browser(), &provider, "oidc").await), "email_taken");
        say(claims("squatter", "bob@example.test", false));
        let squatter = signed_in_as(&app, &provider, "oidc").await;
        assert_ne!(squatter["id"], ada["id"]);
        say(claims("bob", "bob@example.test", true));
        assert_eq!(refusal(&sign_in(&app.browser(), &provider, "google").await), "email_taken");
        // Looks like a K to databases that fold letters.
        say(claims("kim", "kim@example.test", true));
        let kim = signed_in_as(&app, &provider, "google").await;
        say(claims("kelvin", "\u{212a}im@example.test", true));
        assert_ne!(signed_in_as(&app, &provider, "oidc").await["id"], kim["id"]);
        say(json!({ "sub": "nobody", "name": "Nobody" }));
        assert_eq!(refusal(&sign_in(&app.browser(), &provider, "google").await), "no_email");
        assert_eq!(user::Entity::find().count(&app.db).await.unwrap(), 4);
    }

    async fn an_address_that_a_provider_has_given_to_somebody_else_does_not_open_the_account(database: TestDatabase) {
        let provider = Provider::start().await;
        let app = on(database, &provider).await;
        let say = |sub: &str, email: &str| {
            let claims = json!({ "sub": sub, "email": email, "email_verified": true, "name": sub });
            let mut script = provider.script();
            script.userinfo = claims.clone();
            script.claims = claims;
        };
        say("ada", "ada@example.test");
        let ada = signed_in_as(&app, &provider, "google").await;
        say("heir", "ada@example.test");
        assert_eq!(refusal(&sign_in(&app.browser(), &provider, "google").await), "email_taken");
        assert_eq!(signed_in_as(&app, &provider, "oidc").await["id"], ada["id"], "another provider joins");
        // Her address at Google is a new one; the old one is still that of her other identity.
        say("ada", "lovelace@example.test");
        assert_eq!(signed_in_as(&app, &provider, "google").await["id"], ada["id"]);
        say("heir", "ada@example.test");
        assert_eq!(refusal(&sign_in(&app.browser(), &provider, "google").await), "email_taken");
        assert_eq!(identity::Entity::find().count(&app.db).await.unwrap(), 2);
    }

    async fn whoever_signs_in_for_the_first_time_in_several_tabs_gets_one_account(database: TestDatabase) {
        let provider = Provider::start().await;
        let app = on(database, &provider).await;
        let ids = ["google", "github", "oidc", "google", "github", "oidc"];
        let all = futures::future::join_all(ids.map(|id| signed_in_as(&app, &provider, id))).await;
        assert!(all.iter().all(|me| me["id"] == all[0]["id"]), "{all:?}");
        assert_eq!(user::Entity::find().count(&app.db).await.unwrap(), 1);
        assert_eq!(identity::Entity::find().count(&app.db).await.unwrap(), 3);
    }

    async fn of_many_who_bring_the_same_answer_at_once_one_is_signed_in(database: TestDatabase) {
        let provider = Provider::start().await;
        let app = on(database, &provider).await;
        let browser = app.browser();
        let way_back = back(&provider, "google", &depart(&browser, "google").await);
        let cookies = browser.cookie_header("/api/auth");
        let ask = || app.browser().http.get(app.url(&way_back)).header("cookie", &cookies).send();
        let answers = futures::future::join_all((0..8).map(|_| ask())).await;
        let codes: Vec<_> = answers.into_iter().map(|answer| location(&answer.unwrap())).collect();
        assert_eq!(codes.iter().filter(|to| *to == "/incidents").count(), 1, "{codes:?}");
        assert_eq!(codes.iter().filter(|to| *to == "/sign-in?error=used&provider=google").count(), 7, "{codes:?}");
        assert_eq!(session::Entity::find().count(&app.db).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn whatever_comes_back_otherwise_than_it_went_ends_on_the_sign_in_page_without_a_cookie() {
    let provider = Provider::start().await;
    let app = with(&provider).await;
    for id in ["google", "github"] {
        let browser = app.browser();
        let address = depart(&browser, id).await;
        let url: url::Url = address.parse().unwrap();
        let state = url
            .query_pairs()
            .find(|(name, _)| name == "state")
            .unwrap()
            .1
            .into_owned();
        let other = if id == "google" { "oidc" } else { "google" };
        for (what, path, expected) in [
            ("nothing", format!("/api/auth/{id}/callback"), "mismatch"),
            (
                "no state",
                format!("/api/auth/{id}/callback?code=x"),
                "mismatch",
            ),
            (
                "a forged state",
                format!("/api/auth/{id}/callback?code=x&state={}", "A".repeat(43)),
                "mismatch",
            ),
            (
                "another provider's",
                format!("/api/auth/{other}/callback?code=x&state={state}"),
                "mismatch",
            ),
            (
                "two states",
                format!("/api/auth/{id}/callback?code=x&state={state}&state={state}"),
                "mismatch",
            ),
        ] {
            assert_eq!(refusal(&browser.get(&path).await), expected, "{id}: {what}");
        }
        let way_back = back(&provider, id, &address);
        assert_eq!(
            refusal(&app.browser().get(&way_back).await),
            "browser",
            "{id}: another browser"
        );
        let stranger = app.browser();
        depart(&stranger, id).await;
        assert_eq!(
            refusal(&stranger.get(&way_back).await),
            "mismatch",
            "{id}: another browser on its own way"
        );
        for cookie in ["", "x", "a.b.c"] {
            let forger = app.browser();
            let name = browser.cookie_name("/api/auth", "pulsecheck_sign_in");
            forger.set_cookie(&format!("{name}={cookie}; Path=/api/auth"));
            assert_eq!(
                refusal(&forger.get(&way_back).await),
                "browser",
                "{id}: a forged cookie"
            );
        }
        nobody_is_in(&app, id).await;

        let cookies = browser.cookie_header("/api/auth");
        assert_eq!(
            location(&browser.get(&way_back).await),
            "/incidents",
            "{id}: and as it went"
        );
        assert_eq!(
            refusal(&browser.get(&way_back).await),
            "browser",
            "{id}: once more"
        );
        let replay = app
            .browser()
            .http
            .get(app.url(&way_back))
            .header("cookie", cookies)
            .send()
            .await
            .unwrap();
        assert_eq!(
            refusal(&replay),
            "used",
            "{id}: once more with a kept cookie"
        );
        session::Entity::delete_many().exec(&app.db).await.unwrap();

        let browser = app.browser();
        let address: url::Url = depart(&browser, id).await.parse().unwrap();
        let state = address
            .query_pairs()
            .find(|(name, _)| name == "state")
            .unwrap()
            .1
            .into_owned();
        let denied = format!(
            "/api/auth/{id}/callback?error=access_denied&error_description=no&state={state}"
        );
        assert_eq!(refusal(&browser.get(&denied).await), "denied", "{id}");
        assert_eq!(
            refusal(&browser.get(&denied).await),
            "used",
            "{id}: that was the answer"
        );
        let browser = app.browser();
        let way_back =
            back(&provider, id, &depart(&browser, id).await).replace("code=code-", "code=other-");
        assert_eq!(
            refusal(&browser.get(&way_back).await),
            "provider",
            "{id}: a code that nobody gave"
        );
        nobody_is_in(&app, id).await;
    }
    assert_eq!(user::Entity::find().count(&app.db).await.unwrap(), 1);
}

#[tokio::test]
async fn two_tabs_are_on_their_way_at_once_and_both_arrive() {
    let provider = Provider::start().await;
    let app = with(&provider).await;
    let browser = app.browser();
    let first = depart(&browser, "google").await;
    let second = depart(&browser, "github").await;
    assert_eq!(
        location(&browser.get(&back(&provider, "google", &first)).await),
        "/incidents"
    );
    assert_eq!(
        location(&browser.get(&back(&provider, "github", &second)).await),
        "/incidents"
    );
    for _ in 0..20 {
        depart(&browser, "google").await;
    }
    let cookies = browser.cookie_header("/api/auth");
    assert_eq!(
        cookies.matches("pulsecheck_sign_in").count(),
        5,
        "those that were given up are forgotten: {cookies}"
    );
}

#[tokio::test]
async fn who_comes_back_late_is_told_so() {
    let provider = Provider::start().await;
    let app = with(&provider).await;
    let browser = app.browser();
    let before = Utc::now().timestamp();
    let way_back = back(&provider, "google", &depart(&browser, "google").await);
    let after = Utc::now().timestamp();
    let name = browser.cookie_name("/api/auth", "pulsecheck_sign_in");
    let cookie = browser.cookie("/api/auth", "pulsecheck_sign_in");
    let mut parts = cookie
        .split('.')
        .map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap_or_default());
    let header: Header = serde_json::from_slice(&parts.next().unwrap()).unwrap();
    let mut flow: Value = serde_json::from_slice(&parts.next().unwrap()).unwrap();
    let end = flow["exp"].as_i64().unwrap();
    assert!(
        (before + 600..=after + 600).contains(&end),
        "it may take ten minutes: {before} {end} {after}"
    );
    flow["exp"] = json!(Utc::now().timestamp());
    let key = Sha256::new_with_prefix("pulsecheck sign-in key\0")
        .chain_update(SECRET)
        .finalize();
    let late = jsonwebtoken::encode(&header, &flow, &EncodingKey::from_secret(&key)).unwrap();
    browser.set_cookie(&format!("{name}={late}; Path=/api/auth"));
    assert_eq!(refusal(&browser.get(&way_back).await), "expired");
    nobody_is_in(&app, "late").await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_believed_signs_nobody_in() {
    let provider = Provider::start().await;
    let app = with(&provider).await;
    let clear = || {
        let mut script = provider.script();
        script.change = Arc::new(|_, _| {});
        (script.forge, script.token_answer) = (None, None);
        script.signing = 0;
        script.userinfo = json!({ "sub": "ada-1" });
    };
    let ago = |seconds: i64| json!(Utc::now().timestamp() - seconds);
    let set = |name: &'static str, value: Value| {
        provider.script().change = Arc::new(move |_, claims| claims[name] = value.clone());
    };
    let remove = |name: &'static str| {
        provider.script().change =
            Arc::new(move |_, claims| drop(claims.as_object_mut().unwrap().remove(name)));
    };
    let forge = |forge: fn(&Value) -> String| provider.script().forge = Some(forge);
    let unsigned = |claims: &Value| {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(&json!({ "alg": "none" })), part(claims))
    };
    let by_client_secret = |claims: &Value| {
        let key = EncodingKey::from_secret(CLIENT_SECRET.as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
    };
    let cases: [(&str, &dyn Fn()); 22] = [
        ("another nonce", &|| set("nonce", json!("x"))),
        ("no nonce", &|| remove("nonce")),
        ("another audience", &|| set("aud", json!("other"))),
        ("one audience too many", &|| {
            set("aud", json!([CLIENT, "other"]));
        }),
        ("no audience", &|| remove("aud")),
        ("another issuer", &|| {
            set("iss", json!("https://evil.example"));
        }),
        ("no issuer", &|| remove("iss")),
        ("expired", &|| set("exp", ago(121))),
        ("no expiry", &|| remove("exp")),
        ("made in the future", &|| set("iat", ago(-180))),
        ("made long ago", &|| set("iat", ago(3600))),
        ("no subject", &|| remove("sub")),
        ("another access token", &|| {
            set("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ"));
        }),
        ("a key that is not published", &|| {
            provider.script().signing = 1;
        }),
        ("a key under another's name", &|| {
            provider.script().signing = 1;
            provider.script().change = Arc::new(|header, _| header.kid = Some("0".into()));
        }),
        ("unsigned", &|| forge(unsigned)),
        ("signed with the client's own secret", &|| {
            forge(by_client_secret);
        }),
        ("somebody else at the userinfo endpoint", &|| {
            provider
                .script()
                .claims
                .as_object_mut()
                .unwrap()
                .remove("name");
            provider.script().userinfo = json!({ "sub": "eve" });
        }),
        ("a redirect", &|| {
            provider.script().token_answer = Some(standin::elsewhere);
        }),
        ("far too much", &|| {
            provider.script().token_answer = Some(standin::endless);
        }),
        ("nonsense", &|| {
            provider.script().token_answer = Some(standin::nonsense);
        }),
        ("no ID token", &|| {
            provider.script().token_answer = Some(standin::no_id_token);
        }),
    ];
    for (what, prepare) in cases {
        prepare();
        assert_eq!(
            refusal(&sign_in(&app.browser(), &provider, "google").await),
            "provider",
            "{what}"
        );
        nobody_is_in(&app, what).await;
        clear();
    }
    let other_issuer = async {
        let browser = app.browser();
        let way_back = back(&provider, "google", &depart(&browser, "google").await);
        browser
            .get(&format!("{way_back}&iss=https%3A%2F%2Fevil.example"))
            .await
    };
    assert_eq!(refusal(&other_issuer.await), "mismatch");
    assert_eq!(user::Entity::find().count(&app.db).await.unwrap(), 0);

    provider.script().claims["name"] = json!("Ada");
    set("exp", ago(60));
    assert_eq!(
        location(&sign_in(&app.browser(), &provider, "google").await),
        "/incidents",
        "clocks may differ a little"
    );
    clear();
    set("aud", json!([CLIENT]));
    assert_eq!(
        location(&sign_in(&app.browser(), &provider, "google").await),
        "/incidents",
        "a list of one"
    );
}

#[tokio::test]
async fn an_id_token_that_says_little_is_completed_by_the_userinfo_endpoint() {
    let provider = Provider::start().await;
    let app = with(&provider).await;
    provider.script().claims = json!({ "sub": "ada-1" });
    provider.script().userinfo = json!({ "sub": "ada-1", "email": "ada@example.test", "email_verified": "true",
        "preferred_username": "ada", "picture": "https://lh3.googleusercontent.com/a/x" });
    let me = signed_in_as(&app, &provider, "oidc").await;
    assert_eq!(
        (&me["email"], &me["name"]),
        (&json!("ada@example.test"), &json!("ada"))
    );
    assert_eq!(me["avatarUrl"], "https://lh3.googleusercontent.com/a/x");
    let known = identity::Entity::find()
        .one(&app.db)
        .await
        .unwrap()
        .unwrap();
    assert!(known.email_verified);
    assert_eq!(
        known.subject,
        format!("{} ada-1", provider.base),
        "subjects are unique within their issuer"
    );
}

#[tokio::test]
async fn a_provider_that_is_away_is_only_missed_until_it_is_back() {
    let provider = Provider::start().await;
    provider.script().away = true;
    let app = with(&provider).await;
    assert_eq!(
        app.browser().get("/api/ready").await.status(),
        StatusCode::OK
    );
    for _ in 0..5 {
        assert_eq!(
            refusal(&app.browser().get("/api/auth/google").await),
            "provider"
        );
    }
    assert_eq!(
        provider.script().discoveries,
        1,
        "it is left in peace for some seconds"
    );
    provider.script().away = false;
    let back = async {
        while !location(&app.browser().get("/api/auth/google").await).starts_with("http") {}
    };
    tokio::time::timeout(Duration::from_secs(30), back)
        .await
        .expect("it is tried again");
    let before = provider.script().discoveries;
    signed_in_as(&app, &provider, "google").await;
    assert_eq!(
        provider.script().discoveries,
        before,
        "and what it says is kept"
    );
    provider.script().away = true;
    signed_in_as(&app, &provider, "google").await;
}

#[tokio::test]
async fn a_provider_may_exchange_its_key() {
    let provider = Provider::start().await;
    let app = with(&provider).await;
    signed_in_as(&app, &provider, "google").await;
    (provider.script().published, provider.script().signing) = (1, 1);
    let accepted = async {
        while location(&sign_in(&app.browser(), &provider, "google").await) != "/incidents" {}
    };
    tokio::time::timeout(Duration::from_secs(30), accepted)
        .await
        .expect("the new key is read within seconds");
}

#[tokio::test]
async fn a_sign_in_leads_to_no_other_server() {
    let provider = Provider::start().await;
    let app = with(&provider).await;
    for (wanted, expected) in [
        ("/services/new?url=a", "/services/new?url=a"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/%2Fevil.example", "/"),
        ("/%5Cevil.example", "/"),
        ("https://evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/api/auth/logout", "/"),
    ] {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("return", wanted)
            .finish();
        let browser = app.browser();
        let address = location(&browser.get(&format!("/api/auth/google?{query}")).await);
        let answer = browser.get(&back(&provider, "google", &address)).await;
        assert_eq!(location(&answer), expected, "{wanted}");
    }
}

#[tokio::test]
async fn a_browser_that_signs_in_again_has_one_session() {
    let provider = Provider::start().await;
    let app = with(&provider).await;
    let browser = app.signed_in().await;
    assert_eq!(
        location(&sign_in(&browser, &provider, "google").await),
        "/incidents"
    );
    let me = browser.graphql("{ me { email } }").await;
    assert_eq!(me["data"]["me"]["email"], "ada@example.test");
    assert_eq!(
        session::Entity::find().count(&app.db).await.unwrap(),
        1,
        "the one before has ended"
    );
    assert_eq!(
        location(&sign_in(&browser, &provider, "google").await),
        "/incidents"
    );
    assert_eq!(session::Entity::find().count(&app.db).await.unwrap(), 1);
}

#[tokio::test]
async fn under_another_name_of_this_machine_a_sign_in_begins_at_the_public_one() {
    let provider = Provider::start().await;
    let app = with(&provider).await;
    let host = format!("localhost:{}", app.port);
    let ask = |path: &str| {
        app.browser()
            .http
            .get(app.url(path))
            .header("host", &host)
            .send()
    };
    let answer = ask("/api/auth/google?return=/incidents").await.unwrap();
    assert_eq!(
        location(&answer),
        app.url("/api/auth/google?return=%2Fincidents&here=1")
    );
    assert_eq!(answer.headers().get("set-cookie"), None);
    let there = ask("/api/auth/google?return=%2Fincidents&here=1")
        .await
        .unwrap();
    assert!(
        location(&there).starts_with(&provider.base),
        "a proxy that calls this server so is not sent in a circle"
    );
}

#[tokio::test]
async fn behind_https_the_cookie_of_a_sign_in_is_secure() {
    let provider = Provider::start().await;
    let app = App::with(|settings| {
        settings.providers = everywhere(&provider);
        settings.public_url = "https://pulse.example.com".parse().unwrap();
    })
    .await;
    let ask = app
        .browser()
        .http
        .get(app.url("/api/auth/google"))
        .header("host", "pulse.example.com");
    let answer = ask.send().await.unwrap();
    let (_, attributes) = set_cookie(answer.headers(), "__Host-pulsecheck_sign_in").unwrap();
    assert_eq!(
        attributes,
        [
            "HttpOnly",
            "Max-Age=3600",
            "Path=/",
            "SameSite=Lax",
            "Secure"
        ]
    );
}

#[tokio::test]
async fn a_provider_that_was_known_by_another_address_keeps_the_account() {
    let provider = Provider::start().await;
    let app = with(&provider).await;
    let me = signed_in_as(&app, &provider, "google").await;
    provider.script().claims["email"] = json!("ada@new.example.test");
    let moved = signed_in_as(&app, &provider, "google").await;
    assert_eq!(
        (&moved["id"], &moved["email"]),
        (&me["id"], &json!("ada@new.example.test"))
    );
    provider.script().claims["email_verified"] = json!(false);
    provider.script().claims["email"] = json!("victim@example.test");
    let claimed = signed_in_as(&app, &provider, "google").await;
    assert_eq!(
        claimed["email"], "ada@new.example.test",
        "nobody vouches for the other one"
    );
    // What was unverified once does not open the account to whoever has that address.
    let row = identity::Entity::find()
        .one(&app.db)
        .await
        .unwrap()
        .unwrap();
    assert!(!row.email_verified);
    let victim = json!({ "sub": "victim", "email": "victim@example.test", "email_verified": true });
    (provider.script().claims, provider.script().userinfo) = (victim.clone(), victim);
    assert_eq!(
        refusal(&sign_in(&app.browser(), &provider, "oidc").await),
        "email_taken"
    );
    let corrected = identity::ActiveModel {
        email_verified: Set(true),
        ..row.into()
    };
    corrected.update(&app.db).await.unwrap();
    assert_eq!(signed_in_as(&app, &provider, "oidc").await["id"], me["id"]);
}
