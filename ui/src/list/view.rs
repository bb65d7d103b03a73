//! The state of the list's view: filter, collapsed groups, rendered range, focus and selection.

use super::grouping::{Group, group_services};
use super::query::{ListQuery, Sort};
use super::virtual_list::{
    Viewport, VirtualRow, build_rows, initial_range, next_range, range_in_viewport,
};
use crate::{browser, store::Store};
use dioxus::{core::spawn_forever, prelude::*};
use std::{collections::BTreeSet, ops::Range, rc::Rc};
use uuid::Uuid;

/// The id of the list's element.
pub(crate) const LIST_ID: &str = "services";
/// The pause between two render batches, in which the browser draws its frame.
const BATCH_PAUSE_MS: u32 = 8;
/// The key of the collapsed groups in the browser's storage.
const COLLAPSED: &str = "collapsed";

/// The state of the list's view, shared by the whole program. Cheap to copy: it holds signals.
#[derive(Clone, Copy, PartialEq)]
pub struct ListView {
    pub query: Signal<ListQuery>,
    /// The categories whose services are hidden; the empty one is that of services without a
    /// category.
    pub collapsed: Signal<BTreeSet<String>>,
    /// The services that match the query, in groups.
    pub groups: Memo<Vec<Rc<Group>>>,
    pub rows: Memo<Rc<Vec<VirtualRow>>>,
    /// The range of rows that are rendered.
    pub rendered: Signal<Range<usize>>,
    /// Whether the next render batch is scheduled.
    batch_scheduled: Signal<bool>,
    /// The service whose row has the focus, or had it last.
    pub cursor: Signal<Option<Uuid>>,
    /// The service whose row gets the focus as soon as it is rendered.
    pub pending_focus: Signal<Option<Uuid>>,
    pub selected: Signal<BTreeSet<Uuid>>,
    /// Whether checkboxes are shown on devices without a hovering pointer.
    pub selecting: Signal<bool>,
    /// The first row of a range selection.
    selection_anchor: Signal<Option<Uuid>>,
}

impl ListView {
    /// Creates the view with the collapsed groups that were saved in this browser.
    #[must_use]
    pub fn new(store: Store) -> Self {
        let query = Signal::new(ListQuery::default());
        let saved = browser::load_setting(COLLAPSED).unwrap_or_default();
        let collapsed: Signal<BTreeSet<String>> =
            Signal::new(saved.lines().map(str::to_owned).collect());
        let groups = Memo::new(move || {
            let query = query.read();
            group_services(&store.services.listed.read(), &query, |id| {
                sort_measure(store, query.sort, id)
            })
        });
        // Matches are shown even in groups that are collapsed otherwise.
        let rows = Memo::new(move || {
            let query = query.read();
            let collapsed = if query.is_filter() {
                BTreeSet::new()
            } else {
                collapsed.read().clone()
            };
            Rc::new(build_rows(&groups.read(), !query.flat, &collapsed))
        });
        Self {
            query,
            collapsed,
            groups,
            rows,
            rendered: Signal::new(initial_range()),
            batch_scheduled: Signal::new(false),
            cursor: Signal::new(None),
            pending_focus: Signal::new(None),
            selected: Signal::new(BTreeSet::new()),
            selecting: Signal::new(false),
            selection_anchor: Signal::new(None),
        }
    }

    /// Changes the query. The visible rows of the new list are rendered at once, those around them
    /// afterwards.
    pub(crate) fn set_query(mut self, query: ListQuery) {
        let count = self.rows.peek().len();
        let range = browser::viewport(LIST_ID)
            .map_or_else(initial_range, |viewport| range_in_viewport(viewport, count));
        self.rendered.set(range);
        self.query.set(query);
    }

    /// Renders the rows that are visible now, batch by batch.
    pub(crate) fn update_rendered(self) {
        if let Some(viewport) = browser::viewport(LIST_ID) {
            self.render_batch(viewport, false);
        }
    }

    fn render_batch(mut self, viewport: Viewport, in_progress: bool) {
        let rendered = self.rendered.peek().clone();
        let count = self.rows.peek().len();
        let (next, is_last) = next_range(viewport, count, &rendered, in_progress);
        if next != rendered {
            self.rendered.set(next);
        }
        if !is_last && !self.batch_scheduled.replace(true) {
            spawn_forever(async move {
                browser::sleep(BATCH_PAUSE_MS).await;
                self.batch_scheduled.set(false);
                if let Some(viewport) = browser::viewport(LIST_ID) {
                    self.render_batch(viewport, true);
                }
            });
        }
    }

    /// Collapses or expands a group.
    pub(crate) fn toggle_group(mut self, category: String) {
        let mut collapsed = self.collapsed.write();
        if !collapsed.remove(&category) {
            collapsed.insert(category);
        }
        let saved = collapsed.iter().cloned().collect::<Vec<_>>().join("\n");
        browser::save_setting(COLLAPSED, Some(&saved));
    }

