//! Makes what a poll learned durable: the page's rows, and a check for each follower by the same judgement as every other
//! check, in one transaction for some hundred followers; and only then lets anybody know.

use super::cadence::{self, Times};
use super::content::{Spoken, Stored};
use super::fetching::{Answer, Failure, Kind};
use super::judging::{self, View};
use super::store::{FOLLOWERS, Pages};
use crate::announcer::{Announcement, Announcer};
use crate::clock::Clock;
use crate::metrics;
use crate::recorder::{Fate, Judgement, Store};
use crate::stats::{Stats, add};
use chrono::{DateTime, TimeDelta, Utc};
use domain::vendor_page::{Standing, standing};
use entity::{column, vendor_page};
use sea_orm::{DatabaseTransaction, DbErr};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Mutex;
use uuid::Uuid;
use vendor_pages::Discovery;
use vendor_pages::page::following::Index;
use vendor_pages::page::{Listing, Page};

/// How soon a page is looked at again whose followers were changed while they were judged.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(1);

/// What is said of a page in whose place there is one of which nothing is known.
const REPLACED: &str =
    "the page has moved or was replaced by one without any component that is known";

/// What one poll of a page saw.
#[derive(Debug)]
pub(crate) enum Seen {
    /// The page was asked, after so many attempts in a row had failed.
    Asked(Result<Answer, Failure>, i32),
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

/// Records polls, one transaction at a time: many of them must not take the connections that checks are recorded by.
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
    row: vendor_page::Model,
    view: View,
    failed: Option<(i32, Kind)>,
}

impl Recording {
    pub(crate) fn new(pages: Pages, announcer: Announcer, clock: Clock, stats: Arc<Stats>) -> Self {
        let checks = Store::new(pages.db.clone());
        Self {
            pages,
            checks,
            announcer,
            clock,
            stats,
            turn: Mutex::new(()),
        }
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
        let (mut settled, mut after, mut again) = (None, i32::MIN, false);
        loop {
            // A page with many followers lets others go first between two transactions.
            let turn = self.turn.lock().await;
            let begun = Instant::now();
            let transaction = self.checks.begin().await?;
            let Some(row) = self.pages.lock(&transaction, page).await? else {
                return Ok(Recorded::Gone);
            };
            if row.attempted_at != attempted_at {
                return Ok(Recorded::Superseded);
            }
            if settled.is_none() {
                if let Some((other, found)) = self.other_row(&transaction, &row, seen).await? {
                    if row.listing == column::Listing::All && found.listing == Listing::Mentioned {
                        let shown: Vec<_> = found
                            .components
                            .iter()
                            .map(|component| component.id.clone())
                            .collect();
                        self.pages.miss(&transaction, page, &shown).await?;
                    }
                    self.pages
                        .move_followers(&transaction, page, other, seen_at)
                        .await?;
                    transaction.commit().await?;
                    return Ok(Recorded::Moved(other));
                }
                settled = Some(self.settle(&transaction, row, seen, seen_at).await?);
            }
            let settled = settled.as_ref().expect("it was just settled");
            let followers = self.pages.followers(&transaction, page, after).await?;
            let now = self.clock.now().max(seen_at);
            let index = settled.view.page.as_ref().map(Index::new);
            let judge = |follower| judging::judge(&settled.view, index.as_ref(), follower, now);
            let (checks, remember): (Vec<_>, Vec<_>) = followers.iter().filter_map(judge).unzip();
            let numbers: Vec<_> = checks.iter().map(|check| check.subject.seq).collect();
            let known = self.checks.read(&transaction, &numbers).await?;
            let mut judgement = Judgement::of(checks.iter().collect(), known, now);
            self.checks.write(&transaction, &judgement).await?;
            self.pages
                .remember(&transaction, &remember.concat())
                .await?;
            transaction.commit().await?;
            drop(turn);

            metrics::recorded(&judgement, begun.elapsed(), now);
            let recorded = judgement.recorded();
            add(&self.stats.recorded, recorded);
            add(&self.stats.discarded, checks.len() - recorded);
            again |= judgement.fates.contains(&Fate::Outdated);
            let forgotten = std::mem::take(&mut judgement.set_back);
            let (latest, events) = judgement.news();
            self.announcer
                .tell(Announcement {
                    forgotten,
                    latest,
                    events,
                    ..Announcement::default()
                })
                .await;
            if followers.len() < FOLLOWERS {
                let next = Times::from(&settled.row).next(page, self.clock.now());
                let next = if again {
                    next.min(self.clock.now() + LOOK_AGAIN)
                } else {
                    next
                };
                return Ok(Recorded::Next {
                    next,
                    failed: settled.failed,
                });
            }
            after = followers.last().map_or(i32::MAX, |last| last.subject.seq);
        }
    }

