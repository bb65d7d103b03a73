//! Why somebody could not sign in. The address of the sign-in page carries one of these codes and
//! never free text, because anybody can make a link to that page.

/// Why a sign-in was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The person refused at the provider.
    Denied,
    /// It took longer than a sign-in may take.
    Expired,
    /// The sign-in was completed already.
    Used,
    /// It began in another browser, or the browser keeps no cookies.
    Browser,
    /// The callback does not belong to the sign-in that began here.
    Mismatch,
    /// The provider does not answer, or its answer cannot be verified.
    Provider,
    /// The provider returned no e-mail.
    NoEmail,
    /// The provider verified none of the person's e-mails.
    UnverifiedEmail,
    /// The person has no account and may not create one.
    SignUpClosed,
    /// Another account has this e-mail, and not both are verified.
    EmailTaken,
    /// This provider is not configured.
    UnknownProvider,
    /// The one-time link was used, has expired, or never existed.
    LinkUsed,
    /// One-time links are disabled.
    LinksOff,
    /// Too many attempts.
    RateLimited,
    /// PulseCheck itself failed.
    Failed,
}

impl Refusal {
    /// The code in the address of the sign-in page.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Used => "used",
            Self::Browser => "browser",
            Self::Mismatch => "mismatch",
            Self::Provider => "provider",
            Self::NoEmail => "no_email",
            Self::UnverifiedEmail => "unverified_email",
            Self::SignUpClosed => "sign_up_closed",
            Self::EmailTaken => "email_taken",
            Self::UnknownProvider => "unknown_provider",
            Self::LinkUsed => "link_used",
            Self::LinksOff => "links_off",
            Self::RateLimited => "rate_limited",
            Self::Failed => "failed",
        }
    }
}
