//! Pages of services, and the bound on the size of a response.

use crate::api::{Api, Person};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use testkit::builders::a_service;
use testkit::database::TestDatabase;
use testkit::on_each_database;

const PAGE: &str = "query($first: Int, $after: String, $filter: ServiceFilter) {
    servicesPage(first: $first, after: $after, filter: $filter) {
        edges { cursor node { id name } } pageInfo { hasNextPage endCursor } totalCount
    }
}";

async fn page(person: &Person<'_>, variables: Value) -> Value {
    person.data(PAGE, variables).await["servicesPage"].clone()
}

fn names(page: &Value) -> Vec<&str> {
    let edges = page["edges"].as_array().unwrap().iter();
    edges
        .map(|edge| edge["node"]["name"].as_str().unwrap())
        .collect()
}

on_each_database! {
    async fn pages_hold_every_service_once_in_the_order_of_the_list(database: TestDatabase) {
        let api = Api::on(database).await;
        let (ada, stranger) = (api.somebody().await, api.somebody().await);
        a_service(&api.use_cases.db, &stranger.user).name("Foreign").create().await;
        for name in ["delta", "Alpha", "echo", "bravo", "Charlie", "bravo"] {
            a_service(&api.use_cases.db, &ada.user).name(name).create().await;
        }
        let mut found: Vec<Value> = Vec::new();
        let (mut after, mut pages) = (Value::Null, 0);
        loop {
            let page = page(&ada, json!({ "first": 2, "after": after })).await;
            assert_eq!(page["totalCount"], 6);
            let edges = page["edges"].as_array().unwrap();
            assert_eq!(page["pageInfo"]["endCursor"], edges.last().unwrap()["cursor"]);
            found.extend(edges.iter().map(|edge| edge["node"]["id"].clone()));
            (after, pages) = (page["pageInfo"]["endCursor"].clone(), pages + 1);
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(pages, 3);
        let all = ada.data("{ services { id } }", json!({})).await;
        let all: Vec<_> = all["services"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
        assert_eq!(found, all);
        let default = page(&ada, json!({})).await;
        assert_eq!(names(&default), ["Alpha", "bravo", "bravo", "Charlie", "delta", "echo"]);
    }

    async fn a_cursor_outlives_the_service_that_it_was_made_from(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        for name in ["a", "b", "c", "d"] {
            a_service(&api.use_cases.db, &ada.user).name(name).create().await;
        }
        let start = page(&ada, json!({ "first": 2 })).await;
        assert_eq!(names(&start), ["a", "b"]);
        let last: uuid::Uuid = start["edges"][1]["node"]["id"].as_str().unwrap().parse().unwrap();
        entity::service::Entity::delete_by_id(last).exec(&api.use_cases.db).await.unwrap();
        a_service(&api.use_cases.db, &ada.user).name("aa").create().await;
        let rest = page(&ada, json!({ "first": 2, "after": start["pageInfo"]["endCursor"] })).await;
        assert_eq!(names(&rest), ["c", "d"]);
        assert_eq!(rest["pageInfo"]["hasNextPage"], false);
        let end = page(&ada, json!({ "after": rest["pageInfo"]["endCursor"] })).await;
        assert_eq!((names(&end).len(), &end["pageInfo"]["endCursor"]), (0, &Value::Null));
        assert_eq!(end["totalCount"], 4);
    }

    async fn a_page_is_filtered_and_its_arguments_are_checked(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        for name in ["shop one", "shop two", "mail"] {
            a_service(&api.use_cases.db, &ada.user).name(name).create().await;
        }
        api.is_down(&a_service(&api.use_cases.db, &ada.user).name("shop three").create().await).await;
        let shops = page(&ada, json!({ "first": 2, "filter": { "search": "SHOP" } })).await;
        assert_eq!(names(&shops), ["shop one", "shop three"]);
        assert_eq!((&shops["totalCount"], &shops["pageInfo"]["hasNextPage"]), (&json!(3), &json!(true)));
        let down = page(&ada, json!({ "filter": { "status": "DOWN" } })).await;
        assert_eq!(names(&down), ["shop three"]);
        for (variables, field) in [
            (json!({ "first": 0 }), "first"),
            (json!({ "first": 501 }), "first"),
            (json!({ "after": "x" }), "after"),
        ] {
            let error = ada.error(PAGE, variables).await;
            assert_eq!(error["extensions"]["code"], "BAD_INPUT");
            assert_eq!(error["extensions"]["field"], field);
        }
        assert_eq!(api.visitor(PAGE).await.code(), "UNAUTHENTICATED");
    }
}

/// A document of about 3 KB whose response contains the URLs of all services `copies` times.
pub(crate) fn amplifying_document(copies: usize) -> String {
    let fields = (0..copies.min(20)).fold(String::new(), |all, i| format!("{all} u{i}: target"));
    let roots = (0..copies.div_ceil(20)).map(|i| format!("s{i}: services {{ {fields} }}"));
    format!("{{ {} }}", roots.collect::<Vec<_>>().join(" "))
}

#[tokio::test]
async fn a_response_of_more_than_16_mib_is_refused() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    // 40 URLs of 10 KB are 0.4 MB, so that 160 copies of them are 64 MB.
    for _ in 0..40 {
        let url = format!("https://example.test/{}", "x".repeat(10_000));
        a_service(&api.use_cases.db, &ada.user)
            .url(url)
            .create()
            .await;
    }
    let answer = ada.asks(&amplifying_document(160), json!({})).await;
    assert_eq!(answer.0["data"], Value::Null);
    assert_eq!(answer.0["errors"].as_array().unwrap().len(), 1);
    let error = answer.error();
    assert_eq!(error["extensions"]["code"], "BAD_INPUT");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("larger than 16 MiB"),
        "the reason is given: {message}"
    );
    let small = ada.data(&amplifying_document(20), json!({})).await;
    assert_eq!(small["s0"].as_array().unwrap().len(), 40);
}
