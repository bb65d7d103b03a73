//! A vendor's page that several services follow, and what one service follows of it.

use serde::{Deserialize, Serialize};

/// Which page is read and which of its components are followed. The page and the chosen components
/// are rows of their own, because all who follow the page share it: none of this is stored with a
/// service's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SharedPage {
    /// The page for people.
    pub url: Option<String>,
    /// The JSON URLs that discovery found.
    pub api_urls: Vec<String>,
    /// The JSON URLs that were given by hand; never both.
    pub user_defined_urls: Vec<String>,
    /// The vendor's ids of the components to follow.
    pub component_ids: Vec<String>,
}

impl SharedPage {
    /// The URLs that are read, and the field that they were given in.
    #[must_use]
    pub fn read_urls(&self) -> (&'static str, &[String]) {
        if self.is_user_defined() {
            ("userDefinedUrls", &self.user_defined_urls)
        } else {
            ("apiUrls", &self.api_urls)
        }
    }

    /// Whether the URLs were given by hand.
    #[must_use]
    pub fn is_user_defined(&self) -> bool {
        self.api_urls.is_empty()
    }
}