    /// The row of another page that is read where this one was found anew.
    async fn other_row<'s>(
        &self,
        transaction: &DatabaseTransaction,
        row: &vendor_page::Model,
        seen: &'s Seen,
    ) -> Result<Option<(Uuid, &'s Page)>, DbErr> {
        let Seen::Found(found) = seen else {
            return Ok(None);
        };
        let there = self.pages.by_key(transaction, &found.key()).await?;
        Ok(there
            .filter(|other| *other != row.id)
            .map(|other| (other, &found.page)))
    }

    /// Writes what is to be written of the page itself, and says what is known of it now.
    async fn settle(
        &self,
        transaction: &DatabaseTransaction,
        before: vendor_page::Model,
        seen: &Seen,
        at: DateTime<Utc>,
    ) -> Result<Settled, DbErr> {
        let stored = self.pages.stored(transaction, before.id).await?;
        let mut row = before.clone();
        if let Seen::Found(found) = seen {
            (row.key, row.api_urls) = (found.key(), json!(found.api_urls));
            row.provider = Some(found.page.provider.to_owned());
        }
        let (mut page, mut failed, mut replaced) =
            (before.fetched_at.map(|_| stored.page(&before)), None, false);
        match believed(&stored, seen) {
            Believed::Nothing => {}
            Believed::Unchanged(validators) => {
                was_read(&mut row, at);
                row.validators = validators.or(row.validators);
            }
            Believed::Replaced(address) => {
                row.message = Some(format!(
                    "{REPLACED} ({address}): choose the components again"
                ));
                replaced = true;
            }
            Believed::Said(mut said, spoken, validators) => {
                was_read(&mut row, at);
                row.validators = validators;
                describe(&mut row, &said);
                if before.fetched_at.is_some() && before.listing == column::Listing::All {
                    // Of what was listed among all before, that another kind of list does not mention it says nothing.
                    said.listing = Listing::All;
                }
                let changes = stored.changes(row.id, &said, spoken, at);
                if changes.any() {
                    self.pages.change(transaction, row.id, changes).await?;
                }
                if !spoken.incidents {
                    said.incidents = stored.page(&before).incidents;
                }
                page = Some(said);
            }
            Believed::Failed(failure, failures) => {
                failed = Some((failures, failure.kind));
                could_not_be_read(&mut row, failure, failures, at);
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
            standing: if replaced {
                Standing::Lost
            } else {
                standing(row.fetched_at, at)
            },
            failed: row.message.clone().filter(|_| row.failures > 0),
        };
        Ok(Settled { row, view, failed })
    }
}

/// What is to be believed of what was seen.
enum Believed {
    Said(Page, Spoken, Option<Value>),
    Unchanged(Option<Value>),
    /// For so many times in a row.
    Failed(Failure, i32),
    Replaced(String),
    Nothing,
}

