//! The book as a whole: its configuration, its chapters in the order of SUMMARY, its rendering.
//!
//! mdBook is used as a library, so that readers install nothing and the version is in Cargo.lock.

use crate::caption::captioned;
use crate::listing::filled;
use crate::page::Page;
use anyhow::{Context, Result};
use mdbook_driver::MDBook;
use mdbook_driver::book::BookItem;
use mdbook_driver::config::Config;
use std::fs;
use std::path::{Path, PathBuf};

/// A book and the repository around it.
pub(crate) struct Book {
    /// The repository, which the listings quote.
    pub(crate) root: PathBuf,
    /// `book/`, where book.toml is.
    pub(crate) dir: PathBuf,
    /// `book/src/`.
    pub(crate) source: PathBuf,
    pub(crate) config: Config,
    /// The chapters that SUMMARY.md names, in its order.
    pub(crate) pages: Vec<Page>,
}

impl Book {
    /// Reads `ROOT/book`.
    ///
    /// # Errors
    /// No book.toml; SUMMARY.md names a file that is missing or not UTF-8.
    pub(crate) fn load(root: &Path) -> Result<Book> {
        let root = root
            .canonicalize()
            .with_context(|| format!("--root {}", root.display()))?;
        let dir = root.join("book");
        let toml = dir.join("book.toml");
        let config = Config::from_disk(&toml)
            .with_context(|| format!("{}", toml.display()))?;
        let source = dir.join(&config.book.src);
        // A missing chapter must be reported, never created, whatever book.toml says.
        let mut strict = config.clone();
        strict.build.create_missing = false;
        let mdbook = MDBook::load_with_config(&dir, strict)?;
        let mut pages = Vec::new();
        for item in mdbook.iter() {
            if let BookItem::Chapter(chapter) = item
                && let Some(path) = &chapter.source_path
            {
                let shown = shown(&root, &source.join(path));
                pages.push(Page::parse(shown, &chapter.content));
            }
        }
        Ok(Book { root, dir, source, config, pages })
    }

    /// Renders HTML into `destination`, with what each listing quotes, and the file's path
    /// above it.
    ///
    /// # Errors
    /// What mdBook complains about.
    pub(crate) fn render(&self, destination: &Path) -> Result<()> {
        let mut config = self.config.clone();
        config.build.create_missing = false;
        config.build.build_dir = destination.to_owned();
        let mut mdbook = MDBook::load_with_config(&self.dir, config)?;
        mdbook.book.for_each_chapter_mut(|chapter| {
            let path = chapter.source_path.clone().unwrap_or_default();
            let path = shown(&self.root, &self.source.join(path));
            let text = captioned(&chapter.content);
            chapter.content = filled(self, &path, &text);
        });
        mdbook.build()
    }

    /// The absolute path of a page.
    pub(crate) fn file(&self, page: &Page) -> PathBuf {
        self.root.join(&page.path)
    }

    /// Every Markdown file under `book/src`, SUMMARY.md apart, relative to it and sorted.
    ///
    /// # Errors
    /// A directory cannot be read.
    pub(crate) fn markdown_files(&self) -> Result<Vec<PathBuf>> {
        let mut files = files_below(&self.source, &[])?;
        files.retain(|file| {
            file.extension().is_some_and(|extension| extension == "md")
        });
        let relative =
            |file: PathBuf| file.strip_prefix(&self.source).map(Path::to_owned);
        let mut files: Vec<_> =
            files.into_iter().filter_map(|f| relative(f).ok()).collect();
        files.retain(|file| file != Path::new("SUMMARY.md"));
        files.sort();
        Ok(files)
    }
}

/// A path as it is written in findings: relative to the repository.
fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// Every regular file below `dir`, except in folders whose path is in `apart`.
///
/// # Errors
/// A directory cannot be read.
pub(crate) fn files_below(
    dir: &Path,
    apart: &[PathBuf],
) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut pending = vec![dir.to_owned()];
    while let Some(dir) = pending.pop() {
        for entry in
            fs::read_dir(&dir).with_context(|| format!("{}", dir.display()))?
        {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_file() {
                found.push(entry.path());
            } else if kind.is_dir() && !apart.contains(&entry.path()) {
                pending.push(entry.path());
            }
        }
    }
    Ok(found)
}
