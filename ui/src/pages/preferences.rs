//! What one chooses for this browser alone: theme, time zone, language, messages on the desktop.

use crate::{
    browser,
    components::Choice,
    store::{NOTIFY, use_store},
};
use dioxus::prelude::*;

const THEME: &str = "theme";
const ZONE: &str = "zone";
const LOCALE: &str = "locale";

const THEMES: [(Option<&str>, &str); 3] = [
    (None, "As the system"),
    (Some("light"), "Light"),
    (Some("dark"), "Dark"),
];

/// Languages that are offered besides those that the browser prefers: they differ in how dates and times are written.
const LOCALES: [(&str, &str); 6] = [
    ("en-GB", "English (United Kingdom)"),
    ("en-US", "English (United States)"),
    ("de-DE", "Deutsch"),
    ("fr-FR", "Français"),
    ("es-ES", "Español"),
    ("sv-SE", "Svenska"),
];

/// Applies what was chosen before: the theme is applied already, before anything is painted.
pub(crate) fn apply() {
    browser::set_zone(
        browser::remembered(ZONE).as_deref(),
        browser::remembered(LOCALE).as_deref(),
    );
    if let Some(percent) = browser::remembered("list").and_then(|percent| percent.parse().ok()) {
        browser::set_list_width(percent);
    }
}

/// Sets and remembers the theme; `None` follows the system.
pub(crate) fn set_theme(theme: Option<&str>) {
    browser::remember(THEME, theme);
    browser::set_theme(theme);
}

/// Everything that one chooses for this browser alone.
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
    let mut theme = use_signal(|| browser::remembered(THEME));
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
        use_signal(|| [ZONE, LOCALE].map(|name| browser::remembered(name).unwrap_or_default()));
    let mut choose = move |place: usize, value: String| {
        let name = [ZONE, LOCALE][place];
        browser::remember(name, Some(value.as_str()).filter(|value| !value.is_empty()));
        chosen.write()[place] = value;
        apply();
        store.zone += 1;
    };
    let zones = std::iter::once((String::new(), "Time zone of this browser".to_owned()))
        .chain(
            browser::zones()
                .into_iter()
                .map(|zone| (zone.clone(), zone.replace('_', " "))),
        )
        .collect::<Vec<_>>();
    let mut locales = vec![(String::new(), "Language of this browser".to_owned())];
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
        p { class: "dim", "It is {browser::local_time((store.clock)(), browser::TimeStyle::Exact)}." }
        div { class: "tools",
            Choice { label: "Time zone", options: zones, value: zone, onchange: move |zone| choose(0, zone) }
            Choice { label: "Language of dates", options: locales, value: locale, onchange: move |locale| choose(1, locale) }
        }
    }
}

#[component]
fn Notifications() -> Element {
    let store = use_store();
    let mut on = use_signal(|| browser::remembered(NOTIFY).is_some());
    rsx! {
        label { class: "check",
            input {
                r#type: "checkbox",
                checked: on(),
                onchange: move |event| async move {
                    let wanted = event.checked();
                    // First as the person left it: a refusal would otherwise change nothing here, and the box stay checked.
                    on.set(wanted);
                    let may = wanted && browser::may_notify().await;
                    browser::remember(NOTIFY, may.then_some("on"));
                    on.set(may);
                    if wanted && !may {
                        store.say_refused("This browser does not allow PulseCheck to show notifications: its settings for this site decide.");
                    }
                },
            }
            "Tell changes of status on the desktop while PulseCheck is open in the background"
        }
    }
}
