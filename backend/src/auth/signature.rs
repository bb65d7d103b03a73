//! What this installation signs, so that it recognises it when it comes back: each purpose with a key of its own, derived
//! from the one secret, and with the id of that key, so that the secret can be exchanged.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

/// The one algorithm that is used and accepted.
pub(super) const ALGORITHM: Algorithm = Algorithm::HS256;

/// Signs with one key, accepts also what the key before it signed.
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) signing: EncodingKey,
    accepted: Vec<(String, DecodingKey)>,
}

impl Keys {
    /// The keys for `purpose`, from the secret and, while it is being exchanged, the one before it.
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

    /// A JSON Web Token that says `claims`.
    pub(super) fn sign(&self, claims: &impl Serialize) -> String {
        let header = Header {
            kid: Some(self.id.clone()),
            ..Header::new(ALGORITHM)
        };
        jsonwebtoken::encode(&header, claims, &self.signing)
            .expect("these claims are JSON and the key is symmetric")
    }

    /// What `token` says, when it was signed for this purpose and passes `validation`.
    pub(super) fn read<C: DeserializeOwned>(
        &self,
        token: &str,
        validation: &Validation,
    ) -> Option<C> {
        let id = jsonwebtoken::decode_header(token).ok()?.kid?;
        let (_, key) = self.accepted.iter().find(|(known, _)| *known == id)?;
        jsonwebtoken::decode::<C>(token, key, validation)
            .ok()
            .map(|token| token.claims)
    }
}

/// Demands an issuer, an audience and an expiry. Whether that has passed is left to who reads it, because it takes the
/// time as an argument, and because what has expired may still be worth something.
pub(super) fn validation(issuer: &str, audience: &str) -> Validation {
    let mut validation = Validation::new(ALGORITHM);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.validate_exp = false;
    validation
}

/// The bare keys for `purpose`, the one in use first.
pub(super) fn bare(purpose: &str, secret: &str, previous: Option<&str>) -> Vec<[u8; 32]> {
    std::iter::once(secret)
        .chain(previous)
        .map(|secret| derive(purpose, secret).1)
        .collect()
}

/// A key and its id. Derived, so that the secret can serve several purposes without one of them helping against another.
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
