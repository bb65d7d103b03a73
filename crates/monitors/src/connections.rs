//! The network as kinds use it.

use net::HttpClient;
use net::guard::Guard;

/// The HTTP client and address guard of all checks. Cheap to clone; clones share the client.
#[derive(Debug, Clone)]
pub struct Net {
    /// The HTTP client, which opens a new connection for each request.
    pub client: HttpClient,
    /// Decides which addresses may be reached.
    pub guard: Guard,
    /// Maximum number of bytes that are read of a body.
    pub max_body_bytes: usize,
}
