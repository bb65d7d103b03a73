//! Exports traces to an OpenTelemetry collector, if one is set: the durations of requests, checks
//! and transactions. Exports spans with the target [`TARGET`] and request spans, but no log lines.

use anyhow::Context as _;
use async_trait::async_trait;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::runtime::Handle;
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

/// Target of spans that are exported but not logged.
const TARGET: &str = "traces";
/// Timeout of one export request.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long shutdown waits for the last export.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum size of a collector's response.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// Batches spans and exports them to a collector.
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// Creates an exporter to the collector at `endpoint`, by OTLP over HTTP. Does not connect yet.
    /// The library reads the other standard `OTEL_*` variables itself.
    ///
    /// # Errors
    /// Fails if one of those variables is invalid or TLS cannot be set up.
    pub(crate) fn to(endpoint: &Url) -> anyhow::Result<Self> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(CollectorClient::new()?)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(EXPORT_TIMEOUT)
            .with_endpoint(format!(
                "{}/v1/traces",
                endpoint.as_str().trim_end_matches('/')
            ))
            .build()
            .context("traces cannot be exported")?;
        let resource = Resource::builder()
            .with_service_name(env!("CARGO_PKG_NAME"))
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self(
            SdkTracerProvider::builder()
                .with_batch_exporter(exporter)
                .with_resource(resource)
                .build(),
        ))
    }

    /// Returns the `tracing` layer that collects spans.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let exported = Targets::new()
            .with_target(TARGET, Level::TRACE)
            .with_target(backend::REQUEST_SPAN_TARGET, Level::INFO);
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(env!("CARGO_PKG_NAME")))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(exported)
    }

    /// Exports the remaining spans.
    pub(crate) async fn end(self) {
        // Shutdown blocks on the exporter's thread, which in turn needs this runtime to send.
        let ended =
            tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(SHUTDOWN_TIMEOUT))
                .await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::debug!("could not export the last traces");
        }
    }
}

/// HTTP client of the exporter, which calls it from a thread without a Tokio runtime.
#[derive(Debug)]
struct CollectorClient {
    client: reqwest::Client,
    runtime: Handle,
    failing: AtomicBool,
}

impl CollectorClient {
    fn new() -> anyhow::Result<Self> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(net::Roots::System.store())
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .use_preconfigured_tls(tls)
            .redirect(Policy::none())
            .no_proxy()
            .timeout(EXPORT_TIMEOUT)
            .build()?;
        Ok(Self {
            client,
            runtime: Handle::current(),
            failing: AtomicBool::new(false),
        })
    }

    /// Logs the first failure, and the first success after failures.
    fn note(&self, delivered: Result<(), &HttpError>) {
        match (delivered, self.failing.swap(delivered.is_err(), Relaxed)) {
            (Err(error), false) => {
                tracing::warn!(%error, "cannot export traces; spans that do not fit into the buffer are dropped");
            }
            (Ok(()), true) => tracing::info!("exporting traces works again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for CollectorClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let delivered = match reqwest::Request::try_from(request) {
            Ok(request) => match self
                .runtime
                .spawn(deliver(self.client.clone(), request))
                .await
            {
                Ok(delivered) => delivered,
                Err(error) => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        };
        let refused = || -> HttpError { "the collector refused the traces".into() };
        match &delivered {
            Ok(answer) if answer.status().is_success() => self.note(Ok(())),
            Ok(_) => self.note(Err(&refused())),
            Err(error) => self.note(Err(error)),
        }
        delivered
    }
}

async fn deliver(
    client: reqwest::Client,
    request: reqwest::Request,
) -> Result<Response<Bytes>, HttpError> {
    let mut answer = client.execute(request).await?;
    let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
            return Err("the collector's response is too large".into());
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}
