//! Parses vendor pages of all providers into one common form.
//!
//! Pure. Parsing tolerates absent, null, new and reordered fields, and never guesses: an unknown word
//! is [`Status::Unknown`], an unknown format is [`Unreadable`], a time without a zone is ignored, and
//! an empty response is never a recovery. Does not depend on requests, schedules or services.

mod draft;
mod feed;
pub mod following;
mod json;
mod paging;
mod progress;
mod provider;
mod text;
mod time;

use chrono::{DateTime, TimeDelta, Utc};
use domain::Status;
use json::Json;
use provider::{Answer, Content};
use std::borrow::Cow;
use std::collections::HashSet;
use url::Url;

pub use paging::Paging;
pub(crate) use provider::PROVIDERS;

/// Id of the component for a vendor's whole product, if the vendor publishes only events and no list
/// of components.
pub const WHOLE: &str = "all";

/// Maximum number of components of a page; the largest known page has about 500. A larger page is
/// rejected, because truncating it would make components look removed.
pub const MAX_COMPONENTS: usize = 2_000;

/// Maximum number of parts of a list that are requested.
pub const MAX_PARTS: usize = 30;

/// How long maintenance is shown as overdue after the end of its window if the vendor still calls it
/// scheduled: it was most likely forgotten.
pub const OVERDUE_SCHEDULED: TimeDelta = TimeDelta::hours(24);

/// The same if the vendor says that it is in progress.
pub const OVERDUE_IN_PROGRESS: TimeDelta = TimeDelta::days(7);

/// Content of a vendor page at one time, merged from its responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Provider of the page's software.
    pub provider: &'static str,
    /// Name of the page.
    pub name: Option<String>,
    /// URL of the page for people.
    pub url: Option<String>,
    /// Components in the vendor's order, without groups.
    pub components: Vec<Component>,
    /// Open incidents, and closed ones that the page still lists.
    pub incidents: Vec<Incident>,
    /// Announced maintenance.
    pub maintenances: Vec<Maintenance>,
    /// Kind of the components' ids.
    pub identity: Identity,
    /// Meaning of a component that is absent from the list.
    pub listing: ListCoverage,
}

/// Content of one response of a page. `None` means that the response does not have the field; another
/// response of the page may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialPage {
    /// Provider of the software that sent the response.
    pub provider: &'static str,
    /// Name of the page.
    pub name: Option<String>,
    /// URL of the page for people.
    pub url: Option<String>,
    /// Its components.
    pub components: Option<Vec<Component>>,
    /// Its incidents.
    pub incidents: Option<Vec<Incident>>,
    /// Its maintenance.
    pub maintenances: Option<Vec<Maintenance>>,
    /// Kind of the components' ids.
    pub identity: Identity,
    /// Meaning of a component that is absent from the list.
    pub listing: ListCoverage,
    /// Where the rest of the list is, if the response is only a part of it.
    pub paging: Paging,
}

/// Kind of a component's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// An id given by the vendor, which a rename does not change.
    Id,
    /// The component's name, because the vendor has no ids. A renamed component looks removed.
    Name,
}

/// Which components a list contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListCoverage {
    /// All components. An absent one was removed.
    All,
    /// Only components with events. An absent one is up.
    Mentioned,
}

/// A part of the vendor's product with its own status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Id, unique on the page, at most 200 characters; see [`Identity`].
    pub id: String,
    /// Name. Not unique.
    pub name: String,
    /// Name of its group, if it has one.
    pub group: Option<String>,
    /// Status that the vendor's word maps to.
    pub status: Status,
    /// The vendor's word for the status; empty if there is none.
    pub vendor_status: String,
    /// Position in the vendor's order, from 0.
    pub position: u32,
}

