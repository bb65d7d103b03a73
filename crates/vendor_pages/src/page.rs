//! What vendor pages say: bytes in, one shape out, whoever's software made the page.
//!
//! Pure. Reading is tolerant of what is absent, null, new or in another order, and never guesses: a word that is not
//! known is [`Status::Unknown`], an answer of no known shape is [`Unreadable`], a time without a zone is none, and an
//! empty answer is never a recovery. Knows nothing of requests, schedules and who follows what.

mod draft;
mod feed;
pub mod following;
mod json;
mod provider;
mod text;
mod time;

use chrono::{DateTime, Utc};
use domain::Status;
use json::Json;
use provider::{Answer, Content};
use std::borrow::Cow;
use std::collections::HashSet;
use url::Url;

pub(crate) use provider::PROVIDERS;

/// The id of the component that stands for a vendor's whole product, where a vendor publishes events alone and no
/// list of components.
pub const WHOLE: &str = "all";

/// The most components of one page; the largest known has some 500. A page with more is not cut short: what is cut off
/// would look as if it were gone.
pub const MAX_COMPONENTS: usize = 2_000;

/// Everything that a vendor's page says at one moment, put together from its answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Whose software made the page.
    pub provider: &'static str,
    /// The vendor's name for the page.
    pub name: Option<String>,
    /// The page for people.
    pub url: Option<String>,
    /// What can be followed, in the vendor's order. Groups are no components.
    pub components: Vec<Component>,
    /// The vendor's incidents, open ones and those that it still shows.
    pub incidents: Vec<Incident>,
    /// The vendor's announced maintenance.
    pub maintenances: Vec<Maintenance>,
    /// What the components' ids are.
    pub identity: Identity,
    /// What it means that a component is not among them.
    pub listing: Listing,
}

/// What one answer of a page says. `None` is what it does not speak of, which another answer of the same page may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Whose software gave the answer.
    pub provider: &'static str,
    /// The vendor's name for the page.
    pub name: Option<String>,
    /// The page for people.
    pub url: Option<String>,
    /// Its components.
    pub components: Option<Vec<Component>>,
    /// Its incidents.
    pub incidents: Option<Vec<Incident>>,
    /// Its maintenance.
    pub maintenances: Option<Vec<Maintenance>>,
    /// What the components' ids are.
    pub identity: Identity,
    /// What it means that a component is not among them.
    pub listing: Listing,
}

/// What a component's id is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// The vendor's own id, which outlives a rename.
    Id,
    /// Its name, because the vendor gives no ids: a rename is a disappearance.
    Name,
}

/// What a list of components holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// All: one that is absent is gone.
    All,
    /// Those that something was published about: of one that is absent the vendor says nothing bad, so it is up.
    Mentioned,
}

/// A part of the vendor's product that has a status of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// The vendor's id, unique on its page, 200 characters at most; see [`Identity`].
    pub id: String,
    /// The vendor's name for it. Not unique.
    pub name: String,
    /// The vendor's group, if it is in one.
    pub group: Option<String>,
    /// What the vendor's word means.
    pub status: Status,
    /// The vendor's own word; empty if there is none.
    pub vendor_status: String,
    /// The place in the vendor's order, from 0.
    pub position: u32,
}

/// Something that went wrong, in the vendor's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// The vendor's id, unique on its page.
    pub id: String,
    /// The vendor's title.
    pub name: String,
    /// The vendor's word for how bad; empty if there is none.
    pub impact: String,
    /// The vendor's word for how far.
    pub status: String,
    /// Whether it goes on.
    pub open: bool,
    /// When it began, as far as the vendor says so.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, never before it began; `None` while it is open.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Its page for people.
    pub url: Option<String>,
    /// The components that the vendor links it to. May name some that are on no list.
    pub component_ids: Vec<String>,
    /// What the vendor wrote, newest first.
    pub updates: Vec<Update>,
}

/// Work that the vendor announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// The vendor's id, unique on its page.
    pub id: String,
    /// The vendor's title.
    pub name: String,
    /// The vendor's word for how far.
    pub status: String,
    /// What that word means; `None` where the vendor says no more than the window. See [`Self::stage_at`].
    pub stage: Option<Stage>,
    /// When it is to begin.
    pub scheduled_for: Option<DateTime<Utc>>,
    /// When it is to end, never before it begins.
    pub scheduled_until: Option<DateTime<Utc>>,
    /// Its page for people.
    pub url: Option<String>,
    /// The components that the vendor links it to.
    pub component_ids: Vec<String>,
    /// What the vendor wrote, newest first.
    pub updates: Vec<Update>,
}

