//! The kinds of timeline entries.

/// What a timeline entry reports. The stored text is [`EventKind::as_str`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// The incident began.
    Opened,
    /// Degraded became down.
    Escalated,
    /// Down became degraded.
    Improved,
    /// Down again after an improvement.
    Regressed,
    /// The service fails for another reason.
    CauseChanged,
    /// What is checked, or how, was changed.
    DefinitionChanged,
    /// The service recovered.
    Resolved,
    /// Closed because the service was paused.
    Paused,
    /// The vendor published an incident of its own.
    Reported,
    /// The vendor renamed or moved a followed component.
    Renamed,
}

impl EventKind {
    /// Returns the text that is stored and that the API shows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Escalated => "escalated",
            Self::Improved => "eased",
            Self::Regressed => "worsened",
            Self::CauseChanged => "cause_changed",
            Self::DefinitionChanged => "definition_changed",
            Self::Resolved => "resolved",
            Self::Paused => "paused",
            Self::Reported => "reported",
            Self::Renamed => "renamed",
        }
    }
}
