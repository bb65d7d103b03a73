//! What the command palette finds: how well a text fits what was typed. Plain functions.

use crate::browser;

/// How well `text`, in lower case, fits `needle`, in lower case and not empty: lower is better, `None` is not at all.
#[must_use]
pub fn fit(text: &str, needle: &str) -> Option<u32> {
    let words_begin = |needle: &str| {
        text.split([' ', '-', '.', '/', '_'])
            .any(|word| word.starts_with(needle))
    };
    if text.starts_with(needle) {
        return Some(0);
    }
    if words_begin(needle) {
        return Some(1);
    }
    if text.contains(needle) {
        return Some(2);
    }
    // All its letters in this order, the closer together the better.
    let mut gaps = 0;
    let mut rest = text.chars();
    for (place, wanted) in needle
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .enumerate()
    {
        let skipped = rest.by_ref().position(|letter| letter == wanted)?;
        if place > 0 {
            gaps += u32::try_from(skipped).unwrap_or(u32::MAX / 2);
        }
    }
    // Letters strewn over a whole sentence are chance.
    (gaps <= 12).then_some(3 + gaps)
}

/// The first `most` of `items` that fit `typed`, the best first; among equals in the order given. All of them in that
/// order when nothing was typed.
pub fn find<T>(items: Vec<T>, typed: &str, most: usize, text: impl Fn(&T) -> String) -> Vec<T> {
    let needle = browser::lowercase(typed.trim());
    let mut found: Vec<(u32, T)> = items
        .into_iter()
        .filter_map(|item| {
            if needle.is_empty() {
                Some((0, item))
            } else {
                Some((fit(&text(&item), &needle)?, item))
            }
        })
        .collect();
    found.sort_by_key(|(fit, _)| *fit);
    found.into_iter().take(most).map(|(_, item)| item).collect()
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
        find(names, typed, 3, |name| (*name).to_owned())
    }

    #[test]
    fn beginnings_of_names_come_before_beginnings_of_words() {
        assert_eq!(found("shop"), ["shop search", "web shop"]);
        assert_eq!(found("API"), ["payments api"]);
        assert_eq!(found("in"), ["sign-in", "go to incidents"]);
    }

    #[test]
    fn letters_in_their_order_are_enough() {
        assert_eq!(found("pyapi"), ["payments api"]);
        assert_eq!(found("wbshp"), ["web shop"]);
        assert_eq!(found("pohs"), Vec::<&str>::new());
    }

    #[test]
    fn nothing_typed_finds_the_first_of_all() {
        assert_eq!(found("  "), ["checkout", "payments api", "web shop"]);
    }
}
