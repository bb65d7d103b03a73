//! Finds a vendor page by a name in the catalogue, by any URL, or by URLs of its JSON endpoints.

mod endpoints;
mod error;

use super::draft::Draft;
use super::page::{PageContent, is_address};
use crate::{
    api::{
        self, CatalogueEntry, DiscoverVariables, DiscoverVendorPage, Moment, SearchCatalogue,
        SearchVariables,
    },
    browser,
    components::{Icon, icon},
    format,
    hooks::{QueryState, use_query},
    store::{Store, use_store},
};
use dioxus::{core::Task, prelude::*};
use endpoints::Endpoints;
use error::error_text;

const INPUT_ID: &str = "field-page";
const LIST_ID: &str = "page-list";
/// How long after the last letter the catalogue is searched.
const DEBOUNCE_MS: u32 = 80;

/// A discovery in progress.
#[derive(Clone, PartialEq)]
struct Discovering {
    what: String,
    since: Moment,
    task: Task,
}

/// The state of the search.
#[derive(Clone, Copy, PartialEq)]
struct SearchState {
    draft: Signal<Draft>,
    suggestions: QueryState<Vec<CatalogueEntry>>,
    /// Whether the suggestions may be shown.
    expanded: Signal<bool>,
    /// The suggestion that was selected with the arrow keys.
    highlighted: Signal<Option<usize>>,
    discovering: Signal<Option<Discovering>>,
    error: Signal<Option<String>>,
}

impl SearchState {
    fn use_search(draft: Signal<Draft>) -> Self {
        let typed = draft.read().page.typed.trim().to_owned();
        let suggestions = use_query(typed, |search| async move {
            if search.is_empty() || search.contains("://") {
                return Ok(Vec::new());
            }
            browser::sleep(DEBOUNCE_MS).await;
            let response = api::request::<SearchCatalogue>(SearchVariables { search }).await?;
            Ok(response.vendor_page_catalogue)
        });
        Self {
            draft,
            suggestions,
            expanded: use_signal(|| false),
            highlighted: use_signal(|| None),
            discovering: use_signal(|| None),
            error: use_signal(|| None),
        }
    }

    fn entries(&self) -> Vec<CatalogueEntry> {
        self.suggestions.data.read().clone().unwrap_or_default()
    }

    fn is_open(&self) -> bool {
        let suggestions = self.suggestions.data.read();
        let any = suggestions.as_ref().is_some_and(|list| !list.is_empty());
        (self.expanded)() && any && self.discovering.read().is_none()
    }

    /// Returns the index of the suggestion that Enter takes. For a name that is the best match,
    /// unless another one is highlighted; a URL is taken as it is.
    fn selected(&self) -> Option<usize> {
        let is_name = !is_address(&self.draft.read().page.typed);
        (self.highlighted)()
            .or(is_name.then_some(0))
            .filter(|index| self.is_open() && *index < self.entries().len())
    }

    /// Takes the suggestion at `index`.
    fn pick(mut self, store: Store, index: usize) {
        if let Some(entry) = self.entries().get(index) {
            self.draft.write().page.typed.clone_from(&entry.name);
            self.discover(store, &entry.url, Some(entry.name.clone()));
        }
    }

    fn submit(self, store: Store) {
        match self.selected() {
            Some(index) => self.pick(store, index),
            None => {
                let typed = self.draft.peek().page.typed.clone();
                self.discover(store, &typed, None);
            }
        }
    }

    /// Searches the vendor page at `url`. A new search cancels the previous one.
    fn discover(mut self, store: Store, url: &str, catalogue_name: Option<String>) {
        let url = url.trim().to_owned();
        if url.is_empty() {
            return;
        }
        self.cancel();
        self.expanded.set(false);
        self.error.set(None);
        let what = catalogue_name.clone().unwrap_or_else(|| url.clone());
        let task = spawn(async move {
            let response = api::request::<DiscoverVendorPage>(DiscoverVariables { url }).await;
            match response {
                Ok(response) => {
                    let found = PageContent::from_discovery(response.discover_vendor_page, false);
                    let mut draft = self.draft.write();
                    draft.page.catalogue_name = catalogue_name;
                    draft.page.endpoints.clear();
                    draft.page.set_found(found);
                    draft.propose();
                }
                Err(problem) => self.error.set(error_text(store, self.draft, &problem)),
            }
            self.discovering.set(None);
        });
        self.discovering.set(Some(Discovering {
            what,
            since: browser::now(),
            task,
        }));
    }

    /// Cancels the search, which aborts its request.
    fn cancel(mut self) {
        if let Some(discovering) = self.discovering.take() {
            discovering.task.cancel();
        }
    }

