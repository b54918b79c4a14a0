//! The rules that a page must keep, each in a file of its own.

pub(crate) mod ratchet;
use crate::book::Book;
use crate::finding::Finding;
use anyhow::Result;
pub(crate) mod includes {
    use super::*;
    pub(crate) fn check(_: &Book) -> Result<Vec<Finding>> {
        Ok(vec![])
    }
}
pub(crate) fn check(book: &Book) -> Result<Vec<Finding>> {
    ratchet::check(book)
}
pub(crate) fn counts(_: &Book) -> String {
    String::new()
}
