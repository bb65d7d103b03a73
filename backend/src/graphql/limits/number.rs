//! Refuses integers beyond 32 bits. Validation accepts them, and parsing refuses them without
//! naming the argument. No input of this API takes larger integers; a scalar that does must be
//! excluded here.

use crate::use_cases::Error;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Value, Variables};

/// Refuses integers that do not fit, naming their argument or input field. The nesting of the
/// document and its variables must have been checked before, because this recurses.
pub(in crate::graphql) fn check_numbers(
    document: &ExecutableDocument,
    variables: &Variables,
) -> Result<(), Error> {
    // A variable that is a number itself is checked where it is used, under the argument's name.
    for (name, value) in variables
        .iter()
        .filter(|(_, value)| !matches!(value, Value::Number(_)))
    {
        check_value(name, value)?;
    }
    for (_, operation) in document.operations.iter() {
        for variable in &operation.node.variable_definitions {
            if let Some(default) = &variable.node.default_value {
                check_value(&variable.node.name.node, &default.node)?;
            }
        }
        check_set(&operation.node.selection_set.node, variables)?;
    }
    document
        .fragments
        .values()
        .try_for_each(|fragment| check_set(&fragment.node.selection_set.node, variables))
}

fn check_set(set: &SelectionSet, variables: &Variables) -> Result<(), Error> {
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
                    check_value(&name.node, &value)?;
                }
                check_set(&field.node.selection_set.node, variables)
            }
            Selection::InlineFragment(inline) => {
                check_set(&inline.node.selection_set.node, variables)
            }
            Selection::FragmentSpread(_) => Ok(()),
        })
}

fn check_value(name: &str, value: &Value) -> Result<(), Error> {
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
        Value::List(values) => values.iter().try_for_each(|value| check_value(name, value)),
        Value::Object(values) => values
            .iter()
            .try_for_each(|(name, value)| check_value(name, value)),
        _ => Ok(()),
    }
}
