//! The GraphQL API as the dashboard uses it: its documents, and how a request is made.
//!
//! Knows no component and no store: it returns what the server said, or a [`Problem`].

mod account;
mod document;
mod incident;
pub(crate) mod json;
mod problem;
mod request;
mod service;
mod system;
mod values;
mod vendor;

#[allow(
    missing_docs,
    non_camel_case_types,
    unreachable_pub,
    clippy::all,
    reason = "generated from the SDL"
)]
#[cynic::schema("pulsecheck")]
pub(crate) mod schema {}

pub use account::{
    Account, ApiToken, BrowserSession, CalendarFeed, CreateApiToken, CreateApiTokenInput,
    CreateApiTokenVariables, CreateCalendarFeed, CreatedApiToken, CreatedCalendarFeed,
    DeleteAccount, DeleteAccountVariables, EndOtherSessions, EndSession, GetAccount, GetMe,
    GetSignInOptions, Identity, Me, RevokeApiToken, RevokeCalendarFeed, SignInOptions,
    SignInProvider, who,
};
pub use document::Document;
pub use incident::{
    AcknowledgeIncident, AddIncidentNote, AddNoteVariables, DeleteIncidentNote, GetIncident,
    Incident, IncidentDetail, IncidentEvent, IncidentFilter, IncidentNote, IncidentPage,
    IncidentService, IncidentUpdates, ListIncidents, ListIncidentsVariables, PageInfo,
    UnacknowledgeIncident,
};
pub use json::{Json, Read};
pub use problem::{Problem, ProblemKind};
#[cfg(target_arch = "wasm32")]
pub(crate) use request::forget_in_flight;
pub use request::{kept_since, request, sign_out};
pub(crate) use request::{request_at_the_end, tell, written};
pub use service::{
    ByIds, Check, CheckNow, CreateService, CreateServiceInput, CreateServiceVariables, Current,
    Definition, DeleteServices, FieldInfo, FieldValue, GetDefinition, GetLatency, GetService,
    GetServiceForm, History, LatencyPoint, LatencyVariables, Limits, ListChecks,
    ListChecksVariables, ListHistories, ListServices, ListUptimes, MonitorInput, MonitorKindInfo,
    OfServices, OpenIncident, PageChoice, PauseServices, Percent, Phases, RecategoriseServices,
    RecategoriseVariables, ResumeServices, Service, ServiceChange, ServiceChanges, ServiceDetail,
    ServiceFilter, ServiceUptime, StatusUpdate, StatusUpdates, TestResult, TestService,
    UpdateService, UpdateServiceInput, UpdateServiceVariables, UpdatedService, Uptime, UptimeDay,
};
pub use system::{GetSystem, Scheduling, System, Worker};
pub(crate) use values::ByIdFields;
pub use values::{
    ById, IncidentState, IncidentType, Moment, Schedule, ServiceChangeKind, Status, Window,
};
pub use vendor::{
    CatalogueEntry, Component, DiscoverVariables, DiscoverVendorPage, Discovery, FollowedComponent,
    GetVendor, ListNotices, Maintenance, Notices, RejectedUrl, SearchCatalogue, SearchVariables,
    ValidateVariables, ValidateVendorPageUrls, Vendor, VendorIncident, VendorPage, VendorUpdate,
};
