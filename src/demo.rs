//! `pulsecheck demo`: a living dashboard for a newcomer, on data that is gone when it ends.

pub(crate) mod history;
mod targets;

use crate::data_dir::DataDir;
use crate::roles::{self, now};
use crate::settings::Settings;
use crate::shutdown;
use chrono::TimeDelta;
use entity::column::{MonitorKind, Status};
use entity::{service, service_state};
use history::Profile;
use live::Live;
use migration::Pool;
use sea_orm::{ActiveModelTrait as _, DatabaseConnection, EntityTrait as _, IntoActiveModel as _, NotSet, Set};
use std::net::SocketAddr;
use targets::Behaviour;
use uuid::Uuid;

/// One service of the demo: name, category, how its target behaves, how its past looked.
type Scene = (&'static str, Option<&'static str>, Behaviour, Profile);

/// What the newcomer finds.
const SCENES: [Scene; 16] = [
    ("Web shop", Some("Storefront"), Behaviour::Steady, Profile::Steady),
    ("Search", Some("Storefront"), Behaviour::Wavering, Profile::Steady),
    ("Checkout", Some("Storefront"), Behaviour::Escalating, Profile::Troubled),
    ("Image CDN", Some("Storefront"), Behaviour::Steady, Profile::Steady),
    ("Payments API", Some("Payments"), Behaviour::Flapping, Profile::Troubled),
    ("Invoices", Some("Payments"), Behaviour::Steady, Profile::Steady),
    ("Card gateway", Some("Payments"), Behaviour::Wavering, Profile::Occasional),
    ("Sign-in", Some("Accounts"), Behaviour::Steady, Profile::Occasional),
    ("Profiles", Some("Accounts"), Behaviour::Steady, Profile::Steady),
    ("Mail relay", Some("Accounts"), Behaviour::Slow, Profile::Slow),
    ("Metrics", Some("Operations"), Behaviour::Steady, Profile::Steady),
    ("Backups", Some("Operations"), Behaviour::Steady, Profile::Occasional),
    ("Old admin panel", Some("Operations"), Behaviour::Down, Profile::Dying),
    ("Partner feed", Some("Operations"), Behaviour::Silent, Profile::Dying),
    ("Blog", None, Behaviour::Steady, Profile::Steady),
    ("Staging", None, Behaviour::Steady, Profile::Troubled),
];

/// Runs everything on a directory that is deleted at the end.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let shutdown = shutdown::on_signal()?;
    let listener = roles::listen(settings.listen).await?;
    let directory = tempfile::Builder::new().prefix("pulsecheck-demo-").tempdir()?;
    let dir = DataDir::open(directory.path().to_owned())?;
    let db = migration::connect(&dir.database_url(), &Pool::default()).await?;
    migration::run(&db).await?;

    let targets = targets::serve().await?;
    let owner = backend::auth::local::owner(&db, now()).await?;
    tracing::info!("writing ninety days of history for {} services", SCENES.len());
    for (i, scene) in SCENES.iter().enumerate() {
        if shutdown.is_cancelled() {
            return Ok(());
        }
        // One is left paused, because a dashboard has such a service too.
        add(&db, owner, targets, scene, i + 1 == SCENES.len()).await?;
    }
    let settings = Settings { allow_private_targets: Some(true), local_login: Some(true), ..settings.clone() };
    roles::one_process(&settings, &dir, db, Live::memory(), listener, shutdown).await
}

async fn add(
    db: &DatabaseConnection,
    owner: Uuid,
    targets: SocketAddr,
    (name, category, behaviour, profile): &Scene,
    paused: bool,
) -> anyhow::Result<()> {
    let now = now();
    let created_at = now - TimeDelta::days(90);
    let path = behaviour.path();
    let service = service::ActiveModel {
        id: Set(Uuid::now_v7()),
        number: NotSet,
        user_id: Set(owner),
        name: Set((*name).into()),
        category: Set(category.map(Into::into)),
        kind: Set(MonitorKind::Http),
        paused: Set(paused),
        url: Set(Some(format!("http://{targets}/{path}/{}", name.to_lowercase().replace(' ', "-")))),
        status_page_url: Set(None),
        status_page_id: Set(None),
        check_interval_seconds: Set(10),
        timeout_ms: Set(3_000),
        degraded_threshold_ms: Set(1_000),
        expected_status: Set("200-299".into()),
        confirmations: Set(2),
        created_at: Set(created_at),
        updated_at: Set(created_at),
    };
    let service = service.insert(db).await?;
    let state = service_state::Model {
        service_id: service.id,
        status: Status::Unknown,
        since: created_at,
        last_slot: None,
        checked_at: None,
        status_code: None,
        response_time_ms: None,
        dns_ms: None,
        connect_ms: None,
        tls_ms: None,
        first_byte_ms: None,
        certificate_expires_at: None,
        message: None,
        failing_checks: 0,
        failing_since: None,
        down_checks: 0,
        down_since: None,
        open_incident_id: None,
        open_incident_type: None,
    };
    service_state::Entity::insert(state.into_active_model()).exec_without_returning(db).await?;
    history::write(db, &service, *profile, now).await
}
