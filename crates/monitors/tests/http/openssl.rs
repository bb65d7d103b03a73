//! Certificates and servers that only OpenSSL makes.

use crate::{found, settings, target};
use domain::Status;
use monitors::Prober;
use net::{ClientSettings, Roots};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Runs openssl in `directory`.
async fn openssl(directory: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("openssl is installed: run scripts/setup.sh");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {errors}");
}

/// An authority, and a server's certificate for `good.test` that it signed.
struct Chain {
    directory: TempDir,
    authority: CertificateDer<'static>,
}

impl Chain {
    /// Makes keys with these options of `openssl genpkey`, and signs with these of `openssl x509`.
    async fn new(authority_key: &str, key: &str, signature: &str, extensions: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let run = async |arguments: String| openssl(directory.path(), &arguments).await;
        run(format!("genpkey {authority_key} -out ca.key")).await;
        run("req -x509 -new -key ca.key -subj /CN=Authority -days 30 -out ca.pem".into()).await;
        run("x509 -in ca.pem -outform DER -out ca.der".into()).await;
        run(format!("genpkey {key} -out leaf.key")).await;
        run("req -new -key leaf.key -subj /CN=good.test -out leaf.csr".into()).await;
        let extensions = format!("subjectAltName=DNS:good.test\n{extensions}");
        std::fs::write(directory.path().join("leaf.ext"), extensions).unwrap();
        let sign = "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 \
                    -extfile leaf.ext -out leaf.pem";
        let words: Vec<_> = sign.split_whitespace().collect();
        run(format!("{} {signature}", words.join(" "))).await;
        let der = std::fs::read(directory.path().join("ca.der")).unwrap();
        Self {
            authority: CertificateDer::from(der),
            directory,
        }
    }

    /// Serves a page with these further options of `openssl s_server`.
    async fn serve(&self, options: &str) -> Server {
        let fixed = "s_server -accept 127.0.0.1:0 -cert leaf.pem -key leaf.key -www -naccept 1";
        let mut child = Command::new("openssl")
            .args(fixed.split(' '))
            .args(options.split_whitespace())
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("openssl is installed: run scripts/setup.sh");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = crate::soon(async {
            loop {
                let line = lines.next_line().await.unwrap().expect("the server starts");
                if let Some(address) = line.strip_prefix("ACCEPT ") {
                    break address.rsplit(':').next().unwrap().parse().unwrap();
                }
            }
        })
        .await;
        Server {
            port,
            _child: child,
        }
    }

    /// Checks the server with this authority trusted. Returns status and sentence.
    async fn check(&self, server: &Server) -> (Status, String) {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.clone()).unwrap();
        let prober = Prober::new(ClientSettings {
            roots: Roots::Only(Arc::new(roots)),
            ..settings()
        })
        .unwrap();
        let url = format!("https://good.test:{}/", server.port);
        found(&prober.check(&target(&url)).await)
    }
}

struct Server {
    port: u16,
    _child: Child,
}

const P256: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
const P384: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-384";
const P521: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-521";
const RSA: &str = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";

#[tokio::test]
async fn every_pair_of_curve_and_hash_that_browsers_verify_is_verified() {
    for (authority, key, signature) in [
        (P256, P256, "-sha512"),
        (P256, P256, "-sha384"),
        (P256, P521, "-sha256"),
        (P384, P384, "-sha256"),
        (P384, P256, "-sha512"),
        (P521, P521, "-sha512"),
        (P521, P256, "-sha384"),
        (RSA, P521, "-sha512"),
        (P256, RSA, "-sha512"),
    ] {
        let chain = Chain::new(authority, key, signature, "").await;
        let server = chain.serve("").await;
        let judged = chain.check(&server).await;
        let up = (Status::Up, String::new());
        assert_eq!(judged, up, "{authority} signs {key} with {signature}");
    }
}

#[tokio::test]
async fn a_server_without_a_modern_cipher_suite_is_down_and_says_what_it_wants() {
    let chain = Chain::new(RSA, RSA, "-sha256", "").await;
    for options in [
        "-tls1_2 -cipher ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256",
        "-tls1_2 -cipher AES128-GCM-SHA256",
        "-tls1_2 -cipher AES256-SHA:AES128-SHA",
        "-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256",
    ] {
        let server = chain.serve(options).await;
        let sentence = "TLS handshake failed: this server offers no cipher suite that PulseCheck \
                        speaks; it probably wants CBC or RSA key exchange";
        let down = (Status::Down, sentence.to_owned());
        assert_eq!(chain.check(&server).await, down, "{options}");
    }
}

#[tokio::test]
async fn odd_certificates_are_refused_with_a_sentence_each() {
    for (signature, extensions, sentence) in [
        (
            "-sha256",
            "basicConstraints=critical,CA:TRUE",
            "the certificate is that of an authority (CA:TRUE), not that of a server",
        ),
        (
            "-sha256",
            "extendedKeyUsage=clientAuth",
            "the certificate is not meant for servers",
        ),
        (
            "-sha1",
            "",
            "the certificate is signed, or has a key, of a kind that is not supported, such as SHA-1",
        ),
        (
            "-sha256",
            "1.2.3.4=critical,DER:05:00",
            "the certificate has a critical extension that is not supported",
        ),
    ] {
        let chain = Chain::new(RSA, RSA, signature, extensions).await;
        let server = chain.serve("-cipher DEFAULT:@SECLEVEL=0").await;
        let down = (Status::Down, format!("TLS handshake failed: {sentence}"));
        assert_eq!(chain.check(&server).await, down, "{signature} {extensions}");
    }
}

#[tokio::test]
async fn old_versions_of_tls_are_down_and_named() {
    let chain = Chain::new(RSA, RSA, "-sha256", "").await;
    let server = chain.serve("-tls1_1 -cipher ALL:@SECLEVEL=0").await;
    let sentence = "TLS handshake failed: the server speaks no version of TLS that is still safe";
    assert_eq!(chain.check(&server).await, (Status::Down, sentence.into()));
}
