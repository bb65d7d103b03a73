//! Writes the readers of response types: how a struct or an enum is made from JSON.
//!
//! Names follow cynic, which compares the same types with the schema: fields are in camelCase,
//! values of enums in SCREAMING_SNAKE_CASE, and `rename` and `alias` change that.

use proc_macro::TokenStream;
use quote::quote;
use syn::{
    Attribute, Data, DataEnum, DeriveInput, Error, Fields, Ident, LitStr, Result, Variant,
    ext::IdentExt, parse_macro_input,
};

/// Makes a struct a part of the API's queries: the compiler compares it with the schema, and it can
/// be read from a response. Write it above all other attributes.
#[proc_macro_attribute]
pub fn query_fragment(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = proc_macro2::TokenStream::from(item);
    quote! {
        #[derive(::cynic::QueryFragment, ::ui_derive::FromJson)]
        #[cynic(no_deserialize)]
        #item
    }
    .into()
}

/// Implements `FromJson` for a struct with named fields, or for an enum without data.
#[proc_macro_derive(FromJson, attributes(cynic, arguments))]
pub fn from_json(item: TokenStream) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    expand(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

fn expand(input: &DeriveInput) -> Result<proc_macro2::TokenStream> {
    let body = match &input.data {
        Data::Struct(data) => expand_struct(&data.fields)?,
        Data::Enum(data) => expand_enum(data)?,
        Data::Union(data) => {
            return Err(Error::new(
                data.union_token.span,
                "a union cannot be read from JSON",
            ));
        }
    };
    let name = &input.ident;
    Ok(quote! {
        #[automatically_derived]
        impl crate::api::FromJson for #name {
            fn from_json(json: &crate::api::JsonNode<'_>) -> Self {
                #body
            }
        }
    })
}

fn expand_struct(fields: &Fields) -> Result<proc_macro2::TokenStream> {
    let mut keys: Vec<String> = Vec::new();
    let mut idents = Vec::new();
    for field in fields {
        let Some(ident) = &field.ident else {
            return Err(Error::new_spanned(field, "a field needs a name"));
        };
        let names = Names::parse(&field.attrs)?;
        let key = match names {
            Names { alias: true, .. } => ident.unraw().to_string(),
            Names {
                rename: Some(name), ..
            } => name,
            _ => camel_case(&ident.unraw().to_string()),
        };
        if keys.contains(&key) {
            return Err(Error::new_spanned(
                field,
                format!("two fields read `{key}`: give one of them an `alias`"),
            ));
        }
        keys.push(key);
        idents.push(ident);
    }
    Ok(quote! { Self { #(#idents: json.read(#keys)),* } })
}

fn expand_enum(data: &DataEnum) -> Result<proc_macro2::TokenStream> {
    let names = data
        .variants
        .iter()
        .map(variant_name)
        .collect::<Result<Vec<_>>>()?;
    let mut variants = data.variants.iter().map(|variant| &variant.ident);
    let Some(first) = variants.next() else {
        return Err(Error::new_spanned(
            &data.variants,
            "an enum needs a variant",
        ));
    };
    let others: Vec<&Ident> = variants.collect();
    let indexes = 1..=others.len();
    Ok(quote! {
        match json.read_variant(&[#(#names),*]) {
            #(#indexes => Self::#others,)*
            _ => Self::#first,
        }
    })
}

fn variant_name(variant: &Variant) -> Result<String> {
    if !matches!(variant.fields, Fields::Unit) {
        return Err(Error::new_spanned(variant, "a variant cannot have data"));
    }
    let names = Names::parse(&variant.attrs)?;
    Ok(names
        .rename
        .unwrap_or_else(|| screaming_snake_case(&variant.ident.unraw().to_string())))
}

/// What `#[cynic(...)]` says about the name of a field or variant in a response.
#[derive(Default)]
struct Names {
    rename: Option<String>,
    /// The document gives the field its name in the type.
    alias: bool,
}

impl Names {
    fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut names = Self::default();
        for attribute in attributes.iter().filter(|one| one.path().is_ident("cynic")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("rename") {
                    names.rename = Some(meta.value()?.parse::<LitStr>()?.value());
                    Ok(())
                } else if meta.path.is_ident("alias") {
                    names.alias = true;
                    Ok(())
                } else {
                    Err(meta.error("`FromJson` knows only `rename` and `alias`"))
                }
            })?;
        }
        Ok(names)
    }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut text, word| {
        let mut letters = word.chars();
        text.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        text.push_str(letters.as_str());
        text
    })
}

fn screaming_snake_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(item: &str) -> std::result::Result<String, String> {
        let input = syn::parse_str(item).expect("an item");
        let tokens = expand(&input).map_err(|error| error.to_string())?;
        Ok(tokens.to_string())
    }

    #[test]
    fn fields_are_read_by_their_names_in_the_response() {
        let item = r#"struct Row {
            hourly_p50_ms: f64,
            #[cynic(rename = "type")]
            kind: String,
            #[cynic(alias, rename = "uptime")]
            last_day: f64,
        }"#;
        let code = expanded(item).expect("code");
        for line in [
            r#"hourly_p50_ms : json . read ("hourlyP50Ms")"#,
            r#"kind : json . read ("type")"#,
            r#"last_day : json . read ("last_day")"#,
        ] {
            assert!(code.contains(line), "{line}: {code}");
        }
    }

    #[test]
    fn variants_are_read_by_their_names_in_the_schema() {
        let item = r#"enum State { Open, ResolvedLate, #[cynic(rename = "gone")] Lost }"#;
        let code = expanded(item).expect("code");
        assert!(
            code.contains(r#"& ["OPEN" , "RESOLVED_LATE" , "gone"]"#),
            "{code}"
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for (item, error) in [
            ("struct Row(i32);", "a field needs a name"),
            ("enum State { Open(i32) }", "a variant cannot have data"),
            ("enum State {}", "an enum needs a variant"),
            (
                "struct Row { #[cynic(flatten)] ids: Vec<i32> }",
                "`FromJson` knows only `rename` and `alias`",
            ),
            (
                r#"struct Row { id: i32, #[cynic(rename = "id")] other: i32 }"#,
                "two fields read `id`: give one of them an `alias`",
            ),
        ] {
            assert_eq!(expanded(item), Err(error.to_owned()), "{item}");
        }
    }
}
