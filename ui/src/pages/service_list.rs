//! The dashboard: the headline, open incidents, vendors' announcements, and the list of services.

mod bulk_bar;
mod first_service;
mod group_header;
mod header;
mod rows;
mod toolbar;

use crate::{
    components::{ProblemBox, RowSkeletons},
    list::use_list_view,
    pages::vendor_announcements::VendorAnnouncementList,
    store::{self, Loading, use_store},
};
use dioxus::{core::spawn_forever, prelude::*};
use first_service::FirstService;
use header::{Headline, OpenIncidents};

#[component]
pub fn ServiceList() -> Element {
    let store = use_store();
    let view = use_list_view();
    let selecting = use_memo(move || (view.selecting)() || !view.selected.read().is_empty());
    let class = if selecting() {
        "page list-page choosing"
    } else {
        "page list-page"
    };
    let loading = store.services.loading.read();
    match &*loading {
        Loading::Pending => rsx! {
            div { class: "page", RowSkeletons { rows: 10 } }
        },
        Loading::Failed(problem) => rsx! {
            div { class: "page",
                ProblemBox {
                    problem: problem.clone(),
                    onretry: move |()| {
                        spawn_forever(store::load_services(store));
                    },
                }
            }
        },
        Loading::Ready if store.services.is_empty() => rsx! { FirstService {} },
        Loading::Ready => rsx! {
            div { class,
                Headline {}
                OpenIncidents {}
                VendorAnnouncementList {}
                rows::FilteredList {}
            }
        },
    }
}
