//! Characters that a reader cannot see and that change what they see.

/// Whether `c` is a control character, or one that reorders the text around it: with such a
/// character a name can look like another one (Unicode Technical Report 36, section 2.5.1).
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::is_hidden;

    #[test]
    fn text_of_every_language_is_visible_and_what_reorders_it_is_not() {
        for visible in "Zahlungs-API, база данных, قاعدة, בסיס, 数据库, 👩\u{200d}💻".chars()
        {
            assert!(!is_hidden(visible), "{visible:?}");
        }
        for hidden in
            "\u{7}\u{7f}\u{85}\u{61c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}".chars()
        {
            assert!(is_hidden(hidden), "{hidden:?}");
        }
    }
}
