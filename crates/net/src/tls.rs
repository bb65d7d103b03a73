//! TLS configuration of outgoing requests. Records the certificates that servers present.
//!
//! Verification is that of rustls, unchanged.

use crate::exchange;
use chrono::{DateTime, Utc};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::WebPkiServerVerifier,
};
use std::sync::{Arc, LazyLock};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Trusted certificate authorities.
#[derive(Debug, Clone, Default)]
pub enum Roots {
    /// Those of this machine (respects `SSL_CERT_FILE` and `SSL_CERT_DIR`). If it has none, as in an
    /// empty container, the built-in ones of Mozilla.
    #[default]
    System,
    /// Only these.
    Only(Arc<RootCertStore>),
}

impl Roots {
    /// Returns the certificates of the authorities.
    #[must_use]
    pub fn store(&self) -> Arc<RootCertStore> {
        match self {
            Self::System => Arc::clone(&SYSTEM),
            Self::Only(roots) => Arc::clone(roots),
        }
    }
}

/// The system's authorities, read once because they are up to a few hundred files.
static SYSTEM: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (trusted, unreadable) = roots.add_parsable_certificates(found.certs);
    if trusted == 0 {
        let errors: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        tracing::info!(
            unreadable,
            ?errors,
            "this machine has no certificate authorities, using the built-in ones"
        );
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Arc::new(roots)
});

/// Builds a client configuration for HTTP/2 and HTTP/1.1 that makes a full handshake every time and
/// records it in the current `Exchange`.
///
/// # Errors
/// Fails if `roots` is empty or the provider supports no TLS version.
pub fn client_config(roots: &Roots) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(roots.store(), Arc::clone(&provider))
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(RecordingVerifier(verifier)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Every handshake is a full one and shows the certificate.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Wraps rustls's verifier to record when the certificate expires, whether or not it is accepted.
#[derive(Debug)]
struct RecordingVerifier(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for RecordingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        exchange::note(|exchange| exchange.is_certificate_presented = true);
        let seen = CertificateInfo::of(end_entity);
        if let Some(ends) = seen.ends {
            exchange::note(|exchange| {
                let soonest = exchange
                    .certificate_expires_at
                    .map_or(ends, |other| other.min(ends));
                exchange.certificate_expires_at = Some(soonest);
            });
        }
        self.0
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .inspect(|_| exchange::note(|exchange| exchange.is_certificate_verified = true))
            .map_err(|error| {
                match error {
                    // Many tools create self-signed certificates with the CA flag, which rustls refuses
                    // with an untyped error. Report them as untrusted.
                    rustls::Error::InvalidCertificate(CertificateError::Other(_))
                        if seen.self_issued =>
                    {
                        CertificateError::UnknownIssuer.into()
                    }
                    error => error,
                }
            })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Fields of a certificate; empty if it cannot be parsed.
#[derive(Default)]
struct CertificateInfo {
    ends: Option<DateTime<Utc>>,
    self_issued: bool,
}

impl CertificateInfo {
    fn of(certificate: &CertificateDer<'_>) -> Self {
        X509Certificate::from_der(certificate).map_or_else(
            |_| Self::default(),
            |(_, certificate)| Self {
                ends: DateTime::from_timestamp(certificate.validity().not_after.timestamp(), 0),
                self_issued: certificate.subject() == certificate.issuer(),
            },
        )
    }
}
