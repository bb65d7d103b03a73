//! Traces to an OpenTelemetry collector, where one is set: what took how long in a request, a check, a transaction. They
//! are the spans of the target [`TARGET`], which nobody else listens to, and those of requests; log lines stay where they
//! are.

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

/// The target of spans that are for traces alone.
const TARGET: &str = "traces";
/// That of the spans around requests, which log lines show too.
const REQUESTS: &str = "backend::http::middleware";
/// The longest that one delivery may take, and that the end of the program waits for the last.
const PATIENCE: Duration = Duration::from_secs(5);
const LAST_PATIENCE: Duration = Duration::from_secs(2);
/// The most of an answer that is read.
const MAX_ANSWER: usize = 64 * 1024;

/// A collector that is told.
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// Prepares to tell the collector at `endpoint`, by OTLP over HTTP; it need not answer yet. The exporter's other
    /// settings are the standard ones, which its library reads by itself.
    ///
    /// # Errors
    /// When one of those is wrong, or TLS cannot be set up.
    pub(crate) fn to(endpoint: &Url) -> anyhow::Result<Self> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::new()?)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(PATIENCE)
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

    /// What hears of spans.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let told = Targets::new()
            .with_target(TARGET, Level::TRACE)
            .with_target(REQUESTS, Level::INFO);
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(env!("CARGO_PKG_NAME")))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(told)
    }

    /// Tells what was not told yet.
    pub(crate) async fn end(self) {
        // It waits for a thread, which needs this runtime to deliver.
        let ended =
            tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(LAST_PATIENCE)).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::debug!("the last traces could not be delivered");
        }
    }
}

/// Delivers to the collector. The exporter calls it from a thread of its own, which has no runtime.
#[derive(Debug)]
struct Sender {
    client: reqwest::Client,
    runtime: Handle,
    failing: AtomicBool,
}

impl Sender {
    fn new() -> anyhow::Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(net::Roots::System.store())
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .use_preconfigured_tls(tls)
            .redirect(Policy::none())
            .no_proxy()
            .timeout(PATIENCE)
            .build()?;
        Ok(Self {
            client,
            runtime: Handle::current(),
            failing: AtomicBool::new(false),
        })
    }

    /// Says once that it does not work, and once that it does again.
    fn note(&self, delivered: Result<(), &HttpError>) {
        match (delivered, self.failing.swap(delivered.is_err(), Relaxed)) {
            (Err(error), false) => {
                tracing::warn!(%error, "traces cannot be delivered; those that do not fit are lost");
            }
            (Ok(()), true) => tracing::info!("traces are delivered again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Sender {
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
        let refused = || -> HttpError { "the collector refuses them".into() };
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
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err("the collector's answer is too long".into());
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}
