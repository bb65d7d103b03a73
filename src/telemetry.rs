//! Logs: to standard error, so that standard output stays for what a person asked for. And traces, where they are wanted.

use crate::settings::{LogFormat, Settings};
use crate::traces::Traces;
use anyhow::Context as _;
use std::io::IsTerminal as _;
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

/// What is to be ended in good order.
pub(crate) struct Telemetry(Option<Traces>);

/// Starts logging, and tracing if `traced` and a collector is set.
///
/// # Errors
/// When `PULSECHECK_LOG` is no filter, or traces cannot be exported as the settings say.
pub(crate) fn start(settings: &Settings, traced: bool) -> anyhow::Result<Telemetry> {
    let filter = EnvFilter::try_new(&settings.log)
        .with_context(|| {
            format!(
                "PULSECHECK_LOG is \"{}\": must be a level or a filter",
                settings.log
            )
        })?
        // PostgreSQL's remarks on tables that are already there.
        .add_directive("sqlx::postgres::notice=warn".parse()?);
    let format = settings.log_format;
    let traces = settings
        .otlp_endpoint
        .as_ref()
        .filter(|_| traced)
        .map(Traces::to)
        .transpose()?;
    match &traces {
        // One filter for all: what it does not let through costs nothing.
        None => registry().with(filter).with(logs(format)).init(),
        Some(traces) => registry()
            .with(logs(format).with_filter(filter))
            .with(traces.layer())
            .init(),
    }
    Ok(Telemetry(traces))
}

impl Telemetry {
    /// Tells the last.
    pub(crate) async fn end(self) {
        if let Some(traces) = self.0 {
            traces.end().await;
        }
    }
}

fn logs<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let logs = fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Text => logs
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .boxed(),
        LogFormat::Json => logs.json().flatten_event(true).boxed(),
    }
}
