//! A vendor's page as somebody is choosing from it. Plain data and functions.

use crate::{
    api::{Component, Definition, Discovery, FollowedComponent},
    browser,
};
use serde_json::{Map, Value};
use std::rc::Rc;

/// Which page, and which of its components.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::pages) struct PageDraft {
    /// A name or an address, as typed.
    pub(super) typed: String,
    /// What the catalogue calls it, where it was chosen there.
    pub(super) known_as: Option<String>,
    /// The page that was found.
    pub(super) found: Option<Rc<Found>>,
    /// The ids of the components to follow.
    pub(super) chosen: Vec<String>,
    /// Addresses given by hand; none until they are needed.
    pub(super) by_hand: Vec<Address>,
}

/// An address given by hand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Address {
    pub(super) url: String,
    /// Why it does not help.
    pub(super) wrong: Option<String>,
}

/// A page, and what can be followed on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: Option<String>,
    pub(super) url: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) by_hand: bool,
    pub(super) api_urls: Vec<String>,
    pub(super) components: Vec<Component>,
    /// Those that are followed and that it has no more.
    pub(super) gone: Vec<FollowedComponent>,
}

impl Found {
    /// Of a discovery.
    pub(super) fn from_discovery(discovery: Discovery, by_hand: bool) -> Self {
        Self {
            name: discovery.page_name,
            url: discovery.page_url,
            provider: discovery.provider,
            by_hand,
            api_urls: discovery.api_urls,
            components: discovery.components,
            gone: Vec::new(),
        }
    }

    /// What the page is called, without the words that say that it is one.
    fn called(&self) -> Option<&str> {
        let name = self.name.as_deref()?.trim();
        let short = name
            .strip_suffix("Status")
            .or(name.strip_suffix("status"))
            .map_or(name, str::trim_end);
        Some(if short.is_empty() { name } else { short })
    }
}

impl PageDraft {
    /// Of a known service: its page, and what it follows.
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
        let gone = components
            .into_iter()
            .filter(|component| component.missing)
            .collect();
        let found = vendor_page.map(|page| Found {
            name: page.name,
            url: page.url,
            provider: page.provider,
            by_hand: false,
            api_urls: Vec::new(),
            components: page.components,
            gone,
        });
        Self {
            found: found.map(Rc::new),
            chosen,
            ..Self::default()
        }
    }

    /// Takes what was found. What was chosen before stays chosen as far as it is there.
    pub(super) fn take(&mut self, found: Found) {
        self.chosen
            .retain(|id| found.components.iter().any(|component| component.id == *id));
        if let [only] = found.components.as_slice() {
            self.chosen = vec![only.id.clone()];
        }
        self.found = Some(Rc::new(found));
    }

    /// The addresses to read, and whether they were given by hand.
    pub(super) fn addresses(&self) -> (bool, &[String]) {
        self.found
            .as_ref()
            .map_or((false, &[]), |found| (found.by_hand, &found.api_urls))
    }

    /// What is sent of it. A known service stays at its page.
    pub(super) fn settings(&self, new: bool) -> Map<String, Value> {
        let mut settings = Map::new();
        settings.insert("componentIds".into(), self.chosen.clone().into());
        if new {
            let (by_hand, urls) = self.addresses();
            let field = if by_hand {
                "userDefinedUrls"
            } else {
                "apiUrls"
            };
            settings.insert(field.into(), urls.to_vec().into());
        }
        settings
    }

    /// What is missing before it can be sent.
    pub(super) fn wrong(&self) -> Option<(&'static str, String)> {
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

    /// The vendor, and the component when it is only one.
    pub(super) fn propose_name(&self) -> String {
        let Some(found) = &self.found else {
            return String::new();
        };
        let vendor = self
            .known_as
            .as_deref()
            .or(found.called())
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

    /// Follows `ids` too, or none of them any more.
    pub(super) fn choose(&mut self, ids: &[String], follow: bool) {
        self.chosen.retain(|id| !ids.contains(id));
        if follow {
            self.chosen.extend_from_slice(ids);
        }
    }

    /// Follows `by` in place of `gone`.
    pub(super) fn replace(&mut self, gone: &str, by: &str) {
        self.chosen.retain(|id| id != by);
        for id in &mut self.chosen {
            if id == gone {
                by.clone_into(id);
            }
        }
    }
}

/// A vendor's group with those of its components that fit a filter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ComponentGroup<'a> {
    /// The vendor's name for it; none for components without one.
    pub(super) name: Option<&'a str>,
    pub(super) components: Vec<&'a Component>,
}

/// The components in the vendor's groups and order, as far as their name or group holds `filter`.
pub(super) fn groups<'a>(components: &'a [Component], filter: &str) -> Vec<ComponentGroup<'a>> {
    let needle = browser::lowercase(filter.trim());
    let holds = |text: &str| browser::lowercase(text).contains(&needle);
    let mut groups: Vec<ComponentGroup<'a>> = Vec::new();
    for component in components {
        let name = component.group_name.as_deref();
        if !needle.is_empty() && !holds(&component.name) && !name.is_some_and(holds) {
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

/// Whether what was typed is rather an address than a name.
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

    fn found(name: &str, components: Vec<Component>) -> Found {
        let (url, provider, api_urls) = (None, None, vec!["https://x/summary.json".to_owned()]);
        Found {
            name: Some(name.into()),
            url,
            provider,
            by_hand: false,
            api_urls,
            components,
            gone: Vec::new(),
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
            groups(&all, filter)
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
        page.take(found(
            "Claude Status",
            vec![component("1", "Sonnet", None), component("2", "Opus", None)],
        ));
        assert_eq!(page.propose_name(), "Claude");
        page.choose(&["2".to_owned()], true);
        assert_eq!(page.propose_name(), "Claude · Opus");
        page.choose(&["1".to_owned()], true);
        assert_eq!(page.propose_name(), "Claude");
        page.known_as = Some("Anthropic".into());
        page.choose(&["1".to_owned()], false);
        assert_eq!(page.propose_name(), "Anthropic · Opus");
        page.take(found(
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
        assert_eq!(page.wrong().map(|(field, _)| field), Some("apiUrls"));
        page.take(found(
            "A",
            vec![component("1", "One", None), component("2", "Two", None)],
        ));
        assert_eq!(page.wrong().map(|(field, _)| field), Some("componentIds"));
        page.choose(&["1".to_owned(), "2".to_owned()], true);
        page.take(found(
            "A",
            vec![component("2", "Two", None), component("3", "Three", None)],
        ));
        assert_eq!(
            (page.chosen.as_slice(), page.wrong()),
            (["2".to_owned()].as_slice(), None)
        );
        page.take(found("B", vec![component("8", "Only", None)]));
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
