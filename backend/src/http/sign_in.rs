//! Signing in, refreshing sessions and signing out: the paths below `/api/auth/`.

use super::client_ip::ClientIp;
use super::error::ApiError;
use super::{Server, identify, rate_limited, url_params};
use crate::auth::provider::{AuthorizationResponse, IDS};
use crate::auth::refusal::Refusal;
use crate::auth::{CallbackParams, RefreshResponse, SignedIn, return_path};
use crate::rates::RetryAfter;
use crate::use_cases;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use chrono::SecondsFormat;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;
use std::sync::Arc;
use url::form_urlencoded;

/// Redirects to a provider, or to the sign-in page with the reason why that is not possible.
pub(super) async fn begin_sign_in(
    State(server): State<Arc<Server>>,
    Extension(client): Extension<ClientIp>,
    Path(provider): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let provider = check_provider(&provider)?;
    if let Err(retry_after) = server.rates.sign_in(client.0) {
        return Ok(render_rate_limited(&headers, retry_after));
    }
    if is_prefetch(&headers) {
        return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
    }
    let mut query =
        url_params::parse_unique(query.as_deref().unwrap_or_default()).unwrap_or_default();
    let return_to = return_path::validate(query.get("return").map(String::as_str)).to_owned();
    // The provider redirects to the public URL, where cookies that were set under another name are
    // missing. `here` prevents a loop, because a proxy may call this server by another name.
    if server.names.is_other_loopback_name(&headers) && query.remove("here").is_none() {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("return", &return_to)
            .append_pair("here", "1")
            .finish();
        let redirect = format!("{}api/auth/{provider}?{query}", server.names.public_url());
        return Ok(Redirect::to(&redirect).into_response());
    }
    Ok(
        match server
            .auth
            .begin_sign_in(provider, &return_to, use_cases::now())
            .await
        {
            Ok(request) => {
                let mut response = Redirect::to(&request.url).into_response();
                let cookies = server.cookies();
                cookies
                    .clear_old_sign_ins(&headers)
                    .into_iter()
                    .for_each(|cookie| set_cookie(&mut response, cookie));
                set_cookie(
                    &mut response,
                    cookies.set_sign_in(&request.state, &request.cookie),
                );
                response
            }
            Err(refusal) => redirect_refused(refusal, Some(provider)),
        },
    )
}

/// Handles the redirect back from a provider. Signs in and redirects to the page that was asked
/// for, or to the sign-in page with the reason for the refusal, without changing any cookie.
pub(super) async fn callback(
    State(server): State<Arc<Server>>,
    Extension(client): Extension<ClientIp>,
    Path(provider): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let provider = check_provider(&provider)?;
    if let Err(retry_after) = server.rates.sign_in(client.0) {
        return Ok(render_rate_limited(&headers, retry_after));
    }
    let Some(mut query) = url_params::parse_unique(query.as_deref().unwrap_or_default()) else {
        return Ok(redirect_refused(Refusal::Mismatch, Some(provider)));
    };
    let mut take = |name: &str| query.remove(name).filter(|value| !value.is_empty());
    let response = AuthorizationResponse {
        state: take("state"),
        code: take("code"),
        error: take("error"),
        iss: take("iss"),
    };
    let cookies = server.cookies();
    let state = response.state.clone();
    let params = CallbackParams {
        provider,
        response,
        cookie: cookies.sign_in(&headers, state.as_deref()),
        access_token: cookies.access(&headers),
        device: identify::device(&headers, client),
    };
    let completed = server.auth.complete_sign_in(params, use_cases::now()).await;
    Ok(match completed {
        Ok((signed_in, return_to)) => {
            let mut response = redirect_signed_in(&server, &signed_in, &return_to);
            state
                .into_iter()
                .for_each(|state| set_cookie(&mut response, cookies.clear_sign_in(&state)));
            response
        }
        Err(refusal) => {
            tracing::info!(provider, code = refusal.code(), "refused a sign-in");
            redirect_refused(refusal, Some(provider))
        }
    })
}

/// Handles a one-time link. Signs in and redirects to the dashboard, or to the sign-in page with
/// the reason for the refusal.
pub(super) async fn sign_in_by_link(
    State(server): State<Arc<Server>>,
    Extension(client): Extension<ClientIp>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if let Err(retry_after) = server.rates.sign_in(client.0) {
        return render_rate_limited(&headers, retry_after);
    }
    if is_prefetch(&headers) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let token = url_params::parse_unique(query.as_deref().unwrap_or_default())
        .and_then(|mut query| query.remove("token"));
    let cookies = server.cookies();
    let previous_token = cookies.access(&headers);
    let device = identify::device(&headers, client);
    match server
        .auth
        .sign_in_locally(
            &token.unwrap_or_default(),
            previous_token,
            device,
            use_cases::now(),
        )
        .await
    {
        Ok(signed_in) => redirect_signed_in(&server, &signed_in, "/"),
        Err(refusal) => redirect_refused(refusal, None),
    }
}

