//! Who may create an account by signing in with a provider.

use super::app::App;
use super::provider::{depart, everywhere, refusal, sign_in, signed_in_as};
use super::standin::Provider;
use backend::auth::sign_up::{allow, disallow};
use chrono::Utc;
use entity::user;
use sea_orm::{EntityTrait as _, PaginatorTrait as _};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use testkit::database::TestDatabase;
use testkit::on_each_database;

/// A server on `database` where `setting` says who may sign up.
async fn app(database: &Arc<TestDatabase>, provider: &Provider, setting: &str) -> App {
    App::on(Arc::clone(database), |settings| {
        settings.providers = everywhere(provider);
        settings.sign_up = setting.parse().unwrap();
        settings.rates.sign_ins = std::num::NonZeroU32::MAX;
    })
    .await
}

fn arrives_as(provider: &Provider, subject: &str, email: &str, verified: bool) {
    provider.script().claims =
        json!({ "sub": subject, "email": email, "email_verified": verified, "name": subject });
}

on_each_database! {
    async fn strangers_are_refused_and_people_with_an_account_stay_in(database: TestDatabase) {
        let (database, provider) = (Arc::new(database), Provider::start().await);
        let open = app(&database, &provider, "anyone").await;
        let ada = signed_in_as(&open, &provider, "google").await;
        let closed = app(&database, &provider, "nobody").await;
        assert_eq!(signed_in_as(&closed, &provider, "google").await["id"], ada["id"]);
        // The same person by another provider, which joins the account.
        assert_eq!(signed_in_as(&closed, &provider, "github").await["id"], ada["id"]);
        arrives_as(&provider, "eve", "eve@example.test", true);
        assert_eq!(refusal(&sign_in(&closed.browser(), &provider, "google").await), "sign_up_closed");
        assert_eq!(user::Entity::find().count(&closed.db).await.unwrap(), 1);
    }

    async fn listed_addresses_and_domains_sign_up_when_they_are_verified(database: TestDatabase) {
        let (database, provider) = (Arc::new(database), Provider::start().await);
        let app = app(&database, &provider, "ada@example.test, @acme.test").await;
        for (subject, email, verified, comes_in) in [
            ("ada-2", "Ada@Example.Test", true, true),
            ("bob", "bob@acme.test", true, true),
            ("cat", "cat@acme.test", false, false),
            ("dan", "dan@sub.acme.test", true, false),
            ("eve", "eve@example.test", true, false),
        ] {
            arrives_as(&provider, subject, email, verified);
            if comes_in {
                let me = signed_in_as(&app, &provider, "oidc").await;
                assert_eq!(me["email"], email);
            } else {
                let answer = sign_in(&app.browser(), &provider, "oidc").await;
                assert_eq!(refusal(&answer), "sign_up_closed", "{email}");
            }
        }
    }

    async fn an_address_that_the_operator_allows_signs_up_until_that_is_taken_back(database: TestDatabase) {
        let (database, provider) = (Arc::new(database), Provider::start().await);
        let app = app(&database, &provider, "nobody").await;
        arrives_as(&provider, "ada", "ada@example.test", true);
        assert_eq!(refusal(&sign_in(&app.browser(), &provider, "google").await), "sign_up_closed");
        allow(&app.db, "ADA@example.test", Utc::now()).await.unwrap();
        allow(&app.db, "ada@example.test", Utc::now()).await.unwrap();
        allow(&app.db, "bob@example.test", Utc::now()).await.unwrap();
        signed_in_as(&app, &provider, "google").await;
        assert!(disallow(&app.db, "Bob@example.test").await.unwrap());
        assert!(!disallow(&app.db, "bob@example.test").await.unwrap());
        arrives_as(&provider, "bob", "bob@example.test", true);
        assert_eq!(refusal(&sign_in(&app.browser(), &provider, "google").await), "sign_up_closed");
    }

    async fn members_of_an_organisation_on_github_sign_up(database: TestDatabase) {
        let (database, provider) = (Arc::new(database), Provider::start().await);
        let plain = app(&database, &provider, "nobody").await;
        let address = depart(&plain.browser(), "github").await;
        assert!(!address.contains("read%3Aorg"), "nobody is asked for more than is needed: {address}");

        let app = app(&database, &provider, "github:Acme,github:other").await;
        let address = depart(&app.browser(), "github").await;
        assert!(address.contains("read%3Aorg"), "{address}");
        for memberships in [
            HashMap::new(),
            HashMap::from([("acme", "pending")]),
            HashMap::from([("acme", "unapproved")]),
            HashMap::from([("third", "active")]),
        ] {
            provider.script().github_organisations = memberships.clone();
            let answer = sign_in(&app.browser(), &provider, "github").await;
            assert_eq!(refusal(&answer), "sign_up_closed", "{memberships:?}");
        }
        provider.script().github_organisations = HashMap::from([("acme", "active")]);
        signed_in_as(&app, &provider, "github").await;
    }
}
