//! Looking up the API token that a program presents. Making and revoking tokens is an operation like others, see `ops`.

use super::secret::{self, Hash};
use chrono::{DateTime, Duration, Utc};
use entity::api_token::{Column, Entity, Model};
use sea_orm::sea_query::{Condition, Expr};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use uuid::Uuid;

/// What every token begins with, so that people and secret scanners recognise one.
const PREFIX: &str = "pck_";

/// Tokens are shorter than this; anything longer need not be hashed.
const MAX_LENGTH: usize = 200;

/// `last_used_at` is only written when it is older than this.
const USE_IS_NOTED_EVERY: Duration = Duration::minutes(1);

/// A token that nobody has yet, and the hash under which to keep it.
#[must_use]
pub(crate) fn make() -> (String, Vec<u8>) {
    let token = format!("{PREFIX}{}", secret::encode(&secret::random()));
    let hash = secret::hash(token.as_bytes());
    (token, hash.to_vec())
}

/// The hash under which a token is kept, of its whole text; `None` for what cannot be a token.
#[must_use]
pub(super) fn token_hash(token: &str) -> Option<Hash> {
    (token.starts_with(PREFIX) && token.len() <= MAX_LENGTH).then(|| secret::hash(token.as_bytes()))
}

/// The token in an `Authorization: Bearer pck_...` header, or in the like of a WebSocket's first message.
pub(crate) fn from_authorization(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A token that has not expired.
///
/// # Errors
/// When the database fails.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    hash: &Hash,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    let found = Entity::find()
        .filter(Column::TokenHash.eq(hash.to_vec()))
        .one(db)
        .await?;
    Ok(found.filter(|token| works(token.expires_at, now)))
}

/// The like for somebody who showed the token earlier.
///
/// # Errors
/// When the database fails.
pub(super) async fn find_by_id(
    db: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    let found = Entity::find_by_id(id).one(db).await?;
    Ok(found.filter(|token| works(token.expires_at, now)))
}

pub(super) fn works(expires_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    expires_at.is_none_or(|end| now < end)
}

/// Whether the use of a token has to be written down again.
pub(super) fn use_is_worth_noting(token: &Model, now: DateTime<Utc>) -> bool {
    token
        .last_used_at
        .is_none_or(|last| last + USE_IS_NOTED_EVERY <= now)
}

/// Writes down that a token is in use, unless somebody else just did.
///
/// # Errors
/// When the database fails.
pub(super) async fn note_use(
    db: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let stale = Condition::any()
        .add(Column::LastUsedAt.is_null())
        .add(Column::LastUsedAt.lte(now - USE_IS_NOTED_EVERY));
    let update = Entity::update_many().col_expr(Column::LastUsedAt, Expr::value(now));
    update
        .filter(Column::Id.eq(id))
        .filter(stale)
        .exec(db)
        .await
        .map(drop)
}
