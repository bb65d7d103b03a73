//! Services that follow a page: creating and changing them, and what followers share.

use super::{CREATE, DISCOVER, a_vendor, creates, due, hostile, input, refused, with};
use crate::api::{Api, now};
use crate::vendor::follows;
use entity::{service_component, vendor_maintenance, vendor_page, vendor_page_component};
use futures::future::join_all;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, Set,
};
use serde_json::{Value, json};
use testkit::database::TestDatabase;
use testkit::input::{new_service, service_change};
use testkit::on_each_database;
use testkit::vendor::{Page, Reply, SUMMARY, Vendor};
use uuid::Uuid;

const UPDATE: &str =
    "mutation($id: UUID!, $input: UpdateServiceInput!) { updateService(id: $id, input: $input) {
    name components { id missing successors { id } } } }";

const READ: &str = "query($id: UUID!) { service(id: $id) { components { id name groupName status vendorStatus missing
    successors { id name } } vendorPage { stale failure lastReadAt components { id } } } }";

on_each_database! {
    async fn a_service_follows_what_was_chosen_and_its_page_is_due_at_once(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let vendor = a_vendor().await;
        let mut changes = ada.subscribes("subscription { serviceChanges { change serviceId } }", json!({}));
        changes.begins();
        let service = creates(&ada, &input(&vendor, &["mail", "api", "mail"])).await;
        assert_eq!((&service["kind"], &service["target"], &service["current"]), (&json!("VENDOR_PAGE"), &Value::Null, &Value::Null));
        assert_eq!(service["vendorPageUrl"], "https://status.vendor.example/");
        assert_eq!((&service["checkIntervalSeconds"], &service["confirmations"]), (&json!(60), &json!(1)));
        assert_eq!(
            service["components"],
            json!([
                { "id": "mail", "name": "Mail", "status": "DEGRADED", "vendorStatus": "degraded_performance",
                  "missing": false, "successors": [] },
                { "id": "api", "name": "API", "status": "DOWN", "vendorStatus": "major_outage",
                  "missing": false, "successors": [] },
            ])
        );
        let page = &service["vendorPage"];
        assert_eq!((&page["name"], &page["provider"], &page["failure"]), (&json!("Harbour Cloud"), &json!("Atlassian Statuspage"), &Value::Null));
        assert_eq!((&page["apiUrls"], &page["stale"]), (&json!([vendor.url(SUMMARY)]), &json!(false)));
        assert_eq!(page["components"], json!([{ "id": "api" }, { "id": "web" }, { "id": "mail" }]));
        let row = vendor_page::Entity::find().one(&api.use_cases.db).await.unwrap().unwrap();
        assert_eq!((row.key.as_str(), row.user_defined, row.fetched_at), (vendor.url(SUMMARY).as_str(), false, None));
        assert_eq!(due(&api).await, [row.id], "the page, never the service");
        let change = changes.next().await.unwrap().data()["serviceChanges"].clone();
        assert_eq!(change, json!({ "change": "CREATED", "serviceId": service["id"] }));
    }

    async fn one_page_serves_all_who_follow_it_however_they_come_at_once(database: TestDatabase) {
        let api = Api::on(database).await;
        let people = join_all((0..6).map(|_| api.somebody())).await;
        let vendor = a_vendor().await;
        let wanted = input(&vendor, &["api"]);
        join_all(people.iter().map(|person| creates(person, &wanted))).await;
        assert_eq!(vendor_page::Entity::find().count(&api.use_cases.db).await.unwrap(), 1);
        assert_eq!(vendor_page_component::Entity::find().count(&api.use_cases.db).await.unwrap(), 3);
        assert_eq!(service_component::Entity::find().count(&api.use_cases.db).await.unwrap(), 6);
        assert_eq!(due(&api).await.len(), 1);
        for person in &people {
            let mine = person.data("{ services { id } }", json!({})).await;
            assert_eq!(mine["services"].as_array().unwrap().len(), 1);
        }
    }

    async fn other_components_of_the_same_page_are_chosen_later(database: TestDatabase) {
        let api = Api::on(database).await;
        let (ada, eve) = (api.somebody().await, api.somebody().await);
        let vendor = a_vendor().await;
        let service = creates(&ada, &input(&vendor, &["api", "web"])).await;
        let id = service["id"].clone();
        let page = due(&api).await[0];
        api.use_cases.live.remove(&[page]).await.unwrap();
        let ids = |answer: &Value| -> Vec<String> {
            let list = answer["updateService"]["components"].as_array().unwrap();
            list.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
        };
        let renamed = ada.data(UPDATE, json!({ "id": id, "input": { "name": "New" } })).await;
        assert_eq!((&renamed["updateService"]["name"], ids(&renamed)), (&json!("New"), vec!["api".into(), "web".into()]));
        assert_eq!(due(&api).await, [] as [Uuid; 0], "a name is not checked");
        let other = ada.data(UPDATE, json!({ "id": id, "input": service_change(json!({ "componentIds": ["mail", "web"] })) })).await;
        assert_eq!(ids(&other), ["mail", "web"]);
        assert_eq!(due(&api).await, [page]);
        for (wrong, reason) in [
            (json!([]), "choose one component or more"),
            (json!(["web", "nothing", "either"]), "no component with the id \"nothing\", nor 1 others"),
            (json!((0..501).map(|n| n.to_string()).collect::<Vec<_>>()), "501 components, at most 500"),
        ] {
            let (code, field, message) = refused(&ada, UPDATE, json!({ "id": id, "input": service_change(json!({ "componentIds": wrong })) })).await;
            assert_eq!((code.as_str(), field.as_str()), ("BAD_INPUT", "componentIds"));
            assert!(message.contains(reason), "{message}");
        }
        let (code, field, _) = refused(&ada, UPDATE, json!({ "id": id, "input": service_change(json!({ "url": "https://a.test" })) })).await;
        assert_eq!((code.as_str(), field.as_str()), ("BAD_INPUT", "monitor"));
        let foreign = refused(&eve, UPDATE, json!({ "id": id, "input": service_change(json!({ "componentIds": ["api"] })) })).await;
        let absent = refused(&eve, UPDATE, json!({ "id": Uuid::now_v7(), "input": service_change(json!({ "componentIds": ["api"] })) })).await;
        assert_eq!((&foreign, foreign.0.as_str()), (&absent, "NOT_FOUND"));
    }

    async fn one_that_is_gone_is_missing_and_those_of_its_name_are_offered(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let vendor = a_vendor().await;
        let id = creates(&ada, &input(&vendor, &["api", "web"])).await["id"].clone();
        // As the worker stores it after the vendor replaced its API twice.
        let page = vendor_page::Entity::find().one(&api.use_cases.db).await.unwrap().unwrap();
        let mut read = page.clone().into_active_model();
        read.fetched_at = Set(Some(now()));
        read.update(&api.use_cases.db).await.unwrap();
        let old = vendor_page_component::Entity::find_by_id((page.id, "api".to_owned())).one(&api.use_cases.db).await.unwrap().unwrap();
        for (id, group) in [("other", Some("Far away")), ("api-2", None)] {
            let new = vendor_page_component::Model { component_id: id.into(), group_name: group.map(str::to_owned), name: "api".into(), ..old.clone() };
            new.into_active_model().insert(&api.use_cases.db).await.unwrap();
        }
        let mut gone = old.into_active_model();
        gone.missing = Set(true);
        gone.update(&api.use_cases.db).await.unwrap();
        let read = ada.data(READ, json!({ "id": id })).await["service"].clone();
        let api_component = &read["components"][0];
        assert_eq!((&api_component["missing"], &api_component["status"]), (&json!(true), &json!("UNKNOWN")));
        assert_eq!((&api_component["name"], &api_component["vendorStatus"]), (&json!("API"), &json!("")));
        assert_eq!(api_component["successors"], json!([{ "id": "api-2", "name": "api" }, { "id": "other", "name": "api" }]));
        assert_eq!((&read["components"][1]["missing"], &read["components"][1]["successors"]), (&json!(false), &json!([])));
        let offered: Vec<_> = read["vendorPage"]["components"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
        assert!(!offered.contains(&json!("api")), "{offered:?}");
        let chosen = ada.data(UPDATE, json!({ "id": id, "input": service_change(json!({ "componentIds": ["api-2", "web"] })) })).await;
        assert_eq!(chosen["updateService"]["components"][0], json!({ "id": "api-2", "missing": false, "successors": [] }));
        // A followed component may be missing for a while; adding another one does not change it.
        let (code, ..) = refused(&ada, UPDATE, json!({ "id": id, "input": service_change(json!({ "componentIds": ["api"] })) })).await;
        assert_eq!(code, "BAD_INPUT");
    }

    async fn pausing_resuming_and_checking_concern_the_page(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let vendor = a_vendor().await;
        let id = creates(&ada, &input(&vendor, &["api"])).await["id"].clone();
        let page = due(&api).await[0];
        let ask = async |field: &str| ada.asks(&format!("mutation($id: UUID!) {{ {field}(id: $id) {{ paused }} }}"), json!({ "id": id })).await;
        ask("pauseService").await.data();
        assert_eq!(due(&api).await, [page], "others may follow it");
        assert_eq!(ask("checkService").await.code(), "CONFLICT");
        for field in ["resumeService", "checkService"] {
            api.use_cases.live.remove(&[page]).await.unwrap();
            ask(field).await.data();
            assert_eq!(due(&api).await, [page], "{field}");
        }
        ada.data("mutation($id: UUID!) { deleteService(id: $id) }", json!({ "id": id })).await;
        assert_eq!(vendor_page::Entity::find().count(&api.use_cases.db).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_client_is_believed_nothing_about_a_page() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    for (what, reply, reason) in hostile() {
        let vendor = Vendor::start().await;
        vendor.serve(SUMMARY, reply);
        for (field, upstream) in [
            (
                "apiUrls",
                [
                    "30 MB",
                    "a gzip bomb",
                    "503",
                    "a redirect to nowhere",
                    "a redirect out of the web",
                ]
                .contains(&what),
            ),
            ("userDefinedUrls", false),
        ] {
            let mut wanted = input(&vendor, &["api"]);
            wanted["apiUrls"].take();
            wanted[field] = json!([vendor.url(SUMMARY)]);
            let (code, at, message) =
                refused(&ada, CREATE, json!({ "input": new_service(wanted) })).await;
            let expected = if upstream {
                ("UPSTREAM", "")
            } else {
                ("BAD_INPUT", field)
            };
            assert_eq!((code.as_str(), at.as_str()), expected, "{what}: {message}");
            assert!(message.contains(reason), "{what}: {message}");
        }
    }
    let vendor = a_vendor().await;
    let (code, field, message) = refused(
        &ada,
        CREATE,
        json!({ "input": new_service(input(&vendor, &["api", "made-up"])) }),
    )
    .await;
    assert_eq!(
        (code.as_str(), field.as_str()),
        ("BAD_INPUT", "componentIds")
    );
    assert!(message.contains("made-up"), "{message}");
    assert_eq!(
        vendor_page::Entity::find()
            .count(&api.use_cases.db)
            .await
            .unwrap(),
        0,
        "nothing is kept of what was refused"
    );
    assert_eq!(
        ada.data("{ services { id } }", json!({})).await["services"],
        json!([])
    );

    // The link of the service is its owner's; the texts of the page are the vendor's.
    let wanted = with(
        input(&vendor, &["api"]),
        &json!({ "vendorPageUrl": "https://elsewhere.test/" }),
    );
    let service = creates(&ada, &wanted).await;
    assert_eq!(service["vendorPageUrl"], "https://elsewhere.test/");
    assert_eq!(
        (
            &service["vendorPage"]["url"],
            &service["vendorPage"]["name"]
        ),
        (
            &json!("https://status.vendor.example/"),
            &json!("Harbour Cloud")
        )
    );
}

#[tokio::test]
async fn a_discovered_page_is_cached_for_its_finder_only() {
    let api = Api::sqlite().await;
    let (ada, eve) = (api.somebody().await, api.somebody().await);
    let vendor = a_vendor().await;
    ada.data(DISCOVER, json!({ "url": vendor.url("/") })).await;
    let asked = vendor.asked(SUMMARY);
    creates(&ada, &input(&vendor, &["api"])).await;
    assert_eq!(vendor.asked(SUMMARY), asked);
    vendor.serve(SUMMARY, Reply::of("503 Service Unavailable", "", b""));
    // Skipping the fetch would reveal that somebody else follows the page.
    let (code, ..) = refused(
        &eve,
        CREATE,
        json!({ "input": new_service(input(&vendor, &["api"])) }),
    )
    .await;
    assert_eq!(
        (code.as_str(), vendor.asked(SUMMARY)),
        ("UPSTREAM", asked + 1)
    );
}

#[tokio::test]
async fn what_others_read_and_how_long_they_follow_does_not_show() {
    let api = Api::sqlite().await;
    let (ada, eve) = (api.somebody().await, api.somebody().await);
    let vendor = a_vendor().await;
    creates(&ada, &input(&vendor, &["api"])).await;
    let mut page = vendor_page::Entity::find()
        .one(&api.use_cases.db)
        .await
        .unwrap()
        .unwrap()
        .into_active_model();
    page.fetched_at = Set(Some(now() - chrono::Duration::days(3)));
    page.update(&api.use_cases.db).await.unwrap();
    let before = now();
    let service = creates(&eve, &input(&vendor, &["api"])).await;
    let page = &service["vendorPage"];
    let read: chrono::DateTime<chrono::Utc> = page["lastReadAt"].as_str().unwrap().parse().unwrap();
    assert!(read >= before && page["stale"] == false, "{page}");
    assert_eq!(service["components"][0]["status"], "DOWN");
}

#[tokio::test]
async fn a_page_that_is_old_says_so_and_later_says_nothing() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let vendor = a_vendor().await;
    let id = creates(&ada, &input(&vendor, &["api"])).await["id"].clone();
    let service = entity::service::Entity::find()
        .one(&api.use_cases.db)
        .await
        .unwrap()
        .unwrap();
    let work = vendor_maintenance::Model {
        vendor_page_id: service.vendor_page_id.unwrap(),
        maintenance_id: "m".into(),
        name: "Upgrade".into(),
        status: "in_progress".into(),
        scheduled_for: Some(now() - chrono::Duration::hours(2)),
        scheduled_until: Some(now() - chrono::Duration::hours(1)),
        url: None,
        component_ids: json!(["api"]),
        updated_at: now(),
    };
    work.into_active_model()
        .insert(&api.use_cases.db)
        .await
        .unwrap();
    for (minutes, stale, status) in [(4, false, "DOWN"), (6, true, "DOWN"), (16, true, "UNKNOWN")] {
        let at = now() - chrono::Duration::minutes(minutes);
        let mut row = service.clone().into_active_model();
        row.created_at = Set(at);
        row.update(&api.use_cases.db).await.unwrap();
        let page = vendor_page::Entity::find()
            .one(&api.use_cases.db)
            .await
            .unwrap()
            .unwrap();
        let mut page = page.into_active_model();
        page.fetched_at = Set(Some(at));
        page.attempted_at = Set(Some(now()));
        page.failures = Set(3);
        page.message = Set(Some("answered 503".into()));
        page.update(&api.use_cases.db).await.unwrap();
        let notices = "query($id: UUID!) { service(id: $id) { maintenances { id } } }";
        let announced =
            ada.data(notices, json!({ "id": id })).await["service"]["maintenances"].clone();
        // Overdue maintenance lasts while the vendor reports it, but not for ever without a report.
        assert_eq!(
            announced,
            if minutes < 15 {
                json!([{ "id": "m" }])
            } else {
                json!([])
            }
        );
        let read = ada.data(READ, json!({ "id": id })).await["service"].clone();
        assert_eq!(
            (&read["vendorPage"]["stale"], &read["vendorPage"]["failure"]),
            (&json!(stale), &json!("answered 503"))
        );
        assert_eq!(
            read["components"][0]["status"], status,
            "after {minutes} minutes"
        );
        assert_eq!(read["components"][0]["vendorStatus"], "major_outage");
    }
}

#[tokio::test]
async fn a_page_is_discovered_or_given_by_hand_and_never_both() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let vendor = a_vendor().await;
    let given = json!([vendor.url(SUMMARY)]);
    for (changes, field) in [
        (json!({ "userDefinedUrls": given }), "userDefinedUrls"),
        (json!({ "apiUrls": null }), "apiUrls"),
        (json!({ "apiUrls": vec!["https://a.test/"; 11] }), "apiUrls"),
        (json!({ "apiUrls": ["ftp://a.test/"] }), "apiUrls"),
        (
            json!({ "apiUrls": ["https://me:secret@a.test/"] }),
            "apiUrls",
        ),
        (json!({ "componentIds": null }), "componentIds"),
        (json!({ "componentIds": [] }), "componentIds"),
        (
            json!({ "monitor": { "http": {}, "vendorPage": {} } }),
            "monitor",
        ),
        (json!({ "name": " " }), "name"),
        (
            json!({ "monitor": { "http": { "apiUrls": given } } }),
            "apiUrls",
        ),
    ] {
        let wanted = with(input(&vendor, &["api"]), &changes);
        let (code, at, message) =
            refused(&ada, CREATE, json!({ "input": new_service(wanted) })).await;
        assert_eq!(
            (code.as_str(), at.as_str()),
            ("BAD_INPUT", field),
            "{changes}: {message}"
        );
    }
    assert_eq!(
        vendor.asked(SUMMARY),
        0,
        "what is wrong in itself asks nobody"
    );
    let test = "mutation($input: CreateServiceInput!) { testService(input: $input) { status } }";
    let (code, field, _) = refused(
        &ada,
        test,
        json!({ "input": new_service(input(&vendor, &["api"])) }),
    )
    .await;
    assert_eq!((code.as_str(), field.as_str()), ("BAD_INPUT", "monitor"));

    let by_hand = with(
        input(&vendor, &["api"]),
        &json!({ "apiUrls": null, "userDefinedUrls": given }),
    );
    creates(&ada, &by_hand).await;
    let flag = async || {
        vendor_page::Entity::find()
            .one(&api.use_cases.db)
            .await
            .unwrap()
            .unwrap()
            .user_defined
    };
    assert!(flag().await);
    // Once somebody discovered it, it may be rediscovered when it moves; this cannot be undone.
    creates(&ada, &input(&vendor, &["api"])).await;
    assert!(!flag().await);
    creates(&ada, &by_hand).await;
    assert!(!flag().await);
}

#[tokio::test]
async fn the_pages_of_many_services_are_not_told_of_at_once_whole() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let vendor = Vendor::start().await;
    let ids: Vec<String> = (0..2_000).map(|n| format!("c{n}")).collect();
    let components: Vec<_> = ids
        .iter()
        .map(|id| (id.as_str(), "A part", "operational"))
        .collect();
    vendor.shows(&Page::new("Huge", &components));
    creates(&ada, &input(&vendor, &["c1"])).await;
    let mut page = vendor_page::Entity::find()
        .one(&api.use_cases.db)
        .await
        .unwrap()
        .unwrap()
        .into_active_model();
    page.fetched_at = Set(Some(now()));
    let page = page.update(&api.use_cases.db).await.unwrap().id;
    for n in 0..25 {
        follows(
            &api.use_cases.db,
            &ada.user,
            page,
            &format!("Other {n}"),
            &["c1"],
        )
        .await;
    }
    let ask = "{ services { vendorPage { components { id } } } }";
    let error = ada.error(ask, json!({})).await;
    assert_eq!(
        (&error["extensions"]["code"], &error["extensions"]["field"]),
        (&json!("BAD_INPUT"), &json!("components"))
    );
    let one = ada.data("{ services { id } }", json!({})).await["services"][0]["id"].clone();
    let read = ada.data(READ, json!({ "id": one })).await;
    assert_eq!(
        read["service"]["vendorPage"]["components"]
            .as_array()
            .unwrap()
            .len(),
        2_000
    );
}

