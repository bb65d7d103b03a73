//! Services: what a row and a page need of one, and what can be done with it.

mod detail;
mod kinds;
mod list;
mod mutations;

pub use detail::{
    Check, GetLatency, GetService, LatencyPoint, LatencyVariables, ListChecks, ListChecksVariables,
    ServiceDetail,
};
pub use kinds::{
    Definition, FieldInfo, FieldValue, GetDefinition, GetServiceForm, Limits, MonitorInput,
    MonitorKindInfo, PageChoice,
};
pub use list::{
    Current, History, ListHistories, ListServices, ListUptimes, OfServices, OpenIncident, Percent,
    Phases, Service, ServiceChange, ServiceChanges, ServiceFilter, ServiceUptime, StatusUpdate,
    StatusUpdates, UpdatedService, Uptime, UptimeDay,
};
pub use mutations::{
    ByIds, CheckNow, CreateService, CreateServiceInput, CreateServiceVariables, DeleteServices,
    PauseServices, RecategoriseServices, RecategoriseVariables, ResumeServices, TestResult,
    TestService, UpdateService, UpdateServiceInput, UpdateServiceVariables,
};
