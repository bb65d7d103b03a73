//! Logs: to standard error, so that standard output stays for what a person asked for.

use crate::settings::{LogFormat, Settings};
use anyhow::Context as _;
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// Starts logging.
///
/// # Errors
/// When `PULSECHECK_LOG` is no filter.
pub(crate) fn start(settings: &Settings) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.log)
        .with_context(|| format!("PULSECHECK_LOG is \"{}\": must be a level or a filter", settings.log))?
        // PostgreSQL's remarks on tables that are already there.
        .add_directive("sqlx::postgres::notice=warn".parse()?);
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Text => logs.with_ansi(std::io::stderr().is_terminal()).with_target(false).init(),
        LogFormat::Json => logs.json().flatten_event(true).init(),
    }
    Ok(())
}
