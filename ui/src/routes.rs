//! The site map: every address of the dashboard, what stands there, and how one gets from one to another.

use crate::{browser, list::ListQuery, pages::*};
use dioxus::{core::Runtime, prelude::*};
use std::{fmt::Write, rc::Rc};
use uuid::Uuid;

/// An address of the dashboard.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the addresses say it")]
pub enum Route {
    Dashboard { list: ListQuery },
    NewService { prefill: Prefill },
    EditService { id: Uuid },
    Service { id: Uuid, view: ServiceQuery },
    Incidents { filter: IncidentsQuery },
    Incident { id: Uuid },
    Settings {},
    System {},
    SignIn { query: SignInQuery },
    Lost { path: String },
}

/// Where one is.
#[derive(Clone, Copy)]
struct Place(Signal<Route>);

/// Follows the browser's history; for the root alone.
pub(crate) fn use_history() {
    let Place(route) = use_context_provider(|| Place(Signal::new(Route::at(&browser::address()))));
    use_hook(|| {
        let went = Runtime::wrap_closure(move |()| {
            let mut route = route;
            route.set(Route::at(&browser::address()));
        });
        Rc::new(browser::listen("popstate", move || went(())))
    });
}

/// Where one is. Who asks is drawn anew when one goes elsewhere.
pub(crate) fn use_route() -> Route {
    use_context::<Place>().0.read().clone()
}

impl Route {
    /// The dashboard with nothing filtered.
    #[must_use]
    pub fn home() -> Self {
        Self::Dashboard {
            list: ListQuery::default(),
        }
    }

    /// The page of a service.
    #[must_use]
    pub fn service(id: Uuid) -> Self {
        Self::service_beside(id, ListQuery::default())
    }

    /// The page of a service with the list beside it filtered by `list`.
    #[must_use]
    pub fn service_beside(id: Uuid, list: ListQuery) -> Self {
        Self::Service {
            id,
            view: ServiceQuery {
                list,
                ..Default::default()
            },
        }
    }

    /// The form for a new service.
    #[must_use]
    pub fn new_service() -> Self {
        Self::NewService {
            prefill: Prefill::default(),
        }
    }

    /// Incidents of every kind.
    #[must_use]
    pub fn incidents() -> Self {
        Self::Incidents {
            filter: IncidentsQuery::default(),
        }
    }

    /// What an address stands for.
    #[must_use]
    pub fn at(address: &str) -> Self {
        let address = address.split('#').next().unwrap_or_default();
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let path = decoded(path.strip_prefix('/').unwrap_or(path));
        let path = path.strip_suffix('/').unwrap_or(&path);
        let query = decoded(query);
        let query = query.as_str();
        let steps: Vec<_> = path.split('/').collect();
        let id = steps.get(1).and_then(|id| id.parse().ok());
        match (steps.as_slice(), id) {
            ([""], _) => Self::Dashboard { list: query.into() },
            (["services", "new"], _) => Self::NewService {
                prefill: query.into(),
            },
            (["services", _, "edit"], Some(id)) => Self::EditService { id },
            (["services", _], Some(id)) => Self::Service {
                id,
                view: query.into(),
            },
            (["incidents"], _) => Self::Incidents {
                filter: query.into(),
            },
            (["incidents", _], Some(id)) => Self::Incident { id },
            (["settings"], _) => Self::Settings {},
            (["system"], _) => Self::System {},
            (["sign-in"], _) => Self::SignIn {
                query: query.into(),
            },
            _ => Self::Lost {
                path: path.to_owned(),
            },
        }
    }

    /// The address as it stands in links.
    #[must_use]
    pub fn address(&self) -> String {
        let (path, query) = match self {
            Self::Dashboard { list } => (String::new(), list.to_string()),
            Self::NewService { prefill } => ("services/new".to_owned(), prefill.to_string()),
            Self::EditService { id } => (format!("services/{id}/edit"), String::new()),
            Self::Service { id, view } => (format!("services/{id}"), view.to_string()),
            Self::Incidents { filter } => ("incidents".to_owned(), filter.to_string()),
            Self::Incident { id } => (format!("incidents/{id}"), String::new()),
            Self::Settings {} => ("settings".to_owned(), String::new()),
            Self::System {} => ("system".to_owned(), String::new()),
            Self::SignIn { query } => ("sign-in".to_owned(), query.to_string()),
            Self::Lost { path } => (encoded_path(path), String::new()),
        };
        if query.is_empty() {
            return format!("/{path}");
        }
        // Everything that does not end a query or spoil it stays legible.
        format!(
            "/{path}?{}",
            encoded(&query, |byte| byte.is_ascii_graphic()
                && !b"\"#<>%".contains(&byte))
        )
    }

