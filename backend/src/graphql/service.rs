//! Services: the object, the queries; inputs and mutations are in modules of their own.

mod bulk;
pub(crate) mod input;
pub(crate) mod kinds;
mod list;
pub(crate) mod mutation;

use super::check::{self, CheckConnection};
use super::history::{LatencyPoint, Uptime, UptimeDay};
use super::incident::{self, Incident, IncidentConnection};
use super::limits::{SERVICES, page};
use super::plain::PlainList;
use super::scalar::{Id, Time};
use super::scope::{ByService, scope};
use super::status::{CurrentStatus, Status, Window};
use super::vendor::{self, FollowedComponent, Maintenance, VendorIncident};
use super::vendor_page::VendorPage;
use crate::use_cases::history::{Answer, HOURS, MAX_DAYS, Question, Stretch};
use crate::use_cases::{Error, Result as OpsResult};
use async_graphql::{Context, Object, Result};
use chrono::TimeDelta;
use entity::service;
use input::ServiceFilter;
use kinds::{FieldValue, MonitorKindInfo, MonitorSchedule};
use list::Services;
use monitors::{Monitor, MonitorKind};
use std::sync::Arc;
use uuid::Uuid;

/// A monitored service; read from the database only when more is asked for than is known.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    id: Uuid,
    known: Option<Arc<service::Model>>,
    /// What the check said that this is told for.
    checked: Option<coordination::CurrentStatus>,
}

impl Service {
    /// One that will be looked up when needed.
    pub(super) const fn by_id(id: Uuid) -> Self {
        Self {
            id,
            known: None,
            checked: None,
        }
    }

    /// One that was checked just now.
    pub(super) const fn after_check(id: Uuid, checked: coordination::CurrentStatus) -> Self {
        Self {
            id,
            known: None,
            checked: Some(checked),
        }
    }

    /// The row. That it is the viewer's is made sure of here, so every field that reads more begins with it.
    async fn row(&self, ctx: &Context<'_>) -> OpsResult<Arc<service::Model>> {
        match &self.known {
            Some(known) => Ok(known.clone()),
            None => scope(ctx)
                .loaders
                .service
                .load(self.id)
                .await?
                .ok_or(Error::NotFound("service")),
        }
    }
}

impl From<Arc<service::Model>> for Service {
    fn from(row: Arc<service::Model>) -> Self {
        Self {
            id: row.id,
            known: Some(row),
            checked: None,
        }
    }
}

/// Something that is monitored.
#[Object]
impl Service {
    /// Unchanging.
    async fn id(&self) -> Id {
        self.id.into()
    }

    /// What you call it.
    async fn name(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(self.row(ctx).await?.name.clone())
    }

