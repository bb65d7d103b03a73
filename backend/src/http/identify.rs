//! Authenticates a request by its headers.

use super::Server;
use super::client_ip::ClientIp;
use super::error::ApiError;
use crate::auth::session::Device;
use crate::auth::{Viewer, api_token};
use crate::use_cases;
use http::{HeaderMap, header};

/// Finds the viewer by the token in `Authorization`, otherwise by the access cookie. `None` if
/// there is neither, or an invalid one.
///
/// # Errors
/// If a cookie came with a request of another site's page, or the database fails.
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
        return Ok(server.auth.by_api_token(token, now).await?);
    }
    let Some(token) = server.cookies().access(headers) else {
        return Ok(None);
    };
    require_own_page(server, headers)?;
    Ok(server.auth.by_access_token(token, now).await?)
}

/// Refuses requests that were not made by one of this server's own pages.
pub(super) fn require_own_page(server: &Server, headers: &HeaderMap) -> Result<(), ApiError> {
    if server.names.own_page(headers) {
        return Ok(());
    }
    let message = format!(
        "a request with cookies must come from PulseCheck's own pages at {}; programs use an API token instead",
        server.names.public_url()
    );
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
