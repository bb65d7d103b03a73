//! The vendor page of a service that follows it: components, incidents and maintenance.

use crate::api::{Api, now};
use chrono::Duration;
use entity::column::{ListCoverage, Status};
use entity::{
    service_component, vendor_incident, vendor_maintenance, vendor_page, vendor_page_component,
};
use sea_orm::{ActiveModelTrait, DatabaseConnection, IntoActiveModel, Set};
use serde_json::{Value, json};
use testkit::builders::a_service;
use testkit::database::TestDatabase;
use testkit::on_each_database;
use uuid::Uuid;

const QUERY: &str = "{ services { name kind
    components { id name groupName status vendorStatus missing }
    vendorIncidents { id name impact status startedAt url components pageWide updates { at status body } }
    maintenances { id name status scheduledFor scheduledUntil url components pageWide overdue }
} }";

on_each_database! {
    async fn a_service_shows_what_touches_the_components_that_it_follows(database: TestDatabase) {
        let api = Api::on(database).await;
        let ada = api.somebody().await;
        let page = a_page(&api).await;
        for (name, chosen) in [("API only", vec!["api"]), ("both and one gone", vec!["web", "api", "gone"]), ("web only", vec!["web"])] {
            follows(&api.use_cases.db, &ada.user, page, name, &chosen).await;
        }
        a_service(&api.use_cases.db, &ada.user).name("plain HTTP").create().await;

        let services = ada.data(QUERY, json!({})).await["services"].clone();
        let ids = |list: &Value| -> Vec<String> {
            list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
        };
        let [api_only, both, plain, web] = [&services[0], &services[1], &services[2], &services[3]];
        assert_eq!(api_only["kind"], "VENDOR_PAGE");
        assert_eq!(
            api_only["components"],
            json!([{ "id": "api", "name": "API", "groupName": "Core", "status": "DEGRADED",
                "vendorStatus": "degraded_performance", "missing": false }])
        );
        // What names no component of the page is shown for every service that follows it.
        assert_eq!(ids(&api_only["vendorIncidents"]), ["of-api", "of-everything", "of-nothing"]);
        let page_wide = |list: &Value| -> Vec<bool> {
            list.as_array().unwrap().iter().map(|one| one["pageWide"].as_bool().unwrap()).collect()
        };
        assert_eq!(page_wide(&api_only["vendorIncidents"]), [false, false, true]);
        assert_eq!(api_only["vendorIncidents"][2]["components"], json!([]));
        assert_eq!(api_only["vendorIncidents"][0]["components"], json!(["API", "unlisted"]));
        assert_eq!(api_only["vendorIncidents"][0]["updates"][0]["body"], "We are looking into it.");
        assert_eq!(ids(&api_only["maintenances"]), ["late", "soon", "of-nothing", "announced"]);
        assert_eq!(page_wide(&api_only["maintenances"]), [false, false, true, false]);
        let overdue: Vec<_> = api_only["maintenances"].as_array().unwrap().iter().map(|one| one["overdue"].clone()).collect();
        assert_eq!(overdue, [true, false, false, false]);
        assert_eq!(api_only["vendorIncidents"][0]["url"], "https://status.test/i");
        assert_eq!(api_only["vendorIncidents"][1]["url"], Value::Null, "no address of the web");
        assert_eq!(api_only["vendorIncidents"][0]["updates"][1]["at"], api_only["vendorIncidents"][0]["startedAt"]);

        assert_eq!(ids(&both["components"]), ["web", "api", "gone"]);
        assert_eq!((&both["components"][2]["missing"], &both["components"][2]["status"]), (&json!(true), &json!("UNKNOWN")));
        assert_eq!(both["components"][2]["name"], "gone when chosen");
        assert_eq!(ids(&both["vendorIncidents"]), ["of-web", "of-api", "of-everything", "of-nothing"]);
        assert_eq!((&web["name"], ids(&web["vendorIncidents"])), (&json!("web only"), vec!["of-web".to_owned(), "of-everything".to_owned(), "of-nothing".to_owned()]));
        assert_eq!(ids(&web["maintenances"]), ["of-nothing", "announced"]);

        for list in ["components", "vendorIncidents", "maintenances"] {
            assert_eq!(plain[list], json!([]));
        }
    }
}

