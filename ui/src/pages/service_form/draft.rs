//! The input of the form, as text, and its conversion from a service and to the API's inputs.

use super::page::PageDraft;
use crate::{
    api::{
        CreateServiceInput, Definition, FieldInfo, MonitorInput, MonitorKindInfo, Service,
        UpdateServiceInput,
        json::{self, JsonValue},
    },
    browser,
};
use domain::local_host::default_scheme;
use domain::service::{
    ServiceDraft, default_degraded_threshold_ms, default_timeout_ms, has_scheme,
};
use serde_json::Value;
use std::{collections::BTreeMap, rc::Rc};

/// A text field of the form that every service has.
pub(super) struct TextField {
    /// Its name in the API.
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) unit: Option<&'static str>,
    pub(super) inputmode: Option<&'static str>,
    pub(super) placeholder: Option<&'static str>,
    pub(super) hint: Option<&'static str>,
    pub(super) maxlength: Option<usize>,
    /// Its value in the draft.
    pub(super) get: fn(&Draft) -> &String,
    get_mut: fn(&mut Draft) -> &mut String,
}

/// Makes a field from its name in the API, its label and its value in the draft.
macro_rules! text_field {
    ($name:literal, $label:literal, $place:ident $(, $what:ident: $value:expr)*) => {
        TextField {
            $($what: Some($value),)*
            ..TextField::plain($name, $label, |draft| &draft.$place, |draft| &mut draft.$place)
        }
    };
}

impl TextField {
    const fn plain(
        name: &'static str,
        label: &'static str,
        get: fn(&Draft) -> &String,
        get_mut: fn(&mut Draft) -> &mut String,
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
            get,
            get_mut,
        }
    }

    /// The fields that are always shown.
    pub(super) const NAMES: [Self; 3] = [
        text_field!("name", "Name", name, maxlength: domain::service::MAX_NAME),
        text_field!(
            "category", "Category", category,
            hint: "Used to group the list. Pick one or type a new one.", maxlength: domain::service::MAX_CATEGORY
        ),
        text_field!("tags", "Tags", tags, hint: "Separated by commas."),
    ];
    /// The link to the vendor page that a service follows.
    pub(super) const LINK: Self = text_field!(
        "vendorPageUrl", "Link to the vendor page", vendor_page,
        inputmode: "url", placeholder: "Detected automatically"
    );
    /// The fields that are collapsed at first.
    pub(super) const ADVANCED: [Self; 7] = [
        text_field!("checkIntervalSeconds", "Check every", interval, unit: "s", inputmode: "numeric"),
        text_field!("timeoutMs", "Give up after", timeout, unit: "ms", inputmode: "numeric"),
        text_field!("degradedThresholdMs", "Degraded when slower than", threshold, unit: "ms", inputmode: "numeric"),
        text_field!("confirmations", "Failures in a row before it counts as down", confirmations, inputmode: "numeric"),
        text_field!("recoveries", "Good checks in a row before it counts as up", recoveries, inputmode: "numeric"),
        text_field!(
            "vendorPageUrl", "Vendor page", vendor_page,
            inputmode: "url", placeholder: "https://status.example.com", hint: "Opens from the list."
        ),
        text_field!("description", "Description", description, maxlength: domain::service::MAX_DESCRIPTION),
    ];
}

/// The fields of the form, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pages) struct Draft {
    /// The monitor kinds.
    pub(super) kinds: Rc<[MonitorKindInfo]>,
    /// The index of the chosen kind.
    pub(super) kind: usize,
    /// The kind's settings, by the names of their fields.
    settings: BTreeMap<String, String>,
    /// The names of the secret settings that are set. The server never returns their values.
    pub(super) secrets_set: Vec<String>,
    /// The vendor page and the components to follow.
    pub(in crate::pages) page: PageDraft,
    pub(super) name: String,
    /// Whether the user entered the name; otherwise it is proposed.
    pub(super) has_own_name: bool,
    pub(super) category: String,
    pub(super) tags: String,
    pub(super) description: String,
    pub(super) interval: String,
    pub(super) timeout: String,
    /// Whether the user entered the timeout; otherwise it follows the interval.
    has_own_timeout: bool,
    pub(super) threshold: String,
    /// Whether the user entered the threshold; otherwise it follows the timeout.
    has_own_threshold: bool,
    pub(super) confirmations: String,
    pub(super) recoveries: String,
    pub(super) vendor_page: String,
}

