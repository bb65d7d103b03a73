//! The program that the browser runs.

fn main() {
    ui::launch();
}