/// An incident that the vendor reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Id, unique on the page.
    pub id: String,
    /// Title.
    pub name: String,
    /// The vendor's word for the impact; empty if there is none.
    pub impact: String,
    /// The vendor's word for the state.
    pub status: String,
    /// Whether it is still open.
    pub open: bool,
    /// Start, if the vendor gives it.
    pub started_at: Option<DateTime<Utc>>,
    /// End, never before the start; `None` while it is open.
    pub resolved_at: Option<DateTime<Utc>>,
    /// URL of its page for people.
    pub url: Option<String>,
    /// Ids of affected components, some of which may not be listed.
    pub component_ids: Vec<String>,
    /// Updates, newest first.
    pub updates: Vec<Update>,
}

/// Maintenance that the vendor announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// Id, unique on the page.
    pub id: String,
    /// Title.
    pub name: String,
    /// The vendor's word for the state.
    pub status: String,
    /// Stage that the word maps to; `None` if the vendor gives only the window. See [`Self::stage_at`].
    pub stage: Option<Stage>,
    /// Planned start.
    pub scheduled_for: Option<DateTime<Utc>>,
    /// Planned end, never before the start.
    pub scheduled_until: Option<DateTime<Utc>>,
    /// URL of its page for people.
    pub url: Option<String>,
    /// Ids of affected components.
    pub component_ids: Vec<String>,
    /// Updates, newest first.
    pub updates: Vec<Update>,
}

/// Stage of a maintenance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Announced.
    Scheduled,
    /// Under way.
    InProgress,
    /// Over.
    Completed,
}

/// An update of an incident or maintenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Time of publication, if the vendor gives it.
    pub at: Option<DateTime<Utc>>,
    /// The vendor's word for the reported state; empty if there is none.
    pub status: String,
    /// Plain text without markup. May have several lines or be empty.
    pub body: String,
}

/// Reason why a response cannot be parsed. `Display` is a message for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The response is empty.
    #[error("the answer is empty")]
    Empty,
    /// Neither UTF-8 nor UTF-16 with a byte-order mark.
    #[error("the answer is no valid text")]
    NotText,
    /// HTML instead of a data format.
    #[error("the answer is a web page, not status data")]
    Html,
    /// Invalid JSON.
    #[error("the answer is no valid JSON: {0}")]
    Json(String),
    /// Invalid XML.
    #[error("the answer is no valid feed: {0}")]
    Feed(String),
    /// Valid, but not the format of a known provider.
    #[error("the answer has no known shape")]
    Shape,
    /// The provider reports an error, or the response contradicts itself.
    #[error("{0}")]
    Refused(String),
    /// More than [`MAX_COMPONENTS`] components.
    #[error("it lists {0} components, and no more than {MAX_COMPONENTS} are read")]
    TooMany(usize),
    /// A list of components in more parts than are read.
    #[error("the list has more than {MAX_PARTS} parts, and no more are read")]
    TooManyParts,
    /// There are no responses to merge.
    #[error("there is no answer")]
    NoAnswer,
}

/// Parses one response. `address` is its URL: relative links are resolved against it, and its path
/// distinguishes empty lists.
///
/// # Errors
/// Returns why the response cannot be parsed.
pub fn read(address: &Url, bytes: &[u8]) -> Result<PartialPage, Unreadable> {
    let text = decoded(bytes)?;
    let text = text.trim();
    if text.is_empty() {
        return Err(Unreadable::Empty);
    }
    if text.starts_with('<') {
        let feed = feed::read(text)?;
        return ask(&Answer {
            address,
            content: Content::Feed(feed),
        });
    }
    let root = Json::read(text).map_err(|error| Unreadable::Json(error.to_string()))?;
    let paging = paging::paging(&root, address);
    let content = opened(root)?;
    let mut reading = ask(&Answer {
        address,
        content: Content::Json(content),
    })?;
    // Components of the rest would look removed.
    if reading.components.is_some() && paging.is_cut_short() {
        return Err(cut_short());
    }
    reading.paging = paging;
    Ok(reading)
}

fn cut_short() -> Unreadable {
    Unreadable::Refused("the answer holds only a part of the components".into())
}

