//! Sanitises text from vendors' pages: bounded, without control characters and without markup.
//!
//! What comes out is text. It may still contain `<` and `&`; escape it like any other text.

use super::json::Json;
use url::Url;

/// The longest id, in characters. A longer one is none: shortened, it could be taken for another's.
const MAX_ID: usize = 200;
/// The longest name, in characters; longer ones are shortened.
const MAX_NAME: usize = 300;
/// The longest body of an update, in characters; longer ones are shortened.
const MAX_BODY: usize = 8_000;
/// The longest address, in bytes; a longer one is none.
const MAX_LINK: usize = 2_000;

/// An id: text or a whole number.
pub(crate) fn id(value: &Json<'_>) -> Option<String> {
    let word = value.word();
    let fits =
        !word.is_empty() && word.chars().count() <= MAX_ID && !word.chars().any(char::is_control);
    fits.then(|| word.into_owned())
}

/// A name, in one line.
pub(crate) fn name(value: &Json<'_>) -> Option<String> {
    value.text().and_then(line)
}

/// `text` in one line, if anything is left of it.
pub(crate) fn line(text: &str) -> Option<String> {
    let mut line = String::new();
    for word in text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
    {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > 4 * MAX_NAME {
            break;
        }
    }
    (!line.is_empty()).then(|| shortened(&line, MAX_NAME))
}

/// A vendor's own word for a state, short enough to be shown.
pub(crate) fn word(value: &Json<'_>) -> String {
    line(&value.word()).unwrap_or_default()
}

/// The body of an update: HTML becomes text, with its paragraphs as lines.
pub(crate) fn body(value: &Json<'_>) -> String {
    plain(value.text().unwrap_or_default())
}

/// An address that may stand behind a link: `http` or `https`, relative ones taken from `base`.
pub(crate) fn link(value: &Json<'_>, base: &Url) -> Option<String> {
    address(value.text()?, base)
}

/// `text` as such an address.
pub(crate) fn address(text: &str, base: &Url) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_LINK {
        return None;
    }
    let url = base.join(text).ok()?;
    let safe = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none();
    (safe && url.as_str().len() <= MAX_LINK).then(|| url.into())
}

/// `html` without its tags, with the ends of blocks as line ends. Text that only looks a little like a tag stays.
pub(crate) fn plain(html: &str) -> String {
    let mut out = String::with_capacity(html.len().min(4 * MAX_BODY));
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = if rest.starts_with('<') {
            tag(rest, &mut out)
        } else {
            entity(rest, &mut out)
        };
        if taken == 0 {
            out.push_str(&rest[..1]);
        }
        rest = &rest[taken.max(1)..];
        if out.len() > 8 * MAX_BODY {
            rest = "";
        }
    }
    out.push_str(rest);
    tidy(&out)
}

/// Skips the tag at the start of `rest`: how many bytes it has, 0 if it is none.
fn tag(rest: &str, out: &mut String) -> usize {
    let name = rest[1..].trim_start_matches('/');
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!') {
        return 0;
    }
    // A tag that does not end soon is none: looking further for each would take a time that grows with the square.
    let Some(end) = rest.bytes().take(2_000).position(|byte| byte == b'>') else {
        return 0;
    };
    let name: String = name
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    if matches!(
        name.as_str(),
        "br" | "p" | "div" | "li" | "ul" | "ol" | "tr" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6"
    ) {
        out.push('\n');
    }
    end + 1
}

/// Decodes the entity at the start of `rest`: how many bytes it has, 0 if it is none.
fn entity(rest: &str, out: &mut String) -> usize {
    let Some(end) = rest.bytes().take(12).position(|byte| byte == b';') else {
        return 0;
    };
    let name = &rest[1..end];
    let decoded = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        "ndash" => Some('–'),
        "mdash" => Some('—'),
        "hellip" => Some('…'),
        "rsquo" => Some('’'),
        "lsquo" => Some('‘'),
        "ldquo" => Some('“'),
        "rdquo" => Some('”'),
        _ => name.strip_prefix('#').and_then(|code| {
            let code = match code.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => code.parse(),
            };
            code.ok().and_then(char::from_u32)
        }),
    };
    decoded.map_or(0, |c| {
        out.push(c);
        end + 1
    })
}

/// Trimmed lines, no more than one empty one between two, no control characters, not too long.
fn tidy(text: &str) -> String {
    let mut out = String::new();
    let mut empty = 0;
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            empty += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if empty > 0 { "\n\n" } else { "\n" });
        }
        empty = 0;
        out.extend(line.chars().filter(|c| !c.is_control() || *c == '\t'));
    }
    shortened(out.trim(), MAX_BODY)
}

fn shortened(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text_and_text_stays() {
        for (html, text) in [
            (
                "<p>We&#39;re <b>aware</b>.</p><p>More&nbsp;soon &amp; later.<br/>Bye</p>",
                "We're aware.\n\nMore soon & later.\nBye",
            ),
            (
                "latency < 5 ms && a<b, p95 <3",
                "latency < 5 ms && a<b, p95 <3",
            ),
            (
                "line one\r\n\r\n\r\n\r\nline two\u{0}\u{7}",
                "line one\n\nline two",
            ),
            (
                "&lt;script&gt;alert(1)&lt;/script&gt;",
                "<script>alert(1)</script>",
            ),
            ("&unknown; &#xFFFFFFFF; &", "&unknown; &#xFFFFFFFF; &"),
            ("<script", "<script"),
            ("", ""),
        ] {
            assert_eq!(plain(html), text, "{html}");
        }
    }

    #[test]
    fn long_texts_are_shortened_and_long_ids_are_none() {
        let long = "é".repeat(50_000);
        assert_eq!(plain(&long).chars().count(), MAX_BODY + 1);
        assert_eq!(line(&long).unwrap().chars().count(), MAX_NAME + 1);
        assert_eq!(id(&Json::Text(long.into())), None);
        assert_eq!(id(&Json::Integer(42)).as_deref(), Some("42"));
        assert_eq!(id(&Json::Text("  ".into())), None);
        assert_eq!(id(&Json::Text("a\u{0}b".into())), None);
    }

    #[test]
    fn only_addresses_of_the_web_become_links() {
        let base: Url = "https://status.example/history/".parse().unwrap();
        let link = |text: &str| address(text, &base);
        assert_eq!(
            link("incidents/1").as_deref(),
            Some("https://status.example/history/incidents/1")
        );
        assert_eq!(
            link("http://other.example").as_deref(),
            Some("http://other.example/")
        );
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://a.example/",
            "https://u:p@a.example/",
            "",
            " ",
        ] {
            assert_eq!(link(bad), None, "{bad}");
        }
        assert_eq!(link(&format!("/{}", "a".repeat(3_000))), None);
    }
}
