//! A kind that is always up, to show what a kind needs.

use crate::{Deadline, Kind, KindInfo, Net, Schedule};
use domain::field::{FieldInfo, FieldType};
use domain::service::FieldError;
use domain::{Outcome, Phases, Status};
use serde::{Deserialize, Serialize};

/// Says that it is up, and for whom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject))]
#[cfg_attr(feature = "graphql", graphql(name = "BeaconMonitor"))]
pub struct Beacon {
    /// Whom it shines for.
    pub label: String,
}

impl Kind for Beacon {
    const INFO: KindInfo = KindInfo {
        name: "Beacon",
        description: "Is always up.",
        input_type: "BeaconInput",
        fields: &[FieldInfo::new("label", "Label", FieldType::Text).required()],
        schedule: Schedule::Every,
        min_interval_seconds: 0,
        confirmations: 1,
    };

    fn normalize(&mut self) -> Vec<FieldError> {
        self.label = self.label.trim().to_owned();
        let missing = || FieldError::new("label", "give it a label");
        self.label.is_empty().then(missing).into_iter().collect()
    }

    fn target(&self) -> Option<String> {
        Some(self.label.clone())
    }

    async fn check(&self, _net: &Net, _deadline: Deadline) -> Outcome {
        Outcome {
            status: Status::Up,
            status_code: None,
            response_time_ms: Some(0),
            phases: Phases::default(),
            certificate_expires_at: None,
            cause: None,
        }
    }
}
