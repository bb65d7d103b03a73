//! The `Service` object.

use super::kinds::{self, FieldValue, MonitorSchedule};
use crate::graphql::check::{self, CheckConnection};
use crate::graphql::history::{LatencyPoint, Uptime, UptimeBars, UptimeDay};
use crate::graphql::incident::{self, IncidentConnection};
use crate::graphql::limits::page;
use crate::graphql::loaders::ByService;
use crate::graphql::node::{Incident, Service};
use crate::graphql::request_context::request_context;
use crate::graphql::scalar::{Id, ScalarList, Time};
use crate::graphql::status::{CurrentStatus, Window};
use crate::graphql::vendor_page::{
    self, FollowedComponent, Maintenance, VendorIncident, VendorPage,
};
use crate::use_cases::history::{
    DailyUptime, HOURS, LatencyWindow, MAX_DAYS, UptimeQuery, UptimeResult,
};
use crate::use_cases::{Error, Result as UseCaseResult, now};
use async_graphql::{Context, Object, Result};
use chrono::TimeDelta;
use entity::service;
use monitors::{Monitor, MonitorKind};
use std::sync::Arc;

/// A monitored service.
#[Object]
impl Service {
    /// Unique id; it never changes.
    async fn id(&self) -> Id {
        self.id.into()
    }

    /// Name that you gave it.
    async fn name(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(self.row(ctx).await?.name.clone())
    }

