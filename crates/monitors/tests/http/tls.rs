//! Certificates and handshakes, good and bad.

use crate::server::{Server, head, read_head, serve, until_closed};
use crate::{found, look, prober, settings, target};
use chrono::{DateTime, Utc};
use domain::{Cause, Status};
use hyper_util::rt::{TokioExecutor, TokioIo};
use monitors::Prober;
use net::fetch::Validators;
use net::{ClientSettings, FetchError, Fetcher, FetcherSettings, Roots};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{HandshakeKind, RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::sync::{Arc, LazyLock, Mutex};
use time::{Duration, OffsetDateTime};
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;

/// A certificate authority of the tests.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    pub(crate) fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        Arc::new(roots)
    }
}

/// The one that the tests trust.
pub(crate) fn authority() -> &'static Authority {
    static TRUSTED: LazyLock<Authority> = LazyLock::new(Authority::new);
    &TRUSTED
}

/// A certificate with its key.
struct Identity(CertificateDer<'static>, PrivateKeyDer<'static>);

/// A certificate for `good.test` and this machine's address from `authority`, or signed by itself.
fn identity(
    authority: Option<&Authority>,
    change: impl FnOnce(&mut CertificateParams),
) -> Identity {
    let mut params = CertificateParams::new(vec!["good.test".into(), crate::LOCAL.into()]).unwrap();
    params.not_before = OffsetDateTime::now_utc() - Duration::days(30);
    params.not_after = OffsetDateTime::now_utc() + Duration::days(30);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = match authority {
        Some(authority) => params.signed_by(&key, &authority.issuer),
        None => params.self_signed(&key),
    };
    Identity(
        certificate.unwrap().der().clone(),
        PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
    )
}

fn good() -> Identity {
    identity(Some(authority()), |_| {})
}

fn config(identity: Identity, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap();
    builder
        .with_no_client_auth()
        .with_single_cert(vec![identity.0], identity.1)
        .unwrap()
}

/// An HTTPS server that answers 200; what kind each handshake was is kept.
async fn https(config: ServerConfig) -> (Server, Arc<Mutex<Vec<HandshakeKind>>>) {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let kinds = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&kinds);
    let server = serve(move |peer| {
        let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
        async move {
            let Ok(mut stream) = acceptor.accept(peer.stream).await else {
                return;
            };
            seen.lock()
                .unwrap()
                .extend(stream.get_ref().1.handshake_kind());
            read_head(&mut stream).await;
            if stream.write_all(head(200, "").as_bytes()).await.is_ok() {
                until_closed(&mut stream).await;
            }
        }
    })
    .await;
    (server, kinds)
}

fn url(server: &Server, host: &str) -> String {
    format!("https://{host}:{}/", server.address.port())
}

#[tokio::test]
async fn a_good_certificate_is_up_and_its_end_is_told() {
    let ends = OffsetDateTime::now_utc() + Duration::days(12);
    let identity = identity(Some(authority()), |params| params.not_after = ends);
    let (server, _) = https(config(identity, rustls::ALL_VERSIONS)).await;
    for host in ["good.test", crate::LOCAL, "GOOD.test"] {
        let outcome = look(&url(&server, host)).await;
        assert_eq!(found(&outcome), (Status::Up, String::new()), "{host}");
        let expected: DateTime<Utc> = DateTime::from_timestamp(ends.unix_timestamp(), 0).unwrap();
        assert_eq!(outcome.certificate_expires_at, Some(expected));
        assert!(outcome.phases.tls_ms.is_some() && outcome.phases.connect_ms.is_some());
        assert_eq!(outcome.phases.dns_ms.is_some(), host != crate::LOCAL);
    }
}

#[tokio::test]
async fn every_handshake_is_a_full_one() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (server, kinds) = https(config(good(), &[version])).await;
        let prober = prober();
        for _ in 0..3 {
            assert_eq!(
                prober
                    .check(&target(&url(&server, "good.test")))
                    .await
                    .status,
                Status::Up
            );
        }
        assert_eq!(
            *kinds.lock().unwrap(),
            [HandshakeKind::Full; 3],
            "{version:?}"
        );
    }
}

