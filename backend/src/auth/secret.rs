//! Secrets that are handed out once and stored as a hash: sign-in links, refresh tokens, API
//! tokens.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rand::RngCore as _;
use sha2::{Digest as _, Sha256};

/// SHA-256 of a secret.
///
/// A plain hash is enough, because the secret has 256 random bits and cannot be guessed from its
/// hash. Looking it up in an index is safe too: the time may reveal something about the hash of
/// what was presented, which its sender knows, but nothing about a secret with another hash.
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

/// Encodes a secret for cookies and addresses.
pub(super) fn encode(secret: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(secret)
}

/// Decodes exactly `N` bytes from the output of [`encode`].
pub(super) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    // Checks the length first, so that long input is not decoded.
    if text.len() != (N * 4).div_ceil(3) {
        return None;
    }
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}
