//! A vendor page that services share, and the components that one of them follows.

use serde::{Deserialize, Serialize};

/// A vendor page and the followed components. Not stored with a service's settings: all followers
/// share the row of the page, and the components are rows of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SharedPage {
    /// The page for people.
    pub url: Option<String>,
    /// The JSON URLs that discovery found.
    pub api_urls: Vec<String>,
    /// The JSON URLs that the user entered; empty if there are discovered ones.
    pub user_defined_urls: Vec<String>,
    /// The vendor's ids of the components to follow.
    pub component_ids: Vec<String>,
}

impl SharedPage {
    /// Returns the URLs that are read, and the name of their field.
    #[must_use]
    pub fn read_urls(&self) -> (&'static str, &[String]) {
        if self.is_user_defined() {
            ("userDefinedUrls", &self.user_defined_urls)
        } else {
            ("apiUrls", &self.api_urls)
        }
    }

    /// Whether the user entered the URLs.
    #[must_use]
    pub fn is_user_defined(&self) -> bool {
        self.api_urls.is_empty()
    }
}
