//! Vendor pages: discovery, the catalogue, and the page that a service follows with its components,
//! incidents and maintenance.

mod announcement;
mod catalogue;
mod component;
mod discovery;
mod link;
mod mutation;
mod object;
mod query;

pub(super) use announcement::{Maintenance, VendorIncident, incidents, maintenances};
pub(super) use component::FollowedComponent;
pub(super) use mutation::VendorPageMutation;
pub(super) use object::VendorPage;
pub(super) use query::VendorPageQuery;
