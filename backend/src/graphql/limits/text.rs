//! Checks the nesting of a document's text before it is parsed, and of its variables' values: the
//! parser recurses, and an overflowing stack ends the process. Text that cannot be read with
//! certainty is refused.
//!
//! Strings and comments must be recognised exactly where async-graphql's grammar recognises them,
//! because brackets inside a string are not counted.

use super::refusal::query_error;
use crate::use_cases::Error;
use async_graphql::{Value, Variables};

/// Maximum nesting of brackets of any kind.
pub(super) const MAX_BRACKETS: usize = 50;
/// Maximum length of a document in bytes, not counting strings.
const MAX_SYNTAX: usize = 64 * 1024;
/// Maximum length of a document in bytes, less than that of a request: longer values must be sent
/// as variables.
const MAX_BYTES: usize = 1024 * 1024;

/// Checks a document's text, so that it is safe to parse.
pub(in crate::graphql) fn check_text(text: &str) -> Result<(), Error> {
    if text.len() > MAX_BYTES {
        let message = format!(
            "the document is {} bytes long, at most {MAX_BYTES} are allowed",
            text.len()
        );
        return Err(query_error(message + ": send values as variables"));
    }
    let (mut brackets, mut syntax) = (0usize, 0usize);
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        syntax += 1;
        rest = match byte {
            b'"' => after_string(rest).map_err(query_error)?,
            b'#' => after
                .iter()
                .position(|byte| matches!(byte, b'\n' | b'\r'))
                .map_or(&[], |end| {
                    syntax += end;
                    &after[end..]
                }),
            b'{' | b'[' | b'(' => {
                brackets += 1;
                after
            }
            b'}' | b']' | b')' => {
                brackets = brackets.saturating_sub(1);
                after
            }
            _ => after,
        };
        if brackets > MAX_BRACKETS {
            return Err(query_error(format!(
                "the document is nested more than {MAX_BRACKETS} levels deep"
            )));
        }
        if syntax > MAX_SYNTAX {
            let message = "is longer than allowed even without its texts: send values as variables";
            return Err(query_error(format!(
                "the document {message} (at most {MAX_SYNTAX} bytes)"
            )));
        }
    }
    Ok(())
}

/// What follows the string that `text` begins with, or why it is none.
fn after_string(text: &[u8]) -> Result<&[u8], &'static str> {
    match text.strip_prefix(b"\"\"\"") {
        Some(inside) => after_block(inside),
        None => after_line(text.strip_prefix(b"\"").unwrap_or(text)),
    }
}

/// In a block only `\"""` is an escape; any other backslash is literal. Where a block does
/// not end, the grammar goes on behind its first two quotes, and what looked like its inside is
/// not.
fn after_block(mut inside: &[u8]) -> Result<&[u8], &'static str> {
    loop {
        if let Some(after) = inside.strip_prefix(b"\"\"\"") {
            return Ok(after);
        }
        inside = match (inside.strip_prefix(b"\\\"\"\""), inside) {
            (Some(after), _) | (None, [_, after @ ..]) => after,
            (None, []) => return Err("a text that begins with three quotes does not end"),
        };
    }
}

/// Other strings end on the line that they begin on, and know a few escapes.
fn after_line(mut inside: &[u8]) -> Result<&[u8], &'static str> {
    loop {
        inside = match inside {
            [b'"', after @ ..] => return Ok(after),
            [] | [b'\n' | b'\r', ..] => return Err("a text in quotes does not end on its line"),
            [b'\\', b'u', digits @ ..] => match digits.split_at_checked(4) {
                Some((digits, after)) if digits.iter().all(u8::is_ascii_hexdigit) => after,
                _ => return Err("in a text, \\u must be followed by four hexadecimal digits"),
            },
            [
                b'\\',
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                after @ ..,
            ] => after,
            [b'\\', ..] => {
                return Err(
                    "a text has a backslash before what it cannot escape: write \\\\ for a backslash",
                );
            }
            [_, after @ ..] => after,
        };
    }
}

/// How many values all variables may hold, those in lists and objects among them: each that is
/// wrong makes an error of its own, and no list that is of use is as long.
const MAX_VALUES: usize = 20_000;

/// Judges the values of variables, over which validation recurses.
pub(in crate::graphql) fn check_variables(variables: &Variables) -> Result<(), Error> {
    let mut level: Vec<&Value> = variables.values().collect();
    let mut values = 0;
    for _ in 0..=MAX_BRACKETS {
        values += level.len();
        if values > MAX_VALUES {
            return Err(Error::field(
                "variables",
                format!("hold more than {MAX_VALUES} values"),
            ));
        }
        level = level.into_iter().flat_map(inside).collect();
        if level.is_empty() {
            return Ok(());
        }
    }
    Err(Error::field(
        "variables",
        format!("are nested more than {MAX_BRACKETS} levels deep"),
    ))
}