    /// Category that you put it into.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.row(ctx).await?.category.clone())
    }

    /// Tags that you gave it, in alphabetical order.
    #[graphql(complexity = 2)]
    async fn tags(&self, ctx: &Context<'_>) -> Result<ScalarList<String>> {
        let row = self.row(ctx).await?;
        let tags = request_context(ctx).loaders.tags.load(row.id).await?;
        Ok(ScalarList(tags.unwrap_or_default()))
    }

    /// Description that you gave it.
    async fn description(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.row(ctx).await?.description.clone())
    }

    /// How it is checked.
    async fn kind(&self, ctx: &Context<'_>) -> Result<MonitorKind> {
        Ok(kinds::kind_of(&*self.row(ctx).await?)?)
    }

    /// Field of `MonitorInput` that changes its settings.
    async fn monitor_input(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(kinds::kind_of(&*self.row(ctx).await?)?.input_name())
    }

    /// What makes its checks due.
    async fn schedule(&self, ctx: &Context<'_>) -> Result<MonitorSchedule> {
        let kind = kinds::kind_of(&*self.row(ctx).await?)?;
        Ok(kind.info().schedule.into())
    }

    /// What is checked, in one line: a URL, a host with its port or a name; null if there is no
    /// single target.
    async fn target(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(crate::use_cases::settings::target(&*self.row(ctx).await?))
    }

    /// Settings of its kind.
    #[graphql(complexity = "1 + child_complexity")]
    async fn monitor(&self, ctx: &Context<'_>) -> Result<Monitor> {
        kinds::monitor(ctx, self.row(ctx).await?).await
    }

    /// Settings of its kind by field name, without secrets: for clients that handle every kind
    /// alike.
    #[graphql(complexity = "page(5, child_complexity)")]
    async fn settings(&self, ctx: &Context<'_>) -> Result<Vec<FieldValue>> {
        let (readable, _) = kinds::monitor(ctx, self.row(ctx).await?).await?.split();
        Ok(readable.into_iter().map(FieldValue::from).collect())
    }

    /// Names of the secret settings that are set. Their values are never returned.
    async fn secrets_set(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        let (_, secret) = kinds::monitor(ctx, self.row(ctx).await?).await?.split();
        Ok(secret.into_iter().map(|(name, _)| name).collect())
    }

    /// Whether checks are paused.
    async fn paused(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.row(ctx).await?.paused)
    }

    /// When it was created.
    async fn created_at(&self, ctx: &Context<'_>) -> Result<Time> {
        Ok(self.row(ctx).await?.created_at.into())
    }

    /// The vendor's own page for people.
    async fn vendor_page_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.row(ctx).await?.vendor_page_url.clone())
    }

    /// Components of the vendor page that it follows, in the order in which they were chosen; empty
    /// if it follows none.
    #[graphql(complexity = "page(5, child_complexity)")]
    async fn components(&self, ctx: &Context<'_>) -> Result<Vec<FollowedComponent>> {
        let row = self.row(ctx).await?;
        let followed = request_context(ctx)
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

    /// Timeout of a whole check, in milliseconds.
    async fn timeout_ms(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(self.row(ctx).await?.timeout_ms)
    }

    /// Response time in milliseconds above which the service is degraded.
    async fn degraded_threshold_ms(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(self.row(ctx).await?.degraded_threshold_ms)
    }

    /// Number of consecutive failed checks that confirm a failure.
    async fn confirmations(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(self.row(ctx).await?.confirmations)
    }

    /// Number of consecutive good checks that resolve an incident.
    async fn recoveries(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(self.row(ctx).await?.recoveries)
    }

    /// Current status; null before the first check.
    async fn current(&self, ctx: &Context<'_>) -> Result<Option<CurrentStatus>> {
        if let Some(checked) = &self.checked {
            return Ok(Some(CurrentStatus::of(self.id, checked.clone())));
        }
        let row = self.row(ctx).await?;
        let known = request_context(ctx)
            .loaders
            .current
            .load(ByService(row))
            .await?;
        Ok(known.map(|known| CurrentStatus::of(self.id, known)))
    }

    /// Uptime over a time window that ends now.
    async fn uptime(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The time window.")] window: Window,
    ) -> Result<Uptime> {
        let row = self.row(ctx).await?;
        let question = UptimeQuery::Window(window.into());
        match request_context(ctx)
            .loaders
            .uptime
            .load((ByService(row), question))
            .await?
        {
            Some(UptimeResult::Window(uptime)) => Ok(uptime.into()),
            _ => Err(Error::NotFound("service").into()),
        }
    }

    /// Uptime of each calendar day in UTC, oldest first, today last. Use `uptimeBars` to load it
    /// for many services.
    #[graphql(complexity = "page(days.unwrap_or(30) / 3, child_complexity)")]
    async fn uptime_days(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Number of days, 1 to 366.", default_with = "Some(30)")] days: Option<i32>,
    ) -> Result<Vec<UptimeDay>> {
        let days = self.load_days(ctx, days).await?;
        Ok(days.into_iter().map(UptimeDay).collect())
    }

    /// Uptime of each calendar day as lists of numbers: the compact form of `uptimeDays`, for bars
    /// of many services.
    #[graphql(complexity = "page(days.unwrap_or(30) / 15, child_complexity)")]
    async fn uptime_bars(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Number of days, 1 to 366.", default_with = "Some(30)")] days: Option<i32>,
    ) -> Result<UptimeBars> {
        Ok(UptimeBars::new(self.load_days(ctx, days).await?))
    }

    /// Number of incidents on each calendar day in UTC, oldest first, today last.
    #[graphql(complexity = "page(days.unwrap_or(30) / 3, child_complexity)")]
    async fn incident_days(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Number of days, 1 to 366.", default_with = "Some(30)")] days: Option<i32>,
    ) -> Result<ScalarList<u32>> {
        let days = check_days(days)?;
        let row = self.row(ctx).await?;
        let counts = request_context(ctx)
            .loaders
            .incident_days
            .load((row.id, days))
            .await?;
        Ok(ScalarList(counts.unwrap_or_else(|| vec![0; days as usize])))
    }

    /// Response times over a time window that ends now, oldest first, in intervals of equal length.
    /// For at most 50 services per request.
    #[graphql(complexity = "page(100, child_complexity)")]
    async fn latency(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The time window.")] window: Window,
    ) -> Result<Vec<LatencyPoint>> {
        let row = self.row(ctx).await?;
        let stretch = LatencyWindow::last(window.into(), request_context(ctx).now);
        load_latency(ctx, row, stretch).await
    }

    /// Median response time in milliseconds of each of the last 24 clock hours, oldest first, the
    /// current hour last; null where nothing was measured. For at most 200 services per request.
    #[graphql(complexity = 8)]
    async fn hourly_p50_ms(&self, ctx: &Context<'_>) -> Result<ScalarList<Option<f64>>> {
        let row = self.row(ctx).await?;
        let medians = request_context(ctx)
            .loaders
            .hourly_medians
            .load(ByService(row))
            .await?;
        Ok(ScalarList(medians.unwrap_or_else(|| vec![None; HOURS])))
    }

    /// Response times between two times, oldest first, in up to 181 intervals of equal length, none
    /// shorter than the check interval. For at most 50 services per request.
    #[graphql(complexity = "page(181, child_complexity)")]
    async fn latency_between(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Start of the range.")] from: Time,
        #[graphql(desc = "End of the range, at most 180 days after its start.")] to: Time,
    ) -> Result<Vec<LatencyPoint>> {
        if from.0 > to.0 {
            return Err(Error::field("from", "must not be after `to`").into());
        }
        let (from, to) = (from.0, to.0.min(request_context(ctx).now));
        if to - from > LatencyWindow::MAX_LENGTH {
            let days = LatencyWindow::MAX_LENGTH.num_days();
            return Err(
                Error::field("from", format!("must be at most {days} days before `to`")).into(),
            );
        }
        let row = self.row(ctx).await?;
        if from >= to {
            return Ok(Vec::new());
        }
        let interval = TimeDelta::seconds(row.check_interval_seconds.into());
        load_latency(ctx, row, LatencyWindow::between(from, to, interval)).await
    }

    /// Recorded checks, newest first.
    #[graphql(complexity = "page(first.unwrap_or(100), child_complexity)")]
    async fn checks(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Number of items to return, 1 to 500.",
            default_with = "Some(100)"
        )]
        first: Option<i32>,
        #[graphql(desc = "Return items after this cursor.")] after: Option<String>,
    ) -> Result<CheckConnection> {
        let row = self.row(ctx).await?;
        Ok(check::load_page(
            request_context(ctx),
            ByService(row),
            first.unwrap_or(100),
            after.as_deref(),
        )
        .await?)
    }

    /// Incidents of the service, newest first.
    #[graphql(complexity = "page(first.unwrap_or(50), child_complexity)")]
    async fn incidents(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Number of items to return, 1 to 500.",
            default_with = "Some(50)"
        )]
        first: Option<i32>,
        #[graphql(desc = "Return items after this cursor.")] after: Option<String>,
    ) -> Result<IncidentConnection> {
        let row = self.row(ctx).await?;
        Ok(incident::load_page(
            request_context(ctx),
            row.id,
            first.unwrap_or(50),
            after.as_deref(),
        )
        .await?)
    }

    /// The open incident; null if there is none.
    async fn open_incident(&self, ctx: &Context<'_>) -> Result<Option<Incident>> {
        let row = self.row(ctx).await?;
        Ok(request_context(ctx)
            .loaders
            .open_incident
            .load(row.id)
            .await?
            .map(Incident::from))
    }

    /// The vendor page that it follows; null if it follows none.
    #[graphql(complexity = "1 + child_complexity")]
    async fn vendor_page(&self, ctx: &Context<'_>) -> Result<Option<VendorPage>> {
        let row = self.row(ctx).await?;
        let page = request_context(ctx)
            .loaders
            .page
            .load(ByService(row.clone()))
            .await?;
        Ok(page.map(|page| VendorPage::new(row, page)))
    }

    /// Unresolved incidents of the vendor that name followed components or no component at all, newest
    /// first; empty if it follows no vendor page.
    #[graphql(complexity = "page(3, child_complexity)")]
    async fn vendor_incidents(&self, ctx: &Context<'_>) -> Result<Vec<VendorIncident>> {
        let row = self.row(ctx).await?;
        let notices = request_context(ctx)
            .loaders
            .notices
            .load(ByService(row))
            .await?;
        Ok(notices
            .as_ref()
            .map(vendor_page::incidents)
            .unwrap_or_default())
    }

    /// Scheduled, ongoing and overdue maintenance of the vendor that names followed components or no
    /// component at all, soonest first; empty if it follows no vendor page.
    #[graphql(complexity = "page(3, child_complexity)")]
    async fn maintenances(&self, ctx: &Context<'_>) -> Result<Vec<Maintenance>> {
        let row = self.row(ctx).await?;
        let notices = request_context(ctx)
            .loaders
            .notices
            .load(ByService(row))
            .await?;
        Ok(notices
            .as_ref()
            .map(|notices| vendor_page::maintenances(notices, now()))
            .unwrap_or_default())
    }
}

impl Service {
    /// Loads the uptime of each of the last `days` days.
    async fn load_days(
        &self,
        ctx: &Context<'_>,
        days: Option<i32>,
    ) -> UseCaseResult<Vec<DailyUptime>> {
        let days = check_days(days)?;
        let row = self.row(ctx).await?;
        let uptime = &request_context(ctx).loaders.uptime;
        match uptime
            .load((ByService(row), UptimeQuery::Days(days)))
            .await?
        {
            Some(UptimeResult::Days(days)) => Ok(days),
            _ => Err(Error::NotFound("service")),
        }
    }
}

async fn load_latency(
    ctx: &Context<'_>,
    row: Arc<service::Model>,
    stretch: LatencyWindow,
) -> Result<Vec<LatencyPoint>> {
    let points = request_context(ctx)
        .loaders
        .latency
        .load((ByService(row), stretch))
        .await?
        .unwrap_or_default();
    Ok(points.into_iter().map(LatencyPoint::from).collect())
}

/// Returns the number of days that was asked for.
fn check_days(days: Option<i32>) -> UseCaseResult<u32> {
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
