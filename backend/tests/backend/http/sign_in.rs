//! Signing in by a one-time link.

use super::app::{App, set_cookie};
use chrono::Duration;
use entity::{login_link, session, user};
use reqwest::StatusCode;
use sea_orm::{EntityTrait, PaginatorTrait};
use std::sync::Arc;
use testkit::database::TestDatabase;
use testkit::on_each_database;

/// Where a link that does not work leads to; asserts that it signs nobody in.
async fn refused(app: &App, link: &str) -> String {
    let answer = app.browser().http.get(link).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers().get("set-cookie"), None);
    let location = app
        .url(answer.headers()["location"].to_str().unwrap())
        .parse::<url::Url>()
        .unwrap();
    assert_eq!(location.path(), "/sign-in");
    location
        .query_pairs()
        .find(|(name, _)| name == "error")
        .unwrap()
        .1
        .into_owned()
}

on_each_database! {
    async fn a_link_signs_in_once_and_never_again(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let link = app.link().await;
        let browser = app.browser();
        let answer = browser.http.get(&link).send().await.unwrap();
        assert_eq!((answer.status(), &answer.headers()["location"]), (StatusCode::SEE_OTHER, &"/".parse().unwrap()));
        assert!(browser.is_signed_in().await);
        assert_eq!(refused(&app, &link).await, "link_used");
        assert!(browser.is_signed_in().await, "the first one is left alone");
        assert_eq!(session::Entity::find().count(&app.db).await.unwrap(), 1);
    }

    async fn of_many_who_open_a_link_at_once_one_is_signed_in(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let link = app.link().await;
        let answers = futures::future::join_all((0..10).map(|_| app.browser().http.get(&link).send())).await;
        let signed_in = answers.into_iter().filter(|answer| answer.as_ref().unwrap().headers()["location"] == "/");
        assert_eq!(signed_in.count(), 1);
        assert_eq!(session::Entity::find().count(&app.db).await.unwrap(), 1);
    }

    async fn links_opened_for_the_first_time_at_once_lead_to_one_user(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let mut links = Vec::new();
        for _ in 0..6 {
            links.push(app.link().await);
        }
        let answers = futures::future::join_all(links.iter().map(|link| app.browser().http.get(link).send())).await;
        for answer in answers {
            assert_eq!(answer.unwrap().headers()["location"], "/");
        }
        assert_eq!(user::Entity::find().count(&app.db).await.unwrap(), 1);
        assert_eq!(session::Entity::find().count(&app.db).await.unwrap(), 6);
    }

    async fn an_expired_link_signs_nobody_in_and_is_gone(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        refused(&app, &app.link_for(Duration::zero()).await).await;
        assert_eq!(session::Entity::find().count(&app.db).await.unwrap(), 0);
        assert_eq!(login_link::Entity::find().count(&app.db).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn nothing_that_is_no_link_signs_anybody_in() {
    let app = App::start().await;
    app.link().await;
    for query in [
        "",
        "?token=",
        "?token=x",
        "?token=%00",
        "?token[]=1",
        "?token=a&token=b",
    ] {
        refused(&app, &app.url(&format!("/api/auth/local{query}"))).await;
    }
    let almost = format!("{}A", &app.link().await);
    refused(&app, &almost).await;
    refused(
        &app,
        &format!("/api/auth/local?token={}", "A".repeat(10_000)).replacen('/', &app.url("/"), 1),
    )
    .await;
}

#[tokio::test]
async fn looking_at_a_link_without_opening_it_does_not_use_it_up() {
    let app = App::start().await;
    let link = app.link().await;
    let browser = app.browser();
    assert_eq!(
        browser.http.head(&link).send().await.unwrap().status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
    let guess = browser
        .http
        .get(&link)
        .header("sec-purpose", "prefetch;prerender")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (guess.status(), guess.headers().get("set-cookie")),
        (StatusCode::SERVICE_UNAVAILABLE, None)
    );
    assert_eq!(
        browser.http.get(&link).send().await.unwrap().headers()["location"],
        "/"
    );
}

#[tokio::test]
async fn where_links_are_switched_off_none_works() {
    let app = App::with(|settings| settings.local_login = false).await;
    assert_eq!(refused(&app, &app.link().await).await, "links_off");
}

#[tokio::test]
async fn cookies_are_out_of_reach_for_scripts_and_other_sites() {
    let app = App::start().await;
    let answer = app
        .browser()
        .http
        .get(app.link().await)
        .send()
        .await
        .unwrap();
    let attributes = |name: &str| set_cookie(answer.headers(), name).unwrap().1;
    assert_eq!(
        attributes(&app.named("pulsecheck_access")),
        ["HttpOnly", "Max-Age=604800", "Path=/", "SameSite=Lax"]
    );
    let refresh = [
        "HttpOnly",
        "Max-Age=604800",
        "Path=/api/auth/refresh",
        "SameSite=Lax",
    ];
    assert_eq!(attributes(&app.named("pulsecheck_refresh")), refresh);
    assert_eq!(answer.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn behind_https_cookies_are_secure_and_bound_to_the_host() {
    let app =
        App::with(|settings| settings.public_url = "https://pulse.example.com".parse().unwrap())
            .await;
    let answer = app
        .browser()
        .http
        .get(app.link().await)
        .send()
        .await
        .unwrap();
    let attributes = |name: &str| set_cookie(answer.headers(), name).unwrap().1;
    let access = [
        "HttpOnly",
        "Max-Age=604800",
        "Path=/",
        "SameSite=Lax",
        "Secure",
    ];
    assert_eq!(attributes("__Host-pulsecheck_access"), access);
    let refresh = [
        "HttpOnly",
        "Max-Age=604800",
        "Path=/api/auth/refresh",
        "SameSite=Lax",
        "Secure",
    ];
    assert_eq!(attributes("__Secure-pulsecheck_refresh"), refresh);
    assert_eq!(
        answer.headers()["strict-transport-security"],
        "max-age=31536000"
    );
}

#[tokio::test]
async fn two_servers_on_one_host_do_not_sign_each_other_out() {
    let (one, two) = (App::start().await, App::start().await);
    let browser = one.signed_in().await;
    // Cookies know no ports: they are sent to both.
    let answer = browser.http.get(two.link().await).send().await.unwrap();
    assert!(set_cookie(answer.headers(), &two.named("pulsecheck_access")).is_some());
    assert!(browser.is_signed_in().await);
    assert_eq!(
        browser.post("/api/auth/refresh").await.status(),
        StatusCode::OK
    );
}
