//! Migrations on data of the version before them: nothing is lost and everything is found under its
//! new name.
#![allow(clippy::unwrap_used)]

use chrono::{DateTime, Duration, SubsecRound, Utc};
use entity::column::{IncidentType, Role, Status};
use entity::{
    api_token, calendar_feed, check, check_rollup, consumed_login_state, incident,
    incident_acknowledgement, membership, rollup_progress, scheduler_minute, service,
    service_component, service_state, service_tag, user, vendor_incident, vendor_maintenance,
    vendor_page, vendor_page_component, workspace,
};
use migration::Pool;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SimpleExpr};
use sea_orm::{ConnectionTrait, DatabaseConnection, EntityTrait, ModelTrait, PaginatorTrait};
use testkit::PostgresServer;
use uuid::Uuid;

/// Inserts one row whose columns are given by name, because entities only know today's schema.
async fn insert(db: &DatabaseConnection, table: &str, row: Vec<(&str, SimpleExpr)>) {
    let (columns, values): (Vec<_>, Vec<_>) = row
        .into_iter()
        .map(|(column, value)| (Alias::new(column), value))
        .unzip();
    let insert = Query::insert()
        .into_table(Alias::new(table))
        .columns(columns)
        .values_panic(values)
        .to_owned();
    db.execute(&insert).await.unwrap();
}

macro_rules! row {
    ($($column:ident: $value:expr),+ $(,)?) => {
        vec![$((stringify!($column), SimpleExpr::from($value))),+]
    };
}

/// Runs `body` on an empty database of each kind.
macro_rules! on_each_empty_database {
    ($(async fn $name:ident($db:ident: DatabaseConnection) $body:block)+) => { $(
        mod $name {
            use super::*;

            async fn body($db: DatabaseConnection) $body

            #[tokio::test]
            async fn sqlite() {
                let directory = tempfile::tempdir().unwrap();
                let file = directory.path().join("upgrade.sqlite");
                Box::pin(body(connect(&format!("sqlite://{}", file.display())).await)).await;
            }

            #[tokio::test]
            async fn postgres() {
                let url = PostgresServer::shared().await.create_database().await;
                Box::pin(body(connect(&url).await)).await;
            }
        }
    )+ };
}

async fn connect(url: &str) -> DatabaseConnection {
    let pool = Pool {
        max_connections: 2,
        ..Pool::default()
    };
    migration::connect(url, &pool).await.unwrap()
}

