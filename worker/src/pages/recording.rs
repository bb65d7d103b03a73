//! Makes what a poll learned durable: the page's rows, and a check for each follower by the same judgement as every other
//! check, in one transaction for some hundred followers; and only then lets anybody know.

use super::cadence::{self, Times};
use super::content::Stored;
use super::fetching::{Answer, Failure, Kind};
use super::judging::{self, View};
use super::store::{FOLLOWERS, Pages};
use crate::announcer::{Announcement, Announcer};
use crate::clock::Clock;
use crate::recorder::{Fate, Judgement, Store};
use crate::stats::{Stats, add};
use chrono::{DateTime, TimeDelta, Utc};
use domain::status_page::{Standing, standing};
use entity::{column, status_page};
use probe::Discovery;
use probe::status_page::{Listing, Page};
use sea_orm::{DatabaseTransaction, DbErr};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Mutex;
use uuid::Uuid;

/// How soon a page is looked at again whose followers were changed while they were judged.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(1);

/// What is said of a page in whose place there is one of which nothing is known.
const REPLACED: &str = "the page has moved or was replaced by one without any component that is known";

/// What one poll of a page saw.
#[derive(Debug)]
pub(crate) enum Seen {
    /// The page was asked.
    Asked(Result<Answer, Failure>),
    /// Its answers were looked for anew, and found: the page has components that are known.
    Found(Box<Discovery>),
    /// They were looked for, and there is only a page without anything that is known, at this address.
    Replaced(String),
    /// It may not be asked yet: what is stored counts.
    Nothing,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Recorded {
    /// The page is due next at this time.
    Next {
        /// When.
        next: DateTime<Utc>,
        /// It was asked and could not be read, for so many times in a row and for this reason.
        failed: Option<(i32, Kind)>,
    },
    /// Somebody else polled it meanwhile, and knows more.
    Superseded,
    /// It is gone.
    Gone,
    /// Everybody who followed it follows this one instead.
    Moved(Uuid),
}

/// Records polls, one at a time: many of them must not take the connections that checks are recorded by.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) pages: Pages,
    checks: Store,
    announcer: Announcer,
    clock: Clock,
    stats: Arc<Stats>,
    turn: Mutex<()>,
}

/// What a poll has made of the page itself.
struct Settled {
    row: status_page::Model,
    view: View,
    failed: Option<(i32, Kind)>,
}

impl Recording {
    pub(crate) fn new(pages: Pages, announcer: Announcer, clock: Clock, stats: Arc<Stats>) -> Self {
        let checks = Store::new(pages.db.clone());
        Self { pages, checks, announcer, clock, stats, turn: Mutex::new(()) }
    }

    /// Records what was seen of `page` at `seen_at`, unless it was asked again since `attempted_at`.
    ///
    /// The checks stand for the moment when they are judged, under the lock of the page: of two polls the one that is
    /// recorded last is the later one, however long its answer had to wait.
    pub(crate) async fn record(
        &self,
        page: Uuid,
        attempted_at: Option<DateTime<Utc>>,
        seen: &Seen,
        seen_at: DateTime<Utc>,
    ) -> Result<Recorded, DbErr> {
        let _turn = self.turn.lock().await;
        let (mut settled, mut after, mut again) = (None, i32::MIN, false);
        loop {
            let transaction = self.checks.begin().await?;
            let Some(row) = self.pages.lock(&transaction, page).await? else { return Ok(Recorded::Gone) };
            if row.attempted_at != attempted_at {
                return Ok(Recorded::Superseded);
            }
            if settled.is_none() {
                if let Some((other, found)) = self.other_row(&transaction, &row, seen).await? {
                    if row.listing == column::Listing::All && found.listing == Listing::Mentioned {
                        let shown: Vec<_> = found.components.iter().map(|component| component.id.clone()).collect();
                        self.pages.miss(&transaction, page, &shown).await?;
                    }
                    self.pages.move_followers(&transaction, page, other, seen_at).await?;
                    transaction.commit().await?;
                    return Ok(Recorded::Moved(other));
                }
                settled = Some(self.settle(&transaction, row, seen, seen_at).await?);
            }
            let settled = settled.as_ref().expect("it was just settled");
            let followers = self.pages.followers(&transaction, page, after).await?;
            let now = self.clock.now().max(seen_at);
            let (checks, remember): (Vec<_>, Vec<_>) =
                followers.iter().filter_map(|follower| judging::judge(&settled.view, follower, now)).unzip();
            let numbers: Vec<_> = checks.iter().map(|check| check.subject.number).collect();
            let known = self.checks.read(&transaction, &numbers).await?;
            let mut judgement = Judgement::of(checks.iter().collect(), known, now);
            self.checks.write(&transaction, &judgement).await?;
            self.pages.remember(&transaction, &remember.concat()).await?;
            transaction.commit().await?;

            let recorded = judgement.recorded();
            add(&self.stats.recorded, recorded);
            add(&self.stats.discarded, checks.len() - recorded);
            again |= judgement.fates.contains(&Fate::Outdated);
            let forgotten = std::mem::take(&mut judgement.set_back);
            let (latest, events) = judgement.news();
            self.announcer.tell(Announcement { forgotten, latest, events, ..Announcement::default() }).await;
            if followers.len() < FOLLOWERS {
                let next = Times::from(&settled.row).next(page, self.clock.now());
                let next = if again { next.min(self.clock.now() + LOOK_AGAIN) } else { next };
                return Ok(Recorded::Next { next, failed: settled.failed });
            }
            after = followers.last().map_or(i32::MAX, |last| last.subject.number);
        }
    }

