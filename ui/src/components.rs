//! The parts of pages: they take props and send events, and never fetch. A part that only draws its
//! arguments is a plain function, which is smaller than a component.

mod chart;
mod check_table;
mod confirm_dialog;
mod day_bar;
mod field;
mod icon;
mod link;
mod phase_bar;
mod placeholder;
mod service_row;
mod sparkline;
mod status;
mod time;
mod timeline;
mod tooltip;
mod vendor;

pub use chart::{LatencyChart, ShadedPeriod};
pub use check_table::CheckTable;
pub use confirm_dialog::ConfirmDialog;
pub use day_bar::{DayBar, WideDayBar};
pub use field::{Field, Select};
pub use icon::{Icon, icon};
pub use link::{ExternalLink, Link};
pub use phase_bar::PhaseBar;
pub use placeholder::{EmptyState, ProblemBox, RowSkeletons};
pub use service_row::ServiceRow;
pub use status::{service_badge, status_badge, status_mark};
pub use time::{Elapsed, TimeAgo, Timestamp};
pub use timeline::Timeline;
pub use tooltip::{Tooltip, TooltipLayer, TooltipState, use_tooltip};
pub use vendor::{AffectedComponents, LastRead, VendorIncidentNote, VendorMaintenanceNote};
