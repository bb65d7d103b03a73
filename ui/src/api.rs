//! The GraphQL API as the dashboard uses it: its documents, and how a request is made.
//!
//! Knows no component and no store: it returns what the server said, or a [`Problem`].

mod account;
mod incident;
mod problem;
mod request;
mod service;
mod values;

#[allow(missing_docs, non_camel_case_types, unreachable_pub, clippy::all, reason = "generated from the SDL")]
#[cynic::schema("pulsecheck")]
pub(crate) mod schema {}

pub use account::{
    ApiToken, CreateApiToken, CreateApiTokenInput, CreateApiTokenVariables, CreatedApiToken, GetAccount, GetMe, Me,
    RevokeApiToken,
};
pub use incident::{
    GetIncident, Incident, IncidentEvent, IncidentFilter, IncidentService, IncidentUpdates, ListIncidents,
    ListIncidentsVariables, PageInfo,
};
pub use problem::{Problem, ProblemKind};
#[cfg(target_arch = "wasm32")]
pub(crate) use request::forget_in_flight;
pub(crate) use request::request_at_the_end;
pub use request::{kept_since, refresh_session, request, sign_out};
pub use service::{
    ByIds, Check, CheckNow, CreateService, CreateServiceInput, CreateServiceVariables, Current, DeleteServices,
    FollowedComponent, GetLatency, GetLimits, GetService, History, LatencyPoint, LatencyVariables, Limits, ListChecks,
    ListChecksVariables, ListHistories, ListServices, ListUptimes, OfServices, OpenIncident, PauseServices, Percent,
    Phases, RecategoriseServices, RecategoriseVariables, ResumeServices, Service, ServiceChange, ServiceChanges,
    ServiceDetail, ServiceFilter, ServiceUptime, StatusUpdate, StatusUpdates, TestResult, TestService, UpdateService,
    UpdateServiceInput, UpdateServiceVariables, UpdatedService, Uptime, UptimeDay, VendorIncident,
};
pub(crate) use values::ByIdFields;
pub use values::{ById, IncidentState, IncidentType, Moment, MonitorKind, ServiceChangeKind, Status, Window};
