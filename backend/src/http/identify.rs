//! Reads the credentials of a request and identifies its viewer.

use super::Server;
use super::address::Sender;
use super::error::ApiError;
use crate::auth::session::Device;
use crate::auth::{IdentifyError, Viewer, api_token};
use crate::use_cases;
use http::{HeaderMap, HeaderName, header};

/// The header that selects one of the user's workspaces. A token ignores it.
const WORKSPACE_HEADER: HeaderName = HeaderName::from_static("x-pulsecheck-workspace");

/// Identifies the viewer by the token in `Authorization`, otherwise by the access cookie. `None` when
/// there is neither, or it is not valid.
///
/// # Errors
/// When a cookie came with a request that was not made by one of this server's own pages, the workspace
/// is not one of the user's, or the database fails.
pub(super) async fn viewer(
    server: &Server,
    headers: &HeaderMap,
) -> Result<Option<Viewer>, ApiError> {
    let now = use_cases::now();
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        // A client that sends this header is not identified by its cookie.
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

/// # Errors
/// Unless the request was made by one of this server's own pages.
pub(super) fn require_own_page(server: &Server, headers: &HeaderMap) -> Result<(), ApiError> {
    if server.names.own_page(headers) {
        return Ok(());
    }
    let message = format!(
        "a request with cookies has to come from PulseCheck's own pages, at {}; programs use an API token instead",
        server.names.public_url()
    );
    Err(ApiError::forbidden(message))
}

/// Describes the browser that sent a request.
pub(super) fn device(headers: &HeaderMap, from: Sender) -> Device {
    let user_agent = headers
        .get(header::USER_AGENT)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    Device {
        user_agent,
        address: Some(from.0.to_string()),
    }
}
