//! Looks up the API tokens that programs present. They are created and revoked in `use_cases`.

use super::secret::{self, Hash};
use chrono::{DateTime, Duration, Utc};
use entity::api_token::{Column, Entity, Model};
use entity::column::Role;
use entity::membership;
use sea_orm::sea_query::{Condition, Expr};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Select};
use uuid::Uuid;

/// The prefix of every token, by which people and secret scanners recognise one.
const PREFIX: &str = "pck_";

/// Maximum length of a token; anything longer is not hashed.
const MAX_LENGTH: usize = 200;

/// `last_used_at` is only written when it is older than this.
const LAST_USED_WRITE_INTERVAL: Duration = Duration::minutes(1);

/// Generates a token and the hash to store for it.
#[must_use]
pub(crate) fn generate() -> (String, Vec<u8>) {
    let token = format!("{PREFIX}{}", secret::encode(&secret::random()));
    let hash = secret::hash(token.as_bytes());
    (token, hash.to_vec())
}

/// Hashes the whole text of a token; `None` for what cannot be a token.
#[must_use]
pub(super) fn token_hash(token: &str) -> Option<Hash> {
    (token.starts_with(PREFIX) && token.len() <= MAX_LENGTH).then(|| secret::hash(token.as_bytes()))
}

/// Extracts the token from `Bearer pck_...`, in a header or in a WebSocket's first message.
pub(crate) fn from_authorization(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Finds a token that has not expired, with the role of its user in its workspace.
///
/// # Errors
/// When the database fails.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    hash: &Hash,
    now: DateTime<Utc>,
) -> Result<Option<(Model, Role)>, DbErr> {
    let by_hash = Entity::find().filter(Column::TokenHash.eq(hash.to_vec()));
    find_valid(db, by_hash, now).await
}

/// Like [`find`], for a connection that presented its token earlier.
///
/// # Errors
/// When the database fails.
pub(super) async fn find_by_id(
    db: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<(Model, Role)>, DbErr> {
    find_valid(db, Entity::find_by_id(id), now).await
}

async fn find_valid(
    db: &impl ConnectionTrait,
    query: Select<Entity>,
    now: DateTime<Utc>,
) -> Result<Option<(Model, Role)>, DbErr> {
    let found = query.find_also_related(membership::Entity).one(db).await?;
    Ok(found.and_then(|(token, membership)| {
        let role = membership?.role;
        is_valid(token.expires_at, now).then_some((token, role))
    }))
}

pub(super) fn is_valid(expires_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    expires_at.is_none_or(|end| now < end)
}

/// Whether the last use of a token has to be written again.
pub(super) fn is_last_used_stale(token: &Model, now: DateTime<Utc>) -> bool {
    token
        .last_used_at
        .is_none_or(|last| last + LAST_USED_WRITE_INTERVAL <= now)
}

/// Writes the last use of a token, unless another process just did.
///
/// # Errors
/// When the database fails.
pub(super) async fn touch(
    db: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let stale = Condition::any()
        .add(Column::LastUsedAt.is_null())
        .add(Column::LastUsedAt.lte(now - LAST_USED_WRITE_INTERVAL));
    let update = Entity::update_many().col_expr(Column::LastUsedAt, Expr::value(now));
    update
        .filter(Column::Id.eq(id))
        .filter(stale)
        .exec(db)
        .await
        .map(drop)
}
