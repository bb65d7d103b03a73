//! Fuzzy search for the command palette.

use crate::browser;

/// Returns how well `text` matches `needle`, both in lower case: lower is better, `None` is no
/// match. `needle` must not be empty.
#[must_use]
pub fn score(text: &str, needle: &str) -> Option<u32> {
    let any_word_starts_with = |needle: &str| {
        text.split([' ', '-', '.', '/', '_'])
            .any(|word| word.starts_with(needle))
    };
    if text.starts_with(needle) {
        return Some(0);
    }
    if any_word_starts_with(needle) {
        return Some(1);
    }
    if text.contains(needle) {
        return Some(2);
    }
    // All letters of the needle in order, the closer together the better.
    let mut gaps = 0;
    let mut rest = text.chars();
    for (index, wanted) in needle
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .enumerate()
    {
        let skipped = rest.by_ref().position(|letter| letter == wanted)?;
        if index > 0 {
            gaps += u32::try_from(skipped).unwrap_or(u32::MAX / 2);
        }
    }
    // Letters scattered over a whole sentence match by chance.
    (gaps <= 12).then_some(3 + gaps)
}

/// Returns up to `max_results` of `items` that match `typed`, best match first, in the given order
/// among equals. An empty `typed` matches every item.
pub fn search<T>(
    items: Vec<T>,
    typed: &str,
    max_results: usize,
    text: impl Fn(&T) -> String,
) -> Vec<T> {
    let needle = browser::lowercase(typed.trim());
    let mut found: Vec<(u32, T)> = items
        .into_iter()
        .filter_map(|item| {
            if needle.is_empty() {
                Some((0, item))
            } else {
                Some((score(&text(&item), &needle)?, item))
            }
        })
        .collect();
    found.sort_by_key(|(score, _)| *score);
    found
        .into_iter()
        .take(max_results)
        .map(|(_, item)| item)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(typed: &str) -> Vec<&'static str> {
        let names = vec![
            "checkout",
            "payments api",
            "web shop",
            "shop search",
            "sign-in",
            "go to incidents",
        ];
        search(names, typed, 3, |name| (*name).to_owned())
    }

    #[test]
    fn a_prefix_of_the_name_beats_a_prefix_of_a_word() {
        assert_eq!(found("shop"), ["shop search", "web shop"]);
        assert_eq!(found("API"), ["payments api"]);
        assert_eq!(found("in"), ["sign-in", "go to incidents"]);
    }

    #[test]
    fn letters_in_order_match() {
        assert_eq!(found("pyapi"), ["payments api"]);
        assert_eq!(found("wbshp"), ["web shop"]);
        assert_eq!(found("pohs"), Vec::<&str>::new());
    }

    #[test]
    fn an_empty_search_matches_everything() {
        assert_eq!(found("  "), ["checkout", "payments api", "web shop"]);
    }
}