/// A page with two components, five incidents (one resolved) and four maintenances.
async fn a_page(api: &Api) -> Uuid {
    let db = &api.use_cases.db;
    let page = page(db, "https://status.test/api/v2/summary.json").await;
    for (id, hours, components, over) in [
        ("of-web", 1, json!(["web"]), false),
        ("of-api", 2, json!(["api", "unlisted"]), false),
        ("of-everything", 3, json!(["api", "web"]), false),
        ("of-nothing", 5, json!([]), false),
        ("over", 4, json!(["api"]), true),
    ] {
        let incident = vendor_incident::Model {
            vendor_page_id: page,
            incident_id: id.into(),
            name: "Trouble".into(),
            impact: "minor".into(),
            status: "investigating".into(),
            started_at: Some(now() - Duration::hours(hours)),
            resolved_at: over.then(now),
            url: Some(
                if id == "of-api" {
                    "https://status.test/i"
                } else {
                    "javascript:alert(1)"
                }
                .into(),
            ),
            component_ids: components,
            updates: json!([
                { "at": "2026-11-22T10:00:00Z", "status": "investigating", "body": "We are looking into it." },
                { "at": "not a time" }, "not an update"
            ]),
            updated_at: now(),
        };
        incident.into_active_model().insert(db).await.unwrap();
    }
    for (id, status, hours, components) in [
        ("announced", "scheduled", 2, json!(["api", "web"])),
        ("soon", "scheduled", 0, json!(["api"])),
        ("of-nothing", "scheduled", 1, json!([])),
        ("late", "in_progress", -3, json!(["api"])),
    ] {
        let maintenance = vendor_maintenance::Model {
            vendor_page_id: page,
            maintenance_id: id.into(),
            name: "Upgrade".into(),
            status: status.into(),
            scheduled_for: Some(now() + Duration::hours(hours)),
            scheduled_until: (id == "late").then(|| now() - Duration::hours(1)),
            url: None,
            component_ids: components,
            updated_at: now(),
        };
        maintenance.into_active_model().insert(db).await.unwrap();
    }
    page
}

/// A page with two components.
pub(crate) async fn page(db: &DatabaseConnection, key: &str) -> Uuid {
    let page = vendor_page::Model {
        id: Uuid::now_v7(),
        key: key.into(),
        url: Some("https://status.test/".into()),
        name: Some("Vendor".into()),
        provider: Some("statuspage".into()),
        api_urls: json!([key]),
        user_defined: false,
        fetched_at: Some(now()),
        attempted_at: Some(now()),
        failures: 0,
        message: None,
        listing: ListCoverage::All,
        not_before: None,
        validators: None,
        detected_at: None,
        created_at: now(),
    };
    let page = page.into_active_model().insert(db).await.unwrap().id;
    for (id, name, status, word) in [
        ("api", "API", Status::Degraded, "degraded_performance"),
        ("web", "Website", Status::Up, "operational"),
    ] {
        let component = vendor_page_component::Model {
            vendor_page_id: page,
            component_id: id.into(),
            name: name.into(),
            group_name: Some("Core".into()),
            position: 0,
            status,
            vendor_status: word.into(),
            missing: false,
            updated_at: now(),
        };
        component.into_active_model().insert(db).await.unwrap();
    }
    page
}

/// A service that follows components of a page.
pub(crate) async fn follows(
    db: &DatabaseConnection,
    user: &entity::user::Model,
    page: Uuid,
    name: &str,
    chosen: &[&str],
) {
    let service = a_service(db, user).name(name).create().await;
    let mut service = service.into_active_model();
    service.kind = Set("vendor_page".into());
    service.settings = Set(json!({}));
    // The page was fetched after that.
    service.created_at = Set(now() - Duration::days(1));
    service.vendor_page_id = Set(Some(page));
    let service = service.update(db).await.unwrap();
    for (position, id) in (0..).zip(chosen) {
        let component = service_component::Model {
            service_id: service.id,
            component_id: (*id).into(),
            name: format!("{id} when chosen"),
            group_name: None,
            position,
            missing: *id == "gone",
        };
        component.into_active_model().insert(db).await.unwrap();
    }
}
