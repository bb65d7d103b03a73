//! Sign-in by a one-time link, for everybody who can read the program's output or its database.

use super::refresh_token::RefreshTokens;
use super::secret::{self, Hash};
use super::session::{self, Device, NewSession};
use chrono::{DateTime, Duration, Utc};
use entity::{identity, login_link, membership, user};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait,
    QueryFilter, Set, TryInsertResult,
};
use uuid::Uuid;

/// The identity of the installation's owner.
const PROVIDER: &str = "local";
const SUBJECT: &str = "owner";

/// Creates the token of a one-time link, valid for `ttl` from `now`. The link is
/// `/api/auth/local?token=` followed by it.
///
/// # Errors
/// When the database fails.
pub async fn create_link(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    ttl: Duration,
) -> Result<String, DbErr> {
    let token = secret::random();
    let link = login_link::ActiveModel {
        token_hash: Set(secret::hash(&token).to_vec()),
        created_at: Set(now),
        expires_at: Set(now + ttl),
    };
    login_link::Entity::insert(link)
        .exec_without_returning(db)
        .await?;
    Ok(secret::encode(&token))
}

/// Creates a session and consumes the link; `None` when the link is unknown, consumed or expired.
///
/// # Errors
/// When the database fails; the link stays valid then.
pub(super) async fn sign_in(
    db: &DatabaseConnection,
    refresh_tokens: &RefreshTokens,
    token: &str,
    device: Device,
    now: DateTime<Utc>,
) -> Result<Option<NewSession>, DbErr> {
    let Some(token) = secret::decode::<32>(token) else {
        return Ok(None);
    };
    let transaction = entity::sql::begin_write(db).await?;
    let session = if consume(&transaction, &secret::hash(&token), now).await? {
        let user = find_or_create_owner(&transaction, now).await?;
        Some(session::create(&transaction, refresh_tokens, user, device, now).await?)
    } else {
        None
    };
    transaction.commit().await?;
    Ok(session)
}

/// Deletes expired links.
///
/// # Errors
/// When the database fails.
pub(super) async fn purge(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), DbErr> {
    login_link::Entity::delete_many()
        .filter(login_link::Column::ExpiresAt.lte(now))
        .exec(db)
        .await
        .map(drop)
}

/// Consumes a link by deleting it, so that only one of two concurrent attempts succeeds.
async fn consume(
    db: &impl ConnectionTrait,
    hash: &Hash,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let link =
        login_link::Entity::delete_many().filter(login_link::Column::TokenHash.eq(hash.to_vec()));
    Ok(link
        .exec_with_returning(db)
        .await?
        .iter()
        .any(|link| now < link.expires_at))
}

/// Returns the installation's owner, who is created on first use.
///
/// # Errors
/// When the database fails.
pub async fn find_or_create_owner(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
) -> Result<Uuid, DbErr> {
    if let Some(identity) = find_owner(db).await? {
        let user = identity.user_id;
        identity::ActiveModel {
            last_used_at: Set(now),
            ..identity.into()
        }
        .update(db)
        .await?;
        return Ok(user);
    }
    let id = Uuid::now_v7();
    let new = user::ActiveModel {
        id: Set(id),
        email: Set("owner@localhost".into()),
        email_verified: Set(false),
        name: Set("Owner".into()),
        avatar_url: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let new = new.insert(db).await?;
    let identity = identity::ActiveModel {
        provider: Set(PROVIDER.into()),
        subject: Set(SUBJECT.into()),
        user_id: Set(id),
        email: Set("owner@localhost".into()),
        email_verified: Set(false),
        created_at: Set(now),
        last_used_at: Set(now),
    };
    let inserted = identity::Entity::insert(identity)
        .on_conflict_do_nothing_on([identity::Column::Provider, identity::Column::Subject])
        .exec_without_returning(db);
    if let TryInsertResult::Inserted(1) = inserted.await? {
        membership::create_personal_workspace(db, &new).await?;
        return Ok(id);
    }
    // Another link was used at the same moment, and its transaction committed first.
    user::Entity::delete_by_id(id).exec(db).await?;
    let identity = find_owner(db).await?;
    identity
        .map(|identity| identity.user_id)
        .ok_or_else(|| DbErr::RecordNotFound("the installation's owner".into()))
}

/// Whether `user` is the installation's owner.
///
/// # Errors
/// When the database fails.
pub(crate) async fn is_owner(db: &impl ConnectionTrait, user: Uuid) -> Result<bool, DbErr> {
    Ok(find_owner(db)
        .await?
        .is_some_and(|identity| identity.user_id == user))
}

async fn find_owner(db: &impl ConnectionTrait) -> Result<Option<identity::Model>, DbErr> {
    identity::Entity::find_by_id((PROVIDER.to_owned(), SUBJECT.to_owned()))
        .one(db)
        .await
}
