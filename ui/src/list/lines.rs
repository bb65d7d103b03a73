//! The list as it is drawn: one line under the other, all of one height, and which of them are in sight.

use super::Group;
use std::{collections::BTreeSet, ops::Range, rc::Rc};
use uuid::Uuid;

/// How many lines are kept on either side of those in sight, so that a quick scroll does not outrun the drawing.
const MARGIN: usize = 10;
/// What is drawn changes in steps of so many lines, not at each of them.
const STEP: usize = 6;
/// How many lines come into being at a time: more of them would keep the browser from its next frame.
const AT_ONCE: usize = 4;
/// How many lines are drawn before anybody knows how high the window is.
const AT_FIRST: usize = 40;

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The heading of a group.
    Head(Heading),
    /// A service.
    Service {
        /// Which.
        id: Uuid,
        /// Whether it is the first below a heading.
        first: bool,
        /// Whether it is the last of its group.
        last: bool,
    },
}

/// The heading of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// The group, without its services unless they are folded away.
    pub group: Rc<Group>,
    /// Whether its services are hidden.
    pub folded: bool,
}

impl Line {
    /// The service of this line, if it is one.
    #[must_use]
    pub const fn service(&self) -> Option<Uuid> {
        match self {
            Self::Head(_) => None,
            Self::Service { id, .. } => Some(*id),
        }
    }
}

/// The lines of `groups`, those of the categories in `folded` without their services; `headed` is whether groups have
/// headings at all.
#[must_use]
pub fn lines(groups: &[Rc<Group>], headed: bool, folded: &BTreeSet<String>) -> Vec<Line> {
    let mut lines = Vec::new();
    for group in groups {
        let hidden = headed && folded.contains(group.category.as_deref().unwrap_or_default());
        if headed {
            lines.push(Line::Head(Heading {
                group: group.clone(),
                folded: hidden,
            }));
        }
        if !hidden {
            let last = group.services.len().saturating_sub(1);
            let line = |(place, id): (usize, &Uuid)| Line::Service {
                id: *id,
                first: place == 0,
                last: place == last,
            };
            lines.extend(group.services.iter().enumerate().map(line));
        }
    }
    lines
}

/// Which part of the list is in sight, in pixels: from its upper edge to that of the window, the window's height, and the
/// height of all lines.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sight {
    /// How much of the list lies above the window; negative when it begins further down.
    pub above: f64,
    /// The height of the window.
    pub window: f64,
    /// The height of the whole list.
    pub total: f64,
}

/// What to draw before anything was measured.
#[must_use]
pub const fn at_first() -> Range<usize> {
    0..AT_FIRST
}

/// For which lines there is room in the window, be they there or not, where `count` lines are as high as `sight` says.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "lines on a page"
)]
fn room(sight: Sight, count: usize) -> Range<usize> {
    let height = sight.total / count as f64;
    let line = |pixels: f64| (pixels / height).max(0.0) as usize;
    line(sight.above)..line(sight.above + sight.window).saturating_add(1)
}

/// Which of `count` lines are in sight.
fn in_sight(sight: Sight, count: usize) -> Range<usize> {
    let room = room(sight, count);
    room.start.min(count)..room.end.min(count)
}

/// Which lines will be in sight when the list, now of `count` lines, becomes another one, however long.
#[must_use]
pub fn seen(sight: Sight, count: usize) -> Range<usize> {
    if count == 0 || sight.total <= 0.0 {
        at_first()
    } else {
        room(sight, count)
    }
}

/// Which of `count` lines to draw; a little more than is in sight. `drawn` stays while it holds all that is in sight and a
/// few more, unless it is `on_the_way` already.
fn to_draw(sight: Sight, count: usize, drawn: &Range<usize>, on_the_way: bool) -> Range<usize> {
    if count == 0 || sight.total <= 0.0 {
        return drawn.clone();
    }
    let Range {
        start: first,
        end: last,
    } = in_sight(sight, count);
    let goal = first.saturating_sub(MARGIN + STEP)..(last + MARGIN + STEP).min(count);
    if on_the_way {
        return goal;
    }
    let enough = drawn.start <= first.saturating_sub(STEP)
        && drawn.end.min(count) >= (last + STEP).min(count);
    // What is far away need not be kept either.
    let lean = drawn.len() <= last - first + 4 * MARGIN;
    if enough && lean { drawn.clone() } else { goal }
}

/// What to draw next of `count` lines when so much is `drawn`, and whether that is all. A way of several steps is begun
/// only when something is missing, and then goes to its end: `on_the_way` says so.
#[must_use]
pub fn step(
    sight: Sight,
    count: usize,
    drawn: &Range<usize>,
    on_the_way: bool,
) -> (Range<usize>, bool) {
    let goal = to_draw(sight, count, drawn, on_the_way);
    let next = toward(&goal, drawn, sight, count);
    let there = next == goal;
    (next, there)
}

/// What to draw next on the way from what is `drawn` to the `goal` of [`to_draw`]: no more new lines than are made at a time,
/// those in sight before others.
fn toward(goal: &Range<usize>, drawn: &Range<usize>, sight: Sight, count: usize) -> Range<usize> {
    let both = goal.start.max(drawn.start)..goal.end.min(drawn.end);
    let Range { mut start, mut end } = if both.is_empty() {
        let first = in_sight(sight, count).start.clamp(goal.start, goal.end);
        first..first
    } else {
        both
    };
    let below = (goal.end - end).min(AT_ONCE);
    end += below;
    start -= (start - goal.start).min(AT_ONCE - below);
    start..end
}

