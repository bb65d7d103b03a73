//! Orders names as the reader's language does, and numbers in them by value. The only place that
//! compares names.

use crate::browser;
use std::{cell::RefCell, collections::HashMap};

/// Above this number of remembered names, they are forgotten before others are added.
const MAX_REMEMBERED: usize = 20_000;

thread_local! {
    /// The position of each name among those that were ordered so far. Ordering costs a call of the
    /// browser for all names, and lists are sorted again with every change of a status.
    static RANKS: RefCell<HashMap<String, usize>> = RefCell::default();
}

/// Sorts items by name. Items of the same name keep their order.
pub(crate) fn sort_by_name<T>(items: &mut [T], name: impl Fn(&T) -> &str) {
    RANKS.with_borrow_mut(|ranks| {
        rank_all(ranks, items.iter().map(&name));
        items.sort_by_key(|item| ranks.get(name(item)).copied());
    });
}

/// Forgets the order of names, because another language was chosen.
#[cfg(target_arch = "wasm32")]
pub(crate) fn reset() {
    RANKS.take();
}

/// Adds the names that have no rank, which may change the ranks of all others.
fn rank_all<'a>(ranks: &mut HashMap<String, usize>, names: impl Iterator<Item = &'a str>) {
    let mut new: Vec<String> = names
        .filter(|name| !ranks.contains_key(*name))
        .map(str::to_owned)
        .collect();
    if new.is_empty() {
        return;
    }
    new.sort_unstable();
    new.dedup();
    if ranks.len() < MAX_REMEMBERED {
        new.extend(ranks.drain().map(|(name, _)| name));
    }
    *ranks = browser::sort_names(new).into_iter().zip(0..).collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_ordered_by_value() {
        let mut names = ["Web 10", "api", "Web 2", "API 1", "web 1"];
        sort_by_name(&mut names, |name| name);
        assert_eq!(names, ["api", "API 1", "web 1", "Web 2", "Web 10"]);
    }

    #[test]
    fn items_of_the_same_name_keep_their_order() {
        let mut items = [("b", 1), ("a", 2), ("b", 3), ("a", 4)];
        sort_by_name(&mut items, |(name, _)| name);
        assert_eq!(items, [("a", 2), ("a", 4), ("b", 1), ("b", 3)]);
        // Names that arrive later find their place among those that are remembered.
        let mut items = [("c", 5), ("aa", 6), ("a", 7)];
        sort_by_name(&mut items, |(name, _)| name);
        assert_eq!(items, [("a", 7), ("aa", 6), ("c", 5)]);
    }
}
