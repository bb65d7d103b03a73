//! `pulsecheck wait`: for containers that must not start before what they need answers.

use crate::settings::Settings;
use anyhow::{Context as _, ensure};
use coordination::Coordination;
use migration::{MigrationError, Pool};
use std::time::{Duration, Instant};

/// Between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// Waits until the database and the live state that are set answer, and with `schema` until the database has this
/// program's tables.
///
/// # Errors
/// When `patience` is over, with the reason of the last attempt, or at once when waiting cannot help.
pub(crate) async fn run(
    settings: &Settings,
    schema: bool,
    patience: Duration,
) -> anyhow::Result<()> {
    ensure!(
        settings.database_url.is_some() || settings.redis_url.is_some(),
        "there is nothing to wait for: set DATABASE_URL or REDIS_URL"
    );
    let begun = Instant::now();
    let mut said = String::new();
    loop {
        let Err(error) = attempt(settings, schema).await else {
            return Ok(());
        };
        let hopeless = matches!(error.downcast_ref(), Some(MigrationError::Newer(_)));
        if hopeless || begun.elapsed() + PAUSE >= patience {
            return Err(error)
                .with_context(|| format!("gave up waiting after {} s", begun.elapsed().as_secs()));
        }
        let reason = format!("{error:#}");
        if reason != said {
            tracing::info!(%reason, "waiting");
            said = reason;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn attempt(settings: &Settings, schema: bool) -> anyhow::Result<()> {
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