impl Draft {
    /// Returns a new service with the server's defaults, of the first kind that follows a vendor page
    /// or the first that does not. `typed` goes into the first field.
    pub(in crate::pages) fn new(kinds: &[MonitorKindInfo], follow: bool, typed: &str) -> Self {
        let defaults = ServiceDraft::default();
        let kind = kinds.iter().position(|kind| follows(kind) == follow);
        let mut draft = Self {
            kinds: kinds.into(),
            kind: kind.unwrap_or_default(),
            settings: BTreeMap::new(),
            secrets_set: Vec::new(),
            page: PageDraft::default(),
            name: String::new(),
            has_own_name: false,
            category: String::new(),
            tags: String::new(),
            description: String::new(),
            interval: defaults.check_interval_seconds.to_string(),
            timeout: defaults.timeout_ms.to_string(),
            has_own_timeout: false,
            has_own_threshold: false,
            threshold: defaults.degraded_threshold_ms.to_string(),
            confirmations: String::new(),
            recoveries: defaults.recoveries.to_string(),
            vendor_page: String::new(),
        };
        draft.choose_kind(draft.kind);
        if follow {
            typed.clone_into(&mut draft.page.typed);
        } else if let Some(first) = draft.fields().first() {
            let name = first.name.clone();
            draft.set_setting(&name, typed.to_owned());
        }
        draft
    }

    /// Returns the draft of an existing service.
    pub(in crate::pages) fn from_service(
        kinds: &[MonitorKindInfo],
        service: &Service,
        definition: Definition,
    ) -> Self {
        let kind = kinds
            .iter()
            .position(|kind| kind.input_name == definition.monitor_input);
        let settings = definition.settings.iter();
        let settings = settings.map(|field| (field.name.clone(), to_text(&field.value)));
        Self {
            kinds: kinds.into(),
            kind: kind.unwrap_or_default(),
            settings: settings.collect(),
            secrets_set: definition.secrets_set.clone(),
            name: service.name.clone(),
            has_own_name: true,
            category: service.category.clone().unwrap_or_default(),
            tags: definition.tags.join(", "),
            description: definition.description.clone().unwrap_or_default(),
            interval: service.check_interval_seconds.to_string(),
            timeout: service.timeout_ms.to_string(),
            has_own_timeout: service.timeout_ms
                != default_timeout_ms(service.check_interval_seconds),
            has_own_threshold: service.degraded_threshold_ms
                != default_degraded_threshold_ms(service.timeout_ms),
            threshold: service.degraded_threshold_ms.to_string(),
            confirmations: service.confirmations.to_string(),
            recoveries: definition.recoveries.to_string(),
            vendor_page: service.vendor_page_url.clone().unwrap_or_default(),
            page: PageDraft::from_definition(definition),
        }
    }

    /// Returns the chosen kind.
    fn chosen(&self) -> Option<&MonitorKindInfo> {
        self.kinds.get(self.kind)
    }

    /// Whether the kind follows components of a vendor page instead of checking a target.
    pub(super) fn follows(&self) -> bool {
        self.chosen().is_some_and(follows)
    }

    /// Returns the fields of the kind; none for a vendor page, which is chosen by searching.
    pub(super) fn fields(&self) -> Vec<FieldInfo> {
        let kind = self.chosen().filter(|kind| !follows(kind));
        kind.map(|kind| kind.fields.clone()).unwrap_or_default()
    }

