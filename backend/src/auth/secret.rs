//! Secrets that are handed out once and kept as a hash: sign-in links, refresh tokens, API tokens.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rand::RngCore as _;
use sha2::{Digest as _, Sha256};

/// SHA-256 of a secret.
///
/// A plain hash is enough, because what is hashed has 256 random bits and cannot be guessed from its hash. Looking it
/// up in an index is safe too: how long that takes may tell something about the hash of what was presented, which its
/// sender knows anyway, and nothing about a secret that has another hash.
pub(super) type Hash = [u8; 32];

/// 32 bytes from the operating system's generator.
pub(super) fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

pub(super) fn hash(secret: &[u8]) -> Hash {
    Sha256::digest(secret).into()
}

/// As it stands in cookies and addresses.
pub(super) fn encode(secret: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(secret)
}

/// Exactly `N` bytes from what [`encode`] wrote.
pub(super) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    // The length first: whatever else was sent need not be decoded.
    if text.len() != (N * 4).div_ceil(3) {
        return None;
    }
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}
