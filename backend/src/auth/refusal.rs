//! Why somebody could not sign in. The page has the words; what goes there is one of these codes and never free text,
//! because anybody can make a link to that page.

/// See [`code`](Self::code).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// They said no at the provider.
    Denied,
    /// It took longer than a sign-in may take.
    Expired,
    /// The sign-in was completed already.
    Used,
    /// It was not begun in this browser, or the browser keeps no cookies.
    Browser,
    /// What came back does not belong to the sign-in that was begun here.
    Mismatch,
    /// The provider does not answer, or not so that it can be believed.
    Provider,
    /// The provider gave no e-mail.
    NoEmail,
    /// The provider vouches for none of their e-mails.
    UnverifiedEmail,
    /// Somebody who signs in otherwise has this e-mail, and not both are verified.
    EmailTaken,
    /// This way of signing in is not set up here.
    UnknownProvider,
    /// The one-time link was used, has expired, or never was.
    LinkUsed,
    /// One-time links are switched off.
    LinksOff,
    /// Too many attempts.
    RateLimited,
    /// PulseCheck itself cannot at the moment.
    Failed,
}

impl Refusal {
    /// As it stands in the address of the sign-in page.
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
            Self::EmailTaken => "email_taken",
            Self::UnknownProvider => "unknown_provider",
            Self::LinkUsed => "link_used",
            Self::LinksOff => "links_off",
            Self::RateLimited => "rate_limited",
            Self::Failed => "failed",
        }
    }
}
