//! The calendar feed: its secret address, and what stands in it.

use super::app::{App, Browser, code};
use chrono::{DateTime, Duration, SubsecRound as _, Utc};
use entity::column::Status;
use entity::{service_component, user, vendor_maintenance, vendor_page, vendor_page_component};
use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Set};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::builders::{a_service, a_user};
use testkit::database::TestDatabase;
use testkit::on_each_database;
use uuid::Uuid;

const CREATE: &str = "mutation { createCalendarFeed { url feed { createdAt lastReadAt } } }";

on_each_database! {
    async fn a_calendar_holds_what_is_to_come_for_what_its_owner_follows(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let browser = app.signed_in().await;
        let me = me(&app, &browser).await;
        let stranger = a_user(&app.db).await;
        let page = a_page(&app).await;
        follows(&app, &me, page, "Shop, \"main\"", "api").await;
        follows(&app, &me, page, "Blog; old", "api").await;
        let paused = follows(&app, &me, page, "Paused", "web").await;
        follows(&app, &stranger, page, "A stranger's", "mail").await;
        let mut paused = entity::service::Entity::find_by_id(paused).one(&app.db).await.unwrap().unwrap().into_active_model();
        paused.paused = Set(true);
        paused.update(&app.db).await.unwrap();
        let start: DateTime<Utc> = "2040-03-01T10:00:00Z".parse().unwrap();
        for (id, component, status, from) in [
            ("m1", "api", "scheduled", Some(start)),
            ("m2", "api", "in_progress", Some(start - Duration::days(1))),
            ("of-nothing", "", "scheduled", Some(start)),
            ("no-time", "api", "scheduled", None),
            ("of-paused", "web", "scheduled", Some(start)),
            ("of-stranger", "mail", "scheduled", Some(start)),
        ] {
            maintenance(&app, page, id, component, status, from).await;
        }
        let address = renewed(&browser).await;
        let answer = browser.http.get(&address).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()[CONTENT_TYPE].to_str().unwrap()), (200, "text/calendar; charset=utf-8"));
        assert_eq!(answer.headers()[CACHE_CONTROL], "private, max-age=300");
        let tag = answer.headers()[ETAG].clone();
        let text = answer.text().await.unwrap();
        let lines: Vec<_> = text.replace("\r\n ", "").split("\r\n").map(str::to_owned).collect();
        assert_eq!((lines[0].as_str(), lines[lines.len() - 2].as_str()), ("BEGIN:VCALENDAR", "END:VCALENDAR"));
        let of = |name: &str| -> Vec<&str> {
            lines.iter().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':')).collect()
        };
        assert_eq!(of("SUMMARY"), ["Blog\\; old\\, Shop\\, \"main\": Upgrade m2", "Blog\\; old\\, Shop\\, \"main\": Upgrade m1"]);
        assert_eq!(of("DTSTART"), ["20400229T100000Z", "20400301T100000Z"]);
        assert_eq!(of("DTEND"), ["20400229T120000Z", "20400301T120000Z"]);
        assert_eq!(of("URL"), ["https://status.test/m2", "https://status.test/m1"]);
        let ids: Vec<String> = of("UID").into_iter().map(str::to_owned).collect();
        assert!(ids[0] != ids[1] && ids.iter().all(|id| id.ends_with("@pulsecheck")), "{ids:?}");
        for hidden in ["stranger", "Paused", &page.to_string(), "m1@"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }

        // Asked again with the tag it is the same; when the vendor moves it, it is another, of the same id.
        let again = || async { browser.http.get(&address).header(IF_NONE_MATCH, &tag).send().await.unwrap() };
        let same = again().await;
        assert_eq!((same.status().as_u16(), same.headers()[ETAG].clone(), same.bytes().await.unwrap().len()), (304, tag.clone(), 0));
        let row = vendor_maintenance::Entity::find_by_id((page, "m1".to_owned())).one(&app.db).await.unwrap().unwrap();
        let mut row = row.into_active_model();
        row.scheduled_for = Set(Some(start + Duration::minutes(30)));
        row.updated_at = Set(at() + Duration::seconds(5));
        row.update(&app.db).await.unwrap();
        let moved = again().await;
        assert_eq!(moved.status().as_u16(), 200);
        let moved = moved.text().await.unwrap();
        assert!(moved.contains("DTSTART:20400301T103000Z") && moved.contains(&ids[1]), "{moved}");
        let sequences = |text: &str| -> Vec<i64> {
            text.lines().filter_map(|line| line.strip_prefix("SEQUENCE:")?.trim().parse().ok()).collect()
        };
        assert_eq!(sequences(&moved)[1], sequences(&text)[1] + 5);
        let feed = browser.graphql("{ calendarFeed { createdAt lastReadAt } }").await["data"]["calendarFeed"].clone();
        assert!(feed["lastReadAt"].is_string(), "{feed}");
    }

    async fn a_calendar_of_much_is_long_and_never_an_error(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let browser = app.signed_in().await;
        let me = me(&app, &browser).await;
        let page = a_page(&app).await;
        // Together the incidents are more than a query is told of, and the services more than an entry names.
        for n in 0..40 {
            follows(&app, &me, page, &format!("Service {n:02}"), "api").await;
        }
        let incident = entity::vendor_incident::Model {
            vendor_page_id: page,
            incident_id: "i".into(),
            name: "I".into(),
            impact: String::new(),
            status: String::new(),
            started_at: None,
            resolved_at: None,
            url: None,
            component_ids: json!(["api"]),
            updates: json!([{ "body": "x".repeat(1 << 20) }]),
            updated_at: at(),
        };
        incident.into_active_model().insert(&app.db).await.unwrap();
        maintenance(&app, page, "m", "api", "scheduled", Some(at())).await;
        let (status, text) = answer(&browser, &renewed(&browser).await).await;
        let text = text.replace("\r\n ", "");
        assert_eq!(status, 200, "{text}");
        assert!(text.contains("SUMMARY:Service 00\\, Service 01\\, Service 02\\, and 37 more: Upgrade m\r\n"), "{text}");
        assert!(text.contains("\\, Service 19\\, and 20 more\\nhttps") && !text.contains("Service 20"), "{text}");
    }

    async fn what_others_knew_before_is_told_as_known_from_the_beginning(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let browser = app.signed_in().await;
        let me = me(&app, &browser).await;
        let page = a_page(&app).await;
        let id = follows(&app, &me, page, "Shop", "api").await;
        let began: DateTime<Utc> = "2026-05-01T10:00:00Z".parse().unwrap();
        let service = entity::service::Entity::find_by_id(id).one(&app.db).await.unwrap().unwrap();
        let mut service = service.into_active_model();
        service.created_at = Set(began);
        service.update(&app.db).await.unwrap();
        maintenance(&app, page, "m", "api", "scheduled", Some(at())).await;
        let address = renewed(&browser).await;
        for (changed, told) in [
            (began - Duration::days(30), "20260501T100000Z"),
            // Only now it is read for this service: whether it is new or just another's shows in nothing.
            (began + Duration::seconds(50), "20260501T100000Z"),
            (began + Duration::minutes(2), "20260501T100200Z"),
        ] {
            let row = vendor_maintenance::Entity::find().one(&app.db).await.unwrap().unwrap();
            let mut row = row.into_active_model();
            row.updated_at = Set(changed);
            row.update(&app.db).await.unwrap();
            let (_, text) = answer(&browser, &address).await;
            assert!(text.contains(&format!("DTSTAMP:{told}")) && text.contains(&format!("LAST-MODIFIED:{told}")), "{text}");
        }
        let row = vendor_page::Entity::find_by_id(page).one(&app.db).await.unwrap().unwrap();
        let mut row = row.into_active_model();
        row.fetched_at = Set(Some(began - Duration::seconds(1)));
        row.update(&app.db).await.unwrap();
        assert!(!answer(&browser, &address).await.1.contains("VEVENT"), "it was not read for this service yet");
    }

    async fn an_address_works_until_it_is_renewed_or_revoked(database: TestDatabase) {
        let app = App::on(Arc::new(database), |_| {}).await;
        let browser = app.signed_in().await;
        assert_eq!(browser.graphql("{ calendarFeed { createdAt } }").await["data"], json!({ "calendarFeed": null }));
        let nothing = answer(&browser, &app.url("/api/nothing")).await;
        let first = renewed(&browser).await;
        assert!(first.starts_with(&app.url("/api/calendar/")) && first.ends_with(".ics"), "{first}");
        assert_eq!(answer(&browser, &first).await.0, 200);
        let second = renewed(&browser).await;
        assert_ne!(first, second);
        let other_secret = format!("{}.ics", "A".repeat(43));
        for path in [
            first.strip_prefix(&app.base).unwrap(),
            second.strip_prefix(&app.base).unwrap().strip_suffix(".ics").unwrap(),
            &format!("/api/calendar/{other_secret}"),
            "/api/calendar/.ics",
            "/api/calendar/x.ics",
            "/api/calendar/%ff.ics",
            &format!("/api/calendar/{}.ics", "A".repeat(4_000)),
        ] {
            assert_eq!(answer(&browser, &app.url(path)).await, nothing, "{path}");
        }
        let posted = browser.http.post(&second).send().await.unwrap();
        assert_eq!(posted.status().as_u16(), 404, "no method tells that there is something");
        assert_eq!(browser.http.head(&second).send().await.unwrap().status().as_u16(), 200);
        assert_eq!(answer(&browser, &second).await.0, 200);
        let revoke = "mutation { revokeCalendarFeed }";
        assert_eq!(browser.graphql(revoke).await["data"]["revokeCalendarFeed"], true);
        assert_eq!(answer(&browser, &second).await, nothing);
        assert_eq!(browser.graphql(revoke).await["data"]["revokeCalendarFeed"], false);
    }
}

