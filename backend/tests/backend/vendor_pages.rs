//! Discovery of vendor pages, and services that follow them.

mod bounds;
mod discovering;
mod following;
mod others;

use crate::api::{Api, Person};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::input::new_service;
use testkit::vendor::{Page, Reply, SUMMARY, Vendor};
use uuid::Uuid;

pub(crate) const DISCOVER: &str = "mutation($url: String!) { discoverVendorPage(url: $url) {
    apiUrls pageName pageUrl provider rejected { url } components { id name groupName status vendorStatus } } }";

pub(crate) const CREATE: &str =
    "mutation($input: CreateServiceInput!) { createService(input: $input) {
    id name kind target vendorPageUrl checkIntervalSeconds confirmations current { status }
    components { id name status vendorStatus missing successors { id } }
    vendorPage { name url provider apiUrls stale failure lastReadAt components { id } } } }";

/// A page with three components, one of which is down.
pub(crate) fn harbour() -> Page {
    Page::new(
        "Harbour Cloud",
        &[
            ("api", "API", "major_outage"),
            ("web", "Website", "operational"),
            ("mail", "Mail", "degraded_performance"),
        ],
    )
}

/// A vendor that publishes [`harbour`].
pub(crate) async fn a_vendor() -> Vendor {
    let vendor = Vendor::start().await;
    vendor.shows(&harbour());
    vendor
}

pub(crate) fn input(vendor: &Vendor, components: &[&str]) -> Value {
    json!({ "name": "Harbour", "apiUrls": [vendor.url(SUMMARY)],
        "componentIds": components })
}

/// Returns the input with some fields replaced.
pub(crate) fn with(mut input: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

/// Returns the ids that are due now.
pub(crate) async fn due(api: &Api) -> Vec<Uuid> {
    let claimed = api
        .use_cases
        .live
        .claim(100, Duration::from_millis(1))
        .await
        .unwrap();
    claimed
        .claims
        .into_iter()
        .map(|claim| claim.service_id)
        .collect()
}

pub(crate) async fn creates(person: &Person<'_>, input: &Value) -> Value {
    person
        .data(CREATE, json!({ "input": new_service(input.clone()) }))
        .await["createService"]
        .clone()
}

/// Returns code, field and message of the refusal.
pub(crate) async fn refused(
    person: &Person<'_>,
    query: &str,
    variables: Value,
) -> (String, String, String) {
    let error = person.error(query, variables).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (
        text(&error["extensions"]["code"]),
        text(&error["extensions"]["field"]),
        text(&error["message"]),
    )
}

/// Responses that are not vendor pages, with the code and a part of the message of the refusal.
pub(crate) fn hostile() -> Vec<(&'static str, Reply, &'static str)> {
    let whole = json!({ "page": { "id": "x" }, "status": { "indicator": "none" },
        "components": [{ "id": "api", "name": "API", "status": "operational" }] });
    let whole = whole.to_string();
    let mut broken_text = whole.clone().into_bytes();
    let at = whole.find("API").unwrap();
    broken_text[at] = 0xff;
    let thirty_megabytes = format!(
        "{{\"page\": {{}}, \"components\": [{}0]}}",
        "0,".repeat(15 << 20)
    );
    vec![
        (
            "HTML with 200",
            Reply::ok(b"<!doctype html><html>All systems operational"),
            "web page",
        ),
        (
            "JSON of another shape",
            Reply::ok(br#"{"hello": "world"}"#),
            "no known shape",
        ),
        (
            "truncated JSON",
            Reply::ok(&whole.as_bytes()[..whole.len() - 9]),
            "no valid JSON",
        ),
        ("invalid UTF-8", Reply::ok(&broken_text), "no valid text"),
        ("nothing", Reply::ok(b""), "empty"),
        (
            "30 MB",
            Reply::ok(thirty_megabytes.as_bytes()),
            "larger than",
        ),
        (
            "a gzip bomb",
            Reply::of("200 OK", "content-encoding: gzip\r\n", &bomb()),
            "larger than",
        ),
        (
            "an envelope that says no",
            Reply::ok(br#"{"success": false, "data": {}}"#),
            "could not answer",
        ),
        ("503", Reply::of("503 Service Unavailable", "", b""), "503"),
        (
            "a redirect to where credentials are",
            Reply::redirect("http://metadata.test/latest"),
            "private or reserved",
        ),
        (
            "a redirect to an address of that kind",
            Reply::redirect("http://169.254.169.254/"),
            "private or reserved",
        ),
        (
            "a redirect to nowhere",
            Reply::redirect("http://nobody.test/"),
            "nobody.test",
        ),
        (
            "a redirect out of the web",
            Reply::redirect("file:///etc/passwd"),
            "file:///etc/passwd",
        ),
    ]
}

/// 64 MB of spaces, zipped.
fn bomb() -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    encoder.finish().unwrap()
}