/// Returns the names of all known providers.
pub fn providers() -> impl Iterator<Item = &'static str> {
    PROVIDERS.iter().map(|provider| provider.name)
}

/// Tries the parser of each provider.
fn ask(answer: &Answer<'_>) -> Result<PartialPage, Unreadable> {
    let (provider, draft) = PROVIDERS
        .iter()
        .find_map(|provider| Some((provider, (provider.read)(answer)?)))
        .ok_or(Unreadable::Shape)?;
    let reading = draft.map_err(Unreadable::Refused)?.finished(provider.name);
    bounded(reading.components.as_deref().unwrap_or_default())?;
    Ok(reading)
}

fn bounded(components: &[Component]) -> Result<(), Unreadable> {
    if components.len() > MAX_COMPONENTS {
        Err(Unreadable::TooMany(components.len()))
    } else {
        Ok(())
    }
}

/// Merges the responses of one page without duplicates. Prefers a response that has only components,
/// because a summary may be truncated. Do not merge a page if one response could not be parsed:
/// what only that response has would look removed.
///
/// # Errors
/// [`Unreadable::NoAnswer`] if there are none, [`Unreadable::TooMany`] if they have too many components together.
pub fn assemble(mut readings: Vec<PartialPage>) -> Result<Page, Unreadable> {
    let has_components_alone =
        |reading: &PartialPage| reading.components.is_some() && reading.incidents.is_none();
    readings.sort_by_key(|reading| !has_components_alone(reading));
    let mut readings = readings.into_iter();
    let first = readings.next().ok_or(Unreadable::NoAnswer)?;
    let mut page = Page {
        provider: first.provider,
        name: first.name,
        url: first.url,
        components: first.components.unwrap_or_default(),
        incidents: first.incidents.unwrap_or_default(),
        maintenances: first.maintenances.unwrap_or_default(),
        identity: first.identity,
        listing: first.listing,
    };
    for other in readings {
        page.name = page.name.or(other.name);
        page.url = page.url.or(other.url);
        if page.components.is_empty() {
            (page.identity, page.listing) = (other.identity, other.listing);
        }
        add(&mut page.components, other.components, |component| {
            &component.id
        });
        add(&mut page.incidents, other.incidents, |incident| {
            &incident.id
        });
        add(&mut page.maintenances, other.maintenances, |maintenance| {
            &maintenance.id
        });
    }
    bounded(&page.components)?;
    for (position, component) in (0..).zip(&mut page.components) {
        component.position = position;
    }
    Ok(page)
}

/// Adds the items of `more` with new ids, if there is such a list.
fn extend<T>(list: &mut Option<Vec<T>>, more: Option<Vec<T>>, id: fn(&T) -> &String) {
    if more.is_some() {
        add(list.get_or_insert_default(), more, id);
    }
}

/// Adds the items of `more` with new ids.
fn add<T>(list: &mut Vec<T>, more: Option<Vec<T>>, id: fn(&T) -> &String) {
    let known: HashSet<String> = list.iter().map(|item| id(item).clone()).collect();
    list.extend(
        more.into_iter()
            .flatten()
            .filter(|item| !known.contains(id(item))),
    );
}

impl Maintenance {
    /// Returns the stage by the vendor's word, or by the window at `now` if the word is unknown. One
    /// that is overdue for too long counts as completed.
    #[must_use]
    pub fn stage_at(&self, now: DateTime<Utc>) -> Stage {
        match (self.stage, self.gone_at()) {
            (Some(_), Some(gone_at)) if gone_at <= now => Stage::Completed,
            (Some(stage), _) => stage,
            (None, _) => match (self.scheduled_for, self.scheduled_until) {
                (_, Some(until)) if until <= now => Stage::Completed,
                (Some(from), _) if from <= now => Stage::InProgress,
                _ => Stage::Scheduled,
            },
        }
    }

    /// Returns whether its window has ended at `now` although the vendor does not say that it is over.
    #[must_use]
    pub fn is_overdue_at(&self, now: DateTime<Utc>) -> bool {
        self.stage_at(now) != Stage::Completed
            && self.scheduled_until.is_some_and(|until| until <= now)
    }

