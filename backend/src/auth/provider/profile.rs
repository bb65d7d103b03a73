//! A person as a sign-in provider describes them.

/// A person as a provider describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) provider: &'static str,
    /// The provider's unchanging id of the person.
    pub(crate) subject: String,
    pub(crate) email: Option<String>,
    /// Whether the provider verified the e-mail.
    pub(crate) email_verified: bool,
    pub(crate) name: Option<String>,
    pub(crate) picture: Option<String>,
}
