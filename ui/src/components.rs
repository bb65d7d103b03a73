//! The parts that pages are made of: they take props, send events and ask nobody. What only draws its
//! arguments and is never worth comparing is a plain function: a component has props that are built and compared.

mod ago;
mod bar;
mod chart;
mod checks;
mod dialog;
mod field;
mod icon;
mod link;
mod phases;
mod row;
mod sparkline;
mod states;
mod status;
mod timeline;
pub(crate) mod tip;
mod vendor;

pub use ago::{Ago, At, Since};
pub use bar::{DayBar, WideDayBar};
pub use chart::{LatencyChart, Shade};
pub use checks::CheckTable;
pub use dialog::Confirm;
pub use field::{Choice, Field};
pub use icon::{Shape, icon};
pub use link::{Elsewhere, Go};
pub use phases::PhaseBar;
pub use row::ServiceRow;
pub use states::{Empty, ProblemBox, RowSkeletons};
pub use status::{status_badge, status_mark};
pub use timeline::Timeline;
pub use tip::{Tip, TipLayer, use_tip};
pub use vendor::{MaintenanceNote, ReadAt, Touches, VendorIncidentNote};