fn believed(stored: &Stored, seen: &Seen) -> Believed {
    match seen {
        Seen::Nothing => Believed::Nothing,
        Seen::Replaced(address) => Believed::Replaced(address.clone()),
        Seen::Found(found) => {
            // Which answers it was put together from is not known: a list without anything may be none.
            let (incidents, maintenances) = (
                !found.page.incidents.is_empty(),
                !found.page.maintenances.is_empty(),
            );
            Believed::Said(
                found.page.clone(),
                Spoken {
                    incidents,
                    maintenances,
                },
                None,
            )
        }
        Seen::Asked(Err(failure), before) => {
            Believed::Failed(failure.clone(), before.saturating_add(1))
        }
        Seen::Asked(Ok(Answer::Unchanged(validators)), _) => {
            Believed::Unchanged(validators.clone())
        }
        Seen::Asked(Ok(Answer::Said(page, spoken, validators)), before) => {
            if stored.shares_nothing_with(page) {
                let none = page.components.is_empty();
                let why = if none {
                    "it lists no components any more"
                } else {
                    "it lists none of the components it had"
                };
                Believed::Failed(Failure::unreadable(why), before.saturating_add(1))
            } else {
                Believed::Said((**page).clone(), *spoken, validators.clone())
            }
        }
    }
}

/// Notes that it failed for the `failures`th time in a row; noting it again, after a transaction that failed, changes nothing.
fn could_not_be_read(
    row: &mut vendor_page::Model,
    failure: Failure,
    failures: i32,
    at: DateTime<Utc>,
) {
    row.failures = failures;
    // That its vendor moved is worth knowing until it is read again.
    let known = row.message.take();
    let known =
        known.filter(|known| failure.kind == Kind::Unreadable && known.starts_with(REPLACED));
    row.message = Some(known.unwrap_or(failure.message));
    row.not_before = cadence::not_before(at, failure.rest, failure.kind == Kind::Limited, failures);
}

fn was_read(row: &mut vendor_page::Model, at: DateTime<Utc>) {
    row.fetched_at = Some(at);
    row.failures = 0;
    row.message = None;
    row.not_before = None;
}

fn describe(row: &mut vendor_page::Model, page: &Page) {
    row.listing = match page.listing {
        Listing::All => column::Listing::All,
        Listing::Mentioned => column::Listing::Mentioned,
    };
    row.name = page.name.clone().or(row.name.take());
    row.url = page.url.clone().or(row.url.take());
    row.provider = row
        .provider
        .take()
        .or_else(|| Some(page.provider.to_owned()));
}

/// Says once when a page fails, and once when it is read again.
fn tell_apart(before: &vendor_page::Model, after: &vendor_page::Model) {
    let (page, addresses) = (after.id, &after.api_urls);
    match (before.failures, after.failures) {
        (0, 1..) => {
            let why = after.message.as_deref();
            tracing::info!(%page, %addresses, why, "a vendor page cannot be read; what it said stands for a while");
        }
        (1.., 0) => {
            tracing::info!(%page, failures = before.failures, "a vendor page is read again")
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_is_noted_again_counts_once() {
        let at = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let mut row = vendor_page::Model {
            id: Uuid::nil(),
            key: String::new(),
            url: None,
            name: None,
            provider: None,
            api_urls: json!([]),
            user_defined: false,
            fetched_at: None,
            attempted_at: Some(at),
            failures: 2,
            message: None,
            listing: column::Listing::All,
            not_before: None,
            validators: None,
            detected_at: None,
            created_at: at,
        };
        let seen = Seen::Asked(
            Err(Failure {
                kind: Kind::Limited,
                ..Failure::unreadable("answered 429")
            }),
            2,
        );
        let mut note = || {
            let Believed::Failed(failure, failures) = believed(&Stored::default(), &seen) else {
                panic!("it failed")
            };
            could_not_be_read(&mut row, failure, failures, at);
            row.clone()
        };
        let (first, second) = (note(), note());
        assert_eq!(
            (first.failures, first.message.as_deref()),
            (3, Some("answered 429"))
        );
        assert_eq!(first, second, "as after a transaction that failed");
    }
}
