//! The virtual list: rows of equal height, of which only those in the viewport and some around it
//! are rendered.

use super::grouping::Group;
use std::{collections::BTreeSet, ops::Range, rc::Rc};
use uuid::Uuid;

/// Rows rendered on either side of the viewport, so that quick scrolling does not reach the end of
/// the rendered rows.
const OVERSCAN: usize = 10;
/// The rendered range changes only after scrolling by this many rows.
const RANGE_STEP: usize = 6;
/// New rows rendered at a time; more would delay the browser's next frame.
const RENDER_BATCH: usize = 4;
/// Rows rendered before the height of the viewport is known.
const INITIAL_ROWS: usize = 40;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VirtualRow {
    Heading(GroupHeading),
    Service {
        id: Uuid,
        /// Whether it is the first of its group.
        first: bool,
        /// Whether it is the last of its group.
        last: bool,
    },
}

/// The heading of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupHeading {
    pub group: Rc<Group>,
    pub collapsed: bool,
}

impl VirtualRow {
    /// Returns the service of this row, unless it is a heading.
    #[must_use]
    pub const fn service(&self) -> Option<Uuid> {
        match self {
            Self::Heading(_) => None,
            Self::Service { id, .. } => Some(*id),
        }
    }
}

/// Returns the rows of `groups`, without the services of `collapsed` categories. `with_headings` is
/// false for a flat list.
#[must_use]
pub fn build_rows(
    groups: &[Rc<Group>],
    with_headings: bool,
    collapsed: &BTreeSet<String>,
) -> Vec<VirtualRow> {
    let mut rows = Vec::new();
    for group in groups {
        let is_collapsed =
            with_headings && collapsed.contains(group.category.as_deref().unwrap_or_default());
        if with_headings {
            rows.push(VirtualRow::Heading(GroupHeading {
                group: group.clone(),
                collapsed: is_collapsed,
            }));
        }
        if !is_collapsed {
            let last = group.services.len().saturating_sub(1);
            let row = |(index, id): (usize, &Uuid)| VirtualRow::Service {
                id: *id,
                first: index == 0,
                last: index == last,
            };
            rows.extend(group.services.iter().enumerate().map(row));
        }
    }
    rows
}

/// The position of the list in the viewport, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Viewport {
    /// The part of the list above the viewport; negative when the list begins below its upper edge.
    pub above: f64,
    /// The height of the viewport.
    pub height: f64,
    /// The height of the whole list.
    pub total: f64,
}

/// Returns the range to render before anything was measured.
#[must_use]
pub const fn initial_range() -> Range<usize> {
    0..INITIAL_ROWS
}

/// Returns the rows that fit into the viewport, existing or not, if `count` rows have the total
/// height.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "rows on a page"
)]
fn rows_in_viewport(viewport: Viewport, count: usize) -> Range<usize> {
    let row_height = viewport.total / count as f64;
    let row = |pixels: f64| (pixels / row_height).max(0.0) as usize;
    row(viewport.above)..row(viewport.above + viewport.height).saturating_add(1)
}

/// Returns which of `count` rows are visible.
fn visible_rows(viewport: Viewport, count: usize) -> Range<usize> {
    let rows = rows_in_viewport(viewport, count);
    rows.start.min(count)..rows.end.min(count)
}

/// Returns the range to render when a list of `count` rows is replaced by another one of any
/// length.
#[must_use]
pub fn range_in_viewport(viewport: Viewport, count: usize) -> Range<usize> {
    if count == 0 || viewport.total <= 0.0 {
        initial_range()
    } else {
        rows_in_viewport(viewport, count)
    }
}

/// Returns which of `count` rows should be rendered. The `rendered` range stays while it covers the
/// viewport and a few rows more, unless a change of several batches is `in_progress`.
fn target_range(
    viewport: Viewport,
    count: usize,
    rendered: &Range<usize>,
    in_progress: bool,
) -> Range<usize> {
    if count == 0 || viewport.total <= 0.0 {
        return rendered.clone();
    }
    let Range {
        start: first,
        end: last,
    } = visible_rows(viewport, count);
    let target =
        first.saturating_sub(OVERSCAN + RANGE_STEP)..(last + OVERSCAN + RANGE_STEP).min(count);
    if in_progress {
        return target;
    }
    let covers = rendered.start <= first.saturating_sub(RANGE_STEP)
        && rendered.end.min(count) >= (last + RANGE_STEP).min(count);
    // Rows far away from the viewport are dropped.
    let is_small = rendered.len() <= last - first + 4 * OVERSCAN;
    if covers && is_small {
        rendered.clone()
    } else {
        target
    }
}

/// Returns the next range to render of `count` rows, and whether it is the last batch. A change
/// that takes several batches starts only when rows are missing, and then runs to its end:
/// `in_progress` is true for the later ones.
#[must_use]
pub fn next_range(
    viewport: Viewport,
    count: usize,
    rendered: &Range<usize>,
    in_progress: bool,
) -> (Range<usize>, bool) {
    let target = target_range(viewport, count, rendered, in_progress);
    let next = next_batch(&target, rendered, viewport, count);
    let is_last = next == target;
    (next, is_last)
}

/// Returns the next range on the way from `rendered` to `target`, with at most [`RENDER_BATCH`] new
/// rows, visible ones first.
fn next_batch(
    target: &Range<usize>,
    rendered: &Range<usize>,
    viewport: Viewport,
    count: usize,
) -> Range<usize> {
    let both = target.start.max(rendered.start)..target.end.min(rendered.end);
    let Range { mut start, mut end } = if both.is_empty() {
        let first = visible_rows(viewport, count)
            .start
            .clamp(target.start, target.end);
        first..first
    } else {
        both
    };
    let below = (target.end - end).min(RENDER_BATCH);
    end += below;
    start -= (start - target.start).min(RENDER_BATCH - below);
    start..end
}

