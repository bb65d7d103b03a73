//! The secret in the address of a calendar feed, the only thing that authenticates a calendar.

use super::secret::{self, Hash};

/// Generates a secret and the hash to store for it.
#[must_use]
pub(crate) fn generate() -> (String, Vec<u8>) {
    let secret = secret::random();
    (secret::encode(&secret), secret::hash(&secret).to_vec())
}

/// Hashes a secret; `None` for what cannot be one.
#[must_use]
pub(crate) fn hash(secret: &str) -> Option<Hash> {
    secret::decode::<32>(secret).map(|secret| secret::hash(&secret))
}
