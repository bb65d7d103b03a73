//! The list of services: filter, order, groups, and the virtual list that renders only the visible
//! rows.

mod grouping;
mod query;
mod view;
mod virtual_list;

pub use grouping::{Group, group_services};
pub use query::{ListQuery, Sort};
pub use view::ListView;
pub(crate) use view::{LIST_ID, row_id, use_list_view};
pub use virtual_list::{
    GroupHeading, Viewport, VirtualRow, build_rows, initial_range, next_range, range_in_viewport,
    rows_to_render,
};
