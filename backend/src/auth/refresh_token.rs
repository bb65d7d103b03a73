//! The refresh token: names the session that it renews and proves that this installation issued it.
//! Does not know whether it is the newest of its session.
//!
//! It has 48 bytes: the session's id, a seed, and a code over both (HMAC-SHA-256, cut to 128 bits).
//! The code tells an old token from one that somebody forged for a session whose id they know. The
//! next token is derived from the one before and the key alone, so that a client that lost the
//! response to a rotation can be given the same token again.

use super::secret::{self, Hash};
use super::signature;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

type Seed = [u8; 16];

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RefreshToken([u8; 48]);

impl RefreshToken {
    /// Parses any text of the right length; [`RefreshTokens::is_issued`] tells whether it is a
    /// token.
    pub(super) fn parse(text: &str) -> Option<Self> {
        secret::decode(text).map(Self)
    }

    pub(super) fn text(&self) -> String {
        secret::encode(&self.0)
    }

    /// The id of its session.
    pub(super) fn session(&self) -> Uuid {
        Uuid::from_slice(&self.0[..16]).expect("a UUID has 16 bytes")
    }

    /// The hash that is stored.
    pub(super) fn hash(&self) -> Hash {
        secret::hash(&self.0)
    }
}

/// Issues tokens with the current key, and recognises those of the previous key too.
#[derive(Debug)]
pub(super) struct RefreshTokens {
    /// The current key first.
    keys: Vec<[u8; 32]>,
}

impl RefreshTokens {
    pub(super) fn new(secret_key: &str, previous: Option<&str>) -> Self {
        Self {
            keys: signature::raw_keys("refresh token", secret_key, previous),
        }
    }

    /// The first token of a session.
    pub(super) fn first(&self, session: Uuid) -> RefreshToken {
        let seed = secret::random()[..16].try_into().expect("32 bytes have 16");
        token(&self.keys[0], session, seed)
    }

    /// The token after `before`.
    pub(super) fn next(&self, before: &RefreshToken) -> RefreshToken {
        derive_next(&self.keys[0], before)
    }

    /// The token after `before`, if its hash is `hash`, by whichever key was current then.
    pub(super) fn next_with_hash(
        &self,
        before: &RefreshToken,
        hash: &[u8],
    ) -> Option<RefreshToken> {
        self.keys
            .iter()
            .map(|key| derive_next(key, before))
            .find(|next| next.hash() == hash)
    }

    /// Whether `token` was issued by this installation.
    pub(super) fn is_issued(&self, token: &RefreshToken) -> bool {
        let (text, code) = token.0.split_at(32);
        self.keys
            .iter()
            .any(|key| mac(key, "token", text).verify_truncated_left(code).is_ok())
    }
}

fn token(key: &[u8; 32], session: Uuid, seed: Seed) -> RefreshToken {
    let mut bytes = [0; 48];
    bytes[..16].copy_from_slice(session.as_bytes());
    bytes[16..32].copy_from_slice(&seed);
    let code = mac(key, "token", &bytes[..32]).finalize().into_bytes();
    bytes[32..].copy_from_slice(&code[..16]);
    RefreshToken(bytes)
}

fn derive_next(key: &[u8; 32], before: &RefreshToken) -> RefreshToken {
    let seed = mac(key, "next", &before.0).finalize().into_bytes();
    token(
        key,
        before.session(),
        seed[..16].try_into().expect("a code has 32 bytes"),
    )
}

/// Labelled, so that a code of one kind is never valid as another.
fn mac(key: &[u8; 32], label: &str, text: &[u8]) -> Hmac<Sha256> {
    let mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(key).expect("keys may have any length");
    mac.chain_update(label).chain_update([0]).chain_update(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "fedcba9876543210fedcba9876543210";

    #[test]
    fn a_token_names_its_session_and_proves_where_it_was_made() {
        let (here, elsewhere) = (
            RefreshTokens::new(SECRET, None),
            RefreshTokens::new(OTHER, None),
        );
        let session = Uuid::now_v7();
        let first = here.first(session);
        let next = here.next(&first);
        assert_ne!(first, here.first(session), "nobody can foresee it");
        for token in [&first, &next] {
            assert_eq!(RefreshToken::parse(&token.text()).as_ref(), Some(token));
            assert_eq!(token.session(), session);
            assert!(here.is_issued(token) && !elsewhere.is_issued(token));
            for byte in 0..48 {
                let mut altered = token.clone();
                altered.0[byte] ^= 1;
                assert!(!here.is_issued(&altered), "{byte}");
            }
        }
        assert_ne!(
            elsewhere.next(&first),
            next,
            "only the key leads from one to the next"
        );
    }

    #[test]
    fn after_the_key_was_changed_what_was_made_before_is_still_recognised() {
        let before = RefreshTokens::new(SECRET, None);
        let (after, long_after) = (
            RefreshTokens::new(OTHER, Some(SECRET)),
            RefreshTokens::new(OTHER, None),
        );
        let first = before.first(Uuid::now_v7());
        let next = before.next(&first);
        assert!(after.is_issued(&first) && !long_after.is_issued(&first));
        assert_eq!(
            after.next_with_hash(&first, &next.hash()),
            Some(next.clone())
        );
        assert_eq!(long_after.next_with_hash(&first, &next.hash()), None);
        assert!(
            long_after.is_issued(&after.next(&first)),
            "and the next is made with the new key"
        );
    }
}