fn inside(value: &Value) -> Vec<&Value> {
    match value {
        Value::List(values) => values.iter().collect(),
        Value::Object(values) => values.values().collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;
    use async_graphql::parser::types::{Selection, SelectionSet};
    use proptest::prelude::*;

    /// Deeper than allowed, and far from what overflows a stack.
    fn deep() -> String {
        format!("{}1{}", "{a:".repeat(60), "}".repeat(60))
    }

    /// How deep the real parser has gone into `text`; `None` where it does not accept it.
    fn depth(text: &str) -> Option<usize> {
        let text = text.to_owned();
        // Built without optimisation the parser needs more stack than a test has.
        let parsed = std::thread::Builder::new()
            .stack_size(64 << 20)
            .spawn(move || {
                let document = parse_query(text).ok()?;
                document
                    .operations
                    .iter()
                    .map(|(_, operation)| of_set(&operation.node.selection_set.node))
                    .max()
            });
        parsed.unwrap().join().unwrap()
    }

    fn of_set(set: &SelectionSet) -> usize {
        let of = |selection: &Selection| match selection {
            Selection::Field(field) => {
                // The parentheses count as the level that they are.
                let values = field
                    .node
                    .arguments
                    .iter()
                    .map(|(_, value)| value.node.clone().into_const().unwrap());
                let arguments = values.map(|value| 1 + of_value(&value)).max();
                of_set(&field.node.selection_set.node).max(arguments.unwrap_or(0))
            }
            Selection::InlineFragment(inline) => of_set(&inline.node.selection_set.node),
            Selection::FragmentSpread(_) => 0,
        };
        set.items
            .iter()
            .map(|selection| of(&selection.node))
            .max()
            .map_or(0, |inner| inner + 1)
    }

    fn of_value(value: &Value) -> usize {
        let nested = matches!(value, Value::List(_) | Value::Object(_));
        usize::from(nested) + inside(value).into_iter().map(of_value).max().unwrap_or(0)
    }

    #[test]
    fn what_only_seems_to_be_inside_of_a_text_is_counted() {
        let deep = deep();
        for document in [
            format!("{{me{{id(x:[\"\"\"abc\" {deep}])}}}}"),
            format!("{{me{{id(x:\"\"\"\\\\\"\"\"y\"\"\" z:{deep})}}}}"),
            format!("{{me{{id(x:\"\"\"\\\"\"\"y\\\"\"\"\"\"\" z:{deep})}}}}"),
            format!("{{me{{id(x:[\"\"\"\"\"\" {deep}])}}}}"),
            format!("{{me{{id(x:[\"\" {deep}])}}}}"),
            format!("{{me{{id(x:[\"\\\\\" {deep}])}}}}"),
            format!("{{me{{id(x:[1 # \"\n {deep}])}}}}"),
            format!("{{me{{id(x:[1 # \"\"\"\r {deep}])}}}}"),
        ] {
            assert!(
                depth(&document).is_some_and(|depth| depth > MAX_BRACKETS),
                "{document}"
            );
            assert!(check_text(&document).is_err(), "{document}");
        }
    }

    #[test]
    fn what_is_inside_of_a_text_is_not_counted() {
        let open = "{".repeat(100);
        for document in [
            format!("{{me{{id(x:\"{open}\")}}}}"),
            format!("{{me{{id(x:\"\\\"{open}\\u00e9\\n\")}}}}"),
            format!("{{me{{id(x:\"\"\"{open}\n\" \\ \\\"\"\" \"\" {open}\"\"\")}}}}"),
            format!("{{me{{id(x:1) # {open}\r\n}}}}"),
        ] {
            assert!(depth(&document).is_some(), "{document}");
            assert!(check_text(&document).is_ok(), "{document}");
        }
    }

    #[test]
    fn variables_are_as_deep_as_documents_at_most() {
        let nested = |depth: usize| {
            let value =
                (0..depth).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
            Variables::from_json(serde_json::json!({ "v": value }))
        };
        assert!(check_variables(&nested(MAX_BRACKETS)).is_ok());
        assert!(check_variables(&nested(MAX_BRACKETS + 1)).is_err());
        assert!(check_variables(&nested(120)).is_err());
        assert!(check_variables(&Variables::default()).is_ok());
        let list = |length| Variables::from_json(serde_json::json!({ "ids": vec!["x"; length] }));
        assert!(check_variables(&list(MAX_VALUES - 1)).is_ok());
        assert!(
            check_variables(&list(MAX_VALUES)).is_err(),
            "the list itself is a value"
        );
    }

    /// What the two could read differently, and depth behind it.
    fn piece() -> impl Strategy<Value = String> {
        const MARKS: [&str; 11] = [
            "\"", "\"\"", "\"\"\"", "\"a\"", "\"\"\"a", "\\", "\\\\", "\\\"", "\\\"\"\"",
            "\\u00e9", "\\x",
        ];
        const OTHERS: [&str; 12] = [
            " ", ",", "\n", "\r", "#", "a", "{", "}", "[", "]", "é", "\u{feff}",
        ];
        let inside = prop_oneof![
            6 => proptest::sample::select(vec!["\\", "\\\"\"\"", "\"", "a", "\n"]).prop_map(str::to_owned),
            1 => Just(deep()),
        ];
        // Only strings that end: one that does not is refused whatever follows it.
        let block = proptest::collection::vec(inside, 0..4).prop_map(|inside| inside.concat());
        prop_oneof![
            2 => proptest::sample::select(MARKS.to_vec()).prop_map(str::to_owned),
            2 => proptest::sample::select(OTHERS.to_vec()).prop_map(str::to_owned),
            6 => block.prop_map(|inside| format!("\"\"\"{inside}\"\"\"")),
            2 => Just(format!(" {} ", deep())),
            1 => Just(" {a:[1]} ".to_owned()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_passes_is_no_deeper_than_the_bound_for_the_real_parser(
            pieces in proptest::collection::vec(piece(), 0..9),
            end in proptest::sample::select(vec!["", "\"", "\"\"\"", "\n"]),
        ) {
            let document = format!("{{me{{id(x:[{}{end}])}}}}", pieces.concat());
            if check_text(&document).is_ok() && let Some(depth) = depth(&document) {
                prop_assert!(depth <= MAX_BRACKETS, "{depth} levels");
            }
        }
    }
}
