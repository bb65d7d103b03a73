//! Vendor pages that services follow. A minute passes when a test says so: the times in the page's row are set
//! back, and the page is made due.

mod announcements;
mod changes;
mod faults;
mod following;
mod load;
mod moving;
mod politeness;

use crate::stage::{Running, Stage, eventually};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use entity::column::ListCoverage;
use entity::{
    service, service_component, user, vendor_incident, vendor_maintenance, vendor_page,
    vendor_page_component,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Set,
};
use serde_json::json;
use std::sync::atomic::Ordering::SeqCst;
use testkit::Vendor;
use testkit::builders::a_service;
use testkit::vendor::{Page, SUMMARY};
use uuid::Uuid;

/// The API and the website, with the vendor's words for their statuses.
fn page(api: &str, web: &str) -> Page {
    Page::new("Vendor", &[("api", "API", api), ("web", "Website", web)])
}

impl Stage {
    /// The page that answers at these addresses, as the API makes it when the first service follows it.
    async fn page_at(&self, urls: &[String]) -> vendor_page::Model {
        let page = vendor_page::Model {
            id: Uuid::now_v7(),
            key: urls.join("\n"),
            url: None,
            name: None,
            provider: None,
            api_urls: json!(urls),
            user_defined: false,
            fetched_at: None,
            attempted_at: None,
            failures: 0,
            message: None,
            listing: ListCoverage::All,
            not_before: None,
            validators: None,
            detected_at: None,
            created_at: now(),
        };
        page.into_active_model().insert(&self.db).await.unwrap()
    }

    /// The page of `vendor`.
    async fn page_of(&self, vendor: &Vendor) -> vendor_page::Model {
        self.page_at(&[vendor.url_at("vendor.test", SUMMARY)]).await
    }

    /// A service of this stage's user that follows components of `page`, as the API makes it.
    async fn follower(&self, page: &vendor_page::Model, components: &[&str]) -> service::Model {
        self.follower_of(&self.user, page, components).await
    }

    async fn follower_of(
        &self,
        user: &user::Model,
        page: &vendor_page::Model,
        components: &[&str],
    ) -> service::Model {
        let service = a_service(&self.db, user).follows(page.id).create().await;
        for (position, id) in (0..).zip(components) {
            let name = match *id {
                "api" => "API",
                "web" => "Website",
                other => other,
            };
            let component = service_component::Model {
                service_id: service.id,
                component_id: (*id).into(),
                name: name.into(),
                group_name: None,
                position,
                missing: false,
            };
            component
                .into_active_model()
                .insert(&self.db)
                .await
                .unwrap();
        }
        service
    }

    /// Makes the page due now, as the API does when a service begins to follow it.
    async fn due(&self, page: &vendor_page::Model) {
        self.all_due(std::slice::from_ref(page)).await;
    }

    async fn all_due(&self, pages: &[vendor_page::Model]) {
        let now = self.live.now().await.unwrap();
        self.live
            .schedule(&pages.iter().map(|page| (page.id, now)).collect::<Vec<_>>())
            .await
            .unwrap();
    }

    /// Sets the times in the page's row back, as if so many seconds had passed.
    async fn passes(&self, page: &vendor_page::Model, seconds: i64) {
        let row = self.row(page).await;
        let back = |at: Option<DateTime<Utc>>| Set(at.map(|at| at - TimeDelta::seconds(seconds)));
        let (fetched_at, attempted_at, not_before, detected_at) = (
            back(row.fetched_at),
            back(row.attempted_at),
            back(row.not_before),
            back(row.detected_at),
        );
        let row = vendor_page::ActiveModel {
            fetched_at,
            attempted_at,
            not_before,
            detected_at,
            ..row.into()
        };
        row.update(&self.db).await.unwrap();
    }

    /// Lets a minute pass and has the page asked; returns its row after that. It may be due already: then it is asked as
    /// soon as the minute has passed.
    async fn poll(&self, page: &vendor_page::Model) -> vendor_page::Model {
        let before = self.row(page).await;
        self.passes(page, 61).await;
        self.asked_since(&before).await
    }

    /// Has the page asked, which must be allowed; returns its row after that.
    async fn ask(&self, page: &vendor_page::Model) -> vendor_page::Model {
        self.asked_since(&self.row(page).await).await
    }

    async fn asked_since(&self, before: &vendor_page::Model) -> vendor_page::Model {
        self.due(before).await;
        eventually("the page was asked", async || {
            let row = self.row(before).await;
            let asked = row.attempted_at > before.attempted_at;
            let recorded = row.fetched_at > before.fetched_at || row.failures > before.failures;
            (asked && recorded).then_some(row)
        })
        .await
    }

    async fn row(&self, page: &vendor_page::Model) -> vendor_page::Model {
        vendor_page::Entity::find_by_id(page.id)
            .one(&self.db)
            .await
            .unwrap()
            .unwrap()
    }

    async fn components(&self, page: &vendor_page::Model) -> Vec<vendor_page_component::Model> {
        let of_page = vendor_page_component::Column::VendorPageId.eq(page.id);
        let rows = vendor_page_component::Entity::find().filter(of_page);
        rows.order_by_asc(vendor_page_component::Column::ComponentId)
            .all(&self.db)
            .await
            .unwrap()
    }

    async fn vendor_incidents(&self, page: &vendor_page::Model) -> Vec<vendor_incident::Model> {
        let of_page = vendor_incident::Column::VendorPageId.eq(page.id);
        let rows = vendor_incident::Entity::find().filter(of_page);
        rows.order_by_asc(vendor_incident::Column::IncidentId)
            .all(&self.db)
            .await
            .unwrap()
    }

    async fn maintenances(&self, page: &vendor_page::Model) -> Vec<vendor_maintenance::Model> {
        let of_page = vendor_maintenance::Column::VendorPageId.eq(page.id);
        let rows = vendor_maintenance::Entity::find().filter(of_page);
        rows.order_by_asc(vendor_maintenance::Column::MaintenanceId)
            .all(&self.db)
            .await
            .unwrap()
    }

    /// What the service remembers of the components that it follows.
    async fn remembered(&self, service: &service::Model) -> Vec<(String, String, bool)> {
        let of_service = service_component::Column::ServiceId.eq(service.id);
        let rows = service_component::Entity::find().filter(of_service);
        let rows = rows
            .order_by_asc(service_component::Column::Position)
            .all(&self.db)
            .await
            .unwrap();
        rows.into_iter()
            .map(|row| (row.component_id, row.name, row.missing))
            .collect()
    }
}

impl Running {
    /// Waits until pages were looked at `more` times more, asked or not, than `before`.
    async fn has_polled(&self, before: u64, more: u64) {
        eventually("the page was looked at", async || {
            (self.polls() >= before + more).then_some(())
        })
        .await;
    }

    fn polls(&self) -> u64 {
        self.stats.pages.polls.load(SeqCst)
    }
}

fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}
