//! The network as kinds use it.

use net::guard::Guard;

/// What kinds check with. Cheap to clone; all clones share one client.
#[derive(Debug, Clone)]
pub struct Net {
    /// The HTTP client, which makes a connection of its own for each request.
    pub client: reqwest::Client,
    /// Which addresses may be reached.
    pub guard: Guard,
    /// After this many bytes of a body no more are read.
    pub max_body_bytes: usize,
}
