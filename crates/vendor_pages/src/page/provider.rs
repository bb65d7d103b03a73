//! The known providers, each in a file of its own: whether an answer is its, and what it says.
//!
//! To add one: write its file with a `PROVIDER`, and put its name into the list.

use super::draft::Draft;
use super::feed::Feed;
use super::json::Json;
use url::Url;

/// Whose software makes vendor pages.
pub(crate) struct Provider {
    /// Its name.
    pub(crate) name: &'static str,
    /// Where a page of its answers, from the root of the page: all are asked, and what is not there is left out.
    /// Those without `/` at the start also from the folder of the address that was given. `{host}` is the page's host,
    /// `{label}` the part of it that is the vendor's own.
    pub(crate) paths: &'static [&'static str],
    /// Where the answers of a page are that only its HTML tells.
    pub(crate) hint: Option<fn(html: &str) -> Option<String>>,
    /// What an answer says; `None` if it is another's, an error in words if it is this provider's and yet says
    /// nothing.
    pub(crate) read: fn(&Answer<'_>) -> Option<Result<Draft, String>>,
}

/// An answer, as far as it can be read without knowing whose it is.
pub(crate) struct Answer<'a> {
    /// Where it came from.
    pub(crate) address: &'a Url,
    pub(crate) content: Content<'a>,
}

pub(crate) enum Content<'a> {
    Json(Json<'a>),
    Feed(Feed),
}

impl<'a> Answer<'a> {
    pub(crate) fn json(&self) -> Option<&Json<'a>> {
        if let Content::Json(json) = &self.content {
            Some(json)
        } else {
            None
        }
    }

    pub(crate) fn feed(&self) -> Option<&Feed> {
        if let Content::Feed(feed) = &self.content {
            Some(feed)
        } else {
            None
        }
    }

    /// The last part of the address's path.
    pub(crate) fn file(&self) -> &str {
        self.address
            .path_segments()
            .and_then(|mut parts| parts.rfind(|part| !part.is_empty()))
            .unwrap_or_default()
    }

    /// The page at the root of the address.
    pub(crate) fn root(&self) -> Option<String> {
        super::text::address("/", self.address)
    }
}

macro_rules! providers {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*
        /// All of them: the richer before the poorer where a page answers in two shapes, the particular before the
        /// general where an answer could be taken for either's.
        pub(crate) static PROVIDERS: &[Provider] = &[$($name::PROVIDER),*];
    };
}

providers![
    incident_io,
    instatus,
    atlassian,
    better_stack,
    status_io,
    statuspal,
    cachet_3,
    cachet_2,
    slack,
    google,
    aws,
    heroku,
    status_iq,
    azure,
];
