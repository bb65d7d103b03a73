//! Authenticates a request by its headers.

use super::Server;
use super::client_ip::ClientIp;
use super::error::ApiError;
use crate::auth::session::Device;
use crate::auth::{IdentifyError, Viewer, api_token};
use crate::use_cases;
use http::{HeaderMap, HeaderName, header};

/// The header that selects one of the user's workspaces. Tokens ignore it.
const WORKSPACE_HEADER: HeaderName = HeaderName::from_static("x-pulsecheck-workspace");

/// Finds the viewer by the token in `Authorization`, or without that header by the access cookie.
/// `None` if both are missing, or the one that counts is invalid.
///
/// # Errors
/// If another site's page sent the cookie, the user is not a member of the workspace, or the
/// database fails.
pub(super) async fn viewer(
    server: &Server,
    headers: &HeaderMap,
) -> Result<Option<Viewer>, ApiError> {
    let now = use_cases::now();
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        // An invalid token must not fall back to the cookie.
        let token = authorization
            .to_str()
            .ok()
            .and_then(api_token::from_authorization);
        let Some(token) = token else { return Ok(None) };
        return Ok(server.auth.identify_by_api_token(token, now).await?);
    }
    let Some(token) = server.cookies().access(headers) else {
        return Ok(None);
    };
    require_own_page(server, headers)?;
    let workspace = headers
        .get(WORKSPACE_HEADER)
        .map(|value| value.to_str().unwrap_or_default());
    let viewer = server
        .auth
        .identify_by_access_token(token, workspace, now)
        .await;
    viewer.map_err(|error| match error {
        IdentifyError::UnknownWorkspace => ApiError::not_found(error.to_string()),
        IdentifyError::Database(error) => error.into(),
    })
}

/// Refuses requests that were not made by one of this server's own pages.
pub(super) fn require_own_page(server: &Server, headers: &HeaderMap) -> Result<(), ApiError> {
    if server.names.is_own_page(headers) {
        return Ok(());
    }
    let message = format!(
        "a request with cookies must come from PulseCheck's own pages at {}; programs use an API token instead",
        server.names.public_url()
    );
    Err(ApiError::forbidden(message))
}

/// Refuses requests that another site's page made a browser send, unless an `Authorization` header
/// came along: browsers ask this server before they send that one, and it does not allow it.
pub(super) fn refuse_foreign_page(server: &Server, headers: &HeaderMap) -> Result<(), ApiError> {
    if headers.contains_key(header::AUTHORIZATION) || !server.names.is_from_foreign_page(headers) {
        return Ok(());
    }
    let message = "pages of other sites may not send queries by GET";
    Err(ApiError::forbidden(message))
}

/// The device that a session is stored with.
pub(super) fn device(headers: &HeaderMap, client: ClientIp) -> Device {
    let user_agent = headers
        .get(header::USER_AGENT)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    Device {
        user_agent,
        address: Some(client.0.to_string()),
    }
}
