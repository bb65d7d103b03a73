//! Servers that follow a script, byte for byte, over TCP or TLS.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use time::{Duration, OffsetDateTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// What a server does next on a connection.
pub(crate) enum Step {
    /// Reads the head of a request.
    Read,
    /// Sends bytes.
    Send(Vec<u8>),
    /// Sends bytes one by one.
    Dribble(Vec<u8>),
    /// Sends bytes again and again until the client is gone.
    Forever(Vec<u8>),
    /// As `Forever`, with a pause before each.
    Drip(Vec<u8>),
    /// Reads until the client is gone.
    Wait,
    /// Breaks the connection off.
    Reset,
}

/// How a server treats its connections.
pub(crate) enum Script {
    /// These steps for each connection, which is then closed.
    Steps(Vec<Step>),
    /// The answer to each request, and then the connection is closed.
    Routes(fn(&Request) -> Vec<u8>),
}

/// A request as far as scripts look at it.
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) host: String,
    /// The `Cookie` header, empty if there is none.
    pub(crate) cookie: String,
    /// The port on which the server listens.
    pub(crate) port: u16,
}

impl Request {
    fn parse(head: &str, port: u16) -> Self {
        let header = |name: &str| {
            let mut lines = head.split("\r\n").filter_map(|line| line.split_once(": "));
            let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_owned()).unwrap_or_default()
        };
        Self {
            path: head.split(' ').nth(1).unwrap_or_default().to_owned(),
            host: header("host")
                .split(':')
                .next()
                .unwrap_or_default()
                .to_owned(),
            cookie: header("cookie"),
            port,
        }
    }

    /// Returns whether the request has a cookie, written as `name=value`.
    pub(crate) fn has_cookie(&self, cookie: &str) -> bool {
        self.cookie.split("; ").any(|found| found == cookie)
    }
}

/// What is below HTTP.
#[derive(Clone)]
pub(crate) enum Transport {
    Plain,
    /// TLS; connections are closed without close_notify if `is_abrupt`.
    Tls {
        config: Arc<ServerConfig>,
        is_abrupt: bool,
    },
}

/// A certificate authority that curl and the prober trust.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

impl Authority {
    pub(crate) fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        Arc::new(roots)
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }
}

pub(crate) fn authority() -> &'static Authority {
    static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // A name of its own: OpenSSL takes a certificate from its own subject for self-signed.
        params
            .distinguished_name
            .push(DnType::CommonName, "Authority of the tests");
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Authority {
            certificate: certificate.der().clone(),
            pem: to_pem(certificate.der()),
            issuer: Issuer::new(params, key),
        }
    });
    &AUTHORITY
}

/// Writes a certificate as PEM.
fn to_pem(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

/// A certificate with its key.
pub(crate) struct Identity(CertificateDer<'static>, PrivateKeyDer<'static>);

/// Returns a certificate for `good.test` with a key of `algorithm`.
pub(crate) fn identity_of(
    algorithm: &'static rcgen::SignatureAlgorithm,
    change: impl FnOnce(&mut CertificateParams),
) -> Identity {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let mut params = params();
    change(&mut params);
    let certificate = params.signed_by(&key, &authority().issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    Identity(certificate.der().clone(), key)
}

pub(crate) fn identity(change: impl FnOnce(&mut CertificateParams)) -> Identity {
    identity_of(&rcgen::PKCS_ECDSA_P256_SHA256, change)
}

pub(crate) fn self_signed() -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = params().self_signed(&key).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    Identity(certificate.der().clone(), key)
}

fn params() -> CertificateParams {
    let names = ["good.test", "www.good.test", "other.test", "127.0.0.1"];
    let mut params = CertificateParams::new(names.map(String::from)).unwrap();
    params.not_before = OffsetDateTime::now_utc() - Duration::days(30);
    params.not_after = OffsetDateTime::now_utc() + Duration::days(30);
    params
}

/// Returns TLS with `identity` and `alpn`.
pub(crate) fn tls(
    identity: Identity,
    versions: &[&'static SupportedProtocolVersion],
    alpn: &[&str],
) -> Transport {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.0], identity.1)
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Transport::Tls {
        config: Arc::new(config),
        is_abrupt: false,
    }
}

