//! Well-known services and where their vendor pages are, searched as one types.
//!
//! The entries stand in `catalogue/services.txt`, built into the program. They are facts about addresses, nothing
//! more: what a page says is asked of the page.

use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

static BUILT_IN: LazyLock<Catalogue> =
    LazyLock::new(|| Catalogue::read(include_str!("catalogue/services.txt")));

/// A well-known service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As its users call it.
    pub name: &'static str,
    /// What else they may type.
    pub aliases: Vec<&'static str>,
    /// Its vendor page, for people.
    pub url: &'static str,
    /// Whose software makes the page, where that is known: the name in [`Page::provider`](crate::page::Page).
    pub provider: Option<&'static str>,
}

/// All of them.
#[derive(Debug)]
pub struct Catalogue {
    entries: Vec<(Entry, Vec<Folded>)>,
}

/// A name as it is compared.
#[derive(Debug)]
struct Folded {
    words: Vec<String>,
    whole: String,
}

impl Catalogue {
    /// The catalogue that is built into the program.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Reads lines of `name | alias, alias | address | provider`; empty ones and those with `#` are left out.
    fn read(text: &'static str) -> Self {
        let lines = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let entries = lines.map(|line| {
            let mut fields = line.split('|').map(str::trim);
            let mut field = || fields.next().unwrap_or_default();
            let (name, aliases, url, provider) = (field(), field(), field(), field());
            let aliases: Vec<_> = aliases
                .split(',')
                .map(str::trim)
                .filter(|alias| !alias.is_empty())
                .collect();
            let folded = std::iter::once(&name)
                .chain(&aliases)
                .map(|name| Folded::of(name))
                .collect();
            let provider = (!provider.is_empty()).then_some(provider);
            (
                Entry {
                    name,
                    aliases,
                    url,
                    provider,
                },
                folded,
            )
        });
        Self {
            entries: entries.collect(),
        }
    }

    /// Every entry, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().map(|(entry, _)| entry)
    }

    /// At most `limit` entries that `text` could mean, the likeliest first: names before aliases, whole ones before
    /// beginnings, those before middles. Neither case nor diacritics nor punctuation count. Empty text means nothing.
    #[must_use]
    pub fn search(&self, text: &str, limit: usize) -> Vec<&Entry> {
        // Nobody types more, and all of it is compared with everything.
        let sought = Folded::of(&text.chars().take(100).collect::<String>());
        if sought.whole.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<_> = self
            .entries
            .iter()
            .filter_map(|(entry, names)| {
                Some((
                    rank(&sought, names, entry.url)?,
                    entry.name.len(),
                    entry.name,
                    entry,
                ))
            })
            .collect();
        found.sort_by_key(|(rank, length, name, _)| (*rank, *length, *name));
        found
            .into_iter()
            .take(limit)
            .map(|(_, _, _, entry)| entry)
            .collect()
    }
}

/// How far `sought` is from an entry, 0 for its very name; `None` if it is not it.
fn rank(sought: &Folded, names: &[Folded], url: &str) -> Option<u8> {
    let each = names.iter().enumerate().filter_map(|(place, name)| {
        let of_alias = u8::from(place > 0);
        let how = if name.whole == sought.whole {
            0
        } else if name.whole.starts_with(&sought.whole) {
            2
        } else if name
            .words
            .iter()
            .any(|word| word.starts_with(&sought.whole))
        {
            4
        } else if sought.whole.len() > 1 && name.whole.contains(&sought.whole) {
            6
        } else {
            return None;
        };
        Some(how + of_alias)
    });
    each.min().or_else(|| {
        let words: Vec<&String> = names.iter().flat_map(|name| &name.words).collect();
        let every = sought
            .words
            .iter()
            .all(|part| words.iter().any(|word| word.starts_with(part.as_str())));
        (sought.words.len() > 1 && every).then_some(8).or_else(|| {
            (sought.whole.len() > 3 && Folded::of(url).whole.contains(&sought.whole)).then_some(9)
        })
    })
}

