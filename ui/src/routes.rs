//! The site map: every address of the dashboard, and what stands there.

use crate::{list::ListQuery, pages::*};
use dioxus::prelude::*;
use uuid::Uuid;

/// An address of the dashboard.
#[derive(Debug, Clone, PartialEq, Routable)]
#[rustfmt::skip]
#[allow(missing_docs, reason = "the addresses say it")]
pub enum Route {
    #[layout(Shell)]
        #[layout(Split)]
            #[route("/?:..list", Overview)]
            Dashboard { list: ListQuery },
            #[route("/services/new?:..prefill", NewService)]
            NewService { prefill: Prefill },
            #[route("/services/:id/edit", EditService)]
            EditService { id: Uuid },
            #[route("/services/:id?:..view", ServicePage)]
            Service { id: Uuid, view: ServiceQuery },
        #[end_layout]
        #[route("/incidents?:..filter", IncidentsPage)]
        Incidents { filter: IncidentsQuery },
        #[route("/incidents/:id", IncidentPage)]
        Incident { id: Uuid },
        #[route("/settings", SettingsPage)]
        Settings {},
        #[route("/system", SystemPage)]
        System {},
        #[route("/sign-in?:..query", SignInPage)]
        SignIn { query: SignInQuery },
        #[route("/:..path", NotFound)]
        Lost { path: Vec<String> },
}

impl Route {
    /// The dashboard with nothing filtered.
    #[must_use]
    pub fn home() -> Self {
        Self::Dashboard { list: ListQuery::default() }
    }

    /// The page of a service.
    #[must_use]
    pub fn service(id: Uuid) -> Self {
        Self::service_beside(id, ListQuery::default())
    }

    /// The page of a service with the list beside it filtered by `list`.
    #[must_use]
    pub fn service_beside(id: Uuid, list: ListQuery) -> Self {
        Self::Service { id, view: ServiceQuery { list, ..Default::default() } }
    }

    /// The form for a new service.
    #[must_use]
    pub fn new_service() -> Self {
        Self::NewService { prefill: Prefill::default() }
    }

    /// Incidents of every kind.
    #[must_use]
    pub fn incidents() -> Self {
        Self::Incidents { filter: IncidentsQuery::default() }
    }

    /// The address as it stands in links: without the question mark of an empty query.
    #[must_use]
    pub fn address(&self) -> String {
        let address = self.to_string();
        address.strip_suffix('?').map(str::to_owned).unwrap_or(address)
    }

    /// Goes there.
    pub fn open(&self) {
        navigator().push(self.clone());
    }

    /// Goes there, so that the way back does not lead here.
    pub fn open_instead(&self) {
        navigator().replace(self.clone());
    }

    /// How the list of services is filtered here; nothing on pages without it.
    #[must_use]
    pub fn list(&self) -> Option<&ListQuery> {
        match self {
            Self::Dashboard { list } | Self::Service { view: ServiceQuery { list, .. }, .. } => Some(list),
            _ => None,
        }
    }

    /// The same address with the list filtered by `query`.
    #[must_use]
    pub fn with_list(&self, query: ListQuery) -> Self {
        match self {
            Self::Dashboard { .. } => Self::Dashboard { list: query },
            Self::Service { id, view } => Self::Service { id: *id, view: ServiceQuery { list: query, ..view.clone() } },
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
        let list = ListQuery { text: "a & b=c".into(), status: Some(Status::Down), sort: Sort::Worst, flat: true };
        for route in [
            Route::home(),
            Route::Dashboard { list: list.clone() },
            Route::service_beside(id, list.clone()),
            Route::service_beside(id, list).with_shown(Shown::Last(Window::Week)),
            Route::EditService { id },
            Route::new_service(),
            Route::NewService { prefill: Prefill { url: "https://example.com/?a=b&c".into(), page: false } },
            Route::incidents(),
            Route::Incident { id },
            Route::Settings {},
            Route::System {},
        ] {
            assert_eq!(route.to_string().parse::<Route>().unwrap(), route, "{route}");
        }
    }

    #[test]
    fn what_is_no_address_is_not_found() {
        for path in ["/nowhere", "/services/7", "/incidents/x/y"] {
            assert!(matches!(path.parse::<Route>().unwrap(), Route::Lost { .. }), "{path}");
        }
    }
}
