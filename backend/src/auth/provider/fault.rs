//! What goes wrong between this program and a provider: for the operator's log. The person learns a code.

use crate::auth::refusal::Refusal;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The request failed.
    #[error("{0} cannot be reached: {1}")]
    Unreachable(String, #[source] reqwest::Error),
    /// All answers together take too long.
    #[error("it does not answer in time")]
    TooSlow,
    /// It failed a moment ago and is not asked again yet.
    #[error("it did not answer a moment ago")]
    Away,
    /// More than such an answer can need.
    #[error("{0} answers more than {1} KiB")]
    TooLarge(String, usize),
    /// It answers with an error.
    #[error("{0} answers {1}")]
    Refused(String, String),
    /// It answers what makes no sense.
    #[error("its answer cannot be read: {0}")]
    Unreadable(String),
    /// It answers what cannot be believed.
    #[error("its answer cannot be believed: {0}")]
    Untrusted(String),
    /// Another provider answered in its place (RFC 9207).
    #[error("the answer came from another provider than the one that was asked")]
    OtherIssuer,
    /// It vouches for no e-mail of theirs.
    #[error("the account has no verified primary e-mail")]
    UnverifiedEmail,
    /// TLS cannot be set up on this machine.
    #[error("the client for sign-in providers cannot be made: {0}")]
    Client(String),
}

impl Fault {
    /// What the person is told.
    pub(crate) const fn refusal(&self) -> Refusal {
        match self {
            Self::UnverifiedEmail => Refusal::UnverifiedEmail,
            Self::OtherIssuer => Refusal::Mismatch,
            _ => Refusal::Provider,
        }
    }
}
