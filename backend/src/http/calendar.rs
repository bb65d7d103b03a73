//! The calendar feed: `/api/calendar/<secret>.ics`, for calendars, which sign in by nothing but the address. An address
//! that does not work answers as any other at which there is nothing.

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

/// Calendars ask again after some hours at best; what an intermediary may keep is for one reader alone.
const CACHE: HeaderValue = HeaderValue::from_static("private, max-age=300");
const CALENDAR: HeaderValue = HeaderValue::from_static("text/calendar; charset=utf-8");
const FILE: HeaderValue = HeaderValue::from_static("inline; filename=\"pulsecheck.ics\"");

/// How many services the title of an entry names.
const IN_TITLE: usize = 3;

/// What every path of a feed begins with; what follows is a secret, and is written into no log.
pub(super) const PREFIX: &str = "/api/calendar/";

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
            .ops
            .calendar(secret, use_cases::now())
            .await
            .map_err(|error| failed(&error))?,
        None => None,
    };
    let body = render(&events.ok_or_else(ApiError::no_such_address)?);
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..16]));
    let same = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .any(|tags| holds(tags, &tag));
    let mut response = if same {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body.into_response()
    };
    let answer = response.headers_mut();
    let tag = HeaderValue::from_str(&tag).expect("hexadecimal digits in quotes are a header value");
    answer.insert(header::ETAG, tag);
    answer.insert(header::CACHE_CONTROL, CACHE);
    if !same {
        answer.insert(header::CONTENT_TYPE, CALENDAR);
        answer.insert(header::CONTENT_DISPOSITION, FILE);
    }
    Ok(response)
}

/// Logged here, once, because whoever asked learns no cause.
fn failed(error: &Error) -> ApiError {
    tracing::error!(%error, "a calendar could not be read");
    ApiError::internal()
}

/// Whether `If-None-Match` names `tag` (RFC 9110, 13.1.2: weak comparison).
fn holds(tags: &HeaderValue, tag: &str) -> bool {
    let tags = tags.to_str().unwrap_or_default();
    tags.split(',')
        .map(str::trim)
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

/// The calendar as text. It depends on the events alone, so that it is the same for as long as they are.
fn render(events: &[Event]) -> String {
    let mut calendar = Calendar::begin("PulseCheck: vendor maintenance");
    for event in events {
        let mut description = format!("Status: {}", event.status);
        if !event.components.is_empty() {
            description.push_str(&format!("\nComponents: {}", event.components.join(", ")));
        }
        description.push_str(&format!("\nYour services: {}", named(event, usize::MAX)));
        if let Some(url) = &event.url {
            description.push_str(&format!("\n{url}"));
        }
        calendar.event(&text::Entry {
            uid: &format!("{}@pulsecheck", event.id),
            revised_at: event.updated_at,
            from: event.from,
            until: event.until,
            summary: &format!("{}: {}", named(event, IN_TITLE), event.name),
            description: &description,
            url: event.url.as_deref(),
        });
    }
    calendar.end()
}

/// The services that it touches, no more than `most` by name.
fn named(event: &Event, most: usize) -> String {
    let mut names: Vec<_> = event
        .services
        .iter()
        .take(most)
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
    fn a_tag_is_found_among_others_weak_or_not() {
        for (sent, same) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", W/\"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            assert_eq!(
                holds(&HeaderValue::from_static(sent), "\"a\""),
                same,
                "{sent}"
            );
        }
    }
}
