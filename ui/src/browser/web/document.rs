//! The document: URL, title, dialogs, focus, scrolling.

use super::global::{document, window};
use crate::list::Viewport;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlDialogElement, HtmlElement};

/// Sets the theme `dark` or `light`; `None` follows the system.
pub(crate) fn set_theme(theme: Option<&str>) {
    let Some(root) = document().document_element() else {
        return;
    };
    let _ = match theme {
        Some(theme) => root.set_attribute("data-theme", theme),
        None => root.remove_attribute("data-theme"),
    };
}

pub(crate) fn set_title(title: &str) {
    document().set_title(title);
}

/// Returns the origin, such as `https://status.example.com`.
pub(crate) fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// Returns the host of a URL, with a non-default port; `None` when it is not a URL.
pub(crate) fn parse_host(address: &str) -> Option<String> {
    let url = web_sys::Url::new(address).ok()?;
    Some(url.host()).filter(|host| !host.is_empty())
}

fn by_id(id: &str) -> Option<HtmlElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// Returns the page's URL, from its path on.
pub(crate) fn current_url() -> String {
    let location = window().location();
    [location.pathname(), location.search(), location.hash()]
        .map(Result::unwrap_or_default)
        .concat()
}

/// Adds a URL to the history and scrolls to the top.
pub(crate) fn push_url(to: &str) {
    if to == current_url() {
        return;
    }
    if let Ok(history) = window().history() {
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(to));
        window().scroll_to_with_x_and_y(0.0, 0.0);
    }
}

/// Replaces the current URL in the history, without scrolling.
pub(crate) fn replace_url(to: &str) {
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(to));
    }
}

/// Removes the content of an element.
pub(crate) fn clear(id: &str) {
    if let Some(element) = by_id(id) {
        element.set_text_content(None);
    }
}

pub(crate) fn focus(id: &str) {
    if let Some(element) = by_id(id) {
        let _ = element.focus();
    }
}

/// Sends all events of a pointer to an element until the button is released, even outside of it.
pub(crate) fn capture_pointer(id: &str, pointer: i32) {
    if let Some(element) = document().get_element_by_id(id) {
        let _ = element.set_pointer_capture(pointer);
    }
}

/// Opens a modal dialog.
pub(crate) fn open_dialog(id: &str) {
    if let Some(dialog) = by_id(id).and_then(|element| element.dyn_into::<HtmlDialogElement>().ok())
    {
        let _ = dialog.show_modal();
    }
}

/// Closes a dialog; the focus returns to where it was.
pub(crate) fn close_dialog(id: &str) {
    if let Some(dialog) = by_id(id).and_then(|element| element.dyn_into::<HtmlDialogElement>().ok())
    {
        dialog.close();
    }
}

/// Closes a popover, if it is open.
pub(crate) fn close_popover(id: &str) {
    if let Some(element) = by_id(id) {
        let _ = element.hide_popover();
    }
}

/// Returns whether a text field has the focus.
pub(crate) fn is_typing() -> bool {
    document().active_element().is_some_and(|element| {
        let kind = element.get_attribute("type");
        matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
            && !matches!(kind.as_deref(), Some("checkbox" | "radio"))
            || element.has_attribute("contenteditable")
    })
}

/// Returns whether a dialog is open.
pub(crate) fn is_dialog_open() -> bool {
    document()
        .query_selector("dialog[open]")
        .is_ok_and(|dialog| dialog.is_some())
}

/// Scrolls an element into view within its scrolling container.
pub(crate) fn scroll_into_view(id: &str) {
    if let Some(element) = by_id(id) {
        let nearest = web_sys::ScrollIntoViewOptions::new();
        nearest.set_block(web_sys::ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&nearest);
    }
}

/// Returns whether a row of the list has the focus.
pub(crate) fn is_focus_in_rows() -> bool {
    document()
        .active_element()
        .is_some_and(|active| active.closest("[data-row]").is_ok_and(|row| row.is_some()))
}

/// Focuses an element. Returns whether it exists.
pub(crate) fn try_focus(id: &str) -> bool {
    by_id(id).is_some_and(|element| element.focus().is_ok())
}

/// Focuses an element unless a visible element has the focus. Returns whether it did.
pub(crate) fn focus_if_lost(id: &str) -> bool {
    let is_visible =
        |element: &Element| element.tag_name() != "BODY" && element.get_client_rects().length() > 0;
    if document()
        .active_element()
        .is_some_and(|active| is_visible(&active))
    {
        return false;
    }
    by_id(id)
        .filter(|element| is_visible(element))
        .is_some_and(|element| element.focus().is_ok())
}

/// Returns the position of the list `id` in the viewport; `None` while it is hidden.
pub(crate) fn viewport(id: &str) -> Option<Viewport> {
    let list = by_id(id)?.get_bounding_client_rect();
    let height = window().inner_height().ok()?.as_f64()?;
    (list.height() > 0.0).then(|| Viewport {
        above: -list.top(),
        height,
        total: list.height(),
    })
}

/// Scrolls a row of the list `id`, which has `count` rows, to the middle. Returns whether the list
/// is visible.
pub(crate) fn scroll_to_row(id: &str, row: usize, count: usize) -> bool {
    let (Some(list), Some(viewport)) = (by_id(id), viewport(id)) else {
        return false;
    };
    #[allow(clippy::cast_precision_loss, reason = "rows on a page")]
    let top = viewport.total * row as f64 / count.max(1) as f64 - viewport.above;
    let by = top - viewport.height / 2.0;
    match list.closest(".pane") {
        Ok(Some(pane)) if pane.scroll_height() > pane.client_height() => {
            pane.scroll_by_with_x_and_y(0.0, by)
        }
        _ => window().scroll_by_with_x_and_y(0.0, by),
    }
    true
}

pub(crate) fn reload() {
    let _ = window().location().reload();
}

/// Returns the path of the icon of a status.
pub(super) fn icon_path(worst: &str) -> String {
    format!("/favicon-{worst}.svg")
}

/// Sets the page's icon to that of the status `worst`; without one, to the product's own.
pub(crate) fn set_icon(worst: Option<&str>) {
    let path = worst.map_or_else(|| "/favicon.svg".to_owned(), icon_path);
    if let Ok(Some(link)) = document().query_selector("link[rel=icon]") {
        let _ = link.set_attribute("href", &path);
    }
}

/// Sets the width of the list, in percent.
pub(crate) fn set_list_width(percent: i32) {
    let root = document()
        .document_element()
        .and_then(|root| root.dyn_into::<HtmlElement>().ok());
    if let Some(root) = root {
        let _ = root.style().set_property("--list", &format!("{percent}%"));
    }
}