    /// Arrow keys move through the suggestions, Enter takes one, Escape closes the list.
    fn handle_key(mut self, store: Store, event: &KeyboardEvent) {
        let selected = self.selected();
        let last = self.entries().len().saturating_sub(1);
        let next = match event.key() {
            Key::ArrowDown => selected.map_or(0, |index| if index == last { 0 } else { index + 1 }),
            Key::ArrowUp => {
                selected.map_or(last, |index| if index == 0 { last } else { index - 1 })
            }
            Key::Enter => {
                event.prevent_default();
                return self.submit(store);
            }
            Key::Escape if self.is_open() => {
                event.prevent_default();
                return self.expanded.set(false);
            }
            _ => return,
        };
        event.prevent_default();
        self.expanded.set(true);
        self.highlighted.set(Some(next));
    }
}

/// The search, which is replaced by the page that it finds.
#[component]
pub(super) fn Search(draft: Signal<Draft>, #[props(!optional)] missing: Option<String>) -> Element {
    let store = use_store();
    let search = SearchState::use_search(draft);
    // A URL from the query string is searched at once.
    use_hook(move || {
        if is_address(&draft.peek().page.typed) {
            search.submit(store);
        }
    });
    let error = search.error.read().clone().or(missing);
    let hint = error
        .as_deref()
        .unwrap_or("Type a vendor's name, or paste any link to its page.");
    rsx! {
        div { class: if error.is_some() { "field wrong" } else { "field" },
            label { r#for: INPUT_ID, "Service or vendor page" }
            SearchField { search, invalid: error.is_some() }
            p { id: "field-page-hint", class: if error.is_some() { "error" } else { "hint" }, role: "status", "{hint}" }
        }
        if let Some(Discovering { what, since, .. }) = &*search.discovering.read() {
            div { class: "looking", role: "status",
                progress { "aria-label": "Looking for the vendor page" }
                p { class: "dim", "Looking for the vendor page of {what}…" }
                Waited { since: *since }
                button { class: "button", r#type: "button", onclick: move |_| search.cancel(), "Stop" }
            }
        }
        if !draft.read().page.endpoints.is_empty() {
            Endpoints { draft }
        }
    }
}

/// The input with its suggestions.
#[component]
fn SearchField(search: SearchState, invalid: bool) -> Element {
    let store = use_store();
    let SearchState {
        mut draft,
        mut expanded,
        mut highlighted,
        mut error,
        discovering,
        ..
    } = search;
    let typed = draft.read().page.typed.clone();
    let open = search.is_open();
    let selected = search.selected();
    rsx! {
        div { class: "suggest",
            div { class: "input",
                input {
                    id: INPUT_ID,
                    r#type: "text",
                    role: "combobox",
                    autocomplete: "off",
                    "autocapitalize": "off",
                    spellcheck: "false",
                    maxlength: domain::service::MAX_URL.to_string(),
                    placeholder: "claude, or status.example.com",
                    "aria-expanded": if open { "true" } else { "false" },
                    "aria-controls": LIST_ID,
                    "aria-autocomplete": "list",
                    "aria-activedescendant": selected.map(|index| format!("entry-{index}")),
                    "aria-invalid": invalid.then_some("true"),
                    "aria-describedby": "field-page-hint",
                    value: "{typed}",
                    onmounted: move |element| async move {
                        let _ = element.set_focus(true).await;
                    },
                    oninput: move |event| {
                        draft.write().page.typed = event.value();
                        highlighted.set(None);
                        expanded.set(true);
                        error.set(None);
                    },
                    onkeydown: move |event| search.handle_key(store, &event),
                }
                button {
                    class: "button",
                    r#type: "button",
                    disabled: discovering.read().is_some() || typed.trim().is_empty(),
                    onclick: move |_| search.submit(store),
                    {icon(Icon::Search)}
                    "Discover"
                }
            }
            ul { id: LIST_ID, class: "found", role: "listbox", "aria-label": "Known services", hidden: !open,
                for (index , entry) in search.entries().into_iter().enumerate() {
                    li {
                        key: "{entry.url}",
                        id: "entry-{index}",
                        role: "option",
                        "aria-selected": if selected == Some(index) { "true" } else { "false" },
                        onclick: move |_| search.pick(store, index),
                        span { class: "name", "{entry.name}" }
                        span { class: "dim", {without_scheme(&entry.url)} }
                    }
                }
            }
        }
    }
}

/// How long the search has taken. Hidden from screen readers, which would read every tick.
#[component]
fn Waited(since: Moment) -> Element {
    let now = (use_store().clock)();
    rsx! { span { class: "dim number", "aria-hidden": "true", {format::duration(now.since(since))} } }
}

fn without_scheme(url: &str) -> String {
    url.split_once("://")
        .map_or(url, |(_, rest)| rest)
        .trim_end_matches('/')
        .to_owned()
}
