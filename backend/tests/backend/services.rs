//! Mutations of services: their effect on rows, queue and events, and each refusal.

use crate::api::{Api, eventually, now};
use backend::graphql;
use backend::use_cases::Quotas;
use chrono::Duration;
use coordination::{CachedStatus, CurrentStatus};
use entity::column::Status;
use entity::{incident_event, service, service_state};
use monitors::Prober;
use net::{ClientSettings, Guard, LookupSource};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::builders::{a_service, a_user};
use testkit::database::TestDatabase;
use testkit::input::{new_service, service_change};
use testkit::on_each_database;
use testkit::target::{Behaviour, Target};
use uuid::Uuid;

const CREATE: &str = "mutation($input: CreateServiceInput!) { createService(input: $input) {
    id name category kind paused target monitor { ... on HttpMonitor { url expectedStatus } } vendorPageUrl checkIntervalSeconds timeoutMs
    degradedThresholdMs confirmations recoveries tags description current { status } openIncident { id } components { id } vendorIncidents { id } maintenances { id }
} }";
const UPDATE: &str = "mutation($id: UUID!, $input: UpdateServiceInput!) { updateService(id: $id, input: $input) {
    id name category target vendorPageUrl checkIntervalSeconds timeoutMs degradedThresholdMs confirmations tags
} }";
const PAUSE: &str =
    "mutation($id: UUID!) { pauseService(id: $id) { id paused current { status message } } }";
const RESUME: &str = "mutation($id: UUID!) { resumeService(id: $id) { id paused } }";
const DELETE: &str = "mutation($id: UUID!) { deleteService(id: $id) }";
const CHECK: &str = "mutation($id: UUID!) { checkService(id: $id) { id } }";
const TEST: &str = "mutation($input: CreateServiceInput!) { testService(input: $input) {
    status statusCode responseTimeMs message phases { dnsMs connectMs tlsMs firstByteMs } certificateExpiresAt
} }";
const CURRENT: &str = "query($id: UUID!) { service(id: $id) { current {
    status since checkedAt responseTimeMs statusCode message phases { dnsMs connectMs } certificateExpiresAt
} } }";

/// Returns whether the service is due, and removes it from the queue.
async fn is_due(api: &Api, id: &str) -> bool {
    let claimed = api
        .use_cases
        .live
        .claim(100, std::time::Duration::from_secs(60))
        .await
        .unwrap();
    claimed
        .claims
        .iter()
        .any(|claim| claim.service_id.to_string() == id)
}

