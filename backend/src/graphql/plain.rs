//! Long lists of plain objects, such as the days of all services, written as JSON at once instead of each field of each
//! of them by itself. A selection that this does not understand is resolved as
//! any other, with the same outcome.

use super::scope::scope;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::resolve_list;
use async_graphql::{ContextSelectionSet, Name, OutputType, Pos, Positioned, QueryEnv, ServerResult, Value};
use std::borrow::Cow;
use std::collections::HashMap;
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

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let chosen = scope(ctx).chosen.of(field, ctx.query_env);
        let writers = chosen.as_deref().and_then(|chosen| {
            let writers = chosen.iter().map(|(key, name)| Some((key.as_str(), T::write(name)?)));
            writers.collect::<Option<Vec<_>>>()
        });
        match writers {
            Some(writers) => Ok(raw(write(&self.0, &writers))),
            None => resolve_list(ctx, field, &self.0, Some(self.0.len())).await,
        }
    }
}

/// The list as JSON.
fn write<T>(list: &[T], fields: &[(&str, Write<T>)]) -> Vec<u8> {
    let mut json = Vec::with_capacity(2 + list.len() * 96);
    json.push(b'[');
    for (i, object) in list.iter().enumerate() {
        json.extend_from_slice(if i == 0 { b"{" } else { b",{" });
        for (k, (key, write)) in fields.iter().enumerate() {
            json.extend_from_slice(if k == 0 { b"\"" } else { b",\"" });
            json.extend_from_slice(key.as_bytes());
            json.extend_from_slice(b"\":");
            write(object, &mut json);
        }
        json.push(b'}');
    }
    json.push(b']');
    json
}

/// JSON as the value that is sent as it is.
fn raw(json: Vec<u8>) -> Value {
    let json = String::from_utf8(json).expect("what is written is text");
    Value::Object([(Name::new(async_graphql_value::RAW_VALUE_TOKEN), Value::String(json))].into_iter().collect())
}

/// What is selected in the lists of one document, by where their fields stand: the keys in the answer, each with the name
/// of its field. `None` for a selection that is resolved as any other.
#[derive(Debug, Default)]
pub(super) struct Chosen(Mutex<HashMap<Pos, Option<Selected>>>);

type Selected = Arc<[(Name, Name)]>;

impl Chosen {
    fn of(&self, field: &Positioned<Field>, env: &QueryEnv) -> Option<Selected> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(field.pos).or_insert_with(|| selected(field, env)).clone()
    }
}

fn selected(field: &Positioned<Field>, env: &QueryEnv) -> Option<Selected> {
    let sets = env.fragments.values().map(|fragment| &fragment.node.selection_set);
    let all = std::iter::once(&env.operation.node.selection_set).chain(sets);
    // One answer may be put together of several fields with one key; only the library knows how.
    if all.map(|set| count(&set.node, &field.node)).sum::<usize>() != 1 {
        return None;
    }
    let mut selected = Vec::new();
    add(&mut selected, &field.node.selection_set.node, env).then(|| selected.into())
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

/// Adds what a set selects; `false` when there is something in it that only the library understands.
fn add(selected: &mut Vec<(Name, Name)>, set: &SelectionSet, env: &QueryEnv) -> bool {
    set.items.iter().all(|selection| match &selection.node {
        Selection::Field(field) => {
            let key = &field.node.response_key().node;
            if selected.iter().all(|(known, _)| known != key) {
                selected.push((key.clone(), field.node.name.node.clone()));
            }
            field.node.directives.is_empty()
        }
        // An object is of one type only, so that every fragment that is valid here applies.
        Selection::InlineFragment(fragment) => {
            fragment.node.directives.is_empty() && add(selected, &fragment.node.selection_set.node, env)
        }
        Selection::FragmentSpread(spread) => {
            let fragment = env.fragments.get(&spread.node.fragment_name.node);
            spread.node.directives.is_empty()
                && fragment.is_some_and(|fragment| add(selected, &fragment.node.selection_set.node, env))
        }
    })
}

/// A value as JSON.
pub(super) fn put(json: &mut Vec<u8>, value: &impl serde::Serialize) {
    serde_json::to_writer(json, value).expect("numbers and texts can be written to memory");
}