    /// Where one is now.
    pub(crate) fn here() -> Self {
        consume_context::<Place>().0.peek().clone()
    }

    /// Goes there.
    pub fn open(&self) {
        browser::push_address(&self.address());
        self.arrive();
    }

    /// Goes there, so that the way back does not lead here.
    pub fn open_instead(&self) {
        browser::replace_address(&self.address());
        self.arrive();
    }

    fn arrive(&self) {
        consume_context::<Place>().0.set(self.clone());
    }

    /// Whether it stands beside the list of services.
    pub(crate) const fn is_beside_list(&self) -> bool {
        matches!(
            self,
            Self::Dashboard { .. }
                | Self::NewService { .. }
                | Self::EditService { .. }
                | Self::Service { .. }
        )
    }

    /// What stands there, without what is around it.
    pub(crate) fn page(self) -> Element {
        match self {
            // The list is around it.
            Self::Dashboard { .. } => VNode::empty(),
            Self::NewService { prefill } => rsx! { NewService { prefill } },
            Self::EditService { id } => rsx! { EditService { id } },
            Self::Service { id, view } => rsx! { ServicePage { id, view } },
            Self::Incidents { filter } => rsx! { IncidentsPage { filter } },
            Self::Incident { id } => rsx! { IncidentPage { id } },
            Self::Settings {} => rsx! { SettingsPage {} },
            Self::System {} => rsx! { SystemPage {} },
            Self::SignIn { query } => rsx! { SignInPage { query } },
            Self::Lost { path } => rsx! { NotFound { path } },
        }
    }

    /// How the list of services is filtered here; nothing on pages without it.
    #[must_use]
    pub fn list(&self) -> Option<&ListQuery> {
        match self {
            Self::Dashboard { list }
            | Self::Service {
                view: ServiceQuery { list, .. },
                ..
            } => Some(list),
            _ => None,
        }
    }

    /// The same address with the list filtered by `query`.
    #[must_use]
    pub fn with_list(&self, query: ListQuery) -> Self {
        match self {
            Self::Dashboard { .. } => Self::Dashboard { list: query },
            Self::Service { id, view } => Self::Service {
                id: *id,
                view: ServiceQuery {
                    list: query,
                    ..view.clone()
                },
            },
            other => other.clone(),
        }
    }

    /// The same address with another stretch of time in the chart.
    #[must_use]
    pub fn with_shown(mut self, wanted: Shown) -> Self {
        if let Self::Service { view, .. } = &mut self {
            view.shown = wanted;
        }
        self
    }
}

/// As it may stand in an address: every byte that is not `plain` as its number.
fn encoded(text: &str, plain: fn(u8) -> bool) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a text takes any text");
        }
    }
    encoded
}

/// As a path may stand anywhere in an address.
pub(crate) fn encoded_path(path: &str) -> String {
    encoded(path, |byte| {
        byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte)
    })
}

fn decoded(text: &str) -> String {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let coded = match after {
            [high, low, ..] if *first == b'%' => digit(high).zip(digit(low)),
            _ => None,
        };
        let byte = coded.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{Status, Window},
        list::Sort,
    };

    #[test]
    fn addresses_are_read_as_they_are_written() {
        let id = Uuid::from_u128(7);
        let list = ListQuery {
            text: "a & b=c #1 ü 5%41".into(),
            status: Some(Status::Down),
            sort: Sort::Worst,
            flat: true,
        };
        for route in [
            Route::home(),
            Route::Dashboard { list: list.clone() },
            Route::service_beside(id, list.clone()),
            Route::service_beside(id, list).with_shown(Shown::Last(Window::Week)),
            Route::EditService { id },
            Route::new_service(),
            Route::NewService {
                prefill: Prefill {
                    url: "https://example.com/?a=b&c".into(),
                    page: false,
                },
            },
            Route::incidents(),
            Route::Incident { id },
            Route::Settings {},
            Route::System {},
        ] {
            assert_eq!(Route::at(&route.address()), route, "{}", route.address());
        }
    }

    #[test]
    fn what_is_no_address_is_not_found() {
        for path in ["/nowhere", "/services/7", "/incidents/x/y"] {
            assert!(matches!(Route::at(path), Route::Lost { .. }), "{path}");
        }
    }
}
