//! How the list is looked at: filter, folded groups, where the focus is, and which services are chosen.

use crate::{
    browser,
    list::{Group, Line, ListQuery, Sort, arrange, at_first, lines, seen, step},
    store::Store,
};
use dioxus::{core::spawn_forever, prelude::*};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    rc::Rc,
};
use uuid::Uuid;

/// The list's element.
pub(crate) const LIST_ID: &str = "services";
/// Between two steps of drawing the browser gets to its frame.
const STEP_MS: u32 = 8;
/// Under this name the folded groups are remembered.
const FOLDED: &str = "collapsed";

/// How the list is looked at; the whole program shares it. Cheap to copy: it holds signals.
#[derive(Clone, Copy, PartialEq)]
pub struct ListView {
    /// Filter and order.
    pub query: Signal<ListQuery>,
    /// Categories whose services are hidden; the empty one stands for services without a category.
    pub folded: Signal<BTreeSet<String>>,
    /// The services that fit the filter, in groups.
    pub groups: Memo<Vec<Rc<Group>>>,
    /// What is drawn, line by line.
    pub lines: Memo<Rc<Vec<Line>>>,
    /// Which lines are drawn.
    pub drawn: Signal<Range<usize>>,
    /// Whether the next step of drawing is on its way.
    looking: Signal<bool>,
    /// The service whose row has, or had last, the focus.
    pub cursor: Signal<Option<Uuid>>,
    /// The service whose row gets the focus as soon as it is drawn.
    pub awaited: Signal<Option<Uuid>>,
    /// The chosen services.
    pub chosen: Signal<BTreeSet<Uuid>>,
    /// Whether services are being chosen where there is no pointer to hover with.
    pub choosing: Signal<bool>,
    /// Where a stretch of chosen services begins.
    anchor: Signal<Option<Uuid>>,
}

impl ListView {
    /// As it was left in this browser.
    #[must_use]
    pub fn new(store: Store) -> Self {
        let query = Signal::new(ListQuery::default());
        let folded = browser::remembered(FOLDED).unwrap_or_default();
        let folded = Signal::new(
            folded
                .lines()
                .map(str::to_owned)
                .collect::<BTreeSet<String>>(),
        );
        let groups = Memo::new(move || {
            let query = query.read();
            arrange(&store.listed.read(), &query, |id| {
                let entry = store.entry(id)?;
                match query.sort {
                    // Peeked at: a list that rearranges itself with every measurement could not be read.
                    Sort::Slowest => entry
                        .current
                        .peek()
                        .as_ref()?
                        .response_time_ms
                        .map(f64::from),
                    Sort::Uptime => *entry.uptime.peek(),
                    Sort::Name | Sort::Worst => None,
                }
            })
        });
        // What the filter found is shown, also in groups that are folded otherwise.
        let lines = Memo::new(move || {
            let query = query.read();
            let folded = if query.filters() {
                BTreeSet::new()
            } else {
                folded.read().clone()
            };
            Rc::new(lines(&groups.read(), !query.flat, &folded))
        });
        Self {
            query,
            folded,
            groups,
            lines,
            drawn: Signal::new(at_first()),
            looking: Signal::new(false),
            cursor: Signal::new(None),
            awaited: Signal::new(None),
            chosen: Signal::new(BTreeSet::new()),
            choosing: Signal::new(false),
            anchor: Signal::new(None),
        }
    }

    /// Filters or sorts otherwise. Of the other rows those in sight are drawn at once, and those around them after that.
    pub(crate) fn ask(mut self, query: ListQuery) {
        let (sight, count) = (browser::sight(LIST_ID), self.lines.peek().len());
        self.drawn
            .set(sight.map_or_else(at_first, |sight| seen(sight, count)));
        self.query.set(query);
    }

    /// Looks at what of the list is in sight now, and draws it step by step.
    pub(crate) fn look(self) {
        self.draw(false);
    }

    fn draw(mut self, on_the_way: bool) {
        let Some(sight) = browser::sight(LIST_ID) else {
            return;
        };
        let (drawn, count) = (self.drawn.peek().clone(), self.lines.peek().len());
        let (next, there) = step(sight, count, &drawn, on_the_way);
        if next != drawn {
            self.drawn.set(next);
        }
        if !there && !self.looking.replace(true) {
            spawn_forever(async move {
                browser::sleep(STEP_MS).await;
                self.looking.set(false);
                self.draw(true);
            });
        }
    }

