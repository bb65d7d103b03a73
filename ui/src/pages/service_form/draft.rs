//! A service as somebody is typing it.

use super::page::PageDraft;
use crate::{
    api::{CreateServiceInput, MonitorKind, Service, UpdateServiceInput},
    browser,
};
use domain::service::ServiceDraft;

/// A text field of the form.
pub(super) struct Spec {
    /// Its name in the API.
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) unit: Option<&'static str>,
    pub(super) inputmode: Option<&'static str>,
    pub(super) placeholder: Option<&'static str>,
    pub(super) hint: Option<&'static str>,
    pub(super) maxlength: Option<usize>,
    /// Its place in the draft.
    pub(super) of: fn(&Draft) -> &String,
    place: fn(&mut Draft) -> &mut String,
}

/// A field of the draft by its name in the API, its label and its place.
macro_rules! spec {
    ($name:literal, $label:literal, $place:ident $(, $what:ident: $value:expr)*) => {
        Spec {
            $($what: Some($value),)*
            ..Spec::plain($name, $label, |draft| &draft.$place, |draft| &mut draft.$place)
        }
    };
}

impl Spec {
    const fn plain(
        name: &'static str,
        label: &'static str,
        of: fn(&Draft) -> &String,
        place: fn(&mut Draft) -> &mut String,
    ) -> Self {
        let (unit, inputmode, placeholder, hint, maxlength) = (None, None, None, None, None);
        Self {
            name,
            label,
            unit,
            inputmode,
            placeholder,
            hint,
            maxlength,
            of,
            place,
        }
    }

    /// The address that is requested.
    pub(super) const URL: Self =
        spec!("url", "Address", url, inputmode: "url", placeholder: "https://example.com/health");
    /// What every service has.
    pub(super) const NAMES: [Self; 2] = [
        spec!("name", "Name", name, maxlength: domain::service::MAX_NAME),
        spec!(
            "category", "Category", category,
            hint: "Groups the list. Choose one or make one up.", maxlength: domain::service::MAX_CATEGORY
        ),
    ];
    /// The vendor page for people, of a service that follows one.
    pub(super) const LINK: Self = spec!(
        "vendorPageUrl", "Link to the vendor page", vendor_page,
        inputmode: "url", placeholder: "what the page says itself"
    );
    /// What is folded away at first.
    pub(super) const ADVANCED: [Self; 6] = [
        spec!("checkIntervalSeconds", "Check every", interval, unit: "s", inputmode: "numeric"),
        spec!("timeoutMs", "Give up after", timeout, unit: "ms", inputmode: "numeric"),
        spec!("degradedThresholdMs", "Degraded when slower than", threshold, unit: "ms", inputmode: "numeric"),
        spec!("expectedStatus", "Expected status codes", expected, hint: "Such as 200-299,301."),
        spec!("confirmations", "Failures in a row before it counts as down", confirmations, inputmode: "numeric"),
        spec!(
            "vendorPageUrl", "Vendor page", vendor_page,
            inputmode: "url", placeholder: "https://status.example.com", hint: "Linked from the list."
        ),
    ];
}

/// The fields as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pages) struct Draft {
    pub(super) kind: MonitorKind,
    pub(super) url: String,
    /// Of a vendor's page: which, and what of it.
    pub(in crate::pages) page: PageDraft,
    pub(super) name: String,
    /// Whether the name was typed; it is proposed otherwise.
    pub(super) named: bool,
    pub(super) category: String,
    pub(super) interval: String,
    pub(super) timeout: String,
    pub(super) threshold: String,
    pub(super) expected: String,
    pub(super) confirmations: String,
    pub(super) vendor_page: String,
}

impl Draft {
    /// A new service at `url`, with the defaults of the server.
    pub(in crate::pages) fn new(url: &str) -> Self {
        let defaults = ServiceDraft::default();
        Self {
            kind: MonitorKind::Http,
            url: url.to_owned(),
            page: PageDraft::default(),
            name: propose_name(url),
            named: false,
            category: String::new(),
            interval: defaults.check_interval_seconds.to_string(),
            timeout: defaults.timeout_ms.to_string(),
            threshold: defaults.degraded_threshold_ms.to_string(),
            expected: defaults.expected_status,
            confirmations: defaults.confirmations.to_string(),
            vendor_page: String::new(),
        }
    }

