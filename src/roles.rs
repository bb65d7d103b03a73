//! The roles (all, api, worker, migrate): connects storage and starts the parts of each.

use crate::data_dir::DataDir;
use crate::metrics::{self, Metrics, Sources};
use crate::settings::{self, Providers, Settings};
use crate::{key_rotation, shutdown};
use anyhow::{Context as _, bail};
use backend::auth::sign_up::SignUpRule;
use backend::auth::{SignUp, provider, sign_up};
use chrono::{DateTime, SubsecRound as _, Utc};
use coordination::{Coordination, CoordinationError};
use migration::Pool;
use monitors::Prober;
use net::{ClientSettings, Fetcher, FetcherSettings, Guard};
use sea_orm::DatabaseConnection;
use secrets::Sealer;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::{Host, Url};

/// Lifetime of a printed sign-in link.
const LINK_LIFETIME: chrono::Duration = chrono::Duration::minutes(15);

/// Runs API and worker in one process.
pub(crate) async fn all(settings: &Settings) -> anyhow::Result<()> {
    let dir = open_data_dir(settings)?;
    let shutdown = shutdown::on_signal()?;
    let listeners = Listeners::bind(settings).await?;
    let storage = one_process_storage(settings, &dir).await?;
    let _kept = migration::keep_for_this_process(&storage.db).await?;
    one_process(settings, &dir, storage, listeners, shutdown).await
}

/// Bound listeners of the API and the metrics. Bound first, so that a second start fails at once.
pub(crate) struct Listeners {
    api: TcpListener,
    metrics: Option<Metrics>,
}

impl Listeners {
    pub(crate) async fn bind(settings: &Settings) -> anyhow::Result<Self> {
        let address = settings.listen;
        let api = TcpListener::bind(address).await.with_context(|| {
            format!("cannot listen on {address}: stop what uses it, or set PULSECHECK_LISTEN to another port")
        })?;
        Ok(Self {
            api,
            metrics: Metrics::listen(settings.metrics_listen).await?,
        })
    }
}

/// Storage of a single process.
pub(crate) struct Storage {
    db: DatabaseConnection,
    /// Connection that the worker writes through.
    writer: DatabaseConnection,
    live: Coordination,
}

impl Storage {
    /// Combines the migrated database `db` at `url` with `live`.
    pub(crate) async fn new(
        settings: &Settings,
        url: &str,
        db: DatabaseConnection,
        live: Coordination,
    ) -> anyhow::Result<Self> {
        let writer = match migration::sqlite_file(&db).await? {
            Some(_) => {
                connect_with(
                    settings,
                    url,
                    Pool {
                        max_connections: 1,
                        ..Pool::default()
                    },
                )
                .await?
            }
            None => db.clone(),
        };
        Ok(Self { db, writer, live })
    }
}

/// Runs API and worker on prepared storage. Shared by `all` and the demo.
pub(crate) async fn one_process(
    settings: &Settings,
    dir: &DataDir,
    Storage { db, writer, live }: Storage,
    Listeners {
        api: listener,
        metrics,
    }: Listeners,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    let secret_key = match &settings.secret_key {
        Some(key) => key.expose().to_owned(),
        None => dir.secret_key()?,
    };
    let allow_private = settings
        .allow_private_targets
        .unwrap_or(address.ip().is_loopback());
    let prober = prober(settings.public_url.as_ref(), allow_private)?;
    let fetcher = fetcher(settings.public_url.as_ref(), allow_private)?;
    let sealer = sealer(settings, &secret_key);
    key_rotation::reseal(&db, &sealer).await?;
    let worker = worker::Worker {
        db: db.clone(),
        writer,
        live: live.clone(),
        prober: Arc::new(prober.clone()),
        fetcher: fetcher.clone(),
        sealer: Arc::new(sealer),
        settings: worker_settings(settings),
    };
    let settings_of_backend = backend_settings(settings, address, secret_key);
    if let Some(metrics) = metrics {
        let stats = Some(Arc::clone(&worker.settings.stats));
        let sources = Sources {
            db: db.clone(),
            live: live.clone(),
            api: true,
            worker: stats,
        };
        metrics.serve(sources, shutdown.clone())?;
    }
    let backend = backend::ApiDependencies {
        db,
        live,
        prober,
        fetcher,
        settings: settings_of_backend,
    };
    announce(settings, &backend, address).await?;

    // When one ends, by a signal or an error, the other is stopped too.
    let both = shutdown.child_token();
    let _ending = both.clone().drop_guard();
    let end_both = |result| {
        both.cancel();
        result
    };
    let checks = async { end_both(worker::run(worker, both.clone()).await) };
    let api = async { end_both(backend::serve(backend, listener, both.clone()).await) };
    let (checks, api) = tokio::join!(checks, api);
    checks.and(api)
}

