//! Limits of following: components of a page, pages of a workspace, and lengths of addresses.

use super::{CREATE, DISCOVER, a_vendor, creates, harbour, input, refused, with};
use crate::api::Api;
use crate::vendor::{follows, page};
use entity::vendor_page;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;
use testkit::database::TestDatabase;
use testkit::input::new_service;
use testkit::on_each_database;
use testkit::vendor::{Page, Reply, SUMMARY, Vendor};

on_each_database! {
    async fn a_page_of_ten_long_addresses_is_one_page(database: TestDatabase) {
        let api = Api::on(database).await;
        let (ada, eve) = (api.somebody().await, api.somebody().await);
        let vendor = Vendor::start().await;
        // Addresses of nearly the maximum length, with digits that do not compress well.
        let mut digits = 1u64;
        let mut long = || -> String {
            let mut digit = || {
                digits = digits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                char::from(b'a' + u8::try_from((digits >> 33) % 26).unwrap())
            };
            (0..1_900).map(|_| digit()).collect()
        };
        let urls: Vec<String> = (0..10).map(|_| format!("{SUMMARY}?{}", long())).collect();
        for url in &urls {
            vendor.serve(url, Reply::ok(harbour().to_string().as_bytes()));
        }
        let mut given: Vec<_> = urls.iter().map(|url| vendor.url(url)).collect();
        for person in [&ada, &eve] {
            let by_hand = json!({ "apiUrls": null, "userDefinedUrls": given });
            let service = creates(person, &with(input(&vendor, &["api"]), &by_hand)).await;
            assert_eq!(service["vendorPage"]["apiUrls"].as_array().unwrap().len(), 10);
            given.reverse();
        }
        assert_eq!(vendor_page::Entity::find().count(&api.use_cases.db).await.unwrap(), 1);
    }

    async fn a_user_follows_two_hundred_pages_and_no_more(database: TestDatabase) {
        let api = Api::on(database).await;
        let (ada, eve) = (api.somebody().await, api.somebody().await);
        let vendor = a_vendor().await;
        for n in 0..199 {
            let page = page(&api.use_cases.db, &format!("https://status.test/{n}")).await;
            follows(&api.use_cases.db, &ada.user, page, &format!("Service {n}"), &["api"]).await;
        }
        creates(&ada, &input(&vendor, &["api"])).await;
        creates(&ada, &input(&vendor, &["web"])).await;
        let other = a_vendor().await;
        let (code, _, message) = refused(&ada, CREATE, json!({ "input": new_service(input(&other, &["api"])) })).await;
        assert_eq!(code, "CONFLICT");
        assert!(message.contains("200 vendor pages"), "{message}");
        assert_eq!(vendor_page::Entity::find().count(&api.use_cases.db).await.unwrap(), 200, "nothing is left of it");
        creates(&eve, &input(&other, &["api"])).await;
    }
}

#[tokio::test]
async fn a_page_of_very_many_components_is_refused() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let vendor = Vendor::start().await;
    let ids: Vec<String> = (0..2_001).map(|n| format!("c{n}")).collect();
    let components: Vec<_> = ids
        .iter()
        .map(|id| (id.as_str(), "A part", "operational"))
        .collect();
    let (most, too_many) = (
        Page::new("Most", &components[1..]),
        Page::new("Too many", &components),
    );
    vendor.shows(&too_many);
    let by_hand = json!({ "apiUrls": null, "userDefinedUrls": [vendor.url(SUMMARY)] });
    for (query, variables, expected) in [
        (DISCOVER, json!({ "url": vendor.url("/") }), "UPSTREAM"),
        (
            CREATE,
            json!({ "input": new_service(input(&vendor, &["c1"])) }),
            "BAD_INPUT",
        ),
        (
            CREATE,
            json!({ "input": new_service(with(input(&vendor, &["c1"]), &by_hand)) }),
            "BAD_INPUT",
        ),
    ] {
        let (code, field, message) = refused(&ada, query, variables).await;
        assert!(
            code == expected && message.contains("no more than 2000"),
            "{code} {field}: {message}"
        );
    }
    vendor.shows(&most);
    let service = creates(&ada, &input(&vendor, &["c1"])).await;
    assert_eq!(
        service["vendorPage"]["components"]
            .as_array()
            .unwrap()
            .len(),
        2_000
    );
}