on_each_empty_database! {
    async fn plain_names_keep_every_row(db: DatabaseConnection) {
        migration::run_first(&db, 7).await.unwrap();
        let now: DateTime<Utc> = Utc::now().trunc_subsecs(3);
        let [user, http, followed, page, open] = [(); 5].map(|()| Uuid::now_v7());
        insert(&db, "users", row! { id: user, email: "ada@example.com", name: "Ada", created_at: now, updated_at: now }).await;
        insert(&db, "status_pages", row! {
            id: page, key: "status.vendor.example", api_urls: serde_json::json!(["https://status.vendor.example/api"]), created_at: now,
        }).await;
        insert(&db, "status_page_components", row! {
            status_page_id: page, component_id: "api", name: "API", position: 0, status: 0_i16, vendor_status: "operational", updated_at: now,
        }).await;
        for (id, kind) in [(http, "http"), (followed, "status_page")] {
            let vendor_page = (kind == "status_page").then_some(page);
            insert(&db, "services", row! {
                id: id, user_id: user, name: kind, kind: kind, url: "https://example.com/", status_page_url: "https://status.vendor.example/",
                status_page_id: vendor_page, created_at: now, updated_at: now,
            }).await;
            insert(&db, "service_state", row! { service_id: id, status: 0_i16, since: now - Duration::hours(2) }).await;
        }
        insert(&db, "vendor_incidents", row! {
            status_page_id: page, incident_id: "i1", name: "Slow API", impact: "minor", status: "investigating",
            component_ids: serde_json::json!(["api"]), updates: serde_json::json!([]), updated_at: now,
        }).await;
        insert(&db, "vendor_maintenances", row! {
            status_page_id: page, maintenance_id: "m1", name: "Database", status: "scheduled",
            component_ids: serde_json::json!(["api"]), updated_at: now,
        }).await;
        insert(&db, "incidents", row! {
            id: open, service_id: http, user_id: user, kind: "degraded", started_at: now, checks_failed: 2,
        }).await;
        let slot = now.timestamp_millis();
        insert(&db, "checks", row! { service_number: 1, slot: slot, delay_ms: 7, interval_seconds: 30, status: 1_i16 }).await;
        insert(&db, "check_rollups", row! {
            service_number: 1, period: 0_i16, start: slot, up_ms: 1_i64, degraded_ms: 2_i64, down_ms: 3_i64, maintenance_ms: 4_i64,
            checks: 5, failed: 6, latency: Vec::<u8>::new(),
        }).await;
        insert(&db, "rollup_progress", row! { service_number: 1, slot: slot, interval_seconds: 30, status: 1_i16 }).await;
        insert(&db, "used_sign_ins", row! { id: vec![1_u8, 2], expires_at: now }).await;
        insert(&db, "scheduling_periods", row! {
            started_at: now, worker_id: user, checks: 9, missed: 0, max_lateness_ms: 3, lateness: Vec::<u8>::new(),
        }).await;

        migration::run(&db).await.unwrap();
        migration::verify(&db).await.unwrap();

        let by_id = async |id: Uuid| service::Entity::find_by_id(id).one(&db).await.unwrap().unwrap();
        let (own, vendors) = (by_id(http).await, by_id(followed).await);
        assert_eq!((own.kind.as_str(), own.seq, own.vendor_page_id), ("http", 1, None));
        assert_eq!((vendors.kind.as_str(), vendors.seq, vendors.vendor_page_id), ("vendor_page", 2, Some(page)));
        assert_eq!(vendors.vendor_page_url.as_deref(), Some("https://status.vendor.example/"));
        let state = service_state::Entity::find_by_id(http).one(&db).await.unwrap().unwrap();
        assert_eq!((state.status, state.status_since), (Status::Up, now - Duration::hours(2)));
        let incident = incident::Entity::find_by_id(open).one(&db).await.unwrap().unwrap();
        assert_eq!(incident.incident_type, IncidentType::Degraded);
        let check = check::Entity::find().one(&db).await.unwrap().unwrap();
        assert_eq!((check.service_seq, check.slot, check.lateness_ms), (1, slot, 7));
        let rollup = check_rollup::Entity::find().one(&db).await.unwrap().unwrap();
        assert_eq!((rollup.service_seq, rollup.down_ms), (1, 3));
        let progress = rollup_progress::Entity::find().one(&db).await.unwrap().unwrap();
        assert_eq!((progress.service_seq, progress.slot), (1, slot));
        let component = vendor_page_component::Entity::find().one(&db).await.unwrap().unwrap();
        assert_eq!((component.vendor_page_id, component.component_id.as_str()), (page, "api"));
        let reported = vendor_incident::Entity::find().one(&db).await.unwrap().unwrap();
        assert_eq!((reported.vendor_page_id, reported.incident_id.as_str()), (page, "i1"));
        let announced = vendor_maintenance::Entity::find().one(&db).await.unwrap().unwrap();
        assert_eq!((announced.vendor_page_id, announced.maintenance_id.as_str()), (page, "m1"));
        assert_eq!(consumed_login_state::Entity::find().one(&db).await.unwrap().unwrap().id, [1, 2]);
        assert_eq!(scheduler_minute::Entity::find().one(&db).await.unwrap().unwrap().checks, 9);

        // What hung on a row still does: a deleted page lets go of its followers and takes its own rows along.
        let deleted = vendor_page::Entity::find_by_id(page).one(&db).await.unwrap().unwrap();
        deleted.delete(&db).await.unwrap();
        assert_eq!(by_id(followed).await.vendor_page_id, None);
        assert_eq!(vendor_incident::Entity::find().count(&db).await.unwrap(), 0);
        by_id(http).await.delete(&db).await.unwrap();
        assert_eq!(check::Entity::find().count(&db).await.unwrap(), 0);
        assert_eq!(incident::Entity::find().count(&db).await.unwrap(), 0);
    }

    async fn settings_of_monitors_become_json(db: DatabaseConnection) {
        migration::run_first(&db, 8).await.unwrap();
        let now: DateTime<Utc> = Utc::now().trunc_subsecs(3);
        let [user, http, followed, page] = [(); 4].map(|()| Uuid::now_v7());
        insert(&db, "users", row! { id: user, email: "ada@example.com", name: "Ada", created_at: now, updated_at: now }).await;
        insert(&db, "vendor_pages", row! {
            id: page, key: "status.vendor.example", api_urls: serde_json::json!(["https://status.vendor.example/api"]), created_at: now,
        }).await;
        let url = "https://example.com/?quoted=\"yes\"&what=\\";
        insert(&db, "services", row! {
            id: http, user_id: user, name: "Shop", kind: "http", url: url, expected_status: "200-299,301", confirmations: 3,
            created_at: now, updated_at: now,
        }).await;
        insert(&db, "services", row! {
            id: followed, user_id: user, name: "Vendor", kind: "vendor_page", vendor_page_id: page, created_at: now, updated_at: now,
        }).await;
        for id in [http, followed] {
            insert(&db, "service_state", row! { service_id: id, status: 2_i16, status_since: now, failing_checks: 4 }).await;
        }
        let last_check = Query::update()
            .table(Alias::new("service_state"))
            .value(Alias::new("dns_ms"), 7)
            .value(Alias::new("first_byte_ms"), 120)
            .value(Alias::new("certificate_expires_at"), now)
            .and_where(Expr::col(Alias::new("service_id")).eq(http))
            .to_owned();
        db.execute(&last_check).await.unwrap();
        insert(&db, "service_components", row! { service_id: followed, component_id: "api", name: "API", position: 0 }).await;

        migration::run(&db).await.unwrap();
        migration::verify(&db).await.unwrap();

        let by_id = async |id: Uuid| service::Entity::find_by_id(id).one(&db).await.unwrap().unwrap();
        let own = by_id(http).await;
        assert_eq!(own.settings, serde_json::json!({ "url": url, "expectedStatus": "200-299,301" }));
        assert_eq!((own.confirmations, own.recoveries), (3, 1));
        assert_eq!((own.secrets, own.description), (None, None));
        let vendors = by_id(followed).await;
        assert_eq!((vendors.settings, vendors.vendor_page_id), (serde_json::json!({}), Some(page)));
        assert_eq!(service_component::Entity::find().count(&db).await.unwrap(), 1);
        let state = service_state::Entity::find_by_id(http).one(&db).await.unwrap().unwrap();
        assert_eq!((state.failing_checks, state.recovering_checks, state.recovering_since), (4, 0, None));
        let details: domain::Details = serde_json::from_value(state.details).unwrap();
        assert_eq!(details.phases.dns_ms, Some(7));
        assert_eq!(details.phases.first_byte_ms, Some(120));
        assert_eq!(details.phases.connect_ms, None);
        assert_eq!(details.certificate_expires_at, Some(now));
        let never_checked = service_state::Entity::find_by_id(followed).one(&db).await.unwrap().unwrap();
        assert_eq!(never_checked.details, serde_json::json!({}));

        // Tags go with their service.
        insert(&db, "service_tags", row! { workspace_id: user, service_id: http, tag: "env:prod" }).await;
        by_id(http).await.delete(&db).await.unwrap();
        assert_eq!(service_tag::Entity::find().count(&db).await.unwrap(), 0);
    }

    async fn workspaces_keep_every_row_of_their_users(db: DatabaseConnection) {
        migration::run_first(&db, 9).await.unwrap();
        let now: DateTime<Utc> = Utc::now().trunc_subsecs(3);
        let [ada, ben] = [(); 2].map(|()| Uuid::now_v7());
        let mut services = Vec::new();
        for (user, name) in [(ada, "Ada"), (ben, "Ben")] {
            insert(&db, "users", row! { id: user, email: "a@example.com", name: name, created_at: now, updated_at: now }).await;
            let [service, open, token] = [(); 3].map(|()| Uuid::now_v7());
            insert(&db, "services", row! {
                id: service, user_id: user, name: name, kind: "http", settings: serde_json::json!({ "url": "https://example.com/" }),
                created_at: now, updated_at: now,
            }).await;
            insert(&db, "service_tags", row! { service_id: service, tag: "env:prod" }).await;
            insert(&db, "incidents", row! {
                id: open, service_id: service, user_id: user, type: "downtime", started_at: now, checks_failed: 2,
            }).await;
            insert(&db, "incident_acknowledgements", row! { incident_id: open, user_id: user, at: now }).await;
            insert(&db, "service_state", row! { service_id: service, status: 2_i16, status_since: now, open_incident_id: open }).await;
            insert(&db, "api_tokens", row! {
                id: token, user_id: user, name: name, token_hash: token.as_bytes().to_vec(), read_only: true, created_at: now, last_used_at: now,
            }).await;
            insert(&db, "calendar_feeds", row! { user_id: user, secret_hash: token.as_bytes().to_vec(), created_at: now }).await;
            services.push((user, service, open, token));
        }
        insert(&db, "checks", row! {
            service_seq: 1, slot: now.timestamp_millis(), lateness_ms: 7, interval_seconds: 30, status: 1_i16,
        }).await;

        migration::run(&db).await.unwrap();
        migration::verify(&db).await.unwrap();

        for (owner, service, open, token) in services {
            let personal = workspace::Entity::find_by_id(owner).one(&db).await.unwrap().unwrap();
            let person = user::Entity::find_by_id(owner).one(&db).await.unwrap().unwrap();
            assert!(personal.personal);
            assert_eq!(personal.name, person.name);
            assert_eq!(personal.created_at, now);
            let own = membership::Entity::find_by_id((owner, owner)).one(&db).await.unwrap().unwrap();
            assert_eq!(own.role, Role::Owner);
            let service = service::Entity::find_by_id(service).one(&db).await.unwrap().unwrap();
            assert_eq!((service.workspace_id, service.name), (owner, person.name));
            let tag = service_tag::Entity::find_by_id((service.id, "env:prod".to_owned())).one(&db).await.unwrap().unwrap();
            assert_eq!(tag.workspace_id, owner);
            let incident = incident::Entity::find_by_id(open).one(&db).await.unwrap().unwrap();
            assert_eq!((incident.workspace_id, incident.service_id), (owner, service.id));
            let state = service_state::Entity::find_by_id(service.id).one(&db).await.unwrap().unwrap();
            assert_eq!(state.open_incident_id, Some(open));
            let seen = incident_acknowledgement::Entity::find_by_id(open).one(&db).await.unwrap().unwrap();
            assert_eq!(seen.user_id, owner);
            let token = api_token::Entity::find_by_id(token).one(&db).await.unwrap().unwrap();
            assert_eq!((token.workspace_id, token.user_id, token.read_only), (owner, owner, true));
            assert_eq!((token.created_at, token.last_used_at, token.expires_at), (now, Some(now), None));
            let feed = calendar_feed::Entity::find_by_id(owner).one(&db).await.unwrap().unwrap();
            assert_eq!((feed.created_at, feed.last_read_at), (now, None));
        }
        assert_eq!(check::Entity::find().count(&db).await.unwrap(), 1);

        // A workspace takes along what belongs to it, and nothing of another's.
        workspace::Entity::delete_by_id(ada).exec(&db).await.unwrap();
        assert_eq!(check::Entity::find().count(&db).await.unwrap(), 0);
        for left in [
            service::Entity::find().count(&db).await.unwrap(),
            service_tag::Entity::find().count(&db).await.unwrap(),
            incident::Entity::find().count(&db).await.unwrap(),
            incident_acknowledgement::Entity::find().count(&db).await.unwrap(),
            membership::Entity::find().count(&db).await.unwrap(),
            api_token::Entity::find().count(&db).await.unwrap(),
            calendar_feed::Entity::find().count(&db).await.unwrap(),
        ] {
            assert_eq!(left, 1, "that of the other user");
        }
        assert_eq!(user::Entity::find().count(&db).await.unwrap(), 2);
    }
}