on_each_database! {
    async fn a_created_service_has_the_defaults_and_is_due_at_once(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let input = json!({ "name": " Shop ", "url": "shop.test/health", "category": "Work" });
        let made = ada.data(CREATE, json!({ "input": new_service(input) })).await["createService"].clone();
        assert_eq!(made["name"], "Shop");
        assert_eq!(made["category"], "Work");
        assert_eq!(made["target"], "https://shop.test/health");
        assert_eq!((&made["kind"], &made["paused"]), (&json!("HTTP"), &json!(false)));
        assert_eq!((&made["checkIntervalSeconds"], &made["timeoutMs"]), (&json!(30), &json!(5000)));
        assert_eq!((&made["degradedThresholdMs"], &made["confirmations"]), (&json!(1000), &json!(2)));
        assert_eq!(made["monitor"]["expectedStatus"], "200-299");
        assert_eq!((&made["current"], &made["openIncident"]), (&Value::Null, &Value::Null));
        for list in ["components", "vendorIncidents", "maintenances"] {
            assert_eq!(made[list], json!([]));
        }
        assert!(is_due(&api, made["id"].as_str().unwrap()).await);

        let found = ada.data("{ services { name category } }", json!({})).await;
        assert_eq!(found["services"], json!([{ "name": "Shop", "category": "Work" }]));
    }

    async fn an_update_changes_the_given_fields_and_checks_if_needed(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let id = ada.adds("Shop").await;
        assert!(is_due(&api, &id).await);

        let name_only = json!({ "name": "Store", "category": "Work", "vendorPageUrl": "status.test" });
        let changed = ada.data(UPDATE, json!({ "id": id, "input": name_only })).await["updateService"].clone();
        assert_eq!((&changed["name"], &changed["category"]), (&json!("Store"), &json!("Work")));
        assert_eq!((&changed["target"], &changed["timeoutMs"]), (&json!("https://a.test/"), &json!(5000)));
        assert_eq!(changed["vendorPageUrl"], "https://status.test/");
        assert!(!is_due(&api, &id).await, "a name does not change what a check finds");

        let cleared = json!({ "category": null, "vendorPageUrl": null, "timeoutMs": 4000 });
        let changed = ada.data(UPDATE, json!({ "id": id, "input": cleared })).await["updateService"].clone();
        assert_eq!((&changed["category"], &changed["vendorPageUrl"]), (&Value::Null, &Value::Null));
        assert_eq!((&changed["name"], &changed["timeoutMs"]), (&json!("Store"), &json!(4000)));
        assert!(is_due(&api, &id).await);
    }

    async fn pausing_ends_the_incident_and_resuming_checks_at_once(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let service = a_service(&api.use_cases.db, &ada.user).create().await;
        let incident = api.is_down(&service).await;
        let id = json!({ "id": service.id });

        let paused = ada.data(PAUSE, id.clone()).await["pauseService"].clone();
        assert_eq!(paused["paused"], true);
        assert_eq!(paused["current"], json!({ "status": "UNKNOWN", "message": "paused" }));
        assert!(!is_due(&api, &service.id.to_string()).await);
        let seen = ada.data("{ incidents { totalCount edges { node { id state resolvedAt events { kind message } } } } }", json!({})).await;
        let seen = &seen["incidents"]["edges"][0]["node"];
        assert_eq!((&seen["id"], &seen["state"]), (&json!(incident), &json!("RESOLVED")));
        assert!(seen["resolvedAt"].is_string());
        assert_eq!(seen["events"][0]["kind"], "paused");
        let state = service_state::Entity::find_by_id(service.id).one(&api.use_cases.db).await.unwrap().unwrap();
        assert_eq!((state.status, state.open_incident_id, state.failing_checks), (Status::Unknown, None, 0));

        // Repeating it changes nothing.
        ada.data(PAUSE, id.clone()).await;
        assert_eq!(incident_event::Entity::find().all(&api.use_cases.db).await.unwrap().len(), 1);

        let resumed = ada.data(RESUME, id).await;
        assert_eq!(resumed["resumeService"]["paused"], false);
        assert!(is_due(&api, &service.id.to_string()).await);
    }

    async fn a_deleted_service_is_gone_with_all_that_was_recorded_of_it(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let service = a_service(&api.use_cases.db, &ada.user).create().await;
        api.is_down(&service).await;
        let id = json!({ "id": service.id });
        assert_eq!(ada.data(DELETE, id.clone()).await["deleteService"], json!(service.id));
        assert_eq!(ada.error(DELETE, id).await["extensions"]["code"], "NOT_FOUND");
        let left = ada.data("{ services { id } incidents { totalCount } }", json!({})).await;
        assert_eq!(left, json!({ "services": [], "incidents": { "totalCount": 0 } }));
        assert_eq!(api.use_cases.live.queue_len().await.unwrap(), 0);
        assert_eq!(api.use_cases.live.cached_statuses(&[service.id]).await.unwrap(), [None]);
    }

    async fn a_cached_list_shows_every_change_at_once(database: TestDatabase) {
        let api = Api::on(database).await;
        let (ada, bob) = (api.somebody().await, api.somebody().await);
        let mut ids = Vec::new();
        for name in ["a", "b", "c"] {
            let service = a_service(&api.use_cases.db, &ada.user).name(name).created_at(now() - Duration::hours(1));
            ids.push(service.create().await.id);
        }
        let list = async || {
            let data = ada.data("{ services { name category paused } }", json!({})).await;
            let services = data["services"].as_array().unwrap().iter();
            let one = |service: &Value| format!("{} {} {}", service["name"], service["category"], service["paused"]).replace('"', "");
            services.map(one).collect::<Vec<_>>()
        };
        assert_eq!(list().await, ["a null false", "b null false", "c null false"]);
        assert_eq!(list().await, ["a null false", "b null false", "c null false"]);
        let rename = "mutation($id: UUID!) { updateService(id: $id, input: { name: \"x\" }) { id } }";
        ada.data(rename, json!({ "id": ids[1] })).await;
        assert_eq!(list().await, ["a null false", "c null false", "x null false"]);
        // Again in the same millisecond.
        let change = async |id: Uuid, name: &str| {
            let change = service::ActiveModel { id: Set(id), name: Set(name.into()), ..Default::default() };
            change.update(&api.use_cases.db).await.unwrap();
        };
        change(ids[1], "y").await;
        assert_eq!(list().await, ["a null false", "c null false", "y null false"]);
        // The list is cached until a service changes; only a change without a time goes unnoticed.
        for id in ids.iter().copied() {
            let updated_at = Set(now() - Duration::hours(1));
            let settled = service::ActiveModel { id: Set(id), updated_at, ..Default::default() };
            settled.update(&api.use_cases.db).await.unwrap();
        }
        assert_eq!(list().await, ["a null false", "c null false", "y null false"]);
        change(ids[0], "unseen").await;
        assert_eq!(list().await, ["a null false", "c null false", "y null false"]);
        ada.data("mutation($ids: [UUID!]!) { pauseServices(ids: $ids) { id } }", json!({ "ids": [ids[0]] })).await;
        ada.data("mutation($ids: [UUID!]!) { recategoriseServices(ids: $ids, category: \"web\") { id } }", json!({ "ids": [ids[2]] })).await;
        assert_eq!(list().await, ["c web false", "unseen null true", "y null false"]);
        ada.data("mutation($ids: [UUID!]!) { deleteServices(ids: $ids) }", json!({ "ids": [ids[1]] })).await;
        a_service(&api.use_cases.db, &ada.user).name("new").create().await;
        assert_eq!(list().await, ["c web false", "new null false", "unseen null true"]);
        assert_eq!(bob.data("{ services { name } }", json!({})).await["services"], json!([]));
    }

    async fn concurrent_requests_do_not_exceed_the_number_of_services(database: TestDatabase) {
        let api = Api::within(database, Quotas { max_services: 3, ..Quotas::default() }).await;
        let ada = api.somebody().await;
        let input = json!({ "input": new_service(json!({ "name": "x", "url": "https://x.test" })) });
        let attempts = (0..8).map(|_| ada.asks(CREATE, input.clone()));
        let answers = futures::future::join_all(attempts).await;
        let refused: Vec<_> = answers.into_iter().filter(|answer| answer.0.get("errors").is_some()).collect();
        assert_eq!(refused.len(), 5);
        let error = refused.into_iter().next().unwrap().error();
        assert_eq!(error["extensions"]["code"], "CONFLICT");
        assert!(error["message"].as_str().unwrap().contains("this workspace has 3 services"), "{error}");
        // Services of others do not count.
        api.somebody().await.data(CREATE, input).await;
    }
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_stored() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let good = json!({ "name": "x", "url": "https://x.test" });
    for (wrong, field) in [
        (json!({ "name": "" }), "name"),
        (json!({ "name": "n".repeat(1_000_000) }), "name"),
        (json!({ "name": "a\u{0}b" }), "name"),
        (json!({ "url": "https://" }), "url"),
        (json!({ "url": null }), "url"),
        (json!({ "url": "ftp://x.test" }), "url"),
        (json!({ "url": "https://me:secret@x.test" }), "url"),
        (json!({ "vendorPageUrl": "a b" }), "vendorPageUrl"),
        (json!({ "checkIntervalSeconds": 0 }), "checkIntervalSeconds"),
        (
            json!({ "checkIntervalSeconds": -2_147_483_648 }),
            "checkIntervalSeconds",
        ),
        (json!({ "checkIntervalSeconds": 9 }), "checkIntervalSeconds"),
        (json!({ "timeoutMs": 50 }), "timeoutMs"),
        (
            json!({ "degradedThresholdMs": 6000 }),
            "degradedThresholdMs",
        ),
        (json!({ "expectedStatus": "ok" }), "expectedStatus"),
        (json!({ "confirmations": 11 }), "confirmations"),
        (json!({ "category": "c".repeat(61) }), "category"),
        (json!({ "monitor": { "gopher": {} } }), "gopher"),
        (json!({ "monitor": null }), "monitor"),
        (json!({ "monitor": {} }), "monitor"),
        (json!({ "tags": ["a,b"] }), "tags"),
        (json!({ "recoveries": 0 }), "recoveries"),
        (
            json!({ "monitor": { "http": { "componentIds": ["a"] } } }),
            "componentIds",
        ),
        (json!({ "monitor": { "http": { "url": 1 } } }), "url"),
        (json!({ "timeoutMs": "fast" }), "timeoutMs"),
    ] {
        let mut input = good.clone();
        input
            .as_object_mut()
            .unwrap()
            .extend(wrong.as_object().unwrap().clone());
        for mutation in [CREATE, TEST] {
            let error = ada
                .error(mutation, json!({ "input": new_service(input.clone()) }))
                .await;
            assert_eq!(error["extensions"]["code"], "BAD_INPUT", "{error}");
            assert_eq!(error["extensions"]["field"], field, "{error}");
            assert!(error["message"].as_str().unwrap().len() < 600);
        }
    }
    let error = ada
        .error(
            CREATE,
            json!({ "input": new_service(json!({ "name": "", "confirmations": 0 })) }),
        )
        .await;
    assert_eq!(error["extensions"]["field"], "name");
    let fields = error["extensions"]["fields"].as_array().unwrap();
    let names: Vec<_> = fields
        .iter()
        .map(|field| field["field"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["name", "url", "confirmations"]);
    assert_eq!(
        fields[2]["message"],
        "is 0, must be between 1 and 10 checks"
    );
    assert_eq!(
        ada.data("{ services { id } }", json!({})).await["services"],
        json!([])
    );
}

#[tokio::test]
async fn an_update_is_judged_as_a_whole_and_null_is_no_value() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let id = ada.adds("Shop").await;
    for (wrong, field) in [
        (json!({ "name": null }), "name"),
        (json!({ "url": null }), "url"),
        (json!({ "timeoutMs": null }), "timeoutMs"),
        (json!({ "confirmations": null }), "confirmations"),
        (json!({ "monitor": null }), "monitor"),
        (json!({ "componentIds": ["a"] }), "monitor"),
        (json!({ "expectedStatus": null }), "expectedStatus"),
        (json!({ "timeoutMs": 30_001 }), "timeoutMs"),
        (
            json!({ "degradedThresholdMs": 5001 }),
            "degradedThresholdMs",
        ),
        (json!({ "url": "" }), "url"),
    ] {
        let error = ada
            .error(UPDATE, json!({ "id": id, "input": service_change(wrong) }))
            .await;
        assert_eq!(error["extensions"]["code"], "BAD_INPUT", "{error}");
        assert_eq!(error["extensions"]["field"], field, "{error}");
    }
    let both = json!({ "id": id, "input": { "name": null, "confirmations": 0 } });
    assert_eq!(
        ada.error(UPDATE, both).await["extensions"]["fields"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let nothing = ada.data(UPDATE, json!({ "id": id, "input": {} })).await;
    assert_eq!(nothing["updateService"]["name"], "Shop");
}

#[tokio::test]
async fn an_interval_below_a_raised_minimum_allows_other_changes() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let service = a_service(&api.use_cases.db, &ada.user)
        .interval(5)
        .timeout(4000)
        .create()
        .await;
    let renamed = json!({ "id": service.id, "input": { "name": "Quick" } });
    assert_eq!(
        ada.data(UPDATE, renamed).await["updateService"]["checkIntervalSeconds"],
        5
    );
    let faster = json!({ "id": service.id, "input": { "checkIntervalSeconds": 6 } });
    assert_eq!(
        ada.error(UPDATE, faster).await["extensions"]["field"],
        "checkIntervalSeconds"
    );
}

#[tokio::test]
async fn a_check_can_be_asked_for_unless_the_service_is_paused() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let id = ada.adds("Shop").await;
    assert!(is_due(&api, &id).await);
    assert_eq!(
        ada.data(CHECK, json!({ "id": id })).await["checkService"]["id"],
        json!(id)
    );
    assert!(is_due(&api, &id).await);
    ada.data(PAUSE, json!({ "id": id })).await;
    assert_eq!(
        ada.error(CHECK, json!({ "id": id })).await["extensions"]["code"],
        "CONFLICT"
    );
}

