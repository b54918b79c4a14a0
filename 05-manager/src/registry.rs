//! The objects that conmand knows, by id, and the names that they hold. The
//! lock is held for look-ups only, never while anything waits: a runtime that
//! hangs in one container does not keep others from being listed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// Sandboxes or containers, found by id, by a unique prefix of one, or all.
#[derive(Debug)]
pub struct Registry<T> {
    kind: &'static str,
    inner: Mutex<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    objects: BTreeMap<String, Arc<T>>,
    /// Name to id. Reserved before the object exists, so that two creates
    /// cannot both win.
    names: BTreeMap<String, String>,
}

impl<T> Registry<T> {
    /// Makes an empty registry; `kind` stands in the errors.
    #[must_use]
    pub fn new(kind: &'static str) -> Self {
        let inner = Inner { objects: BTreeMap::new(), names: BTreeMap::new() };
        Self { kind, inner: Mutex::new(inner) }
    }

    /// Takes a name for `id`, before anything is made.
    ///
    /// # Errors
    /// [`Error::Conflict`]: another object has it.
    pub fn reserve(&self, name: &str, id: &str) -> Result<()> {
        let mut inner = self.lock();
        if let Some(other) = inner.names.get(name) {
            let kind = self.kind;
            return Err(Error::Conflict(format!(
                "{kind} name {name:?} is in use by {other}"
            )));
        }
        inner.names.insert(name.to_owned(), id.to_owned());
        Ok(())
    }

    /// Adds an object that is ready to be seen.
    pub fn insert(&self, id: &str, object: T) -> Arc<T> {
        let object = Arc::new(object);
        self.lock().objects.insert(id.to_owned(), Arc::clone(&object));
        object
    }

    /// Forgets an object and frees its name; also right for one that only holds
    /// a name yet.
    pub fn remove(&self, id: &str) {
        let mut inner = self.lock();
        inner.objects.remove(id);
        inner.names.retain(|_, holder| holder != id);
    }

    /// Finds by id, or by a prefix that fits exactly one: people type the 13
    /// characters that crictl shows.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`]: the prefix fits several.
    pub fn find(&self, id: &str) -> Result<Arc<T>> {
        let inner = self.lock();
        let not_found =
            || Error::NotFound { kind: self.kind, id: id.to_owned() };
        if id.is_empty() {
            return Err(not_found());
        }
        let mut fitting = inner
            .objects
            .range(id.to_owned()..)
            .take_while(|(known, _)| known.starts_with(id));
        match (fitting.next(), fitting.next()) {
            (None, _) => Err(not_found()),
            (Some((known, object)), next) if known == id || next.is_none() => {
                Ok(Arc::clone(object))
            }
            (Some(_), _) => Err(Error::Conflict(format!(
                "{} id {id:?} fits more than one",
                self.kind
            ))),
        }
    }

    /// As [`Registry::find`], for the requests that succeed where there is
    /// nothing to do.
    ///
    /// # Errors
    /// [`Error::Conflict`]: the prefix fits several.
    pub fn find_if_any(&self, id: &str) -> Result<Option<Arc<T>>> {
        match self.find(id) {
            Err(Error::NotFound { .. }) => Ok(None),
            found => found.map(Some),
        }
    }

    /// Lists all objects, ordered by id.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<T>> {
        self.lock().objects.values().map(Arc::clone).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        // No code that holds this lock can panic half-way, so a poisoned map is
        // still whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(ids: &[&str]) -> Registry<String> {
        let registry = Registry::new("container");
        for id in ids {
            registry.insert(id, (*id).to_owned());
        }
        registry
    }

    #[test]
    fn a_prefix_finds_one_object_or_none_or_is_refused() {
        let registry = registry(&["abc", "abd", "x"]);
        assert_eq!(*registry.find("abc").unwrap(), "abc");
        assert_eq!(*registry.find("x").unwrap(), "x");
        assert_eq!(
            registry.find("y").unwrap_err().to_string(),
            "no container \"y\""
        );
        assert_eq!(
            registry.find("ab").unwrap_err().to_string(),
            "container id \"ab\" fits more than one"
        );
    }

    #[test]
    fn a_whole_id_wins_over_longer_ones_that_begin_with_it() {
        assert_eq!(*registry(&["ab", "abc"]).find("ab").unwrap(), "ab");
    }

    #[test]
    fn the_empty_id_finds_nothing() {
        assert!(registry(&["a"]).find_if_any("").unwrap().is_none());
    }

    #[test]
    fn a_name_is_taken_until_its_holder_is_removed() {
        let registry = registry(&[]);
        registry.reserve("web", "1").unwrap();
        let error = registry.reserve("web", "2").unwrap_err().to_string();
        assert_eq!(error, "container name \"web\" is in use by 1");
        registry.remove("1");
        registry.reserve("web", "2").unwrap();
    }
}
