//! Signs what this installation sends out and verifies it when it comes back. Each purpose has a
//! key of its own, derived from the installation's secret, and signatures carry the key's id, so
//! that the secret can be rotated.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

/// The only algorithm that is used and accepted.
pub(super) const ALGORITHM: Algorithm = Algorithm::HS256;

/// Signs with the current key, and accepts signatures of the previous one too.
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) signing: EncodingKey,
    accepted: Vec<(String, DecodingKey)>,
}

impl Keys {
    /// Derives the keys for `purpose` from the current secret and the previous one.
    pub(super) fn new(purpose: &str, secret: &str, previous: Option<&str>) -> Self {
        let (id, key) = derive(purpose, secret);
        let accepted = std::iter::once(secret).chain(previous).map(|secret| {
            let (id, key) = derive(purpose, secret);
            (id, DecodingKey::from_secret(&key))
        });
        Self {
            id,
            signing: EncodingKey::from_secret(&key),
            accepted: accepted.collect(),
        }
    }

    /// Signs `claims` as a JSON Web Token.
    pub(super) fn sign(&self, claims: &impl Serialize) -> String {
        let header = Header {
            kid: Some(self.id.clone()),
            ..Header::new(ALGORITHM)
        };
        jsonwebtoken::encode(&header, claims, &self.signing)
            .expect("these claims are JSON and the key is symmetric")
    }

    /// Returns the claims of `token` if it was signed for this purpose and passes `validation`.
    pub(super) fn read<C: DeserializeOwned>(
        &self,
        token: &str,
        validation: &Validation,
    ) -> Option<C> {
        let id = jsonwebtoken::decode_header(token).ok()?.kid?;
        let (_, key) = self.accepted.iter().find(|(accepted, _)| *accepted == id)?;
        jsonwebtoken::decode::<C>(token, key, validation)
            .ok()
            .map(|token| token.claims)
    }
}

/// Requires an issuer, an audience and an expiry. The caller compares the expiry with its own
/// clock, and may accept an expired token.
pub(super) fn validation(issuer: &str, audience: &str) -> Validation {
    let mut validation = Validation::new(ALGORITHM);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.validate_exp = false;
    validation
}

/// Returns the raw keys for `purpose`, the current one first.
pub(super) fn raw_keys(purpose: &str, secret: &str, previous: Option<&str>) -> Vec<[u8; 32]> {
    std::iter::once(secret)
        .chain(previous)
        .map(|secret| derive(purpose, secret).1)
        .collect()
}

/// Derives a key and its id. A key for one purpose is of no use for another.
fn derive(purpose: &str, secret: &str) -> (String, [u8; 32]) {
    let labelled = |label: &str| {
        Sha256::new_with_prefix(label)
            .chain_update(secret)
            .finalize()
    };
    let id = labelled(&format!("pulsecheck {purpose} key id\0"));
    (
        hex::encode(&id[..8]),
        labelled(&format!("pulsecheck {purpose} key\0")).into(),
    )
}
