//! Discovery of a page, and validation of URLs that a user enters.

use super::{DISCOVER, a_vendor, hostile, refused};
use crate::api::Api;
use net::Guard;
use serde_json::{Value, json};
use testkit::vendor::{Page, Reply, SUMMARY, Vendor};

const VALIDATE: &str = "mutation($urls: [String!]!) { validateVendorPageUrls(urls: $urls) {
    apiUrls pageName provider components { id } rejected { url reason } } }";

#[tokio::test]
async fn a_page_is_found_with_what_can_be_followed_on_it() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let vendor = a_vendor().await;
    for address in ["/", "/history?page=3", SUMMARY] {
        let found = ada
            .data(DISCOVER, json!({ "url": vendor.url(address) }))
            .await["discoverVendorPage"]
            .clone();
        assert_eq!(found["apiUrls"], json!([vendor.url(SUMMARY)]), "{address}");
        assert_eq!(
            (&found["pageName"], &found["provider"]),
            (&json!("Harbour Cloud"), &json!("Atlassian Statuspage"))
        );
        assert_eq!(
            (&found["pageUrl"], &found["rejected"]),
            (&json!("https://status.vendor.example/"), &json!([]))
        );
        assert_eq!(
            found["components"][0],
            json!({ "id": "api", "name": "API", "groupName": null, "status": "DOWN", "vendorStatus": "major_outage" })
        );
        assert_eq!(found["components"].as_array().unwrap().len(), 3);
    }
    let site = ada
        .data(
            DISCOVER,
            json!({ "url": vendor.url_at("harbour.test", "/") }),
        )
        .await;
    assert!(
        site["discoverVendorPage"]["apiUrls"][0]
            .as_str()
            .unwrap()
            .contains("harbour.test")
    );
}

#[tokio::test]
async fn what_is_no_page_is_refused_with_a_sentence_that_helps() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    for (what, reply, reason) in hostile() {
        // More discoveries than are allowed in a minute.
        let ada = api.somebody().await;
        let vendor = Vendor::start().await;
        vendor.serve("/", reply.clone());
        vendor.serve(SUMMARY, reply);
        let (code, field, message) =
            refused(&ada, DISCOVER, json!({ "url": vendor.url(SUMMARY) })).await;
        match what {
            "HTML with 200" | "nothing" => {
                assert_eq!(
                    (code.as_str(), field.as_str()),
                    ("BAD_INPUT", "url"),
                    "{what}: {message}"
                );
                assert!(
                    message.contains("no known kind of vendor page"),
                    "{what}: {message}"
                );
            }
            "a redirect to where credentials are" | "a redirect to an address of that kind" => {
                assert_eq!(
                    (code.as_str(), field.as_str()),
                    ("BAD_INPUT", "url"),
                    "{what}: {message}"
                );
                assert!(message.contains(reason), "{what}: {message}");
            }
            _ => {
                assert_eq!(code, "UPSTREAM", "{what}: {message}");
                assert!(
                    message.contains(reason) && message.contains("by hand"),
                    "{what}: {message}"
                );
            }
        }
    }
    let empty = Vendor::start().await;
    empty.shows(&Page::new("Empty", &[]));
    let (code, field, message) = refused(&ada, DISCOVER, json!({ "url": empty.url("/") })).await;
    assert_eq!((code.as_str(), field.as_str()), ("BAD_INPUT", "url"));
    assert!(
        message.contains("lists no components") && message.contains("by hand"),
        "{message}"
    );
    for address in [
        "",
        "openai",
        "ftp://a.test/",
        "javascript:alert(1)",
        &"x".repeat(5_000),
    ] {
        let (code, field, message) = refused(&ada, DISCOVER, json!({ "url": address })).await;
        assert_eq!(
            (code.as_str(), field.as_str()),
            ("BAD_INPUT", "url"),
            "{message}"
        );
        assert!(message.contains("not a web address"), "{message}");
    }
    let (code, _, message) = refused(&ada, DISCOVER, json!({ "url": "https://nobody.test" })).await;
    assert_eq!(code, "UPSTREAM");
    assert!(
        message.contains("nobody.test cannot be reached"),
        "{message}"
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_never_called_no_vendor_page() {
    let api = Api::sqlite().await;
    let challenge = b"<!DOCTYPE html><html><title>Just a moment...</title>";
    let limit = Reply::of("429 Too Many Requests", "retry-after: 120\r\n", b"");
    for (reply, answered, advice) in [
        (
            Reply::of("403 Forbidden", "", challenge),
            "answered 403 (bot protection: \"Just a moment...\")",
            "ask it for an address that programs may read",
        ),
        (
            Reply::of("503 Service Unavailable", "", b""),
            "answered 503",
            "try again later",
        ),
        (limit, "answered 429", "it asks to wait for 120 s"),
    ] {
        // Everywhere, and only where the API is.
        for pages_for_people in [false, true] {
            let ada = api.somebody().await;
            let vendor = Vendor::start().await;
            vendor.serve(SUMMARY, reply.clone());
            let root = if pages_for_people {
                Reply::ok(b"<!doctype html><html>All systems operational")
            } else {
                reply.clone()
            };
            vendor.serve("/", root);
            let (code, _, message) =
                refused(&ada, DISCOVER, json!({ "url": vendor.url("/") })).await;
            assert_eq!(code, "UPSTREAM", "{message}");
            for part in [answered, advice, &vendor.url("/"), "by hand"] {
                assert!(message.contains(part), "{part} in {message}");
            }
            assert!(!message.contains("no known kind"), "{message}");
        }
    }
}

#[tokio::test]
async fn a_status_address_that_redirects_to_another_host_is_found_there() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let vendor = Vendor::start().await;
    let page = super::harbour().to_string();
    let there = vendor.url_at("status.quill.test", "/");
    vendor.serve(
        "harbour.test/status",
        Reply::of("302 Found", &format!("location: {there}\r\n"), b""),
    );
    vendor.serve(
        &format!("status.quill.test{SUMMARY}"),
        Reply::ok(page.as_bytes()),
    );
    let given = vendor.url_at("harbour.test", "/status");
    let found = ada.data(DISCOVER, json!({ "url": given })).await;
    assert_eq!(
        found["discoverVendorPage"]["apiUrls"],
        json!([vendor.url_at("status.quill.test", SUMMARY)])
    );
}