#[tokio::test]
async fn a_token_reads_that_there_is_a_calendar_and_makes_no_address() {
    let app = App::start().await;
    let browser = app.signed_in().await;
    let made = browser
        .graphql("mutation { createApiToken(input: { name: \"x\" }) { token } }")
        .await;
    let token = made["data"]["createApiToken"]["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let ask = async |query: &str| -> Value {
        let request = app
            .browser()
            .http
            .post(app.url("/api/graphql"))
            .bearer_auth(&token);
        request
            .json(&json!({ "query": query }))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    };
    assert_eq!(code(&ask(CREATE).await), "FORBIDDEN");
    assert_eq!(
        ask("{ calendarFeed { createdAt } }").await["data"],
        json!({ "calendarFeed": null })
    );
    let visitor = app
        .browser()
        .graphql("{ calendarFeed { createdAt } }")
        .await;
    assert_eq!(code(&visitor), "UNAUTHENTICATED");
}

/// The status and the answer without what differs from request to request.
async fn answer(browser: &Browser, address: &str) -> (u16, String) {
    let answer = browser.http.get(address).send().await.unwrap();
    let (status, id) = (
        answer.status().as_u16(),
        answer.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned(),
    );
    (status, answer.text().await.unwrap().replace(&id, "id"))
}