impl Folded {
    fn of(text: &str) -> Self {
        let mut plain = String::with_capacity(text.len());
        for c in text
            .nfkd()
            .filter(|c| !is_combining_mark(*c))
            .flat_map(char::to_lowercase)
        {
            match c {
                'ß' => plain.push_str("ss"),
                'æ' => plain.push_str("ae"),
                'œ' => plain.push_str("oe"),
                'ø' => plain.push('o'),
                'đ' | 'ð' => plain.push('d'),
                'ł' => plain.push('l'),
                'ı' => plain.push('i'),
                '\'' | '’' => {}
                c if c.is_alphanumeric() => plain.push(c),
                _ => plain.push(' '),
            }
        }
        let words: Vec<String> = plain.split_whitespace().map(str::to_owned).collect();
        Self {
            whole: words.concat(),
            words,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::page::PROVIDERS;
    use std::collections::HashSet;
    use url::{Host, Url};

    fn found(text: &str) -> Vec<&'static str> {
        Catalogue::built_in()
            .search(text, 5)
            .into_iter()
            .map(|entry| entry.name)
            .collect()
    }

    #[test]
    fn every_entry_has_its_form() {
        let (mut names, mut urls) = (HashSet::new(), HashSet::new());
        for entry in Catalogue::built_in().entries() {
            let Entry {
                name,
                aliases,
                url,
                provider,
            } = entry;
            assert!(!name.is_empty() && name.len() <= 40, "{name}");
            for name in std::iter::once(name).chain(aliases) {
                assert!(
                    names.insert(Folded::of(name).whole),
                    "{name} is listed twice"
                );
            }
            let parsed: Url = url
                .parse()
                .unwrap_or_else(|error| panic!("{name}: {url}: {error}"));
            assert_eq!(parsed.scheme(), "https", "{name}");
            assert!(
                matches!(parsed.host(), Some(Host::Domain(host)) if host.contains('.')),
                "{name}"
            );
            assert!(
                parsed.query().is_none() && parsed.fragment().is_none() && parsed.port().is_none(),
                "{name}"
            );
            assert!(
                urls.insert(parsed.as_str().trim_end_matches('/').to_owned()),
                "{url} is listed twice"
            );
            let known = |name: &str| PROVIDERS.iter().any(|provider| provider.name == name);
            assert!(provider.is_none_or(known), "{name}: {provider:?}");
        }
        assert!(urls.len() >= 120, "{}", urls.len());
    }

    #[test]
    fn every_line_has_four_fields_and_the_lines_are_sorted() {
        let lines: Vec<_> = include_str!("catalogue/services.txt")
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        assert!(
            lines.iter().all(|line| line.matches('|').count() == 3),
            "{:?}",
            lines.iter().find(|line| line.matches('|').count() != 3)
        );
        assert!(
            lines.is_sorted_by_key(|line| line.split('|').next().unwrap().trim().to_lowercase())
        );
    }

    #[test]
    fn a_few_letters_are_enough() {
        for (text, name) in [
            ("openai", "OpenAI"),
            ("OPENA", "OpenAI"),
            ("chatgpt", "OpenAI"),
            ("claude", "Claude"),
            ("anthropic", "Claude"),
            ("git", "GitHub"),
            ("github", "GitHub"),
            ("gitl", "GitLab"),
            ("cloudflare", "Cloudflare"),
            ("flyio", "Fly.io"),
            ("fly.io", "Fly.io"),
            ("lets encrypt", "Let's Encrypt"),
            ("Let’s Encrypt", "Let's Encrypt"),
            ("Gîthùb", "GitHub"),
            ("google workspace", "Google Workspace"),
            ("gmail", "Google Workspace"),
            ("cloud google", "Google Cloud"),
            ("aws", "AWS"),
            ("status.gitlab.com", "GitLab"),
        ] {
            assert_eq!(
                found(text).first(),
                Some(&name),
                "{text}: {:?}",
                found(text)
            );
        }
    }

    #[test]
    fn nothing_means_nothing_and_the_limit_holds() {
        assert!(found("").is_empty());
        assert!(found(" .- ").is_empty());
        assert!(found("no such service anywhere").is_empty());
        assert_eq!(Catalogue::built_in().search("s", 7).len(), 7);
        assert!(found(&"x".repeat(100_000)).is_empty());
    }

    #[test]
    fn names_come_before_aliases_and_beginnings_before_middles() {
        let catalogue = Catalogue::read(
            "Inner box | | https://a.example |\nBoxer | | https://b.example |\nCrate | box | https://c.example |\nBox | | https://d.example |\nBigbox||https://e.example|",
        );
        let names: Vec<_> = catalogue
            .search("bóx", 9)
            .into_iter()
            .map(|entry| entry.name)
            .collect();
        assert_eq!(names, ["Box", "Crate", "Boxer", "Inner box", "Bigbox"]);
    }
}
