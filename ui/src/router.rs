//! The routes of the dashboard: their URLs and the navigation between them.

mod encoding;
mod incidents_query;
mod prefill;
mod service_query;
mod sign_in_query;

pub(crate) use encoding::encode_path;
pub use incidents_query::{IncidentsQuery, KINDS, STATES, TIMES, by_key, key_of};
pub use prefill::Prefill;
pub use service_query::{CHART_WINDOWS, ChartRange, ServiceQuery};
pub use sign_in_query::SignInQuery;

use crate::{browser, list::ListQuery};
use dioxus::{core::Runtime, prelude::*};
use encoding::{decode, encode_query};
use std::rc::Rc;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq)]
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
    NotFound { path: String },
}

/// The current route.
#[derive(Clone, Copy)]
struct RouteContext(Signal<Route>);

/// Provides the current route and follows the browser's history. Only the root component calls it.
pub(crate) fn use_router() {
    let parse = || Route::parse(&browser::current_url());
    let RouteContext(route) = use_context_provider(|| RouteContext(Signal::new(parse())));
    use_hook(|| {
        let on_popstate = Runtime::wrap_closure(move |()| {
            let mut route = route;
            route.set(parse());
        });
        Rc::new(browser::listen("popstate", move || on_popstate(())))
    });
}

/// Returns the current route and subscribes to it.
pub(crate) fn use_route() -> Route {
    use_context::<RouteContext>().0.read().clone()
}

impl Route {
    /// The dashboard without a filter.
    #[must_use]
    pub fn home() -> Self {
        Self::Dashboard {
            list: ListQuery::default(),
        }
    }

    #[must_use]
    pub fn service(id: Uuid) -> Self {
        Self::service_with_list(id, ListQuery::default())
    }

    /// The page of a service, with the list beside it filtered by `list`.
    #[must_use]
    pub fn service_with_list(id: Uuid, list: ListQuery) -> Self {
        Self::Service {
            id,
            view: ServiceQuery {
                list,
                ..Default::default()
            },
        }
    }

    /// The empty form for a new service.
    #[must_use]
    pub fn new_service() -> Self {
        Self::NewService {
            prefill: Prefill::default(),
        }
    }

    /// The incidents without a filter.
    #[must_use]
    pub fn incidents() -> Self {
        Self::Incidents {
            filter: IncidentsQuery::default(),
        }
    }

    /// Parses a URL, from its path on.
    #[must_use]
    pub fn parse(url: &str) -> Self {
        let url = url.split('#').next().unwrap_or_default();
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let path = decode(path.strip_prefix('/').unwrap_or(path));
        let path = path.strip_suffix('/').unwrap_or(&path);
        let query = decode(query);
        let query = query.as_str();
        let segments: Vec<_> = path.split('/').collect();
        let id = segments.get(1).and_then(|id| id.parse().ok());
        match (segments.as_slice(), id) {
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
            _ => Self::NotFound {
                path: path.to_owned(),
            },
        }
    }

    /// Returns the URL, from its path on.
    #[must_use]
    pub fn url(&self) -> String {
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
            Self::NotFound { path } => (encode_path(path), String::new()),
        };
        if query.is_empty() {
            format!("/{path}")
        } else {
            format!("/{path}?{}", encode_query(&query))
        }
    }

    /// Returns the current route. Does not subscribe.
    pub(crate) fn current() -> Self {
        consume_context::<RouteContext>().0.peek().clone()
    }

    /// Navigates to this route.
    pub fn open(&self) {
        browser::push_url(&self.url());
        self.set_route();
    }

    /// Navigates to this route in place of the current one, which leaves the history.
    pub fn replace(&self) {
        browser::replace_url(&self.url());
        self.set_route();
    }

    fn set_route(&self) {
        consume_context::<RouteContext>().0.set(self.clone());
    }

    /// Returns whether the page is shown beside the list of services.
    pub(crate) const fn is_beside_list(&self) -> bool {
        matches!(
            self,
            Self::Dashboard { .. }
                | Self::NewService { .. }
                | Self::EditService { .. }
                | Self::Service { .. }
        )
    }

    /// Returns the service that is open beside the list.
    pub(crate) const fn opened_service(&self) -> Option<Uuid> {
        match self {
            Self::Service { id, .. } | Self::EditService { id } => Some(*id),
            _ => None,
        }
    }

    /// Returns the filter of the list of services; `None` on pages without it.
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

    /// Returns the same route with another filter of the list.
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

    /// Returns the same route with another range of the chart.
    #[must_use]
    pub fn with_chart_range(mut self, range: ChartRange) -> Self {
        if let Self::Service { view, .. } = &mut self {
            view.chart_range = range;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{Status, Window},
        list::Sort,
    };

    #[test]
    fn urls_round_trip() {
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
            Route::service_with_list(id, list.clone()),
            Route::service_with_list(id, list).with_chart_range(ChartRange::Last(Window::Week)),
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
            assert_eq!(Route::parse(&route.url()), route, "{}", route.url());
        }
    }

    #[test]
    fn an_unknown_url_is_not_found() {
        for path in ["/nowhere", "/services/7", "/incidents/x/y"] {
            assert!(
                matches!(Route::parse(path), Route::NotFound { .. }),
                "{path}"
            );
        }
    }
}