/// Returns TLS that wants a certificate of the client.
pub(crate) fn mutual_tls(
    identity: Identity,
    versions: &[&'static SupportedProtocolVersion],
) -> Transport {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let roots = authority().roots();
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![identity.0], identity.1)
        .unwrap();
    Transport::Tls {
        config: Arc::new(config),
        is_abrupt: false,
    }
}

impl Transport {
    /// Closes connections without close_notify.
    pub(crate) fn abrupt(self) -> Self {
        match self {
            Self::Plain => self,
            Self::Tls { config, .. } => Self::Tls {
                config,
                is_abrupt: true,
            },
        }
    }
}

/// A server; it ends with this value.
pub(crate) struct Server {
    address: SocketAddr,
    is_tls: bool,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start(transport: Transport, script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let is_tls = matches!(transport, Transport::Tls { .. });
        let script = Arc::new(script);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (transport, script) = (transport.clone(), Arc::clone(&script));
                connections.spawn(serve(stream, transport, script, address.port()));
            }
        });
        Self {
            address,
            is_tls,
            task,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://good.test:{}/", self.port())
    }
}

async fn serve(stream: TcpStream, transport: Transport, script: Arc<Script>, port: u16) {
    stream.set_nodelay(true).unwrap();
    match transport {
        Transport::Plain => {
            let mut stream = stream;
            if run(&mut stream, &script, port).await {
                stream.set_zero_linger().unwrap();
                return;
            }
            let _ = stream.shutdown().await;
            until_closed(&mut stream).await;
        }
        Transport::Tls { config, is_abrupt } => {
            let Ok(mut stream) = TlsAcceptor::from(config).accept(stream).await else {
                return;
            };
            let is_reset = run(&mut stream, &script, port).await;
            if is_reset {
                stream.get_ref().0.set_zero_linger().unwrap();
            } else if is_abrupt {
                let (stream, _) = stream.get_mut();
                let _ = stream.shutdown().await;
                until_closed(stream).await;
            } else {
                let _ = stream.shutdown().await;
                until_closed(&mut stream).await;
            }
        }
    }
}

/// Says in an answer that the connection will be closed, so that no client sends its next request on
/// it in the moment before.
fn announce_close(mut answer: Vec<u8>) -> Vec<u8> {
    if let Some(end) = answer.windows(2).position(|pair| pair == b"\r\n") {
        answer.splice(end..end, *b"\r\nconnection: close");
    }
    answer
}

/// Follows the script. Returns whether the connection must be reset.
async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    script: &Script,
    port: u16,
) -> bool {
    match script {
        Script::Routes(answer) => {
            let head = read_head(stream).await;
            let answer = announce_close(answer(&Request::parse(&head, port)));
            let _ = stream.write_all(&answer).await;
        }
        Script::Steps(steps) => {
            for step in steps {
                if matches!(step, Step::Reset) {
                    return true;
                }
                follow(stream, step).await;
            }
        }
    }
    let _ = stream.flush().await;
    false
}

async fn follow<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, step: &Step) {
    match step {
        Step::Read => {
            read_head(stream).await;
        }
        Step::Send(bytes) => {
            let _ = stream.write_all(bytes).await;
        }
        Step::Dribble(bytes) => {
            for byte in bytes {
                let _ = stream.write_all(&[*byte]).await;
                tokio::task::yield_now().await;
            }
        }
        Step::Forever(bytes) => while stream.write_all(bytes).await.is_ok() {},
        Step::Drip(bytes) => {
            while stream.write_all(bytes).await.is_ok() && stream.flush().await.is_ok() {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
        Step::Wait => until_closed(stream).await,
        Step::Reset => {}
    }
}

/// Reads up to an empty line, or the first request over HTTP/2.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
        if head == b"PRI * HTTP/2.0\r\n\r\n" {
            crate::http2::read_request(stream).await;
            break;
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

async fn until_closed(stream: &mut (impl AsyncRead + Unpin)) {
    let mut buffer = [0; 4096];
    while let Ok(1..) = stream.read(&mut buffer).await {}
}
