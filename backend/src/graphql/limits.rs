//! What a document may cost, judged before it is validated or run: size, nesting, fields with fragments expanded,
//! repetition, directives, introspection. Every walk here is linear in the document, however fragments are entangled.

mod number;
mod text;

pub(super) use number::check_numbers;
pub(super) use text::{check_text, check_variables};

use crate::use_cases::Error;
use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, OperationDefinition, OperationType,
    Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};
use std::collections::HashMap;

/// How deep brackets of any kind may be nested.
const MAX_BRACKETS: usize = 50;
/// How deep fields may be nested.
const MAX_DEPTH: u32 = 12;
/// The same inside of `__schema` and `__type`: the usual introspection follows long chains of `ofType`.
const MAX_INTROSPECTION_DEPTH: u32 = 20;
/// How many fields an operation may have, fragments expanded.
const MAX_FIELDS: u32 = 1000;
/// How many of them may have aliases.
const MAX_ALIASES: u32 = 200;
/// How often one field may occur in one object.
const MAX_SAME_FIELD: u32 = 20;
/// How many fields an operation may begin with.
const MAX_ROOT_FIELDS: u32 = 30;
/// How many directives a document may have, and one place of it.
const MAX_DIRECTIVES: u32 = 100;
const MAX_DIRECTIVES_HERE: usize = 4;
/// How many operations, fragments and variables.
const MAX_DEFINITIONS: usize = 100;
/// The most that an operation may cost by [`page`] and its likes. A dashboard of everything costs a fifth.
pub(super) const MAX_COMPLEXITY: usize = 200_000;

/// What the services of a user count as, when nobody knows yet how many there are.
pub(super) const SERVICES: i32 = 100;

/// The complexity of a list of up to `length` objects. Bounded, so that sums of it cannot overflow.
pub(super) fn page(length: i32, each: usize) -> usize {
    let length = usize::try_from(length).unwrap_or(0).clamp(1, 1000);
    (length * each.min(MAX_COMPLEXITY) + 2).min(MAX_COMPLEXITY + 1)
}

fn query(message: impl Into<String>) -> Error {
    Error::field("query", message)
}

/// Judges a document, and finds the operation that `name` selects: `None` when there is no such one, which is for
/// async-graphql to say.
pub(super) fn check_document<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<Option<Operation<'a>>, Error> {
    let definitions = document.operations.iter().count() + document.fragments.len();
    if definitions > MAX_DEFINITIONS {
        return Err(query(format!(
            "the document has {definitions} definitions, at most {MAX_DEFINITIONS} are allowed"
        )));
    }
    let mut walk = Walk {
        document,
        fragments: HashMap::new(),
        directives: 0,
        level: 0,
    };
    for fragment in document.fragments.keys() {
        walk.fragment(fragment)?;
    }
    let mut selected = None;
    for (operation_name, operation) in document.operations.iter() {
        let operation = walk.operation(&operation.node)?;
        let alone = matches!(&document.operations, DocumentOperations::Single(_))
            || document.operations.iter().count() == 1;
        if name.map_or(alone, |name| operation_name.is_some_and(|own| own == name)) {
            selected = Some(operation);
        }
    }
    Ok(selected)
}

/// An operation within the limits.
#[derive(Debug)]
pub(super) struct Operation<'a> {
    /// Query, mutation or subscription.
    pub(super) kind: OperationType,
    /// The fields that it begins with, and how often each.
    pub(super) roots: HashMap<&'a str, u32>,
}

/// What a selection set comes to, fragments expanded.
#[derive(Debug, Clone, Default)]
struct Cost<'a> {
    fields: u32,
    aliases: u32,
    depth: u32,
    /// Lists of an introspection inside of one another.
    type_lists: u32,
    /// How often each field occurs on the first level.
    names: HashMap<&'a str, u32>,
}

impl<'a> Cost<'a> {
    fn add(&mut self, other: &Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.depth = self.depth.max(other.depth);
        self.type_lists = self.type_lists.max(other.type_lists);
        for (name, count) in &other.names {
            self.count(name, *count);
        }
    }

    fn count(&mut self, name: &'a str, times: u32) {
        let count = self.names.entry(name).or_default();
        *count = count.saturating_add(times);
    }

    /// Each level is judged where it is complete.
    fn check(&self, introspection: bool) -> Result<(), Error> {
        let max = |name: &str| {
            if introspection || name == "__schema" {
                1
            } else {
                MAX_SAME_FIELD
            }
        };
        if let Some((name, count)) = self.names.iter().find(|(name, count)| **count > max(name)) {
            let max = max(name);
            let name: String = name.chars().take(60).collect();
            return Err(query(format!(
                "the field {name} occurs {count} times in one object, at most {max} are allowed"
            )));
        }
        let max = if introspection {
            MAX_INTROSPECTION_DEPTH
        } else {
            MAX_DEPTH
        };
        if self.depth > max {
            return Err(query(format!(
                "fields are nested more than {max} levels deep"
            )));
        }
        if self.fields > MAX_FIELDS {
            return Err(query(format!(
                "more than {MAX_FIELDS} fields, with fragments expanded"
            )));
        }
        if self.aliases > MAX_ALIASES {
            return Err(query(format!(
                "more than {MAX_ALIASES} aliases, with fragments expanded"
            )));
        }
        if self.type_lists > 1 {
            return Err(query(
                "an introspection may not ask for the fields of the types of fields",
            ));
        }
        Ok(())
    }
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    /// `None` while it is being walked: meeting it then is a circle.
    fragments: HashMap<&'a str, Option<Cost<'a>>>,
    directives: u32,
    /// How deep this walk is: a chain of fragments is as deep as all of them together.
    level: usize,
}

