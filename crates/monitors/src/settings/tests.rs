//! Settings with a secret, of a kind that exists here only.
#![allow(clippy::unwrap_used)]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "the list makes more than these tests use"
)]

use crate::{Kind, KindInfo, Schedule, SettingsError, SettingsMap, StoredSettings};
use domain::field::{FieldInfo, FieldType};
use domain::service::FieldError;
use secrets::{OpenError, Sealer};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// A door that opens with a password.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject))]
pub struct Door {
    host: String,
    #[cfg_attr(feature = "graphql", graphql(skip))]
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

impl Kind for Door {
    const INFO: KindInfo = KindInfo {
        name: "Door",
        description: "Knocks.",
        input_type: "DoorInput",
        fields: &[
            FieldInfo::new("host", "Host", FieldType::Host).required(),
            FieldInfo::new("password", "Password", FieldType::Secret),
        ],
        schedule: Schedule::Every,
        min_interval_seconds: 0,
        confirmations: 2,
    };

    fn normalize(&mut self) -> Vec<FieldError> {
        Vec::new()
    }
}

crate::list::enums![door: Door];

const ID: Uuid = Uuid::from_u128(7);

fn sealer() -> Sealer {
    Sealer::new("0123456789abcdef0123456789abcdef", None)
}

fn map(value: serde_json::Value) -> SettingsMap {
    serde_json::from_value(value).unwrap()
}

fn door(settings: serde_json::Value) -> Monitor {
    MonitorKind::Door.empty().merge(map(settings)).unwrap()
}

#[test]
fn secrets_are_sealed_apart_and_come_back() {
    let monitor = door(json!({ "host": "door.test", "password": "hunter2" }));
    let stored = monitor.seal(ID, &sealer());
    assert_eq!(stored.settings, json!({ "host": "door.test" }));
    let sealed = stored.secrets.clone().unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("hunter2"));
    assert_eq!(
        Monitor::open("door", ID, stored, &sealer()).unwrap(),
        monitor
    );
    let (readable, secret) = monitor.split();
    assert_eq!(readable, map(json!({ "host": "door.test" })));
    assert_eq!(secret.keys().collect::<Vec<_>>(), ["password"]);
}

#[test]
fn without_a_secret_nothing_is_sealed() {
    for password in [json!(null), json!("")] {
        let monitor = door(json!({ "host": "door.test", "password": password }));
        assert_eq!(monitor.seal(ID, &sealer()).secrets, None, "{password}");
    }
}

#[test]
fn a_change_keeps_what_it_does_not_name() {
    let monitor = door(json!({ "host": "door.test", "password": "hunter2" }));
    let moved = monitor.merge(map(json!({ "host": "gate.test" }))).unwrap();
    assert_eq!(
        moved,
        door(json!({ "host": "gate.test", "password": "hunter2" }))
    );
    let open = monitor.merge(map(json!({ "password": null }))).unwrap();
    assert_eq!(open, door(json!({ "host": "door.test" })));
}

#[test]
fn secrets_of_another_row_or_key_do_not_open() {
    let stored = door(json!({ "password": "hunter2" })).seal(ID, &sealer());
    let error = |id, stored: &StoredSettings, sealer: &Sealer| match Monitor::open(
        "door",
        id,
        stored.clone(),
        sealer,
    ) {
        Err(SettingsError::Sealed(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        error(Uuid::from_u128(8), &stored, &sealer()),
        OpenError::Corrupt
    );
    let another = Sealer::new("fedcba9876543210fedcba9876543210", None);
    assert_eq!(error(ID, &stored, &another), OpenError::UnknownKey);
}

#[test]
fn an_unknown_kind_is_refused() {
    let stored = door(json!({})).seal(ID, &sealer());
    let error = Monitor::open("window", ID, stored, &sealer()).unwrap_err();
    assert!(matches!(error, SettingsError::UnknownKind(kind) if kind == "window"));
}

/// Every real kind: its fields are those of its settings, by the same names. A field that is not
/// stored has its documented default, and another value changes the settings.
#[test]
fn the_fields_of_each_kind_are_its_settings() {
    for kind in crate::MonitorKind::ALL {
        let (info, empty) = (kind.info(), kind.empty());
        let settings = empty.settings();
        let names: Vec<_> = info.fields.iter().map(|field| field.name).collect();
        for name in settings.keys() {
            assert!(names.contains(&name.as_str()), "{}: {name}", info.name);
        }
        for field in info.fields {
            let with = |text: &str| {
                let value = match field.field_type {
                    FieldType::Integer => json!(text.parse::<i64>().unwrap()),
                    _ => json!(text),
                };
                let change = [(field.name.to_owned(), value)];
                empty.merge(change.into_iter().collect()).unwrap()
            };
            match (settings.get(field.name), field.default) {
                (Some(value), Some(default)) => {
                    let text = value.as_str().map_or(value.to_string(), str::to_owned);
                    assert_eq!(text, default, "{}", field.name);
                }
                (Some(_), None) => {}
                (None, default) => {
                    let default = default.expect("what is not stored has a default");
                    assert_eq!(with(default), empty, "{}", field.name);
                    let other = field.options.last().copied().unwrap_or("1");
                    assert_ne!(with(other), empty, "{}", field.name);
                }
            }
        }
    }
}
