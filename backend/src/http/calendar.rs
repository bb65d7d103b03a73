//! The calendar feed: `/api/calendar/<secret>.ics`. The URL is the only credential of a calendar
//! program; an invalid one gets the same response as an unknown path.

mod text;

use super::Server;
use super::error::ApiError;
use crate::use_cases::calendar::Event;
use crate::use_cases::{self, Error};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use text::Calendar;

/// Calendar programs reload every few hours at most. Private, because a feed belongs to one user.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("private, max-age=300");
const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("text/calendar; charset=utf-8");
const CONTENT_DISPOSITION: HeaderValue =
    HeaderValue::from_static("inline; filename=\"pulsecheck.ics\"");

/// Maximum number of services named in the title of an entry.
const MAX_TITLE_SERVICES: usize = 3;

/// Prefix of the path of every feed. The rest of the path is a secret and must not be logged.
pub(super) const PATH_PREFIX: &str = "/api/calendar/";

pub(super) async fn feed(
    State(server): State<Arc<Server>>,
    method: Method,
    file: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let secret = file
        .as_ref()
        .ok()
        .and_then(|Path(file)| file.strip_suffix(".ics"));
    let secret = secret.filter(|_| method == Method::GET || method == Method::HEAD);
    let events = match secret {
        Some(secret) => server
            .use_cases
            .calendar(secret, use_cases::now())
            .await
            .map_err(|error| internal_error(&error))?,
        None => None,
    };
    let body = render(&events.ok_or_else(ApiError::path_not_found)?);
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..16]));
    let is_unchanged = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .any(|tags| matches_tag(tags, &tag));
    let mut response = if is_unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body.into_response()
    };
    let headers = response.headers_mut();
    let tag = HeaderValue::from_str(&tag).expect("hexadecimal digits in quotes are a header value");
    headers.insert(header::ETAG, tag);
    headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
    if !is_unchanged {
        headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
        headers.insert(header::CONTENT_DISPOSITION, CONTENT_DISPOSITION);
    }
    Ok(response)
}

/// Logs the cause and returns an error that does not show it.
fn internal_error(error: &Error) -> ApiError {
    tracing::error!(%error, "failed to read a calendar feed");
    ApiError::internal()
}

/// Whether `If-None-Match` names `tag` (RFC 9110, 13.1.2: weak comparison).
fn matches_tag(tags: &HeaderValue, tag: &str) -> bool {
    let tags = tags.to_str().unwrap_or_default();
    tags.split(',')
        .map(str::trim)
        .any(|found| found == "*" || found.strip_prefix("W/").unwrap_or(found) == tag)
}

/// Renders the calendar. The text depends only on the events, so its `ETag` does too.
fn render(events: &[Event]) -> String {
    let mut calendar = Calendar::new("PulseCheck: vendor maintenance");
    for event in events {
        let mut description = format!("Status: {}", event.status);
        if !event.components.is_empty() {
            description.push_str(&format!("\nComponents: {}", event.components.join(", ")));
        }
        description.push_str(&format!(
            "\nYour services: {}",
            service_names(event, usize::MAX)
        ));
        if let Some(url) = &event.url {
            description.push_str(&format!("\n{url}"));
        }
        calendar.push_entry(&text::Entry {
            uid: &format!("{}@pulsecheck", event.id),
            revised_at: event.updated_at,
            from: event.from,
            until: event.until,
            summary: &format!(
                "{}: {}",
                service_names(event, MAX_TITLE_SERVICES),
                event.name
            ),
            description: &description,
            url: event.url.as_deref(),
        });
    }
    calendar.finish()
}

/// Names of the affected services, at most `max` of them.
fn service_names(event: &Event, max: usize) -> String {
    let mut names: Vec<_> = event
        .services
        .iter()
        .take(max)
        .map(String::as_str)
        .collect();
    let more = event.services.len() - names.len() + event.more_services;
    let more = format!("and {more} more");
    if event.services.len() > names.len() || event.more_services > 0 {
        names.push(&more);
    }
    names.join(", ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_matches_among_others_and_if_weak() {
        for (sent, matches) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", W/\"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            assert_eq!(
                matches_tag(&HeaderValue::from_static(sent), "\"a\""),
                matches,
                "{sent}"
            );
        }
    }
}