impl<'a> Walk<'a> {
    fn operation(&mut self, operation: &'a OperationDefinition) -> Result<Operation<'a>, Error> {
        if operation.variable_definitions.len() > MAX_DEFINITIONS {
            return Err(query(format!("more than {MAX_DEFINITIONS} variables")));
        }
        self.directives(&operation.directives)?;
        for variable in &operation.variable_definitions {
            self.directives(&variable.node.directives)?;
        }
        let cost = self.selections(&operation.selection_set.node, false)?;
        cost.check(false)?;
        let roots = cost
            .names
            .values()
            .fold(0u32, |sum, count| sum.saturating_add(*count));
        if roots > MAX_ROOT_FIELDS {
            return Err(query(format!(
                "the operation begins with {roots} fields, at most {MAX_ROOT_FIELDS} are allowed"
            )));
        }
        if operation.ty == OperationType::Subscription && roots != 1 {
            return Err(query("a subscription must begin with exactly one field"));
        }
        Ok(Operation {
            kind: operation.ty,
            roots: cost.names,
        })
    }

    fn fragment(&mut self, name: &'a Name) -> Result<Cost<'a>, Error> {
        match self.fragments.get(name.as_str()) {
            Some(Some(cost)) => return Ok(cost.clone()),
            Some(None) => return Err(query("fragments refer to one another in a circle")),
            None => {}
        }
        // That a fragment does not exist is for validation to say.
        let Some(fragment) = self.document.fragments.get(name) else {
            return Ok(Cost::default());
        };
        self.fragments.insert(name, None);
        self.directives(&fragment.node.directives)?;
        let introspection = fragment.node.type_condition.node.on.node.starts_with("__");
        let cost = self.selections(&fragment.node.selection_set.node, introspection)?;
        cost.check(introspection)?;
        self.fragments.insert(name, Some(cost.clone()));
        Ok(cost)
    }

    fn selections(
        &mut self,
        set: &'a SelectionSet,
        introspection: bool,
    ) -> Result<Cost<'a>, Error> {
        if self.level > MAX_BRACKETS {
            return Err(query(format!(
                "the document is nested more than {MAX_BRACKETS} levels deep"
            )));
        }
        self.level += 1;
        let cost = self.inside(set, introspection);
        self.level -= 1;
        cost
    }

    fn inside(&mut self, set: &'a SelectionSet, introspection: bool) -> Result<Cost<'a>, Error> {
        let mut cost = Cost::default();
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    self.directives(&field.node.directives)?;
                    let name = field.node.name.node.as_str();
                    let introspection = introspection || matches!(name, "__schema" | "__type");
                    let mut inner =
                        self.selections(&field.node.selection_set.node, introspection)?;
                    inner.check(introspection)?;
                    inner.names.clear();
                    inner.depth = if matches!(name, "__schema" | "__type") {
                        1
                    } else {
                        inner.depth + 1
                    };
                    inner.fields = inner.fields.saturating_add(1);
                    inner.aliases = inner
                        .aliases
                        .saturating_add(u32::from(field.node.alias.is_some()));
                    if introspection
                        && matches!(
                            name,
                            "fields" | "inputFields" | "interfaces" | "possibleTypes"
                        )
                    {
                        inner.type_lists += 1;
                    }
                    cost.add(&inner);
                    cost.count(name, 1);
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.node.directives)?;
                    let fragment = self.fragment(&spread.node.fragment_name.node)?;
                    cost.add(&fragment);
                }
                Selection::InlineFragment(inline) => {
                    self.directives(&inline.node.directives)?;
                    let inner = self.selections(&inline.node.selection_set.node, introspection)?;
                    cost.add(&inner);
                }
            }
        }
        Ok(cost)
    }

    fn directives(&mut self, here: &[Positioned<Directive>]) -> Result<(), Error> {
        self.directives = self
            .directives
            .saturating_add(u32::try_from(here.len()).unwrap_or(u32::MAX));
        if here.len() > MAX_DIRECTIVES_HERE || self.directives > MAX_DIRECTIVES {
            let message = format!(
                "at most {MAX_DIRECTIVES_HERE} directives in one place and {MAX_DIRECTIVES} in all"
            );
            return Err(query(message));
        }
        Ok(())
    }
}
