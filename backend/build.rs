//! Builds the crate again when `make ui` has written other files than those that are built in. Debug builds read them
//! when they start instead, so that working on them builds nothing; for that the directory must be there when they are
//! compiled, if empty.

fn main() {
    let embedded = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    println!(
        "cargo:rerun-if-changed={}",
        if embedded {
            "../target/ui/dist"
        } else {
            "build.rs"
        }
    );
    if let Err(error) = std::fs::create_dir_all("../target/ui/dist") {
        println!("cargo:warning=cannot make target/ui/dist, the dashboard stays out: {error}");
    }
}
