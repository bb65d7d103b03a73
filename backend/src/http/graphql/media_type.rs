//! Media types of GraphQL over HTTP
//! (<https://graphql.github.io/graphql-over-http/draft/>, "Media Types").

use http::{HeaderMap, header};

const JSON: &str = "application/json";
const HTML: &str = "text/html";
const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

/// Media type of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MediaType {
    /// For clients that do not ask for the other one; refused operations have status 200.
    Json,
    /// With the HTTP status of a refused operation.
    GraphQlResponse,
}

impl MediaType {
    /// Chooses the media type that a client accepts.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        if accepts(headers, GRAPHQL_RESPONSE) {
            Self::GraphQlResponse
        } else {
            Self::Json
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::GraphQlResponse => GRAPHQL_RESPONSE,
        }
    }
}

/// Whether the client is a browser that opens a page.
pub(super) fn accepts_html(headers: &HeaderMap) -> bool {
    accepts(headers, HTML)
}

/// Whether the client names a media type in `Accept`.
fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|accepted| essence(accepted).eq_ignore_ascii_case(media_type))
}

/// Whether a request's body is JSON. A page of another site can make a browser send a form or plain
/// text without asking this server first, but not JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = essence(value);
    kind.eq_ignore_ascii_case(JSON) || kind.eq_ignore_ascii_case(GRAPHQL_RESPONSE)
}

/// A media type without its parameters.
fn essence(kind: &str) -> &str {
    kind.split(';').next().unwrap_or_default().trim()
}
