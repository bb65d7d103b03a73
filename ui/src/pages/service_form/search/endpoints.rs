//! The URLs of a vendor page's JSON endpoints, for pages that are not found otherwise.

use super::super::draft::Draft;
use super::super::page::{Endpoint, PageContent};
use super::error::error_text;
use crate::{
    api::{self, Discovery, ValidateVariables, ValidateVendorPageUrls},
    components::{Icon, icon},
    format,
    store::{Store, use_store},
};
use dioxus::prelude::*;

const MAX_ENDPOINTS: usize = 10;

#[derive(Clone, Copy, PartialEq)]
struct EndpointsForm {
    draft: Signal<Draft>,
    validating: Signal<bool>,
    error: Signal<Option<String>>,
}

impl EndpointsForm {
    async fn validate(mut self, store: Store) {
        let urls: Vec<String> = self
            .draft
            .peek()
            .page
            .endpoints
            .iter()
            .map(|endpoint| endpoint.url.trim().to_owned())
            .filter(|url| !url.is_empty())
            .collect();
        if urls.is_empty() || *self.validating.peek() {
            return;
        }
        self.validating.set(true);
        self.error.set(None);
        match api::request::<ValidateVendorPageUrls>(ValidateVariables { urls }).await {
            Ok(response) => self.apply(response.validate_vendor_page_urls),
            Err(problem) => self.error.set(error_text(store, self.draft, &problem)),
        }
        self.validating.set(false);
    }

    /// Shows rejected URLs at their fields, and takes the page if it has components.
    fn apply(mut self, discovery: Discovery) {
        let mut draft = self.draft.write();
        for endpoint in &mut draft.page.endpoints {
            let rejected = discovery
                .rejected
                .iter()
                .find(|rejected| rejected.url == endpoint.url.trim());
            endpoint.error = rejected.map(|rejected| format::capitalise(&rejected.reason));
        }
        if !discovery.components.is_empty() {
            draft.page.catalogue_name = None;
            draft
                .page
                .set_found(PageContent::from_discovery(discovery, true));
            draft.propose();
        } else if discovery.rejected.is_empty() {
            let message = "These endpoints list no components, so there is nothing to follow.";
            self.error.set(Some(message.to_owned()));
        }
    }
}

#[component]
pub(super) fn Endpoints(draft: Signal<Draft>) -> Element {
    let store = use_store();
    let form = EndpointsForm {
        draft,
        validating: use_signal(|| false),
        error: use_signal(|| None),
    };
    let endpoints = draft.read().page.endpoints.clone();
    let count = endpoints.len();
    rsx! {
        fieldset { class: "by-hand",
            legend { "JSON endpoints" }
            p { class: "hint", "Such as https://status.example.com/api/v2/summary.json. Endpoints without components, incidents or maintenance are ignored." }
            for (index , endpoint) in endpoints.into_iter().enumerate() {
                EndpointField { key: "{index}", form, index, endpoint, removable: count > 1 }
            }
            div { class: "acts",
                if count < MAX_ENDPOINTS {
                    button {
                        class: "button",
                        r#type: "button",
                        onclick: move |_| draft.write().page.endpoints.push(Endpoint::default()),
                        {icon(Icon::Plus)}
                        "Add another"
                    }
                }
                button { class: "button", r#type: "button", disabled: (form.validating)(), onclick: move |_| form.validate(store),
                    if (form.validating)() { "Validating…" } else { "Validate" }
                }
            }
            if let Some(error) = &*form.error.read() {
                p { class: "error", role: "alert", "{error}" }
            }
        }
    }
}

#[component]
fn EndpointField(
    form: EndpointsForm,
    index: usize,
    endpoint: Endpoint,
    removable: bool,
) -> Element {
    let store = use_store();
    let mut draft = form.draft;
    let Endpoint { url, error } = endpoint;
    rsx! {
        div { class: if error.is_some() { "field wrong" } else { "field" },
            div { class: "input",
                input {
                    r#type: "text",
                    inputmode: "url",
                    autocomplete: "off",
                    "autocapitalize": "off",
                    spellcheck: "false",
                    "aria-label": "URL {index + 1}",
                    "aria-invalid": error.is_some().then_some("true"),
                    "aria-describedby": error.is_some().then(|| format!("by-hand-{index}")),
                    value: "{url}",
                    oninput: move |event| draft.write().page.endpoints[index] = Endpoint { url: event.value(), error: None },
                    onkeydown: move |event| async move {
                        if event.key() == Key::Enter {
                            event.prevent_default();
                            form.validate(store).await;
                        }
                    },
                }
                if removable {
                    button {
                        class: "button",
                        r#type: "button",
                        "aria-label": "Remove URL {index + 1}",
                        onclick: move |_| {
                            draft.write().page.endpoints.remove(index);
                        },
                        {icon(Icon::Close)}
                    }
                }
            }
            if let Some(error) = &error {
                p { id: "by-hand-{index}", class: "error", "{error}" }
            }
        }
    }
}