    /// Your own grouping.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.row(ctx).await?.category.clone())
    }

    /// Your own labels, in the order of the alphabet.
    #[graphql(complexity = 2)]
    async fn tags(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        let row = self.row(ctx).await?;
        Ok(scope(ctx)
            .loaders
            .tags
            .load(row.id)
            .await?
            .unwrap_or_default())
    }

    /// Free text about it.
    async fn description(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.row(ctx).await?.description.clone())
    }

    /// How it is monitored.
    async fn kind(&self, ctx: &Context<'_>) -> Result<MonitorKind> {
        Ok(kinds::kind_of(&*self.row(ctx).await?)?)
    }

    /// The field of `MonitorInput` that its settings are changed by.
    async fn monitor_input(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(kinds::kind_of(&*self.row(ctx).await?)?.input_name())
    }

    /// What makes it due.
    async fn schedule(&self, ctx: &Context<'_>) -> Result<MonitorSchedule> {
        let kind = kinds::kind_of(&*self.row(ctx).await?)?;
        Ok(kind.info().schedule.into())
    }

    /// What is checked, in one line: a URL, a host with its port or a name; null where that is not one thing.
    async fn target(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(crate::use_cases::target(&*self.row(ctx).await?))
    }

    /// The settings of its kind.
    #[graphql(complexity = "1 + child_complexity")]
    async fn monitor(&self, ctx: &Context<'_>) -> Result<Monitor> {
        kinds::monitor(ctx, self.row(ctx).await?).await
    }

    /// The settings of its kind by the names of their fields, without secrets: for clients that treat every kind alike.
    #[graphql(complexity = "page(5, child_complexity)")]
    async fn settings(&self, ctx: &Context<'_>) -> Result<Vec<FieldValue>> {
        let (readable, _) = kinds::monitor(ctx, self.row(ctx).await?).await?.split();
        Ok(readable.into_iter().map(FieldValue::from).collect())
    }

    /// The names of the secret settings that are set. Their values are never given back.
    async fn secrets_set(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        let (_, secret) = kinds::monitor(ctx, self.row(ctx).await?).await?.split();
        Ok(secret.into_iter().map(|(name, _)| name).collect())
    }

    /// Whether checking is off.
    async fn paused(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.row(ctx).await?.paused)
    }

    /// When it was added.
    async fn created_at(&self, ctx: &Context<'_>) -> Result<Time> {
        Ok(self.row(ctx).await?.created_at.into())
    }

    /// The vendor page for people.
    async fn vendor_page_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.row(ctx).await?.vendor_page_url.clone())
    }

    /// The components of the vendor's page that it follows, in the order in which they were chosen; none where no page is followed.
    #[graphql(complexity = "page(5, child_complexity)")]
    async fn components(&self, ctx: &Context<'_>) -> Result<Vec<FollowedComponent>> {
        let row = self.row(ctx).await?;
        let followed = scope(ctx)
            .loaders
            .followed
            .load(ByService(row))
            .await?
            .unwrap_or_default();
        Ok(followed.into_iter().map(FollowedComponent::from).collect())
    }

    /// Seconds between two checks.
    async fn check_interval_seconds(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(self.row(ctx).await?.check_interval_seconds)
    }

    /// Milliseconds that a check may take as a whole.
    async fn timeout_ms(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(self.row(ctx).await?.timeout_ms)
    }

    /// Milliseconds above which an answer is slow.
    async fn degraded_threshold_ms(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(self.row(ctx).await?.degraded_threshold_ms)
    }

    /// How many checks in a row must fail before it counts.
    async fn confirmations(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(self.row(ctx).await?.confirmations)
    }

    /// How many checks in a row must be good before an incident is over.
    async fn recoveries(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(self.row(ctx).await?.recoveries)
    }

    /// What is known about it now; null before the first check.
    async fn current(&self, ctx: &Context<'_>) -> Result<Option<CurrentStatus>> {
        if let Some(checked) = &self.checked {
            return Ok(Some(CurrentStatus::of(self.id, checked.clone())));
        }
        let row = self.row(ctx).await?;
        let known = scope(ctx).loaders.current.load(ByService(row)).await?;
        Ok(known.map(|known| CurrentStatus::of(self.id, known)))
    }

    /// Uptime over a window that ends now.
    async fn uptime(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Over which time.")] window: Window,
    ) -> Result<Uptime> {
        let row = self.row(ctx).await?;
        let question = Question::Uptime(window.into());
        match scope(ctx)
            .loaders
            .uptime
            .load((ByService(row), question))
            .await?
        {
            Some(Answer::Uptime(uptime)) => Ok(uptime.into()),
            _ => Err(Error::NotFound("service").into()),
        }
    }

    /// Uptime by calendar day in UTC, oldest first, today last.
    #[graphql(complexity = "page(days.unwrap_or(30) / 3, child_complexity)")]
    async fn uptime_days(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many days, 1 to 366.", default_with = "Some(30)")] days: Option<i32>,
    ) -> Result<PlainList<UptimeDay>> {
        let days = checked(days)?;
        let row = self.row(ctx).await?;
        match scope(ctx)
            .loaders
            .uptime
            .load((ByService(row), Question::Days(days)))
            .await?
        {
            Some(Answer::Days(days)) => Ok(PlainList(days.iter().map(UptimeDay).collect())),
            _ => Err(Error::NotFound("service").into()),
        }
    }

    /// How many incidents touched each calendar day in UTC, oldest first, today last: as many numbers as `uptimeDays` has
    /// days.
    #[graphql(complexity = "page(days.unwrap_or(30) / 3, child_complexity)")]
    async fn incident_days(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many days, 1 to 366.", default_with = "Some(30)")] days: Option<i32>,
    ) -> Result<Vec<u32>> {
        let days = checked(days)?;
        let row = self.row(ctx).await?;
        let counts = scope(ctx)
            .loaders
            .incident_days
            .load((row.id, days))
            .await?;
        Ok(counts.unwrap_or_else(|| vec![0; days as usize]))
    }

    /// Response times over a window that ends now, oldest first, in stretches of one length. Of at most 50 services at a
    /// time.
    #[graphql(complexity = "page(100, child_complexity)")]
    async fn latency(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Over which time.")] window: Window,
    ) -> Result<PlainList<LatencyPoint>> {
        let row = self.row(ctx).await?;
        let stretch = Stretch::last(window.into(), scope(ctx).now);
        latency(ctx, row, stretch).await
    }

    /// Of each of the last 24 hours by the clock, how many milliseconds half of the answers took at most: oldest first, the
    /// hour that is under way last, null where nothing was answered. Of at most 200 services at a time.
    #[graphql(complexity = 8)]
    async fn hourly_p50_ms(&self, ctx: &Context<'_>) -> Result<Vec<Option<f64>>> {
        let row = self.row(ctx).await?;
        let medians = scope(ctx)
            .loaders
            .hourly_medians
            .load(ByService(row))
            .await?;
        Ok(medians.unwrap_or_else(|| vec![None; HOURS]))
    }

    /// Response times between two times, oldest first, in stretches of one length: the shortest of which there are not more
    /// than 181 and in which a check is made. Of at most 50 services at a time.
    #[graphql(complexity = "page(181, child_complexity)")]
    async fn latency_between(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "From when on.")] from: Time,
        #[graphql(desc = "Until when, at most 180 days later.")] to: Time,
    ) -> Result<PlainList<LatencyPoint>> {
        if from.0 > to.0 {
            return Err(Error::field("from", "lies after `to`: nothing can match").into());
        }
        let (from, to) = (from.0, to.0.min(scope(ctx).now));
        if to - from > Stretch::LONGEST {
            let days = Stretch::LONGEST.num_days();
            return Err(
                Error::field("from", format!("lies more than {days} days before `to`")).into(),
            );
        }
        let row = self.row(ctx).await?;
        if from >= to {
            return Ok(PlainList(Vec::new()));
        }
        let interval = TimeDelta::seconds(row.check_interval_seconds.into());
        latency(ctx, row, Stretch::between(from, to, interval)).await
    }

    /// Its checks, newest first.
    #[graphql(complexity = "page(first.unwrap_or(100), child_complexity)")]
    async fn checks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 500.", default_with = "Some(100)")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
    ) -> Result<CheckConnection> {
        let row = self.row(ctx).await?;
        Ok(check::of_service(
            scope(ctx),
            ByService(row),
            first.unwrap_or(100),
            after.as_deref(),
        )
        .await?)
    }

    /// Its incidents, newest first.
    #[graphql(complexity = "page(first.unwrap_or(50), child_complexity)")]
    async fn incidents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 500.", default_with = "Some(50)")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
    ) -> Result<IncidentConnection> {
        let row = self.row(ctx).await?;
        Ok(incident::of_service(scope(ctx), row.id, first.unwrap_or(50), after.as_deref()).await?)
    }

    /// The incident that is open; null when there is none.
    async fn open_incident(&self, ctx: &Context<'_>) -> Result<Option<Incident>> {
        let row = self.row(ctx).await?;
        Ok(scope(ctx)
            .loaders
            .open_incident
            .load(row.id)
            .await?
            .map(Incident::from))
    }

    /// The vendor page that it follows; null where none is followed.
    #[graphql(complexity = "1 + child_complexity")]
    async fn vendor_page(&self, ctx: &Context<'_>) -> Result<Option<VendorPage>> {
        let row = self.row(ctx).await?;
        let page = scope(ctx).loaders.page.load(ByService(row.clone())).await?;
        Ok(page.map(|page| VendorPage::of(row, page)))
    }

    /// The vendor's own incidents that are not over and touch what is followed, newest first; none where no page is followed.
    #[graphql(complexity = "page(3, child_complexity)")]
    async fn vendor_incidents(&self, ctx: &Context<'_>) -> Result<Vec<VendorIncident>> {
        let row = self.row(ctx).await?;
        let notices = scope(ctx).loaders.notices.load(ByService(row)).await?;
        Ok(notices.as_ref().map(vendor::incidents).unwrap_or_default())
    }

    /// The vendor's maintenance, scheduled and in progress, that touches what is followed, soonest first; none where no page is followed.
    #[graphql(complexity = "page(3, child_complexity)")]
    async fn maintenances(&self, ctx: &Context<'_>) -> Result<Vec<Maintenance>> {
        let row = self.row(ctx).await?;
        let notices = scope(ctx).loaders.notices.load(ByService(row)).await?;
        Ok(notices
            .as_ref()
            .map(vendor::maintenances)
            .unwrap_or_default())
    }
}