    /// A new service that follows a vendor's page, found by `typed`.
    pub(in crate::pages) fn for_vendor_page(typed: &str) -> Self {
        let page = PageDraft {
            typed: typed.to_owned(),
            ..Default::default()
        };
        Self {
            kind: MonitorKind::VendorPage,
            page,
            ..Self::new("")
        }
    }

    /// A known service, with what it follows of a vendor's page.
    pub(in crate::pages) fn from_service(service: &Service, page: PageDraft) -> Self {
        Self {
            kind: service.kind,
            url: service.url.clone().unwrap_or_default(),
            page,
            name: service.name.clone(),
            named: true,
            category: service.category.clone().unwrap_or_default(),
            interval: service.check_interval_seconds.to_string(),
            timeout: service.timeout_ms.to_string(),
            threshold: service.degraded_threshold_ms.to_string(),
            expected: service.expected_status.clone(),
            confirmations: service.confirmations.to_string(),
            vendor_page: service.vendor_page_url.clone().unwrap_or_default(),
        }
    }

    /// Takes what was typed into the field.
    pub(super) fn set(&mut self, spec: &Spec, text: String) {
        if spec.name == "name" {
            self.named = !text.is_empty();
        }
        *(spec.place)(self) = text;
        if spec.name == "url" {
            self.propose();
        }
    }

    /// Proposes a name, as long as none was typed.
    pub(super) fn propose(&mut self) {
        if !self.named {
            self.name = match self.kind {
                MonitorKind::Http => propose_name(&self.url),
                MonitorKind::VendorPage => self.page.propose_name(),
            };
        }
    }

    /// What cannot even be sent, because it is no number. Everything else is the server's to judge.
    pub(super) fn wrong(&self) -> Vec<(&'static str, String)> {
        if self.kind == MonitorKind::VendorPage {
            return self.page.wrong().into_iter().collect();
        }
        [
            ("checkIntervalSeconds", &self.interval),
            ("timeoutMs", &self.timeout),
            ("degradedThresholdMs", &self.threshold),
            ("confirmations", &self.confirmations),
        ]
        .into_iter()
        .filter(|(_, text)| !text.trim().is_empty() && number(text).is_none())
        .map(|(field, text)| (field, format!("{:?} is not a whole number", text.trim())))
        .collect()
    }

    /// As a new service.
    pub(in crate::pages) fn to_create(&self) -> CreateServiceInput {
        let shared = CreateServiceInput {
            name: self.name.trim().to_owned(),
            category: present(&self.category),
            kind: self.kind,
            vendor_page_url: present(&self.vendor_page),
            ..Default::default()
        };
        match self.kind {
            MonitorKind::Http => CreateServiceInput {
                url: present(&self.url),
                check_interval_seconds: number(&self.interval),
                timeout_ms: number(&self.timeout),
                degraded_threshold_ms: number(&self.threshold),
                expected_status: present(&self.expected),
                confirmations: number(&self.confirmations),
                ..shared
            },
            MonitorKind::VendorPage => {
                let (by_hand, urls) = self.page.addresses();
                let urls = Some(urls.to_vec());
                let (vendor_page_api_urls, user_defined_urls) =
                    if by_hand { (None, urls) } else { (urls, None) };
                CreateServiceInput {
                    vendor_page_api_urls,
                    user_defined_urls,
                    component_ids: Some(self.page.chosen.clone()),
                    ..shared
                }
            }
        }
    }

    /// As something to look at once: the name does not matter for that.
    pub(super) fn to_test(&self) -> CreateServiceInput {
        let mut input = self.to_create();
        if input.name.is_empty() {
            "test".clone_into(&mut input.name);
        }
        input
    }

