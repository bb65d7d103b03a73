//! Services: what a row and a page need of one, and what can be done with it.

mod detail;
mod list;
mod mutations;

pub use detail::{
    Check, FollowedComponent, GetLatency, GetService, LatencyPoint, LatencyVariables, ListChecks, ListChecksVariables,
    ServiceDetail, VendorIncident,
};
pub use list::{
    Current, GetHistory, History, ListHistories, ListServices, OpenIncident, Phases, Service, ServiceChange,
    ServiceChanges, StatusUpdate, StatusUpdates, UpdatedService, Uptime, UptimeDay,
};
pub use mutations::{
    CheckNow, CreateService, CreateServiceInput, CreateServiceVariables, DeleteService, GetLimits, Limits,
    PauseService, ResumeService, TestResult, TestService, UpdateService, UpdateServiceInput, UpdateServiceVariables,
};
