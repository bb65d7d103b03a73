//! Errors between this program and a provider. They are logged; the person who signs in sees a
//! code.

use crate::auth::refusal::Refusal;

/// Why a provider could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The request failed.
    #[error("{0} cannot be reached: {1}")]
    Unreachable(String, #[source] reqwest::Error),
    /// All requests together took too long.
    #[error("it does not answer in time")]
    TooSlow,
    /// It failed a moment ago and is not retried yet.
    #[error("it did not answer a moment ago")]
    Away,
    /// The response is too large.
    #[error("{0} answers more than {1} KiB")]
    TooLarge(String, usize),
    /// It returned an error.
    #[error("{0} answers {1}")]
    Refused(String, String),
    /// The response cannot be parsed.
    #[error("its answer cannot be read: {0}")]
    Unreadable(String),
    /// The response cannot be verified.
    #[error("its answer cannot be verified: {0}")]
    Untrusted(String),
    /// The response is from another issuer (RFC 9207).
    #[error("the answer came from another provider than the one that was asked")]
    OtherIssuer,
    /// It verified no e-mail of the person.
    #[error("the account has no verified primary e-mail")]
    UnverifiedEmail,
    /// TLS cannot be set up on this machine.
    #[error("the client for sign-in providers cannot be made: {0}")]
    Client(String),
}

impl Fault {
    /// The refusal that the person sees.
    pub(crate) const fn refusal(&self) -> Refusal {
        match self {
            Self::UnverifiedEmail => Refusal::UnverifiedEmail,
            Self::OtherIssuer => Refusal::Mismatch,
            _ => Refusal::Provider,
        }
    }
}
