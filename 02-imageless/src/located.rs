//! Reads a type out of a JSON value, and tells which field was wrong:
//! serde_json's own reader of a [`Value`] says what was wrong, and not where.
//!
//! All texts that we read go this one way. A `Spec` has some hundred types, and
//! the code that reads them is made anew for each way of reading: with three of
//! them it was a fifth of the program.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Error, Expected, Visitor};
use serde::de::{Deserializer, MapAccess, SeqAccess, Unexpected};
use serde::forward_to_deserialize_any;
use serde_json::{Value, map};
use std::fmt::{self, Display};
use std::slice;

/// Reads the value.
///
/// # Errors
/// Names the field.
pub(crate) fn read<T: DeserializeOwned>(json: &Value) -> Result<T, Wrong> {
    T::deserialize(Located(json))
}

/// What is wrong, and where.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// As `linux.namespaces[2].path`; empty for the whole. It grows from its
    /// end, while the error passes from the inside out.
    field: String,
    cause: String,
}

impl Wrong {
    /// Tells that it is within `outer` that this is wrong.
    fn within(mut self, outer: &str) -> Self {
        let dot = match self.field.chars().next() {
            None | Some('[') => "",
            Some(_) => ".",
        };
        self.field = format!("{outer}{dot}{}", self.field);
        self
    }
}

impl Error for Wrong {
    fn custom<T: Display>(cause: T) -> Self {
        Self { field: String::new(), cause: cause.to_string() }
    }
}

impl std::error::Error for Wrong {}

impl Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.is_empty() {
            true => f.write_str(&self.cause),
            false => write!(f, "{}: {}", self.field, self.cause),
        }
    }
}

/// A value of which a type is read.
#[derive(Clone, Copy)]
struct Located<'de>(&'de Value);

impl Located<'_> {
    fn refuse<T>(self, expected: &dyn Expected) -> Result<T, Wrong> {
        let found = match self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => Unexpected::Unsigned(value),
                (None, Some(value)) => Unexpected::Signed(value),
                (None, None) => {
                    Unexpected::Float(number.as_f64().unwrap_or(f64::NAN))
                }
            },
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        Err(Error::invalid_type(found, expected))
    }
}

/// A struct, a map, a list and a word are each taken from the one JSON type that
/// can be meant. To let the value decide, as for numbers and texts, would be as
/// right, and bring code for a struct that is a list, and a list that is a map.
impl<'de> Deserializer<'de> for Located<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, v: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Null => v.visit_unit(),
            Value::Bool(value) => v.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => v.visit_u64(value),
                (None, Some(value)) => v.visit_i64(value),
                (None, None) => self.refuse(&v),
            },
            Value::String(text) => v.visit_str(text),
            Value::Array(_) => self.deserialize_seq(v),
            Value::Object(_) => self.deserialize_map(v),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(
        self,
        v: V,
    ) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Null => v.visit_none(),
            _ => v.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, v: V) -> Result<V::Value, Wrong> {
        let Value::Array(list) = self.0 else { return self.refuse(&v) };
        v.visit_seq(List { rest: list.iter(), next: 0 })
    }

    fn deserialize_map<V: Visitor<'de>>(self, v: V) -> Result<V::Value, Wrong> {
        let Value::Object(map) = self.0 else { return self.refuse(&v) };
        v.visit_map(Fields { rest: map.iter(), last: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &str,
        _fields: &[&str],
        v: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_map(v)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &str,
        _words: &[&str],
        v: V,
    ) -> Result<V::Value, Wrong> {
        let Value::String(word) = self.0 else { return self.refuse(&v) };
        v.visit_enum(StrDeserializer::new(word))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &str,
        v: V,
    ) -> Result<V::Value, Wrong> {
        v.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(
        self,
        v: V,
    ) -> Result<V::Value, Wrong> {
        v.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes
        byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

/// The rest of a list, and the index of its first.
struct List<'de> {
    rest: slice::Iter<'de, Value>,
    next: usize,
}

impl<'de> SeqAccess<'de> for List<'de> {
    type Error = Wrong;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Wrong> {
        let Some(value) = self.rest.next() else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        let element = seed.deserialize(Located(value));
        element.map(Some).map_err(|wrong| wrong.within(&format!("[{index}]")))
    }
}

/// The rest of an object, and the field whose name was read last.
struct Fields<'de> {
    rest: map::Iter<'de>,
    last: Option<(&'de str, &'de Value)>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Wrong;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Wrong> {
        self.last = self.rest.next().map(|(name, value)| (&**name, value));
        let name = self.last.map(|(name, _)| StrDeserializer::new(name));
        name.map(|name| seed.deserialize(name)).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, Wrong> {
        let (name, value) = self.last.expect("serde asks for the name first");
        let value = seed.deserialize(Located(value));
        value.map_err(|wrong| wrong.within(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_spec::runtime::Spec;
    use serde_json::json;

    fn wrong(spec: Value) -> String {
        read::<Spec>(&spec).unwrap_err().to_string()
    }

    #[test]
    fn a_wrong_value_is_named_by_the_way_to_it() {
        for (spec, told) in [
            (
                json!({"ociVersion": 1}),
                "ociVersion: invalid type: integer `1`, expected a string",
            ),
            (
                json!({"ociVersion": "1.0.0", "mounts": [{"destination": "/"}, 7]}),
                "mounts[1]: invalid type: integer `7`, expected struct Mount",
            ),
            (
                json!({"ociVersion": "1.0.0", "mounts": [{"source": []}]}),
                "mounts[0].source: invalid type: sequence, expected path string",
            ),
        ] {
            assert_eq!(wrong(spec), told);
        }
    }

    #[test]
    fn what_is_missing_is_told_with_what_it_is_missing_in() {
        assert_eq!(
            wrong(
                json!({"ociVersion": "1.0.0", "linux": {"namespaces": [{}]}})
            ),
            "linux.namespaces[0]: missing field `type`"
        );
    }

    #[test]
    fn a_struct_is_no_list_and_a_whole_number_has_no_fraction() {
        assert_eq!(
            wrong(json!([])),
            "invalid type: sequence, expected struct Spec"
        );
        let limit = json!({"resources": {"memory": {"limit": 1.5}}});
        assert_eq!(
            wrong(json!({"ociVersion": "1.0.0", "linux": limit})),
            "linux.resources.memory.limit: invalid type: floating point \
             `1.5`, expected i64"
        );
    }
}