#[tokio::test]
async fn a_page_of_several_urls_is_followed_though_one_is_empty() {
    let api = Api::sqlite().await;
    let (ada, eve) = (api.somebody().await, api.somebody().await);
    let vendor = Vendor::start().await;
    let components = include_bytes!(
        "../../../../crates/vendor_pages/tests/fixtures/statuspages/cachet2-components.json"
    );
    let schedules = include_bytes!(
        "../../../../crates/vendor_pages/tests/fixtures/statuspages/cachet2-schedules.json"
    );
    vendor.serve("/api/v1/components?per_page=1000", Reply::ok(components));
    vendor.serve("/api/v1/schedules?per_page=50", Reply::ok(schedules));
    let nothing = br#"{"meta": {"pagination": {"total": 0}}, "data": []}"#;
    vendor.serve(
        "/api/v1/incidents?sort=id&order=desc&per_page=50",
        Reply::ok(nothing),
    );
    let found =
        ada.data(DISCOVER, json!({ "url": vendor.url("/") })).await["discoverVendorPage"].clone();
    assert_eq!(
        (
            &found["provider"],
            found["apiUrls"].as_array().unwrap().len()
        ),
        (&json!("Cachet 2"), 3)
    );
    let component = found["components"][0]["id"].clone();
    let wanted = with(
        input(&vendor, &[component.as_str().unwrap()]),
        &json!({ "apiUrls": found["apiUrls"] }),
    );
    // For others it is fetched again.
    for person in [&ada, &eve] {
        let service = creates(person, &wanted).await;
        assert_eq!(service["components"][0]["id"], component);
        assert_eq!(
            service["vendorPage"]["components"]
                .as_array()
                .unwrap()
                .len(),
            found["components"].as_array().unwrap().len()
        );
    }
    assert_eq!(
        vendor_page::Entity::find()
            .count(&api.use_cases.db)
            .await
            .unwrap(),
        1
    );
    // Half of the URLs are another page.
    let half = with(wanted, &json!({ "apiUrls": [found["apiUrls"][0]] }));
    creates(&eve, &half).await;
    assert_eq!(
        vendor_page::Entity::find()
            .count(&api.use_cases.db)
            .await
            .unwrap(),
        2
    );
}