/// How far a maintenance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Announced.
    Scheduled,
    /// Under way.
    InProgress,
    /// Over.
    Completed,
}

/// One thing that a vendor wrote about an incident or a maintenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// When it was published, as far as the vendor says so.
    pub at: Option<DateTime<Utc>>,
    /// The vendor's word for the state that it reports; empty if there is none.
    pub status: String,
    /// Text, never markup; may have several lines; may be empty.
    pub body: String,
}

/// Why an answer says nothing about a vendor. `Display` gives one sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Nothing at all.
    #[error("the answer is empty")]
    Empty,
    /// Neither UTF-8 nor UTF-16 with a byte-order mark.
    #[error("the answer is no valid text")]
    NotText,
    /// A page for people, where an answer for programs was expected.
    #[error("the answer is a web page, not status data")]
    Html,
    /// Broken JSON: cut off, or something else.
    #[error("the answer is no valid JSON: {0}")]
    Json(String),
    /// Broken XML.
    #[error("the answer is no valid feed: {0}")]
    Feed(String),
    /// Valid, but nothing that any known provider says.
    #[error("the answer has no known shape")]
    Shape,
    /// The provider itself says that it failed, or its answer contradicts itself.
    #[error("{0}")]
    Refused(String),
    /// More components than anybody could choose from, so many that judging them would hold up other pages.
    #[error("it lists {0} components, and no more than {MAX_COMPONENTS} are read")]
    TooMany(usize),
    /// No answers to put together.
    #[error("there is no answer")]
    NoAnswer,
}

/// Reads one answer. `address` is where it came from: it resolves relative links, and its end tells apart lists that
/// are empty.
///
/// # Errors
/// Why it says nothing.
pub fn read(address: &Url, bytes: &[u8]) -> Result<Reading, Unreadable> {
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
    let content = opened(root)?;
    ask(&Answer {
        address,
        content: Content::Json(content),
    })
}

/// The names of all known providers.
pub fn providers() -> impl Iterator<Item = &'static str> {
    PROVIDERS.iter().map(|provider| provider.name)
}

/// Asks each provider whether the answer is its own.
fn ask(answer: &Answer<'_>) -> Result<Reading, Unreadable> {
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

/// Puts the answers of one page together: everything once, components first of all from an answer that has them
/// alone, since a summary may be cut short. A page of which one answer could not be read is not to be put together:
/// what only that answer has would look as if it were gone.
///
/// # Errors
/// [`Unreadable::NoAnswer`] if there are none, [`Unreadable::TooMany`] if they have too many components together.
pub fn assemble(mut readings: Vec<Reading>) -> Result<Page, Unreadable> {
    let has_components_alone =
        |reading: &Reading| reading.components.is_some() && reading.incidents.is_none();
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

/// Adds those of `more` whose ids are not there yet.
fn add<T>(list: &mut Vec<T>, more: Option<Vec<T>>, id: fn(&T) -> &String) {
    let known: HashSet<String> = list.iter().map(|item| id(item).clone()).collect();
    list.extend(
        more.into_iter()
            .flatten()
            .filter(|item| !known.contains(id(item))),
    );
}

impl Maintenance {
    /// How far it is: by the vendor's word, or at `now` by the window where there is no word that is known.
    #[must_use]
    pub fn stage_at(&self, now: DateTime<Utc>) -> Stage {
        self.stage
            .unwrap_or(match (self.scheduled_for, self.scheduled_until) {
                (_, Some(until)) if until <= now => Stage::Completed,
                (Some(from), _) if from <= now => Stage::InProgress,
                _ => Stage::Scheduled,
            })
    }
}

impl Reading {
    /// Whether it has any component, incident or maintenance.
    #[must_use]
    pub fn contributes(&self) -> bool {
        let any = |count: Option<usize>| count.is_some_and(|count| count > 0);
        any(self.components.as_ref().map(Vec::len))
            || any(self.incidents.as_ref().map(Vec::len))
            || any(self.maintenances.as_ref().map(Vec::len))
    }
}

/// The text of an answer: UTF-8, or UTF-16 if its byte-order mark says so.
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

/// What is inside the envelope `{success, data | result}`, if there is one.
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
