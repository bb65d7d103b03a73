//! A sign-in by a provider that is under way: what was asked there, kept in a cookie of the browser that asked, signed so
//! that nobody else can have written it.

use super::refusal::Refusal;
use super::secret;
use super::signature::{self, Keys};
use chrono::{DateTime, Duration, Utc};
use entity::consumed_login_state;
use jsonwebtoken::Validation;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set, TryInsertResult,
};
use serde::{Deserialize, Serialize};

/// How long it may take.
const LIFETIME: Duration = Duration::minutes(10);

/// How long the browser keeps it: longer, so that who comes late is told so.
pub(crate) const KEPT_FOR: Duration = Duration::hours(1);

const AUDIENCE: &str = "pulsecheck sign-in";

/// What has to come back, and what must not leave.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Flow {
    iss: String,
    aud: String,
    exp: i64,
    /// Which provider was asked.
    pub(super) provider: String,
    /// Comes back with the browser.
    pub(super) state: String,
    /// Comes back in the ID token.
    pub(super) nonce: String,
    /// What the code is exchanged with (RFC 7636).
    pub(super) verifier: String,
    /// Where to go afterwards.
    pub(super) back: String,
}

/// Begins flows and reads their cookies.
pub(super) struct Flows {
    issuer: String,
    keys: Keys,
    validation: Validation,
}

impl Flows {
    pub(super) fn new(issuer: String, secret_key: &str, previous: Option<&str>) -> Self {
        let validation = signature::validation(&issuer, AUDIENCE);
        Self {
            issuer,
            keys: Keys::new("sign-in", secret_key, previous),
            validation,
        }
    }

    /// A new one, and the cookie's value for it.
    pub(super) fn begin(&self, provider: &str, back: &str, now: DateTime<Utc>) -> (Flow, String) {
        let random = || secret::encode(&secret::random());
        let flow = Flow {
            iss: self.issuer.clone(),
            aud: AUDIENCE.into(),
            exp: (now + LIFETIME).timestamp(),
            provider: provider.to_owned(),
            state: random(),
            nonce: random(),
            verifier: random(),
            back: back.to_owned(),
        };
        let cookie = self.keys.sign(&flow);
        (flow, cookie)
    }

    /// The flow that a browser brings back from `provider` with `state`.
    ///
    /// # Errors
    /// When it was not begun in this browser, or too long ago.
    pub(super) fn read(
        &self,
        cookie: Option<&str>,
        provider: &str,
        state: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Flow, Refusal> {
        let flow: Flow = cookie
            .and_then(|cookie| self.keys.read(cookie, &self.validation))
            .ok_or(Refusal::Browser)?;
        // Hashes, so that how long it takes to compare them tells nothing about the state.
        let same = state.is_some_and(|state| {
            secret::hash(state.as_bytes()) == secret::hash(flow.state.as_bytes())
        });
        if !same || flow.provider != provider {
            return Err(Refusal::Mismatch);
        }
        if flow.exp <= now.timestamp() {
            return Err(Refusal::Expired);
        }
        Ok(flow)
    }
}

/// Notes that a flow is being completed; `false` when it was before, here or by another process.
///
/// # Errors
/// When the database fails.
pub(super) async fn consume(
    db: &impl ConnectionTrait,
    flow: &Flow,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let row = consumed_login_state::ActiveModel {
        id: Set(secret::hash(flow.state.as_bytes()).to_vec()),
        expires_at: Set(now + KEPT_FOR),
    };
    let inserted = consumed_login_state::Entity::insert(row)
        .on_conflict_do_nothing_on([consumed_login_state::Column::Id])
        .exec_without_returning(db)
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1)))
}

/// Forgets the completed flows that are too old to be accepted anyway.
///
/// # Errors
/// When the database fails.
pub(super) async fn purge(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), DbErr> {
    let old = consumed_login_state::Entity::delete_many()
        .filter(consumed_login_state::Column::ExpiresAt.lte(now));
    old.exec(db).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "fedcba9876543210fedcba9876543210";

    fn flows(issuer: &str, secret: &str, previous: Option<&str>) -> Flows {
        Flows::new(issuer.into(), secret, previous)
    }

    #[test]
    fn what_was_begun_in_this_browser_is_recognised_for_ten_minutes() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let here = flows("https://a.example", SECRET, None);
        let (flow, cookie) = here.begin("google", "/incidents", now);
        let read = |flows: &Flows,
                    cookie: Option<&str>,
                    provider: &str,
                    state: Option<&str>,
                    minutes: i64| {
            flows
                .read(cookie, provider, state, now + Duration::minutes(minutes))
                .map(|flow| flow.back)
        };
        let (cookie, state) = (Some(cookie.as_str()), Some(flow.state.as_str()));
        assert_eq!(
            read(&here, cookie, "google", state, 9),
            Ok("/incidents".into())
        );
        assert_eq!(
            read(&here, cookie, "google", state, 10),
            Err(Refusal::Expired)
        );
        assert_eq!(
            read(&here, cookie, "github", state, 0),
            Err(Refusal::Mismatch)
        );
        assert_eq!(
            read(&here, cookie, "google", None, 0),
            Err(Refusal::Mismatch)
        );
        assert_eq!(
            read(&here, cookie, "google", Some(&flow.nonce), 0),
            Err(Refusal::Mismatch)
        );
        assert_eq!(read(&here, None, "google", state, 0), Err(Refusal::Browser));
        assert_eq!(
            read(&here, Some("x.y.z"), "google", state, 0),
            Err(Refusal::Browser)
        );
        for (other, accepted) in [
            (flows("https://a.example", OTHER, None), false),
            (flows("https://a.example", OTHER, Some(SECRET)), true),
            (flows("https://b.example", SECRET, None), false),
        ] {
            assert_eq!(read(&other, cookie, "google", state, 0).is_ok(), accepted);
        }
        let (another, _) = here.begin("google", "/", now);
        assert_ne!(
            (&another.state, &another.nonce, &another.verifier),
            (&flow.state, &flow.nonce, &flow.verifier)
        );
    }

    #[test]
    fn an_access_token_is_no_flow_and_a_flow_no_access_token() {
        let now = Utc::now();
        let signer =
            crate::auth::access_token::Signer::new("https://a.example".into(), SECRET, None);
        let here = flows("https://a.example", SECRET, None);
        let (flow, cookie) = here.begin("google", "/", now);
        assert_eq!(signer.read(&cookie), None);
        let token = signer.issue(uuid::Uuid::nil(), uuid::Uuid::nil(), now);
        assert!(
            here.read(Some(&token), "google", Some(&flow.state), now)
                .is_err()
        );
    }
}