#[tokio::test]
async fn a_page_that_moved_is_followed_where_it_is_now() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let (old, new) = (Vendor::start().await, a_vendor().await);
    old.serve(SUMMARY, Reply::redirect(&new.url(SUMMARY)));
    let service = creates(&ada, &input(&old, &["api"])).await;
    assert_eq!(service["vendorPage"]["apiUrls"], json!([new.url(SUMMARY)]));
}

#[tokio::test]
async fn new_components_are_added_when_another_user_follows_the_page() {
    let api = Api::sqlite().await;
    let (ada, eve) = (api.somebody().await, api.somebody().await);
    let vendor = a_vendor().await;
    creates(&ada, &input(&vendor, &["api"])).await;
    vendor.shows(&Page::new(
        "Other name",
        &[("api", "API", "operational"), ("new", "New", "operational")],
    ));
    let service = creates(&eve, &input(&vendor, &["new"])).await;
    assert_eq!(
        (
            &service["components"][0]["status"],
            &service["components"][0]["missing"]
        ),
        (&json!("UP"), &json!(false))
    );
    // The worker updates changed components for all followers; until then Eve sees her own discovery.
    assert_eq!(service["vendorPage"]["name"], "Other name");
    let shared = vendor_page::Entity::find()
        .one(&api.use_cases.db)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(shared.name.as_deref(), Some("Harbour Cloud"));
    let kept = vendor_page_component::Entity::find()
        .filter(vendor_page_component::Column::ComponentId.eq("api"));
    assert_eq!(
        kept.one(&api.use_cases.db)
            .await
            .unwrap()
            .unwrap()
            .vendor_status,
        "major_outage"
    );
}