    /// As a change. Every field is given, so that an emptied one is emptied.
    pub(in crate::pages) fn to_update(&self) -> UpdateServiceInput {
        let shared = UpdateServiceInput {
            name: Some(self.name.trim().to_owned()),
            category: Some(self.category.trim().to_owned()),
            vendor_page_url: Some(self.vendor_page.trim().to_owned()),
            ..Default::default()
        };
        match self.kind {
            MonitorKind::Http => UpdateServiceInput {
                url: Some(self.url.trim().to_owned()),
                check_interval_seconds: number(&self.interval),
                timeout_ms: number(&self.timeout),
                degraded_threshold_ms: number(&self.threshold),
                expected_status: present(&self.expected),
                confirmations: number(&self.confirmations),
                ..shared
            },
            MonitorKind::VendorPage => UpdateServiceInput {
                component_ids: Some(self.page.chosen.clone()),
                ..shared
            },
        }
    }
}

/// The host of what is being typed, without what does not tell it from others.
pub(super) fn propose_name(url: &str) -> String {
    let url = url.trim();
    let address = if url.contains("://") {
        url.to_owned()
    } else {
        format!("https://{url}")
    };
    let host = browser::parse_host(&address).unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(&host).to_owned()
}

fn present(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn number(text: &str) -> Option<i32> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{super::page::Found, *};
    use crate::api::{Component, Discovery};

    #[test]
    fn the_name_is_proposed_from_the_host() {
        for (url, name) in [
            ("https://www.example.com/health", "example.com"),
            ("api.example.com", "api.example.com"),
            ("http://localhost:8080", "localhost:8080"),
            ("", ""),
        ] {
            assert_eq!(propose_name(url), name, "{url}");
        }
    }

    #[test]
    fn an_empty_number_takes_the_servers_default_and_a_word_is_refused() {
        let mut draft = Draft::new("https://example.com");
        draft.interval = " ".into();
        assert_eq!(draft.wrong(), []);
        assert_eq!(draft.to_create().check_interval_seconds, None);
        draft.timeout = "soon".into();
        assert_eq!(
            draft.wrong(),
            [("timeoutMs", "\"soon\" is not a whole number".to_owned())]
        );
    }

    #[test]
    fn a_page_is_sent_by_what_was_found_and_chosen_and_by_nothing_of_an_address() {
        let discovery = |components| Discovery {
            api_urls: vec!["https://status.example.com/api/v2/summary.json".into()],
            page_name: Some("Example Status".into()),
            page_url: None,
            provider: None,
            components,
            rejected: Vec::new(),
        };
        let component = Component {
            id: "c1".into(),
            name: "API".into(),
            group_name: None,
            status: crate::api::Status::Up,
            vendor_status: "operational".into(),
        };
        let mut draft = Draft::for_vendor_page("example");
        draft.url = "https://left.over".into();
        draft.interval = "soon".into();
        assert_eq!(
            draft
                .wrong()
                .iter()
                .map(|(field, _)| *field)
                .collect::<Vec<_>>(),
            ["vendorPageApiUrls"]
        );
        draft
            .page
            .take(Found::from_discovery(discovery(vec![component]), false));
        draft.propose();
        assert_eq!(draft.wrong(), []);
        let input = draft.to_create();
        assert_eq!(
            (input.name.as_str(), input.kind),
            ("Example · API", MonitorKind::VendorPage)
        );
        assert_eq!(
            (
                input.url,
                input.check_interval_seconds,
                input.user_defined_urls
            ),
            (None, None, None)
        );
        assert_eq!(input.vendor_page_api_urls.unwrap().len(), 1);
        assert_eq!(input.component_ids, Some(vec!["c1".to_owned()]));
        assert_eq!(draft.to_update().url, None);
        draft
            .page
            .take(Found::from_discovery(discovery(Vec::new()), true));
        let input = draft.to_create();
        assert_eq!(
            (
                input.vendor_page_api_urls,
                input.user_defined_urls.map(|urls| urls.len())
            ),
            (None, Some(1))
        );
    }

    #[test]
    fn a_change_can_take_the_category_away() {
        let mut draft = Draft::new("https://example.com");
        draft.category = " ".into();
        assert_eq!(draft.to_update().category.as_deref(), Some(""));
        assert_eq!(draft.to_create().category, None);
    }
}
