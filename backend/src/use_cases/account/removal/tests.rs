//! A removal that fails is tried again and does not stop the others.

use super::*;
use crate::use_cases::discovery::VendorPages;
use crate::use_cases::{Quotas, now};
use coordination::Coordination;
use monitors::Prober;
use net::{ClientSettings, Fetcher, FetcherSettings};
use sea_orm::{ActiveModelTrait, IntoActiveModel, PaginatorTrait};
use std::sync::Arc;
use testkit::builders;
use testkit::redis::RedisServer;

#[tokio::test]
async fn an_account_that_cannot_be_removed_now_is_tried_again_and_does_not_stop_the_others() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let database = testkit::database::sqlite().await;
    let db = database.db.clone();
    let mut redis = RedisServer::start().await;
    let use_cases = UseCases {
        db: db.clone(),
        live: Coordination::connect(&redis.url()).await.unwrap(),
        caches: Arc::default(),
        prober: Prober::new(ClientSettings::default()).unwrap(),
        sealer: Arc::new(secrets::Sealer::new(
            "0123456789abcdef0123456789abcdef",
            None,
        )),
        vendor_pages: VendorPages::new(&Fetcher::new(FetcherSettings::default()).unwrap()),
        public_url: "http://localhost:8080".parse().unwrap(),
        quotas: Quotas::default(),
        system_for_all: false,
    };
    let (first, second) = (builders::a_user(&db).await, builders::a_user(&db).await);
    let service = builders::a_service(&db, &first).create().await;
    use_cases
        .live
        .schedule(&[(service.id, now())])
        .await
        .unwrap();
    for user in [&first, &second] {
        let removal = account_removal::Model {
            user_id: user.id,
            requested_at: now(),
        };
        removal.into_active_model().insert(&db).await.unwrap();
    }
    redis.stop().await;
    use_cases.finish_removals().await.unwrap();
    let left = account_removal::Entity::find().all(&db).await.unwrap();
    assert_eq!(
        left.iter()
            .map(|removal| removal.user_id)
            .collect::<Vec<_>>(),
        [first.id],
        "the other is gone"
    );
    assert_eq!(
        service::Entity::find().count(&db).await.unwrap(),
        1,
        "nothing is lost sight of"
    );

    redis.start_again().await;
    let gone = async {
        while user::Entity::find().count(&db).await.unwrap() > 0 {
            use_cases.finish_removals().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone)
        .await
        .expect("it is removed once everything answers");
    assert_eq!(account_removal::Entity::find().count(&db).await.unwrap(), 0);
    assert_eq!(use_cases.live.queue_len().await.unwrap(), 0);
}
