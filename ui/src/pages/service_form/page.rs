//! The vendor page and the components that the user chooses. Plain data and functions.

use crate::{
    api::{Component, Definition, Discovery, FollowedComponent},
    browser,
};
use serde_json::{Map, Value};
use std::rc::Rc;

/// The input about a vendor page: the search, the page, and the chosen components.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::pages) struct PageDraft {
    /// The text of the search: a name or a URL.
    pub(super) typed: String,
    /// The vendor's name in the catalogue, if it was chosen there.
    pub(super) catalogue_name: Option<String>,
    /// The page that was found.
    pub(super) found: Option<Rc<PageContent>>,
    /// The ids of the components to follow.
    pub(super) chosen: Vec<String>,
    /// URLs of JSON endpoints that the user enters; empty until a search fails.
    pub(super) endpoints: Vec<Endpoint>,
}

/// The URL of a JSON endpoint, as the user enters it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Endpoint {
    pub(super) url: String,
    /// Why the server rejected it.
    pub(super) error: Option<String>,
}

/// A vendor page that was found, and its components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageContent {
    pub(super) name: Option<String>,
    pub(super) url: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) user_defined: bool,
    pub(super) api_urls: Vec<String>,
    pub(super) components: Vec<Component>,
    /// Followed components that are no longer on the page.
    pub(super) missing: Vec<FollowedComponent>,
}

impl PageContent {
    /// Converts the result of a discovery.
    pub(super) fn from_discovery(discovery: Discovery, user_defined: bool) -> Self {
        Self {
            name: discovery.page_name,
            url: discovery.page_url,
            provider: discovery.provider,
            user_defined,
            api_urls: discovery.api_urls,
            components: discovery.components,
            missing: Vec::new(),
        }
    }

    /// Returns the page's name without a trailing "Status".
    fn short_name(&self) -> Option<&str> {
        let name = self.name.as_deref()?.trim();
        let short = name
            .strip_suffix("Status")
            .or(name.strip_suffix("status"))
            .map_or(name, str::trim_end);
        Some(if short.is_empty() { name } else { short })
    }
}

impl PageDraft {
    /// Returns the page of an existing service, and the components that it follows.
    pub(in crate::pages) fn from_definition(definition: Definition) -> Self {
        let Definition {
            components,
            vendor_page,
            ..
        } = definition;
        let chosen = components
            .iter()
            .map(|component| component.id.clone())
            .collect();
        let missing = components
            .into_iter()
            .filter(|component| component.missing)
            .collect();
        let found = vendor_page.map(|page| PageContent {
            name: page.name,
            url: page.url,
            provider: page.provider,
            user_defined: false,
            api_urls: Vec::new(),
            components: page.components,
            missing,
        });
        Self {
            found: found.map(Rc::new),
            chosen,
            ..Self::default()
        }
    }

    /// Sets the page that was found. Components stay chosen if it has them; an only component is
    /// chosen.
    pub(super) fn set_found(&mut self, found: PageContent) {
        self.chosen
            .retain(|id| found.components.iter().any(|component| component.id == *id));
        if let [only] = found.components.as_slice() {
            self.chosen = vec![only.id.clone()];
        }
        self.found = Some(Rc::new(found));
    }

    /// Returns whether the user entered the URLs, and the URLs to read.
    pub(super) fn addresses(&self) -> (bool, &[String]) {
        self.found
            .as_ref()
            .map_or((false, &[]), |found| (found.user_defined, &found.api_urls))
    }

    /// Returns the settings to send. An existing service keeps its page.
    pub(super) fn settings(&self, new: bool) -> Map<String, Value> {
        let mut settings = Map::new();
        settings.insert("componentIds".into(), self.chosen.clone().into());
        if new {
            let (user_defined, urls) = self.addresses();
            let field = if user_defined {
                "userDefinedUrls"
            } else {
                "apiUrls"
            };
            settings.insert(field.into(), urls.to_vec().into());
        }
        settings
    }

    /// Returns the field and message of what is missing before it can be sent.
    pub(super) fn validate(&self) -> Option<(&'static str, String)> {
        if self.found.is_none() {
            return Some((
                "apiUrls",
                "Find the vendor page first: type a name or an address".to_owned(),
            ));
        }
        self.chosen
            .is_empty()
            .then(|| ("componentIds", "Choose one component or more".to_owned()))
    }

    /// Proposes a name: the vendor's, with the component's if only one is chosen.
    pub(super) fn propose_name(&self) -> String {
        let Some(found) = &self.found else {
            return String::new();
        };
        let vendor = self
            .catalogue_name
            .as_deref()
            .or(found.short_name())
            .unwrap_or_default();
        let only = match self.chosen.as_slice() {
            [id] => found
                .components
                .iter()
                .find(|component| component.id == *id),
            _ => None,
        };
        match only.map(|component| component.name.as_str()) {
            Some(name) if vendor.is_empty() || name.contains(vendor) => name.to_owned(),
            Some(name) => format!("{vendor} · {name}"),
            None => vendor.to_owned(),
        }
        .chars()
        .take(domain::service::MAX_NAME)
        .collect()
    }

    /// Adds `ids` to the chosen components, or removes them.
    pub(super) fn choose(&mut self, ids: &[String], follow: bool) {
        self.chosen.retain(|id| !ids.contains(id));
        if follow {
            self.chosen.extend_from_slice(ids);
        }
    }

    /// Replaces the component `missing` by `by`.
    pub(super) fn replace(&mut self, missing: &str, by: &str) {
        self.chosen.retain(|id| id != by);
        for id in &mut self.chosen {
            if id == missing {
                by.clone_into(id);
            }
        }
    }
}