    /// Chooses the kind at this index, with its defaults.
    pub(super) fn choose_kind(&mut self, kind: usize) {
        self.kind = kind;
        self.settings.clear();
        if let Some(kind) = self.chosen() {
            let confirmations = kind.confirmations.to_string();
            let defaults = kind.fields.iter();
            let defaults = defaults
                .filter_map(|field| Some((field.name.clone(), field.default.clone()?)))
                .collect();
            (self.confirmations, self.settings) = (confirmations, defaults);
        }
        self.propose();
    }

    /// Returns the text of a setting.
    pub(super) fn setting(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", String::as_str)
    }

    /// Sets the text of a setting.
    pub(super) fn set_setting(&mut self, name: &str, text: String) {
        self.settings.insert(name.to_owned(), text);
        self.propose();
    }

    /// Sets the text of a field. Fields that have their default follow the one that it depends on, as
    /// on the server.
    pub(super) fn set_text(&mut self, field: &TextField, text: String) {
        if field.name == "name" {
            self.has_own_name = !text.is_empty();
        }
        match field.name {
            "timeoutMs" => self.has_own_timeout = !text.is_empty(),
            "degradedThresholdMs" => self.has_own_threshold = !text.is_empty(),
            _ => {}
        }
        *(field.get_mut)(self) = text;
        if let ("checkIntervalSeconds", false, Some(interval)) =
            (field.name, self.has_own_timeout, number(&self.interval))
        {
            self.timeout = default_timeout_ms(interval).to_string();
        }
        if let ("checkIntervalSeconds" | "timeoutMs", false, Some(timeout)) =
            (field.name, self.has_own_threshold, number(&self.timeout))
        {
            self.threshold = default_degraded_threshold_ms(timeout).to_string();
        }
    }

    /// Returns how an address without a scheme will be requested; `None` for one that has a scheme.
    pub(super) fn scheme_hint(&self, field: &FieldInfo) -> Option<String> {
        let text = self.setting(&field.name).trim();
        if field.field_type != "url" || has_scheme(text) {
            return None;
        }
        let host = browser::parse_host(&format!("http://{text}"))?;
        let scheme = default_scheme(without_port(&host));
        Some(if scheme == "http" {
            format!("Will be requested as http://{text}")
        } else {
            format!("Will be requested as https://{text}, or by http:// if HTTPS does not answer")
        })
    }

    /// Takes over the target that the server has checked, with its scheme.
    pub(super) fn adopt_target(&mut self, target: &str) {
        let field = self.fields().into_iter().next();
        if let Some(field) = field.filter(|field| field.field_type == "url")
            && !has_scheme(self.setting(&field.name).trim())
        {
            self.set_setting(&field.name, target.to_owned());
        }
    }

    /// Proposes a name, unless the user entered one.
    pub(super) fn propose(&mut self) {
        if !self.has_own_name {
            self.name = if self.follows() {
                self.page.propose_name()
            } else {
                let fields = self.fields();
                let first = fields.first().map_or("", |field| self.setting(&field.name));
                propose_name(first)
            };
        }
    }

    /// Returns the errors that prevent sending: texts that are not numbers, or no page. The server
    /// validates the rest.
    pub(super) fn validate(&self) -> Vec<(String, String)> {
        if self.follows() {
            let wrong = self.page.validate().into_iter();
            return wrong
                .map(|(field, text)| (field.to_owned(), text))
                .collect();
        }
        let fields = self.fields();
        let settings = fields
            .iter()
            .filter(|field| is_whole_number(field))
            .map(|field| (field.name.as_str(), self.setting(&field.name)));
        [
            ("checkIntervalSeconds", self.interval.as_str()),
            ("timeoutMs", &self.timeout),
            ("degradedThresholdMs", &self.threshold),
            ("confirmations", &self.confirmations),
            ("recoveries", &self.recoveries),
        ]
        .into_iter()
        .chain(settings)
        .filter(|(_, text)| !text.trim().is_empty() && number(text).is_none())
        .map(|(field, text)| {
            let message = format!("{:?} is not a whole number", text.trim());
            (field.to_owned(), message)
        })
        .collect()
    }

