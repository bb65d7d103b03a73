//! Entries of the catalogue of well-known services.

use async_graphql::SimpleObject;
use vendor_pages::catalogue::Entry;

/// A well-known service.
#[derive(SimpleObject, Debug)]
pub(crate) struct CatalogueEntry {
    /// Name.
    name: String,
    /// Other names.
    aliases: Vec<String>,
    /// URL of its vendor page for people, to be passed to `discoverVendorPage`.
    url: String,
    /// Software that publishes the page, if known.
    provider: Option<String>,
}

impl From<&Entry> for CatalogueEntry {
    fn from(entry: &Entry) -> Self {
        Self {
            name: entry.name.to_owned(),
            aliases: entry
                .aliases
                .iter()
                .map(|alias| (*alias).to_owned())
                .collect(),
            url: entry.url.to_owned(),
            provider: entry.provider.map(str::to_owned),
        }
    }
}
