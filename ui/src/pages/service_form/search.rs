//! Finding a vendor's page: by its name in the catalogue, by any address, or by the addresses of its answers.

use super::{
    Draft,
    page::{Address, Found, is_address},
};
use crate::{
    api::{
        self, CatalogueEntry, DiscoverVariables, DiscoverVendorPage, Moment, Problem, ProblemKind,
        SearchCatalogue, SearchVariables, ValidateVariables, ValidateVendorPageUrls,
    },
    browser,
    components::{Icon, icon},
    format,
    hooks::use_query,
    store::{Store, use_store},
};
use dioxus::{core::Task, prelude::*};

const INPUT_ID: &str = "field-page";
const LIST_ID: &str = "page-list";
/// How long after the last letter the catalogue is searched.
const TYPING_MS: u32 = 80;
/// So many addresses can be given by hand.
const MOST_BY_HAND: usize = 10;

/// What is being looked for, and since when.
#[derive(Clone, PartialEq)]
struct Looking {
    what: String,
    since: Moment,
    task: Task,
}

/// The search; gives way to what it found.
#[component]
pub(super) fn Search(draft: Signal<Draft>, #[props(!optional)] missing: Option<String>) -> Element {
    let store = use_store();
    let typed = draft.read().page.typed.clone();
    let suggested = use_query(typed.trim().to_owned(), |search| async move {
        if search.is_empty() || search.contains("://") {
            return Ok(Vec::new());
        }
        browser::sleep(TYPING_MS).await;
        api::request::<SearchCatalogue>(SearchVariables { search })
            .await
            .map(|found| found.vendor_page_catalogue)
    });
    let mut shown = use_signal(|| false);
    let mut at = use_signal(|| None::<usize>);
    let mut looking = use_signal(|| None::<Looking>);
    let mut refused = use_signal(|| None::<String>);
    let entries: Vec<CatalogueEntry> = suggested.data.read().clone().unwrap_or_default();
    let open = shown() && !entries.is_empty() && looking.read().is_none();
    // An address is taken as it is; of a name the likeliest entry.
    let chosen = at()
        .or((!is_address(&typed)).then_some(0))
        .filter(|at| open && *at < entries.len());

    let look = use_callback(move |(url, known_as): (String, Option<String>)| {
        let url = url.trim().to_owned();
        if url.is_empty() {
            return;
        }
        // A new search cancels the previous one.
        if let Some(before) = looking.take() {
            before.task.cancel();
        }
        shown.set(false);
        refused.set(None);
        let what = known_as.clone().unwrap_or_else(|| url.clone());
        let task = spawn(async move {
            let answer = api::request::<DiscoverVendorPage>(DiscoverVariables { url }).await;
            match answer {
                Ok(answer) => {
                    let mut draft = draft.write();
                    draft.page.known_as = known_as;
                    draft.page.by_hand.clear();
                    draft
                        .page
                        .take(Found::from_discovery(answer.discover_vendor_page, false));
                    draft.propose();
                }
                Err(problem) => refused.set(told(store, draft, &problem)),
            }
            looking.set(None);
        });
        looking.set(Some(Looking {
            what,
            since: browser::now(),
            task,
        }));
    });
    let by_entry = entries.clone();
    let pick = use_callback(move |place: usize| {
        if let Some(entry) = by_entry.get(place) {
            draft.write().page.typed.clone_from(&entry.name);
            look.call((entry.url.clone(), Some(entry.name.clone())));
        }
    });
    let submit = use_callback(move |()| match chosen {
        Some(place) => pick.call(place),
        None => look.call((draft.peek().page.typed.clone(), None)),
    });
    // What a link brought along is looked for at once.
    use_hook(move || {
        if is_address(&draft.peek().page.typed) {
            look.call((draft.peek().page.typed.clone(), None));
        }
    });
    let last = entries.len().saturating_sub(1);
    let error = refused.read().clone().or(missing);
    rsx! {
        div { class: if error.is_some() { "field wrong" } else { "field" },
            label { r#for: INPUT_ID, "Service or vendor page" }
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
                        "aria-activedescendant": chosen.map(|place| format!("entry-{place}")),
                        "aria-invalid": error.is_some().then_some("true"),
                        "aria-describedby": "field-page-hint",
                        value: "{typed}",
                        onmounted: move |element| async move {
                            let _ = element.set_focus(true).await;
                        },
                        oninput: move |event| {
                            draft.write().page.typed = event.value();
                            at.set(None);
                            shown.set(true);
                            refused.set(None);
                        },
                        onkeydown: move |event| {
                            let to = match event.key() {
                                Key::ArrowDown => chosen.map_or(0, |at| if at == last { 0 } else { at + 1 }),
                                Key::ArrowUp => chosen.map_or(last, |at| if at == 0 { last } else { at - 1 }),
                                Key::Enter => {
                                    event.prevent_default();
                                    return submit.call(());
                                }
                                Key::Escape if open => {
                                    event.prevent_default();
                                    return shown.set(false);
                                }
                                _ => return,
                            };
                            event.prevent_default();
                            shown.set(true);
                            at.set(Some(to));
                        },
                    }
                    button {
                        class: "button",
                        r#type: "button",
                        disabled: looking.read().is_some() || typed.trim().is_empty(),
                        onclick: move |_| submit.call(()),
                        {icon(Icon::Search)}
                        "Discover"
                    }
                }
                ul { id: LIST_ID, class: "found", role: "listbox", "aria-label": "Known services", hidden: !open,
                    for (place , entry) in entries.iter().enumerate() {
                        li {
                            key: "{entry.url}",
                            id: "entry-{place}",
                            role: "option",
                            "aria-selected": if chosen == Some(place) { "true" } else { "false" },
                            onclick: move |_| pick.call(place),
                            span { class: "name", "{entry.name}" }
                            span { class: "dim", {bare(&entry.url)} }
                        }
                    }
                }
            }
            p { id: "field-page-hint", class: if error.is_some() { "error" } else { "hint" }, role: "status",
                {error.as_deref().unwrap_or("A name that PulseCheck knows, or any address of the page or of its vendor.")}
            }
        }
        if let Some(Looking { what, since, .. }) = &*looking.read() {
            div { class: "looking", role: "status",
                progress { "aria-label": "Looking for the vendor page" }
                p { class: "dim", "Looking for the vendor page of {what}…" }
                Waited { since: *since }
                button {
                    class: "button",
                    r#type: "button",
                    onclick: move |_| {
                        // Ends the request too.
                        if let Some(looking) = looking.take() {
                            looking.task.cancel();
                        }
                    },
                    "Stop"
                }
            }
        }
        if !draft.read().page.by_hand.is_empty() {
            ByHand { draft }
        }
    }
}