    /// Converts to the input that creates the service.
    pub(in crate::pages) fn to_create(&self) -> CreateServiceInput {
        let shared = CreateServiceInput {
            name: self.name.trim().to_owned(),
            category: present(&self.category),
            tags: Some(self.tag_list()),
            description: present(&self.description),
            monitor: self.monitor(true),
            vendor_page_url: present(&self.vendor_page),
            ..Default::default()
        };
        if self.follows() {
            return shared;
        }
        CreateServiceInput {
            check_interval_seconds: number(&self.interval),
            timeout_ms: number(&self.timeout),
            degraded_threshold_ms: number(&self.threshold),
            confirmations: number(&self.confirmations),
            recoveries: number(&self.recoveries),
            ..shared
        }
    }

    /// Converts to the input of a test, which needs no name.
    pub(super) fn to_test(&self) -> CreateServiceInput {
        let mut input = self.to_create();
        if input.name.is_empty() {
            "test".clone_into(&mut input.name);
        }
        input
    }

    /// Converts to the input that updates the service. Contains every field, so that emptied ones are
    /// cleared.
    pub(in crate::pages) fn to_update(&self) -> UpdateServiceInput {
        let shared = UpdateServiceInput {
            name: Some(self.name.trim().to_owned()),
            category: Some(self.category.trim().to_owned()),
            tags: Some(self.tag_list()),
            description: Some(self.description.trim().to_owned()),
            monitor: Some(self.monitor(false)),
            vendor_page_url: Some(self.vendor_page.trim().to_owned()),
            ..Default::default()
        };
        if self.follows() {
            return shared;
        }
        UpdateServiceInput {
            check_interval_seconds: number(&self.interval),
            timeout_ms: number(&self.timeout),
            degraded_threshold_ms: number(&self.threshold),
            confirmations: number(&self.confirmations),
            recoveries: number(&self.recoveries),
            ..shared
        }
    }

    fn tag_list(&self) -> Vec<String> {
        self.tags.split(',').filter_map(present).collect()
    }

    /// Returns the settings, under the name of their kind.
    fn monitor(&self, new: bool) -> MonitorInput {
        let Some(kind) = self.chosen() else {
            return MonitorInput::default();
        };
        let settings = if follows(kind) {
            self.page.settings(new)
        } else {
            let fields = kind.fields.iter();
            let settings = fields.filter_map(|field| {
                let value = to_json(field, self.setting(&field.name), new)?;
                Some((field.name.clone(), value))
            });
            settings.collect()
        };
        MonitorInput::new(&kind.input_name, settings)
    }
}

/// Whether a kind follows components of a page.
fn follows(kind: &MonitorKindInfo) -> bool {
    kind.fields
        .iter()
        .any(|field| field.field_type == "components")
}

fn is_whole_number(field: &FieldInfo) -> bool {
    matches!(field.field_type.as_str(), "integer" | "port" | "seconds")
}

fn is_list(field: &FieldInfo) -> bool {
    matches!(field.field_type.as_str(), "list" | "choices")
}

/// Converts the text of a setting to JSON; `None` keeps the stored value or the default. Of the
/// empty fields, only secrets keep their value.
fn to_json(field: &FieldInfo, text: &str, new: bool) -> Option<Value> {
    let text = text.trim();
    if text.is_empty() && (new || field.secret) {
        return None;
    }
    if text.is_empty() {
        return match &field.default {
            Some(default) => to_json(field, default, true),
            None if field.required => Some("".into()),
            None => Some(Value::Null),
        };
    }
    Some(match field.field_type.as_str() {
        _ if is_whole_number(field) => number(text)?.into(),
        _ if is_list(field) => text.split(',').filter_map(present).collect(),
        "number" => text.parse::<f64>().ok()?.into(),
        "boolean" => matches!(text, "true" | "yes").into(),
        _ => text.into(),
    })
}

