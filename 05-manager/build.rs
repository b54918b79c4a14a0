//! Compiles `proto/api.proto` (CRI v1) in pure Rust: protox reads the file,
//! tonic and prost write the code. Serde comes on top, because state.json keeps
//! what was asked in CRI's own words.

/// Every message can be stored; fields that an older state.json lacks take
/// protobuf's defaults. Names are those of protobuf's JSON, as crictl has them.
const MESSAGE: &str = r#"
    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(default, rename_all = "camelCase")]
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto/api.proto");
    let descriptors = protox::compile(["proto/api.proto"], ["proto"])?;
    tonic_prost_build::configure()
        .message_attribute(".", MESSAGE)
        .btree_map(".")
        .disable_comments(["."])
        .emit_rerun_if_changed(false)
        .compile_fds(descriptors)?;
    Ok(())
}
