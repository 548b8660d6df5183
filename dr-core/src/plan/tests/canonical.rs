//! Canonical JSON of every form that serde knows, also those that plans have no use for yet.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::super::canonical::canonical;

struct Bytes(&'static [u8]);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(self.0)
    }
}

/// What is written as its text.
struct Shown(&'static str);

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("<{}>", self.0))
    }
}

/// Keys that come before their values, the later ones first.
struct Backwards;

impl Serialize for Backwards {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("b", &2)?;
        map.serialize_entry("a", &1)?;
        map.end()
    }
}

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Newtype(u16);

#[derive(Serialize)]
struct Pair(i16, i32);

fn text(value: &impl Serialize) -> String {
    String::from_utf8(canonical(value).unwrap()).unwrap()
}

#[test]
fn every_form_is_written_as_serde_json_writes_it() {
    assert_eq!(text(&Bytes(&[1, 0, 255])), "[1,0,255]");
    assert_eq!(text(&Bytes(&[])), "[]");
    assert_eq!(text(&Shown("é")), "\"<é>\"");
    assert_eq!(text(&Backwards), r#"{"a":1,"b":2}"#);
    assert_eq!(text(&Unit), "null");
    assert_eq!(text(&()), "null");
    assert_eq!(text(&Newtype(7)), "7");
    assert_eq!(text(&Pair(-3, 4)), "[-3,4]");
    assert_eq!(text(&(u64::MAX, i64::MIN, 1.5_f32, 0.25_f64)), "[18446744073709551615,-9223372036854775808,1.5,0.25]");
    assert_eq!(text(&[f32::NAN, f32::INFINITY, -0.5]), "[null,null,-0.5]");
    assert_eq!(text(&[true, false]), "[true,false]");
    assert_eq!(text(&('ü', '"', "a\nb")), r#"["ü","\"","a\nb"]"#);
    assert_eq!(text(&Some(Some(3))), "3");
    assert_eq!(text(&None::<u8>), "null");
}

#[test]
fn a_name_of_a_field_is_text() {
    assert!(canonical(&BTreeMap::from([(1, "one")])).is_err());
}
