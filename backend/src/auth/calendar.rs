//! The secret in the address of a calendar feed: calendars send nothing else by which they could be known.

use super::secret::{self, Hash};

/// A secret that nobody has yet, and the hash under which to keep it.
#[must_use]
pub(crate) fn make() -> (String, Vec<u8>) {
    let secret = secret::random();
    (secret::encode(&secret), secret::hash(&secret).to_vec())
}

/// The hash under which a secret is kept; `None` for what cannot be one.
#[must_use]
pub(crate) fn hash(secret: &str) -> Option<Hash> {
    secret::decode::<32>(secret).map(|secret| secret::hash(&secret))
}
