//! Components of a vendor's own page, as the vendor reports them. The page is read once for all
//! services that follow it, so nothing is checked for one service alone.

use crate::{Kind, KindInfo, Schedule, SharedPage};
use domain::field::{FieldInfo, FieldType};
use domain::service::{FieldError, address};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Maximum number of components that a service follows.
const MAX_FOLLOWED: usize = 500;

/// Maximum number of JSON URLs of a page.
const MAX_API_URLS: usize = 10;

/// The settings: a vendor page and the followed components.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VendorPage(pub SharedPage);

impl Kind for VendorPage {
    const INFO: KindInfo = KindInfo {
        name: "Vendor page",
        description: "Reads components of a vendor's own page, as the vendor reports them.",
        input_type: "VendorPageInput",
        fields: &[
            FieldInfo::new("url", "Address of the page", FieldType::Url)
                .help("The page for people; by default what the page says itself."),
            FieldInfo::new("apiUrls", "JSON addresses that were found", FieldType::List)
                .help("The apiUrls of discoverVendorPage."),
            FieldInfo::new(
                "userDefinedUrls",
                "JSON addresses given by hand",
                FieldType::List,
            )
            .help("The apiUrls of validateVendorPageUrls, instead of those that were found."),
            FieldInfo::new("componentIds", "Components", FieldType::Components)
                .help("The components to follow, 1 to 500.")
                .required(),
        ],
        schedule: Schedule::Shared,
        // A page is fetched at most once a minute, however many services follow it.
        min_interval_seconds: 60,
        // The vendor's report needs no confirmation.
        confirmations: 1,
    };

    fn normalize(&mut self) -> Vec<FieldError> {
        let page = &mut self.0;
        let mut errors = Vec::new();
        page.url = page.url.take().filter(|url| !url.trim().is_empty());
        if let Some(url) = &mut page.url {
            match address("url", url.trim()) {
                Ok(valid) => *url = valid,
                Err(error) => errors.push(error),
            }
        }
        let (field, given) = page.read_urls();
        if !page.api_urls.is_empty() && !page.user_defined_urls.is_empty() {
            errors.push(FieldError::new(
                "userDefinedUrls",
                "must be empty when there are apiUrls: a page is either discovered or given by hand",
            ));
        } else if given.is_empty() {
            errors.push(FieldError::new(
                "apiUrls",
                "give the addresses that discoverVendorPage found, or your own as userDefinedUrls",
            ));
        } else if given.len() > MAX_API_URLS {
            let message = format!(
                "has {} addresses, at most {MAX_API_URLS} are read",
                given.len()
            );
            errors.push(FieldError::new(field, message));
        }
        let count = page.component_ids.iter().collect::<HashSet<_>>().len();
        if count == 0 {
            errors.push(FieldError::new(
                "componentIds",
                "choose one component or more",
            ));
        } else if count > MAX_FOLLOWED {
            let message = format!(
                "has {count} components, at most {MAX_FOLLOWED} can be followed by one service"
            );
            errors.push(FieldError::new("componentIds", message));
        }
        errors
    }

    fn shared_page(&self) -> Option<&SharedPage> {
        Some(&self.0)
    }
}

#[cfg(feature = "graphql")]
mod graphql {
    use super::VendorPage;
    use async_graphql::Object;

    /// Settings of a service that follows components of a vendor's page.
    #[Object(name = "VendorPageMonitor")]
    impl VendorPage {
        /// The vendor's page for people.
        async fn url(&self) -> Option<&str> {
            self.0.url.as_deref()
        }

        /// JSON URLs that are read.
        async fn api_urls(&self) -> &[String] {
            self.0.read_urls().1
        }

        /// Ids of the followed components, in the order in which they were chosen.
        async fn component_ids(&self) -> &[String] {
            &self.0.component_ids
        }
    }
}