/// Runs API and dashboard on PostgreSQL and Redis.
pub(crate) async fn api(settings: &Settings) -> anyhow::Result<()> {
    refuse_missing("api", &missing_shared(settings))?;
    let shutdown = shutdown::on_signal()?;
    let Listeners {
        api: listener,
        metrics,
    } = Listeners::bind(settings).await?;
    let address = listener.local_addr()?;
    let (db, live) = shared_storage(settings, "pulsecheck api", Coordination::connect).await?;
    if let Some(metrics) = metrics {
        metrics.serve(
            Sources {
                db: db.clone(),
                live: live.clone(),
                api: true,
                worker: None,
            },
            shutdown.clone(),
        )?;
    }
    let allow_private = settings.allow_private_targets.unwrap_or(false);
    let prober = prober(settings.public_url.as_ref(), allow_private)?;
    let fetcher = fetcher(settings.public_url.as_ref(), allow_private)?;
    let secret_key = shared_secret_key(settings)?;
    key_rotation::reseal(&db, &sealer(settings, &secret_key)).await?;
    let settings_of_backend = backend_settings(settings, address, secret_key);
    let backend = backend::ApiDependencies {
        db,
        live,
        prober,
        fetcher,
        settings: settings_of_backend,
    };
    announce(settings, &backend, address).await?;
    backend::serve(backend, listener, shutdown).await
}

/// Runs the worker on PostgreSQL and Redis.
pub(crate) async fn worker(settings: &Settings) -> anyhow::Result<()> {
    refuse_missing("worker", &missing_shared(settings))?;
    let shutdown = shutdown::on_signal()?;
    let metrics = Metrics::listen(settings.metrics_listen).await?;
    let (db, live) = shared_storage(
        settings,
        "pulsecheck worker",
        Coordination::connect_for_changes,
    )
    .await?;
    let allow_private = settings.allow_private_targets.unwrap_or(false);
    let prober = prober(settings.public_url.as_ref(), allow_private)?;
    let fetcher = fetcher(settings.public_url.as_ref(), allow_private)?;
    let settings_of_worker = worker_settings(settings);
    if let Some(metrics) = metrics {
        let stats = Some(Arc::clone(&settings_of_worker.stats));
        metrics.serve(
            Sources {
                db: db.clone(),
                live: live.clone(),
                api: false,
                worker: stats,
            },
            shutdown.clone(),
        )?;
    }
    tracing::info!(concurrency = settings.concurrency, "worker started");
    let writer = db.clone();
    worker::run(
        worker::Worker {
            db,
            writer,
            live,
            prober: Arc::new(prober),
            fetcher,
            sealer: Arc::new(sealer(settings, &shared_secret_key(settings)?)),
            settings: settings_of_worker,
        },
        shutdown,
    )
    .await
}

