//! Says in one sentence why a TLS handshake failed. Never prints an error's debug form.

use crate::exchange;
use chrono::{DateTime, Utc};
use domain::Cause;
use rustls::pki_types::UnixTime;
use rustls::{
    AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible, PeerMisbehaved,
};

const NO_CIPHER_SUITE: &str = "this server offers no cipher suite that PulseCheck speaks; it \
                               probably wants CBC or RSA key exchange";
const NO_SAFE_VERSION: &str = "the server speaks no version of TLS that is still safe";
const WANTS_CLIENT_CERTIFICATE: &str = "the server wants a client certificate";
const UNACCEPTED: &str = "the certificate is not acceptable";
const UNSUPPORTED_EXTENSION: &str =
    "the certificate has a critical extension that is not supported";
const WRONG_KEY: &str = "the server does not have the key of its certificate";

/// Returns the cause of a handshake with `host` that failed.
pub(super) fn cause(error: &Error, host: impl FnOnce() -> String) -> Cause {
    let detail = match error {
        Error::InvalidCertificate(error) => return certificate_cause(error, host),
        Error::FailedToGetCurrentTime | Error::FailedToGetRandomBytes => {
            return Cause::NotChecked {
                detail: error.to_string(),
            };
        }
        Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            format!("the server knows no certificate for {}", host())
        }
        Error::AlertReceived(alert) => alert_sentence(*alert),
        Error::PeerIncompatible(reason) => incompatibility(reason).into(),
        Error::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedCipherSuite) => {
            NO_CIPHER_SUITE.into()
        }
        Error::PeerMisbehaved(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme) => {
            "the server signs in a way that is not supported, such as with SHA-1".into()
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "the server does not speak TLS".into()
        }
        Error::NoCertificatesPresented => "the server sent no certificate".into(),
        Error::DecryptError => "a message of the server could not be decrypted".into(),
        Error::PeerSentOversizedRecord => "the server sent a record that is too large".into(),
        Error::NoApplicationProtocol => "the server speaks neither HTTP/2 nor HTTP/1.1".into(),
        Error::UnsupportedNameType => "the host has a name that TLS cannot carry".into(),
        Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::PeerMisbehaved(_) => "the server broke the rules of TLS".into(),
        Error::InvalidMessage(_) => "the server sent a message that is not valid TLS".into(),
        _ => "the handshake could not be completed".into(),
    };
    Cause::Tls { detail }
}

/// Says what an alert of the server means.
fn alert_sentence(alert: AlertDescription) -> String {
    let sentence = match alert {
        AlertDescription::ProtocolVersion => NO_SAFE_VERSION,
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            if has_certificate() {
                // Parameters were agreed on, so it is what the client lacks.
                WANTS_CLIENT_CERTIFICATE
            } else {
                NO_CIPHER_SUITE
            }
        }
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            WANTS_CLIENT_CERTIFICATE
        }
        AlertDescription::NoApplicationProtocol => "the server speaks neither HTTP/2 nor HTTP/1.1",
        AlertDescription::InternalError => "the server reported an error of its own",
        AlertDescription::AccessDenied => "the server denied access",
        other => return format!("the server refused it (alert {})", u8::from(other)),
    };
    sentence.into()
}

/// Whether the server had presented its certificate before it refused.
fn has_certificate() -> bool {
    let mut presented = false;
    exchange::note(|exchange| presented = exchange.is_certificate_presented);
    presented
}

fn incompatibility(reason: &PeerIncompatible) -> &'static str {
    match reason {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::SupportedVersionsExtensionRequired => NO_SAFE_VERSION,
        PeerIncompatible::NoCipherSuitesInCommon => NO_CIPHER_SUITE,
        PeerIncompatible::NoKxGroupsInCommon
        | PeerIncompatible::NamedGroupsExtensionRequired
        | PeerIncompatible::KeyShareExtensionRequired => {
            "the server offers no key exchange that PulseCheck speaks"
        }
        PeerIncompatible::NoSignatureSchemesInCommon
        | PeerIncompatible::SignatureAlgorithmsExtensionRequired => {
            "the server offers no signature that PulseCheck can verify"
        }
        PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => WANTS_CLIENT_CERTIFICATE,
        _ => "the server offers nothing that is still safe",
    }
}

