//! Signing in, staying signed in, signing out: the addresses below `/api/auth/`.

use super::error::ApiError;
use super::{Server, identify};
use crate::auth::Refreshed;
use crate::ops;
use axum::Json;
use axum::extract::{ConnectInfo, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::SecondsFormat;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;

#[derive(Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    token: String,
}

/// A one-time link: ends on the dashboard, signed in, or on the sign-in page with the reason why not.
pub(super) async fn local(
    State(server): State<Arc<Server>>,
    from: ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    link: Result<Query<Link>, axum::extract::rejection::QueryRejection>,
) -> Response {
    if !server.local_login {
        return failed("Sign-in links are switched off on this server.");
    }
    // A browser that only guesses that somebody may go there must not use the link up.
    if headers.contains_key("sec-purpose") {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let token = link.map(|Query(link)| link.token).unwrap_or_default();
    match server.auth.sign_in_locally(&token, identify::device(&headers, &from), ops::now()).await {
        Ok(Some(signed_in)) => {
            let cookies = server.cookies();
            let mut response = Redirect::to("/").into_response();
            set(&mut response, cookies.set_access(&signed_in.access_token));
            set(&mut response, cookies.set_refresh(&signed_in.refresh_token));
            response
        }
        Ok(None) => failed(
            "This sign-in link has been used already or has expired. Start PulseCheck again, or run `pulsecheck \
             login-link`, to get a new one.",
        ),
        Err(error) => {
            tracing::error!(%error, "signing in by a link failed");
            failed("The database does not answer at the moment. Try the same link again soon.")
        }
    }
}

/// The next pair of tokens.
pub(super) async fn refresh(State(server): State<Arc<Server>>, headers: HeaderMap) -> Result<Response, ApiError> {
    identify::require_own_page(&server, &headers)?;
    let cookies = server.cookies();
    let refreshed = match cookies.refresh(&headers) {
        Some(token) => server.auth.refresh(token, ops::now()).await?,
        None => Refreshed::Refused,
    };
    Ok(match refreshed {
        Refreshed::Granted { access_token, expires_at, refresh_token } => {
            let until = expires_at.to_rfc3339_opts(SecondsFormat::Millis, true);
            let mut response = Json(json!({ "expiresAt": until })).into_response();
            set(&mut response, cookies.set_access(&access_token));
            if let Some(token) = refresh_token {
                set(&mut response, cookies.set_refresh(&token));
            }
            response
        }
        Refreshed::Refused => {
            let mut response = ApiError::unauthenticated("your session has ended: sign in again").into_response();
            cookies.clear().into_iter().for_each(|cookie| set(&mut response, cookie));
            response
        }
    })
}

/// Ends the session, also by an access token that has expired.
pub(super) async fn logout(State(server): State<Arc<Server>>, headers: HeaderMap) -> Result<Response, ApiError> {
    identify::require_own_page(&server, &headers)?;
    let cookies = server.cookies();
    if let Some(token) = cookies.access(&headers) {
        server.auth.sign_out(token).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    cookies.clear().into_iter().for_each(|cookie| set(&mut response, cookie));
    Ok(response)
}

fn failed(sentence: &str) -> Response {
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("error", sentence).finish();
    Redirect::to(&format!("/sign-in?{query}")).into_response()
}

fn set(response: &mut Response, cookie: HeaderValue) {
    response.headers_mut().append(header::SET_COOKIE, cookie);
}
