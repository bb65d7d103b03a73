//! Sessions: signed-in browsers, each with a family of refresh tokens of which only the newest
//! works.
//!
//! A refresh token that was rotated before comes from a second tab that refreshed at the same
//! moment, from a browser that lost the response, or from a thief. Within a grace period of some
//! seconds the same next token is returned again, as long as that one is unused. After it the
//! session ends for both sides, because nobody can tell which of them is the owner. A token that
//! never belonged to the session has no effect on it.

use super::refresh_token::{RefreshToken, RefreshTokens};
use chrono::{DateTime, Duration, Utc};
use entity::session::{ActiveModel, Column, Entity, Model};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Select, Set,
};
use uuid::Uuid;

/// Lifetime of a session that is not used.
pub(crate) const LIFETIME: Duration = Duration::days(7);

/// Maximum number of sessions of a user. One more ends the one that was not used for longest.
const MAX_SESSIONS: u64 = 100;

/// `last_used_at` is only written when it is older than this.
const LAST_USED_WRITE_INTERVAL: Duration = Duration::minutes(5);

/// How long after a rotation the rotated token may still come from another tab.
const ROTATION_GRACE: Duration = Duration::seconds(10);

/// Describes the browser of a session, so that its owner recognises it in a list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Device {
    /// Its `User-Agent`.
    pub(crate) user_agent: Option<String>,
    /// The network address that it signed in from.
    pub(crate) address: Option<String>,
}

/// A session that was just created.
#[derive(Debug)]
pub(crate) struct NewSession {
    pub(crate) id: Uuid,
    pub(crate) user: Uuid,
    pub(crate) refresh_token: String,
}

/// The outcome of presenting a refresh token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RefreshOutcome {
    /// It is the newest, or was within the grace period; here is the next.
    Rotated {
        session: Uuid,
        user: Uuid,
        refresh_token: String,
    },
    /// It was rotated before, so somebody else has a copy; its session has been ended.
    Replayed { session: Uuid, user: Uuid },
    /// It was not issued by this installation, or its session has ended.
    Unknown,
}

/// Creates a session for somebody who has just proved who they are.
///
/// # Errors
/// When the database fails.
pub(super) async fn create(
    db: &impl ConnectionTrait,
    tokens: &RefreshTokens,
    user: Uuid,
    device: Device,
    now: DateTime<Utc>,
) -> Result<NewSession, DbErr> {
    let id = Uuid::now_v7();
    let token = tokens.first(id);
    let row = ActiveModel {
        id: Set(id),
        user_id: Set(user),
        token_hash: Set(token.hash().to_vec()),
        previous_token_hash: Set(None),
        rotated_at: Set(now),
        created_at: Set(now),
        last_used_at: Set(now),
        expires_at: Set(now + LIFETIME),
        user_agent: Set(device.user_agent.map(|text| printable(&text, 300))),
        address: Set(device.address.map(|text| printable(&text, 60))),
    };
    row.insert(db).await?;
    let surplus = newest_first(user)
        .select_only()
        .column(Column::Id)
        .offset(MAX_SESSIONS)
        .limit(MAX_SESSIONS);
    let surplus: Vec<Uuid> = surplus.into_tuple().all(db).await?;
    if !surplus.is_empty() {
        Entity::delete_many()
            .filter(Column::Id.is_in(surplus))
            .exec(db)
            .await?;
    }
    Ok(NewSession {
        id,
        user,
        refresh_token: token.text(),
    })
}