fn certificate_cause(error: &CertificateError, host: impl FnOnce() -> String) -> Cause {
    let detail = match error {
        CertificateError::ExpiredContext { time, not_after } => {
            match (to_datetime(*not_after), to_datetime(*time)) {
                (Some(expired_at), Some(checked_at)) => {
                    return Cause::CertificateExpired {
                        expired_at,
                        checked_at,
                    };
                }
                _ => "the certificate has expired",
            }
        }
        CertificateError::Expired => "the certificate has expired",
        CertificateError::NotValidYetContext { not_before, .. } => match to_datetime(*not_before) {
            Some(valid_from) => return Cause::CertificateNotYetValid { valid_from },
            None => "the certificate is not valid yet",
        },
        CertificateError::NotValidYet => "the certificate is not valid yet",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            return Cause::CertificateNameMismatch { host: host() };
        }
        CertificateError::UnknownIssuer => return Cause::CertificateUntrusted,
        // Signed by a key that has the name of a trusted authority and is not its key, or a
        // handshake that was signed by another key than that of the certificate.
        CertificateError::BadSignature if has_verified_chain() => WRONG_KEY,
        CertificateError::BadSignature => return Cause::CertificateUntrusted,
        CertificateError::BadEncoding => "the certificate is malformed",
        CertificateError::Revoked => "the certificate has been revoked",
        CertificateError::UnhandledCriticalExtension => UNSUPPORTED_EXTENSION,
        CertificateError::UnknownRevocationStatus => {
            "it is not known whether the certificate has been revoked"
        }
        CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => {
            "the list of revoked certificates is too old"
        }
        #[allow(deprecated, reason = "may still be returned")]
        CertificateError::UnsupportedSignatureAlgorithm
        | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "the certificate is signed, or has a key, of a kind that is not supported, such as SHA-1"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the certificate is not meant for servers"
        }
        CertificateError::InvalidOcspResponse => {
            "the server sent an invalid statement about the revocation of its certificate"
        }
        CertificateError::Other(other) => match other.0.downcast_ref::<webpki::Error>() {
            Some(error) => chain_sentence(error),
            None => UNACCEPTED,
        },
        _ => UNACCEPTED,
    };
    Cause::Tls {
        detail: detail.into(),
    }
}

/// Whether the certificate itself was accepted, so that the fault is in the handshake.
fn has_verified_chain() -> bool {
    let mut verified = false;
    exchange::note(|exchange| verified = exchange.is_certificate_verified);
    verified
}

/// Says what is wrong with a chain of certificates, for errors that rustls has no variant for.
fn chain_sentence(error: &webpki::Error) -> &'static str {
    use webpki::Error;
    match error {
        Error::CaUsedAsEndEntity => {
            "the certificate is that of an authority (CA:TRUE), not that of a server"
        }
        Error::EndEntityUsedAsCa => {
            "the certificate was issued by one that is not an authority's (CA:FALSE)"
        }
        Error::CertDistrusted => "an authority in the chain of the certificate is distrusted",
        Error::EmptyEkuExtension => "the certificate is not meant for anything (empty purposes)",
        Error::NameConstraintViolation => {
            "the certificate is for a name that its authority may not certify"
        }
        Error::PathLenConstraintViolated => {
            "the chain of the certificate is longer than its authority allows"
        }
        Error::MaximumNameConstraintComparisonsExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumPathDepthExceeded
        | Error::MaximumSignatureChecksExceeded => "the chain of the certificate is too long",
        Error::SignatureAlgorithmMismatch => {
            "the certificate names two different signature algorithms"
        }
        Error::UnsupportedCriticalExtension => UNSUPPORTED_EXTENSION,
        Error::UnsupportedCertVersion => "the certificate is not of version 3",
        Error::UnsupportedNameType | Error::MalformedDnsIdentifier => {
            "the certificate has a name of a kind that is not supported"
        }
        Error::InvalidSerialNumber => "the serial number of the certificate is not valid",
        Error::ExtensionValueInvalid
        | Error::InvalidNetworkMaskConstraint
        | Error::MalformedExtensions
        | Error::MalformedNameConstraint => "an extension of the certificate is malformed",
        Error::InvalidCrlNumber
        | Error::UnsupportedCrlIssuingDistributionPoint
        | Error::UnsupportedCrlVersion
        | Error::UnsupportedDeltaCrl
        | Error::UnsupportedIndirectCrl
        | Error::UnsupportedRevocationReason
        | Error::UnsupportedRevocationReasonsPartitioning => {
            "the list of revoked certificates cannot be read"
        }
        _ => UNACCEPTED,
    }
}

fn to_datetime(time: UnixTime) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(time.as_secs()).ok()?, 0)
}

#[cfg(test)]
mod tests;
