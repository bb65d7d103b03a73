//! Records polls of vendor pages: the rows of the page, and a check for each follower, in one
//! transaction for some hundred followers. Announces the checks after the commit.

use super::cadence::{self, Times};
use super::content::{PresentLists, StoredPage, is_same_vendor};
use super::fetching::{Failure, FailureKind, FetchedPage};
use super::judging::{self, PageSnapshot};
use super::store::{FOLLOWER_BATCH, PageStore};
use crate::check::Check;
use crate::clock::Clock;
use crate::recorder::{RecordOutcome, Recorder};
use chrono::{DateTime, TimeDelta, Utc};
use domain::vendor_page::{Freshness, freshness};
use entity::{column, vendor_page};
use sea_orm::{DatabaseTransaction, DbErr};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Mutex;
use uuid::Uuid;
use vendor_pages::discovery::{self, Discovery};
use vendor_pages::page::following::Index;
use vendor_pages::page::{ListCoverage, Page};

/// How soon a page is polled again if followers were changed while they were judged.
const CHANGED_FOLLOWER_DELAY: TimeDelta = TimeDelta::seconds(1);

/// Shown for a page that was replaced by one with none of its components.
const REPLACED: &str =
    "the page has moved or was replaced by one without any component that is known";

/// The result of polling a page once.
#[derive(Debug)]
pub(crate) enum PollResult {
    /// The page was fetched, after so many consecutive failures.
    Fetched(Result<FetchedPage, Failure>, i32),
    /// The page was rediscovered, with components that are known.
    Rediscovered(Box<Discovery>),
    /// Rediscovery found only a page without any known component, at this address.
    Replaced(String),
    /// The page may not be fetched yet: the stored reading counts.
    NotFetched,
}

/// The outcome of recording a poll.
#[derive(Debug)]
pub(crate) enum Recorded {
    /// The page is due next at `next`.
    Next {
        next: DateTime<Utc>,
        /// The number of consecutive failures and the kind of the last one, if this fetch failed.
        failed: Option<(i32, FailureKind)>,
    },
    /// Another worker polled the page meanwhile and knows more.
    Superseded,
    /// The page was deleted.
    Gone,
    /// All followers follow this page instead.
    Moved(Uuid),
}

/// Records polls, one transaction at a time, so that many polls do not take the connections that
/// probes are recorded by.
#[derive(Debug)]
pub(crate) struct PollRecorder {
    pub(crate) pages: PageStore,
    recorder: Arc<Recorder>,
    clock: Clock,
    transaction_turn: Mutex<()>,
}

/// A page whose own rows are written.
struct UpdatedPage {
    row: vendor_page::Model,
    snapshot: PageSnapshot,
    failed: Option<(i32, FailureKind)>,
}

impl PollRecorder {
    pub(crate) fn new(pages: PageStore, recorder: Arc<Recorder>, clock: Clock) -> Self {
        Self {
            pages,
            recorder,
            clock,
            transaction_turn: Mutex::new(()),
        }
    }

    /// Records the result of a poll at `polled_at`, unless the page was fetched again since
    /// `attempted_at`.
    ///
    /// The slot of the checks is the time when they are evaluated under the lock of the page: of two
    /// polls the one that is recorded last is the later one, however long it had to wait.
    pub(crate) async fn record(
        &self,
        page: Uuid,
        attempted_at: Option<DateTime<Utc>>,
        result: &PollResult,
        polled_at: DateTime<Utc>,
    ) -> Result<Recorded, DbErr> {
        let mut updated = None;
        let mut last_seq = i32::MIN;
        let mut has_changed_follower = false;
        loop {
            // Taken for each transaction, so that a page with many followers lets others go first.
            let turn = self.transaction_turn.lock().await;
            let begun = Instant::now();
            let transaction = self.recorder.begin().await?;
            let Some(row) = self.pages.lock(&transaction, page).await? else {
                return Ok(Recorded::Gone);
            };
            if row.attempted_at != attempted_at {
                return Ok(Recorded::Superseded);
            }
            if updated.is_none() {
                if let Some((other, found)) = self.other_page(&transaction, &row, result).await? {
                    self.move_followers(&transaction, &row, other, found, polled_at)
                        .await?;
                    transaction.commit().await?;
                    tracing::info!(%page, %other, "a vendor page has moved to the addresses of another one, which its followers follow now");
                    return Ok(Recorded::Moved(other));
                }
                updated = Some(self.update(&transaction, row, result, polled_at).await?);
            }
            let updated = updated.as_ref().expect("it was just set");
            let followers = self.pages.followers(&transaction, page, last_seq).await?;
            let now = self.clock.now().max(polled_at);
            let index = updated.snapshot.page.as_ref().map(Index::new);
            let (checks, snapshots): (Vec<Check>, Vec<_>) = followers
                .iter()
                .filter_map(|follower| {
                    judging::judge(&updated.snapshot, index.as_ref(), follower, now)
                })
                .unzip();
            let batch = self
                .recorder
                .record(&transaction, checks.iter().collect(), now)
                .await?;
            self.pages
                .update_snapshots(&transaction, &snapshots.concat())
                .await?;
            transaction.commit().await?;
            drop(turn);

            let committed = self.recorder.count_committed(batch, begun.elapsed());
            has_changed_follower |= committed.outcomes.contains(&RecordOutcome::Outdated);
            self.recorder.announce(committed.announcement).await;
            if followers.len() < FOLLOWER_BATCH {
                return Ok(self.next_poll(updated, has_changed_follower));
            }
            last_seq = followers.last().map_or(i32::MAX, |last| last.service.seq);
        }
    }

