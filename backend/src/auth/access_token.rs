//! The access token: a short-lived JSON Web Token that names a session and its user. Does not know
//! whether the session still exists.

use super::signature::{self, Keys};
use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::Validation;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Lifetime of an access token.
pub(crate) const LIFETIME: Duration = Duration::hours(1);

const AUDIENCE: &str = "pulsecheck";

/// Issues and verifies tokens.
pub(super) struct Signer {
    issuer: String,
    keys: Keys,
    validation: Validation,
}

/// The claims of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: String,
    pub(super) sub: Uuid,
    pub(super) sid: Uuid,
    iat: i64,
    exp: i64,
}

impl Claims {
    pub(super) fn expired(&self, now: DateTime<Utc>) -> bool {
        self.exp <= now.timestamp()
    }
}

impl Signer {
    pub(super) fn new(issuer: String, secret_key: &str, previous: Option<&str>) -> Self {
        // Expired tokens are read too, because signing out must work with them; callers check
        // `Claims::expired`.
        let mut validation = signature::validation(&issuer, AUDIENCE);
        validation.required_spec_claims.insert("sub".into());
        Self {
            issuer,
            keys: Keys::new("access token", secret_key, previous),
            validation,
        }
    }

    pub(super) fn issue(&self, user: Uuid, session: Uuid, now: DateTime<Utc>) -> String {
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.into(),
            sub: user,
            sid: session,
            iat: now.timestamp(),
            exp: (now + LIFETIME).timestamp(),
        };
        self.keys.sign(&claims)
    }

    /// Returns the claims of `token` if this installation signed it; it may have expired.
    pub(super) fn read(&self, token: &str) -> Option<Claims> {
        self.keys.read(token, &self.validation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::signature::ALGORITHM;
    use jsonwebtoken::{Algorithm, EncodingKey, Header};
    use serde_json::{Value, json};

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "fedcba9876543210fedcba9876543210";
    const ISSUER: &str = "https://pulse.example.com";

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn signer(secret: &str, previous: Option<&str>) -> Signer {
        Signer::new(ISSUER.into(), secret, previous)
    }

    /// A token with the right key and id, but with `change` made to its claims.
    fn with(change: impl Fn(&mut Value)) -> String {
        let good = signer(SECRET, None);
        let mut claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": Uuid::from_u128(1), "sid": Uuid::from_u128(2),
            "iat": now().timestamp(), "exp": now().timestamp() + 60,
        });
        change(&mut claims);
        let header = Header {
            kid: Some(good.keys.id.clone()),
            ..Header::new(ALGORITHM)
        };
        jsonwebtoken::encode(&header, &claims, &good.keys.signing).unwrap()
    }

    #[test]
    fn a_token_says_who_it_was_issued_to_until_it_expires() {
        let signer = signer(SECRET, None);
        let token = signer.issue(Uuid::from_u128(1), Uuid::from_u128(2), now());
        let claims = signer.read(&token).unwrap();
        assert_eq!(
            (claims.sub, claims.sid),
            (Uuid::from_u128(1), Uuid::from_u128(2))
        );
        assert!(!claims.expired(now() + LIFETIME - Duration::seconds(1)));
        assert!(claims.expired(now() + LIFETIME));
    }

    #[test]
    fn after_a_rotation_the_previous_key_is_accepted_and_an_older_one_is_not() {
        let token = signer(SECRET, None).issue(Uuid::nil(), Uuid::nil(), now());
        assert!(signer(OTHER, Some(SECRET)).read(&token).is_some());
        assert!(signer(OTHER, None).read(&token).is_none());
    }

    #[test]
    fn whatever_was_tampered_with_is_refused() {
        assert!(
            signer(SECRET, None).read(&with(|_| {})).is_some(),
            "the untouched one is good"
        );
        let remove = |name: &'static str| {
            with(move |claims| drop(claims.as_object_mut().unwrap().remove(name)))
        };
        let set =
            |name: &'static str, value: Value| with(move |claims| claims[name] = value.clone());
        for (what, token) in [
            ("another issuer", set("iss", json!("https://evil.example"))),
            ("another audience", set("aud", json!("somebody"))),
            ("no expiry", remove("exp")),
            ("no issuer", remove("iss")),
            ("no audience", remove("aud")),
            ("no user", remove("sub")),
            ("no session", remove("sid")),
            ("an expiry that is no number", set("exp", json!("never"))),
            ("an expiry that is null", set("exp", Value::Null)),
        ] {
            assert_eq!(signer(SECRET, None).read(&token), None, "{what}");
        }
    }

    #[test]
    fn another_algorithm_or_key_is_refused_whatever_its_header_claims() {
        use base64::Engine as _;
        use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
        let good = signer(SECRET, None);
        let token = with(|_| {});
        let (head, signature) = token.rsplit_once('.').unwrap();
        let (_, payload) = head.split_once('.').unwrap();
        let header = |alg: &str| {
            BASE64.encode(json!({ "alg": alg, "typ": "JWT", "kid": good.keys.id }).to_string())
        };
        let forged = Header {
            kid: Some(good.keys.id.clone()),
            ..Header::new(ALGORITHM)
        };
        let claims: Value = serde_json::from_slice(&BASE64.decode(payload).unwrap()).unwrap();
        let same_key_other_algorithm = Header {
            kid: Some(good.keys.id.clone()),
            ..Header::new(Algorithm::HS512)
        };
        let no_kid = Header::new(ALGORITHM);
        for (what, token) in [
            ("alg none", format!("{}.{payload}.", header("none"))),
            (
                "alg none, signature kept",
                format!("{}.{payload}.{signature}", header("none")),
            ),
            (
                "alg RS256",
                format!("{}.{payload}.{signature}", header("RS256")),
            ),
            ("no signature", format!("{head}.")),
            (
                "another key",
                jsonwebtoken::encode(
                    &forged,
                    &claims,
                    &EncodingKey::from_secret(OTHER.as_bytes()),
                )
                .unwrap(),
            ),
            (
                "the secret itself as key",
                jsonwebtoken::encode(
                    &forged,
                    &claims,
                    &EncodingKey::from_secret(SECRET.as_bytes()),
                )
                .unwrap(),
            ),
            (
                "HS512",
                jsonwebtoken::encode(&same_key_other_algorithm, &claims, &good.keys.signing)
                    .unwrap(),
            ),
            (
                "no key id",
                jsonwebtoken::encode(&no_kid, &claims, &good.keys.signing).unwrap(),
            ),
            ("nothing", String::new()),
            ("dots", "..".into()),
        ] {
            assert_eq!(good.read(&token), None, "{what}");
        }
    }
}
