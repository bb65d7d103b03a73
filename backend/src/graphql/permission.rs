//! Which role each root field needs. The request guard asks here before anything is executed; this
//! is the only place where roles and token scopes are enforced.

use crate::auth::{TokenScope, Viewer};
use crate::use_cases::Error;
use async_graphql::parser::types::OperationType;
use entity::column::Role;

/// The only fields that are answered without signing in.
const PUBLIC_FIELDS: [&str; 3] = ["me", "signInOptions", "__typename"];

/// The least role that may use each mutation, by field. Queries and subscriptions need
/// [`Role::Viewer`]. A mutation of the viewer's own account needs no more either, because it
/// changes nothing in the workspace.
const MUTATIONS: [(&str, Role); 26] = [
    ("acknowledgeIncident", Role::Editor),
    ("addIncidentNote", Role::Editor),
    ("checkService", Role::Editor),
    ("createApiToken", Role::Editor),
    ("createCalendarFeed", Role::Editor),
    ("createService", Role::Editor),
    ("deleteAccount", Role::Viewer),
    ("deleteIncidentNote", Role::Editor),
    ("deleteService", Role::Editor),
    ("deleteServices", Role::Editor),
    ("discoverVendorPage", Role::Editor),
    ("endOtherSessions", Role::Viewer),
    ("endSession", Role::Viewer),
    ("pauseService", Role::Editor),
    ("pauseServices", Role::Editor),
    ("recategoriseServices", Role::Editor),
    ("resumeService", Role::Editor),
    ("resumeServices", Role::Editor),
    ("revokeApiToken", Role::Editor),
    ("revokeCalendarFeed", Role::Editor),
    ("testService", Role::Editor),
    ("unacknowledgeIncident", Role::Editor),
    ("undoPauseServices", Role::Editor),
    ("updateService", Role::Editor),
    ("validateVendorPageUrls", Role::Editor),
    ("__typename", Role::Viewer),
];

/// Checks that the viewer may execute an operation with these root fields.
///
/// # Errors
/// [`Error::Unauthenticated`] without a viewer, [`Error::Forbidden`] when the token's scope or the
/// viewer's role does not suffice.
pub(super) fn authorize<'a>(
    viewer: Option<&Viewer>,
    operation: OperationType,
    fields: impl IntoIterator<Item = &'a str>,
) -> Result<(), Error> {
    let mut fields = fields.into_iter();
    let Some(viewer) = viewer else {
        let public = fields.all(|field| PUBLIC_FIELDS.contains(&field));
        return public.then_some(()).ok_or(Error::Unauthenticated);
    };
    if operation != OperationType::Mutation {
        return Ok(());
    }
    if viewer.scope == TokenScope::ReadOnly {
        let message = "this token is read-only: use one that may write";
        return Err(Error::Forbidden(message.into()));
    }
    let least = fields.map(least_role).max().unwrap_or(Role::Viewer);
    if viewer.role >= least {
        return Ok(());
    }
    let message = match least {
        Role::Owner => "only an owner of this workspace may do this",
        _ => "your role in this workspace is VIEWER, which may only read: ask an owner for EDITOR",
    };
    Err(Error::Forbidden(message.into()))
}

/// The least role for a mutation. A field that is missing from the table needs the highest.
fn least_role(mutation: &str) -> Role {
    MUTATIONS
        .iter()
        .find(|(field, _)| *field == mutation)
        .map_or(Role::Owner, |(_, role)| *role)
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_schema;
    use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
    use std::collections::BTreeSet;
    use uuid::Uuid;

    fn viewer(role: Role, scope: TokenScope) -> Viewer {
        Viewer {
            user_id: Uuid::nil(),
            workspace_id: Uuid::nil(),
            role,
            scope,
            session: None,
            token: None,
        }
    }

    fn mutations_of_the_schema() -> BTreeSet<String> {
        let document = parse_schema(crate::graphql::sdl()).unwrap();
        let mutations = document.definitions.into_iter().find_map(|definition| {
            let TypeSystemDefinition::Type(definition) = definition else {
                return None;
            };
            let definition = definition.node;
            match definition.kind {
                TypeKind::Object(object) if definition.name.node == "Mutation" => Some(object),
                _ => None,
            }
        });
        let fields = mutations.expect("there is a Mutation type").fields;
        fields
            .into_iter()
            .map(|field| field.node.name.node.to_string())
            .collect()
    }

    #[test]
    fn every_mutation_of_the_schema_has_a_least_role() {
        let listed: BTreeSet<String> = MUTATIONS
            .iter()
            .map(|(field, _)| (*field).to_owned())
            .filter(|field| field != "__typename")
            .collect();
        assert_eq!(listed, mutations_of_the_schema(), "left: the table");
        assert_eq!(
            listed.len() + 1,
            MUTATIONS.len(),
            "no field is listed twice"
        );
    }

    #[test]
    fn roles_and_scopes_decide_what_is_executed() {
        let allowed = |role, scope, operation, field| {
            authorize(Some(&viewer(role, scope)), operation, [field]).is_ok()
        };
        let (full, read_only) = (TokenScope::Full, TokenScope::ReadOnly);
        for role in [Role::Viewer, Role::Editor, Role::Owner] {
            for operation in [OperationType::Query, OperationType::Subscription] {
                assert!(allowed(role, read_only, operation, "services"), "{role:?}");
            }
            let mutation = OperationType::Mutation;
            let may_edit = role >= Role::Editor;
            assert_eq!(allowed(role, full, mutation, "deleteService"), may_edit);
            assert!(allowed(role, full, mutation, "endSession"), "{role:?}");
            assert!(!allowed(role, read_only, mutation, "endSession"));
            let owner = role == Role::Owner;
            assert_eq!(allowed(role, full, mutation, "notInTheTable"), owner);
        }
    }

    #[test]
    fn one_forbidden_field_forbids_the_whole_operation() {
        let viewer = viewer(Role::Viewer, TokenScope::Full);
        let fields = ["endSession", "deleteService"];
        let refused = authorize(Some(&viewer), OperationType::Mutation, fields);
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    }

    #[test]
    fn without_a_viewer_only_public_fields_are_answered() {
        let answered = |field| authorize(None, OperationType::Query, [field]).is_ok();
        assert!(answered("me") && answered("signInOptions"));
        assert!(!answered("services"));
    }
}
