//! `pulsecheck demo`: PulseCheck with made-up services, on data that is deleted at exit.

pub(crate) mod history;
mod targets;
mod vendor;

use crate::data_dir::DataDir;
use crate::roles::{self, Listeners, Storage, now};
use crate::settings::Settings;
use crate::shutdown;
use chrono::{DateTime, TimeDelta, Utc};
use coordination::Coordination;
use entity::column::{ListCoverage, Status};
use entity::{service, service_component, service_state, vendor_page};
use history::Profile;
use monitors::{Http, Monitor, VendorPage};
use sea_orm::{
    ActiveModelTrait as _, DatabaseConnection, EntityTrait as _, IntoActiveModel as _, NotSet, Set,
};
use std::net::SocketAddr;
use targets::Behaviour;
use uuid::Uuid;

/// One demo service: name, category, behaviour of its target, profile of its history.
type Scene = (&'static str, Option<&'static str>, Behaviour, Profile);

/// HTTP services of the demo.
const SCENES: [Scene; 16] = [
    (
        "Web shop",
        Some("Storefront"),
        Behaviour::Steady,
        Profile::Steady,
    ),
    (
        "Search",
        Some("Storefront"),
        Behaviour::Wavering,
        Profile::Steady,
    ),
    (
        "Checkout",
        Some("Storefront"),
        Behaviour::Escalating,
        Profile::Troubled,
    ),
    (
        "Image CDN",
        Some("Storefront"),
        Behaviour::Steady,
        Profile::Steady,
    ),
    (
        "Payments API",
        Some("Payments"),
        Behaviour::Flapping,
        Profile::Troubled,
    ),
    (
        "Invoices",
        Some("Payments"),
        Behaviour::Steady,
        Profile::Steady,
    ),
    (
        "Card gateway",
        Some("Payments"),
        Behaviour::Wavering,
        Profile::Occasional,
    ),
    (
        "Sign-in",
        Some("Accounts"),
        Behaviour::Steady,
        Profile::Occasional,
    ),
    (
        "Profiles",
        Some("Accounts"),
        Behaviour::Steady,
        Profile::Steady,
    ),
    (
        "Mail relay",
        Some("Accounts"),
        Behaviour::Slow,
        Profile::Slow,
    ),
    (
        "Metrics",
        Some("Operations"),
        Behaviour::Steady,
        Profile::Steady,
    ),
    (
        "Backups",
        Some("Operations"),
        Behaviour::Steady,
        Profile::Occasional,
    ),
    (
        "Old admin panel",
        Some("Operations"),
        Behaviour::Down,
        Profile::Dying,
    ),
    (
        "Partner feed",
        Some("Operations"),
        Behaviour::Silent,
        Profile::Dying,
    ),
    ("Blog", None, Behaviour::Steady, Profile::Steady),
    ("Staging", None, Behaviour::Steady, Profile::Troubled),
];

/// Services that follow the demo's vendor page: name, component ids, profile of the history.
const FOLLOWED: [(&str, &[&str], Profile); 4] = [
    (
        "Harbour · Kubernetes",
        &["clusters", "balancers"],
        Profile::Occasional,
    ),
    ("Harbour · Block storage", &["blocks"], Profile::Occasional),
    ("Harbour · Object storage", &["objects"], Profile::Steady),
    ("Harbour · Console", &["console"], Profile::Steady),
];

/// Runs the demo in a temporary directory.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let shutdown = shutdown::on_signal()?;
    let listeners = Listeners::bind(settings).await?;
    let directory = tempfile::Builder::new()
        .prefix("pulsecheck-demo-")
        .tempdir()?;
    let dir = DataDir::open(directory.path().to_owned())?;
    let url = dir.database_url();
    let db = roles::connect(settings, &url, "pulsecheck demo").await?;
    migration::run(&db).await?;

    let now = now();
    let targets = targets::serve().await?;
    let vendor = vendor::serve(now).await?;
    let owner = backend::auth::local::find_or_create_owner(&db, now).await?;
    tracing::info!(
        "writing ninety days of history for {} services",
        SCENES.len() + FOLLOWED.len()
    );
    for (i, (name, category, behaviour, profile)) in SCENES.iter().enumerate() {
        if shutdown.is_cancelled() {
            return Ok(());
        }
        let path = behaviour.path();
        let monitor = Http {
            url: format!(
                "http://{targets}/{path}/{}",
                name.to_lowercase().replace(' ', "-")
            ),
            ..Http::default()
        };
        let service = service::ActiveModel {
            // One service is paused, so that the dashboard shows that state too.
            paused: Set(i + 1 == SCENES.len()),
            ..service(owner, name, *category, &monitor.into(), now)
        };
        add(&db, service, *profile, now).await?;
    }
    let page = add_page(&db, vendor, now).await?;
    for (name, components, profile) in FOLLOWED {
        let service = service::ActiveModel {
            vendor_page_url: Set(Some(format!("http://{vendor}/"))),
            vendor_page_id: Set(Some(page)),
            check_interval_seconds: Set(60),
            confirmations: Set(1),
            ..service(
                owner,
                name,
                Some("Vendors"),
                &VendorPage::default().into(),
                now,
            )
        };
        let service = add(&db, service, profile, now).await?;
        follow(&db, service, components).await?;
    }
    let settings = Settings {
        allow_private_targets: Some(true),
        local_login: Some(true),
        ..settings.clone()
    };
    let storage = Storage::new(&settings, &url, db, Coordination::memory()).await?;
    roles::one_process(&settings, &dir, storage, listeners, shutdown).await
}

