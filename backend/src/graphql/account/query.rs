//! The query for sign-in options.

use super::object::{SignInOptions, SignInProvider, find_auth};
use async_graphql::{Context, Object};

#[derive(Default)]
pub(crate) struct AccountQuery;

#[Object]
impl AccountQuery {
    /// Ways to sign in. Available without signing in.
    async fn sign_in_options(&self, ctx: &Context<'_>) -> SignInOptions {
        let Some(auth) = find_auth(ctx) else {
            return SignInOptions::default();
        };
        let providers = auth.providers().all().map(|provider| SignInProvider {
            id: provider.id().to_owned(),
            name: provider.name().to_owned(),
            url: provider.path(),
        });
        SignInOptions {
            providers: providers.collect(),
            local: auth.local_links(),
        }
    }
}
