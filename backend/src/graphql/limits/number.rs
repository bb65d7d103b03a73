//! Numbers beyond 32 bits, which validation lets pass and parsing refuses without a word about where they stood.
//!
//! No input of this API takes anything larger; a scalar that does has to be left out here.

use crate::use_cases::Error;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Value, Variables};

/// Refuses integers that do not fit, by the name of the argument or input field that they are for. The document and the
/// variables must have been found flat enough to recurse over.
pub(in crate::graphql) fn check_numbers(
    document: &ExecutableDocument,
    variables: &Variables,
) -> Result<(), Error> {
    // A variable that is a number itself is judged where it is used, by the name that it has there.
    for (name, value) in variables
        .iter()
        .filter(|(_, value)| !matches!(value, Value::Number(_)))
    {
        in_value(name, value)?;
    }
    for (_, operation) in document.operations.iter() {
        for variable in &operation.node.variable_definitions {
            if let Some(default) = &variable.node.default_value {
                in_value(&variable.node.name.node, &default.node)?;
            }
        }
        in_set(&operation.node.selection_set.node, variables)?;
    }
    document
        .fragments
        .values()
        .try_for_each(|fragment| in_set(&fragment.node.selection_set.node, variables))
}

fn in_set(set: &SelectionSet, variables: &Variables) -> Result<(), Error> {
    set.items
        .iter()
        .try_for_each(|selection| match &selection.node {
            Selection::Field(field) => {
                for (name, value) in &field.node.arguments {
                    let number = |name| match variables.get(&name) {
                        Some(number @ Value::Number(_)) => number.clone(),
                        _ => Value::Null,
                    };
                    let value = value
                        .node
                        .clone()
                        .into_const_with(|name| Ok::<_, std::convert::Infallible>(number(name)));
                    let Ok(value) = value;
                    in_value(&name.node, &value)?;
                }
                in_set(&field.node.selection_set.node, variables)
            }
            Selection::InlineFragment(inline) => in_set(&inline.node.selection_set.node, variables),
            Selection::FragmentSpread(_) => Ok(()),
        })
}

fn in_value(name: &str, value: &Value) -> Result<(), Error> {
    match value {
        Value::Number(number)
            if number
                .as_i64()
                .is_some_and(|number| i32::try_from(number).is_err()) =>
        {
            Err(Error::field(
                name,
                format!("is {number}, must be between {} and {}", i32::MIN, i32::MAX),
            ))
        }
        Value::List(values) => values.iter().try_for_each(|value| in_value(name, value)),
        Value::Object(values) => values
            .iter()
            .try_for_each(|(name, value)| in_value(name, value)),
        _ => Ok(()),
    }
}