    /// Returns when it counts as over although the vendor does not say so. Without an end, a scheduled
    /// one is expected to be under way when it was to begin; one in progress may take any time.
    fn gone_at(&self) -> Option<DateTime<Utc>> {
        let (end, wait) = match (self.stage?, self.scheduled_until) {
            (Stage::Scheduled, Some(until)) => (until, OVERDUE_SCHEDULED),
            (Stage::Scheduled, None) => (self.scheduled_for?, OVERDUE_IN_PROGRESS),
            (Stage::InProgress, Some(until)) => (until, OVERDUE_IN_PROGRESS),
            (Stage::InProgress, None) | (Stage::Completed, _) => return None,
        };
        end.checked_add_signed(wait)
    }
}

impl PartialPage {
    /// Appends the next part of the list that this response began.
    ///
    /// # Errors
    /// Returns why `part` is not a part of the same list.
    pub(crate) fn append(&mut self, part: Self) -> Result<(), Unreadable> {
        if part.provider != self.provider || part.components.is_some() != self.components.is_some()
        {
            return Err(Unreadable::Shape);
        }
        extend(&mut self.components, part.components, |one| &one.id);
        extend(&mut self.incidents, part.incidents, |one| &one.id);
        extend(&mut self.maintenances, part.maintenances, |one| &one.id);
        self.paging = Paging {
            count: self.paging.count + part.paging.count,
            ..part.paging
        };
        bounded(self.components.as_deref().unwrap_or_default())
    }

    /// Returns whether the next part of the list may have something new: of past incidents, only the
    /// latest matter.
    pub(crate) fn wants_next_part(&self) -> bool {
        let has_open = |incidents: &Vec<Incident>| incidents.iter().any(|incident| incident.open);
        self.components.is_some()
            || self.maintenances.is_some()
            || self.incidents.as_ref().is_some_and(has_open)
    }

    /// Checks that a list of components is complete after its last part was appended.
    pub(crate) fn check_complete(&self) -> Result<(), Unreadable> {
        let Paging { total, count, .. } = self.paging;
        if self.components.is_some() && total.is_some_and(|total| total > count) {
            Err(cut_short())
        } else {
            Ok(())
        }
    }

    /// Returns whether it has any component, incident or maintenance.
    #[must_use]
    pub fn contributes(&self) -> bool {
        let any = |count: Option<usize>| count.is_some_and(|count| count > 0);
        any(self.components.as_ref().map(Vec::len))
            || any(self.incidents.as_ref().map(Vec::len))
            || any(self.maintenances.as_ref().map(Vec::len))
    }
}

/// Decodes a response as UTF-8, or as UTF-16 if it has a byte-order mark.
fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, Unreadable> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        if !bytes.len().is_multiple_of(2) {
            return Err(Unreadable::NotText);
        }
        let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        char::decode_utf16(units)
            .collect::<Result<String, _>>()
            .map(Cow::Owned)
            .map_err(|_| Unreadable::NotText)
    };
    match bytes {
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => std::str::from_utf8(rest)
            .map(Cow::Borrowed)
            .map_err(|_| Unreadable::NotText),
    }
}

/// Unwraps the envelope `{success, data | result}`, if there is one.
fn opened(mut root: Json<'_>) -> Result<Json<'_>, Unreadable> {
    if !root.has("success") || !(root.has("data") || root.has("result")) {
        return Ok(root);
    }
    if root.at("success") == &Json::Bool(false) {
        return Err(Unreadable::Refused(
            "the vendor page says that it could not answer".into(),
        ));
    }
    if let Json::Object(entries) = &mut root
        && let Some(at) = entries.iter().position(|(key, value)| {
            matches!(&**key, "data" | "result") && matches!(value, Json::Object(_) | Json::List(_))
        })
    {
        return Ok(entries.swap_remove(at).1);
    }
    Ok(root)
}
