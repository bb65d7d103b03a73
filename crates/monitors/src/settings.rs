//! Settings as JSON objects: merging changes, and separating and sealing secrets.

use domain::field::FieldInfo;
use secrets::{OpenError, Sealer, SecretContext};
use serde_json::Value;
use uuid::Uuid;

/// Settings of a kind, by the names of their fields.
pub type SettingsMap = serde_json::Map<String, Value>;

/// Settings as a row of `services` holds them.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSettings {
    /// The settings that every reader of the service may see.
    pub settings: Value,
    /// The sealed secrets; `None` if none is set.
    pub secrets: Option<Vec<u8>>,
}

/// Why stored settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// No kind has this id: the row was written by a newer version.
    #[error("the kind {0:?} is unknown to this version")]
    UnknownKind(String),
    /// The settings do not fit their kind.
    #[error("the settings do not fit their kind: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// The secrets cannot be opened.
    #[error("the secrets of this service cannot be opened: {0}")]
    Sealed(#[from] OpenError),
}

/// Returns the place to which the secrets of the service `id` are sealed.
#[must_use]
pub const fn secret_context(id: Uuid) -> SecretContext<'static> {
    SecretContext {
        table: "services",
        row: id,
        field: "secrets",
    }
}

/// Splits settings into public and secret ones.
pub(crate) fn split(fields: &[FieldInfo], all: SettingsMap) -> (SettingsMap, SettingsMap) {
    let is_secret = |name: &str| {
        fields
            .iter()
            .any(|field| field.name == name && field.is_secret())
    };
    let is_set = |value: &Value| !value.is_null() && value != "";
    all.into_iter()
        .filter(|(name, value)| !is_secret(name) || is_set(value))
        .partition(|(name, _)| !is_secret(name))
}

/// Applies a change: absent fields keep their value, null resets a field to its default.
pub(crate) fn merge(mut settings: SettingsMap, change: SettingsMap) -> SettingsMap {
    for (name, value) in change {
        if value.is_null() {
            settings.remove(&name);
        } else {
            settings.insert(name, value);
        }
    }
    settings
}

/// Converts the settings of the service `id` to what is stored, with sealed secrets.
pub(crate) fn seal(
    fields: &[FieldInfo],
    all: SettingsMap,
    id: Uuid,
    sealer: &Sealer,
) -> StoredSettings {
    let (settings, secrets) = split(fields, all);
    let sealed = || {
        let json = Value::Object(secrets.clone()).to_string();
        sealer.seal(&secret_context(id), json.as_bytes())
    };
    StoredSettings {
        settings: settings.into(),
        secrets: (!secrets.is_empty()).then(sealed),
    }
}

/// Returns the settings of the service `id`, secrets included.
pub(crate) fn open(
    stored: StoredSettings,
    id: Uuid,
    sealer: &Sealer,
) -> Result<SettingsMap, SettingsError> {
    let mut settings: SettingsMap = serde_json::from_value(stored.settings)?;
    if let Some(sealed) = stored.secrets {
        let opened = sealer.open(&secret_context(id), &sealed)?;
        settings.extend(serde_json::from_slice::<SettingsMap>(&opened)?);
    }
    Ok(settings)
}

#[cfg(test)]
mod tests;
