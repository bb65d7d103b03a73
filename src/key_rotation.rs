//! Re-seals stored secrets with the current key after the secret key was changed.

use entity::service;
use monitors::secret_context;
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use secrets::Sealer;
use uuid::Uuid;

/// Number of rows read by one statement.
const BATCH_SIZE: u64 = 500;

/// Result of re-sealing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Resealed {
    /// Number of rows with secrets.
    pub(crate) all: u64,
    /// Number of them sealed with the current key.
    pub(crate) present: u64,
}

/// Re-seals secrets that the previous key sealed, and logs the result.
pub(crate) async fn reseal(db: &DatabaseConnection, sealer: &Sealer) -> Result<Resealed, DbErr> {
    let mut found = Resealed::default();
    let mut after = Uuid::nil();
    loop {
        let rows: Vec<(Uuid, Vec<u8>)> = service::Entity::find()
            .select_only()
            .columns([service::Column::Id, service::Column::Secrets])
            .filter(service::Column::Secrets.is_not_null())
            .filter(service::Column::Id.gt(after))
            .order_by_asc(service::Column::Id)
            .limit(BATCH_SIZE)
            .into_tuple()
            .all(db)
            .await?;
        let Some((last, _)) = rows.last() else { break };
        after = *last;
        for (id, sealed) in rows {
            found.all += 1;
            if reseal_one(db, sealer, id, sealed).await? {
                found.present += 1;
            }
        }
    }
    if found.all > 0 {
        let Resealed { all, present } = found;
        tracing::info!("{present} of {all} secrets are sealed with the current key");
    }
    Ok(found)
}

/// Returns whether the secret is sealed with the current key afterwards.
async fn reseal_one(
    db: &DatabaseConnection,
    sealer: &Sealer,
    id: Uuid,
    sealed: Vec<u8>,
) -> Result<bool, DbErr> {
    match sealer.reseal(&secret_context(id), &sealed) {
        Ok(None) => Ok(true),
        Ok(Some(resealed)) => {
            // A concurrent change is not overwritten; it is already sealed with the current key.
            service::Entity::update_many()
                .col_expr(service::Column::Secrets, resealed.into())
                .filter(service::Column::Id.eq(id))
                .filter(service::Column::Secrets.eq(sealed))
                .exec(db)
                .await?;
            Ok(true)
        }
        Err(error) => {
            tracing::warn!(service = %id, %error, "the secrets of a service cannot be opened");
            Ok(false)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use sea_orm::{ActiveModelTrait, IntoActiveModel, Set};
    use testkit::builders::{a_service, a_user};

    const OLD_KEY: &str = "0123456789abcdef0123456789abcdef";
    const NEW_KEY: &str = "fedcba9876543210fedcba9876543210";

    testkit::on_each_database! {
        async fn secrets_are_sealed_anew_after_a_change_of_the_key(database: testkit::TestDatabase) {
            let db = &database.db;
            let (old, rotated) = (Sealer::new(OLD_KEY, None), Sealer::new(NEW_KEY, Some(OLD_KEY)));
            let lost = Sealer::new("another key that nobody has any more", None);
            let user = a_user(db).await;
            let mut ids = Vec::new();
            for sealer in [&old, &lost] {
                let service = a_service(db, &user).create().await;
                let sealed = sealer.seal(&secret_context(service.id), b"{}");
                ids.push(service.id);
                let mut service = service.into_active_model();
                service.secrets = Set(Some(sealed));
                service.update(db).await.unwrap();
            }
            a_service(db, &user).create().await;

            assert_eq!(reseal(db, &old).await.unwrap(), Resealed { all: 2, present: 1 });
            assert_eq!(reseal(db, &rotated).await.unwrap(), Resealed { all: 2, present: 1 });
            let new_key_only = Sealer::new(NEW_KEY, None);
            assert_eq!(reseal(db, &new_key_only).await.unwrap(), Resealed { all: 2, present: 1 });
            let resealed = service::Entity::find_by_id(ids[0]).one(db).await.unwrap().unwrap();
            let opened = new_key_only.open(&secret_context(ids[0]), &resealed.secrets.unwrap());
            assert_eq!(&**opened.unwrap(), b"{}");
            let kept = service::Entity::find_by_id(ids[1]).one(db).await.unwrap().unwrap();
            assert!(kept.secrets.is_some(), "what cannot be opened is never deleted");
        }
    }
}
