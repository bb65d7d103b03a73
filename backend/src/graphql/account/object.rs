//! Objects about signing in.

use crate::auth::{Auth, browser};
use crate::graphql::request_context::{RequestContext, request_context};
use crate::graphql::scalar::{Id, Time};
use crate::use_cases::Result as UseCaseResult;
use async_graphql::{Context, SimpleObject};
use std::sync::Arc;

/// Ways to sign in to this installation.
#[derive(SimpleObject, Debug, Default)]
pub(crate) struct SignInOptions {
    /// Sign-in providers, in the order in which to show them.
    pub(super) providers: Vec<SignInProvider>,
    /// Whether one-time sign-in links work.
    pub(super) local: bool,
}

/// A sign-in provider.
#[derive(SimpleObject, Debug)]
pub(crate) struct SignInProvider {
    /// `google`, `github` or `oidc`.
    pub(super) id: String,
    /// Display name.
    pub(super) name: String,
    /// Path on this server where a browser starts. `?return=` takes the path of the dashboard to
    /// return to.
    pub(super) url: String,
}

/// A browser in which you are signed in.
#[derive(SimpleObject, Debug)]
pub(crate) struct Session {
    /// Unique id; it never changes.
    id: Id,
    /// Browser as it identifies itself, such as `Firefox on Linux`.
    browser: String,
    /// IP address that it signed in from.
    address: Option<String>,
    /// When you signed in.
    created_at: Time,
    /// Roughly when it was last used.
    last_used_at: Time,
    /// When it expires unless it is used before.
    expires_at: Time,
    /// Whether this request belongs to it.
    current: bool,
}

/// A sign-in provider that you have used.
#[derive(SimpleObject, Debug)]
pub(crate) struct Identity {
    /// `google`, `github`, `oidc`, or `local` for one-time links.
    provider: String,
    /// Display name.
    name: String,
    /// E-mail address that it gave.
    email: String,
    /// Whether it has verified that address.
    email_verified: bool,
    /// When you last signed in with it.
    last_used_at: Time,
}

/// Loads the viewer's sessions.
pub(in crate::graphql) async fn load_sessions(
    context: &RequestContext,
) -> UseCaseResult<Vec<Session>> {
    let viewer = context.viewer()?;
    let rows = context.use_cases.sessions(&viewer).await?;
    let session = |row: entity::session::Model| Session {
        id: row.id.into(),
        browser: browser::name(row.user_agent.as_deref()),
        address: row.address,
        created_at: row.created_at.into(),
        last_used_at: row.last_used_at.into(),
        expires_at: row.expires_at.into(),
        current: viewer.session == Some(row.id),
    };
    Ok(rows.into_iter().map(session).collect())
}

/// Loads the viewer's identities.
pub(in crate::graphql) async fn load_identities(ctx: &Context<'_>) -> UseCaseResult<Vec<Identity>> {
    let context = request_context(ctx);
    let rows = context.use_cases.identities(&context.viewer()?).await?;
    let configured = find_auth(ctx).map(Auth::providers);
    let identity = |row: entity::identity::Model| Identity {
        name: configured.map_or_else(
            || row.provider.clone(),
            |providers| providers.name_of(&row.provider),
        ),
        provider: row.provider,
        email: row.email,
        email_verified: row.email_verified,
        last_used_at: row.last_used_at.into(),
    };
    Ok(rows.into_iter().map(identity).collect())
}

/// The authentication service; absent in schemas that are not served over HTTP.
pub(super) fn find_auth<'a>(ctx: &Context<'a>) -> Option<&'a Auth> {
    ctx.data_opt::<Arc<Auth>>().map(Arc::as_ref)
}
