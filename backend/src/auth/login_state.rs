//! The state of a sign-in by a provider while the browser is away: kept in a cookie of that
//! browser, signed so that nobody else can forge it.

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

/// How long a sign-in may take.
const LIFETIME: Duration = Duration::minutes(10);

/// Lifetime of the cookie: longer than the state's, so that somebody who comes back late learns why
/// the sign-in failed.
pub(crate) const COOKIE_LIFETIME: Duration = Duration::hours(1);

const AUDIENCE: &str = "pulsecheck sign-in";

/// An OAuth 2 login state. The provider sees `state` and `nonce`; the rest stays in the cookie.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LoginState {
    iss: String,
    aud: String,
    exp: i64,
    /// The provider's id.
    pub(super) provider: String,
    /// Returned by the browser in the callback.
    pub(super) state: String,
    /// Returned in the ID token.
    pub(super) nonce: String,
    /// The PKCE code verifier (RFC 7636).
    pub(super) verifier: String,
    /// The path on this server that the browser goes to afterwards.
    pub(super) return_path: String,
}

/// Creates login states and reads them from their cookies.
pub(super) struct LoginStates {
    issuer: String,
    keys: Keys,
    validation: Validation,
}

impl LoginStates {
    pub(super) fn new(issuer: String, secret_key: &str, previous: Option<&str>) -> Self {
        let validation = signature::validation(&issuer, AUDIENCE);
        Self {
            issuer,
            keys: Keys::new("sign-in", secret_key, previous),
            validation,
        }
    }

    /// Creates a login state and the value of its cookie.
    pub(super) fn create(
        &self,
        provider: &str,
        return_path: &str,
        now: DateTime<Utc>,
    ) -> (LoginState, String) {
        let random = || secret::encode(&secret::random());
        let login = LoginState {
            iss: self.issuer.clone(),
            aud: AUDIENCE.into(),
            exp: (now + LIFETIME).timestamp(),
            provider: provider.to_owned(),
            state: random(),
            nonce: random(),
            verifier: random(),
            return_path: return_path.to_owned(),
        };
        let cookie = self.keys.sign(&login);
        (login, cookie)
    }

    /// Reads the login state of a browser that comes back from `provider` with `state`.
    ///
    /// # Errors
    /// When it was not created for this browser, or has expired.
    pub(super) fn read(
        &self,
        cookie: Option<&str>,
        provider: &str,
        state: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<LoginState, Refusal> {
        let login: LoginState = cookie
            .and_then(|cookie| self.keys.read(cookie, &self.validation))
            .ok_or(Refusal::Browser)?;
        // Compares hashes, so that the time it takes reveals nothing about the state.
        let same = state.is_some_and(|state| {
            secret::hash(state.as_bytes()) == secret::hash(login.state.as_bytes())
        });
        if !same || login.provider != provider {
            return Err(Refusal::Mismatch);
        }
        if login.exp <= now.timestamp() {
            return Err(Refusal::Expired);
        }
        Ok(login)
    }
}

/// Marks a login state as consumed. Returns `false` if it already was, here or in another process.
///
/// # Errors
/// When the database fails.
pub(super) async fn consume(
    db: &impl ConnectionTrait,
    login: &LoginState,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let row = consumed_login_state::ActiveModel {
        id: Set(secret::hash(login.state.as_bytes()).to_vec()),
        expires_at: Set(now + COOKIE_LIFETIME),
    };
    let inserted = consumed_login_state::Entity::insert(row)
        .on_conflict_do_nothing_on([consumed_login_state::Column::Id])
        .exec_without_returning(db)
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1)))
}

/// Deletes consumed login states that are too old to be accepted anyway.
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

    fn login_states(issuer: &str, secret: &str, previous: Option<&str>) -> LoginStates {
        LoginStates::new(issuer.into(), secret, previous)
    }

    #[test]
    fn a_login_state_is_valid_in_its_browser_for_ten_minutes() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let here = login_states("https://a.example", SECRET, None);
        let (login, cookie) = here.create("google", "/incidents", now);
        let read = |states: &LoginStates,
                    cookie: Option<&str>,
                    provider: &str,
                    state: Option<&str>,
                    minutes: i64| {
            states
                .read(cookie, provider, state, now + Duration::minutes(minutes))
                .map(|login| login.return_path)
        };
        let (cookie, state) = (Some(cookie.as_str()), Some(login.state.as_str()));
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
            read(&here, cookie, "google", Some(&login.nonce), 0),
            Err(Refusal::Mismatch)
        );
        assert_eq!(read(&here, None, "google", state, 0), Err(Refusal::Browser));
        assert_eq!(
            read(&here, Some("x.y.z"), "google", state, 0),
            Err(Refusal::Browser)
        );
        for (other, accepted) in [
            (login_states("https://a.example", OTHER, None), false),
            (login_states("https://a.example", OTHER, Some(SECRET)), true),
            (login_states("https://b.example", SECRET, None), false),
        ] {
            assert_eq!(read(&other, cookie, "google", state, 0).is_ok(), accepted);
        }
        let (another, _) = here.create("google", "/", now);
        assert_ne!(
            (&another.state, &another.nonce, &another.verifier),
            (&login.state, &login.nonce, &login.verifier)
        );
    }

    #[test]
    fn an_access_token_is_no_login_state_and_the_reverse() {
        let now = Utc::now();
        let signer =
            crate::auth::access_token::Signer::new("https://a.example".into(), SECRET, None);
        let here = login_states("https://a.example", SECRET, None);
        let (login, cookie) = here.create("google", "/", now);
        assert_eq!(signer.read(&cookie), None);
        let token = signer.issue(uuid::Uuid::nil(), uuid::Uuid::nil(), now);
        assert!(
            here.read(Some(&token), "google", Some(&login.state), now)
                .is_err()
        );
    }
}
