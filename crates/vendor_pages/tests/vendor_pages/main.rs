//! Vendor pages: every provider's answers, bad ones, what they mean to followers, and how pages are found.
#![allow(clippy::unwrap_used)]

mod announcements;
mod bad_input;
mod bounds;
mod discovery;
mod fetching;
mod following;
mod paging;
mod providers;
mod recorded;
mod site;

use domain::Status;
use std::path::{Path, PathBuf};
use vendor_pages::page::{self, Page, PartialPage, Unreadable};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/statuspages")
}

fn fixture(file: &str) -> Vec<u8> {
    let path = fixtures().join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read(url: &str, bytes: &[u8]) -> Result<PartialPage, Unreadable> {
    page::read(&url.parse().unwrap(), bytes)
}

/// The page of these answers, each with the path that it has on the vendor's host.
fn page(answers: &[(&str, &[u8])]) -> Page {
    let read = |(path, bytes): &(&str, &[u8])| {
        read(&format!("https://status.vendor.example{path}"), bytes).unwrap()
    };
    page::assemble(answers.iter().map(read).collect()).unwrap()
}

/// The page of one answer.
fn page_of(path: &str, file: &str) -> Page {
    page(&[(path, &fixture(file))])
}

/// Every component as `Group > Name`, with its status.
fn components(page: &Page) -> Vec<(String, Status)> {
    page.components
        .iter()
        .map(|component| match &component.group {
            Some(group) => (format!("{group} > {}", component.name), component.status),
            None => (component.name.clone(), component.status),
        })
        .collect()
}

fn named<'a>(all: &'a [(&'a str, Status)]) -> Vec<(String, Status)> {
    all.iter()
        .map(|(name, status)| ((*name).to_owned(), *status))
        .collect()
}