    /// The row of another page that is read where this one was found anew.
    async fn other_row<'s>(
        &self,
        transaction: &DatabaseTransaction,
        row: &status_page::Model,
        seen: &'s Seen,
    ) -> Result<Option<(Uuid, &'s Page)>, DbErr> {
        let Seen::Found(found) = seen else { return Ok(None) };
        let there = self.pages.by_key(transaction, &found.key()).await?;
        Ok(there.filter(|other| *other != row.id).map(|other| (other, &found.page)))
    }

    /// Writes what is to be written of the page itself, and says what is known of it now.
    async fn settle(
        &self,
        transaction: &DatabaseTransaction,
        before: status_page::Model,
        seen: &Seen,
        at: DateTime<Utc>,
    ) -> Result<Settled, DbErr> {
        let stored = self.pages.stored(transaction, before.id).await?;
        let mut row = before.clone();
        if let Seen::Found(found) = seen {
            (row.key, row.api_urls) = (found.key(), json!(found.api_urls));
            row.provider = Some(found.page.provider.to_owned());
        }
        let (mut page, mut failed, mut replaced) = (before.fetched_at.map(|_| stored.page(&before)), None, false);
        match believed(&stored, seen) {
            Believed::Nothing => {}
            Believed::Unchanged(validators) => {
                was_read(&mut row, at);
                row.validators = validators.or(row.validators);
            }
            Believed::Replaced(address) => {
                row.message = Some(format!("{REPLACED} ({address}): choose the components again"));
                replaced = true;
            }
            Believed::Said(mut said, validators) => {
                was_read(&mut row, at);
                row.validators = validators;
                describe(&mut row, &said);
                if before.fetched_at.is_some() && before.listing == column::Listing::All {
                    // Of what was listed among all before, that another kind of list does not mention it says nothing.
                    said.listing = Listing::All;
                }
                let changes = stored.changes(row.id, &said, at);
                if changes.any() {
                    self.pages.change(transaction, row.id, changes).await?;
                }
                page = Some(said);
            }
            Believed::Failed(failure) => {
                row.failures = row.failures.saturating_add(1);
                // That its vendor moved is worth knowing until it is read again.
                let known =
                    row.message.take().filter(|known| failure.kind == Kind::Unreadable && known.starts_with(REPLACED));
                row.message = Some(known.unwrap_or(failure.message));
                let limited = failure.kind == Kind::Limited;
                row.not_before = cadence::not_before(at, failure.rest, limited, row.failures);
                failed = Some((row.failures, failure.kind));
            }
        }
        if row != before {
            tell_apart(&before, &row);
            self.pages.write_row(transaction, row.clone()).await?;
        }
        let view = View {
            page,
            read_at: row.fetched_at,
            // What a page said whose place another has taken is not known to hold any more.
            standing: if replaced { Standing::Lost } else { standing(row.fetched_at, at) },
            failed: row.message.clone().filter(|_| row.failures > 0),
        };
        Ok(Settled { row, view, failed })
    }
}

/// What is to be believed of what was seen.
enum Believed {
    Said(Page, Option<Value>),
    Unchanged(Option<Value>),
    Failed(Failure),
    Replaced(String),
    Nothing,
}

fn believed(stored: &Stored, seen: &Seen) -> Believed {
    match seen {
        Seen::Nothing => Believed::Nothing,
        Seen::Replaced(address) => Believed::Replaced(address.clone()),
        Seen::Found(found) => Believed::Said(found.page.clone(), None),
        Seen::Asked(Err(failure)) => Believed::Failed(failure.clone()),
        Seen::Asked(Ok(Answer::Unchanged(validators))) => Believed::Unchanged(validators.clone()),
        Seen::Asked(Ok(Answer::Said(page, validators))) => {
            if stored.shares_nothing_with(page) {
                let none = page.components.is_empty();
                let why =
                    if none { "it lists no components any more" } else { "it lists none of the components it had" };
                Believed::Failed(Failure::unreadable(why))
            } else {
                Believed::Said((**page).clone(), validators.clone())
            }
        }
    }
}

fn was_read(row: &mut status_page::Model, at: DateTime<Utc>) {
    row.fetched_at = Some(at);
    row.failures = 0;
    row.message = None;
    row.not_before = None;
}

fn describe(row: &mut status_page::Model, page: &Page) {
    row.listing = match page.listing {
        Listing::All => column::Listing::All,
        Listing::Mentioned => column::Listing::Mentioned,
    };
    row.name = page.name.clone().or(row.name.take());
    row.url = page.url.clone().or(row.url.take());
    row.provider = row.provider.take().or_else(|| Some(page.provider.to_owned()));
}

/// Says once when a page fails, and once when it is read again.
fn tell_apart(before: &status_page::Model, after: &status_page::Model) {
    let (page, addresses) = (after.id, &after.api_urls);
    match (before.failures, after.failures) {
        (0, 1..) => {
            let why = after.message.as_deref();
            tracing::info!(%page, %addresses, why, "a status page cannot be read; what it said stands for a while");
        }
        (1.., 0) => tracing::info!(%page, failures = before.failures, "a status page is read again"),
        _ => {}
    }
}
