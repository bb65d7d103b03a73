//! Workspaces and the viewer's role in them.

use super::scalar::Id;
use crate::use_cases::workspace as use_case;
use async_graphql::{Enum, SimpleObject};
use entity::workspace;

/// What a member may do in a workspace.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "entity::column::Role")]
pub(crate) enum Role {
    /// Everything, including members, others' tokens and deleting the workspace.
    Owner,
    /// Everything except what only owners may do.
    Editor,
    /// Reading only, without secrets.
    Viewer,
}

/// Owner of services, incidents, tokens and calendar feeds.
#[derive(SimpleObject, Debug)]
pub(crate) struct Workspace {
    /// Unique id; it never changes. Send it in the header `X-PulseCheck-Workspace`, or as
    /// `workspace` in `connection_init`, to select this workspace; without it a request is about
    /// your personal one.
    id: Id,
    /// Name.
    name: String,
    /// Whether it was created with your account and is deleted with it.
    personal: bool,
}

impl From<workspace::Model> for Workspace {
    fn from(row: workspace::Model) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            personal: row.personal,
        }
    }
}

/// A workspace with your role in it.
#[derive(SimpleObject, Debug)]
pub(crate) struct Membership {
    /// The workspace.
    workspace: Workspace,
    /// What you may do in it.
    role: Role,
}

impl From<use_case::WorkspaceMembership> for Membership {
    fn from(membership: use_case::WorkspaceMembership) -> Self {
        Self {
            workspace: membership.workspace.into(),
            role: membership.role.into(),
        }
    }
}
