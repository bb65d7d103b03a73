//! Handshakes, certificates, and how a connection ends below HTTP.

use super::{answer, ok_with, steps};
use crate::server::Step::{Read, Reset, Send, Wait};
use crate::server::{Identity, Transport, identity, identity_of, mutual_tls, self_signed, tls};
use crate::{Behaviour, Down, Up, good};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa};
use rustls::version::{TLS12, TLS13};
use time::{Duration, OffsetDateTime};

pub(super) fn servers() -> Vec<Behaviour> {
    [ends(), certificates(), handshakes()]
        .into_iter()
        .flatten()
        .collect()
}

fn secure(identity: Identity) -> Transport {
    tls(identity, rustls::ALL_VERSIONS, &[])
}

fn ends() -> Vec<Behaviour> {
    let abrupt =
        |name, expected, bytes: &str| answer(name, expected, bytes).over(secure(good()).abrupt());
    vec![
        answer("tls", Up, ok_with("")).over(secure(good())),
        answer("tls and no length", Up, "HTTP/1.1 200 OK\r\n\r\nhello").over(secure(good())),
        abrupt(
            "no close_notify over http/1.0",
            Up,
            "HTTP/1.0 200 OK\r\ncontent-type: text/html\r\n\r\nhello",
        ),
        abrupt(
            "no close_notify and no length",
            Up,
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello",
        ),
        abrupt(
            "no close_notify after an empty body",
            Up,
            "HTTP/1.0 200 OK\r\n\r\n",
        ),
        abrupt(
            "no close_notify after a length",
            Up,
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        ),
        abrupt(
            "no close_notify after the last chunk",
            Up,
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        abrupt(
            "no close_notify and a body cut off",
            Down,
            "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello",
        ),
        abrupt(
            "no close_notify and chunks cut off",
            Down,
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        ),
        abrupt(
            "no close_notify in the head",
            Down,
            "HTTP/1.1 200 OK\r\nserver:",
        )
        .curl_differs("a head without its end may have lost any header"),
        abrupt("no close_notify and no answer", Down, ""),
        steps(
            "a reset within tls",
            Down,
            vec![Read, Send(b"HTTP/1.1 200 OK\r\n\r\nhello".to_vec()), Reset],
        )
        .over(secure(good())),
    ]
}

fn certificates() -> Vec<Behaviour> {
    let with =
        |name, expected, identity| answer(name, expected, ok_with("")).over(secure(identity));
    let changed =
        |name, expected, change: fn(&mut CertificateParams)| with(name, expected, identity(change));
    let names = |params: &mut CertificateParams, name: &str| {
        let named = CertificateParams::new(vec![name.into()]).unwrap();
        params.subject_alt_names = named.subject_alt_names;
    };
    vec![
        with(
            "a key on P-384",
            Up,
            identity_of(&rcgen::PKCS_ECDSA_P384_SHA384, |_| {}),
        ),
        with(
            "a key on P-521",
            Up,
            identity_of(&rcgen::PKCS_ECDSA_P521_SHA512, |_| {}),
        ),
        with(
            "an Ed25519 key",
            Up,
            identity_of(&rcgen::PKCS_ED25519, |_| {}),
        ),
        with("a self-signed certificate", Down, self_signed()),
        changed("an expired certificate", Down, |params| {
            params.not_after = OffsetDateTime::now_utc() - Duration::days(1);
        }),
        changed("a certificate of tomorrow", Down, |params| {
            params.not_before = OffsetDateTime::now_utc() + Duration::days(1);
        }),
        with(
            "a certificate for another name",
            Down,
            identity(|params| names(params, "elsewhere.test")),
        ),
        with(
            "a certificate for a whole top-level domain",
            Down,
            identity(|params| names(params, "*.test")),
        ),
        with(
            "a certificate with a wildcard below",
            Down,
            identity(|params| names(params, "*.good.test")),
        ),
        changed(
            "a certificate of an authority for a server",
            Down,
            |params| {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            },
        )
        .curl_differs(
            "browsers that verify as rustls does refuse it; the sentence says what it is",
        ),
        changed("a certificate for clients", Down, |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        }),
        changed("a certificate with a common name", Up, |params| {
            params
                .distinguished_name
                .push(DnType::CommonName, "elsewhere.test");
        }),
    ]
}

fn handshakes() -> Vec<Behaviour> {
    let only = |name, version| answer(name, Up, ok_with("")).over(tls(good(), &[version], &[]));
    vec![
        only("tls 1.2 only", &TLS12),
        only("tls 1.3 only", &TLS13),
        answer("http/1.1 agreed on", Up, ok_with("")).over(tls(
            good(),
            rustls::ALL_VERSIONS,
            &["http/1.1"],
        )),
        answer(
            "a client certificate wanted over tls 1.2",
            Down,
            ok_with(""),
        )
        .over(mutual_tls(good(), &[&TLS12])),
        answer(
            "a client certificate wanted over tls 1.3",
            Down,
            ok_with(""),
        )
        .over(mutual_tls(good(), &[&TLS13])),
        steps("silence within tls", Down, vec![Read, Wait]).over(secure(good())),
    ]
}
