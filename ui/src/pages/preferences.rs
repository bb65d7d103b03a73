//! The settings that are saved in the browser: theme, time zone, language of dates, desktop
//! notifications.

use crate::{
    browser,
    components::Select,
    pages::split::LIST_WIDTH,
    store::{DESKTOP_NOTIFICATIONS, use_store},
};
use dioxus::prelude::*;

const THEME: &str = "theme";
const ZONE: &str = "zone";
const LOCALE: &str = "locale";

const THEMES: [(Option<&str>, &str); 3] = [
    (None, "System"),
    (Some("light"), "Light"),
    (Some("dark"), "Dark"),
];

/// Languages that are offered besides the browser's own. They differ in how dates and times are
/// written.
const LOCALES: [(&str, &str); 6] = [
    ("en-GB", "English (United Kingdom)"),
    ("en-US", "English (United States)"),
    ("de-DE", "Deutsch"),
    ("fr-FR", "Français"),
    ("es-ES", "Español"),
    ("sv-SE", "Svenska"),
];

/// Applies the saved settings. The theme is applied earlier, by a script before the first paint.
pub(crate) fn apply() {
    browser::set_zone(
        browser::load_setting(ZONE).as_deref(),
        browser::load_setting(LOCALE).as_deref(),
    );
    if let Some(percent) =
        browser::load_setting(LIST_WIDTH).and_then(|percent| percent.parse().ok())
    {
        browser::set_list_width(percent);
    }
}

/// Sets and saves the theme; `None` follows the system.
pub(crate) fn set_theme(theme: Option<&str>) {
    browser::save_setting(THEME, theme);
    browser::set_theme(theme);
}

#[component]
pub(crate) fn Preferences() -> Element {
    rsx! {
        section { class: "card", "aria-label": "Appearance",
            h2 { "Appearance" }
            Theme {}
        }
        section { class: "card", "aria-label": "Date and time",
            h2 { "Date and time" }
            Times {}
        }
        section { class: "card", "aria-label": "Notifications",
            h2 { "Notifications" }
            Notifications {}
        }
    }
}

#[component]
fn Theme() -> Element {
    let mut theme = use_signal(|| browser::load_setting(THEME));
    rsx! {
        div { class: "segments", role: "group", "aria-label": "Theme",
            for (value , label) in THEMES {
                button {
                    key: "{label}",
                    r#type: "button",
                    "aria-pressed": if theme.read().as_deref() == value { "true" } else { "false" },
                    onclick: move |_| {
                        set_theme(value);
                        theme.set(value.map(str::to_owned));
                    },
                    {label}
                }
            }
        }
    }
}

#[component]
fn Times() -> Element {
    let mut store = use_store();
    let mut chosen =
        use_signal(|| [ZONE, LOCALE].map(|name| browser::load_setting(name).unwrap_or_default()));
    let mut choose = move |index: usize, value: String| {
        let name = [ZONE, LOCALE][index];
        browser::save_setting(name, Some(value.as_str()).filter(|value| !value.is_empty()));
        chosen.write()[index] = value;
        apply();
        store.zone_revision += 1;
    };
    let time_zones = std::iter::once((String::new(), "Browser's time zone".to_owned()))
        .chain(
            browser::time_zones()
                .into_iter()
                .map(|zone| (zone.clone(), zone.replace('_', " "))),
        )
        .collect::<Vec<_>>();
    let mut locales = vec![(String::new(), "Browser's language".to_owned())];
    let known = LOCALES
        .iter()
        .map(|(key, name)| ((*key).to_owned(), (*name).to_owned()));
    let preferred = browser::locales()
        .into_iter()
        .map(|locale| (locale.clone(), locale));
    for locale in known.chain(preferred) {
        if !locales.iter().any(|(key, _)| *key == locale.0) {
            locales.push(locale);
        }
    }
    let [zone, locale] = chosen.read().clone();
    rsx! {
        p { class: "dim", "Current time: {browser::local_time((store.clock)(), browser::TimeStyle::Exact)}" }
        div { class: "tools",
            Select { label: "Time zone", options: time_zones, value: zone, onchange: move |zone| choose(0, zone) }
            Select { label: "Language of dates", options: locales, value: locale, onchange: move |locale| choose(1, locale) }
        }
    }
}

#[component]
fn Notifications() -> Element {
    let store = use_store();
    let mut on = use_signal(|| browser::load_setting(DESKTOP_NOTIFICATIONS).is_some());
    rsx! {
        label { class: "check",
            input {
                r#type: "checkbox",
                checked: on(),
                onchange: move |event| async move {
                    let wanted = event.checked();
                    // Set at once: if the permission is denied, the change back to false has to be
                    // a change.
                    on.set(wanted);
                    let granted = wanted && browser::request_notification_permission().await;
                    browser::save_setting(DESKTOP_NOTIFICATIONS, granted.then_some("on"));
                    on.set(granted);
                    if wanted && !granted {
                        store.toasts.failure("Notifications are blocked. Allow them in this site's browser settings.");
                    }
                },
            }
            "Show a desktop notification when a service changes status, while PulseCheck is open"
        }
    }
}
