//! The text fields of the form, and those of a monitor kind's settings.

use super::{
    draft::{Draft, TextField},
    state::FormState,
};
use crate::{api::FieldInfo, components::Field, format};
use dioxus::prelude::*;

/// Renders a field that every service has.
pub(super) fn render_field(
    mut form: FormState,
    typed: &Draft,
    field: &'static TextField,
    min_interval: i32,
) -> Element {
    let hint = match field.name {
        "checkIntervalSeconds" => Some(format!("At least {}.", format::interval(min_interval))),
        _ => field.hint.map(str::to_owned),
    };
    rsx! {
        Field {
            key: "{field.name}",
            name: field.name,
            label: field.label,
            unit: field.unit.map(str::to_owned),
            inputmode: field.inputmode.map(str::to_owned),
            placeholder: field.placeholder.map(str::to_owned),
            hint,
            value: (field.get)(typed).clone(),
            error: form.error(field.name),
            maxlength: field.maxlength,
            options: (field.name == "category").then(|| form.categories()),
            oninput: move |value: String| form.edit(|draft| draft.set_text(field, value)),
        }
    }
}

/// Renders a field of the settings of the chosen kind.
pub(super) fn render_setting(
    mut form: FormState,
    typed: &Draft,
    info: &FieldInfo,
    autofocus: bool,
) -> Element {
    let name = info.name.clone();
    let stored = typed.secrets_set.contains(&info.name);
    let placeholder = if stored {
        Some("set; leave empty to keep it")
    } else {
        placeholder(&info.field_type)
    };
    rsx! {
        Field {
            key: "{info.name}",
            name: info.name.clone(),
            label: info.label.clone(),
            kind: if info.secret { "password" } else { "text" },
            inputmode: inputmode(&info.field_type).map(str::to_owned),
            placeholder: placeholder.map(str::to_owned),
            hint: typed.scheme_hint(info).or_else(|| info.help.clone().filter(|_| !autofocus)),
            value: typed.setting(&info.name).to_owned(),
            error: form.error(&info.name),
            options: info.options.clone(),
            autofocus,
            oninput: move |value: String| form.edit(|draft| draft.set_setting(&name, value)),
        }
    }
}

/// Returns the keyboard for a type of field.
fn inputmode(field_type: &str) -> Option<&'static str> {
    match field_type {
        "url" => Some("url"),
        "integer" | "port" | "seconds" => Some("numeric"),
        "number" => Some("decimal"),
        _ => None,
    }
}

/// Returns an example of a type of field.
fn placeholder(field_type: &str) -> Option<&'static str> {
    match field_type {
        "url" => Some("https://example.com/health"),
        "host" => Some("example.com"),
        _ => None,
    }
}