/// Replaces a refresh token by the next one. A single statement decides, so only one of two
/// concurrent calls rotates.
///
/// # Errors
/// When the database fails.
pub(super) async fn rotate(
    db: &impl ConnectionTrait,
    tokens: &RefreshTokens,
    token: &RefreshToken,
    now: DateTime<Utc>,
) -> Result<RefreshOutcome, DbErr> {
    let (id, hash) = (token.session(), token.hash());
    let next = tokens.next(token);
    let rotated = Entity::update_many()
        .col_expr(Column::TokenHash, Expr::value(next.hash().to_vec()))
        .col_expr(Column::PreviousTokenHash, Expr::value(hash.to_vec()))
        .col_expr(Column::RotatedAt, Expr::value(now))
        .col_expr(Column::LastUsedAt, Expr::value(now))
        .col_expr(Column::ExpiresAt, Expr::value(now + LIFETIME))
        .filter(Column::Id.eq(id))
        .filter(Column::TokenHash.eq(hash.to_vec()))
        .filter(Column::ExpiresAt.gt(now))
        .exec_with_returning(db)
        .await?;
    if let Some(row) = rotated.into_iter().next() {
        let refresh_token = next.text();
        return Ok(RefreshOutcome::Rotated {
            session: id,
            user: row.user_id,
            refresh_token,
        });
    }
    let Some(row) = find(db, id, now).await? else {
        return Ok(RefreshOutcome::Unknown);
    };
    let is_previous = row.previous_token_hash.as_deref() == Some(&hash[..]);
    if is_previous
        && now < row.rotated_at + ROTATION_GRACE
        && let Some(next) = tokens.next_with_hash(token, &row.token_hash)
    {
        return Ok(RefreshOutcome::Rotated {
            session: id,
            user: row.user_id,
            refresh_token: next.text(),
        });
    }
    if !is_previous && !tokens.is_issued(token) {
        return Ok(RefreshOutcome::Unknown);
    }
    end(db, row.user_id, id).await?;
    Ok(RefreshOutcome::Replayed {
        session: id,
        user: row.user_id,
    })
}

/// Finds the session that a refresh token belongs or belonged to; `None` when it has ended, or the
/// token never belonged to it.
///
/// # Errors
/// When the database fails.
pub(super) async fn find_by_refresh_token(
    db: &impl ConnectionTrait,
    tokens: &RefreshTokens,
    token: &RefreshToken,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    let hash = token.hash();
    let row = find(db, token.session(), now).await?;
    Ok(row.filter(|row| row.token_hash == hash || tokens.is_issued(token)))
}

/// A session that has not ended.
///
/// # Errors
/// When the database fails.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id)
        .filter(Column::ExpiresAt.gt(now))
        .one(db)
        .await
}

/// A user's sessions that have not ended, the one used last first.
///
/// # Errors
/// When the database fails.
pub(crate) async fn list_for_user(
    db: &impl ConnectionTrait,
    user: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    newest_first(user)
        .filter(Column::ExpiresAt.gt(now))
        .limit(MAX_SESSIONS)
        .all(db)
        .await
}

/// Ends a user's session. Returns `false` when there is none with this id; another user's session
/// does not end.
///
/// # Errors
/// When the database fails.
pub(crate) async fn end(db: &impl ConnectionTrait, user: Uuid, id: Uuid) -> Result<bool, DbErr> {
    let session = Entity::delete_many()
        .filter(Column::Id.eq(id))
        .filter(Column::UserId.eq(user));
    Ok(session.exec(db).await?.rows_affected > 0)
}

/// Ends all of a user's sessions but `own`, and returns their ids.
///
/// # Errors
/// When the database fails.
pub(crate) async fn end_others(
    db: &impl ConnectionTrait,
    user: Uuid,
    own: Uuid,
) -> Result<Vec<Uuid>, DbErr> {
    let others = Entity::delete_many()
        .filter(Column::UserId.eq(user))
        .filter(Column::Id.ne(own));
    Ok(others
        .exec_with_returning(db)
        .await?
        .into_iter()
        .map(|session| session.id)
        .collect())
}

/// Whether the last use of a session has to be written again.
pub(super) fn is_last_used_stale(session: &Model, now: DateTime<Utc>) -> bool {
    session.last_used_at + LAST_USED_WRITE_INTERVAL <= now
}

/// Writes the last use of a session.
///
/// # Errors
/// When the database fails.
pub(super) async fn touch(
    db: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let update = Entity::update_many().col_expr(Column::LastUsedAt, Expr::value(now));
    update.filter(Column::Id.eq(id)).exec(db).await.map(drop)
}

fn newest_first(user: Uuid) -> Select<Entity> {
    let own = Entity::find().filter(Column::UserId.eq(user));
    own.order_by_desc(Column::LastUsedAt)
        .order_by_desc(Column::Id)
}

/// Deletes expired sessions.
///
/// # Errors
/// When the database fails.
pub(super) async fn purge(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64, DbErr> {
    Ok(Entity::delete_many()
        .filter(Column::ExpiresAt.lte(now))
        .exec(db)
        .await?
        .rows_affected)
}

/// Removes control characters from what a client sent, and cuts it to `length` characters.
fn printable(text: &str, length: usize) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(length)
        .collect()
}
