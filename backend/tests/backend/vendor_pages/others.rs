//! A new follower of a page does not see what was read for others before.

use super::{a_vendor, creates, input};
use crate::api::{Api, now};
use chrono::{DateTime, Duration, Utc};
use entity::{service, vendor_incident, vendor_maintenance, vendor_page, vendor_page_component};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};
use serde_json::{Value, json};
use testkit::database::TestDatabase;
use testkit::on_each_database;
use testkit::vendor::{SUMMARY, Vendor};
use uuid::Uuid;

const READ: &str = "query($id: UUID!) { service(id: $id) { components { id name groupName status vendorStatus missing }
    vendorIncidents { id updates { at body } } maintenances { id }
    vendorPage { name url provider apiUrls stale failure components { id name status vendorStatus } } } }";

on_each_database! {
    async fn other_followers_are_not_visible_until_the_page_is_read_again(database: TestDatabase) {
        let api = Api::on(database).await;
        let (ada, eve) = (api.somebody().await, api.somebody().await);
        let (known, new) = (a_vendor().await, a_vendor().await);
        creates(&ada, &input(&known, &["api"])).await;
        let page = as_the_worker_leaves_it(&api).await;

        let see = async |vendor: &Vendor| -> Value {
            let id = creates(&eve, &input(vendor, &["api", "web"])).await["id"].clone();
            let seen = eve.data(READ, json!({ "id": id })).await["service"].to_string();
            serde_json::from_str(&seen.replace(&vendor.url(SUMMARY), "its address")).unwrap()
        };
        let (of_known, of_new) = (see(&known).await, see(&new).await);
        assert_eq!(of_known, of_new);
        assert_eq!(of_known["components"][0]["status"], "DOWN", "what was read for her is shown");

        // Another process, or this one later, has no cached discovery and shows nothing.
        let service = service::Entity::find().filter(service::Column::VendorPageId.eq(page))
            .filter(service::Column::WorkspaceId.eq(eve.user.id)).one(&api.use_cases.db).await.unwrap().unwrap();
        let mut row = vendor_page::Entity::find_by_id(page).one(&api.use_cases.db).await.unwrap().unwrap().into_active_model();
        row.key = Set("https://moved.test/".into());
        row.update(&api.use_cases.db).await.unwrap();
        let seen = eve.data(READ, json!({ "id": service.id })).await["service"].clone();
        assert_eq!((&seen["vendorPage"]["name"], &seen["vendorPage"]["components"]), (&Value::Null, &json!([])));
        assert_eq!((&seen["components"][0]["status"], &seen["components"][0]["name"]), (&json!("UNKNOWN"), &json!("API")));
        assert_eq!((&seen["components"][0]["vendorStatus"], &seen["components"][0]["missing"]), (&json!(""), &json!(false)));

        // After the next fetch everything is shown, dated to the time from which she could know it.
        let mut row = vendor_page::Entity::find_by_id(page).one(&api.use_cases.db).await.unwrap().unwrap().into_active_model();
        row.fetched_at = Set(Some(now()));
        row.attempted_at = Set(Some(now()));
        row.update(&api.use_cases.db).await.unwrap();
        let seen = eve.data(READ, json!({ "id": service.id })).await["service"].clone();
        assert_eq!((&seen["vendorPage"]["name"], &seen["vendorPage"]["failure"]), (&json!("Old name"), &json!("answered 503")));
        assert_eq!((&seen["vendorIncidents"][0]["id"], &seen["maintenances"]), (&json!("i"), &json!([{ "id": "m" }])));
        let at: DateTime<Utc> = seen["vendorIncidents"][0]["updates"][0]["at"].as_str().unwrap().parse().unwrap();
        assert_eq!(at, service.created_at);
    }
}

/// A page that was read ten minutes ago and fails since, with an incident, maintenance and other
/// texts.
async fn as_the_worker_leaves_it(api: &Api) -> Uuid {
    let (db, before) = (&api.use_cases.db, now() - Duration::minutes(10));
    let page = vendor_page::Entity::find().one(db).await.unwrap().unwrap();
    let id = page.id;
    let mut page = page.into_active_model();
    page.fetched_at = Set(Some(before));
    page.attempted_at = Set(Some(before + Duration::minutes(9)));
    page.failures = Set(3);
    page.message = Set(Some("answered 503".into()));
    page.name = Set(Some("Old name".into()));
    page.url = Set(Some("https://old.test/".into()));
    page.update(db).await.unwrap();
    for component in vendor_page_component::Entity::find().all(db).await.unwrap() {
        let mut component = component.into_active_model();
        component.name = Set("Old".into());
        component.group_name = Set(Some("Old".into()));
        component.vendor_status = Set("old".into());
        component.update(db).await.unwrap();
    }
    let incident = vendor_incident::Model {
        vendor_page_id: id,
        incident_id: "i".into(),
        name: "Trouble".into(),
        impact: "minor".into(),
        status: "investigating".into(),
        started_at: None,
        resolved_at: None,
        url: None,
        component_ids: json!(["api"]),
        updates: json!([{ "body": "We are looking into it." }]),
        updated_at: before,
    };
    incident.into_active_model().insert(db).await.unwrap();
    let maintenance = vendor_maintenance::Model {
        vendor_page_id: id,
        maintenance_id: "m".into(),
        name: "Upgrade".into(),
        status: "scheduled".into(),
        scheduled_for: Some(now() + Duration::hours(2)),
        scheduled_until: None,
        url: None,
        component_ids: json!(["api"]),
        updated_at: before,
    };
    maintenance.into_active_model().insert(db).await.unwrap();
    id
}
