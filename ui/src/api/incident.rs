//! Incidents: pages of them, one of them, and those that stream in.

use super::{ByIdFields, Check, IncidentState, IncidentType, Moment, json, schema};
use uuid::Uuid;

/// A stretch of time in which a service was degraded or down.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct Incident {
    pub id: Uuid,
    #[cynic(rename = "type")]
    pub kind: IncidentType,
    pub state: IncidentState,
    pub started_at: Moment,
    pub resolved_at: Option<Moment>,
    pub checks_failed: i32,
    pub cause: Option<String>,
    pub acknowledged_at: Option<Moment>,
    pub note_count: i32,
    pub service: IncidentService,
    pub events: Vec<IncidentEvent>,
}

/// Whose incident it is.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Service")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct IncidentService {
    pub id: Uuid,
    pub name: String,
}

/// What happened in its course.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct IncidentEvent {
    pub at: Moment,
    pub kind: String,
    pub message: String,
}

/// Where a page of a list ends.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct PageInfo {
    pub has_next_page: bool,
    pub end_cursor: Option<String>,
}

/// Which incidents; what is absent does not restrict.
#[derive(cynic::InputObject, Debug, Clone, PartialEq, Default)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct IncidentFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub service_id: Option<Uuid>,
    #[cynic(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<IncidentType>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub state: Option<IncidentState>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub from: Option<Moment>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub to: Option<Moment>,
}

/// Which incidents, from where on.
#[derive(cynic::QueryVariables, Debug)]
pub struct ListIncidentsVariables {
    /// Which.
    pub filter: IncidentFilter,
    /// How many.
    pub first: i32,
    /// The last cursor of the page before; none for the newest.
    pub after: Option<String>,
}

/// Incidents of every service, newest first.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ListIncidentsVariables")]
pub struct ListIncidents {
    /// One page of them.
    #[arguments(filter: $filter, first: $first, after: $after)]
    pub incidents: IncidentPage,
}

/// A page of incidents.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "IncidentConnection")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct IncidentPage {
    pub edges: Vec<IncidentEdge>,
    pub page_info: PageInfo,
    pub total_count: i32,
}

/// An incident in its page.
#[derive(cynic::QueryFragment, Debug)]
pub struct IncidentEdge {
    /// The incident.
    pub node: Incident,
}

/// One incident, with what only its own page shows.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ById")]
pub struct GetIncident {
    /// `None` when absent.
    #[arguments(id: $id)]
    pub incident: Option<Incident>,
    /// Likewise.
    #[arguments(id: $id)]
    #[cynic(alias, rename = "incident")]
    pub more: Option<IncidentDetail>,
}

/// What only an incident's own page shows.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Incident")]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct IncidentDetail {
    pub checks_around: Vec<Check>,
    pub notes: Vec<IncidentNote>,
}

/// What somebody wrote down.
#[derive(cynic::QueryFragment, Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub struct IncidentNote {
    pub id: Uuid,
    pub at: Moment,
    pub text: String,
}

/// An incident by its id alone.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Incident")]
pub struct TouchedIncident {
    /// Its id.
    #[allow(
        dead_code,
        reason = "asked for because a mutation must select something"
    )]
    pub id: Uuid,
}

/// Tells that somebody has seen an incident.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
pub struct AcknowledgeIncident {
    /// Which.
    #[arguments(id: $id)]
    #[allow(
        dead_code,
        reason = "asked for because a mutation must select something"
    )]
    pub acknowledge_incident: TouchedIncident,
}

/// Takes that back.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
pub struct UnacknowledgeIncident {
    /// Which.
    #[arguments(id: $id)]
    #[allow(
        dead_code,
        reason = "asked for because a mutation must select something"
    )]
    pub unacknowledge_incident: TouchedIncident,
}

/// Which incident, and what to write down.
#[derive(cynic::QueryVariables, Debug)]
pub struct AddNoteVariables {
    /// The incident's id.
    pub id: Uuid,
    /// As typed.
    pub text: String,
}

/// Adds a note.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "AddNoteVariables")]
pub struct AddIncidentNote {
    /// As stored.
    #[arguments(incidentId: $id, text: $text)]
    #[allow(
        dead_code,
        reason = "asked for because a mutation must select something"
    )]
    pub add_incident_note: TouchedNote,
}

/// A note by its id alone.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "IncidentNote")]
pub struct TouchedNote {
    /// Its id.
    #[allow(
        dead_code,
        reason = "asked for because a mutation must select something"
    )]
    pub id: Uuid,
}

/// Deletes a note.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
pub struct DeleteIncidentNote {
    /// Which.
    #[arguments(id: $id)]
    #[allow(
        dead_code,
        reason = "asked for because a mutation must select something"
    )]
    pub delete_incident_note: Uuid,
}

/// Every incident that opens, changes or ends.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Subscription")]
pub struct IncidentUpdates {
    /// The incident as it is now.
    pub incident_updates: Incident,
}

json::objects! {
    Incident {
        id, kind = "type", state, started_at, resolved_at, checks_failed, cause, acknowledged_at, note_count, service,
        events,
    }
    IncidentService { id, name }
    IncidentEvent { at, kind, message }
    PageInfo { has_next_page, end_cursor }
    ListIncidents { incidents }
    IncidentPage { edges, page_info, total_count }
    IncidentEdge { node }
    GetIncident { incident, more }
    IncidentDetail { checks_around, notes }
    IncidentNote { id, at, text }
    IncidentUpdates { incident_updates }
}
