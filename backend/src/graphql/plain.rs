//! Long lists of plain objects, such as the days of all services, written as JSON at once instead of each field of each
//! of them by itself. A selection that this does not understand is resolved as any other, with the same outcome.

use super::scope::scope;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::resolve_list;
use async_graphql::{
    ContextSelectionSet, Name, OutputType, Pos, Positioned, QueryEnv, ServerResult, Value,
};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Writes one field's value as JSON.
pub(super) type Write<T> = fn(&T, &mut Vec<u8>);

/// An object whose fields take no arguments, wait for nothing and cannot fail.
pub(super) trait Plain: OutputType {
    /// What writes the field of this name.
    fn write(field: &str) -> Option<Write<Self>>;
}

/// A list of them.
#[derive(Debug)]
pub(super) struct PlainList<T>(pub(super) Vec<T>);

impl<T: Plain> OutputType for PlainList<T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<T>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<T>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<T>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let chosen = scope(ctx).chosen.of(field, ctx.query_env);
        let writers = chosen.as_deref().and_then(|chosen| {
            let writers = chosen
                .iter()
                .map(|(key, name)| Some((key.as_str(), T::write(name)?)));
            writers.collect::<Option<Vec<_>>>()
        });
        match writers {
            Some(writers) => {
                let mut json = Vec::with_capacity(2 + self.0.len() * 96);
                put_list(&mut json, &self.0, |json, object| {
                    put_object(json, object, &writers)
                });
                Ok(raw(json))
            }
            None => resolve_list(ctx, field, &self.0, Some(self.0.len())).await,
        }
    }
}

/// What writes a selection, with the keys in the answer; `None` when there is something in it that has to be resolved.
pub(super) fn writers<'a, T: Plain>(
    set: &'a SelectionSet,
    env: &'a QueryEnv,
) -> Option<Vec<(&'a str, Write<T>)>> {
    let fields = fields(set, env)?;
    let writer = |field: &'a Positioned<Field>| {
        Some((
            field.node.response_key().node.as_str(),
            T::write(&field.node.name.node)?,
        ))
    };
    fields.into_iter().map(writer).collect()
}

/// Adds a list as JSON, each item by `put`.
pub(super) fn put_list<T>(
    json: &mut Vec<u8>,
    list: impl IntoIterator<Item = T>,
    mut put: impl FnMut(&mut Vec<u8>, T),
) {
    json.push(b'[');
    for (i, item) in list.into_iter().enumerate() {
        if i > 0 {
            json.push(b',');
        }
        put(json, item);
    }
    json.push(b']');
}

/// Adds an object as JSON.
pub(super) fn put_object<T>(json: &mut Vec<u8>, object: &T, fields: &[(&str, Write<T>)]) {
    json.push(b'{');
    for (i, (key, write)) in fields.iter().enumerate() {
        put_key(json, i, key);
        write(object, json);
    }
    json.push(b'}');
}

/// Adds the key of the member of an object that has so many before it.
pub(super) fn put_key(json: &mut Vec<u8>, before: usize, key: &str) {
    json.extend_from_slice(if before == 0 { b"\"" } else { b",\"" });
    json.extend_from_slice(key.as_bytes());
    json.extend_from_slice(b"\":");
}

/// JSON as the value that [`put`] writes as it is.
pub(super) fn raw(json: Vec<u8>) -> Value {
    Value::Binary(json.into())
}

/// Adds a value as JSON. Whoever sends a response of the API writes it by this: a list in it may be JSON already (as
/// [`Value::Binary`]) and is added as it is. The library's own way of doing so copies and parses all of it once more.
pub fn put(json: &mut Vec<u8>, value: &impl Serialize) {
    let mut serializer = Serializer::with_formatter(json, AsItIs);
    value
        .serialize(&mut serializer)
        .expect("numbers and texts can be written to memory");
}

/// There are no bytes in answers other than JSON.
struct AsItIs;

impl Formatter for AsItIs {
    fn write_byte_array<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        json: &[u8],
    ) -> io::Result<()> {
        writer.write_all(json)
    }
}

/// What is selected in the lists of one document, by where their fields stand: the keys in the answer, each with the name
/// of its field. `None` for a selection that is resolved as any other.
#[derive(Debug, Default)]
pub(super) struct Chosen(Mutex<HashMap<Pos, Option<Selected>>>);

type Selected = Arc<[(Name, Name)]>;

impl Chosen {
    fn of(&self, field: &Positioned<Field>, env: &QueryEnv) -> Option<Selected> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let selected = || {
            let fields = selected(field, env)?;
            let names = |field: &&Positioned<Field>| {
                (
                    field.node.response_key().node.clone(),
                    field.node.name.node.clone(),
                )
            };
            Some(fields.iter().map(names).collect())
        };
        known.entry(field.pos).or_insert_with(selected).clone()
    }
}

/// What is selected of an object, no key twice.
pub(super) type Fields<'a> = Vec<&'a Positioned<Field>>;

/// The fields that one field selects of its objects, fragments resolved, when its answer depends on nothing else in the
/// document.
pub(super) fn selected<'a>(field: &'a Positioned<Field>, env: &'a QueryEnv) -> Option<Fields<'a>> {
    let sets = env
        .fragments
        .values()
        .map(|fragment| &fragment.node.selection_set);
    let all = std::iter::once(&env.operation.node.selection_set).chain(sets);
    // One answer may be put together of several fields with one key; only the library knows how.
    let alone = all.map(|set| count(&set.node, &field.node)).sum::<usize>() == 1;
    if alone {
        fields(&field.node.selection_set.node, env)
    } else {
        None
    }
}

/// How many fields are called like this one, or answer under its key.
fn count(set: &SelectionSet, like: &Field) -> usize {
    let of_one = |selection: &Positioned<Selection>| match &selection.node {
        Selection::Field(field) => {
            let same = field.node.response_key().node == like.response_key().node;
            usize::from(same) + count(&field.node.selection_set.node, like)
        }
        Selection::InlineFragment(fragment) => count(&fragment.node.selection_set.node, like),
        Selection::FragmentSpread(_) => 0,
    };
    set.items.iter().map(of_one).sum()
}

/// The fields of a set, fragments resolved; `None` when there is something in it that only the library understands.
fn fields<'a>(set: &'a SelectionSet, env: &'a QueryEnv) -> Option<Fields<'a>> {
    let mut found = Vec::new();
    add(&mut found, set, env).then_some(found)
}

fn add<'a>(found: &mut Fields<'a>, set: &'a SelectionSet, env: &'a QueryEnv) -> bool {
    set.items.iter().all(|selection| match &selection.node {
        Selection::Field(field) => {
            let key = &field.node.response_key().node;
            match found
                .iter()
                .find(|known| known.node.response_key().node == *key)
            {
                None => found.push(field),
                // Two that select something are put together by the library.
                Some(_) if field.node.selection_set.node.items.is_empty() => {}
                Some(_) => return false,
            }
            field.node.directives.is_empty()
        }
        // An object is of one type only, so that every fragment that is valid here applies.
        Selection::InlineFragment(fragment) => {
            fragment.node.directives.is_empty()
                && add(found, &fragment.node.selection_set.node, env)
        }
        Selection::FragmentSpread(spread) => {
            let fragment = env.fragments.get(&spread.node.fragment_name.node);
            spread.node.directives.is_empty()
                && fragment
                    .is_some_and(|fragment| add(found, &fragment.node.selection_set.node, env))
        }
    })
}
