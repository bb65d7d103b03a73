//! `POST /api/graphql`, and the playground at the same address.

pub(super) mod request;

use super::address::Sender;
use super::error::ApiError;
use super::{Server, identify, too_often};
use crate::assets::Page;
use crate::auth::Viewer;
use crate::graphql::{RETRY_AFTER, RequestId, put};
use async_graphql::{self as graphql, BatchResponse, Request, Value};
use async_graphql_axum::GraphQLResponse;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue, Method, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use std::sync::Arc;

/// The most that a request's body may hold: enough for a text of a megabyte to be refused by the field that it was meant for.
pub(super) const MAX_BODY: usize = 1536 * 1024;

/// The like for somebody who has not signed in, of whom there may be any number: a body is kept in memory while it comes.
const MAX_STRANGERS_BODY: usize = 64 * 1024;

/// The most requests in one body.
const MAX_BATCH: usize = 10;

/// With how much room the text of an answer begins.
const ANSWER: usize = 16 * 1024;

/// The media type of GraphQL over HTTP.
const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

/// How much of a body that is too large is still read, and thrown away: a client that is in the middle of sending sees a
/// broken connection instead of the reason when nobody reads on.
const READ_TO_THE_END: usize = 16 * MAX_BODY;

/// One request, or a batch of them.
pub(super) async fn post(
    State(server): State<Arc<Server>>,
    Extension(id): Extension<RequestId>,
    Extension(from): Extension<Sender>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    server.rates.request(from.0).map_err(too_often)?;
    let viewer = identify::viewer(&server, &headers).await?;
    if !is_json(&headers) {
        return Err(ApiError::not_json());
    }
    let limit = if viewer.is_some() {
        MAX_BODY
    } else {
        MAX_STRANGERS_BODY
    };
    let body = read(body, limit).await?;
    let parsed = request::parse(&body, MAX_BATCH).map_err(ApiError::bad_input)?;
    let count = if let request::Parsed::Batch(requests) = &parsed {
        requests.len()
    } else {
        1
    };
    server
        .rates
        .operations(viewer.map(|viewer| viewer.user_id), from.0, count)
        .map_err(too_often)?;
    let mut response = match parsed {
        request::Parsed::Single(request) => {
            BatchResponse::Single(execute(&server, *request, viewer, &id).await)
        }
        // One after the other: a mutation may build on the one before it, and a batch costs no more at once than a
        // request does.
        request::Parsed::Batch(requests) => {
            let mut responses = Vec::with_capacity(requests.len());
            for request in requests {
                responses.push(execute(&server, request, viewer, &id).await);
            }
            BatchResponse::Batch(responses)
        }
    };
    let wait = longest_wait(&response);
    let mut json = Vec::with_capacity(ANSWER);
    put(&mut json, &response);
    // The headers are the library's, which has nothing more to write.
    match &mut response {
        BatchResponse::Single(response) => response.data = Value::Null,
        BatchResponse::Batch(responses) => responses
            .iter_mut()
            .for_each(|response| response.data = Value::Null),
    }
    let mut response = GraphQLResponse(response).into_response();
    *response.body_mut() = json.into();
    if let Some(seconds) = wait {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    if !accepts_graphql_response(&headers) {
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
    }
    Ok(response)
}

/// The playground.
pub(super) async fn playground(
    State(server): State<Arc<Server>>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    server.assets.page(Page::Graphiql, &method, &headers)
}

async fn execute(
    server: &Server,
    request: Request,
    viewer: Option<Viewer>,
    id: &RequestId,
) -> graphql::Response {
    server
        .schema
        .execute(prepared(server, request, viewer, id))
        .await
}

/// What resolvers find in every request: who asks, and the request's id.
pub(super) fn prepared(
    server: &Server,
    request: Request,
    viewer: Option<Viewer>,
    id: &RequestId,
) -> Request {
    request
        .data(viewer)
        .data(id.clone())
        .data(Arc::clone(&server.auth))
        .data(Arc::clone(&server.rates))
}

/// After how many seconds everything that was asked for too often may be asked for again.
fn longest_wait(response: &BatchResponse) -> Option<u64> {
    let responses = match response {
        BatchResponse::Single(response) => std::slice::from_ref(response),
        BatchResponse::Batch(responses) => responses,
    };
    let errors = responses.iter().flat_map(|response| &response.errors);
    let waits = errors.filter_map(|error| match error.extensions.as_ref()?.get(RETRY_AFTER)? {
        Value::Number(seconds) => seconds.as_u64(),
        _ => None,
    });
    waits.max()
}

/// Whether the client knows the newer media type; the others were written for plain JSON
/// (<https://graphql.github.io/graphql-over-http/draft/>, "Media Types").
fn accepts_graphql_response(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|kind| {
        kind.split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .eq_ignore_ascii_case(GRAPHQL_RESPONSE)
    })
}

/// A form or plain text can be sent by any page without the browser asking first, JSON cannot.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = value.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json") || kind.eq_ignore_ascii_case(GRAPHQL_RESPONSE)
}

/// A body of at most `limit` bytes.
async fn read(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let mut body = Limited::new(body, READ_TO_THE_END).into_data_stream();
    let mut read = Vec::new();
    let mut length = 0;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| {
            if error.is::<LengthLimitError>() {
                ApiError::too_large(limit)
            } else {
                ApiError::bad_input("the request broke off before its end")
            }
        })?;
        length += chunk.len();
        if length <= limit {
            read.extend_from_slice(&chunk);
        }
    }
    if length > limit {
        Err(ApiError::too_large(limit))
    } else {
        Ok(read.into())
    }
}
