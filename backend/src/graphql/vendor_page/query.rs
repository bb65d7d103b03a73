//! The query for the catalogue.

use super::catalogue::CatalogueEntry;
use crate::graphql::limits::page;
use crate::graphql::request_context::request_context;
use crate::use_cases::Error;
use async_graphql::{Context, Object, Result};
use vendor_pages::catalogue::Catalogue;

/// Maximum number of entries per request.
const MAX_ENTRIES: i32 = 50;

#[derive(Default)]
pub(crate) struct VendorPageQuery;

#[Object]
impl VendorPageQuery {
    /// Well-known services with a vendor page, matched as you type, the most likely first; empty
    /// for an empty search.
    #[graphql(complexity = "page(first.unwrap_or(10), child_complexity)")]
    async fn vendor_page_catalogue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Start of the service's name or of another name for it.")] search: String,
        #[graphql(
            desc = "Number of entries to return, 1 to 50.",
            default_with = "Some(10)"
        )]
        first: Option<i32>,
    ) -> Result<Vec<CatalogueEntry>> {
        request_context(ctx).viewer()?;
        let first = first.unwrap_or(10);
        let limit = usize::try_from(first)
            .ok()
            .filter(|_| (1..=MAX_ENTRIES).contains(&first));
        let out_of_range = || {
            Error::field(
                "first",
                format!("is {first}, must be between 1 and {MAX_ENTRIES}"),
            )
        };
        let found = Catalogue::built_in().search(&search, limit.ok_or_else(out_of_range)?);
        Ok(found.into_iter().map(CatalogueEntry::from).collect())
    }
}
