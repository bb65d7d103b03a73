//! `/api/graphql`: operations by POST, queries by GET, and the playground for browsers that open
//! the path.

pub(super) mod body;
mod media_type;
mod query_params;

use super::client_ip::ClientIp;
use super::error::ApiError;
use super::{Server, identify, rate_limited};
use crate::assets::Page;
use crate::auth::Viewer;
use crate::graphql::{RETRY_AFTER, RequestId, ResponseBudget, code_of, find_operation_type};
use async_graphql::parser::types::OperationType;
use async_graphql::{self as graphql, BatchResponse, Request, Value};
use async_graphql_axum::GraphQLResponse;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use body::Parsed;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use media_type::MediaType;
use serde_json::json;
use std::sync::Arc;

/// Maximum number of operations in one request.
const MAX_BATCH: usize = 10;

/// Executes one operation or a batch of them.
pub(super) async fn post(
    State(server): State<Arc<Server>>,
    Extension(id): Extension<RequestId>,
    Extension(client): Extension<ClientIp>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    server.rates.request(client.0).map_err(rate_limited)?;
    let viewer = identify::viewer(&server, &headers).await?;
    if !media_type::is_json(&headers) {
        return Err(ApiError::not_json());
    }
    let body = body::read(body, viewer.is_some()).await?;
    let parsed = body::parse(&body, MAX_BATCH).map_err(ApiError::bad_input)?;
    let sender = Sender { viewer, client, id };
    let response = execute(&server, &sender, parsed).await?;
    Ok(render(response, MediaType::accepted(&headers)))
}

/// Executes the query in the URL's parameters, or serves the playground.
pub(super) async fn get(
    State(server): State<Arc<Server>>,
    Extension(id): Extension<RequestId>,
    Extension(client): Extension<ClientIp>,
    method: Method,
    RawQuery(params): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let params = params.unwrap_or_default();
    if media_type::accepts_html(&headers) || !query_params::has_operation(&params) {
        return Ok(playground(&server, &method, &headers));
    }
    server.rates.request(client.0).map_err(rate_limited)?;
    // A POST must have a JSON body, which a page of another site cannot send.
    identify::refuse_foreign_page(&server, &headers)?;
    let viewer = identify::viewer(&server, &headers).await?;
    let mut request = query_params::parse(&params).map_err(ApiError::bad_input)?;
    if find_operation_type(&mut request) == Some(OperationType::Mutation) {
        let allowed = [(header::ALLOW, "POST")];
        return Ok((allowed, ApiError::mutation_by_get()).into_response());
    }
    let sender = Sender { viewer, client, id };
    let response = execute(&server, &sender, Parsed::Single(Box::new(request))).await?;
    Ok(render(response, MediaType::accepted(&headers)))
}

fn playground(server: &Server, method: &Method, headers: &HeaderMap) -> Response {
    let mut page = server.assets.page(Page::Graphiql, method, headers);
    // With another `Accept`, the same URL may have the response to a query.
    let varies = HeaderValue::from_static("accept, accept-encoding");
    page.headers_mut().insert(header::VARY, varies);
    page
}

/// The sender of a request over HTTP.
struct Sender {
    viewer: Option<Viewer>,
    client: ClientIp,
    id: RequestId,
}

/// Executes all operations of a request, which share one response budget.
///
/// # Errors
/// If the sender has used up its rate of operations; then none is executed.
async fn execute(
    server: &Server,
    sender: &Sender,
    parsed: Parsed,
) -> Result<BatchResponse, ApiError> {
    let user = sender.viewer.map(|viewer| viewer.user_id);
    server
        .rates
        .operations(user, sender.client.0, parsed.operation_count())
        .map_err(rate_limited)?;
    let budget = ResponseBudget::default();
    let execute_one = async |request: Request| {
        let request = with_data(server, request, sender.viewer, &sender.id);
        server.schema.execute(request.data(budget.clone())).await
    };
    Ok(match parsed {
        Parsed::Single(request) => BatchResponse::Single(execute_one(*request).await),
        // One after another, unlike the library: a mutation may depend on the one before it, and a
        // batch needs no more resources at a time than a single request.
        Parsed::Batch(requests) => {
            let mut responses = Vec::with_capacity(requests.len());
            for request in requests {
                responses.push(execute_one(request).await);
            }
            BatchResponse::Batch(responses)
        }
    })
}

/// Adds the data that the schema expects in every request.
pub(super) fn with_data(
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

fn render(response: BatchResponse, media_type: MediaType) -> Response {
    let retry_after = longest_retry_after(&response);
    let mut rendered = match response {
        BatchResponse::Single(response) if is_request_error(&response) => {
            render_request_error(&response, media_type)
        }
        response => GraphQLResponse(response).into_response(),
    };
    let headers = rendered.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(media_type.as_str()),
    );
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    rendered
}

/// Whether an operation was refused before it was executed. Errors of execution have a path.
fn is_request_error(response: &graphql::Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

/// Renders a refused operation: without the entry `data`, and with the status of its error if the
/// client accepts the media type that has statuses
/// (<https://graphql.github.io/graphql-over-http/draft/>, "Status Codes").
fn render_request_error(response: &graphql::Response, media_type: MediaType) -> Response {
    let status = match media_type {
        MediaType::Json => StatusCode::OK,
        MediaType::GraphQlResponse => response.errors.first().map_or(StatusCode::OK, status_of),
    };
    (status, Json(json!({ "errors": response.errors }))).into_response()
}

fn status_of(error: &graphql::ServerError) -> StatusCode {
    match code_of(error) {
        "UNAUTHENTICATED" => StatusCode::UNAUTHORIZED,
        "FORBIDDEN" => StatusCode::FORBIDDEN,
        "RATE_LIMITED" => StatusCode::TOO_MANY_REQUESTS,
        "INTERNAL" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// The number of seconds after which all operations that were rate limited may be retried.
fn longest_retry_after(response: &BatchResponse) -> Option<u64> {
    let responses = match response {
        BatchResponse::Single(response) => std::slice::from_ref(response),
        BatchResponse::Batch(responses) => responses,
    };
    let errors = responses.iter().flat_map(|response| &response.errors);
    let seconds = errors.filter_map(|error| match error.extensions.as_ref()?.get(RETRY_AFTER)? {
        Value::Number(seconds) => seconds.as_u64(),
        _ => None,
    });
    seconds.max()
}