#[tokio::test]
async fn private_addresses_are_not_requested_unless_allowed() {
    let api = Api::sqlite().await.guarded(Guard::PublicOnly);
    let ada = api.somebody().await;
    let vendor = a_vendor().await;
    for url in [
        vendor.url(SUMMARY),
        "http://10.0.0.1/".into(),
        "http://localhost/".into(),
        "http://[::1]/".into(),
    ] {
        let (code, field, message) = refused(&ada, DISCOVER, json!({ "url": url })).await;
        assert_eq!(
            (code.as_str(), field.as_str()),
            ("BAD_INPUT", "url"),
            "{url}: {message}"
        );
        assert!(
            message.contains("which this server does not request"),
            "{url}: {message}"
        );
        let checked =
            ada.data(VALIDATE, json!({ "urls": [url] })).await["validateVendorPageUrls"].clone();
        assert_eq!(
            (&checked["apiUrls"], &checked["components"]),
            (&json!([]), &json!([]))
        );
        assert!(
            checked["rejected"][0]["reason"]
                .as_str()
                .unwrap()
                .contains("private or reserved"),
            "{checked}"
        );
    }
    assert_eq!(vendor.asked(SUMMARY), 0);
}

#[tokio::test]
async fn entered_urls_are_kept_if_they_have_data_or_rejected_with_a_reason() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let vendor = a_vendor().await;
    vendor.serve("/status.json", Reply::redirect(&vendor.url(SUMMARY)));
    let mut urls = vec![vendor.url("/status.json")];
    for (n, (_, reply, _)) in hostile().into_iter().enumerate().take(8) {
        vendor.serve(&format!("/{n}"), reply);
        urls.push(vendor.url(&format!("/{n}")));
    }
    urls.push("ftp://a.test/x".into());
    let checked =
        ada.data(VALIDATE, json!({ "urls": urls })).await["validateVendorPageUrls"].clone();
    assert_eq!(
        (&checked["apiUrls"], &checked["pageName"]),
        (&json!([vendor.url(SUMMARY)]), &json!("Harbour Cloud"))
    );
    assert_eq!(checked["components"].as_array().unwrap().len(), 3);
    let reasons: Vec<_> = checked["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons.len(), 9);
    for (what, _, reason) in hostile().into_iter().take(8) {
        assert!(
            reasons.iter().any(|one| one.contains(reason)),
            "{what}: {reasons:?}"
        );
    }
    let none = ada
        .data(VALIDATE, json!({ "urls": [vendor.url("/0"), " "] }))
        .await["validateVendorPageUrls"]
        .clone();
    assert_eq!(
        (&none["apiUrls"], &none["pageName"], &none["provider"]),
        (&json!([]), &Value::Null, &Value::Null)
    );
    for urls in [json!([]), json!(vec!["https://a.test"; 51])] {
        let (code, field, _) = refused(&ada, VALIDATE, json!({ "urls": urls })).await;
        assert_eq!((code.as_str(), field.as_str()), ("BAD_INPUT", "urls"));
    }
}