/// Converts a JSON value to the text of its field.
fn to_text(json: &str) -> String {
    match json::parse(json) {
        Ok(JsonValue::Text(text)) => text.into_owned(),
        Ok(JsonValue::List(list)) => {
            let texts = list.iter().map(|one| one.as_text().unwrap_or_default());
            texts.collect::<Vec<_>>().join(", ")
        }
        _ => json.to_owned(),
    }
}

/// Proposes a name for a URL: its host without `www.`.
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

/// Returns a URL's host without its port.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        // A colon in brackets belongs to an address of version 6.
        Some((bare, port)) if !port.contains(']') => bare,
        _ => host,
    }
}

fn present(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn number(text: &str) -> Option<i32> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{super::page::PageContent, *};
    use crate::api::{Component, Discovery, Schedule};

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

    fn field(name: &str, field_type: &str) -> FieldInfo {
        FieldInfo {
            name: name.into(),
            label: name.into(),
            help: None,
            field_type: field_type.into(),
            required: name == "address",
            secret: field_type == "secret",
            default: (name == "codes").then(|| "200-299".into()),
            options: None,
        }
    }

    /// One kind that is checked and one that follows a page.
    fn kinds() -> Vec<MonitorKindInfo> {
        let kind = |input_name: &str, fields: &[(&str, &str)]| MonitorKindInfo {
            input_name: input_name.into(),
            name: input_name.into(),
            description: String::new(),
            schedule: Schedule::Every,
            confirmations: 2,
            fields: fields
                .iter()
                .map(|(name, kind)| field(name, kind))
                .collect(),
        };
        let checked = [
            ("address", "url"),
            ("codes", "text"),
            ("port", "port"),
            ("password", "secret"),
        ];
        vec![
            kind("check", &checked),
            kind(
                "page",
                &[("apiUrls", "list"), ("componentIds", "components")],
            ),
        ]
    }

    #[test]
    fn an_empty_number_takes_the_servers_default_and_a_word_is_refused() {
        let mut draft = Draft::new(&kinds(), false, "https://example.com");
        draft.interval = " ".into();
        assert_eq!(draft.validate(), []);
        assert_eq!(draft.to_create().check_interval_seconds, None);
        draft.timeout = "soon".into();
        assert_eq!(
            draft.validate(),
            [(
                "timeoutMs".to_owned(),
                "\"soon\" is not a whole number".to_owned()
            )]
        );
    }

    #[test]
    fn defaults_follow_what_they_depend_on_until_they_are_changed() {
        let field = |name: &str| {
            let fields = TextField::ADVANCED.iter();
            fields.into_iter().find(|field| field.name == name).unwrap()
        };
        let mut draft = Draft::new(&kinds(), false, "https://example.com");
        draft.set_text(field("checkIntervalSeconds"), "2".into());
        assert_eq!(
            (draft.timeout.as_str(), draft.threshold.as_str()),
            ("2000", "1000")
        );
        for typed in ["", "9", "90", "900"] {
            draft.set_text(field("timeoutMs"), typed.into());
        }
        assert_eq!(draft.threshold, "900");
        draft.set_text(field("checkIntervalSeconds"), "60".into());
        assert_eq!(draft.timeout, "900", "it is the user's own");
        draft.set_text(field("degradedThresholdMs"), "300".into());
        draft.set_text(field("timeoutMs"), "800".into());
        assert_eq!(draft.threshold, "300", "it is the user's own");
    }

    #[test]
    fn the_scheme_of_an_address_is_shown_before_it_is_saved() {
        let hint = |address: &str| {
            let draft = Draft::new(&kinds(), false, address);
            let field = draft.fields().remove(0);
            draft.scheme_hint(&field)
        };
        for (address, hinted) in [
            (
                "localhost:3000/x",
                Some("Will be requested as http://localhost:3000/x"),
            ),
            (
                "192.168.1.7",
                Some("Will be requested as http://192.168.1.7"),
            ),
            ("[::1]:80", Some("Will be requested as http://[::1]:80")),
            (
                "example.com",
                Some(
                    "Will be requested as https://example.com, or by http:// if HTTPS does not answer",
                ),
            ),
            ("https://example.com", None),
            ("", None),
        ] {
            assert_eq!(hint(address).as_deref(), hinted, "{address}");
        }
        let mut draft = Draft::new(&kinds(), false, "example.com");
        draft.adopt_target("http://example.com/");
        assert_eq!(draft.setting("address"), "http://example.com/");
        draft.adopt_target("https://other.example/");
        assert_eq!(
            draft.setting("address"),
            "http://example.com/",
            "a scheme that was given stays"
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
        let mut draft = Draft::new(&kinds(), true, "example");
        draft.interval = "soon".into();
        assert_eq!(
            draft
                .validate()
                .iter()
                .map(|(field, _)| field.as_str())
                .collect::<Vec<_>>(),
            ["apiUrls"]
        );
        draft.page.set_found(PageContent::from_discovery(
            discovery(vec![component]),
            false,
        ));
        draft.propose();
        assert_eq!(draft.validate(), []);
        let input = draft.to_create();
        assert_eq!(input.name, "Example · API");
        assert_eq!(input.check_interval_seconds, None);
        let sent = |input: &CreateServiceInput, field: &str| {
            input.monitor.get("page", field).map(Value::to_string)
        };
        let found = "[\"https://status.example.com/api/v2/summary.json\"]".to_owned();
        assert_eq!(sent(&input, "apiUrls"), Some(found.clone()));
        assert_eq!(sent(&input, "userDefinedUrls"), None);
        assert_eq!(sent(&input, "componentIds"), Some("[\"c1\"]".to_owned()));
        let changed = draft.to_update().monitor.unwrap();
        assert_eq!(
            changed.get("page", "apiUrls"),
            None,
            "a page stays the same"
        );
        draft
            .page
            .set_found(PageContent::from_discovery(discovery(Vec::new()), true));
        let input = draft.to_create();
        assert_eq!(sent(&input, "apiUrls"), None);
        assert_eq!(sent(&input, "userDefinedUrls"), Some(found));
    }

    #[test]
    fn settings_are_sent_under_the_name_of_their_kind_by_their_types() {
        let mut draft = Draft::new(&kinds(), false, "https://example.com");
        assert_eq!(draft.setting("codes"), "200-299", "the default of the kind");
        draft.set_setting("port", " 443 ".into());
        let monitor = draft.to_create().monitor;
        assert_eq!(
            monitor.get("check", "address"),
            Some(&"https://example.com".into())
        );
        assert_eq!(monitor.get("check", "port"), Some(&443.into()));
        assert_eq!(monitor.get("check", "password"), None);
        for field in ["codes", "port", "address"] {
            draft.set_setting(field, " ".into());
        }
        let changed = draft.to_update().monitor.unwrap();
        assert_eq!(changed.get("check", "codes"), Some(&"200-299".into()));
        assert_eq!(changed.get("check", "port"), Some(&Value::Null));
        assert_eq!(changed.get("check", "address"), Some(&"".into()));
        assert_eq!(changed.get("check", "password"), None, "a secret stays");
        draft.set_setting("port", "http".into());
        assert_eq!(draft.validate()[0].0, "port");
    }

    #[test]
    fn stored_values_are_shown_as_text() {
        assert_eq!(to_text("\"a \\\"b\\\"\""), "a \"b\"");
        assert_eq!(to_text("[\"a\",\"b\"]"), "a, b");
        assert_eq!(
            (to_text("443").as_str(), to_text("true").as_str()),
            ("443", "true")
        );
    }

    #[test]
    fn a_change_can_take_the_category_away() {
        let mut draft = Draft::new(&kinds(), false, "https://example.com");
        draft.category = " ".into();
        assert_eq!(draft.to_update().category.as_deref(), Some(""));
        assert_eq!(draft.to_create().category, None);
    }
}
