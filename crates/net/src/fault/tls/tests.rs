use super::*;
use crate::exchange::{EXCHANGE, Exchange};
use rustls::pki_types::ServerName;
use rustls::{ExtendedKeyPurpose, OtherError};
use std::sync::Arc;
use std::time::Duration;

fn sentence(error: &Error) -> String {
    cause(error, || "shop.example".into()).to_string()
}

/// Whether a message is for people: one line of words, without Rust's names and brackets.
fn is_sentence(message: &str) -> bool {
    let has_rust_name = message.split([' ', '(', ')', ',', ';', ':']).any(|word| {
        let inner = word.chars().skip(1);
        // Names such as PulseCheck and ECDSA are fine.
        word != "PulseCheck"
            && word.chars().any(char::is_lowercase)
            && inner.clone().any(char::is_uppercase)
    });
    !has_rust_name && !message.contains(['{', '}', '[', ']', '"', '_', '\n']) && message.len() < 160
}

fn certificate_errors() -> Vec<CertificateError> {
    let time = UnixTime::since_unix_epoch(Duration::from_secs(2_000_000_000));
    let before = UnixTime::since_unix_epoch(Duration::from_secs(1_900_000_000));
    #[allow(deprecated, reason = "may still be returned")]
    let deprecated = CertificateError::UnsupportedSignatureAlgorithm;
    let mut all = vec![
        CertificateError::BadEncoding,
        CertificateError::Expired,
        CertificateError::ExpiredContext {
            time,
            not_after: before,
        },
        CertificateError::NotValidYet,
        CertificateError::NotValidYetContext {
            time: before,
            not_before: time,
        },
        CertificateError::Revoked,
        CertificateError::UnhandledCriticalExtension,
        CertificateError::UnknownIssuer,
        CertificateError::UnknownRevocationStatus,
        CertificateError::ExpiredRevocationList,
        CertificateError::ExpiredRevocationListContext {
            time,
            next_update: before,
        },
        CertificateError::BadSignature,
        deprecated,
        CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: vec![1; 40],
            supported_algorithms: Vec::new(),
        },
        CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: vec![1; 40],
            public_key_algorithm_id: vec![2; 40],
        },
        CertificateError::NotValidForName,
        CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("shop.example").unwrap(),
            presented: vec!["DnsName(\"x\")".into(); 50],
        },
        CertificateError::InvalidPurpose,
        CertificateError::InvalidPurposeContext {
            required: ExtendedKeyPurpose::ServerAuth,
            presented: vec![ExtendedKeyPurpose::ClientAuth],
        },
        CertificateError::InvalidOcspResponse,
        CertificateError::ApplicationVerificationFailure,
        CertificateError::Other(OtherError(Arc::new(std::fmt::Error))),
    ];
    let others = webpki_errors().into_iter();
    all.extend(others.map(|error| CertificateError::Other(OtherError(Arc::new(error)))));
    all
}

/// The errors of the verifier that rustls passes on as they are.
fn webpki_errors() -> Vec<webpki::Error> {
    use webpki::Error;
    vec![
        Error::CaUsedAsEndEntity,
        Error::CertDistrusted,
        Error::EmptyEkuExtension,
        Error::EndEntityUsedAsCa,
        Error::ExtensionValueInvalid,
        Error::InvalidCrlNumber,
        Error::InvalidNetworkMaskConstraint,
        Error::InvalidSerialNumber,
        Error::MalformedDnsIdentifier,
        Error::MalformedExtensions,
        Error::MalformedNameConstraint,
        Error::MaximumNameConstraintComparisonsExceeded,
        Error::MaximumPathBuildCallsExceeded,
        Error::MaximumPathDepthExceeded,
        Error::MaximumSignatureChecksExceeded,
        Error::NameConstraintViolation,
        Error::PathLenConstraintViolated,
        Error::SignatureAlgorithmMismatch,
        Error::UnsupportedCertVersion,
        Error::UnsupportedCriticalExtension,
        Error::UnsupportedCrlIssuingDistributionPoint,
        Error::UnsupportedCrlVersion,
        Error::UnsupportedDeltaCrl,
        Error::UnsupportedIndirectCrl,
        Error::UnsupportedNameType,
        Error::UnsupportedRevocationReason,
        Error::UnsupportedRevocationReasonsPartitioning,
    ]
}

#[test]
fn every_refusal_of_a_certificate_is_a_sentence() {
    for error in certificate_errors() {
        let message = sentence(&Error::InvalidCertificate(error.clone()));
        assert!(is_sentence(&message), "{error:?}: {message}");
    }
    assert!(!is_sentence("Other(OtherError(CaUsedAsEndEntity))"));
    assert!(!is_sentence("the server refused it (HandshakeFailure)"));
}

#[test]
fn refusals_of_the_verifier_have_sentences_of_their_own() {
    let unaccepted = format!("TLS handshake failed: {UNACCEPTED}");
    for error in webpki_errors() {
        let other = CertificateError::Other(OtherError(Arc::new(error.clone())));
        let message = sentence(&Error::InvalidCertificate(other));
        assert_ne!(message, unaccepted, "{error:?}");
    }
    let other = CertificateError::Other(OtherError(Arc::new(webpki::Error::CaUsedAsEndEntity)));
    assert_eq!(
        sentence(&Error::InvalidCertificate(other)),
        "TLS handshake failed: the certificate is that of an authority (CA:TRUE), not that of a server"
    );
}

#[test]
fn every_alert_is_a_sentence() {
    for code in 0..=u8::MAX {
        let message = sentence(&Error::AlertReceived(AlertDescription::from(code)));
        assert!(is_sentence(&message), "{code}: {message}");
    }
}

#[test]
fn a_refusal_before_the_certificate_is_about_cipher_suites_and_after_it_about_ours() {
    let refused = Error::AlertReceived(AlertDescription::HandshakeFailure);
    assert_eq!(
        sentence(&refused),
        "TLS handshake failed: this server offers no cipher suite that PulseCheck speaks; it probably wants CBC or RSA \
         key exchange"
    );
    let after = EXCHANGE.sync_scope(Exchange::start(), || {
        exchange::note(|exchange| exchange.is_certificate_presented = true);
        sentence(&refused)
    });
    assert_eq!(
        after,
        "TLS handshake failed: the server wants a client certificate"
    );
}

#[test]
fn other_faults_of_a_handshake_are_sentences() {
    for error in [
        Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
        Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
        Error::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon),
        Error::PeerIncompatible(PeerIncompatible::NoSignatureSchemesInCommon),
        Error::PeerIncompatible(PeerIncompatible::UncompressedEcPointsRequired),
        Error::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedCipherSuite),
        Error::PeerMisbehaved(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme),
        Error::PeerMisbehaved(PeerMisbehaved::TooMuchEarlyDataReceived),
        Error::InvalidMessage(InvalidMessage::InvalidContentType),
        Error::InvalidMessage(InvalidMessage::HandshakePayloadTooLarge),
        Error::NoCertificatesPresented,
        Error::DecryptError,
        Error::PeerSentOversizedRecord,
        Error::NoApplicationProtocol,
        Error::General("BadThing { x: [1, 2] }".into()),
        Error::Other(OtherError(Arc::new(std::fmt::Error))),
    ] {
        let message = sentence(&error);
        assert!(is_sentence(&message), "{error:?}: {message}");
    }
}
