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
    /// Those of the organisations that the setting for sign-up names of which the person is a member.
    pub(crate) organisations: Vec<String>,
}

impl Profile {
    /// The e-mail, if the provider verified it.
    pub(crate) fn verified_email(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.email_verified)
    }
}