#[tokio::test]
async fn bad_certificates_are_told_apart() {
    let days = |days| OffsetDateTime::now_utc() + Duration::days(days);
    let stranger = Authority::new();
    let begins = days(2);
    let valid_from: DateTime<Utc> = DateTime::from_timestamp(begins.unix_timestamp(), 0).unwrap();
    let cases = [
        (
            "expired",
            identity(Some(authority()), |params| {
                params.not_after = days(-3) - Duration::hours(1);
            }),
            "certificate expired 3 days ago".to_owned(),
        ),
        (
            "not yet valid",
            identity(Some(authority()), |params| params.not_before = begins),
            format!(
                "certificate is not valid before {}",
                valid_from.format("%Y-%m-%d %H:%M UTC")
            ),
        ),
        (
            "for another name",
            identity(Some(authority()), |params| {
                params.subject_alt_names = CertificateParams::new(vec!["other.test".into()])
                    .unwrap()
                    .subject_alt_names;
            }),
            "certificate is not for good.test".to_owned(),
        ),
        (
            "of a stranger",
            identity(Some(&stranger), |_| {}),
            "certificate is not signed by a trusted authority".to_owned(),
        ),
        (
            "self-signed",
            identity(None, |_| {}),
            "certificate is not signed by a trusted authority".to_owned(),
        ),
        (
            "self-signed, as an authority",
            identity(None, |params| {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            }),
            "certificate is not signed by a trusted authority".to_owned(),
        ),
    ];
    for (name, identity, sentence) in cases {
        let (server, _) = https(config(identity, rustls::ALL_VERSIONS)).await;
        let outcome = look(&url(&server, "good.test")).await;
        assert_eq!(found(&outcome), (Status::Down, sentence), "{name}");
        assert!(outcome.certificate_expires_at.is_some(), "{name}");
        assert!(
            outcome.phases.tls_ms.is_some() && outcome.phases.first_byte_ms.is_none(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn where_no_tls_is_spoken_the_handshake_says_so() {
    let server = serve(|mut peer| async move {
        peer.stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        until_closed(&mut peer.stream).await;
    })
    .await;
    let outcome = look(&url(&server, "good.test")).await;
    assert_eq!(
        found(&outcome),
        (
            Status::Down,
            "TLS handshake failed: the server does not speak TLS".into()
        )
    );
    assert_eq!(outcome.certificate_expires_at, None);

    let server = serve(|peer| async move { drop(peer) }).await;
    let outcome = look(&url(&server, "good.test")).await;
    let ended = [Some(Cause::ConnectionClosed), Some(Cause::ConnectionReset)];
    assert!(ended.contains(&outcome.cause), "{outcome:?}");
}

#[tokio::test]
async fn a_server_that_wants_a_client_certificate_refuses_the_handshake() {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(authority().roots(), Arc::clone(&provider));
    let Identity(certificate, key) = good();
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let (server, _) = https(config).await;
    let outcome = look(&url(&server, "good.test")).await;
    let sentence = "TLS handshake failed: the server wants a client certificate";
    assert_eq!(found(&outcome), (Status::Down, sentence.into()));
}

#[tokio::test]
async fn http2_is_spoken_where_the_server_does_and_its_connection_ends_with_the_check() {
    let mut config = config(good(), rustls::ALL_VERSIONS);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let versions = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&versions);
    let mut server = serve(move |peer| {
        let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
        async move {
            let stream = acceptor.accept(peer.stream).await.unwrap();
            let service = hyper::service::service_fn(
                move |request: hyper::Request<hyper::body::Incoming>| {
                    seen.lock().unwrap().push(request.version());
                    let code = if request.uri().path() == "/bad" {
                        503
                    } else {
                        200
                    };
                    async move {
                        hyper::Response::builder()
                            .status(code)
                            .body("hello".to_owned())
                    }
                },
            );
            let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            let _ = builder
                .serve_connection(TokioIo::new(stream), service)
                .await;
        }
    })
    .await;
    let prober = prober();
    for (path, status, code) in [
        ("", Status::Up, 200),
        ("bad", Status::Down, 503),
        ("", Status::Up, 200),
    ] {
        let outcome = prober
            .check(&target(&format!("{}{path}", url(&server, "good.test"))))
            .await;
        assert_eq!(
            (outcome.status, outcome.status_code),
            (status, Some(code)),
            "{outcome:?}"
        );
        server.end().await;
    }
    assert_eq!(server.connections(), 3);
    assert_eq!(*versions.lock().unwrap(), [hyper::Version::HTTP_2; 3]);
}

#[tokio::test]
async fn http2_that_breaks_off_is_named_too() {
    let mut config = config(good(), rustls::ALL_VERSIONS);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = serve(move |peer| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = acceptor.accept(peer.stream).await.unwrap();
            let garbage = peer.number == 0;
            if garbage {
                stream.write_all(&[b'x'; 64]).await.unwrap();
            }
            let _ = stream.shutdown().await;
        }
    })
    .await;
    let prober = prober();
    let garbage = prober.check(&target(&url(&server, "good.test"))).await;
    assert!(
        matches!(garbage.cause, Some(Cause::NotHttp { .. })),
        "{garbage:?}"
    );
    let closed = prober.check(&target(&url(&server, "good.test"))).await;
    let ended = [Some(Cause::ConnectionClosed), Some(Cause::ConnectionReset)];
    assert!(ended.contains(&closed.cause), "{closed:?}");
}

#[tokio::test]
async fn the_machines_own_authorities_do_not_know_the_tests() {
    let (server, _) = https(config(good(), rustls::ALL_VERSIONS)).await;
    let prober = Prober::new(ClientSettings {
        roots: Roots::System,
        ..settings()
    })
    .unwrap();
    let outcome = prober.check(&target(&url(&server, "good.test"))).await;
    assert_eq!(outcome.cause, Some(Cause::CertificateUntrusted));
}

#[tokio::test]
async fn a_redirect_from_http_to_https_tells_the_certificate_of_where_it_ended() {
    let (end, _) = https(config(good(), rustls::ALL_VERSIONS)).await;
    let server = crate::server::answering(head(
        301,
        &format!("location: {}\r\n", url(&end, "good.test")),
    ))
    .await;
    let outcome = look(&server.url("/")).await;
    assert_eq!(outcome.status, Status::Up);
    assert!(outcome.certificate_expires_at.is_some() && outcome.phases.tls_ms.is_some());
}

/// Answers `bytes` over TLS and closes the connection without close_notify.
async fn abrupt(bytes: &'static str) -> Server {
    let acceptor = TlsAcceptor::from(Arc::new(config(good(), rustls::ALL_VERSIONS)));
    serve(move |peer| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = acceptor.accept(peer.stream).await.unwrap();
            read_head(&mut stream).await;
            stream.write_all(bytes.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
            let (stream, _) = stream.get_mut();
            stream.shutdown().await.unwrap();
            until_closed(stream).await;
        }
    })
    .await
}

