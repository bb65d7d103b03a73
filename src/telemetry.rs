//! Sets up logging to standard error, and the export of traces. Standard output is kept free for
//! the output of commands.

use crate::settings::{LogFormat, Settings};
use crate::traces::Traces;
use anyhow::Context as _;
use std::io::IsTerminal as _;
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

/// Running telemetry, to be shut down at the end of the program.
pub(crate) struct Telemetry(Option<Traces>);

/// Starts logging, and exports traces if `traced` is set and a collector is configured.
///
/// # Errors
/// Fails if `PULSECHECK_LOG` is not a valid filter, or the trace exporter cannot be set up.
pub(crate) fn start(settings: &Settings, traced: bool) -> anyhow::Result<Telemetry> {
    let filter = EnvFilter::try_new(&settings.log)
        .with_context(|| {
            format!(
                "PULSECHECK_LOG is \"{}\": must be a level or a filter",
                settings.log
            )
        })?
        // Hides notices such as "relation already exists".
        .add_directive("sqlx::postgres::notice=warn".parse()?);
    let format = settings.log_format;
    let traces = settings
        .otlp_endpoint
        .as_ref()
        .filter(|_| traced)
        .map(Traces::to)
        .transpose()?;
    match &traces {
        // A global filter also skips the construction of the events it drops.
        None => registry().with(filter).with(log_layer(format)).init(),
        Some(traces) => registry()
            .with(log_layer(format).with_filter(filter))
            .with(traces.layer())
            .init(),
    }
    Ok(Telemetry(traces))
}

impl Telemetry {
    /// Exports the remaining spans.
    pub(crate) async fn end(self) {
        if let Some(traces) = self.0 {
            traces.end().await;
        }
    }
}

/// Builds the layer that writes log lines to standard error.
fn log_layer<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
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
