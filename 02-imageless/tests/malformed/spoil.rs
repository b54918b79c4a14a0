//! Ways to spoil a value: of another type, too large, too small, too long,
//! empty, or not there.

use serde_json::{Value, json};

/// A configuration in which one value is not what it was.
pub(crate) struct Spoiled {
    /// A JSON pointer: `/process/args/0`.
    pub(crate) field: String,
    /// What stands there now, in short.
    pub(crate) how: String,
    pub(crate) config: Value,
}

/// Gives each value of a configuration in each way.
pub(crate) fn spoiled(config: &Value) -> impl Iterator<Item = Spoiled> {
    pointers(config).into_iter().flat_map(move |field| {
        let others = others().into_iter().map({
            let field = field.clone();
            move |other| replaced(config, &field, other)
        });
        others.chain(removed(config, &field))
    })
}

fn others() -> Vec<Value> {
    vec![
        Value::Null,
        json!(-1),
        json!(0),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("\u{0}"),
        json!("../nowhere"),
        json!("x".repeat(5000)),
        json!([]),
        json!({}),
        json!({"": ""}),
    ]
}

/// Lists every value but the whole, by JSON pointer.
fn pointers(config: &Value) -> Vec<String> {
    let below = |key: &str, value: &Value| {
        let key = key.replace('~', "~0").replace('/', "~1");
        let deeper =
            pointers(value).into_iter().map(|rest| format!("/{key}{rest}"));
        [format!("/{key}")].into_iter().chain(deeper).collect::<Vec<_>>()
    };
    match config {
        Value::Object(fields) => {
            fields.iter().flat_map(|(key, value)| below(key, value)).collect()
        }
        Value::Array(values) => {
            let numbered = values.iter().enumerate();
            numbered
                .flat_map(|(i, value)| below(&i.to_string(), value))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn replaced(config: &Value, field: &str, other: Value) -> Spoiled {
    let mut config = config.clone();
    let mut how = other.to_string();
    how.truncate(24);
    *config.pointer_mut(field).expect("it was listed") = other;
    Spoiled { field: field.into(), how, config }
}

/// Only fields: an array without one of its values is another array.
fn removed(config: &Value, field: &str) -> Option<Spoiled> {
    let mut config = config.clone();
    let (parent, key) = field.rsplit_once('/')?;
    let key = key.replace("~1", "/").replace("~0", "~");
    config.pointer_mut(parent)?.as_object_mut()?.remove(&key)?;
    Some(Spoiled { field: field.into(), how: "removed".into(), config })
}
