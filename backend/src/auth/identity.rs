//! Finds or creates the account of somebody who signs in by a provider. An identity is the pair
//! (provider, subject). An e-mail only links to an account of another provider, and only if both
//! providers verified it. It never links to an account that has another subject of the same
//! provider.

use super::avatar;
use super::provider::Profile;
use super::refusal::Refusal;
use super::sign_up::SignUp;
use chrono::{DateTime, Utc};
use domain::is_hidden;
use entity::{identity, membership, user};
use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{
    ActiveModelTrait, ColumnTrait as _, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr,
    EntityTrait, IntoActiveModel, QueryFilter, Set, Statement,
};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Maximum length of a name, in characters.
const MAX_NAME: usize = 100;

/// Returns the user that `profile` describes. A new user is created, with a personal workspace.
///
/// # Errors
/// The outer one when the database fails, the inner one when the person may not sign in.
pub(super) async fn find_or_create_user(
    db: &DatabaseTransaction,
    profile: &Profile,
    sign_up: &SignUp,
    now: DateTime<Utc>,
) -> Result<Result<Uuid, Refusal>, DbErr> {
    lock_identity(db, profile).await?;
    let existing =
        identity::Entity::find_by_id((profile.provider.to_owned(), profile.subject.clone()))
            .one(db)
            .await?;
    if let Some(existing) = existing {
        let user = existing.user_id;
        let mut identity = existing.into_active_model();
        if let Some(email) = &profile.email {
            identity.email = Set(email.clone());
            identity.email_verified = Set(profile.email_verified);
        }
        identity.last_used_at = Set(now);
        identity.update(db).await?;
        update_profile(db, user, profile, now).await?;
        return Ok(Ok(user));
    }
    let Some(email) = &profile.email else {
        return Ok(Err(Refusal::NoEmail));
    };
    let others = find_by_email(db, email).await?;
    let user = if others.is_empty() {
        if !sign_up.allows(profile, db).await? {
            return Ok(Err(Refusal::SignUpClosed));
        }
        let id = Uuid::now_v7();
        let new = user::ActiveModel {
            id: Set(id),
            email: Set(email.clone()),
            email_verified: Set(profile.email_verified),
            name: Set(name(profile)
                .unwrap_or_else(|| printable(email.split('@').next().unwrap_or(email)))),
            avatar_url: Set(profile.picture.as_deref().and_then(avatar::allowed_url)),
            created_at: Set(now),
            updated_at: Set(now),
        };
        let new = new.insert(db).await?;
        membership::create_personal_workspace(db, &new).await?;
        id
    } else {
        let mut verified: Vec<_> = others
            .iter()
            .filter(|other| other.email_verified)
            .map(|o| o.user_id)
            .collect();
        verified.sort_unstable();
        verified.dedup();
        match verified[..] {
            [user]
                if profile.email_verified && !has_identity(db, user, profile.provider).await? =>
            {
                tracing::info!(%user, provider = profile.provider, "another provider joins an account by its verified e-mail");
                update_profile(db, user, profile, now).await?;
                user
            }
            _ => return Ok(Err(Refusal::EmailTaken)),
        }
    };
    let identity = identity::ActiveModel {
        provider: Set(profile.provider.to_owned()),
        subject: Set(profile.subject.clone()),
        user_id: Set(user),
        email: Set(email.clone()),
        email_verified: Set(profile.email_verified),
        created_at: Set(now),
        last_used_at: Set(now),
    };
    identity.insert(db).await?;
    Ok(Ok(user))
}

/// Keeps two concurrent first sign-ins, of one person or with one e-mail, from creating two
/// accounts: the second waits here until the first has committed. SQLite has a single writer
/// anyway.
async fn lock_identity(db: &DatabaseTransaction, profile: &Profile) -> Result<(), DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let email = profile.email.as_deref().unwrap_or_default().to_lowercase();
    let who = format!("{}\0{}", profile.provider, profile.subject);
    let mut keys = [email, who].map(|text| {
        let hash = Sha256::new_with_prefix("pulsecheck identity\0")
            .chain_update(text)
            .finalize();
        i64::from_be_bytes(
            hash[..8]
                .try_into()
                .expect("a hash has more than eight bytes"),
        )
    });
    // Always in the same order, so that no two transactions wait for each other.
    keys.sort_unstable();
    for key in keys {
        let lock = "SELECT pg_advisory_xact_lock($1)";
        db.execute_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            lock,
            [key.into()],
        ))
        .await?;
    }
    Ok(())
}

/// Whether the user has an identity of this provider already. Another subject of the same provider
/// is another person even with the same e-mail, because addresses are reassigned.
async fn has_identity(
    db: &impl ConnectionTrait,
    user: Uuid,
    provider: &str,
) -> Result<bool, DbErr> {
    let theirs = identity::Entity::find().filter(identity::Column::UserId.eq(user));
    Ok(theirs
        .filter(identity::Column::Provider.eq(provider))
        .one(db)
        .await?
        .is_some())
}

/// Finds the identities with this e-mail, ignoring case.
async fn find_by_email(
    db: &impl ConnectionTrait,
    email: &str,
) -> Result<Vec<identity::Model>, DbErr> {
    let lower = Expr::expr(Func::lower(Expr::col(identity::Column::Email)));
    let found = identity::Entity::find()
        .filter(lower.eq(email.to_ascii_lowercase()))
        .all(db)
        .await?;
    // Databases also fold letters beyond ASCII, which make another address.
    Ok(found
        .into_iter()
        .filter(|identity| identity.email.eq_ignore_ascii_case(email))
        .collect())
}

/// Updates name, picture and e-mail to what the provider returns now.
async fn update_profile(
    db: &impl ConnectionTrait,
    id: Uuid,
    profile: &Profile,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let Some(before) = user::Entity::find_by_id(id).one(db).await? else {
        return Err(DbErr::RecordNotFound("the user of an identity".into()));
    };
    let mut after = before.clone();
    if let Some(name) = name(profile) {
        after.name = name;
    }
    if let Some(picture) = profile.picture.as_deref().and_then(avatar::allowed_url) {
        after.avatar_url = Some(picture);
    }
    // An unverified e-mail does not replace a verified one.
    if let Some(email) = profile
        .email
        .as_ref()
        .filter(|_| profile.email_verified || !before.email_verified)
    {
        after.email.clone_from(email);
        after.email_verified = profile.email_verified;
    }
    if after != before {
        let mut changed = before.into_active_model();
        changed.name = Set(after.name);
        changed.avatar_url = Set(after.avatar_url);
        changed.email = Set(after.email);
        changed.email_verified = Set(after.email_verified);
        changed.updated_at = Set(now);
        changed.update(db).await?;
    }
    Ok(())
}

fn name(profile: &Profile) -> Option<String> {
    profile
        .name
        .as_deref()
        .map(printable)
        .filter(|name| !name.is_empty())
}

fn printable(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|c| !is_hidden(*c))
        .take(MAX_NAME)
        .collect();
    text.trim().to_owned()
}