#[tokio::test]
async fn a_user_searches_ten_times_a_minute() {
    let api = Api::sqlite().await;
    let (ada, ben) = (api.somebody().await, api.somebody().await);
    for _ in 0..10 {
        let (code, ..) = refused(&ada, DISCOVER, json!({ "url": "openai" })).await;
        assert_eq!(code, "BAD_INPUT");
    }
    for (person, code) in [(&ada, "RATE_LIMITED"), (&ben, "BAD_INPUT")] {
        assert_eq!(
            refused(person, DISCOVER, json!({ "url": "openai" }))
                .await
                .0,
            code
        );
    }
}

#[tokio::test]
async fn a_user_searches_for_two_pages_at_a_time() {
    let api = Api::sqlite().await;
    let (ada, ben) = (api.somebody().await, api.somebody().await);
    let (silent, vendor) = (Vendor::start().await, a_vendor().await);
    for path in ["/", SUMMARY] {
        silent.serve(path, Reply::Silence);
    }
    let searching = async {
        let search = || ada.asks(DISCOVER, json!({ "url": silent.url("/") }));
        tokio::join!(search(), search())
    };
    let meanwhile = async {
        silent.was_asked(SUMMARY, 2).await;
        let third = ada.error(DISCOVER, json!({ "url": vendor.url("/") })).await;
        assert_eq!(third["extensions"]["code"], "RATE_LIMITED");
        let others = ben.data(DISCOVER, json!({ "url": vendor.url("/") })).await;
        assert_eq!(others["discoverVendorPage"]["pageName"], "Harbour Cloud");
    };
    let ((one, other), ()) = tokio::join!(searching, meanwhile);
    assert_eq!(
        (one.code(), other.code()),
        ("UPSTREAM".into(), "UPSTREAM".into())
    );
    let afterwards = ada.data(DISCOVER, json!({ "url": vendor.url("/") })).await;
    assert_eq!(
        afterwards["discoverVendorPage"]["pageName"],
        "Harbour Cloud"
    );
}

#[tokio::test]
async fn the_catalogue_is_searched_as_one_types() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let search = "query($search: String!, $first: Int) { vendorPageCatalogue(search: $search, first: $first) {
        name aliases url provider } }";
    for (typed, name) in [("openai", "OpenAI"), ("clau", "Claude"), ("Gîth", "GitHub")] {
        let found =
            ada.data(search, json!({ "search": typed })).await["vendorPageCatalogue"].clone();
        assert_eq!(found[0]["name"], name);
        assert!(
            found[0]["url"].as_str().unwrap().starts_with("https://"),
            "{found}"
        );
    }
    let some = ada.data(search, json!({ "search": "a", "first": 3 })).await;
    assert_eq!(some["vendorPageCatalogue"].as_array().unwrap().len(), 3);
    let nothing = ada.data(search, json!({ "search": "" })).await;
    assert_eq!(nothing["vendorPageCatalogue"], json!([]));
    for first in [0, -1, 51] {
        let (code, field, _) =
            refused(&ada, search, json!({ "search": "a", "first": first })).await;
        assert_eq!((code.as_str(), field.as_str()), ("BAD_INPUT", "first"));
    }
    assert_eq!(
        api.visitor("{ vendorPageCatalogue(search: \"a\") { name } }")
            .await
            .code(),
        "UNAUTHENTICATED"
    );
    assert_eq!(
        api.visitor("mutation { discoverVendorPage(url: \"a.test\") { apiUrls } }")
            .await
            .code(),
        "UNAUTHENTICATED"
    );
}