    fn next_poll(&self, updated: &UpdatedPage, has_changed_follower: bool) -> Recorded {
        let now = self.clock.now();
        let mut next = Times::from(&updated.row).next(updated.row.id, now);
        if has_changed_follower {
            next = next.min(now + CHANGED_FOLLOWER_DELAY);
        }
        Recorded::Next {
            next,
            failed: updated.failed,
        }
    }

    /// Returns another page that is read at the addresses at which this one was rediscovered or to which
    /// it has moved.
    async fn other_page<'r>(
        &self,
        transaction: &DatabaseTransaction,
        row: &vendor_page::Model,
        result: &'r PollResult,
    ) -> Result<Option<(Uuid, &'r Page)>, DbErr> {
        let (key, page) = match result {
            PollResult::Rediscovered(found) => (found.key(), &found.page),
            PollResult::Fetched(
                Ok(FetchedPage::Read {
                    page,
                    moved_to: Some(urls),
                    ..
                }),
                _,
            ) => {
                let stored = self.pages.stored(transaction, row.id).await?;
                if !is_same_vendor(page, &stored.component_names()) {
                    return Ok(None);
                }
                (discovery::key(urls), &**page)
            }
            _ => return Ok(None),
        };
        let id = self.pages.find_by_key(transaction, &key).await?;
        Ok(id
            .filter(|other| *other != row.id)
            .map(|other| (other, page)))
    }

    /// Makes all followers of `row` follow `other`, which was found to be `page`.
    async fn move_followers(
        &self,
        transaction: &DatabaseTransaction,
        row: &vendor_page::Model,
        other: Uuid,
        page: &Page,
        at: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        if row.listing == column::ListCoverage::All && page.listing == ListCoverage::Mentioned {
            let listed: Vec<_> = page
                .components
                .iter()
                .map(|component| component.id.clone())
                .collect();
            self.pages
                .mark_missing(transaction, row.id, &listed)
                .await?;
        }
        self.pages
            .move_followers(transaction, row.id, other, at)
            .await
    }

    /// Writes the changed rows of the page itself.
    async fn update(
        &self,
        transaction: &DatabaseTransaction,
        before: vendor_page::Model,
        result: &PollResult,
        at: DateTime<Utc>,
    ) -> Result<UpdatedPage, DbErr> {
        let stored = self.pages.stored(transaction, before.id).await?;
        let mut row = before.clone();
        if let PollResult::Rediscovered(found) = result {
            row.key = found.key();
            row.api_urls = json!(found.api_urls);
            row.provider = Some(found.page.provider.to_owned());
        }
        let mut page = before.fetched_at.map(|_| stored.page(&before));
        let mut failed = None;
        let mut is_replaced = false;
        match accept(&stored, result) {
            AcceptedReading::None => {}
            AcceptedReading::Unchanged(validators) => {
                note_success(&mut row, at);
                row.validators = validators.or(row.validators);
            }
            AcceptedReading::Replaced(address) => {
                row.message = Some(format!(
                    "{REPLACED} ({address}): choose the components again"
                ));
                is_replaced = true;
            }
            AcceptedReading::New {
                page: mut new,
                present,
                validators,
                moved_to,
            } => {
                note_success(&mut row, at);
                row.validators = validators;
                if let Some(urls) = moved_to
                    && is_same_vendor(&new, &stored.component_names())
                {
                    row.key = discovery::key(&urls);
                    row.api_urls = json!(urls);
                }
                update_description(&mut row, &new);
                if before.fetched_at.is_some() && before.listing == column::ListCoverage::All {
                    // A list of mentioned components says nothing about those that it leaves out,
                    // which were listed among all before.
                    new.listing = ListCoverage::All;
                }
                let changes = stored.changes(row.id, &new, present, at);
                if !changes.is_empty() {
                    self.pages.write(transaction, row.id, changes).await?;
                }
                if !present.incidents {
                    new.incidents = stored.page(&before).incidents;
                }
                page = Some(new);
            }
            AcceptedReading::Failed(failure, failures) => {
                failed = Some((failures, failure.kind));
                note_failure(&mut row, failure, failures, at);
            }
        }
        if row != before {
            log_change(&before, &row);
            self.pages.write_row(transaction, row.clone()).await?;
        }
        let snapshot = PageSnapshot {
            page,
            read_at: row.fetched_at,
            // The reading of a page that was replaced is not known to be true any more.
            freshness: if is_replaced {
                Freshness::Lost
            } else {
                freshness(row.fetched_at, at)
            },
            failure: row.message.clone().filter(|_| row.failures > 0),
        };
        Ok(UpdatedPage {
            row,
            snapshot,
            failed,
        })
    }
}

