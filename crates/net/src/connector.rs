//! Opens connections: guarded name lookup, TCP, TLS. Records the phases in the current `Exchange`.

use crate::connection::Connection;
use crate::exchange;
use crate::resolver::GuardedResolver;
use domain::cause::Phase;
use futures::future::BoxFuture;
use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::error::Error;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio_rustls::TlsConnector;
use tower::Service;

/// Connects to the host of a URI.
#[derive(Clone)]
pub(crate) struct Connector {
    tcp: HttpConnector<GuardedResolver>,
    tls: TlsConnector,
}

impl Connector {
    pub(crate) fn new(resolver: GuardedResolver, tls: ClientConfig) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let tls = TlsConnector::from(Arc::new(tls));
        Self { tcp, tls }
    }
}

impl Service<Uri> for Connector {
    type Response = Connection;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = BoxFuture<'static, Result<Connection, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let tls = self.tls.clone();
        let is_https = uri.scheme() == Some(&Scheme::HTTPS);
        let host = uri.host().unwrap_or_default().to_owned();
        let connecting = self.tcp.call(uri);
        Box::pin(async move {
            let stream = connecting.await?.into_inner();
            if !is_https {
                exchange::enter(Phase::FirstByte);
                return Ok(Connection::new(stream, false));
            }
            exchange::enter(Phase::Tls);
            let stream = tls.connect(server_name(&host)?, stream).await?;
            exchange::enter(Phase::FirstByte);
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            Ok(Connection::new(stream, is_http2))
        })
    }
}

/// Returns the name that the certificate must be for: no brackets, and no dot at the end.
fn server_name(host: &str) -> Result<ServerName<'static>, rustls::pki_types::InvalidDnsNameError> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = host.strip_suffix('.').unwrap_or(host);
    ServerName::try_from(host.to_owned())
}