/// Returns the rows to render: those of `range`, and the `focused` row with its neighbours wherever
/// it is, because it must keep the focus and the arrow keys must find its neighbours.
#[must_use]
pub fn rows_to_render(range: Range<usize>, focused: Option<usize>, count: usize) -> Vec<usize> {
    let range = range.start.min(count)..range.end.min(count);
    let Some(focused) = focused else {
        return range.collect();
    };
    let around = focused.saturating_sub(2)..(focused + 3).min(count);
    let before = around.clone().filter(|row| *row < range.start);
    let after = around.clone().filter(|row| *row >= range.end);
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
    fn a_collapsed_group_shows_only_its_heading() {
        let groups = [group(Some("a"), 0..2), group(None, 2..3)];
        let rows = |with_headings, collapsed: &[&str]| {
            let collapsed = collapsed.iter().map(|name| (*name).to_owned()).collect();
            build_rows(&groups, with_headings, &collapsed)
                .iter()
                .map(|row| match row {
                    VirtualRow::Heading(heading) if heading.collapsed => "+".to_owned(),
                    VirtualRow::Heading(_) => "-".to_owned(),
                    VirtualRow::Service { id, first, last } => {
                        format!("{}{first}{last}", id.as_u128())
                    }
                })
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(rows(true, &[]), "- 0truefalse 1falsetrue - 2truetrue");
        assert_eq!(rows(true, &["a"]), "+ - 2truetrue");
        assert_eq!(rows(true, &[""]), "- 0truefalse 1falsetrue +");
        assert_eq!(rows(false, &["a"]), "0truefalse 1falsetrue 2truetrue");
    }

    #[test]
    fn the_visible_rows_are_rendered_and_few_others() {
        let viewport = |above| Viewport {
            above,
            height: 900.0,
            total: 72_000.0,
        };
        let mut rendered = initial_range();
        for above in [-300.0, 0.0, 40.0, 500.0, 30_000.0, 71_000.0, 10.0] {
            rendered = target_range(viewport(above), 2000, &rendered, false);
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "rows"
            )]
            let visible =
                ((above / 36.0).max(0.0) as usize)..(((above + 900.0) / 36.0) as usize).min(2000);
            assert!(
                rendered.start <= visible.start && rendered.end >= visible.end,
                "{above}: {rendered:?} for {visible:?}"
            );
            assert!(rendered.len() < 80, "{rendered:?}");
        }
    }

    #[test]
    fn a_new_filter_renders_the_viewport_whatever_the_list_was() {
        for (count, above, expected) in [
            (2, -300.0, 0..17),
            (2000, -300.0, 0..17),
            (2000, 3600.0, 100..126),
        ] {
            let viewport = Viewport {
                above,
                height: 900.0,
                total: f64::from(count) * 36.0,
            };
            assert_eq!(
                range_in_viewport(viewport, usize::try_from(count).unwrap()),
                expected
            );
        }
        assert_eq!(
            range_in_viewport(
                Viewport {
                    above: 0.0,
                    height: 900.0,
                    total: 0.0
                },
                7
            ),
            initial_range()
        );
    }

    #[test]
    fn a_small_scroll_renders_nothing_new() {
        let viewport = |above| Viewport {
            above,
            height: 900.0,
            total: 72_000.0,
        };
        let rendered = target_range(viewport(3600.0), 2000, &initial_range(), false);
        assert_eq!(
            target_range(viewport(3700.0), 2000, &rendered, false),
            rendered
        );
        assert_ne!(
            target_range(viewport(4600.0), 2000, &rendered, false),
            rendered
        );
    }

    #[test]
    fn a_long_scroll_is_rendered_in_batches_visible_rows_first() {
        let viewport = |above| Viewport {
            above,
            height: 900.0,
            total: 72_000.0,
        };
        for above in [0.0, 900.0, 36_000.0, 71_100.0] {
            let mut rendered = 980..1030;
            for batches in 0.. {
                let (next, is_last) = next_range(viewport(above), 2000, &rendered, batches > 0);
                let new = next.clone().filter(|row| !rendered.contains(row)).count();
                assert!(new <= RENDER_BATCH, "{rendered:?} to {next:?}");
                rendered = next;
                if is_last {
                    break;
                }
                assert!(batches * RENDER_BATCH < 80, "{above}: {rendered:?}");
                assert!(
                    rendered.contains(&visible_rows(viewport(above), 2000).start),
                    "{rendered:?}"
                );
            }
            let Range {
                start: first,
                end: last,
            } = visible_rows(viewport(above), 2000);
            let all = first.saturating_sub(OVERSCAN)..(last + OVERSCAN).min(2000);
            assert!(
                rendered.start <= all.start && rendered.end >= all.end,
                "{above}: {rendered:?} does not cover {all:?}"
            );
        }
    }

    #[test]
    fn a_short_list_is_rendered_completely() {
        let rendered = target_range(
            Viewport {
                above: -200.0,
                height: 900.0,
                total: 180.0,
            },
            5,
            &initial_range(),
            false,
        );
        assert_eq!(rows_to_render(rendered, None, 5), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn the_focused_row_stays_with_its_neighbours() {
        assert_eq!(rows_to_render(10..12, None, 20), [10, 11]);
        assert_eq!(rows_to_render(10..12, Some(0), 20), [0, 1, 2, 10, 11]);
        assert_eq!(rows_to_render(10..12, Some(9), 20), [7, 8, 9, 10, 11]);
        assert_eq!(rows_to_render(10..12, Some(19), 20), [10, 11, 17, 18, 19]);
        assert_eq!(rows_to_render(0..40, Some(3), 5), [0, 1, 2, 3, 4]);
    }
}
