//! Incidents: pages of them, a single one, and live updates.

use super::check::Check;
use super::operation::operations;
use super::schema;
use super::values::{ById, ByIdFields, IncidentState, IncidentType, Moment};
use ui_derive::query_fragment;
use uuid::Uuid;

/// A period in which a service was degraded or down.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
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

#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Service")]
pub struct IncidentService {
    pub id: Uuid,
    pub name: String,
}

#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentEvent {
    pub at: Moment,
    pub kind: String,
    pub message: String,
}

#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
pub struct PageInfo {
    pub has_next_page: bool,
    pub end_cursor: Option<String>,
}

/// Restricts a list of incidents; an absent field does not restrict it.
#[derive(cynic::InputObject, Debug, Clone, PartialEq, Default)]
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

#[derive(cynic::QueryVariables, Debug)]
pub struct ListIncidentsVariables {
    pub filter: IncidentFilter,
    pub first: i32,
    /// The end cursor of the previous page; `None` for the first page.
    pub after: Option<String>,
}

/// Incidents of every service, newest first.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Query", variables = "ListIncidentsVariables")]
pub struct ListIncidents {
    #[arguments(filter: $filter, first: $first, after: $after)]
    pub incidents: IncidentPage,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "IncidentConnection")]
pub struct IncidentPage {
    pub edges: Vec<IncidentEdge>,
    pub page_info: PageInfo,
    pub total_count: i32,
}

impl IncidentPage {
    /// Returns the incidents of this page.
    #[must_use]
    pub fn into_nodes(self) -> Vec<Incident> {
        self.edges.into_iter().map(|edge| edge.node).collect()
    }
}

#[query_fragment]
#[derive(Debug)]
pub struct IncidentEdge {
    pub node: Incident,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Query", variables = "ById")]
pub struct GetIncident {
    /// `None` when it does not exist.
    #[arguments(id: $id)]
    pub incident: Option<Incident>,
    #[arguments(id: $id)]
    #[cynic(alias, rename = "incident")]
    pub more: Option<IncidentDetail>,
}

/// The fields that only an incident's own page shows; live updates do not carry them.
#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
#[cynic(graphql_type = "Incident")]
pub struct IncidentDetail {
    pub checks_around: Vec<Check>,
    pub notes: Vec<IncidentNote>,
}

#[query_fragment]
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentNote {
    pub id: Uuid,
    pub at: Moment,
    pub text: String,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Incident")]
pub struct IncidentId {
    pub id: Uuid,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
pub struct AcknowledgeIncident {
    #[arguments(id: $id)]
    pub acknowledge_incident: IncidentId,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
pub struct UnacknowledgeIncident {
    #[arguments(id: $id)]
    pub unacknowledge_incident: IncidentId,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct AddNoteVariables {
    /// The incident's id.
    pub id: Uuid,
    pub text: String,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "AddNoteVariables")]
pub struct AddIncidentNote {
    #[arguments(incidentId: $id, text: $text)]
    pub add_incident_note: NoteId,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "IncidentNote")]
pub struct NoteId {
    pub id: Uuid,
}

#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
pub struct DeleteIncidentNote {
    #[arguments(id: $id)]
    pub delete_incident_note: Uuid,
}

/// Streams every incident that opens, changes or ends.
#[query_fragment]
#[derive(Debug)]
#[cynic(graphql_type = "Subscription")]
pub struct IncidentUpdates {
    pub incident_updates: Incident,
}

operations! {
    query ListIncidents(ListIncidentsVariables);
    query GetIncident(ById);
    mutation AcknowledgeIncident(ById);
    mutation UnacknowledgeIncident(ById);
    mutation AddIncidentNote(AddNoteVariables);
    mutation DeleteIncidentNote(ById);
    subscription IncidentUpdates(());
}
