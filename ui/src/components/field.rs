//! Form fields.

use dioxus::prelude::*;

/// A controlled text or number field with a label, a hint, and its error.
#[component]
pub fn Field(
    /// The name of the API's input field, under which errors are reported.
    name: String,
    label: String,
    value: String,
    oninput: EventHandler<String>,
    error: Option<String>,
    hint: Option<String>,
    /// Shown after the input: `ms`, `s`.
    unit: Option<String>,
    placeholder: Option<String>,
    #[props(default = "text".to_owned())] kind: String,
    inputmode: Option<String>,
    /// Suggestions.
    options: Option<Vec<String>>,
    #[props(default)] autofocus: bool,
    #[props(default)] required: bool,
    maxlength: Option<usize>,
) -> Element {
    let id = format!("field-{name}");
    let (hint_id, error_id, list_id) = (
        format!("{id}-hint"),
        format!("{id}-error"),
        format!("{id}-list"),
    );
    let described = match (&error, &hint) {
        (Some(_), _) => Some(error_id.clone()),
        (None, Some(_)) => Some(hint_id.clone()),
        (None, None) => None,
    };
    rsx! {
        div { class: if error.is_some() { "field wrong" } else { "field" },
            label { r#for: "{id}", "{label}" }
            div { class: "input",
                input {
                    id: "{id}",
                    name: "{name}",
                    r#type: "{kind}",
                    value: "{value}",
                    placeholder,
                    inputmode,
                    maxlength: maxlength.map(|length| length.to_string()),
                    required,
                    autocomplete: "off",
                    "autocapitalize": "off",
                    spellcheck: "false",
                    "aria-invalid": error.is_some().then_some("true"),
                    "aria-describedby": described,
                    list: options.as_ref().map(|_| list_id.clone()),
                    onmounted: move |element| async move {
                        if autofocus {
                            let _ = element.set_focus(true).await;
                        }
                    },
                    oninput: move |event| oninput.call(event.value()),
                }
                if let Some(unit) = &unit {
                    span { class: "unit", "{unit}" }
                }
            }
            if let Some(options) = &options {
                datalist { id: "{list_id}",
                    for option in options {
                        option { key: "{option}", value: "{option}" }
                    }
                }
            }
            if let Some(error) = &error {
                p { class: "error", id: "{error_id}", "{error}" }
            } else if let Some(hint) = &hint {
                p { class: "hint", id: "{hint_id}", "{hint}" }
            }
        }
    }
}

/// A select element without a visible label.
#[component]
pub fn Select(
    label: String,
    /// The value and the label of each option.
    options: Vec<(String, String)>,
    value: String,
    onchange: EventHandler<String>,
) -> Element {
    rsx! {
        select {
            "aria-label": "{label}",
            value: "{value}",
            onchange: move |event| onchange.call(event.value()),
            for (key , text) in &options {
                option { key: "{key}", value: "{key}", selected: *key == value, "{text}" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_replaces_the_hint_and_describes_the_field() {
        fn form() -> Element {
            rsx! {
                Field { name: "url", label: "Address", value: "x", oninput: |_| {}, error: "has no host", hint: "Where to look" }
            }
        }
        let mut dom = VirtualDom::new(form);
        dom.rebuild_in_place();
        let html = dioxus_ssr::render(&dom);
        assert!(
            html.contains("has no host") && !html.contains("Where to look"),
            "{html}"
        );
        assert!(
            html.contains("field-url-error\">") || html.contains("id=\"field-url-error\""),
            "{html}"
        );
        assert!(html.contains("aria-invalid"), "{html}");
    }
}