/// Migrates the schema.
pub(crate) async fn migrate(settings: &Settings) -> anyhow::Result<()> {
    let (_dir, url) = match &settings.database_url {
        Some(url) => (None, url.expose().to_owned()),
        None => {
            let dir = open_data_dir(settings)?;
            let url = dir.database_url();
            (Some(dir), url)
        }
    };
    let db = connect(settings, &url, "pulsecheck migrate").await?;
    migration::run(&db).await?;
    tracing::info!(
        database = migration::redacted(&url),
        "the schema is up to date"
    );
    Ok(())
}

/// Prints a new one-time sign-in link. Access to the database is the only authorization.
pub(crate) async fn login_link(settings: &Settings) -> anyhow::Result<()> {
    if !accepts_login_links(settings) {
        bail!(
            "sign-in links are off, because PULSECHECK_LOCAL_LOGIN is false: remove it, and restart PulseCheck"
        );
    }
    let db = connect_beside(settings, "pulsecheck login-link").await?;
    print_link(&db, &public_url(settings, settings.listen)).await
}

/// Lets the owner of an e-mail address create an account, or takes that back. Access to the database
/// is the only authorization.
#[allow(
    clippy::print_stdout,
    reason = "the answer is for the person who runs the command"
)]
pub(crate) async fn allow_sign_up(
    settings: &Settings,
    address: &str,
    remove: bool,
) -> anyhow::Result<()> {
    let is_address = matches!(address.parse(), Ok(SignUpRule::Address(_)));
    anyhow::ensure!(
        is_address,
        "{address:?} is no e-mail address: domains and organisations go into PULSECHECK_SIGN_UP"
    );
    let db = connect_beside(settings, "pulsecheck allow").await?;
    if !remove {
        sign_up::allow(&db, address, now()).await?;
        println!("{address} may sign up");
    } else if sign_up::disallow(&db, address).await? {
        println!("{address} may no longer sign up; an account that exists stays");
    } else {
        println!("{address} was not allowed by this command");
    }
    Ok(())
}

/// Connects to the database of a PulseCheck that may be running.
async fn connect_beside(
    settings: &Settings,
    name: &'static str,
) -> anyhow::Result<DatabaseConnection> {
    let url = match &settings.database_url {
        Some(url) => url.expose().to_owned(),
        // A running PulseCheck holds the directory's lock, but inserting a row is safe.
        None => DataDir::existing_database_url(
            &settings
                .data_dir
                .clone()
                .map_or_else(DataDir::default_path, Ok)?,
        )?,
    };
    let db = connect(settings, &url, name).await?;
    migration::verify(&db).await?;
    Ok(db)
}

/// Opens the configured data directory, or the user's default one.
pub(crate) fn open_data_dir(settings: &Settings) -> anyhow::Result<DataDir> {
    DataDir::open(
        settings
            .data_dir
            .clone()
            .map_or_else(DataDir::default_path, Ok)?,
    )
}

async fn one_process_storage(settings: &Settings, dir: &DataDir) -> anyhow::Result<Storage> {
    let url = settings
        .database_url
        .as_ref()
        .map_or_else(|| dir.database_url(), |url| url.expose().to_owned());
    if url.starts_with("postgres") && settings.redis_url.is_none() {
        bail!(
            "DATABASE_URL is {}: with PostgreSQL set REDIS_URL too, so that other processes can share it",
            migration::redacted(&url)
        );
    }
    let db = connect(settings, &url, "pulsecheck").await?;
    migration::run(&db).await?;
    let live = match &settings.redis_url {
        Some(url) => Coordination::connect(url.expose()).await?,
        None => Coordination::memory(),
    };
    Storage::new(settings, &url, db, live).await
}

