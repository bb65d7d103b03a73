//! Loads and changes the settings of a service's monitor. They come from the service's row and from
//! the rows that it shares with other services.

use super::{Error, Result, UseCases};
use domain::service::FieldError;
use entity::sql::in_ids;
use entity::{service, service_component, vendor_page};
use monitors::{Monitor, MonitorKind, SettingsError, SettingsMap, StoredSettings};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

impl UseCases {
    /// Returns the monitors of services, with all their settings.
    ///
    /// # Errors
    /// When the database fails, or settings are unusable.
    pub async fn monitors(
        &self,
        services: &[Arc<service::Model>],
    ) -> Result<HashMap<Uuid, Monitor>> {
        let following = services
            .iter()
            .filter(|service| service.vendor_page_id.is_some());
        let mut shared = load_shared_settings(&self.db, following.map(Arc::as_ref)).await?;
        let mut monitors = HashMap::with_capacity(services.len());
        for service in services {
            let shared = shared.remove(&service.id).unwrap_or_default();
            let monitor = self.own_monitor(service)?.merge(shared)?;
            monitors.insert(service.id, monitor);
        }
        Ok(monitors)
    }

    /// Returns the monitor of one service, with all its settings.
    ///
    /// # Errors
    /// When the database fails, or the settings are unusable.
    pub(super) async fn monitor(
        &self,
        db: &impl ConnectionTrait,
        service: &service::Model,
    ) -> Result<Monitor> {
        let following = service.vendor_page_id.is_some().then_some(service);
        let mut shared = load_shared_settings(db, following.into_iter()).await?;
        let shared = shared.remove(&service.id).unwrap_or_default();
        Ok(self.own_monitor(service)?.merge(shared)?)
    }

    /// Returns the monitor of a service without shared settings. Secrets that cannot be opened count
    /// as not set: the worker reports them, and the user can enter them again.
    ///
    /// # Errors
    /// When the settings are unusable.
    pub fn own_monitor(&self, service: &service::Model) -> Result<Monitor> {
        match self.open(service, service.secrets.clone()) {
            Err(SettingsError::Sealed(_)) => Ok(self.open(service, None)?),
            opened => Ok(opened?),
        }
    }

    /// Returns whether a service has secrets that cannot be opened with the present keys.
    ///
    /// # Errors
    /// When the settings are unusable.
    pub(super) fn has_lost_secrets(&self, service: &service::Model) -> Result<bool> {
        match self.open(service, service.secrets.clone()) {
            Err(SettingsError::Sealed(_)) => Ok(true),
            opened => Ok(opened.map(|_| false)?),
        }
    }

    fn open(
        &self,
        service: &service::Model,
        secrets: Option<Vec<u8>>,
    ) -> std::result::Result<Monitor, SettingsError> {
        let stored = StoredSettings {
            settings: service.settings.clone(),
            secrets,
        };
        Monitor::open(&service.kind, service.id, stored, &self.sealer)
    }
}

/// Loads the settings that are not in the service's row: its vendor page, and the components that it
/// follows.
async fn load_shared_settings<'a>(
    db: &impl ConnectionTrait,
    services: impl Iterator<Item = &'a service::Model>,
) -> Result<HashMap<Uuid, SettingsMap>> {
    let services: Vec<_> = services.collect();
    if services.is_empty() {
        return Ok(HashMap::new());
    }
    let page_ids = services.iter().filter_map(|service| service.vendor_page_id);
    let pages = vendor_page::Entity::find()
        .filter(in_ids(db, vendor_page::Column::Id, page_ids))
        .all(db)
        .await?;
    let pages: HashMap<_, _> = pages.into_iter().map(|page| (page.id, page)).collect();
    let ids = services.iter().map(|service| service.id);
    let followed = service_component::Entity::find()
        .filter(in_ids(db, service_component::Column::ServiceId, ids))
        .order_by_asc(service_component::Column::Position)
        .all(db)
        .await?;
    let mut components: HashMap<Uuid, Vec<String>> = HashMap::new();
    for one in followed {
        let ids = components.entry(one.service_id).or_default();
        ids.push(one.component_id);
    }
    let settings = services.into_iter().filter_map(|service| {
        let page = pages.get(&service.vendor_page_id?)?;
        let urls = if page.user_defined {
            "userDefinedUrls"
        } else {
            "apiUrls"
        };
        let shared = [
            ("url", json!(service.vendor_page_url)),
            (urls, page.api_urls.clone()),
            (
                "componentIds",
                json!(components.remove(&service.id).unwrap_or_default()),
            ),
        ];
        let shared = shared.map(|(name, value)| (name.to_owned(), value));
        Some((service.id, shared.into_iter().collect()))
    });
    Ok(settings.collect())
}

/// Returns the target of a service in one line for people: a URL or a host.
pub(crate) fn target(service: &service::Model) -> Option<String> {
    let stored = serde_json::from_value(service.settings.clone()).ok()?;
    let kind = MonitorKind::from_id(&service.kind).ok()?;
    Monitor::from_settings(kind, stored).ok()?.target()
}

/// Applies changed settings to `old`. Adds an error for each setting that cannot be changed.
pub(super) fn apply_change(
    old: &Monitor,
    kind: MonitorKind,
    settings: SettingsMap,
    errors: &mut Vec<FieldError>,
) -> Result<Monitor> {
    if kind != old.kind() {
        let name = old.kind().info().name;
        let message =
            format!("is of another kind: this service stays a {name}, add a new one instead");
        errors.push(FieldError::new("monitor", message));
        return Ok(old.clone());
    }
    let new = old.merge(settings)?;
    if let (Some(before), Some(after)) = (old.shared_page(), new.shared_page())
        && before.read_urls() != after.read_urls()
    {
        let message = "cannot be changed: add a new service to follow another page";
        errors.push(FieldError::new(after.read_urls().0, message));
    }
    Ok(new)
}

impl From<SettingsError> for Error {
    /// Stored settings that cannot be used are a fault of the installation, like one of the database.
    fn from(error: SettingsError) -> Self {
        DbErr::Custom(error.to_string()).into()
    }
}
