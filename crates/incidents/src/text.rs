//! Cleaning of texts that come from outside.

/// Longest message that is stored, in characters: parts of it come from the checked server.
pub const MAX_MESSAGE_CHARS: usize = 500;

/// Replaces control characters, which not every database accepts, and cuts at [`MAX_MESSAGE_CHARS`].
#[must_use]
pub fn clean_message(message: &str) -> String {
    message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_MESSAGE_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_and_have_no_control_characters() {
        assert_eq!(clean_message("a\0b\nc"), "a b c");
        assert_eq!(clean_message(&"ä".repeat(600)).chars().count(), 500);
    }
}
