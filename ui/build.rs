//! Hands the API's schema to the compiler: a query that the server does not know fails to build.

fn main() {
    cynic_codegen::register_schema("pulsecheck")
        .from_sdl_file("../schema.graphql")
        .expect("schema.graphql in the root of the repository is the server's schema")
        .as_default()
        .expect("no other default schema is registered");
    println!("cargo:rerun-if-changed=../schema.graphql");
}