fn fetcher() -> Fetcher {
    let settings = settings();
    Fetcher::new(FetcherSettings {
        guard: settings.guard,
        names: settings.names,
        roots: settings.roots,
        ..FetcherSettings::default()
    })
    .unwrap()
}

#[tokio::test]
async fn a_body_without_a_declared_end_is_complete_without_close_notify() {
    for answer in [
        "HTTP/1.0 200 OK\r\ncontent-type: text/html\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ] {
        let server = abrupt(answer).await;
        let url = url(&server, "good.test");
        assert_eq!(
            found(&look(&url).await),
            (Status::Up, String::new()),
            "{answer:?}"
        );
        let fetched = fetcher()
            .get(&url.parse().unwrap(), &Validators::default())
            .await;
        assert_eq!(fetched.unwrap().body.unwrap(), b"hello", "{answer:?}");
    }
}

#[tokio::test]
async fn a_body_with_a_declared_end_is_cut_off_without_it() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\ncontent-length: 50\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        let server = abrupt(answer).await;
        let url = url(&server, "good.test");
        assert_eq!(
            look(&url).await.cause,
            Some(Cause::AnswerCutOff),
            "{answer:?}"
        );
        let fetched = fetcher()
            .get(&url.parse().unwrap(), &Validators::default())
            .await;
        assert_eq!(
            fetched.unwrap_err(),
            FetchError::Failed(Cause::AnswerCutOff),
            "{answer:?}"
        );
    }
}

/// A server that answers each request over HTTP/2 with these headers.
async fn http2_with(headers: Vec<(String, String)>) -> Server {
    let mut config = config(good(), rustls::ALL_VERSIONS);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    serve(move |peer| {
        let (acceptor, headers) = (acceptor.clone(), headers.clone());
        async move {
            let stream = acceptor.accept(peer.stream).await.unwrap();
            let service =
                hyper::service::service_fn(move |_: hyper::Request<hyper::body::Incoming>| {
                    let mut response = hyper::Response::builder();
                    for (name, value) in &headers {
                        response = response.header(name, value);
                    }
                    async move { response.body("hello".to_owned()) }
                });
            let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            let _ = builder
                .serve_connection(TokioIo::new(stream), service)
                .await;
        }
    })
    .await
}

#[tokio::test]
async fn headers_as_large_as_browsers_take_them_are_read_over_http2() {
    let lines = |count: usize, value: &str| {
        (0..count)
            .map(|n| (format!("x-{n}"), value.to_owned()))
            .collect()
    };
    let cookie = format!("a={}", "b".repeat(290));
    let cookies = vec![("set-cookie".to_owned(), cookie); 60];
    let large: Vec<_> = lines(1, &"y".repeat(20_000));
    for headers in [
        large,
        cookies,
        lines(900, "short"),
        lines(64, &"v".repeat(4090)),
    ] {
        let count = headers.len();
        let server = http2_with(headers).await;
        let outcome = look(&url(&server, "good.test")).await;
        assert_eq!(found(&outcome), (Status::Up, String::new()), "{count}");
    }
    for headers in [lines(150, &"v".repeat(4090)), lines(2100, "short")] {
        let server = http2_with(headers).await;
        let outcome = look(&url(&server, "good.test")).await;
        let sentence =
            "the headers of the answer are too large: at most 512 KiB in 2,000 lines are read";
        assert_eq!(found(&outcome), (Status::Down, sentence.into()));
    }
}