async fn shared_storage(
    settings: &Settings,
    name: &'static str,
    connect_live: impl AsyncFnOnce(&str) -> Result<Coordination, CoordinationError>,
) -> anyhow::Result<(DatabaseConnection, Coordination)> {
    let (Some(database), Some(redis)) = (&settings.database_url, &settings.redis_url) else {
        bail!("DATABASE_URL and REDIS_URL must be set");
    };
    if database.expose().starts_with("sqlite:") {
        bail!(
            "DATABASE_URL is {}: a SQLite file serves one process only, so run plain `pulsecheck`, or use PostgreSQL",
            migration::redacted(database.expose())
        );
    }
    let db = connect(settings, database.expose(), name).await?;
    migration::verify(&db).await?;
    Ok((db, connect_live(redis.expose()).await?))
}

/// Connects to the database and instruments it if metrics are on.
pub(crate) async fn connect(
    settings: &Settings,
    url: &str,
    application_name: &'static str,
) -> anyhow::Result<DatabaseConnection> {
    let pool = Pool {
        max_connections: settings.database_connections,
        application_name,
        ..Pool::default()
    };
    connect_with(settings, url, pool).await
}

async fn connect_with(
    settings: &Settings,
    url: &str,
    pool: Pool,
) -> anyhow::Result<DatabaseConnection> {
    let mut db = migration::connect(url, &pool).await?;
    if settings.metrics_listen.is_some() {
        metrics::watch(&mut db);
    }
    Ok(db)
}

/// Lists the settings that separate processes need and that are not set.
fn missing_shared(settings: &Settings) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if settings.database_url.is_none() {
        missing.push("DATABASE_URL (postgres://user:password@host/database)");
    }
    if settings.redis_url.is_none() {
        missing.push("REDIS_URL (redis://host:6379)");
    }
    if settings.secret_key.is_none() {
        missing.push("PULSECHECK_SECRET_KEY (`openssl rand -hex 32` makes one)");
    }
    missing
}

/// Returns the secret key that API and workers share.
fn shared_secret_key(settings: &Settings) -> anyhow::Result<String> {
    let key = settings.secret_key.as_ref();
    let key = key.context("PULSECHECK_SECRET_KEY must be set")?;
    Ok(key.expose().to_owned())
}

/// Creates the sealer for the secrets of services.
fn sealer(settings: &Settings, secret_key: &str) -> Sealer {
    let previous = settings.previous_secret_key.as_ref();
    Sealer::new(secret_key, previous.map(settings::Secret::expose))
}

fn refuse_missing(role: &str, missing: &[&str]) -> anyhow::Result<()> {
    if missing.is_empty() {
        Ok(())
    } else {
        bail!(
            "`pulsecheck {role}` needs these settings: {}",
            missing.join(", ")
        )
    }
}

/// Creates the prober. `public_url` is in its `User-Agent`, so that operators can identify requests.
fn prober(public_url: Option<&Url>, allow_private: bool) -> anyhow::Result<Prober> {
    let guard = guard(allow_private);
    let user_agent_url = public_url.map(Url::to_string);
    Ok(Prober::new(ClientSettings {
        user_agent_url,
        guard,
        ..ClientSettings::default()
    })?)
}

/// Creates the fetcher for vendor pages.
fn fetcher(public_url: Option<&Url>, allow_private: bool) -> anyhow::Result<Fetcher> {
    let (guard, user_agent_url) = (guard(allow_private), public_url.map(Url::to_string));
    Ok(Fetcher::new(FetcherSettings {
        user_agent_url,
        guard,
        ..FetcherSettings::default()
    })?)
}

const fn guard(allow_private: bool) -> Guard {
    if allow_private {
        Guard::AllowPrivate
    } else {
        Guard::PublicOnly
    }
}

fn worker_settings(settings: &Settings) -> worker::Settings {
    worker::Settings {
        concurrency: settings.concurrency,
        concurrency_per_host: settings.concurrency_per_host,
        host: dns_lookup::get_hostname().unwrap_or_default(),
        heartbeat_file: settings.heartbeat_file.clone(),
        history: worker::history::HistorySettings {
            keep_checks: settings.keep_checks,
            keep_hours: settings.keep_hours,
            ..worker::history::HistorySettings::default()
        },
        ..worker::Settings::default()
    }
}