/// Builds a service that is as old as its history.
fn service(
    owner: Uuid,
    name: &str,
    category: Option<&str>,
    monitor: &Monitor,
    now: DateTime<Utc>,
) -> service::ActiveModel {
    let created_at = now - TimeDelta::days(90);
    service::ActiveModel {
        id: Set(Uuid::now_v7()),
        seq: NotSet,
        workspace_id: Set(owner),
        name: Set(name.into()),
        category: Set(category.map(Into::into)),
        description: Set(None),
        kind: Set(monitor.kind().id().into()),
        settings: Set(match monitor.shared_page() {
            Some(_) => serde_json::json!({}),
            None => monitor.settings().into(),
        }),
        secrets: Set(None),
        paused: Set(false),
        vendor_page_url: Set(None),
        vendor_page_id: Set(None),
        check_interval_seconds: Set(10),
        timeout_ms: Set(3_000),
        degraded_threshold_ms: Set(1_000),
        confirmations: Set(2),
        recoveries: Set(1),
        created_at: Set(created_at),
        updated_at: Set(created_at),
    }
}

async fn add(
    db: &DatabaseConnection,
    service: service::ActiveModel,
    profile: Profile,
    now: DateTime<Utc>,
) -> anyhow::Result<Uuid> {
    let service = service.insert(db).await?;
    let state = service_state::Model {
        service_id: service.id,
        status: Status::Unknown,
        status_since: service.created_at,
        last_slot: None,
        checked_at: None,
        status_code: None,
        response_time_ms: None,
        details: serde_json::json!({}),
        message: None,
        failing_checks: 0,
        failing_since: None,
        down_checks: 0,
        down_since: None,
        recovering_checks: 0,
        recovering_since: None,
        open_incident_id: None,
        open_incident_type: None,
    };
    service_state::Entity::insert(state.into_active_model())
        .exec_without_returning(db)
        .await?;
    history::write(db, &service, profile, now).await?;
    Ok(service.id)
}

/// Inserts the vendor page, which the worker fetches as soon as it starts.
async fn add_page(
    db: &DatabaseConnection,
    vendor: SocketAddr,
    now: DateTime<Utc>,
) -> anyhow::Result<Uuid> {
    let api_urls = [format!("http://{vendor}{}", vendor::SUMMARY)];
    let page = vendor_page::ActiveModel {
        id: Set(Uuid::now_v7()),
        key: Set(vendor_pages::discovery::key(&api_urls)),
        url: Set(Some(format!("http://{vendor}/"))),
        name: Set(Some(vendor::NAME.into())),
        provider: Set(None),
        api_urls: Set(serde_json::json!(api_urls)),
        user_defined: Set(false),
        fetched_at: Set(None),
        attempted_at: Set(None),
        failures: Set(0),
        message: Set(None),
        listing: Set(ListCoverage::All),
        not_before: Set(None),
        validators: Set(None),
        detected_at: Set(None),
        created_at: Set(now),
    };
    Ok(page.insert(db).await?.id)
}

async fn follow(db: &DatabaseConnection, service: Uuid, components: &[&str]) -> anyhow::Result<()> {
    let chosen = vendor::COMPONENTS
        .into_iter()
        .filter(|(id, ..)| components.contains(id));
    let rows =
        (0..).zip(chosen).map(
            |(position, (id, name, group))| service_component::ActiveModel {
                service_id: Set(service),
                component_id: Set(id.into()),
                name: Set(name.into()),
                group_name: Set(group.map(Into::into)),
                position: Set(position),
                missing: Set(false),
            },
        );
    service_component::Entity::insert_many(rows)
        .exec_without_returning(db)
        .await?;
    Ok(())
}
