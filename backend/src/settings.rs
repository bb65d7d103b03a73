//! What the API is given: connections, and the settings of the operator.

use crate::auth::SignUp;
use crate::auth::provider::ProviderSettings;
use crate::rates::Limits;
use coordination::Coordination;
use ipnet::IpNet;
use monitors::Prober;
use net::Fetcher;
use sea_orm::DatabaseConnection;
use std::fmt;
use url::Url;

/// Dependencies of the API.
#[derive(Debug)]
pub struct ApiDependencies {
    /// The database, with the schema of this version.
    pub db: DatabaseConnection,
    /// Latest statuses, due queue and events.
    pub live: Coordination,
    /// Tests services before they are created.
    pub prober: Prober,
    /// Finds and reads vendor pages.
    pub fetcher: Fetcher,
    /// Settings of the operator.
    pub settings: Settings,
}

/// Settings of the operator.
#[derive(Clone)]
pub struct Settings {
    /// URL under which browsers reach this server: scheme, host and port.
    pub public_url: Url,
    /// Key that signs access tokens; at least 32 characters, the same in every process.
    pub secret_key: String,
    /// Previous key, whose tokens are still accepted.
    pub previous_secret_key: Option<String>,
    /// Whether one-time sign-in links work.
    pub local_login: bool,
    /// Who may create an account.
    pub sign_up: SignUp,
    /// Shortest check interval that users may choose, in seconds.
    pub min_interval_seconds: i32,
    /// Maximum number of services in a workspace.
    pub max_services_per_workspace: u32,
    /// Whether everybody may query `system`, and not only the operators.
    pub system_for_all: bool,
    /// Sign-in providers.
    pub providers: ProviderSettings,
    /// Rate limits.
    pub rates: Limits,
    /// Reverse proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
}

impl Settings {
    /// Default settings, without any way to sign in.
    #[must_use]
    pub fn new(public_url: Url, secret_key: String) -> Self {
        Self {
            public_url,
            secret_key,
            previous_secret_key: None,
            local_login: false,
            sign_up: SignUp::nobody(),
            min_interval_seconds: 10,
            max_services_per_workspace: 2_000,
            system_for_all: false,
            providers: ProviderSettings::default(),
            rates: Limits::default(),
            trusted_proxies: Vec::new(),
        }
    }
}

impl fmt::Debug for Settings {
    /// Leaves out the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut settings = f.debug_struct("Settings");
        settings
            .field("public_url", &self.public_url.as_str())
            .field("local_login", &self.local_login);
        settings.finish_non_exhaustive()
    }
}