fn backend_settings(
    settings: &Settings,
    address: SocketAddr,
    secret_key: String,
) -> backend::Settings {
    backend::Settings {
        public_url: public_url(settings, address),
        secret_key,
        previous_secret_key: settings
            .previous_secret_key
            .as_ref()
            .map(|key| key.expose().to_owned()),
        local_login: accepts_login_links(settings),
        sign_up: who_may_sign_up(settings, address),
        min_interval_seconds: settings.min_interval_seconds,
        max_services_per_workspace: settings.max_services_per_workspace,
        system_for_all: settings.system_for_all,
        providers: providers(&settings.providers),
        rates: settings.rates,
        trusted_proxies: settings.trusted_proxies.clone(),
    }
}

fn providers(providers: &Providers) -> provider::ProviderSettings {
    let open_id = |provider: &settings::OpenId| provider::OpenIdSettings {
        name: provider.name.clone(),
        issuer: provider.issuer.clone(),
        client_id: provider.client_id.clone(),
        client_secret: provider
            .client_secret
            .as_ref()
            .map(|secret| secret.expose().to_owned()),
    };
    let github = providers
        .github
        .as_ref()
        .map(|github| provider::GitHubSettings {
            client_id: github.client_id.clone(),
            client_secret: github.client_secret.expose().to_owned(),
            url: github.url.clone(),
            api_url: github.api_url.clone(),
        });
    let (google, oidc) = (
        providers.google.as_ref().map(open_id),
        providers.oidc.as_ref().map(open_id),
    );
    provider::ProviderSettings {
        google,
        github,
        oidc,
    }
}

/// Whether one-time links sign in. To make one takes access to the database.
fn accepts_login_links(settings: &Settings) -> bool {
    settings.local_login.unwrap_or(true)
}

/// Whether the start prints a link: others may read the output of a server.
fn prints_login_link(settings: &Settings, address: SocketAddr) -> bool {
    settings.local_login.unwrap_or(address.ip().is_loopback())
}

/// Returns who may create an account: without a setting everybody on a machine of one's own, and
/// nobody on a server, which a proxy in front makes of a loopback address too.
fn who_may_sign_up(settings: &Settings, address: SocketAddr) -> SignUp {
    settings.sign_up.clone().unwrap_or_else(|| {
        if address.ip().is_loopback() && is_loopback(&public_url(settings, address)) {
            SignUp::Anyone
        } else {
            SignUp::nobody()
        }
    })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Returns the configured public URL, or one made from the listen address.
fn public_url(settings: &Settings, address: SocketAddr) -> Url {
    settings.public_url.clone().unwrap_or_else(|| {
        let everywhere = address.ip().is_unspecified();
        let host = if everywhere {
            format!("localhost:{}", address.port())
        } else {
            address.to_string()
        };
        Url::parse(&format!("http://{host}")).expect("an address and a port make a URL")
    })
}

/// Prints the address and a sign-in link.
#[allow(
    clippy::print_stdout,
    reason = "standard output is for people and for what starts the program"
)]
async fn announce(
    settings: &Settings,
    backend: &backend::ApiDependencies,
    address: SocketAddr,
) -> anyhow::Result<()> {
    let public_url = public_url(settings, address);
    println!("Listening on {}", public_url.as_str().trim_end_matches('/'));
    if prints_login_link(settings, address) {
        print_link(&backend.db, &public_url).await?;
    }
    Ok(())
}

#[allow(
    clippy::print_stdout,
    reason = "the link is for a person and must not end up in logs"
)]
async fn print_link(db: &DatabaseConnection, public_url: &Url) -> anyhow::Result<()> {
    let token = backend::auth::local::create_link(db, now(), LINK_LIFETIME).await?;
    println!("Sign in: {public_url}api/auth/local?token={token}");
    Ok(())
}

/// Returns the current time, truncated to the milliseconds that are stored.
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}
