//! Bounds on the cost of a document, checked before it is validated or executed: size, nesting,
//! fields with fragments expanded, repetition, directives, introspection. Every walk is linear in
//! the document's length, even if fragments refer to each other many times.

mod number;
mod refusal;
mod text;

pub(super) use number::check_numbers;
pub(super) use refusal::query_error;
use text::MAX_BRACKETS;
pub(super) use text::{check_text, check_variables};

use crate::use_cases::Error;
use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, OperationDefinition, OperationType,
    Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Request};
use std::collections::HashMap;

/// Maximum nesting of fields.
const MAX_DEPTH: u32 = 12;
/// Maximum nesting inside `__schema` and `__type`: the standard introspection query follows long
/// chains of `ofType`.
const MAX_INTROSPECTION_DEPTH: u32 = 20;
/// Maximum number of fields of an operation with fragments expanded.
const MAX_FIELDS: u32 = 1000;
/// Maximum number of aliases among them.
const MAX_ALIASES: u32 = 200;
/// Maximum number of times that one field may occur in one object.
const MAX_SAME_FIELD: u32 = 20;
/// Maximum number of root fields of an operation.
const MAX_ROOT_FIELDS: u32 = 30;
/// Maximum number of directives in a document.
const MAX_DIRECTIVES: u32 = 100;
/// Maximum number of directives in one place.
const MAX_DIRECTIVES_HERE: usize = 4;
/// Maximum number of operations and fragments, and of variables.
const MAX_DEFINITIONS: usize = 100;
/// Maximum complexity of an operation. A document with everything that the dashboard shows costs a
/// fifth of it.
pub(super) const MAX_COMPLEXITY: usize = 200_000;

/// Number of services that complexity assumes, because the real one is not known yet.
pub(super) const SERVICES: i32 = 100;

/// Complexity of a list of up to `length` objects, bounded so that sums cannot overflow.
pub(super) fn page(length: i32, each: usize) -> usize {
    let length = usize::try_from(length).unwrap_or(0).clamp(1, 1000);
    (length * each.min(MAX_COMPLEXITY) + 2).min(MAX_COMPLEXITY + 1)
}

/// Finds the type of the operation that `request` selects, without executing it. `None` if the
/// request will be refused anyway.
pub(crate) fn find_operation_type(request: &mut Request) -> Option<OperationType> {
    check_text(&request.query).ok()?;
    let name = request.operation_name.clone();
    let document = request.parsed_query().ok()?;
    let operation = check_document(document, name.as_deref()).ok()??;
    Some(operation.kind)
}

/// Checks a document and finds the operation that `name` selects; `None` if there is no such
/// operation, which async-graphql reports.
pub(super) fn check_document<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<Option<Operation<'a>>, Error> {
    let definitions = document.operations.iter().count() + document.fragments.len();
    if definitions > MAX_DEFINITIONS {
        return Err(query_error(format!(
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

/// An operation that is within the limits.
#[derive(Debug)]
pub(super) struct Operation<'a> {
    /// Query, mutation or subscription.
    pub(super) kind: OperationType,
    /// Root fields, each with the number of its occurrences.
    pub(super) roots: HashMap<&'a str, u32>,
}

/// Cost of a selection set with fragments expanded.
#[derive(Debug, Clone, Default)]
struct Cost<'a> {
    fields: u32,
    aliases: u32,
    depth: u32,
    /// Nesting of lists of types in an introspection.
    type_lists: u32,
    /// Number of occurrences of each field on the first level.
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

    /// Checks one level; called once the level is complete.
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
            return Err(query_error(format!(
                "the field {name} occurs {count} times in one object, at most {max} are allowed"
            )));
        }
        let max = if introspection {
            MAX_INTROSPECTION_DEPTH
        } else {
            MAX_DEPTH
        };
        if self.depth > max {
            return Err(query_error(format!(
                "fields are nested more than {max} levels deep"
            )));
        }
        if self.fields > MAX_FIELDS {
            return Err(query_error(format!(
                "more than {MAX_FIELDS} fields, with fragments expanded"
            )));
        }
        if self.aliases > MAX_ALIASES {
            return Err(query_error(format!(
                "more than {MAX_ALIASES} aliases, with fragments expanded"
            )));
        }
        if self.type_lists > 1 {
            return Err(query_error(
                "an introspection may not ask for the fields of the types of fields",
            ));
        }
        Ok(())
    }
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    /// `None` while a fragment is being walked: meeting it again then is a cycle.
    fragments: HashMap<&'a str, Option<Cost<'a>>>,
    directives: u32,
    /// Depth of this walk, including the fragments that it goes through.
    level: usize,
}

impl<'a> Walk<'a> {
    fn operation(&mut self, operation: &'a OperationDefinition) -> Result<Operation<'a>, Error> {
        if operation.variable_definitions.len() > MAX_DEFINITIONS {
            return Err(query_error(format!(
                "more than {MAX_DEFINITIONS} variables"
            )));
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
            return Err(query_error(format!(
                "the operation has {roots} root fields, at most {MAX_ROOT_FIELDS} are allowed"
            )));
        }
        if operation.ty == OperationType::Subscription && roots != 1 {
            return Err(query_error(
                "a subscription must have exactly one root field",
            ));
        }
        Ok(Operation {
            kind: operation.ty,
            roots: cost.names,
        })
    }

    fn fragment(&mut self, name: &'a Name) -> Result<Cost<'a>, Error> {
        match self.fragments.get(name.as_str()) {
            Some(Some(cost)) => return Ok(cost.clone()),
            Some(None) => return Err(query_error("fragments refer to each other in a cycle")),
            None => {}
        }
        // Validation reports a fragment that does not exist.
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
            return Err(query_error(format!(
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
            return Err(query_error(message));
        }
        Ok(())
    }
}