/// What is accepted of the result of a poll.
enum AcceptedReading {
    New {
        page: Page,
        present: PresentLists,
        validators: Option<Value>,
        moved_to: Option<Vec<String>>,
    },
    Unchanged(Option<Value>),
    /// With the number of consecutive failures.
    Failed(Failure, i32),
    Replaced(String),
    None,
}

fn accept(stored: &StoredPage, result: &PollResult) -> AcceptedReading {
    match result {
        PollResult::NotFetched => AcceptedReading::None,
        PollResult::Replaced(address) => AcceptedReading::Replaced(address.clone()),
        PollResult::Rediscovered(found) => AcceptedReading::New {
            page: found.page.clone(),
            // Which responses it was assembled from is not known: an empty list may be a missing one.
            present: PresentLists {
                incidents: !found.page.incidents.is_empty(),
                maintenances: !found.page.maintenances.is_empty(),
            },
            validators: None,
            moved_to: None,
        },
        PollResult::Fetched(Err(failure), failures) => {
            AcceptedReading::Failed(failure.clone(), failures.saturating_add(1))
        }
        PollResult::Fetched(Ok(FetchedPage::Unchanged(validators)), _) => {
            AcceptedReading::Unchanged(validators.clone())
        }
        PollResult::Fetched(
            Ok(FetchedPage::Read {
                page,
                present,
                validators,
                moved_to,
            }),
            failures,
        ) => {
            if stored.shares_nothing_with(page) {
                let why = if page.components.is_empty() {
                    "it lists no components any more"
                } else {
                    "it lists none of the components it had"
                };
                return AcceptedReading::Failed(
                    Failure::unreadable(why),
                    failures.saturating_add(1),
                );
            }
            AcceptedReading::New {
                page: (**page).clone(),
                present: *present,
                validators: validators.clone(),
                moved_to: moved_to.clone(),
            }
        }
    }
}

/// Notes a failed fetch, the `failures`th in a row. Idempotent, because a transaction may be repeated.
fn note_failure(row: &mut vendor_page::Model, failure: Failure, failures: i32, at: DateTime<Utc>) {
    row.failures = failures;
    // That the page was replaced is worth showing until it is read again.
    let replaced = row
        .message
        .take()
        .filter(|message| failure.kind == FailureKind::Unreadable && message.starts_with(REPLACED));
    row.message = Some(replaced.unwrap_or(failure.message));
    let is_limited = failure.kind == FailureKind::Limited;
    row.not_before = cadence::not_before(at, failure.retry_after, is_limited, failures);
}

fn note_success(row: &mut vendor_page::Model, at: DateTime<Utc>) {
    row.fetched_at = Some(at);
    row.failures = 0;
    row.message = None;
    row.not_before = None;
}

fn update_description(row: &mut vendor_page::Model, page: &Page) {
    row.listing = match page.listing {
        ListCoverage::All => column::ListCoverage::All,
        ListCoverage::Mentioned => column::ListCoverage::Mentioned,
    };
    row.name = page.name.clone().or(row.name.take());
    row.url = page.url.clone().or(row.url.take());
    row.provider = row
        .provider
        .take()
        .or_else(|| Some(page.provider.to_owned()));
}

/// Logs once when a page begins to fail, once when it is read again, and when its addresses change.
fn log_change(before: &vendor_page::Model, after: &vendor_page::Model) {
    let page = after.id;
    if before.api_urls != after.api_urls {
        let (before, now) = (&before.api_urls, &after.api_urls);
        tracing::info!(%page, %before, %now, "a vendor page has moved, reading it at its new addresses");
    }
    match (before.failures, after.failures) {
        (0, 1..) => {
            let addresses = &after.api_urls;
            let reason = after.message.as_deref();
            tracing::info!(%page, %addresses, reason, "failed to read a vendor page, using its last reading for a while");
        }
        (1.., 0) => {
            tracing::info!(%page, failures = before.failures, "a vendor page is read again");
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
            listing: column::ListCoverage::All,
            not_before: None,
            validators: None,
            detected_at: None,
            created_at: at,
        };
        let result = PollResult::Fetched(
            Err(Failure {
                kind: FailureKind::Limited,
                ..Failure::unreadable("answered 429")
            }),
            2,
        );
        let mut note = || {
            let AcceptedReading::Failed(failure, failures) =
                accept(&StoredPage::default(), &result)
            else {
                panic!("it failed")
            };
            note_failure(&mut row, failure, failures, at);
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
