//! Responses to HTTP requests.

use crate::api::Moment;

/// The response to a request.
#[derive(Debug)]
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// When it was cached, if the service worker answered in place of the server.
    pub(crate) cached_at: Option<Moment>,
}

/// There was no response.
#[derive(Debug)]
pub(crate) struct NetworkError;
