//! From what a provider says about somebody to an account. (provider, subject) is who they are; their e-mail only leads to
//! an account that they have by another provider, and only when both providers vouch for it. It never leads to an account
//! that already has another subject of the same provider.

use super::avatar;
use super::provider::Profile;
use super::refusal::Refusal;
use chrono::{DateTime, Utc};
use entity::{identity, user};
use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{
    ActiveModelTrait, ColumnTrait as _, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr,
    EntityTrait, IntoActiveModel, QueryFilter, Set, Statement,
};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The longest name that is kept, in characters.
const MAX_NAME: usize = 100;

/// The account of the person that `profile` describes, who comes into being when they are new here.
///
/// # Errors
/// When the database fails; inside, when they are not let in.
pub(super) async fn user_of(
    db: &DatabaseTransaction,
    profile: &Profile,
    now: DateTime<Utc>,
) -> Result<Result<Uuid, Refusal>, DbErr> {
    wait_for_others(db, profile).await?;
    let known =
        identity::Entity::find_by_id((profile.provider.to_owned(), profile.subject.clone()))
            .one(db)
            .await?;
    if let Some(known) = known {
        let user = known.user_id;
        let mut identity = known.into_active_model();
        if let Some(email) = &profile.email {
            identity.email = Set(email.clone());
            identity.email_verified = Set(profile.email_verified);
        }
        identity.last_used_at = Set(now);
        identity.update(db).await?;
        refresh(db, user, profile, now).await?;
        return Ok(Ok(user));
    }
    let Some(email) = &profile.email else {
        return Ok(Err(Refusal::NoEmail));
    };
    let others = with_email(db, email).await?;
    let user = if others.is_empty() {
        let id = Uuid::now_v7();
        let new = user::ActiveModel {
            id: Set(id),
            email: Set(email.clone()),
            email_verified: Set(profile.email_verified),
            name: Set(name(profile)
                .unwrap_or_else(|| printable(email.split('@').next().unwrap_or(email)))),
            avatar_url: Set(profile.picture.as_deref().and_then(avatar::checked)),
            created_at: Set(now),
            updated_at: Set(now),
        };
        new.insert(db).await?;
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
            [user] if profile.email_verified && !knows(db, user, profile.provider).await? => {
                tracing::info!(%user, provider = profile.provider, "another provider joins an account by its verified e-mail");
                refresh(db, user, profile, now).await?;
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

/// Two first sign-ins at once, of one person or by one e-mail, must not make two accounts: the second waits here until the
/// first has committed. SQLite has one writer anyway.
async fn wait_for_others(db: &DatabaseTransaction, profile: &Profile) -> Result<(), DbErr> {
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
    // Always in the same order, so that no two wait for each other.
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

/// Whether somebody signs in by this provider already. It tells people apart by the subject, so another subject is another
/// person, whoever has the e-mail now: addresses are given away again.
async fn knows(db: &impl ConnectionTrait, user: Uuid, provider: &str) -> Result<bool, DbErr> {
    let theirs = identity::Entity::find().filter(identity::Column::UserId.eq(user));
    Ok(theirs
        .filter(identity::Column::Provider.eq(provider))
        .one(db)
        .await?
        .is_some())
}

/// The identities with this e-mail, however it is capitalised.
async fn with_email(db: &impl ConnectionTrait, email: &str) -> Result<Vec<identity::Model>, DbErr> {
    let lower = Expr::expr(Func::lower(Expr::col(identity::Column::Email)));
    let found = identity::Entity::find()
        .filter(lower.eq(email.to_ascii_lowercase()))
        .all(db)
        .await?;
    // Databases also fold letters that only look alike, which are another address.
    Ok(found
        .into_iter()
        .filter(|identity| identity.email.eq_ignore_ascii_case(email))
        .collect())
}

/// Name, picture and e-mail, as the provider gives them now.
async fn refresh(
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
    if let Some(picture) = profile.picture.as_deref().and_then(avatar::checked) {
        after.avatar_url = Some(picture);
    }
    // One that nobody vouches for does not take the place of one that somebody does.
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
        .filter(|c| !c.is_control())
        .take(MAX_NAME)
        .collect();
    text.trim().to_owned()
}