/// How long it has taken; ticks by itself, outside of what is read out.
#[component]
fn Waited(since: Moment) -> Element {
    let now = (use_store().clock)();
    rsx! { span { class: "dim number", "aria-hidden": "true", {format::duration(now.since(since))} } }
}

/// An address without what all addresses have.
fn bare(url: &str) -> String {
    url.split_once("://")
        .map_or(url, |(_, rest)| rest)
        .trim_end_matches('/')
        .to_owned()
}

/// What to say at the field. Where there is no page, the addresses of its answers may be known.
fn told(store: Store, mut draft: Signal<Draft>, problem: &Problem) -> Option<String> {
    match problem.kind {
        ProblemKind::SignedOut => {
            store.session.end();
            return None;
        }
        ProblemKind::BadInput | ProblemKind::Server => {
            let mut draft = draft.write();
            if draft.page.by_hand.is_empty() {
                draft.page.by_hand.push(Address::default());
            }
        }
        _ => {}
    }
    let message = problem
        .fields
        .first()
        .map_or(&problem.message, |(_, message)| message);
    Some(format::capitalise(message))
}

/// The addresses of the page's answers, for those who know them.
#[component]
fn ByHand(draft: Signal<Draft>) -> Element {
    let store = use_store();
    let mut asking = use_signal(|| false);
    let mut general = use_signal(|| None::<String>);
    let validate = move |()| async move {
        let addresses = &draft.peek().page.by_hand.clone();
        let urls: Vec<String> = addresses
            .iter()
            .map(|address| address.url.trim().to_owned())
            .filter(|url| !url.is_empty())
            .collect();
        if urls.is_empty() || asking() {
            return;
        }
        asking.set(true);
        general.set(None);
        match api::request::<ValidateVendorPageUrls>(ValidateVariables { urls }).await {
            Ok(answer) => {
                let answer = answer.validate_vendor_page_urls;
                let mut draft = draft.write();
                for address in &mut draft.page.by_hand {
                    let rejected = answer
                        .rejected
                        .iter()
                        .find(|rejected| rejected.url == address.url.trim());
                    address.wrong = rejected.map(|rejected| format::capitalise(&rejected.reason));
                }
                if answer.components.is_empty() {
                    if answer.rejected.is_empty() {
                        general.set(Some(
                            "These answers list no components, so there is nothing to follow."
                                .to_owned(),
                        ));
                    }
                } else {
                    draft.page.known_as = None;
                    draft.page.take(Found::from_discovery(answer, true));
                    draft.propose();
                }
            }
            Err(problem) => general.set(told(store, draft, &problem)),
        }
        asking.set(false);
    };
    let addresses = draft.read().page.by_hand.clone();
    let count = addresses.len();
    rsx! {
        fieldset { class: "by-hand",
            legend { "Addresses of its JSON answers" }
            p { class: "hint", "Such as https://status.example.com/api/v2/summary.json. Those that have components, incidents or maintenance are kept." }
            for (place , address) in addresses.into_iter().enumerate() {
                div { key: "{place}", class: if address.wrong.is_some() { "field wrong" } else { "field" },
                    div { class: "input",
                        input {
                            r#type: "text",
                            inputmode: "url",
                            autocomplete: "off",
                            "autocapitalize": "off",
                            spellcheck: "false",
                            "aria-label": "Address {place + 1}",
                            "aria-invalid": address.wrong.is_some().then_some("true"),
                            "aria-describedby": address.wrong.is_some().then(|| format!("by-hand-{place}")),
                            value: "{address.url}",
                            oninput: move |event| draft.write().page.by_hand[place] = Address { url: event.value(), wrong: None },
                            onkeydown: move |event| async move {
                                if event.key() == Key::Enter {
                                    event.prevent_default();
                                    validate(()).await;
                                }
                            },
                        }
                        if count > 1 {
                            button {
                                class: "button",
                                r#type: "button",
                                "aria-label": "Remove address {place + 1}",
                                onclick: move |_| {
                                    draft.write().page.by_hand.remove(place);
                                },
                                {icon(Icon::Close)}
                            }
                        }
                    }
                    if let Some(wrong) = &address.wrong {
                        p { id: "by-hand-{place}", class: "error", "{wrong}" }
                    }
                }
            }
            div { class: "acts",
                if count < MOST_BY_HAND {
                    button {
                        class: "button",
                        r#type: "button",
                        onclick: move |_| draft.write().page.by_hand.push(Address::default()),
                        {icon(Icon::Plus)}
                        "Add another"
                    }
                }
                button { class: "button", r#type: "button", disabled: asking(), onclick: move |_| validate(()),
                    if asking() { "Looking…" } else { "Validate" }
                }
            }
            if let Some(general) = &*general.read() {
                p { class: "error", role: "alert", "{general}" }
            }
        }
    }
}