#[tokio::test]
async fn a_test_looks_once_and_stores_nothing() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let target = Target::start().await;
    let input = json!({ "input": new_service(json!({ "name": "x", "url": target.url(), "degradedThresholdMs": 5000 })) });
    let found = ada.data(TEST, input.clone()).await["testService"].clone();
    assert_eq!(
        (&found["status"], &found["statusCode"]),
        (&json!("UP"), &json!(200)),
        "{found}"
    );
    assert!(
        found["responseTimeMs"].is_u64()
            && found["phases"].is_object()
            && found["message"].is_null()
    );
    target.behave(Behaviour::code(503)).await;
    let found = ada.data(TEST, input).await["testService"].clone();
    assert_eq!(
        (&found["status"], &found["statusCode"]),
        (&json!("DOWN"), &json!(503))
    );
    assert_eq!(found["message"], "answered 503, expected 200-299");
    assert_eq!(target.requests(), 2);
    assert_eq!(
        ada.data("{ services { id } }", json!({})).await["services"],
        json!([])
    );
}

#[tokio::test]
async fn the_status_is_read_from_the_cache_or_the_database_and_expires() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let service = a_service(&api.use_cases.db, &ada.user).create().await;
    let id = json!({ "id": service.id });
    assert_eq!(
        ada.data(CURRENT, id.clone()).await["service"]["current"],
        Value::Null
    );

    api.is_down(&service).await;
    let current = ada.data(CURRENT, id.clone()).await["service"]["current"].clone();
    assert_eq!(
        (&current["status"], &current["message"]),
        (&json!("DOWN"), &json!("connection refused"))
    );
    assert_eq!(current["phases"], json!({ "dnsMs": 7, "connectMs": null }));

    let copy = |checked_at| CachedStatus {
        service_id: service.id,
        slot: checked_at,
        current: CurrentStatus {
            status: domain::Status::Up,
            since: checked_at,
            checked_at,
            response_time_ms: Some(12),
            status_code: Some(200),
            message: None,
        },
    };
    // The interval and half a minute of grace: 60 s.
    let long_ago = now() - Duration::seconds(61);
    api.use_cases
        .live
        .cache_statuses(&[copy(long_ago)])
        .await
        .unwrap();
    let current = ada.data(CURRENT, id.clone()).await["service"]["current"].clone();
    assert_eq!(
        (&current["status"], &current["responseTimeMs"]),
        (&json!("UNKNOWN"), &Value::Null)
    );
    assert!(
        current["message"]
            .as_str()
            .unwrap()
            .starts_with("not checked since "),
        "{current}"
    );

    api.use_cases
        .live
        .cache_statuses(&[copy(now() - Duration::seconds(50))])
        .await
        .unwrap();
    let current = ada.data(CURRENT, id).await["service"]["current"].clone();
    assert_eq!(
        (&current["status"], &current["responseTimeMs"]),
        (&json!("UP"), &json!(12))
    );
    assert!(current["since"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn a_filter_finds_what_it_says_and_nothing_else() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let db = &api.use_cases.db;
    a_service(db, &ada.user)
        .name("Straße")
        .category("Ä")
        .create()
        .await;
    a_service(db, &ada.user)
        .name("100% sure")
        .url("https://Shop.test/a_b")
        .category("Work")
        .create()
        .await;
    let down = a_service(db, &ada.user)
        .name("axb")
        .url("https://other.test/")
        .category("Work")
        .create()
        .await;
    let paused = a_service(db, &ada.user).name("Zoo").paused().create().await;
    api.is_down(&down).await;
    api.is_down(&paused).await;
    let stranger = a_user(db).await;
    a_service(db, &stranger)
        .name("100% sure")
        .category("Work")
        .create()
        .await;
    for (filter, names) in [
        (json!({}), vec!["100% sure", "axb", "Straße", "Zoo"]),
        (json!({ "category": "Work" }), vec!["100% sure", "axb"]),
        (json!({ "category": "work" }), vec![]),
        (json!({ "category": "" }), vec!["Zoo"]),
        (json!({ "search": "STRASSE" }), vec![]),
        (json!({ "search": "straßE" }), vec!["Straße"]),
        (json!({ "search": "%" }), vec!["100% sure"]),
        (json!({ "search": "a_b" }), vec!["100% sure"]),
        (json!({ "search": "shop.TEST" }), vec!["100% sure"]),
        (json!({ "search": "' OR 1=1 --" }), vec![]),
        (json!({ "search": "\u{0}" }), vec![]),
        (json!({ "category": "\u{0}" }), vec![]),
        (
            json!({ "search": "  " }),
            vec!["100% sure", "axb", "Straße", "Zoo"],
        ),
        (json!({ "status": "DOWN" }), vec!["axb"]),
        (
            json!({ "status": "UNKNOWN" }),
            vec!["100% sure", "Straße", "Zoo"],
        ),
        (json!({ "kind": "VENDOR_PAGE" }), vec![]),
        (
            json!({ "kind": "HTTP", "status": "DOWN", "category": "Work", "search": "AX" }),
            vec!["axb"],
        ),
    ] {
        let query = "query($filter: ServiceFilter) { services(filter: $filter) { name } }";
        let found = ada.data(query, json!({ "filter": filter })).await;
        let found: Vec<_> = found["services"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["name"].as_str().unwrap())
            .collect();
        assert_eq!(found, names, "{filter}");
    }
}

#[tokio::test]
async fn a_change_that_the_live_state_does_not_hear_of_is_made_even_so() {
    let redis = testkit::RedisServer::start().await;
    let mut redis = redis;
    let mut api = Api::sqlite().await;
    api.use_cases.live = coordination::Coordination::connect(&redis.url())
        .await
        .unwrap();
    api.schema = backend::graphql::schema(api.use_cases.clone());
    let ada = api.somebody().await;
    let id = ada.adds("Shop").await;
    redis.kill().await;
    let renamed = json!({ "id": id, "input": { "name": "Store", "timeoutMs": 4000 } });
    ada.data(UPDATE, renamed).await;
    let error = ada.error(CHECK, json!({ "id": id })).await;
    assert_eq!(
        error["extensions"]["code"], "UPSTREAM",
        "nothing would come of it: {error}"
    );
    ada.data(PAUSE, json!({ "id": id })).await;
    let seen = ada
        .data("{ services { name paused current { status } } }", json!({}))
        .await;
    assert_eq!(
        seen["services"],
        json!([{ "name": "Store", "paused": true, "current": null }])
    );
    redis.start_again().await;
    ada.data(RESUME, json!({ "id": id })).await;
    eventually("the live state is used again", async || {
        ada.asks(CHECK, json!({ "id": id }))
            .await
            .0
            .get("errors")
            .is_none()
    })
    .await;
    let left = service_state::Entity::find().filter(service_state::Column::LastSlot.is_not_null());
    assert!(left.all(&api.use_cases.db).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_address_without_a_scheme_is_tried_by_https_and_then_by_http() {
    let names = ["plain.test", "nothing.test"].map(|name| {
        let loopback = Ok(vec![std::net::Ipv4Addr::LOCALHOST.into()]);
        (name.to_owned(), loopback)
    });
    let mut api = Api::sqlite().await;
    api.use_cases.prober = Prober::new(ClientSettings {
        guard: Guard::AllowPrivate,
        names: LookupSource::Table(Arc::new(names.into())),
        ..Default::default()
    })
    .unwrap();
    api.schema = graphql::schema(api.use_cases.clone());
    let ada = api.somebody().await;
    let target = Target::start().await;
    let url = target.url();
    let (_, port_and_path) = url.rsplit_once(':').unwrap();
    let closed = Target::start().await;
    closed.behave(Behaviour::Refuse).await;
    let closed_url = closed.url();
    let (_, closed) = closed_url.rsplit_once(':').unwrap();
    for (given, read) in [
        // It speaks no TLS, whatever its name promises.
        (
            format!("plain.test:{port_and_path}"),
            format!("http://plain.test:{port_and_path}"),
        ),
        (
            format!("localhost:{port_and_path}"),
            format!("http://localhost:{port_and_path}"),
        ),
        (
            format!("127.0.0.1:{port_and_path}"),
            format!("http://127.0.0.1:{port_and_path}"),
        ),
        // Nothing answers, or nothing has that name.
        (
            format!("nothing.test:{closed}"),
            format!("https://nothing.test:{closed}"),
        ),
        ("nowhere.test/x".into(), "https://nowhere.test/x".into()),
        (
            format!("https://plain.test:{port_and_path}"),
            format!("https://plain.test:{port_and_path}"),
        ),
    ] {
        let input = json!({ "input": new_service(json!({ "name": "x", "url": given })) });
        let tested =
            "mutation($input: CreateServiceInput!) { testService(input: $input) { target } }";
        let tested = ada.data(tested, input.clone()).await["testService"].clone();
        assert_eq!(tested["target"], json!(read), "tested: {given}");
        let created = ada.data(CREATE, input).await["createService"].clone();
        assert_eq!(created["target"], json!(read), "created: {given}");
        let other = ada.adds("Other").await;
        let change = json!({ "id": other, "input": { "monitor": { "http": { "url": given } } } });
        let updated = ada.data(UPDATE, change).await["updateService"].clone();
        assert_eq!(updated["target"], json!(read), "updated: {given}");
    }
}

#[tokio::test]
async fn an_edit_during_an_incident_is_an_event_of_it() {
    let api = Api::sqlite().await;
    let ada = api.somebody().await;
    let service = a_service(&api.use_cases.db, &ada.user).create().await;
    let incident = api.is_down(&service).await;
    let mut updates = ada.subscribes("subscription { incidentUpdates { id } }", json!({}));
    updates.begins();
    let update = async |change: Value| {
        ada.data(UPDATE, json!({ "id": service.id, "input": change }))
            .await;
    };
    update(json!({ "name": "Renamed", "tags": ["a"] })).await;
    update(json!({ "timeoutMs": 4000, "monitor": { "http": { "url": "https://b.test/x" } } }))
        .await;
    let update = updates.next().await.unwrap().data()["incidentUpdates"].clone();
    assert_eq!(update, json!({ "id": incident }));
    let events = incident_event::Entity::find()
        .all(&api.use_cases.db)
        .await
        .unwrap();
    let events: Vec<_> = events
        .iter()
        .map(|event| (event.kind.as_str(), event.message.as_str()))
        .collect();
    assert_eq!(
        events,
        [(
            "definition_changed",
            "the definition was changed: address (now https://b.test/x), timeout"
        )],
        "a name is not part of it"
    );
}