    /// Returns the index of a service's row. Does not subscribe.
    pub(crate) fn row_index(self, id: Uuid) -> Option<usize> {
        self.rows
            .peek()
            .iter()
            .position(|row| row.service() == Some(id))
    }

    /// Moves the focus to the next or the previous row. A list without the focus gets it at the
    /// cursor, or at its beginning.
    pub(crate) fn move_focus(self, forward: bool) {
        let cursor = self.cursor.peek().and_then(|id| self.row_index(id));
        let rows = self.rows.peek();
        let services: Vec<(usize, Uuid)> = rows
            .iter()
            .enumerate()
            .filter_map(|(index, row)| Some((index, row.service()?)))
            .collect();
        let target = match cursor {
            None => services.first(),
            Some(cursor) if !browser::is_focus_in_rows() => {
                services.iter().find(|(index, _)| *index == cursor)
            }
            Some(cursor) if forward => services
                .iter()
                .find(|(index, _)| *index > cursor)
                .or(services.last()),
            Some(cursor) => services
                .iter()
                .rev()
                .find(|(index, _)| *index < cursor)
                .or(services.first()),
        };
        if let Some((_, id)) = target {
            self.focus(*id);
        }
    }

    /// Returns the nearest service after the cursor, or else before it, that is not one of `ids`.
    pub(crate) fn nearest_except(self, ids: &[Uuid]) -> Option<Uuid> {
        let cursor = self
            .cursor
            .peek()
            .and_then(|id| self.row_index(id))
            .unwrap_or_default();
        let rows = self.rows.peek();
        let (before, after) = rows.split_at(cursor.min(rows.len()));
        after
            .iter()
            .chain(before.iter().rev())
            .filter_map(VirtualRow::service)
            .find(|id| !ids.contains(id))
    }

    /// Focuses the row of a service as soon as it is rendered.
    pub(crate) fn focus(mut self, id: Uuid) {
        self.cursor.set(Some(id));
        if !browser::try_focus(&row_id(id)) {
            self.pending_focus.set(Some(id));
        }
    }

    /// Selects or deselects a service; with `range` selects every service from the anchor to this
    /// one.
    pub(crate) fn select(mut self, id: Uuid, range: bool) {
        let anchor = self
            .selection_anchor
            .peek()
            .filter(|_| range)
            .and_then(|anchor| self.row_index(anchor));
        if let (Some(anchor), Some(index)) = (anchor, self.row_index(id)) {
            let between = anchor.min(index)..=anchor.max(index);
            let services: Vec<Uuid> = self.rows.peek()[between]
                .iter()
                .filter_map(VirtualRow::service)
                .collect();
            self.selected.write().extend(services);
        } else {
            let mut selected = self.selected.write();
            if !selected.remove(&id) {
                selected.insert(id);
            }
        }
        self.selection_anchor.set(Some(id));
    }

    /// Selects all of `ids`, or deselects them if all are selected.
    pub(crate) fn toggle_all(mut self, ids: &[Uuid]) {
        let mut selected = self.selected.write();
        if ids.iter().all(|id| selected.contains(id)) {
            selected.retain(|id| !ids.contains(id));
        } else {
            selected.extend(ids);
        }
    }

    /// Clears the selection. Returns whether there was one.
    pub(crate) fn clear_selection(mut self) -> bool {
        let any = !self.selected.peek().is_empty() || *self.selecting.peek();
        if any {
            self.selected.write().clear();
            self.selecting.set(false);
        }
        any
    }

    /// Deselects services that the list no longer shows, so that an action applies only to what is
    /// visible.
    pub(crate) fn deselect_hidden(mut self, groups: &[Rc<Group>]) {
        if self.selected.peek().is_empty() {
            return;
        }
        let shown: BTreeSet<&Uuid> = groups.iter().flat_map(|group| &group.services).collect();
        if self.selected.peek().iter().any(|id| !shown.contains(id)) {
            self.selected.write().retain(|id| shown.contains(id));
        }
    }
}

/// Returns the number by which a service is sorted. Does not subscribe: a list that is sorted again
/// with every measurement would be unreadable.
fn sort_measure(store: Store, sort: Sort, id: Uuid) -> Option<f64> {
    let entry = store.services.entry(id)?;
    match sort {
        Sort::Slowest => {
            let current = entry.current.peek();
            current.as_ref()?.response_time_ms.map(f64::from)
        }
        Sort::Uptime => *entry.uptime.peek(),
        Sort::Name | Sort::Worst => None,
    }
}

/// Returns the state of the list's view.
#[must_use]
pub(crate) fn use_list_view() -> ListView {
    use_context::<ListView>()
}

/// Returns the id of the element that gets the focus in a service's row.
pub(crate) fn row_id(id: Uuid) -> String {
    format!("row-{}", id.simple())
}
