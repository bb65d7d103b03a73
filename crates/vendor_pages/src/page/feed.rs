//! RSS feeds: the channel's title and its items.

use super::Unreadable;
use quick_xml::Reader;
use quick_xml::events::Event;

/// The most items that are read.
const MAX_ITEMS: usize = 5_000;
/// The most text that is kept of one element, in bytes.
const MAX_TEXT: usize = 64 << 10;

/// An RSS feed. Texts have their entities decoded, and may hold HTML.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    pub(crate) title: String,
    pub(crate) link: String,
    pub(crate) description: String,
    pub(crate) items: Vec<Item>,
}

/// An item of a feed; empty texts for what it does not have.
#[derive(Debug, Default)]
pub(crate) struct Item {
    pub(crate) title: String,
    pub(crate) link: String,
    pub(crate) guid: String,
    pub(crate) published: String,
    pub(crate) description: String,
}

/// Reads `text`, which starts with `<`.
///
/// # Errors
/// When it is a web page, is cut off or broken, or is no RSS.
pub(crate) fn read(text: &str) -> Result<Feed, Unreadable> {
    let mut reader = Reader::from_str(text);
    // Unbalanced tags are an error, whatever the content type.
    reader.config_mut().check_end_names = true;
    let mut feed = Feed::default();
    let mut path: Vec<String> = Vec::new();
    let mut complete = false;
    loop {
        match reader.read_event() {
            Err(_) if path.is_empty() && !complete => return Err(not_a_feed(text)),
            Err(error) => return Err(Unreadable::Feed(error.to_string())),
            Ok(Event::Eof) => break,
            Ok(Event::Start(start)) => {
                path.push(start.name().as_ref().to_ascii_lowercase());
                if path.len() == 1 && path[0] != "rss" {
                    return Err(not_a_feed(text));
                }
                if path.len() > 64 {
                    return Err(Unreadable::Feed("its elements are nested too deep".into()));
                }
                if is(&path, &["rss", "channel", "item"]) {
                    if feed.items.len() == MAX_ITEMS {
                        return Err(Unreadable::Feed("it has too many items".into()));
                    }
                    feed.items.push(Item::default());
                }
            }
            Ok(Event::End(_)) => {
                path.pop();
                complete = path.is_empty();
            }
            Ok(Event::Text(part)) => keep(&mut feed, &path, &part),
            Ok(Event::CData(part)) => keep(&mut feed, &path, &part),
            Ok(Event::GeneralRef(name)) => {
                keep(&mut feed, &path, entity(&name).encode_utf8(&mut [0; 4]));
            }
            Ok(_) => {}
        }
    }
    if !complete {
        return Err(Unreadable::Feed("it is cut off".into()));
    }
    if feed.title.trim().is_empty() {
        return Err(Unreadable::Feed("its channel has no title".into()));
    }
    Ok(feed)
}

/// Returns the character of an entity, or a replacement character for an unknown one.
fn entity(name: &str) -> char {
    match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => name
            .strip_prefix('#')
            .and_then(|code| match code.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => code.parse().ok(),
            })
            .and_then(char::from_u32)
            .unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

fn keep(feed: &mut Feed, path: &[String], part: &str) {
    let in_item = path.len() == 4 && is(&path[..3], &["rss", "channel", "item"]);
    let in_channel = path.len() == 3 && is(&path[..2], &["rss", "channel"]);
    let Some(last) = path.last() else { return };
    let field = if in_item {
        let Some(item) = feed.items.last_mut() else {
            return;
        };
        match last.as_str() {
            "title" => &mut item.title,
            "link" => &mut item.link,
            "guid" => &mut item.guid,
            "pubdate" => &mut item.published,
            "description" => &mut item.description,
            _ => return,
        }
    } else if in_channel {
        match last.as_str() {
            "title" => &mut feed.title,
            "link" => &mut feed.link,
            "description" => &mut feed.description,
            _ => return,
        }
    } else {
        return;
    };
    if field.len() + part.len() <= MAX_TEXT {
        field.push_str(part);
    }
}

fn is(path: &[String], names: &[&str]) -> bool {
    path.len() == names.len() && path.iter().zip(names).all(|(a, b)| a == b)
}

fn not_a_feed(text: &str) -> Unreadable {
    let start = text
        .get(..text.len().min(1_000))
        .or_else(|| text.get(..text.len().min(997)))
        .unwrap_or(text);
    let start = start.to_ascii_lowercase();
    if start.contains("<!doctype html")
        || start.contains("<html")
        || start.contains("<head")
        || start.contains("<body")
    {
        Unreadable::Html
    } else {
        Unreadable::Feed("it is no RSS".into())
    }
}