async fn latency(
    ctx: &Context<'_>,
    row: Arc<service::Model>,
    stretch: Stretch,
) -> Result<PlainList<LatencyPoint>> {
    let points = scope(ctx)
        .loaders
        .latency
        .load((ByService(row), stretch))
        .await?
        .unwrap_or_default();
    Ok(PlainList(
        points.into_iter().map(LatencyPoint::from).collect(),
    ))
}

/// How many days were asked for.
fn checked(days: Option<i32>) -> OpsResult<u32> {
    let days = days.unwrap_or(30);
    u32::try_from(days)
        .ok()
        .filter(|days| (1..=MAX_DAYS).contains(days))
        .ok_or_else(|| {
            Error::field(
                "days",
                format!("is {days}, must be between 1 and {MAX_DAYS}"),
            )
        })
}

#[derive(Default)]
pub(crate) struct ServiceQuery;

#[Object]
impl ServiceQuery {
    /// Your services, by name.
    #[graphql(complexity = "page(SERVICES, child_complexity)")]
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all by default.")] filter: Option<ServiceFilter>,
    ) -> Result<Services> {
        let scope = scope(ctx);
        let filter = filter.unwrap_or_default();
        let status = filter.status;
        let services = scope.ops.services(&scope.viewer()?, &filter.into()).await?;
        let Some(status) = status else {
            return Ok(Services(services));
        };
        let keys: Vec<_> = services.iter().cloned().map(ByService).collect();
        // What was never checked is as unknown as can be.
        let known = |_: &_, current: Option<&coordination::CurrentStatus>| {
            Status::from(current.map_or(domain::Status::Unknown, |current| current.status))
        };
        let known = scope.loaders.current.load_all(&keys, known).await?;
        Ok(Services(
            services
                .into_iter()
                .zip(known)
                .filter(|(_, known)| *known == status)
                .map(|(row, _)| row)
                .collect(),
        ))
    }

    /// Every kind of monitor with its fields: what forms, command lines and documentation are made of.
    #[graphql(complexity = "page(15, child_complexity)")]
    async fn monitor_kinds(&self, ctx: &Context<'_>) -> Result<Vec<MonitorKindInfo>> {
        scope(ctx).viewer()?;
        Ok(MonitorKind::ALL
            .iter()
            .copied()
            .map(MonitorKindInfo::from)
            .collect())
    }

    /// One of your services; null when there is none with this id.
    async fn service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service's id.")] id: Id,
    ) -> Result<Option<Service>> {
        let scope = scope(ctx);
        scope.viewer()?;
        Ok(scope.loaders.service.load(id.0).await?.map(Service::from))
    }
}
