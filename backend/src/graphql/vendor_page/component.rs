//! Components of vendor pages.

use crate::graphql::status::Status;
use crate::use_cases::vendor::{Followed, PageComponent};
use async_graphql::SimpleObject;

/// A component on a vendor page.
#[derive(SimpleObject, Debug)]
pub(crate) struct DiscoveredComponent {
    /// The vendor's id, used to choose it.
    id: String,
    /// The vendor's name for it; not always unique.
    name: String,
    /// The vendor's group that it belongs to.
    group_name: Option<String>,
    /// Status that the vendor's own term means.
    status: Status,
    /// The vendor's own term.
    vendor_status: String,
}

impl From<&PageComponent> for DiscoveredComponent {
    fn from(shown: &PageComponent) -> Self {
        Self {
            id: shown.component_id.clone(),
            name: shown.name.clone(),
            group_name: shown.group_name.clone(),
            status: domain::Status::from(shown.status).into(),
            vendor_status: shown.vendor_status.clone(),
        }
    }
}

impl From<&vendor_pages::page::Component> for DiscoveredComponent {
    fn from(component: &vendor_pages::page::Component) -> Self {
        Self {
            id: component.id.clone(),
            name: component.name.clone(),
            group_name: component.group.clone(),
            status: component.status.into(),
            vendor_status: component.vendor_status.clone(),
        }
    }
}

/// A component of a vendor page that a service follows.
#[derive(SimpleObject, Debug)]
pub(crate) struct FollowedComponent {
    /// The vendor's id.
    id: String,
    /// The vendor's name for it.
    name: String,
    /// The vendor's group that it belongs to.
    group_name: Option<String>,
    /// Status that the vendor's own term means.
    status: Status,
    /// The vendor's own term.
    vendor_status: String,
    /// Whether the page no longer has it; choose another one then.
    missing: bool,
    /// If it is missing: current components of the same name, the most likely first. To replace it,
    /// call `updateService` with one of their ids instead of this one.
    successors: Vec<DiscoveredComponent>,
}

impl From<Followed> for FollowedComponent {
    fn from(
        Followed {
            chosen,
            shown,
            status,
            missing,
            successors,
        }: Followed,
    ) -> Self {
        let (name, group_name, vendor_status) = match shown {
            Some(shown) if !missing => (shown.name, shown.group_name, shown.vendor_status),
            _ => (chosen.name, chosen.group_name, String::new()),
        };
        let successors = successors.iter().map(DiscoveredComponent::from).collect();
        Self {
            id: chosen.component_id,
            name,
            group_name,
            status: status.into(),
            vendor_status,
            missing,
            successors,
        }
    }
}
