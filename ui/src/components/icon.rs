//! Icons.

use dioxus::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Brand,
    Dashboard,
    Incidents,
    Settings,
    Plus,
    Out,
    Back,
    Chevron,
    Close,
    Search,
    Play,
    Pause,
    Refresh,
    Edit,
    Delete,
}

/// Draws an icon. It is hidden from screen readers, so it needs a text beside it or a labelled
/// button around it.
pub fn icon(icon: Icon) -> Element {
    let d = match icon {
        Icon::Brand => "M1 9h3.2l1.7-5 3.2 10 2.2-7 1 2H15",
        Icon::Dashboard => "M2 4h12M2 8h12M2 12h8",
        Icon::Incidents => "M8 2 14.5 13.5h-13zM8 6.5v3M8 11.4v.1",
        Icon::Settings => "M2 5h6M12 5h2M10 3.2v3.6M2 11h2M8 11h6M6 9.2v3.6",
        Icon::Plus => "M8 3v10M3 8h10",
        Icon::Out => "M6 3H3v10h10v-3M9 3h4v4M13 3 7.5 8.5",
        Icon::Back => "M10 3 5 8l5 5",
        Icon::Chevron => "M5 6.5 8 9.5l3-3",
        Icon::Close => "M4 4l8 8M12 4l-8 8",
        Icon::Search => "M10.5 10.5 14 14M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9z",
        Icon::Play => "M5 3v10l8-5z",
        Icon::Pause => "M5 3v10M11 3v10",
        Icon::Refresh => "M13 8a5 5 0 1 1-1.5-3.6M13 2v3h-3",
        Icon::Edit => "M3 13l.6-2.8L10.8 3l2.2 2.2-7.2 7.2z",
        Icon::Delete => "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5 5 13h6l.5-8.5",
    };
    rsx! {
        svg { class: "icon", view_box: "0 0 16 16", width: "16", height: "16", "aria-hidden": "true", path { d } }
    }
}