async fn renewed(browser: &Browser) -> String {
    let made = browser.graphql(CREATE).await;
    assert_eq!(
        made["data"]["createCalendarFeed"]["feed"]["lastReadAt"],
        Value::Null,
        "{made}"
    );
    made["data"]["createCalendarFeed"]["url"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn me(app: &App, browser: &Browser) -> user::Model {
    let id = browser.graphql("{ me { id } }").await["data"]["me"]["id"]
        .as_str()
        .unwrap()
        .parse::<Uuid>()
        .unwrap();
    user::Entity::find_by_id(id)
        .one(&app.db)
        .await
        .unwrap()
        .unwrap()
}

fn at() -> DateTime<Utc> {
    "2030-01-01T00:00:00Z".parse().unwrap()
}

/// A page with three components.
async fn a_page(app: &App) -> Uuid {
    let id = Uuid::now_v7();
    let page = vendor_page::ActiveModel {
        id: Set(id),
        key: Set("https://status.test/api".into()),
        api_urls: Set(json!(["https://status.test/api"])),
        user_defined: Set(false),
        fetched_at: Set(Some(Utc::now().trunc_subsecs(3))),
        failures: Set(0),
        created_at: Set(at()),
        ..Default::default()
    };
    page.insert(&app.db).await.unwrap();
    for component in ["api", "web", "mail"] {
        let row = vendor_page_component::Model {
            vendor_page_id: id,
            component_id: component.into(),
            name: component.into(),
            group_name: None,
            position: 0,
            status: Status::Up,
            vendor_status: "operational".into(),
            missing: false,
            updated_at: at(),
        };
        row.into_active_model().insert(&app.db).await.unwrap();
    }
    id
}

async fn follows(app: &App, user: &user::Model, page: Uuid, name: &str, component: &str) -> Uuid {
    let service = a_service(&app.db, user).name(name).create().await;
    let id = service.id;
    let mut service = service.into_active_model();
    service.kind = Set("vendor_page".into());
    service.settings = Set(json!({}));
    // The page was read since.
    service.created_at = Set(Utc::now().trunc_subsecs(3) - Duration::days(1));
    service.vendor_page_id = Set(Some(page));
    service.update(&app.db).await.unwrap();
    let row = service_component::Model {
        service_id: id,
        component_id: component.into(),
        name: component.into(),
        group_name: None,
        position: 0,
        missing: false,
    };
    row.into_active_model().insert(&app.db).await.unwrap();
    id
}

async fn maintenance(
    app: &App,
    page: Uuid,
    id: &str,
    component: &str,
    status: &str,
    from: Option<DateTime<Utc>>,
) {
    let row = vendor_maintenance::Model {
        vendor_page_id: page,
        maintenance_id: id.into(),
        name: format!("Upgrade {id}"),
        status: status.into(),
        scheduled_for: from,
        scheduled_until: from.map(|from| from + Duration::hours(2)),
        url: Some(format!("https://status.test/{id}")),
        component_ids: json!([component]),
        updated_at: at(),
    };
    row.into_active_model().insert(&app.db).await.unwrap();
}
