//! Decides how far an announcement is, by one rule for all providers: the vendor's word, flags that
//! say that it is over, and its end.

use super::Stage;
use super::json::Json;
use chrono::{DateTime, Utc};

/// Keys whose value `true` says that an announcement is over, whatever its state says.
const OVER_FLAGS: [&str; 8] = [
    "resolved",
    "is_resolved",
    "completed",
    "is_completed",
    "cancelled",
    "canceled",
    "closed",
    "is_closed",
];

/// Maximum length of a word that is looked at, in bytes.
const MAX_WORD: usize = 60;

/// Returns the stage that `item` is in by its flags and by `word`, the vendor's word for its state;
/// `None` if both say nothing that is known.
pub(crate) fn stage(item: &Json<'_>, word: &str) -> Option<Stage> {
    let is_over = OVER_FLAGS.iter().any(|key| item.at(key).is_true());
    if is_over {
        Some(Stage::Completed)
    } else {
        stage_of_word(word)
    }
}

/// Returns whether the incident `item` is open. Its state decides, because a reopened incident keeps
/// the time of its first end; `end` decides if the state is unknown or absent.
pub(crate) fn is_open(item: &Json<'_>, word: &str, end: Option<DateTime<Utc>>) -> bool {
    stage(item, word).map_or(end.is_none(), |stage| stage != Stage::Completed)
}

/// Returns the stage that a vendor's word means; `None` if the word is not known.
fn stage_of_word(word: &str) -> Option<Stage> {
    if word.len() > MAX_WORD {
        return None;
    }
    // "In Progress", "IN_PROGRESS" and "maintenance_in_progress" are one word.
    let letters: String = word
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let letters = letters
        .strip_prefix("maintenance")
        .filter(|rest| !rest.is_empty())
        .unwrap_or(&letters);
    match letters {
        "resolved" | "completed" | "complete" | "cancelled" | "canceled" | "postmortem"
        | "closed" | "fixed" | "ended" | "finished" | "done" | "over" | "retroactive"
        | "falsealarm" => Some(Stage::Completed),
        "inprogress" | "active" | "open" | "ongoing" | "started" | "underway" | "verifying"
        | "investigating" | "identified" | "monitoring" | "watching" | "issue" | "reopened" => {
            Some(Stage::InProgress)
        }
        "scheduled" | "upcoming" | "planned" | "pending" | "announced" | "notstartedyet"
        | "notstarted" => Some(Stage::Scheduled),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn words_of_all_providers_mean_one_stage() {
        use Stage::{Completed, InProgress, Scheduled};
        for (words, stage) in [
            (
                "resolved RESOLVED Resolved postmortem completed COMPLETED Complete maintenance_complete \
                 cancelled canceled Fixed closed retroactive ended",
                Some(Completed),
            ),
            (
                "investigating identified monitoring verifying in_progress INPROGRESS In-Progress \
                 maintenance_in_progress active open ONGOING Watching issue",
                Some(InProgress),
            ),
            (
                "scheduled NOTSTARTEDYET maintenance_scheduled Upcoming planned",
                Some(Scheduled),
            ),
            (
                "maintenance SERVICE_OUTAGE AVAILABLE pondered 4 unresolved",
                None,
            ),
        ] {
            for word in words.split(' ') {
                assert_eq!(stage_of_word(word), stage, "{word}");
            }
        }
        assert_eq!(stage_of_word("In Progress"), Some(InProgress));
        assert_eq!(stage_of_word(""), None);
        assert_eq!(stage_of_word(&"resolved ".repeat(50)), None);
    }

    #[test]
    fn flags_overrule_the_word_and_the_word_overrules_the_end() {
        let end = DateTime::from_timestamp(1_700_000_000, 0);
        for (item, word, end, open) in [
            (r#"{"resolved": true}"#, "", None, false),
            (r#"{"resolved": true}"#, "open", None, false),
            (r#"{"is_resolved": true}"#, "identified", None, false),
            (r#"{"cancelled": true}"#, "scheduled", None, false),
            (r#"{"resolved": false}"#, "", None, true),
            (r#"{"resolved": "2026-03-02T08:00:00Z"}"#, "", None, true),
            ("{}", "resolved", None, false),
            // Reopened: the time of the first end is still there.
            ("{}", "monitoring", end, true),
            ("{}", "", end, false),
            ("{}", "a new word", end, false),
            ("{}", "a new word", None, true),
        ] {
            let json = Json::read(item).unwrap();
            assert_eq!(is_open(&json, word, end), open, "{item} {word:?} {end:?}");
        }
    }
}
