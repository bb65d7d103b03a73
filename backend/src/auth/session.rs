//! Sessions: signed-in browsers, each one family of refresh tokens of which only the newest works.
//!
//! A refresh token that was exchanged before comes either from a second tab that asked at the same moment or from a browser
//! that lost the answer, or from a thief. The former are told apart by a few seconds' grace and get the same next token
//! again, as long as that is unused; the latter ends the session for both sides, because nobody can tell which of them is
//! the owner. What was never a token of the session does nothing to it.

use super::refresh_token::{RefreshToken, RefreshTokens};
use chrono::{DateTime, Duration, Utc};
use entity::session::{ActiveModel, Column, Entity, Model};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Select, Set,
};
use uuid::Uuid;

/// How long a session lives without being used.
pub(crate) const LIFETIME: Duration = Duration::days(7);

/// The most sessions that a user has; who signs in once more is signed out where they were not for longest.
const MOST: u64 = 100;

/// `last_used_at` is only written when it is older than this.
const USE_IS_NOTED_EVERY: Duration = Duration::minutes(5);

/// How long after an exchange the token that was exchanged may still come from another tab.
const GRACE: Duration = Duration::seconds(10);

/// What a session is kept with, so that its owner recognises it in a list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Device {
    /// The browser's own words.
    pub(crate) user_agent: Option<String>,
    /// From where it came.
    pub(crate) address: Option<String>,
}

/// A session that has just begun.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) session: Uuid,
    pub(crate) user: Uuid,
    pub(crate) refresh_token: String,
}

/// What became of a refresh token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    /// It is the newest, or was a moment ago, and here is the next.
    Rotated {
        session: Uuid,
        user: Uuid,
        refresh_token: String,
    },
    /// It was exchanged before, so somebody else has a copy: its session has been ended.
    Replayed { session: Uuid, user: Uuid },
    /// It is nothing that this installation made, or its session has ended.
    Unknown,
}

/// Begins a session for somebody who has just proved who they are.
///
/// # Errors
/// When the database fails.
pub(super) async fn begin(
    db: &impl ConnectionTrait,
    tokens: &RefreshTokens,
    user: Uuid,
    device: Device,
    now: DateTime<Utc>,
) -> Result<Begun, DbErr> {
    let session = Uuid::now_v7();
    let token = tokens.first(session);
    let row = ActiveModel {
        id: Set(session),
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
        .offset(MOST)
        .limit(MOST);
    let surplus: Vec<Uuid> = surplus.into_tuple().all(db).await?;
    if !surplus.is_empty() {
        Entity::delete_many()
            .filter(Column::Id.is_in(surplus))
            .exec(db)
            .await?;
    }
    Ok(Begun {
        session,
        user,
        refresh_token: token.text(),
    })
}

/// Exchanges a refresh token for the next one. One statement decides, so of two that come at once only one rotates.
///
/// # Errors
/// When the database fails.
pub(super) async fn exchange(
    db: &impl ConnectionTrait,
    tokens: &RefreshTokens,
    token: &RefreshToken,
    now: DateTime<Utc>,
) -> Result<Exchange, DbErr> {
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
        return Ok(Exchange::Rotated {
            session: id,
            user: row.user_id,
            refresh_token,
        });
    }
    let Some(row) = find(db, id, now).await? else {
        return Ok(Exchange::Unknown);
    };
    let is_previous = row.previous_token_hash.as_deref() == Some(&hash[..]);
    if is_previous
        && now < row.rotated_at + GRACE
        && let Some(next) = tokens.next_with_hash(token, &row.token_hash)
    {
        return Ok(Exchange::Rotated {
            session: id,
            user: row.user_id,
            refresh_token: next.text(),
        });
    }
    if !is_previous && !tokens.made(token) {
        return Ok(Exchange::Unknown);
    }
    end(db, row.user_id, id).await?;
    Ok(Exchange::Replayed {
        session: id,
        user: row.user_id,
    })
}

/// The session that a refresh token belongs or belonged to, and its user; `None` when it has ended, or the token was never
/// one of its.
///
/// # Errors
/// When the database fails.
pub(super) async fn of_token(
    db: &impl ConnectionTrait,
    tokens: &RefreshTokens,
    token: &RefreshToken,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    let hash = token.hash();
    let row = find(db, token.session(), now).await?;
    Ok(row.filter(|row| row.token_hash == hash || tokens.made(token)))
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
pub(crate) async fn of_user(
    db: &impl ConnectionTrait,
    user: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    newest_first(user)
        .filter(Column::ExpiresAt.gt(now))
        .limit(MOST)
        .all(db)
        .await
}

/// Ends a user's session; `false` when it has ended already, or is another's and stays as it is.
///
/// # Errors
/// When the database fails.
pub(crate) async fn end(db: &impl ConnectionTrait, user: Uuid, id: Uuid) -> Result<bool, DbErr> {
    let session = Entity::delete_many()
        .filter(Column::Id.eq(id))
        .filter(Column::UserId.eq(user));
    Ok(session.exec(db).await?.rows_affected > 0)
}

/// Ends all of a user's sessions but `own`, and says which those were.
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

/// Whether the use of a session has to be written down again.
pub(super) fn use_is_worth_noting(session: &Model, now: DateTime<Utc>) -> bool {
    session.last_used_at + USE_IS_NOTED_EVERY <= now
}

/// Writes down that a session is in use.
///
/// # Errors
/// When the database fails.
pub(super) async fn note_use(
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

/// Removes the sessions that have expired.
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

/// What a stranger sent, fit to be kept and shown.
fn printable(text: &str, length: usize) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(length)
        .collect()
}