/// A group of components that match the filter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ComponentGroup<'a> {
    /// The vendor's name of the group; `None` for components without one.
    pub(super) name: Option<&'a str>,
    pub(super) components: Vec<&'a Component>,
}

/// Groups the components whose name or group contains `filter`, in the vendor's order.
pub(super) fn group_components<'a>(
    components: &'a [Component],
    filter: &str,
) -> Vec<ComponentGroup<'a>> {
    let needle = browser::lowercase(filter.trim());
    let contains = |text: &str| browser::lowercase(text).contains(&needle);
    let mut groups: Vec<ComponentGroup<'a>> = Vec::new();
    for component in components {
        let name = component.group_name.as_deref();
        if !needle.is_empty() && !contains(&component.name) && !name.is_some_and(contains) {
            continue;
        }
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.components.push(component),
            None => groups.push(ComponentGroup {
                name,
                components: vec![component],
            }),
        }
    }
    groups
}

/// Whether the text looks like a URL rather than a name.
pub(super) fn is_address(typed: &str) -> bool {
    let typed = typed.trim();
    typed.contains("://") || (typed.contains('.') && !typed.contains(' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Status;

    fn component(id: &str, name: &str, group: Option<&str>) -> Component {
        Component {
            id: id.into(),
            name: name.into(),
            group_name: group.map(str::to_owned),
            status: Status::Up,
            vendor_status: "operational".into(),
        }
    }

    fn found(name: &str, components: Vec<Component>) -> PageContent {
        let (url, provider, api_urls) = (None, None, vec!["https://x/summary.json".to_owned()]);
        PageContent {
            name: Some(name.into()),
            url,
            provider,
            user_defined: false,
            api_urls,
            components,
            missing: Vec::new(),
        }
    }

    #[test]
    fn components_stand_in_the_vendors_groups_and_order() {
        let all = [
            component("1", "API", Some("Europe")),
            component("2", "Website", None),
            component("3", "Console", Some("Europe")),
            component("4", "API", Some("Asia")),
        ];
        let shape = |filter: &str| -> Vec<(Option<String>, Vec<String>)> {
            let ids = |group: &ComponentGroup<'_>| {
                group.components.iter().map(|one| one.id.clone()).collect()
            };
            group_components(&all, filter)
                .iter()
                .map(|group| (group.name.map(str::to_owned), ids(group)))
                .collect()
        };
        let group = |name: Option<&str>, ids: &[&str]| {
            (
                name.map(str::to_owned),
                ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>(),
            )
        };
        let everything = [
            group(Some("Europe"), &["1", "3"]),
            group(None, &["2"]),
            group(Some("Asia"), &["4"]),
        ];
        assert_eq!(shape(" "), everything);
        assert_eq!(
            shape("api"),
            [group(Some("Europe"), &["1"]), group(Some("Asia"), &["4"])]
        );
        assert_eq!(shape("euro"), [group(Some("Europe"), &["1", "3"])]);
        assert_eq!(shape("nothing"), []);
    }

    #[test]
    fn the_name_is_the_vendor_and_the_only_component() {
        let mut page = PageDraft::default();
        assert_eq!(page.propose_name(), "");
        page.set_found(found(
            "Claude Status",
            vec![component("1", "Sonnet", None), component("2", "Opus", None)],
        ));
        assert_eq!(page.propose_name(), "Claude");
        page.choose(&["2".to_owned()], true);
        assert_eq!(page.propose_name(), "Claude · Opus");
        page.choose(&["1".to_owned()], true);
        assert_eq!(page.propose_name(), "Claude");
        page.catalogue_name = Some("Anthropic".into());
        page.choose(&["1".to_owned()], false);
        assert_eq!(page.propose_name(), "Anthropic · Opus");
        page.set_found(found(
            "Status",
            vec![component("9", "x".repeat(300).as_str(), None)],
        ));
        assert_eq!(
            page.propose_name().chars().count(),
            domain::service::MAX_NAME
        );
    }

    #[test]
    fn what_was_chosen_stays_when_the_page_is_found_again_and_the_only_component_is_chosen() {
        let mut page = PageDraft::default();
        assert_eq!(page.validate().map(|(field, _)| field), Some("apiUrls"));
        page.set_found(found(
            "A",
            vec![component("1", "One", None), component("2", "Two", None)],
        ));
        assert_eq!(
            page.validate().map(|(field, _)| field),
            Some("componentIds")
        );
        page.choose(&["1".to_owned(), "2".to_owned()], true);
        page.set_found(found(
            "A",
            vec![component("2", "Two", None), component("3", "Three", None)],
        ));
        assert_eq!(
            (page.chosen.as_slice(), page.validate()),
            (["2".to_owned()].as_slice(), None)
        );
        page.set_found(found("B", vec![component("8", "Only", None)]));
        assert_eq!(page.chosen, ["8"]);
    }

    #[test]
    fn a_component_that_is_gone_is_replaced_in_its_place() {
        let mut page = PageDraft {
            chosen: vec!["1".into(), "gone".into(), "3".into()],
            ..Default::default()
        };
        page.replace("gone", "4");
        assert_eq!(page.chosen, ["1", "4", "3"]);
        page.replace("4", "3");
        assert_eq!(page.chosen, ["1", "3"]);
    }

    #[test]
    fn addresses_are_told_from_names() {
        for (typed, address) in [
            ("claude", false),
            ("status.claude.com", true),
            ("https://x", true),
            ("Node.js build", false),
            ("", false),
        ] {
            assert_eq!(is_address(typed), address, "{typed}");
        }
    }
}
