//! The dashboard's address. The list itself stands in the frame around it, so that it stays when a service is opened.

use crate::list::ListQuery;
use dioxus::prelude::*;

/// Nothing is opened.
#[component]
pub fn Overview(list: ListQuery) -> Element {
    let _ = list;
    VNode::empty()
}
