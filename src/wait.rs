//! `pulsecheck wait`: waits until the database and Redis answer, for use before a container starts.

use crate::settings::Settings;
use anyhow::{Context as _, ensure};
use coordination::Coordination;
use migration::{MigrationError, Pool};
use std::time::{Duration, Instant};

/// Pause between two attempts.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Waits until the configured database and Redis answer, and with `schema` until the database has
/// this version's schema.
///
/// # Errors
/// Returns the last error after `timeout`. Fails immediately if the schema is newer than this
/// version, since waiting does not help then.
pub(crate) async fn run(
    settings: &Settings,
    schema: bool,
    timeout: Duration,
) -> anyhow::Result<()> {
    ensure!(
        settings.database_url.is_some() || settings.redis_url.is_some(),
        "there is nothing to wait for: set DATABASE_URL or REDIS_URL"
    );
    let started = Instant::now();
    let mut last_reason = String::new();
    loop {
        let Err(error) = try_connect(settings, schema).await else {
            return Ok(());
        };
        let hopeless = matches!(error.downcast_ref(), Some(MigrationError::Newer(_)));
        if hopeless || started.elapsed() + RETRY_PAUSE >= timeout {
            return Err(error).with_context(|| {
                format!("gave up waiting after {} s", started.elapsed().as_secs())
            });
        }
        let reason = format!("{error:#}");
        if reason != last_reason {
            tracing::info!(%reason, "waiting");
            last_reason = reason;
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

async fn try_connect(settings: &Settings, schema: bool) -> anyhow::Result<()> {
    if let Some(url) = &settings.database_url {
        let pool = Pool {
            max_connections: 1,
            application_name: "pulsecheck wait",
            ..Pool::default()
        };
        let db = migration::connect(url.expose(), &pool).await?;
        let verified = if schema {
            migration::verify(&db).await
        } else {
            Ok(())
        };
        db.close().await?;
        verified?;
    }
    if let Some(url) = &settings.redis_url {
        Coordination::connect(url.expose()).await?.ping().await?;
    }
    Ok(())
}