/// The lines to draw: those of `range`, and around the line `kept` three more wherever it is, because what has the focus
/// must not vanish, and the keys must find its neighbours.
#[must_use]
pub fn with_neighbours(range: Range<usize>, kept: Option<usize>, count: usize) -> Vec<usize> {
    let range = range.start.min(count)..range.end.min(count);
    let Some(kept) = kept else {
        return range.collect();
    };
    let around = kept.saturating_sub(2)..(kept + 3).min(count);
    let before = around.clone().filter(|line| *line < range.start);
    let after = around.clone().filter(|line| *line >= range.end);
    before.chain(range.clone()).chain(after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(category: Option<&str>, services: Range<u128>) -> Rc<Group> {
        Rc::new(Group {
            category: category.map(str::to_owned),
            services: services.map(Uuid::from_u128).collect(),
            counts: Vec::new(),
        })
    }

    #[test]
    fn a_folded_group_shows_its_heading_alone() {
        let groups = [group(Some("a"), 0..2), group(None, 2..3)];
        let told = |headed, folded: &[&str]| {
            let folded = folded.iter().map(|name| (*name).to_owned()).collect();
            lines(&groups, headed, &folded)
                .iter()
                .map(|line| match line {
                    Line::Head(heading) if heading.folded => "+".to_owned(),
                    Line::Head(_) => "-".to_owned(),
                    Line::Service { id, first, last } => format!("{}{first}{last}", id.as_u128()),
                })
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(told(true, &[]), "- 0truefalse 1falsetrue - 2truetrue");
        assert_eq!(told(true, &["a"]), "+ - 2truetrue");
        assert_eq!(told(true, &[""]), "- 0truefalse 1falsetrue +");
        assert_eq!(told(false, &["a"]), "0truefalse 1falsetrue 2truetrue");
    }

    #[test]
    fn all_that_is_in_sight_is_drawn_and_little_else() {
        let sight = |above| Sight {
            above,
            window: 900.0,
            total: 72_000.0,
        };
        let mut drawn = at_first();
        for above in [-300.0, 0.0, 40.0, 500.0, 30_000.0, 71_000.0, 10.0] {
            drawn = to_draw(sight(above), 2000, &drawn, false);
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "lines"
            )]
            let seen =
                ((above / 36.0).max(0.0) as usize)..(((above + 900.0) / 36.0) as usize).min(2000);
            assert!(
                drawn.start <= seen.start && drawn.end >= seen.end,
                "{above}: {drawn:?} for {seen:?}"
            );
            assert!(drawn.len() < 80, "{drawn:?}");
        }
    }

    #[test]
    fn another_filter_draws_what_will_be_in_sight_however_few_lines_there_were() {
        for (count, above, expected) in [
            (2, -300.0, 0..17),
            (2000, -300.0, 0..17),
            (2000, 3600.0, 100..126),
        ] {
            let sight = Sight {
                above,
                window: 900.0,
                total: f64::from(count) * 36.0,
            };
            assert_eq!(seen(sight, usize::try_from(count).unwrap()), expected);
        }
        assert_eq!(
            seen(
                Sight {
                    above: 0.0,
                    window: 900.0,
                    total: 0.0
                },
                7
            ),
            at_first()
        );
    }

    #[test]
    fn a_small_scroll_draws_nothing_new() {
        let sight = |above| Sight {
            above,
            window: 900.0,
            total: 72_000.0,
        };
        let drawn = to_draw(sight(3600.0), 2000, &at_first(), false);
        assert_eq!(to_draw(sight(3700.0), 2000, &drawn, false), drawn);
        assert_ne!(to_draw(sight(4600.0), 2000, &drawn, false), drawn);
    }

    #[test]
    fn a_long_way_is_drawn_in_steps_and_what_is_in_sight_first() {
        let sight = |above| Sight {
            above,
            window: 900.0,
            total: 72_000.0,
        };
        for above in [0.0, 900.0, 36_000.0, 71_100.0] {
            let mut drawn = 980..1030;
            for steps in 0.. {
                let (next, there) = step(sight(above), 2000, &drawn, steps > 0);
                let new = next.clone().filter(|line| !drawn.contains(line)).count();
                assert!(new <= AT_ONCE, "{drawn:?} to {next:?}");
                drawn = next;
                if there {
                    break;
                }
                assert!(steps * AT_ONCE < 80, "{above}: {drawn:?}");
                assert!(
                    drawn.contains(&in_sight(sight(above), 2000).start),
                    "{drawn:?}"
                );
            }
            let Range {
                start: first,
                end: last,
            } = in_sight(sight(above), 2000);
            let all = first.saturating_sub(MARGIN)..(last + MARGIN).min(2000);
            assert!(
                drawn.start <= all.start && drawn.end >= all.end,
                "{above}: {drawn:?} ends before {all:?}"
            );
        }
    }

    #[test]
    fn a_short_list_is_drawn_whole() {
        let drawn = to_draw(
            Sight {
                above: -200.0,
                window: 900.0,
                total: 180.0,
            },
            5,
            &at_first(),
            false,
        );
        assert_eq!(with_neighbours(drawn, None, 5), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn what_has_the_focus_stays_with_its_neighbours() {
        assert_eq!(with_neighbours(10..12, None, 20), [10, 11]);
        assert_eq!(with_neighbours(10..12, Some(0), 20), [0, 1, 2, 10, 11]);
        assert_eq!(with_neighbours(10..12, Some(9), 20), [7, 8, 9, 10, 11]);
        assert_eq!(with_neighbours(10..12, Some(19), 20), [10, 11, 17, 18, 19]);
        assert_eq!(with_neighbours(0..40, Some(3), 5), [0, 1, 2, 3, 4]);
    }
}