    /// Folds or unfolds a group.
    pub(crate) fn fold(mut self, category: String) {
        let mut folded = self.folded.write();
        if !folded.remove(&category) {
            folded.insert(category);
        }
        browser::remember(
            FOLDED,
            Some(&folded.iter().cloned().collect::<Vec<_>>().join("\n")),
        );
    }

    /// Where a service stands among the lines. Does not subscribe.
    pub(crate) fn line_of(self, id: Uuid) -> Option<usize> {
        self.lines
            .peek()
            .iter()
            .position(|line| line.service() == Some(id))
    }

    /// Moves the focus to the next row, or to the one before.
    pub(crate) fn step(self, forward: bool) {
        let here = self.cursor.peek().and_then(|id| self.line_of(id));
        let lines = self.lines.peek();
        let mut rows: Vec<(usize, Uuid)> = lines
            .iter()
            .enumerate()
            .filter_map(|(place, line)| Some((place, line.service()?)))
            .collect();
        if !forward {
            rows.reverse();
        }
        let beyond = |place: usize| {
            here.is_none_or(|here| if forward { place > here } else { place < here })
        };
        // At the end the focus stays; a list that was not entered yet is entered at its beginning.
        let fresh = !browser::in_rows();
        let to = match here {
            Some(here) if fresh => rows.iter().find(|(place, _)| *place == here),
            None => {
                if forward {
                    rows.first()
                } else {
                    rows.last()
                }
            }
            Some(_) => rows
                .iter()
                .find(|(place, _)| beyond(*place))
                .or(rows.last()),
        };
        if let Some((_, id)) = to {
            self.focus(*id);
        }
    }

    /// The nearest service behind the cursor, or else before it, that is not one of `ids`.
    pub(crate) fn neighbour_outside(self, ids: &[Uuid]) -> Option<Uuid> {
        let here = self
            .cursor
            .peek()
            .and_then(|id| self.line_of(id))
            .unwrap_or_default();
        let lines = self.lines.peek();
        let (before, behind) = lines.split_at(here.min(lines.len()));
        let mut near = behind
            .iter()
            .chain(before.iter().rev())
            .filter_map(Line::service);
        near.find(|id| !ids.contains(id))
    }

    /// Puts the focus on the row of `id`, as soon as it is drawn.
    pub(crate) fn focus(mut self, id: Uuid) {
        self.cursor.set(Some(id));
        if !browser::focus_if_there(&row_id(id)) {
            self.awaited.set(Some(id));
        }
    }

    /// Chooses a service or no longer; with `stretch` every one from the last that was chosen to this.
    pub(crate) fn choose(mut self, id: Uuid, stretch: bool) {
        let from = self
            .anchor
            .peek()
            .filter(|_| stretch)
            .and_then(|anchor| self.line_of(anchor));
        if let (Some(from), Some(to)) = (from, self.line_of(id)) {
            let between = from.min(to)..=from.max(to);
            let services: Vec<Uuid> = self.lines.peek()[between]
                .iter()
                .filter_map(Line::service)
                .collect();
            self.chosen.write().extend(services);
        } else {
            let mut chosen = self.chosen.write();
            if !chosen.remove(&id) {
                chosen.insert(id);
            }
        }
        self.anchor.set(Some(id));
    }

    /// Chooses all of `ids`, or none of them when all are chosen already.
    pub(crate) fn choose_all(mut self, ids: &[Uuid]) {
        let mut chosen = self.chosen.write();
        if ids.iter().all(|id| chosen.contains(id)) {
            chosen.retain(|id| !ids.contains(id));
        } else {
            chosen.extend(ids);
        }
    }

    /// Chooses nothing. Whether anything was.
    pub(crate) fn choose_none(mut self) -> bool {
        let any = !self.chosen.peek().is_empty() || *self.choosing.peek();
        if any {
            self.chosen.write().clear();
            self.choosing.set(false);
        }
        any
    }

    /// Lets go of chosen services that the list shows no more: what is done must be done to what one sees.
    pub(crate) fn keep_to(mut self, groups: &[Rc<Group>]) {
        if self.chosen.peek().is_empty() {
            return;
        }
        let shown: BTreeMap<&Uuid, ()> = groups
            .iter()
            .flat_map(|group| &group.services)
            .map(|id| (id, ()))
            .collect();
        if self.chosen.peek().iter().any(|id| !shown.contains_key(id)) {
            self.chosen.write().retain(|id| shown.contains_key(id));
        }
    }
}

/// How the list is looked at.
#[must_use]
pub(crate) fn use_list_view() -> ListView {
    use_context::<ListView>()
}

/// The element that gets the focus in the row of `id`.
pub(crate) fn row_id(id: Uuid) -> String {
    format!("row-{}", id.simple())
}