/// Issues the next pair of tokens.
pub(super) async fn refresh(
    State(server): State<Arc<Server>>,
    Extension(client): Extension<ClientIp>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    server.rates.request(client.0).map_err(rate_limited)?;
    identify::require_own_page(&server, &headers)?;
    let cookies = server.cookies();
    let refreshed = match cookies.refresh(&headers) {
        Some(token) => {
            server
                .auth
                .refresh(token, cookies.access(&headers), use_cases::now())
                .await?
        }
        None if cookies.is_refresh_ambiguous(&headers) => RefreshResponse::Foreign,
        None => RefreshResponse::Ended,
    };
    let ended =
        || ApiError::unauthenticated("your session has ended: sign in again").into_response();
    Ok(match refreshed {
        RefreshResponse::Granted {
            access_token,
            expires_at,
            refresh_token,
        } => {
            let until = expires_at.to_rfc3339_opts(SecondsFormat::Millis, true);
            let mut response = Json(json!({ "expiresAt": until })).into_response();
            set_cookie(&mut response, cookies.set_access(&access_token));
            set_cookie(&mut response, cookies.set_refresh(&refresh_token));
            response
        }
        // The browser's cookies are kept: without them, the foreign one would be used.
        RefreshResponse::Foreign => ended(),
        RefreshResponse::Ended => {
            let mut response = ended();
            cookies
                .clear()
                .into_iter()
                .for_each(|cookie| set_cookie(&mut response, cookie));
            response
        }
    })
}

/// Ends the session; an expired access token suffices. Below the path of the refresh cookie, the
/// refresh token works too, because access tokens become invalid when their key is rotated.
pub(super) async fn logout(
    State(server): State<Arc<Server>>,
    Extension(client): Extension<ClientIp>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    server.rates.request(client.0).map_err(rate_limited)?;
    identify::require_own_page(&server, &headers)?;
    let cookies = server.cookies();
    if let Some(token) = cookies.access(&headers) {
        server.auth.sign_out(token).await?;
    }
    if let Some(token) = cookies.refresh(&headers) {
        server
            .auth
            .sign_out_by_refresh_token(token, use_cases::now())
            .await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    cookies
        .clear()
        .into_iter()
        .for_each(|cookie| set_cookie(&mut response, cookie));
    Ok(response)
}

fn check_provider(provider: &str) -> Result<&'static str, ApiError> {
    IDS.into_iter()
        .find(|id| *id == provider)
        .ok_or_else(ApiError::path_not_found)
}

/// Whether a browser prefetches the page, which must not use up a one-time link.
fn is_prefetch(headers: &HeaderMap) -> bool {
    headers.contains_key("sec-purpose")
}

fn redirect_signed_in(server: &Server, signed_in: &SignedIn, to: &str) -> Response {
    let cookies = server.cookies();
    let mut response = Redirect::to(to).into_response();
    set_cookie(&mut response, cookies.set_access(&signed_in.access_token));
    set_cookie(&mut response, cookies.set_refresh(&signed_in.refresh_token));
    response
}

fn redirect_refused(refusal: Refusal, provider: Option<&str>) -> Response {
    Redirect::to(&sign_in_page(refusal, provider)).into_response()
}

fn sign_in_page(refusal: Refusal, provider: Option<&str>) -> String {
    let provider = provider.map_or_else(String::new, |provider| format!("&provider={provider}"));
    format!("/sign-in?error={}{provider}", refusal.code())
}

/// Renders a rate-limit refusal: for browsers a page that redirects, for programs an error.
fn render_rate_limited(headers: &HeaderMap, retry_after: RetryAfter) -> Response {
    let accepts = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !accepts.contains("text/html") {
        return rate_limited(retry_after).into_response();
    }
    let page = sign_in_page(Refusal::RateLimited, None);
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>PulseCheck</title>\
         <meta http-equiv=\"refresh\" content=\"0; url={page}\"><p><a href=\"{page}\">Too many attempts</a></p></html>"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::RETRY_AFTER, retry_after.0.to_string()),
    ];
    (StatusCode::TOO_MANY_REQUESTS, headers, html).into_response()
}

fn set_cookie(response: &mut Response, cookie: HeaderValue) {
    response.headers_mut().append(header::SET_COOKIE, cookie);
}
